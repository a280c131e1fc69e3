package drivertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// A Rig is a scanner under test with a hand at it.
type Rig struct {
	// Open opens the scanner as the daemon does; an error while it is
	// unplugged.
	Open func(ctx context.Context) (drivers.Scanner, error)
	// Scan holds a label before it. A code that begins with an AIM identifier
	// is of a scanner that tells them. An error says that it can't be scanned
	// now, as while nobody has opened the scanner.
	Scan func(code string) error
	// Plug pulls the scanner out, or plugs it in again.
	Plug func(in bool)
}

// limit is the longest wait for anything a scanner does, on a busy machine.
const limit = 10 * time.Second

// TestScanner tests what package drivers promises of every Scanner. rig makes
// a new one, plugged in and not open.
func TestScanner(t *testing.T, rig func(t *testing.T) Rig) {
	for name, test := range map[string]func(*testing.T, Rig){
		"codes":     testCodes,
		"long":      testLong,
		"stale":     testStale,
		"ends":      testEnds,
		"unplugged": testUnplugged,
		"kept":      testKept,
	} {
		t.Run(name, func(t *testing.T) { test(t, rig(t)) })
	}
}

// session is a scanner that is read.
type session struct {
	t     *testing.T
	rig   Rig
	scans chan drivers.Scan
	ended chan error
	stop  context.CancelFunc
}

func start(t *testing.T, r Rig) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	dev, err := r.Open(ctx)
	if err != nil {
		cancel()
		t.Fatalf("Open() = %v", err)
	}
	s := &session{t: t, rig: r, scans: make(chan drivers.Scan, 100), ended: make(chan error, 1), stop: cancel}
	go func() { s.ended <- dev.Scans(ctx, func(sc drivers.Scan) { s.scans <- sc }) }()
	t.Cleanup(cancel)
	return s
}

func (s *session) scan(code string) {
	s.t.Helper()
	if err := s.rig.Scan(code); err != nil {
		s.t.Fatalf("Scan(%.40q) = %v", code, err)
	}
}

func (s *session) next() drivers.Scan {
	s.t.Helper()
	sc, err := await(s.scans)
	if err != nil {
		s.t.Fatalf("no scan: %v", err)
	}
	return sc
}

// end is what Scans returned.
func (s *session) end() error {
	s.t.Helper()
	end, err := await(s.ended)
	if err != nil {
		s.t.Fatalf("Scans() does not return: %v", err)
	}
	return end
}

func await[T any](c <-chan T) (v T, err error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case v = <-c:
		return v, nil
	case <-timer.C:
		return v, fmt.Errorf("nothing within %v", limit)
	}
}

// testCodes: each code comes once, whole, in order, with its time; an AIM
// identifier is told apart.
func testCodes(t *testing.T, r Rig) {
	s := start(t, r)
	for _, tt := range [][2]string{
		{"", "31234000010064"}, {"", "31234000010064"}, {"", "2"}, {"", "LIB 0042/A-$.+%"}, {"]F0", "31234000010064"},
		{"]E0", "9780306406157"}, {"", "https://example.org/?q=1#]F0"}, {"", strings.Repeat("7", drivers.MaxText)},
	} {
		before := time.Now()
		s.scan(tt[0] + tt[1])
		sc := s.next()
		if sc.AIM != tt[0] || sc.Text != tt[1] || sc.Long {
			t.Errorf("scan = %q %q, long %v; want %q %q", sc.AIM, sc.Text, sc.Long, tt[0], tt[1])
		}
		if sc.At.Before(before) || sc.At.After(time.Now()) {
			t.Errorf("scanned at %v; want a time between %v and now", sc.At, before)
		}
	}
	for n := range 20 { // faster than they are taken
		s.scan(fmt.Sprint("3000", n))
	}
	for n := range 20 {
		if got, want := s.next().Text, fmt.Sprint("3000", n); got != want {
			t.Fatalf("scan = %q; want %q", got, want)
		}
	}
}

// testLong: a code without end is cut and marked, and the next one is whole.
func testLong(t *testing.T, r Rig) {
	s := start(t, r)
	s.scan(strings.Repeat("9", 3000))
	if sc := s.next(); !sc.Long || sc.Text != strings.Repeat("9", drivers.MaxText) {
		t.Errorf("a code of 3000 bytes came with %d, long %v; want %d, true", len(sc.Text), sc.Long, drivers.MaxText)
	}
	s.scan("31234000010064")
	if sc := s.next(); sc.Long || sc.Text != "31234000010064" {
		t.Errorf("the code after it = %q, long %v", sc.Text, sc.Long)
	}
}

// testStale: what was scanned before the scanner was opened is nobody's who
// is here now.
func testStale(t *testing.T, r Rig) {
	r.Scan("21234000056788") // may say that it can't
	s := start(t, r)
	s.scan("31234000010064")
	if sc := s.next(); sc.Text != "31234000010064" {
		t.Errorf("scan = %q; want only what was scanned after Open", sc.Text)
	}
	s.stop()
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	r.Scan("21234000056788")
	s = start(t, r)
	s.scan("31234000010070")
	if sc := s.next(); sc.Text != "31234000010070" {
		t.Errorf("opened again: scan = %q; want only what was scanned after Open", sc.Text)
	}
}

// testEnds: the end of the context is no error, and leaves the device free to
// be opened again.
func testEnds(t *testing.T, r Rig) {
	for range 3 {
		s := start(t, r)
		s.scan("31234000010064")
		s.next()
		s.stop()
		if err := s.end(); err != nil {
			t.Fatalf("Scans() = %v at the end of its context; want nil", err)
		}
	}
}

func testUnplugged(t *testing.T, r Rig) {
	s := start(t, r)
	r.Plug(false)
	if err := s.end(); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Scans() of an unplugged scanner = %v; want ErrGone", err)
	}
	if _, err := r.Open(t.Context()); err == nil {
		t.Error("Open() of an unplugged scanner succeeds")
	}
}

// testKept: held by drivers.Keep, it works again each time it is plugged in.
func testKept(t *testing.T, r Rig) {
	r.Plug(false)
	scans, states := make(chan drivers.Scan, 10), make(chan drivers.State, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		drivers.Keep(ctx, r.Open, func(ctx context.Context, s drivers.Scanner) error {
			return s.Scans(ctx, func(sc drivers.Scan) { scans <- sc })
		}, func(s drivers.State) { states <- s })
	}()
	defer func() { cancel(); <-done }()
	become := func(working bool) {
		t.Helper()
		for {
			s, err := await(states)
			if err != nil {
				t.Fatalf("the scanner does not become working = %v: %v", working, err)
			}
			if s.Working == working {
				return
			}
		}
	}
	become(false)
	for n := range 2 {
		r.Plug(true)
		become(true)
		code := fmt.Sprint("3123400001006", n)
		if err := r.Scan(code); err != nil {
			t.Fatalf("Scan() of a working scanner = %v", err)
		}
		if sc, err := await(scans); err != nil || sc.Text != code {
			t.Fatalf("scan = %q, %v; want %q", sc.Text, err, code)
		}
		r.Plug(false)
		become(false)
	}
}
