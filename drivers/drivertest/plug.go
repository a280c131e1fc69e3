package drivertest

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
)

// Plug puts a simulated device at the far end of a serial port, and opens the
// port as c says but for its path.
func Plug(t *testing.T, c link.Config, serve func(io.ReadWriter) error) drivers.Link {
	t.Helper()
	p, err := port.Open("")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(p) }()
	t.Cleanup(func() { p.Close(); <-ended })
	c.Path = p.Path
	l, err := link.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Wire puts a simulated device at the far end of a Cable: there no answer is late
// but by what the device is told to do.
func Wire(serve func(io.ReadWriter) error) drivers.Link {
	host, device := NewCable()
	go serve(device) //nolint:errcheck // it ends with the line
	return host
}

// Cable is one end of a serial line within a bubble of testing/synctest. What
// is written to one end waits until it is read at the other.
type Cable struct {
	in, out  chan []byte
	rest     []byte
	patience time.Duration // 0: for ever
	closed   chan struct{}
}

// NewCable gives both ends; either one's Close ends the line.
func NewCable() (host, device *Cable) {
	a, b, closed := make(chan []byte, 1000), make(chan []byte, 1000), make(chan struct{})
	return &Cable{in: a, out: b, closed: closed}, &Cable{in: b, out: a, closed: closed}
}

// Read implements drivers.Link.
func (c *Cable) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		late := make(<-chan time.Time)
		if c.patience > 0 {
			late = time.After(c.patience)
		}
		select {
		case c.rest = <-c.in:
		case <-late:
			return 0, drivers.ErrSilent
		case <-c.closed:
			return 0, drivers.ErrGone
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write implements drivers.Link.
func (c *Cable) Write(p []byte) (int, error) { c.out <- slices.Clone(p); return len(p), nil }

// Patience implements drivers.Link.
func (c *Cable) Patience(d time.Duration) error { c.patience = d; return nil }

// Close implements drivers.Link.
func (c *Cable) Close() error { close(c.closed); return nil }
