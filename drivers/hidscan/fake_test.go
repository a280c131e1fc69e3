package hidscan

import (
	"context"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// A step is one report, or a failure, so long after the step before.
type step struct {
	after  time.Duration
	report []byte
	err    error
}

// fake is a HID device that sends what a script says. It runs in a synctest
// bubble, where waiting costs nothing.
type fake struct {
	steps    []step
	due      time.Time
	page     uint16
	vendor   uint16
	feature  [][]byte
	refuse   error // what SendFeature answers
	closed   int
	longWait time.Duration
}

func (f *fake) ReadReport(p []byte, d time.Duration) (int, error) {
	f.longWait = max(f.longWait, d)
	if f.closed > 0 {
		return 0, errors.New("read after Close")
	}
	if f.due.IsZero() {
		f.due = time.Now()
	}
	if len(f.steps) == 0 {
		time.Sleep(d)
		return 0, drivers.ErrSilent
	}
	s := f.steps[0]
	if left := time.Until(f.due.Add(s.after)); left > d {
		time.Sleep(d)
		return 0, drivers.ErrSilent
	} else if left > 0 {
		time.Sleep(left)
	}
	f.due = f.due.Add(s.after)
	f.steps = f.steps[1:]
	return copy(p, s.report), s.err
}

func (f *fake) WriteReport([]byte) error { return errors.New("no output report") }
func (f *fake) SendFeature(p []byte) error {
	f.feature = append(f.feature, p)
	return f.refuse
}
func (f *fake) GetFeature([]byte) (int, error) { return 0, errors.New("no feature report") }
func (f *fake) Close() error                   { f.closed++; return nil }
func (f *fake) UsagePage() uint16              { return f.page }
func (f *fake) Vendor() uint16                 { return f.vendor }

func options(t *testing.T, change func(*Config)) Config {
	t.Helper()
	c := *Driver.NewConfig().(*Config)
	if change != nil {
		change(&c)
	}
	return c
}

// play runs a scanner over a script until the device is unplugged, 2 s after
// the last step, and gives the scans without their times.
func play(t *testing.T, c Config, steps ...step) []drivers.Scan {
	t.Helper()
	var got []drivers.Scan
	synctest.Test(t, func(t *testing.T) {
		f := &fake{steps: append(steps, step{after: 2 * time.Second, err: drivers.ErrGone})}
		s, err := Open(f, c)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Scans(t.Context(), func(s drivers.Scan) {
			if s.At.IsZero() {
				t.Error("a scan has no time")
			}
			s.At = time.Time{}
			got = append(got, s)
		})
		if !errors.Is(err, drivers.ErrGone) {
			t.Errorf("Scans() = %v; want ErrGone", err)
		}
		if f.closed != 1 {
			t.Errorf("closed %d times; want once", f.closed)
		}
		if f.longWait > 250*time.Millisecond {
			t.Errorf("waited %v for one report; want at most 250ms", f.longWait)
		}
	})
	return got
}

// reports makes steps of hexadecimal reports, all so long apart.
func reports(t *testing.T, apart time.Duration, list ...string) []step {
	t.Helper()
	var steps []step
	for _, s := range list {
		raw, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step{after: apart, report: raw})
	}
	return steps
}

func same(t *testing.T, what string, got []drivers.Scan, want ...drivers.Scan) {
	t.Helper()
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: scans %+v; want %+v", what, got, want)
	}
}

func TestScansEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{page: pageScanner}
		s, err := Open(f, options(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Scans(ctx, func(drivers.Scan) {}); err != nil || f.closed != 1 {
			t.Errorf("Scans() = %v, closed %d times; want nil, once", err, f.closed)
		}
	})
}

func TestOpen(t *testing.T) {
	stall := errors.New("stall")
	for _, x := range []struct {
		what    string
		dev     fake
		change  func(*Config)
		ok      bool
		feature int
	}{
		{"keyboard in mode pos", fake{page: pageDesktop}, nil, false, 0},
		{"pos in mode keyboard", fake{page: pageScanner}, func(c *Config) { c.Mode = "keyboard" }, false, 0},
		{"page not known", fake{}, nil, true, 0},
		{"Honeywell is woken", fake{vendor: vendorHoneywell}, nil, true, 1},
		{"Honeywell that does not know how", fake{vendor: vendorHoneywell, refuse: stall}, nil, true, 1},
		{"Honeywell that is gone", fake{vendor: vendorHoneywell, refuse: drivers.ErrGone}, nil, false, 1},
		{"Zebra is not", fake{vendor: 0x05E0}, nil, true, 0},
		{"Zebra by order", fake{vendor: 0x05E0}, func(c *Config) { c.Enable = "on" }, true, 1},
		{"order refused", fake{refuse: stall}, func(c *Config) { c.Enable = "on" }, false, 1},
		{"Honeywell against order", fake{vendor: vendorHoneywell}, func(c *Config) { c.Enable = "off" }, true, 0},
		{"a keyboard is never written to", fake{vendor: vendorHoneywell}, func(c *Config) { c.Mode = "keyboard" }, true, 0},
	} {
		_, err := Open(&x.dev, options(t, x.change))
		if (err == nil) != x.ok || len(x.dev.feature) != x.feature {
			t.Errorf("%s: Open() = %v and %d feature reports; want ok %v and %d", x.what, err, len(x.dev.feature), x.ok, x.feature)
		}
		if x.feature > 0 && len(x.dev.feature) > 0 && hex.EncodeToString(x.dev.feature[0]) != "fe01" {
			t.Errorf("%s: feature report % x; want fe 01", x.what, x.dev.feature[0])
		}
	}
}

func TestCheck(t *testing.T) {
	if err := options(t, nil).Check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for key, change := range map[string]func(*Config){
		"mode":    func(c *Config) { c.Mode = "keybord" },
		"layout":  func(c *Config) { c.Layout = "dvorak" },
		"unended": func(c *Config) { c.Unended = "" },
		"form":    func(c *Config) { c.Form = "2" },
		"enable":  func(c *Config) { c.Enable = "yes" },
		"idle":    func(c *Config) { c.Idle = drivers.Duration(time.Second) },
	} {
		if err := options(t, change).Check(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("Check() of a wrong %s = %v", key, err)
		}
	}
	if err := options(t, func(c *Config) { c.Idle = 0 }).Check(); err == nil {
		t.Error("Check() takes an idle of 0")
	}
	take := options(t, func(c *Config) { c.Mode, c.Force = "keyboard", true }).Take()
	if !take.Keyboard || !take.Force || options(t, nil).Take().Keyboard {
		t.Errorf("Take() = %+v", take)
	}
}
