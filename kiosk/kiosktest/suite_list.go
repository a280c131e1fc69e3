package kiosktest

import (
	"context"
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// loan is what a list has of an item.
func loan(item, card int) kiosk.Loan {
	return kiosk.Loan{Item: Barcode(item), Patron: Card(card), At: Morning, Due: due}
}

// list begins one.
func (s *suite) list() kiosk.LoanList {
	s.Helper()
	l, err := s.ListLoans(s.Context())
	s.ok(err)
	return l
}

// ends checks how many loans the end of a list ends.
func (s *suite) ends(l kiosk.LoanList, want int) {
	s.Helper()
	n, err := l.End(s.Context())
	s.ok(err)
	s.same("End()", n, want)
}

// listEnds: what a whole list lacks has come back elsewhere, be it a loan of
// an earlier list or one made here.
func (s *suite) listEnds() {
	s.ok2(s.PutLoans(s.Context(), numbered(1200, func(n int) kiosk.Loan { return loan(n+1, 1) })))
	mine := s.record(As(Checkout(1, 2000, 2), kiosk.Offline, due))
	s.conclude(After(mine, kiosk.Settled))
	l := s.list()
	c, err := l.Put(s.Context(), []kiosk.Loan{loan(1, 1), loan(2, 7)})
	s.ok(err)
	s.same("Put()", c, kiosk.Change{Changed: 1, Same: 1})
	c, err = l.Put(s.Context(), []kiosk.Loan{loan(1201, 3), {Item: Barcode(4)}}) // whose, is not told
	s.ok(err)
	s.same("Put()", c, kiosk.Change{New: 1, Same: 1})
	s.out(3, 1, due) // not before the end
	s.ends(l, 1198)
	s.again()
	s.out(1, 1, due)
	s.out(4, 1, due)
	s.out(2, 7, due)
	s.out(1201, 3, due)
	for _, gone := range []int{3, 700, 1200, 2000} {
		s.out(gone, 0, due)
	}
	l = s.list()
	s.ends(l, 4) // all are back
	s.out(1, 0, due)
}

// listCutOff: a list that does not come to its end ends nothing.
func (s *suite) listCutOff() {
	s.ok2(s.PutLoans(s.Context(), []kiosk.Loan{loan(1, 1), loan(2, 1), loan(3, 1)}))
	cut := s.list()
	s.ok2(cut.Put(s.Context(), []kiosk.Loan{loan(1, 1)}))
	s.out(2, 1, due)
	next := s.list()
	s.ok2(next.Put(s.Context(), []kiosk.Loan{loan(2, 1)}))
	if n, err := cut.End(s.Context()); n != 0 || kiosk.CodeOf(err) != kiosk.CodeInvalid {
		s.Errorf("End() of a list that another has followed = %d, %v; want 0, %s", n, err, kiosk.CodeInvalid)
	}
	gone, cancel := context.WithCancel(s.Context())
	cancel()
	if _, err := next.Put(gone, []kiosk.Loan{loan(3, 1)}); !errors.Is(err, context.Canceled) {
		s.Errorf("Put() for a caller that has gone: %v; want context.Canceled", err)
	}
	s.ok2(next.Put(s.Context(), []kiosk.Loan{loan(3, 1)})) // once more
	s.out(1, 1, due)
	s.ends(next, 1)
	s.out(1, 0, due)
	s.out(2, 1, due)
	s.out(3, 1, due)
}

// listMeanwhile: the list knows nothing of what happens here while it is read.
func (s *suite) listMeanwhile() {
	s.ok2(s.PutLoans(s.Context(), []kiosk.Loan{loan(1, 1), loan(2, 1), loan(3, 1), loan(4, 1)}))
	s.record(As(Checkout(1, 10, 2), kiosk.Offline, due))            // before the list, and all through it
	settles := s.record(As(Checkout(2, 11, 2), kiosk.Offline, due)) // told while it is read
	wrong := s.record(As(Checkout(3, 12, 2), kiosk.Offline, due))
	s.conclude(After(wrong, kiosk.Exception))
	back := s.record(As(Checkin(4, 4), kiosk.Offline, time.Time{}))

	l := s.list()
	s.conclude(After(settles, kiosk.Settled))
	s.conclude(After(wrong, kiosk.Settled))              // staff has put it right
	s.conclude(After(back, kiosk.Exception))             // it counts as lent again
	s.record(As(Checkout(5, 13, 2), kiosk.Offline, due)) // lent here
	granted := After(s.record(Checkout(6, 14, 2)), kiosk.Granted)
	granted.Due = due
	s.conclude(granted)
	s.record(As(Renew(7, 1, 1), kiosk.Granted, due.AddDate(0, 1, 0)))
	s.record(As(Checkin(8, 2), kiosk.Granted, time.Time{})) // its page was read before
	s.ok2(s.PutLoans(s.Context(), []kiosk.Loan{loan(20, 3)}))
	c, err := l.Put(s.Context(), []kiosk.Loan{loan(1, 1), loan(2, 1), loan(10, 9), loan(30, 3)})
	s.ok(err)
	s.same("Put()", c, kiosk.Change{New: 1, Same: 3})
	s.ends(l, 1)
	s.again()
	s.out(3, 0, due) // this one alone has come back elsewhere
	s.out(2, 0, due)
	s.out(1, 1, due.AddDate(0, 1, 0))
	for item, card := range map[int]int{10: 2, 11: 2, 12: 2, 4: 1, 13: 2, 14: 2, 20: 3, 30: 3} {
		s.out(item, card, due)
	}
	// The next list has heard of all but what still waits.
	s.conclude(After(s.record(As(Checkout(9, 15, 2), kiosk.Offline, due)), kiosk.Settled))
	s.ends(s.list(), 8)
	s.out(10, 2, due)
	s.out(13, 2, due)
	s.out(15, 0, due)
}

// fresh: a patron of the whole list of whom nothing has changed since is as
// young as the last that is known to have changed.
func (s *suite) fresh() {
	ctx := s.Context()
	seen := func(n int, want time.Time) {
		s.Helper()
		p, err := s.Patron(ctx, Card(n))
		s.ok(err)
		s.same("Seen", p.Seen, want)
	}
	f, err := s.Fresh(ctx, kiosk.PatronList)
	s.ok(err)
	s.same("Fresh() of nothing", f, kiosk.Freshness{})
	for n, at := range []time.Time{{}, Morning.Add(-time.Hour), Morning.Add(time.Minute), Morning.Add(5 * time.Hour)} {
		p := Patron(n)
		p.Seen = at
		s.ok2(s.PutPatrons(ctx, []kiosk.Patron{p}))
		seen(n, at)
	}
	want := kiosk.Freshness{Whole: Morning, Since: Morning}
	s.ok(s.Freshen(ctx, kiosk.PatronList, want))
	seen(2, Morning.Add(time.Minute))
	want.Since = Morning.Add(3 * time.Hour)
	s.ok(s.Freshen(ctx, kiosk.PatronList, want))
	s.ok(s.Freshen(ctx, kiosk.ItemList, kiosk.Freshness{Since: due}))
	s.again()
	f, err = s.Fresh(ctx, kiosk.PatronList)
	s.ok(err)
	s.same("Fresh()", f, want)
	seen(0, time.Time{})
	seen(1, Morning.Add(-time.Hour)) // the whole list did not have this one
	seen(2, want.Since)
	seen(3, Morning.Add(5*time.Hour))
}
