package sqlite

import (
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

func TestFind(t *testing.T) {
	f := newFile(t)
	if _, err := f.PutPatrons(t.Context(), []kiosk.Patron{{Card: "C1", FirstName: "Ana", FamilyName: "Lin_d"}, {Card: "C2", FirstName: "Bo", FamilyName: "Lind"}, {Card: "100%", FirstName: "Cy", FamilyName: "Oz"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.PutItems(t.Context(), []kiosk.Item{{Barcode: "31", Title: "Dune"}, {Barcode: "32", Title: "Emma"}, {Barcode: "33", Title: "100% Emma"}}); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"C1": 1, "lin": 2, "Lin_": 1, "ana lin": 1, "lind, bo": 1, "%": 0, "100%": 1, "": 3, "x": 0} {
		if got, err := f.FindPatrons(t.Context(), text, 10); err != nil || len(got) != want {
			t.Errorf("FindPatrons(%q) = %v, %v; want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]int{"31": 1, "emma": 2, "100%": 1, "%": 1, `\`: 0} {
		if got, err := f.FindItems(t.Context(), text, 10); err != nil || len(got) != want {
			t.Errorf("FindItems(%q) = %v, %v; want %d", text, got, err, want)
		}
	}
}

// TestRecordBy: what staff lends is in the ledger, the outbox, the loans and
// the log, or in none of them.
func TestRecordBy(t *testing.T) {
	f := newFile(t)
	e := kiosktest.As(kiosktest.Checkout(1, 1, 1), kiosk.Offline, morning.AddDate(0, 0, 14))
	if err := f.RecordBy(t.Context(), e, kiosk.Act{}); err == nil {
		t.Error("an act of nobody is taken")
	}
	count := func(entries, acts int) {
		t.Helper()
		c, err := f.Counts(t.Context())
		got, e2 := f.Acts(t.Context(), kiosk.ActFilter{})
		if err != nil || e2 != nil || c.Outbox != entries || c.Loans != entries || len(got) != acts {
			t.Errorf("%+v and %d acts, %v %v; want %d and %d", c, len(got), err, e2, entries, acts)
		}
	}
	count(0, 0)
	if err := f.RecordBy(t.Context(), e, act("override", morning)); err != nil {
		t.Fatal(err)
	}
	count(1, 1)
	e.Item = ""
	if err := f.RecordBy(t.Context(), e, act("override", morning)); err == nil {
		t.Error("an entry without an item is taken")
	}
	count(1, 1)
}
