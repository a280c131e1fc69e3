package serialscan_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/serialscan"
	"github.com/carrel-kiosk/carrel/drivers/sim"
)

// options are those of a configuration that says only these.
func options(change func(*serialscan.Config)) *serialscan.Config {
	c := serialscan.Driver.NewConfig().(*serialscan.Config)
	if change != nil {
		change(c)
	}
	return c
}

// TestScanner runs over a real serial line: a pty.
func TestScanner(t *testing.T) {
	for suffix, sent := range map[string]string{"auto": "\r", "crlf": "\r\n"} {
		t.Run(suffix, func(t *testing.T) {
			drivertest.TestScanner(t, func(t *testing.T) drivertest.Rig {
				return rig(t, sent, options(func(c *serialscan.Config) { c.Suffix = suffix }))
			})
		})
	}
}

func rig(t *testing.T, sent string, c *serialscan.Config) drivertest.Rig {
	p, err := sim.NewPty(filepath.Join(t.TempDir(), "scanner"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	p.Suffix = sent
	return drivertest.Rig{
		Open: func(ctx context.Context) (drivers.Scanner, error) {
			l, err := link.Open(ctx, link.Config{Path: p.Path(), Baud: 9600, DataBits: 8})
			if err != nil {
				return nil, err
			}
			a, err := serialscan.Driver.Open(l, c)
			if err != nil {
				return nil, err
			}
			return a.(drivers.Scanner), nil
		},
		Scan: p.Scan,
		Plug: func(in bool) {
			if err := p.Plug(in); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// closes counts how often a line was closed.
type closes struct {
	drivers.Link
	n int
}

func (c *closes) Close() error { c.n++; return c.Link.Close() }

// play opens the driver over a tape and gives all it scans until the device is
// unplugged. It must run in a bubble.
func play(t *testing.T, c *serialscan.Config, wrap func(drivers.Link) drivers.Link, tape string) []drivers.Scan {
	t.Helper()
	tp, err := drivertest.ReadTape(strings.NewReader(tape))
	if err != nil {
		t.Fatal(err)
	}
	counted := &closes{Link: drivertest.Playback(t, tp)}
	defer func() {
		if counted.n != 1 {
			t.Errorf("the line was closed %d times; want once", counted.n)
		}
	}()
	var l drivers.Link = counted
	if wrap != nil {
		l = wrap(l)
	}
	s, err := serialscan.Open(l, *c)
	if err != nil {
		t.Fatal(err)
	}
	var scans []drivers.Scan
	if err := s.Scans(t.Context(), func(sc drivers.Scan) {
		sc.At = time.Time{}
		scans = append(scans, sc)
	}); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Scans() = %v; want ErrGone at the end of the tape", err)
	}
	return scans
}

func texts(scans []drivers.Scan) (list []string) {
	for _, sc := range scans {
		list = append(list, sc.Text)
	}
	return list
}

// TestTimes are tapes in which it matters when bytes come.
func TestTimes(t *testing.T) {
	none := options(func(c *serialscan.Config) { c.Suffix = "none" })
	for name, tt := range map[string]struct {
		config *serialscan.Config
		tape   string
		want   []string
	}{
		"what lay in the line before is nobody's": {options(nil), `
			< "21234000056788\r312340"
			= 150ms
			< "00010064\r"
			= 250ms
			< "3111\r"
			!`, []string{"3111"}},
		"it may be taken all the same": {options(func(c *serialscan.Config) { c.Drain = 0 }), `
			< "21234000056788\r"
			!`, []string{"21234000056788"}},
		"a line that never rests is read in the end": {options(nil), strings.Repeat("< 00 00\n= 100ms\n", 12) + `
			< "3111\r"
			!`, []string{"3111"}},
		"slow, but one code": {options(nil), `
			= 1s
			< "3123"
			= 450ms
			< "4000\r"
			!`, []string{"31234000"}},
		"half a code is not glued to the next": {options(nil), `
			= 1s
			< "312340"
			= 550ms
			< "3111\r"
			!`, []string{"3111"}},
		"a gap ends a code": {none, `
			= 1s
			< "31234000010064"
			= 70ms
			< "one\rtwo\n"
			= 70ms
			!`, []string{"31234000010064", "one\rtwo\n"}},
		"a smaller gap does not": {none, `
			= 1s
			< "3123"
			= 50ms
			< "4000"
			= 70ms
			!`, []string{"31234000"}},
		"the gap can be set": {options(func(c *serialscan.Config) { c.Suffix, c.Gap = "none", drivers.Duration(time.Second) }), `
			= 3s
			< "3123"
			= 900ms
			< "4000"
			= 1100ms
			!`, []string{"31234000"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := texts(play(t, tt.config, nil, tt.tape)); !slices.Equal(got, tt.want) {
					t.Errorf("scans = %q; want %q", got, tt.want)
				}
			})
		})
	}
}

// TestFlakyLine: however slowly and in whatever pieces a line brings them, the
// codes are the same.
func TestFlakyLine(t *testing.T) {
	tape := "= 1s\n" + strings.Repeat("< \"]F031234000010064\\r\\n\"\n= 40ms\n", 50) + "!"
	want := slices.Repeat([]drivers.Scan{{AIM: "]F0", Text: "31234000010064"}}, 50)
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			flaky := func(l drivers.Link) drivers.Link {
				return &drivertest.Flaky{Link: l, Rand: rand.New(rand.NewPCG(seed, 1))}
			}
			if got := play(t, options(nil), flaky, tape); !reflect.DeepEqual(got, want) {
				t.Errorf("seed %d: %d codes: %q", seed, len(got), texts(got))
			}
		})
	}
}

// TestEndsSoon: the end of the daemon does not wait for the next scan.
func TestEndsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := serialscan.Open(drivertest.Silent{}, *options(nil))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := s.Scans(ctx, func(drivers.Scan) { t.Error("a scan of nothing") }); err != nil {
			t.Errorf("Scans() = %v", err)
		}
		if late := time.Since(begin) - time.Minute; late > time.Second {
			t.Errorf("ended %v late", late)
		}
	})
}

func TestGoneWhileOpening(t *testing.T) {
	l := drivertest.Playback(t, drivertest.Tape{{Kind: drivertest.Unplug}})
	if _, err := serialscan.Driver.Open(l, options(nil)); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Open() = %v; want ErrGone", err)
	}
}

func TestCheck(t *testing.T) {
	if err := options(nil).Check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for key, change := range map[string]func(*serialscan.Config){
		"suffix": func(c *serialscan.Config) { c.Suffix = "x" },
		"gap":    func(c *serialscan.Config) { c.Gap = 1 },
		"prefix": func(c *serialscan.Config) { c.Prefix = strings.Repeat("x", 17) },
		"drain":  func(c *serialscan.Config) { c.Drain = drivers.Duration(time.Minute) },
	} {
		c := options(change)
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("Check() of a wrong %s = %v", key, err)
		}
		if _, err := serialscan.Open(drivertest.Silent{}, *c); err == nil {
			t.Errorf("Open() takes a wrong %s", key)
		}
	}
}
