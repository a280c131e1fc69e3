package serialscan_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/serialscan"
)

// scanner opens the driver over a real serial line (a pty) and returns its
// far end and what it scans.
func scanner(t *testing.T, c serialscan.Config) (far *os.File, scans chan drivers.Scan, ended chan error) {
	t.Helper()
	far, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close(); near.Close() })
	l, err := link.Open(t.Context(), link.Config{Path: near.Name(), Baud: 9600, DataBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	def := *serialscan.Driver.NewConfig().(*serialscan.Config)
	if c.Suffix == "" {
		c.Suffix = def.Suffix
	}
	if c.Gap == 0 {
		c.Gap = def.Gap
	}
	s, err := serialscan.Open(l, c)
	if err != nil {
		t.Fatal(err)
	}
	scans, ended = make(chan drivers.Scan, 100), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- s.Scans(ctx, func(sc drivers.Scan) { scans <- sc }) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return far, scans, ended
}

func send(t *testing.T, far *os.File, text string) {
	t.Helper()
	if _, err := far.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, scans <-chan drivers.Scan, aim, text string) {
	t.Helper()
	select {
	case sc := <-scans:
		if sc.Text != text || sc.AIM != aim || sc.Long {
			t.Fatalf("scan = %q %q long %v; want %q %q", sc.AIM, sc.Text, sc.Long, aim, text)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("no scan within 5 s; want %q", text)
	}
}

func TestPTY(t *testing.T) {
	far, scans, _ := scanner(t, serialscan.Config{})
	for _, end := range []string{"\r", "\n", "\r\n", "\t", "\x03"} {
		send(t, far, "31234000010064"+end)
		want(t, scans, "", "31234000010064")
	}
	send(t, far, "]F031234000010064\r\x02CONC40001\r\x00\xff]C1010\x1d17\r")
	want(t, scans, "]F0", "31234000010064")
	want(t, scans, "", "CONC40001")
	want(t, scans, "]C1", "010\x1d17")
	send(t, far, "3123400")
	send(t, far, "0010064\r") // in two writes
	want(t, scans, "", "31234000010064")
}

func TestGap(t *testing.T) {
	far, scans, _ := scanner(t, serialscan.Config{Suffix: "none"})
	send(t, far, "31234000010064")
	want(t, scans, "", "31234000010064")
	send(t, far, "one\rline") // CR is no end here
	want(t, scans, "", "one\rline")
}

func TestPrefix(t *testing.T) {
	far, scans, _ := scanner(t, serialscan.Config{Prefix: "\x1b~"})
	send(t, far, "\x1b~]A0LIB0042\rLIB0043\r")
	want(t, scans, "]A0", "LIB0042")
	want(t, scans, "", "LIB0043")
}

// TestTorn: half a code whose suffix was lost is not glued to the next one.
func TestTorn(t *testing.T) {
	far, scans, _ := scanner(t, serialscan.Config{})
	send(t, far, "312340")
	select {
	case sc := <-scans:
		t.Fatalf("half a code is a scan: %+v", sc)
	case <-time.After(time.Second): // the driver drops it after half that
	}
	send(t, far, "31234000010064\r")
	want(t, scans, "", "31234000010064")
}

func TestTooLong(t *testing.T) {
	far, scans, _ := scanner(t, serialscan.Config{})
	go far.WriteString(strings.Repeat("9", 10_000) + "\r31234000010064\r")
	sc := <-scans
	if !sc.Long || len(sc.Text) != drivers.MaxText {
		t.Fatalf("scan of 10 kB: long %v, %d bytes; want it cut at %d", sc.Long, len(sc.Text), drivers.MaxText)
	}
	want(t, scans, "", "31234000010064")
}

func TestUnplug(t *testing.T) {
	far, _, ended := scanner(t, serialscan.Config{})
	far.Close()
	select {
	case err := <-ended:
		ended <- err
		if !errors.Is(err, drivers.ErrGone) {
			t.Fatalf("Scans() = %v; want ErrGone", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Scans() does not notice the unplugged scanner")
	}
}

func TestKeepReopens(t *testing.T) {
	path := fmt.Sprintf("%s/scanner", t.TempDir())
	plug := func() *os.File {
		far, near, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { far.Close(); near.Close() })
		os.Remove(path)
		if err := os.Symlink(near.Name(), path); err != nil {
			t.Fatal(err)
		}
		return far
	}
	scans, states := make(chan drivers.Scan, 10), make(chan drivers.State, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		drivers.Keep(ctx, func(ctx context.Context) (drivers.Scanner, error) {
			l, err := link.Open(ctx, link.Config{Path: path, Baud: 9600, DataBits: 8})
			if err != nil {
				return nil, err
			}
			return serialscan.Open(l, *serialscan.Driver.NewConfig().(*serialscan.Config))
		}, func(ctx context.Context, s drivers.Scanner) error {
			return s.Scans(ctx, func(sc drivers.Scan) { scans <- sc })
		}, func(s drivers.State) { states <- s })
	}()
	defer func() { cancel(); <-done }()

	if s := <-states; s.Working || !strings.Contains(s.Err.Error(), "is not there") {
		t.Fatalf("state of a missing scanner = %+v", s)
	}
	for range 2 {
		far := plug()
		for s := range states {
			if s.Working {
				break
			}
		}
		send(t, far, "31234000010064\r")
		want(t, scans, "", "31234000010064")
		os.Remove(path)
		far.Close()
		if s := <-states; s.Working {
			t.Fatalf("state after unplugging = %+v", s)
		}
	}
}

func TestBadConfig(t *testing.T) {
	for _, c := range []serialscan.Config{{Suffix: "cr", Gap: 1}, {Suffix: "x"}, {Suffix: "cr", Prefix: strings.Repeat("x", 17)}} {
		if c.Gap == 0 {
			c.Gap = drivers.Duration(60 * time.Millisecond)
		}
		if c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
