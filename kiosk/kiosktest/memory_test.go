package kiosktest

import (
	"errors"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestMemory(t *testing.T) {
	TestLedger(t, func(*testing.T) Store { return &Memory{} })
}

func TestMemoryFails(t *testing.T) {
	m := &Memory{}
	full := errors.New("full")
	m.Fail(full)
	if err := m.Record(t.Context(), Checkout(1, 1, 1)); !errors.Is(err, full) || len(m.Entries()) != 0 {
		t.Fatalf("Record = %v with %d entries; want full, none", err, len(m.Entries()))
	}
	m.Fail(nil)
	if err := m.Record(t.Context(), Checkout(1, 1, 1)); err != nil || len(m.Entries()) != 1 {
		t.Fatalf("Record = %v with %d entries; want one", err, len(m.Entries()))
	}
}

func TestUpstreamFollowsItsScript(t *testing.T) {
	u := &Upstream{}
	if _, err := u.Tell(t.Context(), Checkout(1, 1, 1)); kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("Tell without a script: %v; want offline", err)
	}
	u.OnTell = InTurn(Reply{Answer: kiosk.Answer{Due: Morning}}, Reply{Err: &kiosk.Error{Code: kiosk.CodeRefused}})
	for _, want := range []kiosk.Code{"", kiosk.CodeRefused, kiosk.CodeOffline} {
		if _, err := u.Tell(t.Context(), Checkout(2, 1, 1)); kiosk.CodeOf(err) != want {
			t.Errorf("Tell: %v; want %q", err, want)
		}
	}
	if n := len(u.Told()); n != 4 {
		t.Errorf("Told() has %d; want 4", n)
	}
}
