// Package port is the far end of a simulated serial port: a pseudo-terminal,
// which to the program that opens it is a serial port like others.
package port

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/creack/pty"

	"github.com/carrel-kiosk/carrel/drivers/link"
)

// Port is what a device sees of its cable. Read and write deadlines of its
// File count. One that is closed is unplugged.
type Port struct {
	*os.File        // the device's end
	Path     string // what to open as a serial port

	near *os.File // keeps the port as it is while nobody has it open
	name string   // the link to it; empty: none
}

// Open plugs a port in. If name is not empty it is a link to the port, as
// those below /dev/serial/by-id are, and Path.
func Open(name string) (*Port, error) {
	far, near, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("pty: %w", err)
	}
	p := &Port{File: far, Path: near.Name(), near: near, name: name}
	if err := errors.Join(raw(near.Name()), deadlines(far), p.link()); err != nil {
		return nil, errors.Join(err, far.Close(), near.Close())
	}
	if name != "" {
		p.Path = name
	}
	return p, nil
}

// Close pulls the cable out: the program that has the port open sees it hang
// up.
func (p *Port) Close() error {
	err := errors.Join(p.File.Close(), p.near.Close())
	if p.name != "" {
		err = errors.Join(err, os.Remove(p.name))
	}
	return err
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

// link points the name at the port, in one step. What is there and no link,
// or leads to a port that is there, is left alone.
func (p *Port) link() error {
	if p.name == "" {
		return nil
	}
	if at, err := os.Lstat(p.name); err == nil && at.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("%s is there already, and no link", p.name)
	}
	if _, err := os.Stat(p.name); err == nil {
		return fmt.Errorf("%s leads to a port that is there: another simulation has it", p.name)
	}
	dir, err := os.MkdirTemp(filepath.Dir(p.name), ".carrel")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fresh := filepath.Join(dir, "link")
	if err := os.Symlink(p.near.Name(), fresh); err != nil {
		return err
	}
	return os.Rename(fresh, p.name)
}
