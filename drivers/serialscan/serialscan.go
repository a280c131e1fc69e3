// Package serialscan drives barcode scanners that send codes as text over a
// serial line: RS-232, USB in CDC mode (/dev/ttyACM*), a serial-to-USB bridge
// (/dev/ttyUSB*), or a device server's TCP port.
//
// A code is the bytes up to a suffix. Factory settings, by the makers' manuals:
// Honeywell and Datalogic end with CR, Zebra on CDC with CR or nothing, Newland
// on CDC with CR LF; RS-232 is 9600 8N1 (Honeywell 115200), CDC ignores the
// speed. Before a code there may be STX or a prefix that somebody has set, and
// an AIM symbology identifier (ISO/IEC 15424) where that is switched on. A GS
// (1D hexadecimal) is a part of GS1 codes and ends nothing.
//
// # Old codes
//
// A scanner or its bridge may keep a code while nobody reads: of a patron who
// has long left. So Open throws away what comes until the line has been quiet
// for Config.Drain. The device counts as working only then, and every code
// that is scanned from there on counts; a program that writes to the line
// itself, as a test, waits until the device works.
//
// # Damage
//
// A code whose suffix is lost is dropped after 500 ms: glued to the next one it
// would be neither. A byte that was damaged on the line stays in its code as
// NUL, so that the desk refuses the code instead of taking a shorter one.
package serialscan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Config are the driver's options.
type Config struct {
	Suffix string           `toml:"suffix" default:"auto" help:"what ends a code: auto (CR, LF, TAB or ETX), cr, lf, crlf, tab, none (a gap)"`
	Gap    drivers.Duration `toml:"gap" default:"60ms" help:"with suffix none: the silence that ends a code"`
	Prefix string           `toml:"prefix" help:"what the scanner puts before each code; cut off. STX needs not be said"`
	Drain  drivers.Duration `toml:"drain" default:"200ms" help:"codes kept from before the port was opened are thrown away until it is quiet for so long; 0s takes them"`
}

const maxPrefix = 16 // bytes; scanners allow about as many

// Check tells what is wrong.
func (c *Config) Check() error {
	var bad []error
	if _, ok := suffixes[c.Suffix]; !ok {
		bad = append(bad, fmt.Errorf("suffix: %q: must be auto, cr, lf, crlf, tab or none", c.Suffix))
	}
	if g := time.Duration(c.Gap); g < 10*time.Millisecond || g > 5*time.Second {
		bad = append(bad, fmt.Errorf("gap: %v: must be 10ms to 5s", g))
	}
	if len(c.Prefix) > maxPrefix {
		bad = append(bad, fmt.Errorf("prefix: %q: must be at most %d bytes", c.Prefix, maxPrefix))
	}
	if d := time.Duration(c.Drain); d > drainLimit {
		bad = append(bad, fmt.Errorf("drain: %v: must be at most %v", d, drainLimit))
	}
	return errors.Join(bad...)
}

// Driver is the family.
var Driver = drivers.Define("serialscan", "Barcode scanners on RS-232 or USB serial (CDC): Honeywell, Zebra, Datalogic, Newland, Opticon "+
	"and others in serial mode. Wiring: the port as path; 9600 8N1 unless the scanner is set otherwise. Source: AIM identifiers by ISO/IEC 15424.", Open)

// Scanner is one scanner on an open line.
type Scanner struct {
	link   drivers.Link
	config Config
}

var _ drivers.Scanner = (*Scanner)(nil)

const (
	look       = 250 * time.Millisecond // how often the end of ctx is noticed
	torn       = 500 * time.Millisecond // silence after which a code without its suffix is noise
	drainLimit = time.Second            // the longest that a line is drained: one that never rests is read as it is
)

// Open takes a line, and rids it of old codes. A scanner says nothing by
// itself, so there is nothing to probe.
func Open(l drivers.Link, c Config) (*Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if err := drain(l, time.Duration(c.Drain)); err != nil {
		return nil, err
	}
	return &Scanner{l, c}, nil
}

func drain(l drivers.Link, quiet time.Duration) error {
	if quiet == 0 {
		return nil
	}
	if err := l.Patience(quiet); err != nil {
		return err
	}
	buf := make([]byte, readSize)
	for end := time.Now().Add(drainLimit); time.Now().Before(end); {
		if _, err := l.Read(buf); errors.Is(err, drivers.ErrSilent) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// readSize is the most taken by one read, in bytes.
const readSize = 512

// Scans implements drivers.Scanner.
func (s *Scanner) Scans(ctx context.Context, yield func(drivers.Scan)) error {
	defer s.link.Close()
	p := newParser(s.config, yield)
	gap := torn
	if s.config.Suffix == "none" {
		gap = time.Duration(s.config.Gap)
	}
	buf := make([]byte, readSize)
	for ctx.Err() == nil {
		wait := look
		if p.open() {
			wait = gap
		}
		if err := s.link.Patience(wait); err != nil {
			return err
		}
		n, err := s.link.Read(buf)
		p.feed(buf[:n], time.Now())
		switch {
		case errors.Is(err, drivers.ErrSilent):
			if p.open() {
				s.silent(p)
			}
		case err != nil:
			return err
		}
	}
	return nil
}

// silent ends a code by its gap, or drops one that lost its suffix: it may be
// the first half of a code, and half a code may be another item's.
func (s *Scanner) silent(p *parser) {
	if s.config.Suffix == "none" {
		p.end(time.Now())
		return
	}
	p.drop()
}
