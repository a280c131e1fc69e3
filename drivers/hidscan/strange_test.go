package hidscan

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// TestStrangeReports: a device whose reports are never understood, as of a
// keyboard that sends bitmaps of all its keys, fails and says what to do; one
// that was understood once may send what it likes.
func TestStrangeReports(t *testing.T) {
	bitmap := strings.Repeat("00", 15) + "40"
	many := func(n int, report string) []step {
		return reports(t, time.Millisecond, slices.Repeat([]string{report}, n)...)
	}
	release := reports(t, time.Millisecond, "0000000000000000")
	for _, x := range []struct {
		what  string
		mode  string
		steps []step
		want  string // in the error; empty: the end of the device
	}{
		{"bitmaps", "keyboard", many(maxStrange, bitmap), "N-key rollover"},
		{"a few before the first key", "keyboard", append(many(maxStrange-1, bitmap), release...), ""},
		{"many after a key", "keyboard", append(slices.Clone(release), many(3*maxStrange, bitmap)...), ""},
		{"no HID POS", "pos", many(maxStrange, "0000000000000000"), "form"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{steps: append(x.steps, step{after: time.Second, err: drivers.ErrGone})}
			s, err := Open(f, options(t, func(c *Config) { c.Mode = x.mode }))
			if err != nil {
				t.Fatal(err)
			}
			err = s.Scans(t.Context(), func(s drivers.Scan) { t.Errorf("%s: scan %+v", x.what, s) })
			if x.want == "" && !errors.Is(err, drivers.ErrGone) || x.want != "" && !strings.Contains(err.Error(), x.want) {
				t.Errorf("%s: Scans() = %v; want one with %q", x.what, err, x.want)
			}
			if f.closed != 1 {
				t.Errorf("%s: closed %d times; want once", x.what, f.closed)
			}
		})
	}
}
