package kiosktest

import (
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// undatedIn makes an entry of a run of the machine, in doubt, n minutes after
// its start.
func undatedIn(boot string, n int, e kiosk.Entry) kiosk.Entry {
	e.Doubt, e.Up = true, kiosk.Uptime{Boot: boot, For: time.Duration(n) * time.Minute}
	return e
}

// undated checks which entries of a run are undated, by number, and that they
// lie between the dated ones.
func (s *suite) undated(boot string, after, before time.Time, want ...int) []kiosk.Undated {
	s.Helper()
	list, err := s.Undated(s.Context(), boot)
	s.ok(err)
	var ids, wantIDs []kiosk.ID
	for _, u := range list {
		ids = append(ids, u.ID)
		if !u.After.Equal(after) || !u.Before.Equal(before) {
			s.Errorf("entry %s lies between %v and %v; want %v and %v", u.ID, u.After, u.Before, after, before)
		}
	}
	for _, n := range want {
		wantIDs = append(wantIDs, ID(n))
	}
	s.same("Undated()", ids, wantIDs)
	return list
}

func (s *suite) date(boot string, now time.Time, list ...kiosk.Dating) {
	s.Helper()
	s.ok(s.Date(s.Context(), boot, now, list))
}

// dates: what is undated is put right once, with its loan, and stays so.
func (s *suite) dates() {
	first := s.record(As(Checkout(1, 1, 1), kiosk.Offline, due))
	lent := s.record(undatedIn("a", 5, As(Checkout(2, 2, 1), kiosk.Offline, due)))
	asked := s.record(undatedIn("a", 6, Checkout(3, 3, 1)))
	last := s.record(As(Checkout(4, 4, 1), kiosk.Offline, due))
	s.again()
	list := s.undated("a", first.At, last.At, 2, 3)
	s.same("the first", list[0].Entry, lent)

	at, later, now := first.At.Add(time.Second/2), due.AddDate(0, 0, 3), last.At.Add(time.Hour)
	right := []kiosk.Dating{{Entry: lent.ID, At: at, Due: later}, {Entry: asked.ID, At: at}, {Entry: first.ID, At: at}, {Entry: ID(9), At: at}}
	s.date("a", now, right...)
	s.date("a", now, kiosk.Dating{Entry: lent.ID, At: now, Due: due}) // once
	s.again()
	s.undated("a", time.Time{}, time.Time{})
	s.out(2, 1, later)
	l, err := s.Loan(s.Context(), lent.Item)
	s.ok(err)
	s.same("the loan's time", l.At, at)
	q := s.outbox(1, 2, 3, 4)
	lent.At, lent.Due, lent.Doubt, lent.Up = at, later, false, kiosk.Uptime{}
	s.same("what is told", q[1].Entry, lent)
	s.same("what was dated", q[0].Entry, first)
	s.same("the state of what was asked", q[2].State, kiosk.Asked)

	o := After(asked, kiosk.Offline)
	o.Due = due
	s.conclude(o)
	s.conclude(After(lent, kiosk.Settled))
	s.out(3, 1, due)
	s.out(2, 1, later)
	if l, err := s.Loan(s.Context(), asked.Item); err != nil || !l.At.Equal(at) {
		s.Errorf("lent at %v, %v; want %v, for it was put right before", l.At, err, at)
	}
}

// datedAsItIs: what is left as it was is not undated any more.
func (s *suite) datedAsItIs() {
	e := s.record(undatedIn("a", 5, As(Checkout(1, 1, 1), kiosk.Offline, due)))
	sure := undatedIn("a", 6, As(Checkout(2, 2, 1), kiosk.Offline, due))
	sure.Doubt = false
	s.record(sure)
	s.date("a", Morning, kiosk.Dating{Entry: e.ID}, kiosk.Dating{Entry: sure.ID})
	s.again()
	s.undated("a", time.Time{}, time.Time{})
	e.Up, sure.Up = kiosk.Uptime{}, kiosk.Uptime{}
	for i, q := range s.outbox(1, 2) {
		s.same("what was left", q.Entry, []kiosk.Entry{e, sure}[i])
	}
	if at, err := s.Newest(s.Context()); !at.Equal(sure.At) || err != nil {
		s.Errorf("Newest() = %v, %v; want %v", at, err, sure.At)
	}
}

// datedBoots: what was made in another run of the machine stays as it is.
func (s *suite) datedBoots() {
	old := s.record(undatedIn("a", 5, As(Checkout(1, 1, 1), kiosk.Offline, due)))
	now := s.record(undatedIn("b", 5, As(Checkout(2, 2, 1), kiosk.Offline, due)))
	s.undated("a", time.Time{}, now.At, 1)
	s.undated("b", old.At, time.Time{}, 2)
	s.date("b", Morning)
	s.again()
	s.undated("a", time.Time{}, time.Time{})
	s.undated("b", old.At, time.Time{}, 2)
	if q := s.outbox(1, 2); !q[0].Doubt || q[0].Up.Boot != "" || q[1].Up != now.Up {
		s.Errorf("the outbox has %+v; want the first in doubt for good, the second as it was", q)
	}
}

// datedBack: a clock that was ahead does not hold up the ledger's newest time
// once its entries are put right.
func (s *suite) datedBack() {
	newest := func(want time.Time) {
		s.Helper()
		if at, err := s.Newest(s.Context()); !at.Equal(want) || err != nil {
			s.Errorf("Newest() = %v, %v; want %v", at, err, want)
		}
	}
	first := s.record(As(Checkout(1, 1, 1), kiosk.Offline, due))
	ahead := undatedIn("a", 5, As(Checkout(2, 2, 1), kiosk.Offline, due))
	ahead.At = first.At.AddDate(0, 6, 0)
	s.record(ahead)
	newest(ahead.At)
	now := first.At.Add(time.Hour)
	s.date("a", now, kiosk.Dating{Entry: ahead.ID, At: first.At.Add(time.Minute)})
	newest(now)
	s.again()
	s.record(As(Checkout(3, 3, 1), kiosk.Offline, due))
	newest(now)
	after := As(Checkout(4, 4, 1), kiosk.Offline, due)
	after.At = now.Add(time.Minute)
	s.record(after)
	s.again()
	newest(after.At)
}
