package link

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/karalabe/hid"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Report descriptors. keyboardDescriptor is that of HID 1.11, appendix B.1 and
// E.6 as far as its first items; scannerDescriptor begins as the HID POS Usage
// Tables, section 5.
var (
	keyboardDescriptor = "\x05\x01\x09\x06\xA1\x01\x05\x07\x19\xE0\x29\xE7\x15\x00\x25\x01\x75\x01\x95\x08\x81\x02\xC0"
	scannerDescriptor  = "\x05\x8C\x09\x02\xA1\x01\x09\x12\xA1\x02\x85\x02\x15\x00\x26\xFF\x00\x75\x08\x95\x01\x81\x02\xC0\xC0"
	mouseDescriptor    = "\x05\x01\x09\x02\xA1\x01\x09\x01\xA1\x00\x05\x09\xC0\xC0"
	keypadDescriptor   = "\x05\x01\x09\x07\xA1\x01\x05\x07\xC0"
	consumerAndKeys    = "\x05\x0C\x09\x01\xA1\x01\x85\x01\xC0" + "\x05\x01\x09\x06\xA1\x01\x85\x02\xC0"
)

// iface is one interface of a fake sysfs.
type iface struct {
	device, number   string // "1-1.2", and bInterfaceNumber, hexadecimal
	vid, pid, serial string
	class, protocol  string
	descriptor       string // empty: no driver has it
	maker, product   string
}

// sysfs lays out a tree as the kernel does, links and all, and gives its
// folder of USB devices.
func sysfs(t *testing.T, list ...iface) string {
	t.Helper()
	root := t.TempDir()
	bus := filepath.Join(root, "bus/usb/devices")
	put := func(dir, name, value string) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if value == "" {
			return
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(dir string) {
		t.Helper()
		if err := os.MkdirAll(bus, 0o755); err != nil {
			t.Fatal(err)
		}
		to, _ := filepath.Rel(bus, dir)
		if err := os.Symlink(to, filepath.Join(bus, filepath.Base(dir))); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
	for i, f := range list {
		dev := filepath.Join(root, "devices/platform/usb1/1-1", f.device)
		for name, value := range map[string]string{"idVendor": f.vid, "idProduct": f.pid, "serial": f.serial,
			"manufacturer": f.maker, "product": f.product, "busnum": "1", "devnum": "4", "bDeviceClass": "00"} {
			put(dev, name, value+"\n")
		}
		link(dev)
		n, err := strconv.ParseUint(f.number, 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		in := filepath.Join(dev, fmt.Sprintf("%s:1.%d", f.device, n))
		put(in, "bInterfaceClass", f.class+"\n")
		put(in, "bInterfaceNumber", f.number+"\n")
		put(in, "bInterfaceProtocol", f.protocol+"\n")
		put(filepath.Join(in, "ep_81"), "type", "Interrupt\n")
		if f.descriptor != "" {
			put(filepath.Join(in, fmt.Sprintf("0003:%s:%s.%04d", strings.ToUpper(f.vid), strings.ToUpper(f.pid), i)), "report_descriptor", f.descriptor)
		}
		link(in)
	}
	return bus
}

func listed(t *testing.T, list ...iface) []HIDDevice {
	t.Helper()
	got, err := listHID(os.DirFS(sysfs(t, list...)))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestListHID(t *testing.T) {
	got := listed(t,
		iface{device: "1-1.2", number: "00", vid: "0c2e", pid: "0b61", serial: "S1", class: "03", protocol: "01", descriptor: keyboardDescriptor, maker: "Honeywell", product: "3310g"},
		iface{device: "1-1.3", number: "00", vid: "1eab", pid: "1310", class: "03", protocol: "00", descriptor: scannerDescriptor},
		iface{device: "1-1.4", number: "00", vid: "046d", pid: "c31c", class: "03", protocol: "01", descriptor: keyboardDescriptor},
		iface{device: "1-1.4", number: "01", vid: "046d", pid: "c31c", class: "03", protocol: "00", descriptor: consumerAndKeys},
		iface{device: "1-1.5", number: "00", vid: "0403", pid: "6001", class: "ff", protocol: "ff"},
		iface{device: "1-1.6", number: "0a", vid: "05e0", pid: "1200", class: "03", protocol: "00"},
		iface{device: "1-1.7", number: "00", vid: "05e0", pid: "1200", class: "03", protocol: "01"},
		iface{device: "1-1.9", number: "00", vid: "1a2c", pid: "0001", class: "03", protocol: "00", descriptor: keypadDescriptor},
		iface{device: "1-1.8", number: "00", vid: "zz", pid: "1200", class: "03", protocol: "01"},
	)
	want := []HIDDevice{
		{Path: "1-1.2:1.0", VID: 0x0C2E, PID: 0x0B61, Serial: "S1", Maker: "Honeywell", Product: "3310g", UsagePage: 1, Usage: 6, Keyboard: true, known: true},
		{Path: "1-1.3:1.0", VID: 0x1EAB, PID: 0x1310, UsagePage: 0x8C, Usage: 2, known: true},
		{Path: "1-1.4:1.0", VID: 0x046D, PID: 0xC31C, UsagePage: 1, Usage: 6, Keyboard: true, known: true},
		{Path: "1-1.4:1.1", VID: 0x046D, PID: 0xC31C, Interface: 1, UsagePage: 0x0C, Usage: 1, Keyboard: true, known: true},
		{Path: "1-1.6:1.10", VID: 0x05E0, PID: 0x1200, Interface: 10},
		{Path: "1-1.7:1.0", VID: 0x05E0, PID: 0x1200, Keyboard: true, known: true},
		{Path: "1-1.9:1.0", VID: 0x1A2C, PID: 0x0001, UsagePage: 1, Usage: 7, Keyboard: true, known: true},
	}
	if len(got) != len(want) {
		t.Fatalf("listHID() = %+v; want %d devices", got, len(want))
	}
	for i := range want {
		want[i].node = "/dev/bus/usb/001/004"
		if got[i] != want[i] {
			t.Errorf("device %d = %+v; want %+v", i, got[i], want[i])
		}
	}
	if none, err := listHID(os.DirFS(filepath.Join(t.TempDir(), "none"))); len(none) > 0 || err != nil {
		t.Errorf("listHID() without USB = %v, %v; want nothing", none, err)
	}
}

func TestChoose(t *testing.T) {
	all := listed(t,
		iface{device: "1-1.1", number: "00", vid: "0c2e", pid: "0b61", serial: "S1", class: "03", protocol: "01", descriptor: keyboardDescriptor},
		iface{device: "1-1.2", number: "00", vid: "0c2e", pid: "0b61", serial: "S2", class: "03", protocol: "01", descriptor: keyboardDescriptor},
		iface{device: "1-1.3", number: "00", vid: "1eab", pid: "1310", class: "03", protocol: "01", descriptor: keyboardDescriptor},
		iface{device: "1-1.3", number: "01", vid: "1eab", pid: "1310", class: "03", protocol: "00", descriptor: scannerDescriptor},
		iface{device: "1-1.4", number: "00", vid: "046d", pid: "c31c", class: "03", protocol: "01", descriptor: keyboardDescriptor},
		iface{device: "1-1.5", number: "00", vid: "1a2c", pid: "0e24", class: "03", protocol: "01", descriptor: keyboardDescriptor},
		iface{device: "1-1.5", number: "01", vid: "1a2c", pid: "0e24", class: "03", protocol: "00", descriptor: consumerAndKeys},
		iface{device: "1-1.6", number: "00", vid: "1a2c", pid: "8888", class: "03", protocol: "00", descriptor: scannerDescriptor},
		iface{device: "1-1.7", number: "00", vid: "1a2c", pid: "9999", class: "03", protocol: "00"},
		iface{device: "1-1.9", number: "00", vid: "0536", pid: "0001", class: "03", protocol: "00", descriptor: mouseDescriptor},
		iface{device: "1-1.9", number: "01", vid: "0536", pid: "0001", class: "03", protocol: "00", descriptor: scannerDescriptor},
		iface{device: "1-1.8", number: "00", vid: "046d", pid: "c077", class: "03", protocol: "02", descriptor: mouseDescriptor},
	)
	pos, keys, force := Take{}, Take{Keyboard: true}, Take{Keyboard: true, Force: true}
	for _, x := range []struct {
		what string
		c    Config
		t    Take
		want string // path, or part of the error
	}{
		{"scanner that types", Config{VID: 0x0C2E, PID: 0x0B61, Serial: "S2", Interface: -1}, keys, "1-1.2:1.0"},
		{"the same without leave", Config{VID: 0x0C2E, PID: 0x0B61, Serial: "S2", Interface: -1}, pos, `set mode = "keyboard"`},
		{"force is no leave", Config{VID: 0x0C2E, PID: 0x0B61, Serial: "S2", Interface: -1}, Take{Force: true}, `set mode = "keyboard"`},
		{"two alike", Config{VID: 0x0C2E, PID: 0x0B61, Interface: -1}, keys, "say which"},
		{"no such serial", Config{VID: 0x0C2E, PID: 0x0B61, Serial: "S3", Interface: -1}, keys, "not there"},
		{"the interface that is POS", Config{VID: 0x1EAB, PID: 0x1310, Interface: -1}, pos, "1-1.3:1.1"},
		{"POS before anything else", Config{VID: 0x0536, PID: 0x0001, Interface: -1}, pos, "1-1.9:1.1"},
		{"the interface that types", Config{VID: 0x1EAB, PID: 0x1310, Interface: -1}, keys, "1-1.3:1.0"},
		{"the wrong interface", Config{VID: 0x1EAB, PID: 0x1310, Interface: 0}, pos, `set mode = "keyboard"`},
		{"no such interface", Config{VID: 0x1EAB, PID: 0x1310, Interface: 5}, pos, "not there"},
		{"an ordinary keyboard", Config{VID: 0x046D, PID: 0xC31C, Interface: -1}, keys, "ordinary keyboards and is not taken"},
		{"an ordinary keyboard by force", Config{VID: 0x046D, PID: 0xC31C, Interface: -1}, force, "ordinary keyboards and is not taken"},
		{"an unknown keyboard", Config{VID: 0x1A2C, PID: 0x0E24, Interface: 0}, keys, "set force = true"},
		{"an unknown keyboard as POS", Config{VID: 0x1A2C, PID: 0x0E24, Interface: 1}, pos, `set mode = "keyboard"`},
		{"an unknown keyboard by force", Config{VID: 0x1A2C, PID: 0x0E24, Interface: 0}, force, "1-1.5:1.0"},
		{"POS of any maker", Config{VID: 0x1A2C, PID: 0x8888, Interface: -1}, pos, "1-1.6:1.0"},
		{"of unknown kind, after a crash", Config{VID: 0x1A2C, PID: 0x9999, Interface: -1}, pos, "1-1.7:1.0"},
		{"of unknown kind, as keyboard", Config{VID: 0x1A2C, PID: 0x9999, Interface: -1}, keys, "set force = true"},
		{"not plugged in", Config{VID: 0x1234, PID: 0x5678, Interface: -1}, force, "1234:5678 is not there"},
	} {
		d, err := choose(all, x.c, x.t)
		ok := err == nil && d.Path == x.want
		if err != nil && !strings.HasPrefix(x.want, "1-") {
			ok = strings.Contains(err.Error(), x.want)
		}
		if !ok {
			t.Errorf("%s: choose() = %q, %v; want %q", x.what, d.Path, err, x.want)
		}
	}
	for _, d := range all { // whatever is asked for, a keyboard needs leave
		for _, by := range []Take{{}, {Force: true}} {
			if err := by.allows(d); d.Keyboard && err == nil {
				t.Errorf("%+v allows %s", by, d.Path)
			}
		}
	}
}

func TestVendorsAreEither(t *testing.T) {
	for _, v := range scannerVendors {
		for _, k := range keyboardVendors {
			if v == k {
				t.Errorf("vendor %04x makes both", v)
			}
		}
	}
}

func TestOpenReports(t *testing.T) {
	_, err := OpenReports(t.Context(), Config{VID: 0xFFFE, PID: 0xFFFE, Interface: -1}, nil)
	if !HIDSupported() {
		if !errors.Is(err, ErrNoHID) {
			t.Errorf("OpenReports() without cgo = %v; want ErrNoHID", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), "not there") {
		t.Errorf("OpenReports() of no device = %v", err)
	}
	if _, err := OpenReports(t.Context(), Config{PID: 1, Interface: -1}, nil); err == nil || !strings.HasPrefix(err.Error(), "vid, pid") {
		t.Errorf("OpenReports() of any vendor = %v; want it refused", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenReports(ended, Config{VID: 1, PID: 1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenReports() after the end = %v", err)
	}
}

// device is what hidapi gives, by its rules: a time-out is no bytes and no
// error, and so is a report of no bytes.
type device struct {
	hid.Device
	reports [][]byte
	gone    bool
	waits   []int
	closed  bool
}

func (d *device) ReadTimeout(p []byte, ms int) (int, error) {
	d.waits = append(d.waits, ms)
	if len(d.reports) > 0 {
		n := copy(p, d.reports[0])
		d.reports = d.reports[1:]
		return n, nil
	}
	if d.gone {
		return -1, errors.New("hidapi: hid_error is not implemented yet")
	}
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return 0, nil
}

func (d *device) SendFeatureReport(p []byte) (int, error) {
	if d.gone {
		return 0, errors.New("hidapi: unknown failure")
	}
	return len(p), nil
}

func (d *device) GetFeatureReport(p []byte) (int, error) {
	if d.gone {
		return 0, errors.New("hidapi: unknown failure")
	}
	return copy(p[1:], "feature") + 1, nil
}
func (d *device) Close() error { d.closed = true; return nil }

func TestReadReport(t *testing.T) { synctest.Test(t, testReadReport) }

func testReadReport(t *testing.T) {
	dev := &device{reports: [][]byte{{2, 1, 'A'}, {}, {2, 1, 'B'}}}
	r := &hidReports{dev: dev, info: HIDDevice{Path: "99-9:1.0", VID: 7, UsagePage: 0x8C}, calls: calls{close: dev.Close}}
	p := make([]byte, 64)
	for i, want := range []int{3, 0, 3} {
		if n, err := r.ReadReport(p, 200*time.Millisecond); n != want || err != nil {
			t.Errorf("report %d: ReadReport() = %d, %v; want %d", i, n, err, want)
		}
	}
	if n, err := r.ReadReport(p, 3*time.Millisecond); n != 0 || !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("ReadReport() of a quiet device = %d, %v; want ErrSilent", n, err)
	}
	if _, err := r.ReadReport(p, 100*time.Microsecond); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("ReadReport() of a short wait = %v; want ErrSilent", err)
	}
	if r.ReadReport(p, time.Hour); dev.waits[len(dev.waits)-1] != 250 || dev.waits[len(dev.waits)-2] != 1 {
		t.Errorf("waits %v ms; want the last 1 and 250", dev.waits)
	}
	if err := r.SendFeature([]byte{1}); err != nil {
		t.Error(err)
	}
	if n, err := r.GetFeature(p); n != 8 || err != nil {
		t.Errorf("GetFeature() = %d, %v; want 8 bytes", n, err)
	}
	dev.gone = true
	for what, err := range map[string]error{"ReadReport": second(r.ReadReport(p, time.Millisecond)), "SendFeature": r.SendFeature([]byte{1}), "GetFeature": second(r.GetFeature(p))} {
		if !errors.Is(err, drivers.ErrGone) || strings.Contains(err.Error(), "hidapi") {
			t.Errorf("%s() of an unplugged device = %v; want ErrGone in our words", what, err)
		}
	}
	if r.Close(); !dev.closed || r.UsagePage() != 0x8C || r.Vendor() != 7 {
		t.Errorf("closed %v, page %x, vendor %x", dev.closed, r.UsagePage(), r.Vendor())
	}
}

func second(_ int, err error) error { return err }

func TestApplications(t *testing.T) {
	for raw, want := range map[string]string{
		"":                                 "[]",
		keyboardDescriptor:                 "[{1 6}]",
		scannerDescriptor:                  "[{140 2}]",
		consumerAndKeys:                    "[{12 1} {1 6}]",
		"\x06\x00\xFF\x09\x01\xA1\x01":     "[{65280 1}]",
		"\x0B\x06\x00\x01\x00\xA1\x01":     "[{1 6}]",       // usage with its page, 4 bytes
		"\xC0\xC0\x05\x01\x09\x06\xA1\x01": "[{1 6}]",       // ends that nothing began hide nothing
		"\xFE\x02\x10\xA1\x01\x05\x01\xA1": "[]",            // a long item is passed over; the last is cut off
		"\x05\x01\x09\x06\x81\x02\xA1\x01": "[{1 0}]",       // a usage holds for one main item
		"\x05\x01\x09\x06\xA1\x01\xC0\x06": "[{1 6}]",       // cut off
		"\xFE\xFF\x10\x05\x01\x09\x06\xA1": "[]",            // a long item that is cut off
		"\x07\x8C\x00\x00\x00\x09\x02\xA0": "[{140 2}]",     // page in 4 bytes, collection without data
		"\x05\x01\x09\x07\xA1\x01\xA1\x01": "[{1 7}]",       // only the outermost
		strings.Repeat("\xA1\x01\xC0", 2):  "[{0 0} {0 0}]", // usage never said
	} {
		if got := fmt.Sprint(applications([]byte(raw))); got != want {
			t.Errorf("applications(% x) = %s; want %s", raw, got, want)
		}
	}
}

func FuzzApplications(f *testing.F) {
	for _, s := range []string{keyboardDescriptor, scannerDescriptor, mouseDescriptor, consumerAndKeys, "\xFE\x02\x10\xA1\x01"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := applications(raw)
		if len(got) > len(raw) {
			t.Errorf("%d collections in %d bytes", len(got), len(raw))
		}
		// Whatever comes after its end, a keyboard stays one.
		after := applications(append([]byte(keyboardDescriptor), raw...))
		if len(after) != len(got)+1 || after[0] != keyboardUsage {
			if len(got) > 0 && got[0].page == 0 { // takes the page of the one before
				return
			}
			t.Errorf("after a keyboard: %v; alone: %v", after, got)
		}
	})
}
