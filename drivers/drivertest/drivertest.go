// Package drivertest helps to test drivers: Playback is a device that was
// recorded, Record records one, Silent says nothing, Flaky is a bad line.
// TestScanner is what every scanner must do, TestPad what every pad must.
//
// What waits here waits by the clock, so a test in a bubble of testing/synctest
// takes no time.
package drivertest

import (
	"math/rand/v2"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Silent is a line with nothing at its far end.
type Silent struct{}

var _ drivers.Link = Silent{}

// silence is how long a Read of Silent takes, whatever Patience was asked for.
const silence = 10 * time.Millisecond

// Read implements drivers.Link.
func (Silent) Read([]byte) (int, error) { time.Sleep(silence); return 0, drivers.ErrSilent }

// Write implements drivers.Link: the bytes go nowhere.
func (Silent) Write(p []byte) (int, error) { return len(p), nil }

// Patience implements drivers.Link.
func (Silent) Patience(time.Duration) error { return nil }

// Close implements drivers.Link.
func (Silent) Close() error { return nil }

// Flaky makes a bad line of a good one. Every Read gives a few bytes only, as
// slow lines do.
type Flaky struct {
	drivers.Link
	Rand   *rand.Rand
	Parity float64 // chance of a byte to come as NUL, as after a parity error (termios, INPCK without PARMRK)
	Life   int     // reads that give bytes until the device is gone; 0 means for ever

	reads int
}

// Read implements drivers.Link.
func (f *Flaky) Read(p []byte) (int, error) {
	if f.Life > 0 && f.reads >= f.Life {
		return 0, drivers.ErrGone
	}
	if len(p) > 0 {
		p = p[:1+f.Rand.IntN(min(len(p), 8))]
	}
	n, err := f.Link.Read(p)
	if n > 0 {
		f.reads++
	}
	for i := range p[:n] {
		if f.Rand.Float64() < f.Parity {
			p[i] = 0
		}
	}
	return n, err
}
