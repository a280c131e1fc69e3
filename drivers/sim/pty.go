package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"

	"github.com/carrel-kiosk/carrel/drivers/link"
)

// Pty is a simulated scanner on a pseudo-terminal: a real serial port to the
// program that opens its Path. It is safe for use by several goroutines.
type Pty struct {
	Suffix string // sent after each code

	name string // of the link that stays with the scanner; empty: none

	mu        sync.Mutex
	far, near *os.File // nil while unplugged
}

// NewPty plugs a scanner in that ends codes with CR. If name is not empty it
// is a link to the port, which stays the same each time it is plugged in, as
// those below /dev/serial/by-id do.
func NewPty(name string) (*Pty, error) {
	p := &Pty{Suffix: "\r", name: name}
	return p, p.Plug(true)
}

// Path is what to open; with no link and unplugged it is empty.
func (p *Pty) Path() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.name != "":
		return p.name
	case p.near != nil:
		return p.near.Name()
	}
	return ""
}

// sendTime is the longest a scanner waits for a port whose program does not
// read; it holds about 4 kB.
const sendTime = 2 * time.Second

// Scan sends a code and the suffix.
func (p *Pty) Scan(code string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.far == nil {
		return ErrUnplugged
	}
	if err := p.far.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return err
	}
	_, err := io.WriteString(p.far, code+p.Suffix)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrUnread
	}
	return err
}

// Plug plugs the scanner in or pulls it out. The program that has the port
// open sees it hang up.
func (p *Pty) Plug(in bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if in == (p.far != nil) {
		return nil
	}
	if in {
		return p.in()
	}
	err := errors.Join(p.far.Close(), p.near.Close())
	p.far, p.near = nil, nil
	if p.name != "" {
		err = errors.Join(err, os.Remove(p.name))
	}
	return err
}

func (p *Pty) in() error {
	far, near, err := pty.Open()
	if err != nil {
		return fmt.Errorf("pty: %w", err)
	}
	if err := errors.Join(raw(near.Name()), deadlines(far), p.link(near.Name())); err != nil {
		return errors.Join(err, far.Close(), near.Close())
	}
	p.far, p.near = far, near
	return nil
}

// raw makes a new pty carry all bytes as they are, also before a program that
// sets it so has opened it: opening and closing it as a serial port does that.
// It stays so as long as near is open.
func raw(path string) error {
	l, err := link.Open(context.Background(), link.Config{Path: path, Baud: 9600, DataBits: 8})
	if err != nil {
		return err
	}
	return l.Close()
}

// deadlines makes those of f count: package pty leaves it blocking.
func deadlines(f *os.File) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = c.Control(func(fd uintptr) { set = syscall.SetNonblock(int(fd), true) })
	return errors.Join(err, set)
}

// link points the name at the port, in one step. What is there and no link is
// left alone.
func (p *Pty) link(path string) error {
	if p.name == "" {
		return nil
	}
	if at, err := os.Lstat(p.name); err == nil && at.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("%s is there already, and no link", p.name)
	}
	dir, err := os.MkdirTemp(filepath.Dir(p.name), ".carrel")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fresh := filepath.Join(dir, "link")
	if err := os.Symlink(path, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, p.name)
}

// Close pulls the scanner out for good.
func (p *Pty) Close() error { return p.Plug(false) }
