package kiosk

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// walk drives a session with random events and answers every effect in a
// random order, late, and with every kind of answer. It keeps what a disk
// and a bystander would know, and compares.
type walk struct {
	*bench
	r      *rand.Rand
	disk   map[ID]State // what is on disk
	owner  map[ID]Card  // who was at the desk when a line's item was scanned; "" nobody
	asked  map[ID]bool  // put to the ILS
	held   map[ID]bool  // sessions that a reservation was asked for in
	kinds  map[ID]Kind
	cards  map[ID]Card        // the card that each recorded entry names
	last   Card               // read last
	either bool               // a number of either kind waits, or has waited, to be told what it is
	gate   map[TagID]Security // what was written on tags
	trail  []string
}

var walkCards = []Card{"c1", "c2", "c3"}

func TestWalk(t *testing.T) {
	seeds := 3000
	if testing.Short() {
		seeds = 300
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := &walk{bench: newBench(t, Rules{PIN: r.IntN(3) == 0, PINOffline: r.IntN(2) == 0, MaxLoans: r.IntN(4), AnyParts: r.IntN(4) == 0, Count: r.IntN(4) == 0,
			Receipts: Receipts{Print: r.IntN(2) == 0, Always: r.IntN(2) == 0, Mail: true, Titles: true}, UnknownItems: r.IntN(2) == 0, UnknownCards: r.IntN(2) == 0}), r: r,
			kinds: map[ID]Kind{}, gate: map[TagID]Security{}, disk: map[ID]State{}, owner: map[ID]Card{}, asked: map[ID]bool{}, held: map[ID]bool{}, cards: map[ID]Card{}}
		for range 80 {
			w.step(w.random())
		}
		w.rest()
		if t.Failed() {
			t.Fatalf("seed %d:\n%v", seed, w.trail)
		}
	}
}

func (w *walk) random() Event {
	if len(w.open) > 0 && w.r.IntN(2) == 0 {
		i := w.r.IntN(len(w.open))
		e := w.open[i]
		w.open = append(w.open[:i:i], w.open[i+1:]...)
		return w.answer(e)
	}
	if ev := w.seek(); ev != nil {
		return ev
	}
	var line ID
	if ls := w.s.lines; len(ls) > 0 {
		line = ls[w.r.IntN(len(ls))].ID
	}
	tag := TagID(fmt.Sprint("t", w.r.IntN(8)))
	switch w.r.IntN(20) {
	case 16, 17: // the tags of i0 to i3; i0 is a set of two, with t0 and t1, and t7 is another t0
		n := int(tag[1] - '0')
		ev := TagPlaced{Tag: tag, Item: Barcode(fmt.Sprint("i", max(0, n-1)%4)), Part: 1, Parts: 1, Old: w.r.IntN(8) == 0}
		if n < 2 || n == 7 {
			ev.Item, ev.Part, ev.Parts = "i0", 1+n%2, 2
		}
		return ev
	case 18:
		return TagRemoved{tag}
	case 19:
		return []Event{TagUnread{Tag: "t9", Code: "??", Reason: ReasonTagForeign}, TagRemoved{"t9"}, Counted{w.r.IntN(3)}}[w.r.IntN(3)]
	case 0, 1:
		return CardRead{walkCards[w.r.IntN(len(walkCards))]}
	case 2, 3, 4, 5:
		return ItemPlaced{Barcode(fmt.Sprint("i", w.r.IntN(6)))}
	case 6:
		return ISBNRead{fmt.Sprint("978", w.r.IntN(6))}
	case 7:
		if w.r.IntN(2) == 0 {
			return EitherRead{Code: string(walkCards[w.r.IntN(len(walkCards))]), Copy: w.r.IntN(2) == 0}
		}
		return Unreadable{Code: "junk", Reason: ReasonUnreadable}
	case 8:
		return PINEntered{"1"}
	case 9:
		return StartReturn{}
	case 10:
		return RenewLine{line}
	case 11:
		return []Event{DropLine{line}, Cancel{}, Touched{}, ShowAccount{}, ShowAccount{}, StartBorrow{}, RenewAll{}, CallHelp{}, DropHelp{}, PressHelp{}, ComeHelp{}, EndCare{},
			StartFind{}, StartFind{}, Search{Text: fmt.Sprint("q", w.r.IntN(3))}, OpenTitle{"i1"}, PlaceHold{"i1"}}[w.r.IntN(17)]
	case 12:
		return Finish{}
	case 13:
		return LinkChanged{Up: w.r.IntN(2) == 0}
	default:
		if w.r.IntN(3) == 0 {
			return AskReceipt{How: []Delivery{Print, Mail}[w.r.IntN(2)]}
		}
		w.now = w.now.Add(time.Duration(w.r.IntN(40)) * time.Second)
		return Tick{}
	}
}

// seek goes on with a search now and then: by chance alone hardly a visit comes
// to a reservation.
func (w *walk) seek() Event {
	switch n := w.r.IntN(8); {
	case w.s.view == ViewWelcome && len(w.s.lines) == 0 && n == 0, w.s.view == ViewAccount && n < 2:
		return StartFind{}
	case w.s.view == ViewFind && n < 6:
		return []Event{Search{Text: "q"}, OpenTitle{"i1"}, OpenTitle{"i1"}, OpenTitle{}, PlaceHold{"i1"}, PlaceHold{"i1"}}[n]
	case w.s.view == ViewCard && n < 4:
		return CardRead{walkCards[n%3]}
	}
	return nil
}

func (w *walk) answer(e Effect) Event {
	bad := w.r.IntN(4) == 0
	switch e := e.(type) {
	case Look:
		f := Found{Line: e.Line}
		item := e.Item
		if e.ISBN != "" {
			item = Barcode("i" + e.ISBN[3:])
		}
		if !bad {
			f.Items = []Item{{Barcode: item, Title: "T"}}
		}
		if w.r.IntN(3) == 0 {
			f.OnLoan, f.Loan = true, Loan{Item: item, Patron: walkCards[w.r.IntN(3)], Due: w.now.AddDate(0, 0, w.r.IntN(5)-2)}
		}
		f.Unsettled = w.r.IntN(5) == 0
		if w.r.IntN(3) == 0 && item != "" { // t8 is no more
			f.Tags, f.Pad = []TagID{TagID(fmt.Sprint("t", w.r.IntN(7))), "t8"}, w.r.IntN(2) == 0
		}
		return f
	case Identify:
		ev := Identified{Card: e.Card, Patron: Patron{Card: e.Card, Email: string(e.Card) + "@example.org", PINChecked: e.PIN != "" && !bad, Local: w.r.IntN(3) == 0}}
		if bad {
			ev.Err = []error{&Error{Code: CodeRefused, Reason: ReasonWrongPIN}, &Error{Code: CodeOffline}, errors.New("x")}[w.r.IntN(3)]
		}
		return ev
	case FetchAccount:
		a := Account{Local: bad}
		for range w.r.IntN(4) {
			a.Loans = append(a.Loans, Borrowed{Item: Barcode(fmt.Sprint("i", w.r.IntN(6))), Due: w.now.AddDate(0, 0, 3), Renewals: w.r.IntN(3) - 1})
		}
		return AccountFetched{Card: e.Card, Account: a, Err: maybe(bad, &Error{Code: CodeOffline})}
	case FindTitles:
		return TitlesFound{Text: e.Text, Page: e.Page, Holds: w.r.IntN(4) > 0, Findings: Findings{Total: 1, Titles: []Title{{Title: "T", Copies: []Whereabouts{{Item: Item{Barcode: "i1"}}}}}}}
	case AskHold:
		if e.Card == "" || e.Card != w.s.patron.Card {
			w.t.Errorf("a reservation for %q, while %q is at the desk", e.Card, w.s.patron.Card)
		}
		if w.held[w.s.id] {
			w.t.Error("a second reservation of what is reserved, or may be")
		}
		w.held[w.s.id] = true
		return HoldAnswered{Card: e.Card, Item: e.Item, Err: maybe(bad, &Error{Code: CodeUnsure})}
	case Record:
		return w.store(e.Entry.ID, e.Entry.State, bad)
	case Conclude:
		return w.store(e.Outcome.Entry, e.Outcome.State, bad)
	case Attach:
		return Attached{Entry: e.Entry, Tag: e.Tag, Err: maybe(bad, errors.New("disk full"))}
	case Keep:
		err := maybe(bad, []error{ErrLifted, errors.New("locked")}[w.r.IntN(2)])
		if err == nil {
			w.gate[e.Tag] = e.Want
		}
		return Kept{Entry: e.Entry, Tag: e.Tag, Want: e.Want, Err: err}
	case Mend:
		m := Mended{Tag: e.Tag, Err: maybe(bad, ErrLifted)}
		if w.r.IntN(3) == 0 {
			m.Work = Work{Tag: e.Tag, Want: Released, Title: "T"}
		}
		return m
	case Ask:
		ev := Answered{Entry: e.Entry.ID, Answer: Answer{Due: w.now.AddDate(0, 0, 14), Renewed: w.r.IntN(5) == 0}}
		if w.r.IntN(2) == 0 {
			codes := []Code{CodeRefused, CodeOffline, CodeUnsure, CodeInvalid, CodeInternal}
			ev.Err = &Error{Code: codes[w.r.IntN(len(codes))], Reason: ReasonOnHold}
		}
		return ev
	}
	if d, ok := e.(Deliver); ok {
		return Delivered{Visit: d.Receipt.Visit, How: d.How, Err: maybe(bad, ErrNoPaper)}
	}
	panic(fmt.Sprintf("effect %T", e))
}

func maybe(bad bool, err error) error {
	if bad {
		return err
	}
	return nil
}

func (w *walk) store(id ID, s State, bad bool) Event {
	if bad {
		return NotStored{Entry: id, State: s, Err: errors.New("disk full")}
	}
	w.disk[id] = s
	return Stored{Entry: id, State: s}
}

func (w *walk) step(ev Event) {
	w.trail = append(w.trail, fmt.Sprintf("%T%+v [%s]\n", ev, ev, w.s.view))
	before := w.s
	known := map[ID]bool{}
	for _, l := range before.lines {
		known[l.ID] = true
	}
	told := ev
	if e, ok := ev.(EitherRead); ok && before.waits() {
		w.either = true
	} else if ok {
		told = (&step{Session: &before}).either(e)
	}
	if c, ok := told.(CardRead); ok {
		w.last = c.Card
	}
	n := len(w.open)
	shown, then := before.Screen(), before.Screen()
	then.Lines = slices.Clone(then.Lines)
	w.send(ev)
	if !shown.Same(then) {
		w.t.Errorf("%T has changed the screen of before: %+v; was %+v", ev, shown, then)
	}
	if w.either && w.s.card != before.card && w.s.card != "" {
		w.last = w.newestCard()
	}
	w.cared(before.care, ev)
	w.scanned(ev)
	for _, l := range w.s.lines {
		if !known[l.ID] && !l.Listed {
			if w.follows(before) {
				w.t.Errorf("%s was scanned after card %s and lies with %s", l.Item, w.last, w.s.patron.Card)
			}
			w.owner[l.ID] = w.present(before, l)
		}
	}
	for _, e := range w.open[n:] {
		w.effect(e)
	}
	w.screen()
}

// cared: nothing but a word of the patron's or of staff ends a call for help,
// and nobody comes who was not called.
func (w *walk) cared(before Care, ev Event) {
	c := w.s.care
	switch ev.(type) {
	case DropHelp, PressHelp, EndCare:
	default:
		if before.Calls() && !c.Calls() {
			w.t.Errorf("%T has ended a call for help", ev)
		}
	}
	if c.Comes() && !c.Calls() || c.IsStuck() && c.Why == "" {
		w.t.Errorf("care %+v after %T", c, ev)
	}
}

// follows tells whether the last card read is another's than that of the
// session that was open then and still is.
func (w *walk) follows(before Session) bool {
	return before.attended() && w.s.id == before.id && w.s.attended() &&
		before.mode == Borrowing && w.last != before.patron.Card
}

// present tells whose a new line must be: with somebody at the items view,
// that card's; else it waits.
func (w *walk) present(before Session, l Line) Card {
	if before.attended() && before.mode == Borrowing && w.s.id == before.id {
		return before.patron.Card
	}
	return ""
}

// newestCard is the one that was read last, of what the session knows.
func (w *walk) newestCard() Card {
	for _, q := range slices.Backward(w.s.queue) {
		if c, ok := q.(CardRead); ok {
			return c.Card
		}
	}
	return w.s.card
}

// scanned: no scan is ever lost.
func (w *walk) scanned(ev Event) {
	var item Barcode
	switch ev := ev.(type) {
	case CardRead:
		if w.s.card != ev.Card && !slices.Contains(w.s.queue, Event(ev)) {
			w.t.Errorf("card %s is nobody's and in no queue", ev.Card)
		}
		return
	case EitherRead:
		asCard := Event(CardRead{Card(ev.Code)})
		if w.s.card == Card(ev.Code) || slices.Contains(w.s.queue, asCard) {
			return
		}
		item = Barcode(ev.Code)
	case ItemPlaced:
		item = ev.Item
	case TagPlaced:
		item = ev.Item
		if l, _ := w.s.tagged(ev.Tag); l != nil || ev.Old {
			return
		}
	default:
		return
	}
	if w.s.lineOf(item) != nil {
		return
	}
	for _, q := range w.s.queue {
		if q == ev {
			return
		}
	}
	w.t.Errorf("scan of %s is on no line and in no queue", item)
}

func (w *walk) effect(e Effect) {
	switch e := e.(type) {
	case Record:
		if _, again := w.cards[e.Entry.ID]; again {
			w.t.Errorf("entry %s is recorded twice", e.Entry.ID)
		}
		w.cards[e.Entry.ID] = e.Entry.Patron
		w.kinds[e.Entry.ID] = e.Entry.Kind
		if e.Entry.Kind != Checkin && e.Entry.Patron == "" {
			w.t.Errorf("a %s for nobody: %+v", e.Entry.Kind, e.Entry)
		}
		if o := w.owner[e.Entry.ID]; o != "" && e.Entry.Patron != o {
			w.t.Errorf("%s was put down by %s and recorded for %s", e.Entry.Item, o, e.Entry.Patron)
		}
		if e.Entry.State == Offline && e.Entry.Kind != Checkin && e.Entry.Due.IsZero() {
			w.t.Errorf("promised without a due date: %+v", e.Entry)
		}
	case Keep:
		state, kind := w.disk[e.Entry], w.kinds[e.Entry]
		if kind == Checkout && (e.Want != Released || !state.Holds()) || kind == Checkin && (e.Want != Secured || state == "") {
			w.t.Errorf("a tag is to be %s for a %s that is %q on disk", e.Want, kind, state)
		}
	case Deliver:
		for _, l := range e.Receipt.Done() {
			if l.Kind != Checkin && e.How == Mail && e.Address != string(w.cards[l.ID])+"@example.org" {
				w.t.Errorf("what %s has lent is mailed to %s", w.cards[l.ID], e.Address)
			}
			if !w.disk[l.ID].Holds() {
				w.t.Errorf("the receipt says that %s is %s; on disk it is %q", l.ID, l.State, w.disk[l.ID])
			}
		}
	case Ask:
		if l := w.s.line(e.Entry.ID); l != nil && e.Entry.Kind == Checkin {
			for _, id := range e.Entry.Tags {
				if w.gate[id] != Secured {
					w.t.Errorf("the ILS hears of a return whose tag %s is %q", id, w.gate[id])
				}
			}
		}
		if w.disk[e.Entry.ID] != Asked {
			w.t.Errorf("the ILS is asked about %s, which is %q on disk", e.Entry.ID, w.disk[e.Entry.ID])
		}
		if w.asked[e.Entry.ID] {
			w.t.Errorf("the ILS is asked twice about %s", e.Entry.ID)
		}
		w.asked[e.Entry.ID] = true
	}
}

// screen: what it calls lent is on disk, for whoever is shown; welcome shows nobody.
func (w *walk) screen() {
	sc := w.s.Screen()
	seen := map[Barcode]bool{}
	for _, l := range sc.Lines {
		if l.succeeded() && !w.disk[l.ID].Holds() {
			w.t.Errorf("line %s is shown as %s; on disk it is %q", l.ID, l.State, w.disk[l.ID])
		}
		if l.succeeded() && l.Kind != Checkin && sc.Card != w.cards[l.ID] {
			w.t.Errorf("line of %s is shown to %s", w.cards[l.ID], sc.Card)
		}
		if l.Item != "" && seen[l.Item] {
			w.t.Errorf("%s is on two lines", l.Item)
		}
		seen[l.Item] = true
		for _, t := range l.tags {
			if l.succeeded() && l.Kind != Renew && !t.kept {
				w.t.Errorf("line %s is shown as %s; its tag %s is not kept", l.ID, l.State, t.id)
			}
		}
		for _, left := range w.s.left {
			same := func(t tag) bool { return t.part == left.part } // it has two tags
			if !l.Listed && l.Item != "" && left.item == l.Item && l.Reason != ReasonTagTwice && !slices.ContainsFunc(l.tags, same) {
				w.t.Errorf("%s is on a line, its tag %s lies there as nobody's", l.Item, left.id)
			}
		}
		if l.State == LineRefused && l.Reason == "" {
			w.t.Errorf("line %s is refused without a reason", l.ID)
		}
		if sc.View == ViewWelcome && l.succeeded() {
			w.t.Errorf("welcome shows what was lent: %+v", l)
		}
	}
	if sc.Covered && (sc.Patron != "" || len(sc.Lines) > 0 || sc.Account != nil) {
		w.t.Errorf("a covered account shows %+v", sc)
	}
	if sc.View == ViewWelcome && (sc.Account != nil || sc.Patron != "" || sc.Card != "") {
		w.t.Errorf("welcome shows %s", sc.Card)
	}
	if (sc.View == ViewFind) != (sc.Find != nil) || w.s.finding != nil && sc.View != ViewFind && w.s.want != ViewFind {
		w.t.Errorf("%s remembers what was looked for: %+v", sc.View, w.s.finding)
	}
}

// rest answers everything and lets time pass: the desk comes to rest, with
// nobody at it and nothing waiting.
func (w *walk) rest() {
	for range 1000 {
		if len(w.open) > 0 {
			e := w.open[0]
			w.open = w.open[1:]
			w.step(w.answer(e))
			continue
		}
		if w.s.view == ViewWelcome && len(w.s.lines) == 0 && len(w.s.queue) == 0 {
			return
		}
		w.now = w.now.Add(time.Minute)
		w.step(Tick{})
	}
	w.t.Errorf("the desk does not come to rest: %+v", w.s.Screen())
}
