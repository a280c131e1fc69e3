package kiosktest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func (s *suite) loanOffline() {
	e := s.record(As(Checkout(1, 1, 1), kiosk.Offline, due))
	s.out(1, 1, due)
	later := due.AddDate(0, 0, 7)
	o := After(e, kiosk.Settled)
	o.Due = later // the ILS knows better
	s.conclude(o)
	s.again()
	s.out(1, 1, later)
	s.outbox()
}

func (s *suite) loanGranted() {
	e := s.record(As(Checkout(1, 1, 1), kiosk.Asked, time.Time{}))
	s.out(1, 0, due)
	o := After(e, kiosk.Granted)
	o.Due = due
	s.conclude(o)
	s.again()
	s.out(1, 1, due)
	s.conclude(After(s.record(Checkout(2, 2, 1)), kiosk.Denied))
	s.out(2, 0, due)
	s.record(As(Checkout(3, 1, 2), kiosk.Granted, due)) // the next has it
	s.out(1, 2, due)
	if list, err := s.Loans(s.Context(), Card(1)); len(list) != 0 || err != nil {
		s.Errorf("Loans() of who had it = %v, %v; want none", list, err)
	}
}

func (s *suite) giveBack() {
	s.record(As(Checkout(1, 1, 1), kiosk.Granted, due))
	back := s.record(Checkin(2, 1))
	s.out(1, 1, due) // asked is not yet returned
	s.conclude(After(back, kiosk.Granted))
	s.again()
	s.out(1, 0, due)
	s.record(As(Checkin(3, 9), kiosk.Offline, time.Time{})) // was not known to be out
	s.out(9, 0, due)
}

func (s *suite) renewal() {
	first := s.record(As(Checkout(1, 1, 1), kiosk.Granted, due))
	later := due.AddDate(0, 0, 21)
	r := s.record(As(Renew(2, 1, 1), kiosk.Offline, later))
	s.out(1, 1, later)
	if l, _ := s.Loan(s.Context(), Barcode(1)); !l.At.Equal(first.At) {
		s.Errorf("a renewed loan began at %v; want %v", l.At, first.At)
	}
	s.record(As(Renew(3, 1, 1), kiosk.Granted, time.Time{})) // no date told
	s.out(1, 1, later)
	s.conclude(After(r, kiosk.Exception)) // the newer one stands
	s.out(1, 1, later)
	s.record(As(Renew(4, 1, 2), kiosk.Granted, due)) // the ILS says card 2 has it
	s.out(1, 2, due)
}

// lateRefusal: what held and is taken back leaves what was known before.
func (s *suite) lateRefusal() {
	s.ok2(s.PutLoans(s.Context(), []kiosk.Loan{{Item: Barcode(2), Patron: Card(2), At: Morning, Due: due}}))
	for n, state := range []kiosk.State{kiosk.Denied, kiosk.Exception, kiosk.Dismissed} {
		n *= 10
		lent := s.record(As(Checkout(n+1, 1, 1), kiosk.Offline, due))
		s.conclude(After(lent, state))
		s.out(1, 0, due) // nobody had it

		lent = s.record(As(Checkout(n+2, 2, 1), kiosk.Offline, due.AddDate(1, 0, 0)))
		s.conclude(After(lent, state))
		s.out(2, 2, due) // card 2 had it

		back := s.record(As(Checkin(n+3, 2), kiosk.Unsure, time.Time{}))
		s.out(2, 0, due)
		s.again()
		s.conclude(After(back, state))
		s.out(2, 2, due)

		longer := s.record(As(Renew(n+4, 2, 2), kiosk.Offline, due.AddDate(0, 1, 0)))
		s.conclude(After(longer, state))
		s.out(2, 2, due)
	}
}

// lateRefusals: what comes back is only what still holds.
func (s *suite) lateRefusals() {
	lent := s.record(As(Checkout(1, 1, 1), kiosk.Offline, due))
	back := s.record(As(Checkin(2, 1), kiosk.Offline, time.Time{}))
	s.conclude(After(lent, kiosk.Exception))
	s.out(1, 0, due)
	s.conclude(After(back, kiosk.Exception))
	s.out(1, 0, due)
}

// lateOverride: what is settled late does not undo what was done since.
func (s *suite) lateOverride() {
	first := s.record(As(Checkout(1, 1, 1), kiosk.Offline, due))
	s.record(As(Checkout(2, 1, 2), kiosk.Offline, due))
	s.conclude(After(first, kiosk.Exception))
	s.out(1, 2, due)
	s.conclude(After(first, kiosk.Settled))
	s.out(1, 2, due)
	s.record(As(Checkin(3, 1), kiosk.Offline, time.Time{}))
	s.conclude(After(Checkout(2, 1, 2), kiosk.Exception))
	s.conclude(After(Checkout(2, 1, 2), kiosk.Settled))
	s.out(1, 0, due)
	// The return is taken back; the loan before it does hold, so it is back.
	s.conclude(After(Checkin(3, 1), kiosk.Exception))
	s.out(1, 2, due)
	// Without a later word on the item, an override makes the loan.
	e := s.record(As(Checkout(4, 4, 1), kiosk.Offline, due))
	s.conclude(After(e, kiosk.Exception))
	s.conclude(After(e, kiosk.Settled))
	s.again()
	s.out(4, 1, due)
}

// copies: a copy is told with all that is known of it, and what is not known is
// zero.
func (s *suite) copies(item kiosk.Item) {
	ctx := s.Context()
	check := func(want kiosk.Copy, b kiosk.Barcode, card kiosk.Card, untold int) {
		s.Helper()
		got, err := s.Copy(ctx, b)
		s.ok(err)
		s.same("Copy()", got, want)
		n, err := s.Untold(ctx, card)
		s.ok(err)
		s.same("Untold()", n, untold)
	}
	check(kiosk.Copy{}, Barcode(8), Card(8), 0)
	check(kiosk.Copy{Item: item.AtDesk(), Known: true}, item.Barcode, Card(8), 0)
	e := s.record(As(Checkout(81, 8, 8), kiosk.Offline, due))
	loan := kiosk.Loan{Item: Barcode(8), Patron: Card(8), At: e.At, Due: due}
	check(kiosk.Copy{Loan: loan, OnLoan: true, Unsettled: true}, Barcode(8), Card(8), 1)
	check(kiosk.Copy{Item: item.AtDesk(), Known: true}, item.Barcode, Card(9), 0)
	s.conclude(After(e, kiosk.Settled))
	check(kiosk.Copy{Loan: loan, OnLoan: true}, Barcode(8), Card(8), 0)
	item.Barcode, item.ISBN = Barcode(8), ""
	s.ok(s.LearnItem(ctx, item))
	check(kiosk.Copy{Item: item.AtDesk(), Known: true, Loan: loan, OnLoan: true}, Barcode(8), Card(8), 0)
}

func (s *suite) mirror() {
	ctx := s.Context()
	for name, err := range map[string]error{
		"Item":   second(s.Item(ctx, Barcode(1))),
		"Patron": second(s.Patron(ctx, Card(1))),
		"Loan":   second(s.Loan(ctx, Barcode(1))),
	} {
		if !errors.Is(err, kiosk.ErrUnknown) {
			s.Errorf("%s of nothing: %v; want ErrUnknown", name, err)
		}
	}
	item := Item(1)
	item.Reference, item.NoLoan, item.Seen, item.Status = true, true, Morning, kiosk.StatusOnHold
	item.Subjects = "Dragons -- Fiction; Cats"
	patron := Patron(1)
	patron.Blocked, patron.BlockText, patron.Seen = kiosk.ReasonFees, "owes", Morning
	s.ok2(s.PutItems(ctx, []kiosk.Item{Item(0), item, Item(2)}))
	s.ok2(s.PutPatrons(ctx, []kiosk.Patron{Patron(0), patron, {Card: "x"}}))
	s.again()
	got, err := s.Item(ctx, item.Barcode)
	s.ok(err)
	s.same("Item()", got, item)
	s.copies(item)
	who, err := s.Patron(ctx, patron.Card)
	s.ok(err)
	patron.Local = true
	s.same("Patron()", who, patron)
	who, err = s.Patron(ctx, "x")
	s.ok(err)
	s.same("Patron(x)", who, kiosk.Patron{Card: "x", Local: true})
	// Said again, it is no change, and as young as it was said last.
	for _, at := range []time.Time{Morning.Add(time.Hour), Morning} {
		patron.Seen = at
		c, err := s.PutPatrons(ctx, []kiosk.Patron{patron})
		s.ok(err)
		s.same("PutPatrons() again", c, kiosk.Change{Same: 1})
	}
	patron.Seen = Morning.Add(time.Hour)
	who, err = s.Patron(ctx, patron.Card)
	s.ok(err)
	s.same("Patron() said again", who, patron)
	patron.Seen = Morning.Add(2 * time.Hour)
	s.ok(s.LearnPatron(ctx, patron))
	s.again()
	who, err = s.Patron(ctx, patron.Card)
	s.ok(err)
	s.same("Patron() learned again", who, patron)

	// What was seen in a year to come, was seen by another clock.
	for _, at := range []time.Time{Morning.AddDate(1, 0, 0), Morning.Add(3 * time.Hour)} {
		patron.Seen = at
		_, err := s.PutPatrons(ctx, []kiosk.Patron{patron})
		s.ok(err)
	}
	who, err = s.Patron(ctx, patron.Card)
	s.ok(err)
	s.same("Patron() seen in a year, and now", who, patron)

	copies, err := s.Copies(ctx, item.ISBN, 5)
	s.ok(err)
	s.same("Copies()", copies, []kiosk.Item{Item(0), item})
	copies, err = s.Copies(ctx, item.ISBN, 1)
	s.ok(err)
	s.same("Copies(1)", copies, []kiosk.Item{Item(0)})
	none, err := s.Copies(ctx, "", 5)
	s.ok(err)
	s.same("Copies of no ISBN", none, []kiosk.Item(nil))
}

func (s *suite) learn() {
	ctx := s.Context()
	s.ok2(s.PutItems(ctx, []kiosk.Item{Item(1)}))
	item := Item(1)
	item.Title, item.Seen = "as upstream has it", Morning
	s.ok(s.LearnItem(ctx, item))
	p := Patron(1)
	p.PINChecked = true // of that question alone
	s.ok(s.LearnPatron(ctx, p))
	for range 2 {
		got, err := s.Item(ctx, item.Barcode)
		s.ok(err)
		s.same("Item()", got, item)
		who, err := s.Patron(ctx, p.Card)
		s.ok(err)
		want := Patron(1)
		want.Local = true
		s.same("Patron()", who, want)
		s.again()
	}
	little := kiosk.Patron{Card: p.Card, FamilyName: "Ada Lin", Blocked: kiosk.ReasonFees, Seen: Morning} // as SIP2 tells
	s.ok(s.LearnPatron(ctx, little))
	who, err := s.Patron(ctx, p.Card)
	s.ok(err)
	want := Patron(1)
	want.Blocked, want.Seen, want.Local = kiosk.ReasonFees, Morning, true
	s.same("Patron() of whom little was told", who, want)
	s.holds()
	for n := range 500 {
		s.ok(s.LearnItem(ctx, Item(n)))
		s.ok(s.LearnPatron(ctx, Patron(n)))
	}
	got, err := s.Item(ctx, Barcode(499))
	s.ok(err)
	s.same("Item(499)", got, Item(499))
	s.ok2(s.PutItems(ctx, []kiosk.Item{item})) // an import has the last word
	got, err = s.Item(ctx, item.Barcode)
	s.ok(err)
	s.same("Item()", got, item)
}

// holds: a list that does not tell what waits for somebody leaves it waiting,
// whether that is on disk yet or not.
func (s *suite) holds() {
	ctx := s.Context()
	held, listed := Item(2), Item(2)
	held.Status, held.Seen = kiosk.StatusOnHold, Morning
	listed.Title, listed.Status, listed.Seen = "another", "", Morning.Add(time.Second)
	s.ok2(s.PutItems(ctx, []kiosk.Item{Item(2)}))
	for _, want := range []kiosk.ItemStatus{kiosk.StatusOnHold, kiosk.StatusOnHold, kiosk.StatusAvailable} {
		if s.ok(s.LearnItem(ctx, held)); want == kiosk.StatusAvailable {
			listed.Seen = Morning.Add(time.Hour)
		}
		s.ok2(s.PutItems(ctx, []kiosk.Item{listed, Item(3)}))
		got, err := s.Item(ctx, held.Barcode)
		s.ok(err)
		s.same("Item() of which a list can't tell whether it waits", got.Title+": "+string(got.Status), "another: "+string(want))
		s.again()
	}
}

func (s *suite) load() {
	ctx := s.Context()
	items, patrons := numbered(250, Item), numbered(250, Patron)
	expect := func(what string, want kiosk.Change) func(kiosk.Change, error) {
		return func(got kiosk.Change, err error) {
			s.Helper()
			s.ok(err)
			s.same(what, got, want)
		}
	}
	expect("first items", kiosk.Change{New: 250})(s.PutItems(ctx, items))
	expect("same items", kiosk.Change{Same: 250})(s.PutItems(ctx, items))
	expect("first patrons", kiosk.Change{New: 250})(s.PutPatrons(ctx, patrons))
	s.again()
	expect("same patrons", kiosk.Change{Same: 250})(s.PutPatrons(ctx, patrons))
	items[7].Title, patrons[7].Expires = "another", time.Time{}
	expect("an item changed", kiosk.Change{Changed: 1, Same: 249, New: 1})(s.PutItems(ctx, append(items, Item(250))))
	expect("a patron changed", kiosk.Change{Changed: 1, Same: 249})(s.PutPatrons(ctx, patrons))
	expect("one item twice", kiosk.Change{New: 1, Same: 1})(s.PutItems(ctx, []kiosk.Item{Item(300), Item(300)}))
	expect("nothing", kiosk.Change{})(s.PutItems(ctx, nil))
	got, err := s.Item(ctx, Barcode(7))
	s.ok(err)
	s.same("Item(7)", got, items[7])
	// Who tells no subjects takes none away.
	for n, about := range []string{"Cats", "", "Dogs"} {
		want := kiosk.Change{Changed: 1}
		if items[7].Subjects = about; about == "" {
			want = kiosk.Change{Same: 1}
		}
		expect(fmt.Sprint("subjects ", n), want)(s.PutItems(ctx, items[7:8]))
	}
	for _, about := range []string{"", "Mice"} {
		items[7].Title, items[7].Subjects = "a third", about
		s.ok(s.LearnItem(ctx, items[7]))
		got, err = s.Item(ctx, Barcode(7))
		s.ok(err)
		s.same("Item(7)", got.Title+": "+got.Subjects, "a third: "+cmp.Or(about, "Dogs"))
	}
}

func (s *suite) loadLoans() {
	ctx := s.Context()
	list := numbered(20, func(n int) kiosk.Loan {
		return kiosk.Loan{Item: Barcode(n), Patron: Card(n % 2), At: Morning.Add(-time.Duration(n) * time.Hour), Due: due}
	})
	got, err := s.PutLoans(ctx, list)
	s.ok(err)
	s.same("PutLoans()", got, kiosk.Change{New: 20})
	loans, err := s.Loans(ctx, Card(1))
	s.ok(err)
	if len(loans) != 10 || !slices.IsSortedFunc(loans, byTime) {
		s.Errorf("Loans() = %v; want ten, the oldest first", loans)
	}
	// What the ILS has not heard of yet is not forgotten for its list.
	back := s.record(As(Checkin(1, 1), kiosk.Offline, time.Time{}))
	lent := s.record(As(Checkout(2, 2, 7), kiosk.Offline, due))
	got, err = s.PutLoans(ctx, list)
	s.ok(err)
	s.same("PutLoans() again", got, kiosk.Change{Same: 20})
	s.out(1, 0, due)
	s.out(2, 7, due)
	s.conclude(After(back, kiosk.Settled))
	s.conclude(After(lent, kiosk.Settled))
	got, err = s.PutLoans(ctx, list) // now the list is newer
	s.ok(err)
	s.same("PutLoans() after", got, kiosk.Change{New: 1, Changed: 1, Same: 18})
	s.again()
	s.out(1, 1, due)
}

func (s *suite) ok2(_ kiosk.Change, err error) {
	s.Helper()
	s.ok(err)
}

func second[T any](_ T, err error) error { return err }
