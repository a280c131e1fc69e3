package sim

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers/sim/port"
)

// Pty is a simulated scanner on a pseudo-terminal: a real serial port to the
// program that opens its Path. It is safe for use by several goroutines.
type Pty struct {
	Suffix string // sent after each code

	name string // of the link that stays with the scanner; empty: none

	mu  sync.Mutex
	far *port.Port // nil while unplugged
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
	case p.far != nil:
		return p.far.Path
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
		far, err := port.Open(p.name)
		p.far = far
		return err
	}
	err := p.far.Close()
	p.far = nil
	return err
}

// Close pulls the scanner out for good.
func (p *Pty) Close() error { return p.Plug(false) }
