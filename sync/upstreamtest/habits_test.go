package upstreamtest

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestDueIsLoanDate: a library that takes the promised due date for the date
// of the loan counts from there, and does not tell.
func TestDueIsLoanDate(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	due := now.AddDate(0, 0, 10)
	for name, r := range map[string]Rules{"heeded": {}, "ignored": {IgnoreNoBlock: true}} {
		r.DueIsLoanDate, r.Location, r.Now = true, time.UTC, func() time.Time { return now }
		s := New(r)
		s.AddPatron(kiosk.Patron{Card: "C1"}, "")
		s.AddItems(kiosk.Item{Barcode: "B1"}, kiosk.Item{Barcode: "B2"})
		a, err := s.Do(kiosk.Entry{Kind: kiosk.Checkout, Item: "B1", Patron: "C1", At: now.AddDate(0, 0, -2), Due: due}, true)
		plain, err2 := s.Do(kiosk.Entry{Kind: kiosk.Checkout, Item: "B2", Patron: "C1", At: now}, true)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		_, st, _, _ := s.Item("B1")
		want, told := plain.Due.AddDate(0, 0, 10), time.Time{}
		if name == "ignored" {
			want, told = plain.Due, plain.Due
		}
		if !st.Due.Equal(want) || !a.Due.Equal(told) || plain.Due.IsZero() {
			t.Errorf("%s: due %v, told %v; want %v and %v", name, st.Due, a.Due, want, told)
		}
	}
}

// TestCancel: a cancelled return leaves the loan as it was, for who had it
// only, and once.
func TestCancel(t *testing.T) {
	s := Sample(time.Now())
	e := func(k kiosk.Kind, b kiosk.Barcode, c kiosk.Card) kiosk.Entry {
		return kiosk.Entry{Kind: k, Item: b, Patron: c, At: time.Now()}
	}
	_, before, _, _ := s.Item("B4")
	if err := do(t, s, kiosk.Checkin, "B4", "", false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cancel(e(kiosk.Checkout, "B4", "C1")); kiosk.CodeOf(err) != kiosk.CodeRefused {
		t.Errorf("somebody else's return is undone: %v", err)
	}
	a, err := s.Cancel(e(kiosk.Checkout, "B4", "C2"))
	if _, st, who, _ := s.Item("B4"); err != nil || who != "C2" || st != before || !a.Due.Equal(before.Due) {
		t.Errorf("after the return is undone: %+v with %q, told %+v, %v; want %+v", st, who, a, err, before)
	}
	if _, err := s.Cancel(e(kiosk.Checkout, "B4", "C2")); kiosk.CodeOf(err) != kiosk.CodeRefused {
		t.Errorf("undone twice: %v", err)
	}
	if _, err := s.Cancel(e(kiosk.Checkin, "B4", "")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cancel(e(kiosk.Checkout, "B4", "C2")); kiosk.CodeOf(err) != kiosk.CodeRefused {
		t.Errorf("a loan that was undone comes back: %v", err)
	}
	if _, err := s.Cancel(e(kiosk.Checkout, "NOTHING", "C2")); kiosk.CodeOf(err) != kiosk.CodeRefused {
		t.Errorf("cancel of what is not there = %v", err)
	}
}
