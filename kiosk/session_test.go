package kiosk

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// bench drives a Session by hand: it keeps the effects that nobody has
// answered yet.
type bench struct {
	t    *testing.T
	s    Session
	now  time.Time
	ids  int
	open []Effect
}

func newBench(t *testing.T, r Rules) *bench {
	r.Location = time.UTC
	b := &bench{t: t, s: NewSession(r), now: noon}
	b.send(LinkChanged{Up: true})
	return b
}

func (b *bench) send(ev Event) {
	b.t.Helper()
	var out []Effect
	b.s, out = b.s.Step(ev, b.now, func() ID { b.ids++; return ID(fmt.Sprintf("id-%04d", b.ids)) })
	b.open = append(b.open, out...)
}

// take removes the oldest open effect of type E.
func take[E Effect](b *bench) E {
	b.t.Helper()
	for i, e := range b.open {
		if e, ok := e.(E); ok {
			b.open = append(b.open[:i:i], b.open[i+1:]...)
			return e
		}
	}
	var zero E
	b.t.Fatalf("no open effect %T in %+v", zero, b.open)
	return zero
}

func (b *bench) view(v View) {
	b.t.Helper()
	if got := b.s.Screen().View; got != v {
		b.t.Fatalf("view = %q; want %q", got, v)
	}
}

func (b *bench) only(state LineState, why Reason) Line {
	b.t.Helper()
	sc := b.s.Screen()
	if len(sc.Lines) != 1 || sc.Lines[0].State != state || sc.Lines[0].Reason != why {
		b.t.Fatalf("lines = %+v; want one %s %q", sc.Lines, state, why)
	}
	return sc.Lines[0]
}

func (b *bench) open1(card Card) {
	b.t.Helper()
	b.send(CardRead{card})
	id := take[Identify](b)
	b.send(Identified{Card: id.Card, Patron: Patron{Card: id.Card, FirstName: "Ada", FamilyName: "Lin"}})
}

func (b *bench) find(it Item, loan *Loan) {
	b.t.Helper()
	l := take[Look](b)
	f := Found{Line: l.Line, Items: []Item{it}}
	if it.Barcode == "" {
		f.Items = nil
	}
	if loan != nil {
		f.Loan, f.OnLoan = *loan, true
	}
	b.send(f)
}

func (b *bench) store() Entry {
	b.t.Helper()
	r := take[Record](b)
	b.send(Stored{Entry: r.Entry.ID, State: r.Entry.State})
	return r.Entry
}

func (b *bench) conclude() Outcome {
	b.t.Helper()
	c := take[Conclude](b)
	b.send(Stored{Entry: c.Outcome.Entry, State: c.Outcome.State})
	return c.Outcome
}

var (
	book  = Item{Barcode: "31234000010064", Title: "Dune", ISBN: "9780441013593"}
	book2 = Item{Barcode: "30234000517861", Title: "Emma"}
	due   = time.Date(2026, 12, 14, 23, 59, 59, 0, time.UTC)
)

func TestBorrowOnline(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	b.only(LineWaiting, "")
	e := b.store()
	if e.State != Asked || e.Patron != "c1" || e.Kind != Checkout {
		t.Fatalf("recorded %+v; want an asked checkout for c1", e)
	}
	ask := take[Ask](b)
	b.send(Answered{Entry: ask.Entry.ID, Answer: Answer{Due: due}})
	b.only(LineWaiting, "") // not before it is on disk
	if o := b.conclude(); o.State != Granted || !o.Due.Equal(due) {
		t.Fatalf("concluded %+v; want granted with the due date", o)
	}
	if l := b.only(LineLent, ""); !l.Due.Equal(due) || l.Title != "Dune" {
		t.Fatalf("line = %+v", l)
	}
	b.send(Finish{})
	b.view(ViewReceipt)
	b.now = b.now.Add(time.Minute)
	b.send(Tick{})
	b.view(ViewWelcome)
	if sc := b.s.Screen(); len(sc.Lines) != 0 || sc.Patron != "" || sc.Card != "" {
		t.Fatalf("after the receipt the screen still shows %+v", sc)
	}
}

func TestAnswersDecide(t *testing.T) {
	refused := &Error{Code: CodeRefused, Reason: ReasonOnHold, Text: "held"}
	tests := []struct {
		name  string
		err   error
		items bool // the mirror knows the item
		want  State
		line  LineState
		why   Reason
	}{
		{"refused", refused, true, Denied, LineRefused, ReasonOnHold},
		{"refused without a reason", &Error{Code: CodeRefused}, true, Denied, LineRefused, ReasonAskStaff},
		{"invalid", &Error{Code: CodeInvalid}, true, Denied, LineRefused, ReasonAskStaff},
		{"offline", &Error{Code: CodeOffline}, true, Offline, LineLent, ""},
		{"unsure", &Error{Code: CodeUnsure}, true, Unsure, LineLent, ""},
		{"an error without a class may have had an effect", errors.New("?"), true, Unsure, LineLent, ""},
		{"offline, unknown here", &Error{Code: CodeOffline}, false, Dismissed, LineRefused, ReasonUnknownItem},
		{"unsure, unknown here: staff must look", &Error{Code: CodeUnsure}, false, Exception, LineRefused, ReasonUnknownItem},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, Rules{})
			b.open1("c1")
			b.send(ItemPlaced{book.Barcode})
			it := book
			if !tt.items {
				it = Item{}
			}
			b.find(it, nil)
			b.store()
			b.send(Answered{Entry: take[Ask](b).Entry.ID, Err: tt.err})
			o := b.conclude()
			if o.State != tt.want {
				t.Errorf("concluded %s; want %s", o.State, tt.want)
			}
			if o.State.Queued() && o.Due.IsZero() {
				t.Errorf("a promise without a due date: %+v", o)
			}
			b.only(tt.line, tt.why)
		})
	}
}

func TestLocalRules(t *testing.T) {
	tests := []struct {
		name  string
		rules Rules
		item  Item
		loan  *Loan
		line  LineState
		why   Reason
	}{
		{"lent", Rules{}, book, nil, LineLent, ""},
		{"unknown", Rules{}, Item{}, nil, LineRefused, ReasonUnknownItem},
		{"unknown, allowed", Rules{UnknownItems: true}, Item{}, nil, LineLent, ""},
		{"reference", Rules{}, Item{Barcode: book.Barcode, Reference: true}, nil, LineRefused, ReasonNotForLoan},
		{"does not circulate", Rules{}, Item{Barcode: book.Barcode, NoLoan: true}, nil, LineRefused, ReasonNotForLoan},
		{"withdrawn", Rules{}, Item{Barcode: book.Barcode, Status: StatusWithdrawn}, nil, LineRefused, ReasonNotForLoan},
		{"lost and found is lent", Rules{}, Item{Barcode: book.Barcode, Status: StatusLost}, nil, LineLent, ""},
		{"on hold", Rules{}, Item{Barcode: book.Barcode, Status: StatusOnHold}, nil, LineRefused, ReasonOnHold},
		{"another has it", Rules{}, book, &Loan{Patron: "c2"}, LineRefused, ReasonOnLoanOther},
		{"this patron has it", Rules{}, book, &Loan{Patron: "c1"}, LineAction, ReasonOnLoanYou},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.rules)
			b.send(LinkChanged{Up: false})
			b.open1("c1")
			b.send(ItemPlaced{book.Barcode})
			b.find(tt.item, tt.loan)
			if tt.line == LineLent {
				b.only(LineWaiting, "")
				if e := b.store(); e.State != Offline || e.Due.IsZero() {
					t.Fatalf("recorded %+v; want offline with a due date, in one step", e)
				}
			}
			b.only(tt.line, tt.why)
			if len(b.open) != 0 {
				t.Errorf("effects left: %+v", b.open)
			}
		})
	}
}

func TestLimitCountsThisSession(t *testing.T) {
	b := newBench(t, Rules{MaxLoans: 2})
	b.send(LinkChanged{Up: false})
	b.send(CardRead{"c1"})
	b.send(Identified{Card: take[Identify](b).Card, Patron: Patron{Card: "c1"}, Loans: 1})
	b.send(ItemPlaced{book.Barcode})
	b.send(ItemPlaced{book2.Barcode})
	b.find(book, nil)
	b.find(book2, nil) // the first is not on disk yet, and counts
	b.store()
	sc := b.s.Screen()
	if sc.Lines[0].State != LineLent || sc.Lines[1].Reason != ReasonTooMany {
		t.Fatalf("lines = %+v; want one lent, one too many", sc.Lines)
	}
}

func TestUnsettledItemIsNotAsked(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.send(Found{Line: take[Look](b).Line, Items: []Item{book}, Unsettled: true})
	if e := b.store(); e.State != Offline {
		t.Fatalf("recorded %s; an item in the outbox must not be asked about out of order", e.State)
	}
	b.only(LineLent, "")
}

// TestInterruptedLoan: the daemon died between question and answer; the
// patron scans the book again and must be promised it, or refused.
func TestInterruptedLoan(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.send(Found{Line: take[Look](b).Line, Items: []Item{book}, Unsettled: true, OnLoan: true, Loan: Loan{Item: book.Barcode, Patron: "c1"}})
	if e := b.store(); e.State != Offline || e.Due.IsZero() {
		t.Fatalf("recorded %+v; want a promise", e)
	}
	b.only(LineLent, "")
}

func TestReturn(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(StartReturn{})
	b.view(ViewItems)
	b.send(ItemPlaced{book.Barcode})
	b.find(book, &Loan{Item: book.Barcode, Patron: "c9"})
	if e := b.store(); e.Kind != Checkin || e.Patron != "c9" {
		t.Fatalf("recorded %+v; want a checkin that names who had it", e)
	}
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Alert: true, Route: Route{For: ForHold, Bin: "2"}}})
	b.conclude()
	if l := b.only(LineReturned, ""); !l.Alert || l.Route != (Route{For: ForHold, Bin: "2"}) {
		t.Errorf("%+v; want the alert and the route that the ILS told", l)
	}
	b.send(CardRead{"c1"}) // a card ends the return
	b.view(ViewIdentifying)
}

func TestBookBeforeCard(t *testing.T) {
	for _, mode := range []Mode{Borrowing, Returning} {
		b := newBench(t, Rules{})
		b.send(ItemPlaced{book.Barcode})
		b.find(book, nil)
		if l := b.only(LineAction, ReasonWaitsForCard); l.Title != "Dune" {
			t.Errorf("a waiting book has no title: %+v", l)
		}
		want := Checkout
		if mode == Returning {
			b.send(StartReturn{})
			want = Checkin
		} else {
			b.open1("c1")
		}
		b.find(book, nil)
		if e := b.store(); e.Kind != want {
			t.Errorf("%s: recorded a %s", mode, e.Kind)
		}
	}
}

func TestBooksThatWaitAreNotKeptForEver(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(ItemPlaced{book.Barcode})
	b.now = b.now.Add(2 * time.Minute)
	b.send(Tick{})
	if n := len(b.s.Screen().Lines); n != 0 {
		t.Fatalf("%d lines after two minutes; the next patron must not get them", n)
	}
}

func TestISBN(t *testing.T) {
	tests := []struct {
		copies []Item
		line   LineState
		why    Reason
	}{
		{nil, LineRefused, ReasonISBNUnknown},
		{[]Item{book}, LineWaiting, ""},
		{[]Item{book, book2}, LineRefused, ReasonISBNMany},
	}
	for _, tt := range tests {
		b := newBench(t, Rules{})
		b.open1("c1")
		b.send(ISBNRead{book.ISBN})
		b.send(Found{Line: take[Look](b).Line, Items: tt.copies})
		b.only(tt.line, tt.why)
	}
	// The same copy by its own label and by its ISBN is one line.
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	b.send(ISBNRead{book.ISBN})
	b.find(book, nil)
	if l := b.only(LineWaiting, ""); l.Times != 2 {
		t.Errorf("times = %d; want 2", l.Times)
	}
}

func TestJunk(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(Unreadable{Code: "%C123H", Reason: ReasonForeign})
	if n := b.s.Screen().Notice; n.Reason != ReasonForeign || n.Code != "%C123H" {
		t.Errorf("notice = %+v", n)
	}
	b.open1("c1")
	b.send(Unreadable{Code: "zzz", Reason: ReasonUnreadable})
	b.send(Unreadable{Code: "zzz", Reason: ReasonUnreadable})
	b.only(LineRefused, ReasonUnreadable)
	b.send(Finish{})
	b.view(ViewWelcome) // nothing was lent: no receipt
}

func TestSameScanTwice(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	b.store()
	b.send(ItemPlaced{book.Barcode})
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Due: due}})
	b.conclude()
	b.send(ItemPlaced{book.Barcode})
	if l := b.only(LineLent, ""); l.Times != 4 || len(b.open) != 0 {
		t.Errorf("line %+v, effects %+v; want one loan scanned 4 times", l, b.open)
	}
}

func TestARefusedBookMayTryAgain(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(LinkChanged{Up: false})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	r := take[Record](b)
	b.send(NotStored{Entry: r.Entry.ID, State: r.Entry.State, Err: errors.New("disk full")})
	b.only(LineRefused, ReasonNotStored)
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	if e := b.store(); e.ID == r.Entry.ID {
		t.Error("the second try has the ID of the first")
	}
	b.only(LineLent, "")
}

func TestGrantedButNotStored(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	b.store()
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Due: due}})
	c := take[Conclude](b)
	b.send(NotStored{Entry: c.Outcome.Entry, State: Granted, Err: errors.New("disk full")})
	b.only(LineAction, ReasonNotKept) // the ILS has lent it: it must not be left behind
	b.send(ItemPlaced{book.Barcode})  // must not be asked a second time
	b.only(LineAction, ReasonNotKept)
	if len(b.open) != 0 {
		t.Fatalf("effects %+v", b.open)
	}
	b.send(Stored{Entry: c.Outcome.Entry, State: Granted}) // the desk's second try
	b.only(LineLent, "")
}

func TestRenew(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	was := noon.AddDate(0, 0, 3)
	b.find(book, &Loan{Item: book.Barcode, Patron: "c1", Due: was})
	l := b.only(LineAction, ReasonOnLoanYou)
	b.send(RenewLine{Line: l.ID})
	if e := b.store(); e.Kind != Renew || !e.WasDue.Equal(was) {
		t.Fatalf("recorded %+v", e)
	}
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Due: due}})
	b.conclude()
	b.only(LineRenewed, "")
}

func TestIdleSessionEnds(t *testing.T) {
	b := newBench(t, Rules{Idle: time.Minute, Warn: 20 * time.Second})
	b.open1("c1")
	sc := b.s.Screen()
	if !sc.EndsAt.Equal(noon.Add(time.Minute)) || !sc.WarnAt.Equal(noon.Add(40*time.Second)) {
		t.Fatalf("ends at %v, warns at %v", sc.EndsAt, sc.WarnAt)
	}
	b.now = noon.Add(50 * time.Second)
	b.send(ItemPlaced{book.Barcode}) // still placing books
	b.find(book, nil)
	b.now = noon.Add(2 * time.Minute)
	b.send(Tick{})
	b.view(ViewItems) // the book is not through yet
	b.store()
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Due: due}})
	b.conclude()
	b.view(ViewReceipt)
	b.send(ItemPlaced{book2.Barcode}) // during the receipt: not on the last patron's card
	b.view(ViewWelcome)
	b.only(LineAction, ReasonWaitsForCard)
}

func TestStepDoesNotChangeItsSession(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	before := b.s
	n := 0
	id := func() ID { n++; return ID(fmt.Sprint("x", n)) }
	before.Step(Found{Line: before.Screen().Lines[0].ID, Items: []Item{book}}, b.now, id)
	before.Step(Finish{}, b.now, id)
	if l := before.Screen().Lines[0]; l.Title != "" || before.Screen().Closing {
		t.Errorf("the old session changed: %+v", l)
	}
}

// TestReturnedElsewhere: the mirror still has a loan that ended at another
// desk. The renewal that it offers becomes a checkout.
func TestReturnedElsewhere(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.find(book, &Loan{Item: book.Barcode, Patron: "c1", Due: due})
	b.send(RenewLine{b.only(LineAction, ReasonOnLoanYou).ID})
	b.store()
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Err: &Error{Code: CodeRefused, Reason: ReasonNotOnLoan}})
	b.conclude()
	b.find(book, nil) // the ledger has learned from the refusal
	if e := b.store(); e.Kind != Checkout || e.Patron != "c1" {
		t.Fatalf("recorded %+v; want a checkout", e)
	}
	b.grant()
	b.only(LineLent, "")
}

// TestAfterFinish: what is put down after Finish may be the next one's.
func TestAfterFinish(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.send(Finish{})
	b.send(ItemPlaced{book2.Barcode})
	b.find(book, nil)
	b.store()
	b.grant()
	b.view(ViewWelcome)
	if l := b.only(LineAction, ReasonWaitsForCard); l.Item != book2.Barcode {
		t.Errorf("%s waits; want %s", l.Item, book2.Barcode)
	}
}

// TestDecidedButNotStored: what was decided here and could not be stored did
// not happen; what the ILS has refused is shown as that.
func TestDecidedButNotStored(t *testing.T) {
	for state, err := range map[State]error{Offline: &Error{Code: CodeOffline}, Denied: &Error{Code: CodeRefused, Reason: ReasonOnHold}} {
		b := newBench(t, Rules{})
		b.open1("c1")
		b.send(ItemPlaced{book.Barcode})
		b.find(book, nil)
		b.store()
		b.send(Answered{Entry: take[Ask](b).Entry.ID, Err: err})
		c := take[Conclude](b)
		b.send(NotStored{Entry: c.Outcome.Entry, State: c.Outcome.State, Err: errors.New("disk full")})
		b.only(LineRefused, map[State]Reason{Offline: ReasonNotStored, Denied: ReasonOnHold}[state])
	}
}

// TestMisread: a wrong check digit is no news after the good scan, and no
// junk is on the receipt.
func TestMisread(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(Unreadable{Code: "31234000010065", Reason: ReasonCheckDigit})
	b.only(LineRefused, ReasonCheckDigit)
	b.send(ItemPlaced{book.Barcode})
	b.only(LineWaiting, "")
	b.send(Unreadable{Code: "https://example.org", Reason: ReasonUnreadable})
	b.find(book, nil)
	b.store()
	b.grant()
	b.send(Finish{})
	b.view(ViewReceipt)
	b.only(LineLent, "")
}

// TestPlacingBooksKeepsTheSession: whatever a patron does with books moves the
// end away, also what leads to nothing; for half an hour nobody is cut off.
func TestPlacingBooksKeepsTheSession(t *testing.T) {
	b := newBench(t, Rules{Idle: time.Minute, Warn: 20 * time.Second})
	b.open1("c1")
	for i := range 4 {
		for _, what := range []struct {
			name string
			ev   Event
		}{
			{"a book", ItemPlaced{Barcode(fmt.Sprintf("3000%d", i))}},
			{"the same again", ItemPlaced{book.Barcode}},
			{"no code of ours", Unreadable{Code: fmt.Sprint("X", i), Reason: ReasonUnreadable}},
			{"a code of the trade", ISBNRead{ISBN: fmt.Sprintf("978000000000%d", i)}},
			{"a tag", TagPlaced{Tag: TagID(fmt.Sprint("T", i)), Item: Barcode(fmt.Sprintf("3001%d", i))}},
			{"a stranger's tag", TagUnread{Tag: TagID(fmt.Sprint("U", i)), Reason: ReasonTagForeign}},
			{"a tag lifted", TagRemoved{Tag: TagID(fmt.Sprint("T", i))}},
			{"a touch", Touched{}},
		} {
			b.now = b.now.Add(55 * time.Second)
			b.send(Tick{})
			b.view(ViewItems)
			b.send(what.ev)
			if sc := b.s.Screen(); !sc.EndsAt.Equal(b.now.Add(time.Minute)) {
				t.Errorf("after %s the session ends in %v", what.name, sc.EndsAt.Sub(b.now))
				b.send(Touched{})
			}
		}
	}
}
