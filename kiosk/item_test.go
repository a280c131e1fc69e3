package kiosk_test

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestTold: what the ILS says at the desk is known of the copy, in place of
// what a list said, and what it does not say stays.
func TestTold(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	no := func(r kiosk.Reason) error { return &kiosk.Error{Code: kiosk.CodeRefused, Reason: r} }
	to := func(p kiosk.Purpose) kiosk.Answer {
		return kiosk.Answer{Title: "The spice", Alert: true, Route: kiosk.Route{For: p}}
	}
	for name, c := range map[string]struct {
		kind   kiosk.Kind
		known  bool
		answer kiosk.Answer
		err    error
		want   kiosk.ItemStatus // empty: nothing is learned
		titled string
	}{
		"lent":                   {kind: kiosk.Checkout, known: true, answer: to(""), want: kiosk.StatusAvailable, titled: "Dune"},
		"renewed":                {kind: kiosk.Renew, known: true, want: kiosk.StatusAvailable, titled: "Dune"},
		"lent, not known here":   {kind: kiosk.Checkout, answer: to("")},
		"held, not known here":   {kind: kiosk.Checkout, err: no(kiosk.ReasonOnHold)},
		"returned":               {kind: kiosk.Checkin, known: true, want: kiosk.StatusAvailable, titled: "Dune"},
		"returned, not known":    {kind: kiosk.Checkin, answer: to("")},
		"returned, for a hold":   {kind: kiosk.Checkin, known: true, answer: to(kiosk.ForHold), want: kiosk.StatusOnHold, titled: "Dune"},
		"returned, for another":  {kind: kiosk.Checkin, known: true, answer: to(kiosk.ForHoldElsewhere), want: kiosk.StatusInTransit, titled: "Dune"},
		"returned, to go home":   {kind: kiosk.Checkin, known: true, answer: to(kiosk.ForTransfer), want: kiosk.StatusInTransit, titled: "Dune"},
		"returned, to staff":     {kind: kiosk.Checkin, known: true, answer: to(kiosk.ForStaff)},
		"not lent, it is held":   {kind: kiosk.Checkout, known: true, err: no(kiosk.ReasonOnHold), want: kiosk.StatusOnHold, titled: "Dune"},
		"not out, and held":      {kind: kiosk.Checkin, known: true, err: no(kiosk.ReasonOnHold), want: kiosk.StatusOnHold, titled: "Dune"},
		"not renewed, it is out": {kind: kiosk.Renew, known: true, err: no(kiosk.ReasonOnHold)},
		"not lent to this card":  {kind: kiosk.Checkout, known: true, err: no(kiosk.ReasonTooMany)},
		"no answer":              {kind: kiosk.Checkout, known: true, err: &kiosk.Error{Code: kiosk.CodeUnsure}},
		"seen on the shelf":      {kind: kiosk.Seen, known: true},
	} {
		e := kiosk.Entry{Kind: c.kind, Item: "B1"}
		var old kiosk.Item
		if c.known {
			old = kiosk.Item{Barcode: "B1", Title: "Dune", Author: "Herbert", Status: kiosk.StatusWithdrawn, Reference: true}
		}
		got, told := old.Told(e, c.answer, c.err, at)
		if told != (c.want != "") {
			t.Errorf("%s: something is learned: %v; want %v", name, told, !told)
		}
		if want := (kiosk.Item{Barcode: "B1", Title: c.titled, Author: old.Author, Reference: old.Reference, Status: c.want, Seen: at}); told && got != want {
			t.Errorf("%s: %+v; want %+v", name, got, want)
		}
	}
}

// TestStood: what is in the way of a loan is learned when the ILS is asked how
// a copy stands, and nothing else.
func TestStood(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	old := kiosk.Item{Barcode: "B1", Author: "Herbert", Status: kiosk.StatusAvailable, NoLoan: true}
	for status, learned := range map[kiosk.ItemStatus]bool{kiosk.StatusOnHold: true, kiosk.StatusInTransit: true, kiosk.StatusLost: true,
		kiosk.StatusMissing: true, kiosk.StatusWithdrawn: true, kiosk.StatusAvailable: false, kiosk.StatusOnLoan: false, kiosk.StatusOther: false, "": false} {
		st := kiosk.Standing{Known: true, Status: status, Title: "Dune"}
		got, told := old.Stood(st, at)
		want := old
		if learned {
			want.Status, want.Title, want.Seen = status, "Dune", at
		}
		if told != learned || got != want {
			t.Errorf("%q: %+v, %v; want %+v", status, got, told, want)
		}
		for what, again := range map[string]func() (kiosk.Item, bool){
			"known already":   func() (kiosk.Item, bool) { return want.Stood(st, at.Add(time.Hour)) },
			"not known here":  func() (kiosk.Item, bool) { return kiosk.Item{}.Stood(st, at) },
			"not known there": func() (kiosk.Item, bool) { return old.Stood(kiosk.Standing{Status: status}, at) },
			"withdrawn by list": func() (kiosk.Item, bool) {
				return kiosk.Item{Barcode: "B1", Status: status}.Stood(kiosk.Standing{Known: true, Status: kiosk.StatusAvailable}, at)
			},
		} {
			if got, told := again(); told {
				t.Errorf("%q, %s: %+v is learned", status, what, got)
			}
		}
	}
}

// TestItemOver: a list that can't tell what waits takes no book off the hold
// shelf, until it has changed.
func TestItemOver(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		old, told, want kiosk.ItemStatus
		after           time.Duration // from what was learned to what the list tells
	}{
		{kiosk.StatusOnHold, "", kiosk.StatusOnHold, 0},
		{kiosk.StatusInTransit, "", kiosk.StatusInTransit, time.Minute}, // clocks differ
		{kiosk.StatusOnHold, "", kiosk.StatusOnHold, -time.Hour},
		{kiosk.StatusOnHold, "", kiosk.StatusAvailable, time.Hour},
		{kiosk.StatusOnHold, kiosk.StatusAvailable, kiosk.StatusAvailable, 0},
		{kiosk.StatusOnHold, kiosk.StatusOnLoan, kiosk.StatusOnLoan, 0},
		{kiosk.StatusOnLoan, "", kiosk.StatusAvailable, 0},
		{kiosk.StatusLost, "", kiosk.StatusAvailable, 0},
		{"", "", kiosk.StatusAvailable, 0},
	} {
		old := kiosk.Item{Barcode: "B1", Title: "Dune", Status: c.old, Seen: at}
		told := kiosk.Item{Barcode: "B1", Title: "Dune Messiah", Status: c.told, Seen: at.Add(c.after)}
		want := told
		if want.Status = c.want; c.told == "" && c.want != kiosk.StatusAvailable {
			want.Seen = at
		}
		if got := told.Over(old); got != want {
			t.Errorf("%q over %q after %v: %+v; want %+v", c.told, c.old, c.after, got, want)
		}
	}
}
