// Package drivers says what a device of a kiosk can do: a Scanner gives
// scans, a Pad reads and writes tags. A family of devices is a folder below,
// one Driver each; package all lists them. Drivers know bytes and no loans.
//
// A driver is opened over a Link (a byte stream: serial, TCP, a pty), over
// Reports (HID) or over a Bus (SPI, I2C); package link opens those by what the
// configuration says.
// Keep holds a device open for ever and reports its absence as a state.
package drivers

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrSilent is returned where a device says nothing within its deadline.
// A quiet scanner is not silent in this sense: nobody has scanned.
var ErrSilent = errors.New("device is silent")

// ErrGone is returned by a Link or Reports whose device was unplugged.
var ErrGone = errors.New("device is gone")

// ErrHung is returned by a Link or Reports from whose device a call has not come
// back. That call is left behind, and none is made after it.
var ErrHung = errors.New("device hangs: it takes and gives nothing, and what was asked of it does not come back; it is tried again, and if that does not help: unplug it and plug it in anew")

// MaxText is the longest code a scanner passes on, in bytes; what is longer
// is cut there and marked Long. Labels have 5 to 20, a QR code up to 2,953.
const MaxText = 256

// Scan is one code as a scanner read it, before anybody has decided what it
// means.
type Scan struct {
	Text string    // the code, without prefix, suffix and AIM identifier; any bytes but the terminator
	AIM  string    // AIM symbology identifier as "]F0", or empty if the scanner told none
	Long bool      // the code was longer than MaxText; Text is its beginning
	At   time.Time // when its last byte came
}

// Scanner gives scans.
type Scanner interface {
	// Scans calls yield for each code until ctx ends (nil) or the device
	// fails (an error, ErrGone when it was unplugged). yield must not block
	// for long. Scans closes the device before it returns.
	Scans(ctx context.Context, yield func(Scan)) error
}

// Link is a byte stream to a device. Read waits at most the time set by
// Patience and returns ErrSilent when nothing came, ErrGone (wrapped) when
// the device is no longer there. One goroutine owns a Link.
type Link interface {
	io.ReadWriteCloser
	// Patience sets how long a Read waits for the first byte.
	Patience(d time.Duration) error
}

// Networked is a Link to a device with a network of its own, for which pauses
// between bytes mean nothing.
type Networked interface {
	Link
	Networked()
}

// Paced is a Link by whose lines the device says whether it takes more bytes.
type Paced interface {
	Link
	// Clear waits until what was written has left, and tells whether the lines
	// CTS and DSR are up. A port without them is an error.
	Clear() (cts, dsr bool, err error)
}

// Patient is a Link whose device may stop taking bytes for a while, as a
// printer that is busy.
type Patient interface {
	Link
	// Busy sets how long a Write waits for it; ErrSilent follows.
	Busy(d time.Duration)
}

// Reports is a HID device: whole reports instead of a stream. One goroutine
// owns it: it alone reads and closes.
type Reports interface {
	// ReadReport reads one input report with its report ID as the device
	// sends it, waiting at most d (250 ms or less): ErrSilent when none came.
	// A report of zero length is not an end; it is skipped by the caller.
	ReadReport(p []byte, d time.Duration) (int, error)
	WriteReport(p []byte) error
	SendFeature(p []byte) error
	// GetFeature reads the feature report whose ID is p[0] into p, ID first.
	GetFeature(p []byte) (int, error)
	Close() error
	// UsagePage is the HID usage page of the interface (0x01 keyboard, 0x8C
	// barcode scanner), 0 if it can't be known.
	UsagePage() uint16
}
