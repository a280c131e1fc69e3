package kiosktest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Store is all that a ledger with its mirror can do.
type Store interface {
	kiosk.Ledger
	kiosk.Outbox
	kiosk.Mirror
	kiosk.Loader
	kiosk.Dater
	Close() error
}

// Reopener is a Store that the suite closes and opens again in the middle of
// a test, to see that what was written is kept.
type Reopener interface {
	Store
	Reopen() (Store, error)
}

// TestLedger is what every ledger must pass. open gives an empty one and has
// it closed when its test ends.
func TestLedger(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*suite){
		"EntryTwice":      (*suite).entryTwice,
		"Nonsense":        (*suite).nonsense,
		"States":          (*suite).states,
		"OutboxOrder":     (*suite).outboxOrder,
		"Postpone":        (*suite).postpone,
		"Interrupted":     (*suite).interrupted,
		"Differs":         (*suite).differs,
		"LoanOffline":     (*suite).loanOffline,
		"LoanGranted":     (*suite).loanGranted,
		"Return":          (*suite).giveBack,
		"Renewal":         (*suite).renewal,
		"Seen":            (*suite).onShelf,
		"LateRefusal":     (*suite).lateRefusal,
		"LateRefusals":    (*suite).lateRefusals,
		"LateOverride":    (*suite).lateOverride,
		"Newest":          (*suite).newest,
		"Mirror":          (*suite).mirror,
		"Learn":           (*suite).learn,
		"Load":            (*suite).load,
		"LoadLoans":       (*suite).loadLoans,
		"ListEnds":        (*suite).listEnds,
		"ListCutOff":      (*suite).listCutOff,
		"ListMeanwhile":   (*suite).listMeanwhile,
		"Fresh":           (*suite).fresh,
		"GivenUp":         (*suite).givenUp,
		"ManyAtOnce":      (*suite).manyAtOnce,
		"NotOnLoan":       (*suite).notOnLoan,
		"WorkCheckout":    (*suite).workCheckout,
		"WorkCutOff":      (*suite).workCutOff,
		"WorkCheckin":     (*suite).workCheckin,
		"ItemTags":        (*suite).itemTags,
		"WorkInterrupted": (*suite).workInterrupted,
		"WorkNewest":      (*suite).workNewest,
		"Attach":          (*suite).attach,
		"FieldsSurvive":   (*suite).fields,
		"Dates":           (*suite).dates,
		"DatedAsItIs":     (*suite).datedAsItIs,
		"DatedBoots":      (*suite).datedBoots,
		"DatedBack":       (*suite).datedBack,
	} {
		t.Run(name, func(t *testing.T) { test(&suite{t, open(t)}) })
	}
}

type suite struct {
	*testing.T
	Store
}

// due is when loans of the suite are due.
var due = Morning.AddDate(0, 0, 21)

// again reopens the store if it can be.
func (s *suite) again() {
	s.Helper()
	r, ok := s.Store.(Reopener)
	if !ok {
		return
	}
	next, err := r.Reopen()
	if err != nil {
		s.Fatalf("Reopen: %v", err)
	}
	s.Store = next
}

func (s *suite) record(e kiosk.Entry) kiosk.Entry {
	s.Helper()
	s.ok(s.Record(s.Context(), e))
	return e
}

func (s *suite) conclude(o kiosk.Outcome) {
	s.Helper()
	s.ok(s.Conclude(s.Context(), o))
}

func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// outbox checks that the outbox holds these entries, by number, in order.
func (s *suite) outbox(want ...int) []kiosk.Queued {
	s.Helper()
	got, err := s.Queue(s.Context(), 1000)
	s.ok(err)
	var ids, wantIDs []kiosk.ID
	for _, q := range got {
		ids = append(ids, q.ID)
	}
	for _, n := range want {
		wantIDs = append(wantIDs, ID(n))
	}
	if !reflect.DeepEqual(ids, wantIDs) {
		s.Fatalf("Queue() holds %v; want %v", ids, wantIDs)
	}
	return got
}

// out checks that item is out to card, due at due, and that the card's list
// says so too; card 0 means that nobody has it.
func (s *suite) out(item, card int, due time.Time) {
	s.Helper()
	c, err := s.Copy(s.Context(), Barcode(item))
	s.ok(err)
	l, err := s.Loan(s.Context(), Barcode(item))
	if c.Loan != l || c.OnLoan != (err == nil) {
		s.Fatalf("Copy(%d) = %+v; but Loan is %+v, %v", item, c, l, err)
	}
	if card == 0 {
		if !errors.Is(err, kiosk.ErrUnknown) {
			s.Fatalf("Loan(%d) = %+v, %v; want ErrUnknown", item, l, err)
		}
		return
	}
	s.ok(err)
	if l.Patron != Card(card) || !l.Due.Equal(due) || l.Item != Barcode(item) {
		s.Fatalf("Loan(%d) = %+v; want card %s, due %v", item, l, Card(card), due)
	}
	list, err := s.Loans(s.Context(), Card(card))
	s.ok(err)
	for _, have := range list {
		if have == l {
			return
		}
	}
	s.Fatalf("Loans(%d) = %+v; want %+v among them", card, list, l)
}

func (s *suite) entryTwice() {
	e := s.record(As(Checkout(1, 1, 1), kiosk.Offline, due))
	other := As(Checkout(1, 2, 2), kiosk.Offline, due)
	s.record(other)
	s.out(1, 1, due)
	s.out(2, 0, due)
	s.outbox(1)
	s.conclude(After(e, kiosk.Settled))
	s.record(e)
	s.again()
	s.record(e)
	s.outbox()
}

func (s *suite) nonsense() {
	good := Checkout(1, 1, 1)
	for name, spoil := range map[string]func(*kiosk.Entry){
		"no ID":        func(e *kiosk.Entry) { e.ID = "" },
		"no item":      func(e *kiosk.Entry) { e.Item = "" },
		"no patron":    func(e *kiosk.Entry) { e.Patron = "" },
		"no time":      func(e *kiosk.Entry) { e.At = time.Time{} },
		"no kind":      func(e *kiosk.Entry) { e.Kind = "" },
		"no state":     func(e *kiosk.Entry) { e.State = "" },
		"an exception": func(e *kiosk.Entry) { e.State = kiosk.Exception },
		"a difference": func(e *kiosk.Entry) { e.State = kiosk.Differs },
	} {
		e := good
		spoil(&e)
		if err := s.Record(s.Context(), e); kiosk.CodeOf(err) != kiosk.CodeInvalid {
			s.Errorf("Record with %s: %v; want %s", name, err, kiosk.CodeInvalid)
		}
	}
	s.outbox()
	if err := s.Conclude(s.Context(), After(good, kiosk.Granted)); !errors.Is(err, kiosk.ErrUnknown) {
		s.Errorf("Conclude of what was never recorded: %v; want ErrUnknown", err)
	}
	s.record(good)
	for _, o := range []kiosk.Outcome{
		{Entry: good.ID, State: "maybe", At: Morning},
		{Entry: good.ID, State: kiosk.Granted},
	} {
		if err := s.Conclude(s.Context(), o); kiosk.CodeOf(err) != kiosk.CodeInvalid {
			s.Errorf("Conclude(%+v): %v; want %s", o, err, kiosk.CodeInvalid)
		}
	}
	s.outbox(1)
}

// states walks each path an entry may take and tries one it may not.
func (s *suite) states() {
	for n, path := range [][]kiosk.State{
		// the last of each can't follow the one before it
		{kiosk.Asked, kiosk.Granted, kiosk.Asked},
		{kiosk.Asked, kiosk.Denied, kiosk.Granted},
		{kiosk.Asked, kiosk.Dismissed, kiosk.Offline},
		{kiosk.Asked, kiosk.Exception, kiosk.Asked},
		{kiosk.Asked, kiosk.Unsure, kiosk.Offline, kiosk.Settled, kiosk.Unsure},
		{kiosk.Asked, kiosk.Offline, kiosk.Exception, kiosk.Unsure, kiosk.Exception, kiosk.Denied},
		{kiosk.Offline, kiosk.Exception, kiosk.Settled, kiosk.Granted},
		{kiosk.Offline, kiosk.Settled, kiosk.Dismissed, kiosk.Settled},
		{kiosk.Offline, kiosk.Asked},
		{kiosk.Unsure, kiosk.Differs, kiosk.Unsure, kiosk.Differs, kiosk.Offline},
		{kiosk.Unsure, kiosk.Differs, kiosk.Settled, kiosk.Differs},
		{kiosk.Offline, kiosk.Differs, kiosk.Dismissed, kiosk.Differs},
	} {
		e := s.record(As(Checkout(n, n, 1), path[0], due))
		last := len(path) - 1
		for i, to := range path[1:last] {
			s.conclude(After(e, to))
			s.conclude(After(e, to)) // the same twice stores nothing
			s.queued(e, to)
			if i == 0 {
				s.again()
			}
		}
		err := s.Conclude(s.Context(), After(e, path[last]))
		if kiosk.CodeOf(err) != kiosk.CodeInvalid {
			s.Errorf("%v: the last gave %v; want %s", path, err, kiosk.CodeInvalid)
		}
		s.queued(e, path[last-1])
	}
}

// queued checks that an entry waits in the outbox in its state, or does not wait.
func (s *suite) queued(e kiosk.Entry, state kiosk.State) {
	s.Helper()
	list, err := s.Queue(s.Context(), 1000)
	s.ok(err)
	found := false
	for _, q := range list {
		if q.ID == e.ID {
			found = true
			if q.State != state {
				s.Errorf("Queue() has %s as %s; want %s", e.ID, q.State, state)
			}
		}
	}
	c, err := s.Copy(s.Context(), e.Item)
	s.ok(err)
	if found != state.Queued() || c.Unsettled != state.Queued() {
		s.Errorf("%s: in the outbox %v, Unsettled %v; want %v", state, found, c.Unsettled, state.Queued())
	}
}

func (s *suite) outboxOrder() {
	// The order is that of recording, whatever the clock and the IDs say.
	for _, n := range []int{3, 1, 2} {
		s.record(As(Checkout(n, n, 1), kiosk.Offline, due))
	}
	s.outbox(3, 1, 2)
	s.conclude(After(Checkout(3, 3, 1), kiosk.Exception))
	s.outbox(1, 2)
	s.again()
	s.record(As(Checkout(4, 4, 1), kiosk.Unsure, due))
	s.conclude(After(Checkout(3, 3, 1), kiosk.Offline)) // tried again: back to its place
	s.outbox(3, 1, 2, 4)
	first, err := s.Queue(s.Context(), 2)
	s.ok(err)
	if len(first) != 2 || first[0].ID != ID(3) {
		s.Errorf("Queue(2) = %v; want the first two", first)
	}
}

func (s *suite) postpone() {
	e := s.record(Checkout(1, 1, 1))
	at := Morning.Add(time.Hour)
	s.ok(s.Postpone(s.Context(), e.ID, Morning))
	s.ok(s.Postpone(s.Context(), e.ID, at))
	s.again()
	if q := s.outbox(1)[0]; q.Attempts != 2 || !q.RetryAt.Equal(at) {
		s.Errorf("Attempts, RetryAt = %d, %v; want 2, %v", q.Attempts, q.RetryAt, at)
	}
	s.conclude(After(e, kiosk.Granted))
	if err := s.Postpone(s.Context(), e.ID, at); !errors.Is(err, kiosk.ErrUnknown) {
		s.Errorf("Postpone of what is not in the outbox: %v; want ErrUnknown", err)
	}
}

func (s *suite) interrupted() {
	s.record(Checkout(1, 1, 1))
	s.record(As(Checkout(2, 2, 1), kiosk.Offline, due))
	s.conclude(After(s.record(Checkout(3, 3, 1)), kiosk.Granted))
	s.record(Checkin(4, 4))
	s.again()
	now := Morning.Add(time.Hour)
	for _, want := range []int{2, 0} {
		if n, err := s.Interrupted(s.Context(), now); n != want || err != nil {
			s.Fatalf("Interrupted() = %d, %v; want %d", n, err, want)
		}
	}
	q := s.outbox(1, 2, 4)
	if q[0].State != kiosk.Unsure || q[1].State != kiosk.Offline || q[2].State != kiosk.Unsure {
		s.Errorf("states are %s %s %s; want unsure offline unsure", q[0].State, q[1].State, q[2].State)
	}
	s.out(1, 1, time.Time{})
	if at, err := s.Newest(s.Context()); !at.Equal(now) || err != nil {
		s.Errorf("Newest() = %v, %v; want %v", at, err, now)
	}
}

// differs: what the ILS has granted with another due date is a loan, until
// then, and out of the outbox.
func (s *suite) differs() {
	less := due.AddDate(0, 0, -7)
	e := s.record(As(Checkout(1, 1, 1), kiosk.Unsure, due))
	o := After(e, kiosk.Differs)
	o.Due = less
	s.conclude(o)
	s.outbox()
	s.out(1, 1, less)
	s.again()
	s.out(1, 1, less)
	o = After(e, kiosk.Unsure) // once more, as it was promised
	o.Due = due
	s.conclude(o)
	s.outbox(1)
	s.out(1, 1, due)
	s.conclude(After(e, kiosk.Settled))
	s.out(1, 1, due)
}

func (s *suite) newest() {
	want := func(t time.Time) {
		s.Helper()
		if got, err := s.Newest(s.Context()); !got.Equal(t) || err != nil {
			s.Errorf("Newest() = %v, %v; want %v", got, err, t)
		}
	}
	want(time.Time{})
	e := s.record(Checkout(100, 1, 1))
	want(e.At)
	s.record(Checkout(1, 2, 1)) // a clock that went back
	s.again()
	want(e.At)
	o := After(Checkout(200, 0, 0), kiosk.Granted)
	o.Entry = e.ID
	s.conclude(o)
	s.record(Checkout(50, 3, 1))
	s.again()
	want(o.At)
}

// givenUp: a caller that has gone changes nothing.
func (s *suite) givenUp() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if err := s.Record(ctx, As(Checkout(1, 1, 1), kiosk.Offline, due)); !errors.Is(err, context.Canceled) {
		s.Errorf("Record for a caller that has gone: %v; want context.Canceled", err)
	}
	s.outbox()
	s.out(1, 0, due)
}

// manyAtOnce: what fails beside others does not take them along.
func (s *suite) manyAtOnce() {
	const n = 60
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			if i%3 == 2 {
				errs[i] = s.Conclude(s.Context(), After(Checkout(1000+i, 0, 0), kiosk.Granted))
				return
			}
			errs[i] = s.Record(s.Context(), As(Checkout(i, i+1, i+1), kiosk.Offline, due))
		})
	}
	wg.Wait()
	for i, err := range errs {
		switch {
		case i%3 == 2 && !errors.Is(err, kiosk.ErrUnknown):
			s.Errorf("Conclude of nothing: %v; want ErrUnknown", err)
		case i%3 != 2 && err != nil:
			s.Error(err)
		case i%3 != 2:
			s.out(i+1, i+1, due)
		}
	}
	s.again()
	if q, err := s.Queue(s.Context(), n); len(q) != n/3*2 || err != nil {
		s.Errorf("Queue() has %d, %v; want %d", len(q), err, n/3*2)
	}
}

func (s *suite) fields() {
	e := kiosk.Entry{
		ID: ID(1), Session: "any session", Kind: kiosk.Renew, Item: "Ä '%|\"\x00 7", Patron: "c", At: Morning,
		Doubt: true, Up: kiosk.Uptime{Boot: "b", For: 90 * time.Millisecond}, Due: due, WasDue: Morning, State: kiosk.Asked, Title: "Öl auf Wasser 水", Text: "words",
	}
	s.record(e)
	s.again()
	if got := s.outbox(1)[0].Entry; !reflect.DeepEqual(got, e) {
		s.Errorf("Queue() gives %+v; want %+v", got, e)
	}
	o := After(e, kiosk.Unsure)
	o.Due, o.Text = due.AddDate(0, 0, 1), "silence"
	s.conclude(o)
	back := After(e, kiosk.Offline) // says nothing of due date and text
	s.conclude(back)
	s.again()
	e.State, e.Due, e.Text = kiosk.Offline, o.Due, o.Text
	if got := s.outbox(1)[0].Entry; !reflect.DeepEqual(got, e) {
		s.Errorf("Queue() gives %+v; want %+v", got, e)
	}
}

func numbered[T any](n int, make func(int) T) (list []T) {
	for i := range n {
		list = append(list, make(i))
	}
	return list
}

func (s *suite) same(what string, got, want any) {
	s.Helper()
	if !reflect.DeepEqual(got, want) {
		s.Errorf("%s = %s; want %s", what, fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
}

// onShelf: what stood on the shelf goes to the ILS, and changes no loan, whatever
// comes of it.
func (s *suite) onShelf() {
	s.record(As(Checkout(1, 1, 1), kiosk.Offline, due))
	for n, end := range []kiosk.State{kiosk.Settled, kiosk.Exception, kiosk.Dismissed, kiosk.Differs} {
		for item := range 2 {
			e := Checkout(10+2*n+item, item+1, 0)
			e.Kind, e.Patron, e.State = kiosk.Seen, "", kiosk.Offline
			s.record(e)
			s.conclude(After(e, end))
		}
	}
	s.out(1, 1, due)
	s.out(2, 0, due)
	s.conclude(After(Checkout(1, 1, 1), kiosk.Exception)) // it is not later than the loan
	s.out(1, 0, due)
	s.again()
	s.out(1, 0, due)
}

// notOnLoan: the ILS refuses because the item is not on loan. It came back
// elsewhere, and the mirror learns that.
func (s *suite) notOnLoan() {
	s.ok2(s.PutLoans(s.Context(), []kiosk.Loan{{Item: Barcode(1), Patron: Card(1), At: Morning, Due: due}}))
	e := s.record(Renew(1, 1, 1))
	o := After(e, kiosk.Denied)
	o.Reason = kiosk.ReasonNotOnLoan
	s.conclude(o)
	s.out(1, 0, due)
}
