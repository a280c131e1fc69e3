package hidscan

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

const ms = time.Millisecond

func keyboardMode(c *Config) { c.Mode = "keyboard" }
func deliverMode(c *Config)  { c.Mode, c.Unended = "keyboard", "deliver" }

// typing makes steps of text typed on a US keyboard, \n is Enter.
func typing(t *testing.T, apart time.Duration, text string) []step {
	t.Helper()
	var steps []step
	for _, r := range text {
		keys := press(layouts["us"], r)
		switch r {
		case '\n':
			keys = strike(0, usageEnter)
		case '\t':
			keys = strike(0, usageTab)
		}
		if keys == nil {
			t.Fatalf("%q can't be typed", r)
		}
		for _, k := range keys {
			steps = append(steps, step{after: apart, report: k})
		}
	}
	return steps
}

func TestWedge(t *testing.T) {
	const item = "33191000105864"
	pause := func(d time.Duration) []step { return []step{{after: d}} } // a report of no bytes
	join := func(parts ...[]step) (all []step) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	var empty []step // a report of no bytes at each moment that something could end
	for range 12 {
		empty = append(empty, pause(50*ms)...)
	}
	long := strings.Repeat("0123456789", 30)
	for _, x := range []struct {
		what   string
		change func(*Config)
		steps  []step
		want   []drivers.Scan
	}{
		{"Enter", nil, typing(t, 2*ms, item+"\n"), []drivers.Scan{{Text: item}}},
		{"Tab", nil, typing(t, 2*ms, item+"\t"), []drivers.Scan{{Text: item}}},
		{"keypad Enter", nil, join(typing(t, 2*ms, "12"), reports(t, ms, "00 00 58 00 00 00 00 00")), []drivers.Scan{{Text: "12"}}},
		{"CR and LF as Ctrl+M, Ctrl+J", nil, join(typing(t, ms, "12"),
			reports(t, ms, "01 00 10 00 00 00 00 00", "01 00 0D 00 00 00 00 00")), []drivers.Scan{{Text: "12"}}},
		{"AIM identifier", nil, typing(t, 2*ms, "]F0"+item+"\n"), []drivers.Scan{{Text: item, AIM: "]F0"}}},
		{"prefix and AIM identifier", func(c *Config) { c.Prefix = "~" }, typing(t, 2*ms, "~]C1A-1\n"), []drivers.Scan{{Text: "A-1", AIM: "]C1"}}},
		{"two codes", nil, typing(t, 2*ms, "12\n34\n"), []drivers.Scan{{Text: "12"}, {Text: "34"}}},
		{"two codes in two reports", nil, reports(t, ms, "0000 1E 1F 28 20 21 2B", "0000000000000000"), []drivers.Scan{{Text: "12"}, {Text: "34"}}},
		{"Enter alone", nil, typing(t, 2*ms, "\n\n\t"), nil},
		{"AIM identifier alone", nil, typing(t, 2*ms, "]F0\n"), nil},
		{"a slow scanner, 20 ms a report", nil, typing(t, 20*ms, item+"\n"), []drivers.Scan{{Text: item}}},
		{"a fast person, 40 ms a report", nil, typing(t, 40*ms, item+"\n"), nil},
		{"a person who is heard", func(c *Config) { c.Slow = 0 }, typing(t, 90*ms, "12\n"), []drivers.Scan{{Text: "12"}}},
		{"a person, then a scanner", nil, join(typing(t, 90*ms, "987654\n"), typing(t, 2*ms, "12\n")), []drivers.Scan{{Text: "12"}}},
		{"one long gap in a fast code", nil, join(typing(t, ms, "1234567"), pause(200*ms), typing(t, ms, "89\n")), []drivers.Scan{{Text: "123456789"}}},
		{"no end", nil, typing(t, 2*ms, item), nil},
		{"no end, then a code 600 ms later", nil, join(typing(t, 2*ms, "12"), pause(600*ms), typing(t, ms, "34\n")), []drivers.Scan{{Text: "34"}}},
		{"no end, with reports of no bytes for 600 ms", nil,
			join(typing(t, 2*ms, "12"), pause(200*ms), pause(200*ms), pause(200*ms), typing(t, ms, "34\n")), []drivers.Scan{{Text: "34"}}},
		{"no end, with reports of no bytes all the time", nil, join(typing(t, 2*ms, "12"), empty, typing(t, ms, "34\n")), []drivers.Scan{{Text: "34"}}},
		{"reports of no bytes between all", nil, withEmpty(typing(t, 2*ms, item+"\n")), []drivers.Scan{{Text: item}}},
		{"over-long", nil, typing(t, ms, long+"\n12\n"), []drivers.Scan{{Text: long[:drivers.MaxText], Long: true}, {Text: "12"}}},
		{"over-long with AIM identifier", nil, typing(t, ms, "]Q1"+long+"\n"), []drivers.Scan{{Text: long[:drivers.MaxText], AIM: "]Q1", Long: true}}},
		{"as long as may be", nil, typing(t, ms, "]Q1"+long[:drivers.MaxText]+"\n"), []drivers.Scan{{Text: long[:drivers.MaxText], AIM: "]Q1"}}},

		{"delivered after silence", deliverMode, typing(t, 2*ms, item), []drivers.Scan{{Text: item}}},
		{"delivered, and the next 150 ms later", deliverMode, join(typing(t, 2*ms, "12"), pause(150*ms), typing(t, ms, "34")), []drivers.Scan{{Text: "12"}, {Text: "34"}}},
		{"delivered without a last release", deliverMode, reports(t, ms, "00001E0000000000", "00001F0000000000"), []drivers.Scan{{Text: "12"}}},
		{"delivered by its end", deliverMode, typing(t, 2*ms, "12\n"), []drivers.Scan{{Text: "12"}}},
		{"one key is no code", deliverMode, typing(t, 2*ms, "1"), nil},
		{"a person is not delivered", deliverMode, typing(t, 60*ms, item), nil},
		{"a dead key at the end", func(c *Config) { c.Layout, c.Unended = "de", "deliver" },
			reports(t, ms, "00001E0000000000", "0000350000000000"), []drivers.Scan{{Text: "1^"}}},
		{"a dead key alone is dropped", func(c *Config) { c.Layout = "de" },
			join(reports(t, ms, "0000350000000000", "0000000000000000"), pause(600*ms), reports(t, ms, "0000040000000000", "0000280000000000")),
			[]drivers.Scan{{Text: "a"}}},
	} {
		c := options(t, func(c *Config) {
			keyboardMode(c)
			if x.change != nil {
				x.change(c)
			}
		})
		same(t, x.what, play(t, c, x.steps...), x.want...)
	}
}

// withEmpty puts a report of no bytes after each, as the kernel's own USB
// gadget does.
func withEmpty(steps []step) (all []step) {
	for _, s := range steps {
		all = append(all, s, step{})
	}
	return all
}

// A yield that takes long makes the reader late, not the scanner slow.
func TestBusyReaderLosesNothing(t *testing.T) {
	w := newWedge(options(t, keyboardMode))
	var got []string
	for _, s := range typing(t, 2*ms, "33191000105864\n") {
		w.report(s.report, 0, func(s drivers.Scan) { got = append(got, s.Text) }) // read a second late, but waited for: not at all
	}
	if len(got) != 1 || got[0] != "33191000105864" {
		t.Errorf("scans %q", got)
	}
}

// sleepy is a device on a machine that stands still now and then: a read comes
// back late, with a report that was there long before.
type sleepy struct {
	*fake
	every int // reads
	reads int
}

func (s *sleepy) ReadReport(p []byte, d time.Duration) (int, error) {
	if s.reads++; s.reads%s.every == 0 {
		time.Sleep(700 * ms)
	}
	return s.fake.ReadReport(p, d)
}

// TestBusyMachine: the machine's own sleep within a code is not the device's
// silence, which would break the code off, nor a person's slow hand.
func TestBusyMachine(t *testing.T) {
	for every := 2; every < 8; every++ {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{page: pageDesktop, steps: append(typing(t, 8*ms, "30000000000017\n"), step{err: drivers.ErrGone})}
			s, err := Open(&sleepy{fake: f, every: every}, options(t, keyboardMode))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if err := s.Scans(t.Context(), func(s drivers.Scan) { got = append(got, s.Text) }); !errors.Is(err, drivers.ErrGone) {
				t.Errorf("Scans() = %v", err)
			}
			if len(got) != 1 || got[0] != "30000000000017" {
				t.Errorf("asleep at each read number %d: read %q; want the code", every, got)
			}
		})
	}
}
