package hidscan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// A decoder makes codes of input reports. It reads no clock: quiet is how long
// the device was listened to and said nothing. So a busy machine, which reads
// late, does not make a scanner look slow or a code look broken off.
type decoder interface {
	// report takes one report that came after quiet, false if it is none of
	// this decoder's.
	report(p []byte, quiet time.Duration, yield func(drivers.Scan)) bool
	// silence says that nothing has come for quiet.
	silence(quiet time.Duration, yield func(drivers.Scan))
	// limit is the quiet after which silence says something new; 0: never.
	limit() time.Duration
	// advice says what to do about a device whose reports are not understood.
	advice() string
}

// Scanner is an open HID scanner.
type Scanner struct {
	dev     drivers.Reports
	decoder decoder
}

var _ drivers.Scanner = (*Scanner)(nil)

// longestWait is the longest wait for one report: how soon the end of a
// context is noticed, and what drivers.Reports allows.
const longestWait = 250 * time.Millisecond

// waitInCode is the longest wait within a code. A machine that is busy, or a virtual
// one that stands still, wakes up late with the report that came meanwhile, and
// would take its own sleep for the device's silence: a code would break off, or
// a scanner look like a person. So no wait counts for more than this.
const waitInCode = 10 * time.Millisecond

// maxReport is the longest input report of USB, in bytes: one interrupt
// packet at high speed (USB 2.0, 5.7.3).
const maxReport = 1024

// enablePOS wakes Honeywell and Youjie scanners, which say nothing in POS
// mode until then: feature report FE, one byte 01.
var enablePOS = []byte{0xFE, 0x01}

// Open makes a Scanner of a HID device.
func Open(dev drivers.Reports, c Config) (*Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	keyboard := c.Mode == "keyboard"
	switch page := dev.UsagePage(); {
	case keyboard && page == pageScanner:
		return nil, errors.New(`mode: the device is set to HID POS: set mode = "pos"`)
	case !keyboard && page == pageDesktop:
		return nil, errors.New(`mode: the device is a keyboard: set mode = "keyboard", or set the scanner to HID POS`)
	case keyboard:
		return &Scanner{dev, newWedge(c)}, nil
	}
	if err := enable(dev, c.Enable); err != nil {
		return nil, err
	}
	return &Scanner{dev, newPOS(c)}, nil
}

// HID usage pages: HUT 1.4, section 3.
const (
	pageDesktop = 0x01 // keyboards, mice
	pageScanner = 0x8C
)

// enable wakes the scanner if that is wanted, or if its maker's need it and
// nothing is said. Then a refusal counts for nothing: not all models know it.
func enable(dev drivers.Reports, want string) error {
	switch want {
	case "on":
		if err := dev.SendFeature(enablePOS); err != nil {
			return fmt.Errorf("enable: %w", err)
		}
	case "auto":
		v, ok := dev.(interface{ Vendor() uint16 })
		if !ok || (v.Vendor() != vendorHoneywell && v.Vendor() != vendorYoujie) {
			return nil
		}
		if err := dev.SendFeature(enablePOS); errors.Is(err, drivers.ErrGone) {
			return fmt.Errorf("enable: %w", err)
		}
	}
	return nil
}

// USB vendors: usb.ids.
const (
	vendorHoneywell = 0x0C2E
	vendorYoujie    = 0x23D0
)

// Scans implements drivers.Scanner.
func (s *Scanner) Scans(ctx context.Context, yield func(drivers.Scan)) error {
	defer s.dev.Close()
	stamped := func(scan drivers.Scan) {
		scan.At = time.Now()
		yield(scan)
	}
	p := make([]byte, maxReport)
	var quiet time.Duration
	known, strange := false, 0 // a report was understood; how many were not before
	for ctx.Err() == nil {
		wait := s.wait(quiet)
		start := time.Now()
		n, err := s.dev.ReadReport(p, wait)
		quiet += min(time.Since(start), wait)
		switch {
		case err != nil && !errors.Is(err, drivers.ErrSilent):
			return err
		case err != nil || n == 0: // a report of no bytes says nothing either
			s.decoder.silence(quiet, stamped)
		case s.decoder.report(p[:n], quiet, stamped):
			quiet, known = 0, true
		default:
			if strange++; !known && strange == maxStrange {
				return fmt.Errorf("hidscan: %d reports of it came and none is understood, the last of %d bytes: %s", strange, n, s.decoder.advice())
			}
		}
	}
	return nil
}

// maxStrange is how many reports that are not understood are put up with until
// the first one that is: a scanner that types sends some thirty for a code. To
// look like one that works would leave everybody to wonder why nothing happens.
const maxStrange = 20

// wait is how long to wait for the next report.
func (s *Scanner) wait(quiet time.Duration) time.Duration {
	if limit := s.decoder.limit(); limit > quiet {
		return min(waitInCode, limit-quiet)
	}
	return longestWait
}
