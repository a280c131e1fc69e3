// Package serialscan drives barcode scanners that send codes as text over a
// serial line: RS-232, USB in CDC mode (/dev/ttyACM*), or a serial-to-USB
// bridge (/dev/ttyUSB*).
//
// A code is the bytes up to a suffix. Factory settings: Honeywell and
// Datalogic send CR, Zebra CR or nothing, Newland CR LF; 9600 8N1 on RS-232
// (Honeywell 115200), any speed on CDC. The scanner may put STX or a prefix
// of its own before the code, and an AIM symbology identifier (ISO/IEC 15424)
// when that is switched on. A GS (1D hex) belongs to the data of GS1 codes.
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
	Prefix string           `toml:"prefix" help:"what the scanner puts before each code; cut off"`
}

// Check tells what is wrong.
func (c *Config) Check() error {
	if _, ok := suffixes[c.Suffix]; !ok {
		return fmt.Errorf("suffix: %q: must be auto, cr, lf, crlf, tab or none", c.Suffix)
	}
	if g := time.Duration(c.Gap); g < 10*time.Millisecond || g > 5*time.Second {
		return fmt.Errorf("gap: %v: must be 10ms to 5s", g)
	}
	if len(c.Prefix) > 16 {
		return fmt.Errorf("prefix: %q: must be at most 16 bytes", c.Prefix)
	}
	return nil
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

// Open takes a line. A scanner says nothing by itself, so there is nothing to
// probe.
func Open(l drivers.Link, c Config) (*Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return &Scanner{l, c}, nil
}

const (
	look = 250 * time.Millisecond // how often the end of ctx is noticed
	torn = 500 * time.Millisecond // silence after which a code without its suffix is noise
)

// Scans gives codes until ctx ends. What lay in the line before it was opened
// is read too: a code that was scanned a moment ago is not lost, and one
// that was cut off has no beginning that fits the library's patterns.
func (s *Scanner) Scans(ctx context.Context, yield func(drivers.Scan)) error {
	defer s.link.Close()
	p := newParser(s.config, yield)
	gap := torn
	if s.config.Suffix == "none" {
		gap = time.Duration(s.config.Gap)
	}
	buf := make([]byte, 512)
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
