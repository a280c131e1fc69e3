package upstreamtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// direct is an upstream without a network: it asks the ILS in the same
// process. It shows that the suite can be passed.
type direct struct {
	ils  *ILS
	away atomic.Bool
}

func openDirect(t *testing.T, ils *ILS) kiosk.Upstream {
	d := &direct{ils: ils}
	ils.Away = d.away.Store
	return d
}

// answered waits for f as an upstream with a network would.
func answered[T any](ctx context.Context, d *direct, f func() (T, error)) (T, error) {
	var none T
	if d.away.Load() {
		return none, &kiosk.Error{Code: kiosk.CodeOffline}
	}
	type result struct {
		v   T
		err error
	}
	c := make(chan result, 1)
	go func() {
		v, err := f()
		c <- result{v, err}
	}()
	select {
	case r := <-c:
		return r.v, r.err
	case <-ctx.Done():
		return none, &kiosk.Error{Code: kiosk.CodeUnsure, Err: ctx.Err()}
	}
}

func (d *direct) Identify(ctx context.Context, c kiosk.Card, pin string) (kiosk.Patron, error) {
	return answered(ctx, d, func() (kiosk.Patron, error) {
		p, _, err := d.ils.Patron(c, pin)
		return p, err
	})
}

func (d *direct) Tell(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
	return answered(ctx, d, func() (kiosk.Answer, error) {
		return d.ils.Do(e, e.State == kiosk.Offline || e.State == kiosk.Unsure)
	})
}

func (d *direct) Look(ctx context.Context, b kiosk.Barcode, c kiosk.Card) (kiosk.Standing, error) {
	return answered(ctx, d, func() (kiosk.Standing, error) {
		_, st, holder, err := d.ils.Item(b)
		if errors.Is(err, kiosk.ErrUnknown) {
			return kiosk.Standing{}, nil
		}
		switch {
		case c == "":
		case holder == c:
			st.Mine = kiosk.Yes
		default:
			st.Mine = kiosk.No
		}
		return st, err
	})
}

func (d *direct) Probe(ctx context.Context) error {
	_, err := answered(ctx, d, func() (bool, error) { return true, nil })
	return err
}

func TestSuiteCanBePassed(t *testing.T) { Test(t, openDirect) }

func TestLogin(t *testing.T) {
	s := New(Rules{})
	if !s.Login("any", "thing") {
		t.Error("a library without users refuses a terminal")
	}
	s.AddUser("kiosk", "secret")
	if !s.Login("kiosk", "secret") || s.Login("kiosk", "x") || s.Login("other", "") || s.Login("other", "secret") {
		t.Error("Login takes another name or password than was given")
	}
}

func do(t *testing.T, s *ILS, k kiosk.Kind, b kiosk.Barcode, c kiosk.Card, noBlock bool) error {
	t.Helper()
	_, err := s.Do(kiosk.Entry{Kind: k, Item: b, Patron: c, At: time.Now()}, noBlock)
	return err
}

// TestNoBlock: what already happened overrides everything but what can't be.
func TestNoBlock(t *testing.T) {
	for _, tt := range []struct {
		item kiosk.Barcode
		card kiosk.Card
		want kiosk.Reason
	}{
		{"B5", "C1", ""}, {"B6", "C1", ""}, {"B1", "EXPIRED", ""}, {"B1", "OWES", ""}, {"B1", "C3", ""},
		{"B4", "C1", kiosk.ReasonOnLoanOther}, {"B1", "BARRED", kiosk.ReasonCardBlocked},
		{"B1", "NOBODY", kiosk.ReasonUnknownCard}, {"NOTHING", "C1", kiosk.ReasonUnknownItem},
	} {
		err := do(t, Sample(time.Now()), kiosk.Checkout, tt.item, tt.card, true)
		var got kiosk.Reason
		if e, ok := errors.AsType[*kiosk.Error](err); ok {
			got = e.Reason
		}
		if got != tt.want {
			t.Errorf("no-block checkout of %s by %s: %v; want reason %q", tt.item, tt.card, err, tt.want)
		}
	}
	deaf := New(Rules{IgnoreNoBlock: true})
	deaf.AddPatron(kiosk.Patron{Card: "C1"}, "")
	deaf.AddItems(kiosk.Item{Barcode: "B6", Reference: true})
	if err := do(t, deaf, kiosk.Checkout, "B6", "C1", true); kiosk.CodeOf(err) != kiosk.CodeRefused {
		t.Errorf("a server that ignores no-block lends a reference item: %v", err)
	}
}

func TestHoldIsKeptForItsPatron(t *testing.T) {
	s := Sample(time.Now())
	if err := do(t, s, kiosk.Checkin, "B7", "", false); err != nil {
		t.Fatal(err)
	}
	if _, st, _, _ := s.Item("B7"); st.Status != kiosk.StatusOnHold || st.Holds != 1 {
		t.Fatalf("after its return the wanted item is %+v", st)
	}
	if err := do(t, s, kiosk.Checkout, "B7", "C1", false); err != nil {
		t.Fatalf("who waited can't have it: %v", err)
	}
	if _, st, holder, _ := s.Item("B7"); holder != "C1" || st.Holds != 0 || st.Status != kiosk.StatusOnLoan {
		t.Errorf("after the checkout: %+v with %s", st, holder)
	}
}

func TestChanged(t *testing.T) {
	s := Sample(time.Now())
	c := s.Changed()
	select {
	case <-c:
		t.Fatal("Changed() is closed before anything happened")
	default:
	}
	if err := do(t, s, kiosk.Checkout, "B1", "C1", false); err != nil {
		t.Fatal(err)
	}
	<-c
}

// TestKeep: a library that starts again is where it was, also after a crash
// in the middle of a line.
func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ils.jsonl")
	now := time.Now()
	s := Sample(now)
	if err := s.Keep(path); err != nil {
		t.Fatal(err)
	}
	do(t, s, kiosk.Checkout, "B1", "C1", false)
	do(t, s, kiosk.Checkout, "B1", "C1", false)
	do(t, s, kiosk.Checkout, "B4", "C1", false) // refused
	do(t, s, kiosk.Checkin, "B7", "", false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"n":5,"did":"checkout","text":"` + strings.Repeat("x", 1000))
	f.Close()
	again := Sample(now)
	if err := again.Keep(path); err != nil {
		t.Fatal(err)
	}
	do(t, again, kiosk.Checkout, "B2", "C1", false)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	last := Sample(now)
	if err := last.Keep(path); err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	if n := len(last.History()); n != 5 {
		t.Errorf("the history has %d effects; want 5", n)
	}
	if got, want := last.Loans(), again.Loans(); len(got) != len(want) || len(got) != 5 {
		t.Errorf("loans after starting again: %v; want %v", got, want)
	}
	if _, st, _, _ := last.Item("B7"); st.Status != kiosk.StatusOnHold {
		t.Errorf("B7 = %+v; want it on the hold shelf", st)
	}
}

func TestKeepFails(t *testing.T) {
	s := Sample(time.Now())
	if err := s.Keep(filepath.Join(t.TempDir(), "ils.jsonl")); err != nil {
		t.Fatal(err)
	}
	s.journal.Close() // every write fails from here on
	if err := do(t, s, kiosk.Checkout, "B1", "C1", false); kiosk.CodeOf(err) != kiosk.CodeInternal {
		t.Errorf("Do with a broken journal = %v; want internal", err)
	}
	if len(s.History()) != 0 || len(s.Loans()) != 4 {
		t.Error("an effect that could not be written took place")
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"n":1,"did":"checkout","told":"checkout","item":"B1","patron":"C1","when":"2026-01-01T00:00:00Z","at":"2026-01-01T00:00:00Z"}` + "\n{"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := Sample(time.Now())
		if s.Keep(path) != nil {
			return
		}
		n := len(s.History())
		do(t, s, kiosk.Checkout, "B1", "C1", true)
		s.Close()
		again := Sample(time.Now())
		if err := again.Keep(path); err != nil || len(again.History()) != n+1 {
			t.Fatalf("after one more effect: %d effects, %v; want %d", len(again.History()), err, n+1)
		}
		again.Close()
	})
}
