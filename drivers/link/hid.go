package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/karalabe/hid"

	"github.com/carrel-kiosk/carrel/drivers"
)

// HIDSupported reports whether this build can open HID devices: it must be
// made with cgo. Listing them works in every build.
func HIDSupported() bool { return hid.Supported() }

// ErrNoHID is what OpenReports says in a build without cgo.
var ErrNoHID = errors.New("HID devices need the build with cgo; a scanner in USB serial mode works with this one")

// Take is what a driver may take of HID devices.
//
// To open a HID interface is to take it from the kernel (libusb detaches its
// driver, and claims it for this process alone), so opening a real keyboard
// would leave the machine without one. Therefore a keyboard is taken only
// with Keyboard set, and only if its vendor is one of scanners or card
// readers; with Force set also if the vendor is unknown, but never if it is
// one of ordinary keyboards. An interface is a keyboard if its boot protocol
// or its report descriptor says so. That it has lights says nothing: scanners
// claim to have them too. Where no driver shows the descriptor, nobody types
// on the interface any more, as after a crash of this program.
type Take struct {
	Keyboard bool // the interface may be a keyboard
	Force    bool // of any vendor but those of ordinary keyboards
}

// A Taker is the options of a driver that say what it may take. A driver
// whose options do not say takes no keyboard.
type Taker interface{ Take() Take }

// OpenReports opens the one HID interface that c names by vendor, product and
// perhaps serial number and interface, and holds it alone. options are those
// of the driver; see Taker.
func OpenReports(ctx context.Context, c Config, options any) (drivers.Reports, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !HIDSupported() {
		return nil, ErrNoHID
	}
	if err := c.Check(drivers.NeedsReports); err != nil {
		return nil, err
	}
	all, err := HIDDevices()
	if err != nil {
		return nil, err
	}
	var t Take
	if o, ok := options.(Taker); ok {
		t = o.Take()
	}
	d, err := choose(all, c, t)
	if err != nil {
		return nil, err
	}
	// hidapi's name of an interface is the kernel's. Its own list is not
	// used: it lacks usage pages, and all strings where iconv has no tables.
	return opening(ctx, d.node, openTime, func() (drivers.Reports, error) {
		dev, err := hid.DeviceInfo{Path: d.Path}.Open()
		if err != nil {
			return nil, explainHID(d)
		}
		return &hidReports{dev: dev, info: d, calls: calls{name: d.node, close: dev.Close}}, nil
	})
}

// explainHID says why a device that is there did not open; hidapi does not.
func explainHID(d HIDDevice) error {
	f, err := os.OpenFile(d.node, os.O_RDWR, 0)
	switch {
	case err == nil:
		f.Close()
		return fmt.Errorf("HID device %s is in use by another program", d.Path)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("HID device %s: this user may not open %s: add a udev rule for %04x:%04x", d.Path, d.node, d.VID, d.PID)
	}
	return fmt.Errorf("HID device %s: %w", d.Path, err)
}

// hidReports is an open HID interface. hidapi frees what a read in another
// goroutine still uses, so one goroutine reads and closes.
type hidReports struct {
	dev   hid.Device
	info  HIDDevice
	calls calls
}

var _ drivers.Reports = (*hidReports)(nil)

// longestWait bounds one read: nothing but its time-out ends it.
const longestWait = 250 * time.Millisecond

// ReadReport implements drivers.Reports. hidapi gives no bytes and no error
// both for a time-out and for a report of no bytes; which, the clock tells.
func (r *hidReports) ReadReport(p []byte, d time.Duration) (int, error) {
	d = max(time.Millisecond, min(d, longestWait))
	start := time.Now()
	n, err := r.calls.read(d, p, func(to []byte) (int, error) {
		return r.dev.ReadTimeout(to, int((d+time.Millisecond-1)/time.Millisecond))
	})
	switch {
	case errors.Is(err, drivers.ErrHung):
		return 0, err
	case err != nil: // hidapi's only error of a read: the device is not there
		return 0, fmt.Errorf("HID device %s: %w", r.info.Path, drivers.ErrGone)
	case n == 0 && time.Since(start) >= d*9/10: // its clock is not ours
		return 0, drivers.ErrSilent
	}
	return n, nil
}

func (r *hidReports) WriteReport(p []byte) error { return r.send(r.dev.Write, p) }

func (r *hidReports) SendFeature(p []byte) error { return r.send(r.dev.SendFeatureReport, p) }

// GetFeature implements drivers.Reports.
func (r *hidReports) GetFeature(p []byte) (int, error) {
	to := bytes.Clone(p)
	n, err := r.calls.do(usbTime, func() (int, error) { return r.dev.GetFeatureReport(to) })
	return copy(p, to[:max(n, 0)]), r.sent(err)
}

// usbTime is libusb's own deadline as hidapi sets it for a report that is sent.
const usbTime = time.Second

func (r *hidReports) send(by func([]byte) (int, error), p []byte) error {
	p = bytes.Clone(p)
	_, err := r.calls.do(usbTime, func() (int, error) { return by(p) })
	return r.sent(err)
}

// sent tells a refused report from one to a device that is not there.
func (r *hidReports) sent(err error) error {
	if err == nil || errors.Is(err, drivers.ErrHung) {
		return err
	}
	if _, gone := os.Stat(filepath.Join(sysUSB, r.info.Path)); errors.Is(gone, os.ErrNotExist) {
		return fmt.Errorf("HID device %s: %w", r.info.Path, drivers.ErrGone)
	}
	return fmt.Errorf("HID device %s refuses the report", r.info.Path)
}

func (r *hidReports) Close() error      { return r.calls.shut() }
func (r *hidReports) UsagePage() uint16 { return r.info.UsagePage }

// Vendor is the USB vendor, for drivers that treat some makers differently.
func (r *hidReports) Vendor() uint16 { return r.info.VID }
