package sqlite

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// What the model test draws from: few of each, so that they meet.
var (
	someIDs    = rapid.IntRange(0, 12)
	someItems  = rapid.IntRange(1, 3)
	someCards  = rapid.IntRange(1, 2)
	someTimes  = rapid.IntRange(0, 100)
	someStates = rapid.SampledFrom([]kiosk.State{kiosk.Asked, kiosk.Granted, kiosk.Denied, kiosk.Offline,
		kiosk.Unsure, kiosk.Settled, kiosk.Exception, kiosk.Dismissed})
	someBoots = rapid.SampledFrom([]string{"a", "b"})
	someKinds = rapid.SampledFrom([]kiosk.Kind{kiosk.Checkout, kiosk.Checkin, kiosk.Renew})
)

// someDue is none, or one of a hundred.
func someDue(t *rapid.T) time.Time {
	n := someTimes.Draw(t, "due")
	if n < 50 {
		return time.Time{}
	}
	return kiosktest.Morning.AddDate(0, 0, n)
}

func someAt(t *rapid.T) time.Time {
	return kiosktest.Morning.Add(time.Duration(someTimes.Draw(t, "at")) * time.Second)
}

// pair is the ledger on disk and the one in memory that it must equal.
type pair struct {
	disk  kiosktest.Store
	model *kiosktest.Memory
	lists [2]kiosk.LoanList // of loans, under way
}

// TestModel does at random to both what may be done, and sees no difference.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFile(t)
		defer f.Store.Close()
		p := &pair{disk: f, model: &kiosktest.Memory{}}
		rt.Repeat(map[string]func(*rapid.T){
			"record":      p.record,
			"conclude":    p.conclude,
			"postpone":    p.postpone,
			"interrupted": p.interrupted,
			"load":        p.load,
			"list":        p.list,
			"list on":     p.listOn,
			"list end":    p.listEnd,
			"date":        p.date,
			"reopen": func(t *rapid.T) {
				p.lists = [2]kiosk.LoanList{} // they end with what they were of
				if _, err := f.Reopen(); err != nil {
					t.Fatal(err)
				}
			},
			"": p.same,
		})
	})
}

// both does the same to each; the errors must be of one class.
func (p *pair) both(t *rapid.T, do func(kiosktest.Store) error) {
	a, b := do(p.disk), do(p.model)
	if kiosk.CodeOf(a) != kiosk.CodeOf(b) || errors.Is(a, kiosk.ErrUnknown) != errors.Is(b, kiosk.ErrUnknown) {
		t.Fatalf("on disk: %v; in memory: %v", a, b)
	}
}

func (p *pair) record(t *rapid.T) {
	e := kiosktest.Checkout(someIDs.Draw(t, "id"), someItems.Draw(t, "item"), someCards.Draw(t, "card"))
	e.Kind, e.State, e.At, e.Due = someKinds.Draw(t, "kind"), someStates.Draw(t, "state"), someAt(t), someDue(t)
	if n := someTimes.Draw(t, "up"); n < 50 {
		e.Doubt, e.Up = n%3 > 0, kiosk.Uptime{Boot: someBoots.Draw(t, "boot"), For: time.Duration(n) * time.Second}
	}
	p.both(t, func(s kiosktest.Store) error { return s.Record(t.Context(), e) })
}

func (p *pair) date(t *rapid.T) {
	list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) kiosk.Dating {
		d := kiosk.Dating{Entry: kiosktest.ID(someIDs.Draw(t, "id")), Due: someDue(t)}
		if rapid.Bool().Draw(t, "right") {
			d.At = someAt(t)
		}
		return d
	}), 0, 4).Draw(t, "dates")
	boot, now := someBoots.Draw(t, "boot"), someAt(t)
	p.both(t, func(s kiosktest.Store) error { return s.Date(t.Context(), boot, now, list) })
}

func (p *pair) conclude(t *rapid.T) {
	o := kiosk.Outcome{Entry: kiosktest.ID(someIDs.Draw(t, "id")), State: someStates.Draw(t, "state"), At: someAt(t),
		Due: someDue(t), Text: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "text")}
	p.both(t, func(s kiosktest.Store) error { return s.Conclude(t.Context(), o) })
}

func (p *pair) postpone(t *rapid.T) {
	id, at := kiosktest.ID(someIDs.Draw(t, "id")), someAt(t)
	p.both(t, func(s kiosktest.Store) error { return s.Postpone(t.Context(), id, at) })
}

func (p *pair) interrupted(t *rapid.T) {
	now := someAt(t)
	var n []int
	p.both(t, func(s kiosktest.Store) error {
		got, err := s.Interrupted(t.Context(), now)
		n = append(n, got)
		return err
	})
	if n[0] != n[1] {
		t.Fatalf("Interrupted() = %d on disk, %d in memory", n[0], n[1])
	}
}

func someLoan(t *rapid.T) kiosk.Loan {
	return kiosk.Loan{Item: kiosktest.Barcode(someItems.Draw(t, "item")), Patron: kiosktest.Card(someCards.Draw(t, "card")),
		At: someAt(t), Due: someDue(t)}
}

func (p *pair) list(t *rapid.T) {
	for i, s := range []kiosktest.Store{p.disk, p.model} {
		l, err := s.ListLoans(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.lists[i] = l
	}
}

// listOn puts a loan into the list.
func (p *pair) listOn(t *rapid.T) {
	o := someLoan(t)
	var got []kiosk.Change
	for _, l := range p.lists {
		if l == nil {
			return
		}
		c, err := l.Put(t.Context(), []kiosk.Loan{o})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c)
	}
	if got[0] != got[1] {
		t.Fatalf("Put(%+v) = %+v on disk, %+v in memory", o, got[0], got[1])
	}
}

func (p *pair) listEnd(t *rapid.T) {
	var got []int
	for _, l := range p.lists {
		if l == nil {
			return
		}
		n, err := l.End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	p.lists = [2]kiosk.LoanList{}
	if got[0] != got[1] {
		t.Fatalf("End() = %d on disk, %d in memory", got[0], got[1])
	}
}

func (p *pair) load(t *rapid.T) {
	l := someLoan(t)
	var got []kiosk.Change
	p.both(t, func(s kiosktest.Store) error {
		c, err := s.PutLoans(t.Context(), []kiosk.Loan{l})
		got = append(got, c)
		return err
	})
	if got[0] != got[1] {
		t.Fatalf("PutLoans(%+v) = %+v on disk, %+v in memory", l, got[0], got[1])
	}
}

// same compares all that can be read.
func (p *pair) same(t *rapid.T) {
	if a, b := view(t, p.disk), view(t, p.model); !reflect.DeepEqual(a, b) {
		t.Fatalf("on disk:\n%+v\nin memory:\n%+v", a, b)
	}
}

type seen struct {
	Newest  time.Time
	Undated [][]kiosk.Undated
	Queue   []kiosk.Queued
	Loans   [][]kiosk.Loan
	Loan    []kiosk.Loan
	Copy    []kiosk.Copy
	Untold  []int
}

func view(t *rapid.T, s kiosktest.Store) (v seen) {
	ctx := t.Context()
	check := func(err error) {
		if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
			t.Fatal(err)
		}
	}
	var err error
	v.Newest, err = s.Newest(ctx)
	check(err)
	v.Queue, err = s.Queue(ctx, 100)
	check(err)
	for _, boot := range []string{"a", "b"} {
		list, err := s.Undated(ctx, boot)
		check(err)
		v.Undated = append(v.Undated, list)
	}
	for n := 1; n <= 3; n++ {
		loans, err := s.Loans(ctx, kiosktest.Card(n))
		check(err)
		loan, err := s.Loan(ctx, kiosktest.Barcode(n))
		check(err)
		c, err := s.Copy(ctx, kiosktest.Barcode(n))
		check(err)
		untold, err := s.Untold(ctx, kiosktest.Card(n))
		check(err)
		v.Loans, v.Loan, v.Copy, v.Untold = append(v.Loans, loans), append(v.Loan, loan), append(v.Copy, c), append(v.Untold, untold)
	}
	return v
}
