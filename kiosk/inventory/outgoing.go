package inventory

import (
	"cmp"
	"context"
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// What is what the library's system is told of a book.
type What string

// What it is told.
const (
	Return What = "return" // it was on loan, and stands on the shelf: the loan ends
	Found  What = "found"  // it was lost or missing, and stands on the shelf
	Seen   What = "seen"   // it stands where it may
)

// Kinds are all of them, in the order in which they are offered.
var Kinds = []What{Return, Found, Seen}

// Progress is how far a change has come.
type Progress string

// How far.
const (
	Planned Progress = "planned" // it can be taken back
	Waiting Progress = "waiting" // it is in the outbox
	Told    Progress = "told"    // the library's system has it
	Refused Progress = "refused" // it is among the exceptions, for staff
	Passed  Progress = "passed"  // it was seen to otherwise: somebody returned or lent the book, or staff closed it
)

// Telling is how it stands with one kind.
type Telling struct {
	What What
	Open int // books of which it could be planned
	In   map[Progress]int
}

// Outgoing is what the library's system could be told after an inventory, is
// to be told, and was told.
type Outgoing struct {
	Inventory kiosk.Inventory
	Ends      bool   // as Config has it
	Tells     string // the same
	Kinds     []Telling
	Changes   []Change // the most urgent first: planned, refused, waiting, and the rest
	Total     int      // of the changes
}

// Outgoing tells it, with at most some of the changes. A page asks for it every
// few seconds, while others scan: who does waits only for what has to be counted
// anew, and not for the ledger.
func (s *Service) Outgoing(ctx context.Context, id kiosk.ID, most int) (o Outgoing, err error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return o, err
	}
	o = Outgoing{Inventory: l.v, Ends: s.Ends, Tells: s.Tells}
	t := l.tally()
	list, done := slices.Clone(l.changes), t.done
	l.mu.Unlock()
	if done == nil {
		if done, err = s.progress(ctx, list, t.kinds); err != nil {
			return o, err
		}
		sortUrgent(done)
		if !slices.ContainsFunc(done, Change.moves) {
			l.mu.Lock()
			t.done = done
			l.mu.Unlock()
		}
	}
	for _, what := range Kinds {
		o.Kinds = append(o.Kinds, Telling{What: what, Open: t.open[what], In: map[Progress]int{}})
	}
	for _, c := range done {
		o.Kinds[slices.Index(Kinds, c.What)].In[c.Progress]++
	}
	o.Total = len(done)
	o.Changes = slices.Clone(done[:min(most, o.Total)])
	return o, s.bookChanges(ctx, o.Changes)
}

// sortUrgent sorts the most urgent to the front.
func sortUrgent(list []Change) {
	urgent := []Progress{Planned, Refused, Waiting, Told, Passed}
	slices.SortStableFunc(list, func(a, b Change) int {
		return cmp.Compare(slices.Index(urgent, a.Progress), slices.Index(urgent, b.Progress))
	})
}

// moves tells whether a change may come further by itself, or by the hands of
// who settles exceptions.
func (c Change) moves() bool { return c.Progress == Waiting || c.Progress == Refused }

// tally is what an inventory came to with its newest line.
type tally struct {
	seq   uint64 // of live
	kinds map[kiosk.Barcode]What
	open  map[What]int
	done  []Change // sorted, once none of them moves; nil: some may, or nobody asked
}

// tally counts only what is new; what it gives does not change, but for done.
func (l *live) tally() *tally {
	if l.tallied == nil || l.tallied.seq != l.seq {
		t := &tally{seq: l.seq, kinds: l.kinds(), open: map[What]int{}}
		for what, list := range l.offers(t.kinds) {
			t.open[what] = len(list)
		}
		l.tallied = t
	}
	return l.tallied
}

// lostAndFound is what is said of books that the library's system has not.
var lostAndFound = []shelf.Finding{shelf.FoundLost, shelf.FoundMissing}

// kinds tells of books of which something is found what that comes to; empty:
// nothing can be told.
func (l *live) kinds() map[kiosk.Barcode]What {
	list := map[kiosk.Barcode]What{}
	for scan := range l.s.Walk.Scans() {
		takes, lent, lost := false, false, false
		for _, f := range l.s.Line(scan).Found {
			f := shelf.Finding(f)
			takes, lent, lost = takes || f.Takes(), lent || f == shelf.OnLoan, lost || slices.Contains(lostAndFound, f)
		}
		item, _ := l.s.ItemOf(scan)
		switch before := list[item]; {
		case !takes || before == Return:
		case lent:
			list[item] = Return
		case lost:
			list[item] = Found
		default:
			list[item] = before
		}
	}
	return list
}

// offers are the books of which something can be told and about which there is
// no change yet, by what it is; kinds are those of l.
func (l *live) offers(kinds map[kiosk.Barcode]What) map[What][]kiosk.Barcode {
	planned, list := l.planned(), map[What][]kiosk.Barcode{}
	for scan := range l.s.Walk.Scans() {
		item, _ := l.s.ItemOf(scan)
		if what := kinds[item]; what != "" && !planned[item] {
			list[what] = append(list[what], item)
			planned[item] = true
		}
	}
	for _, b := range l.s.Books() {
		if _, other := kinds[b.Barcode]; !other && !planned[b.Barcode] && l.s.Seen(b.Barcode) {
			list[Seen] = append(list[Seen], b.Barcode)
		}
	}
	return list
}

// kind is what a change tells.
func (c Change) kind(kinds map[kiosk.Barcode]What) What {
	if c.What == Seen && kinds[c.Book.Item] == Found {
		return Found
	}
	return c.What
}

// progress notes in changes what each tells and how far it has come, without
// words.
func (s *Service) progress(ctx context.Context, list []Change, kinds map[kiosk.Barcode]What) ([]Change, error) {
	var sent []kiosk.ID
	for i := range list {
		c := &list[i]
		c.What, c.Progress = c.kind(kinds), Planned
		if c.Sent {
			sent = append(sent, c.Entry)
		}
	}
	if s.Ledger == nil {
		return list, nil
	}
	states := map[kiosk.ID]kiosk.State{}
	for part := range slices.Chunk(sent, maxReads) {
		some, err := s.Ledger.States(ctx, part)
		if err != nil {
			return nil, err
		}
		for id, state := range some {
			states[id] = state
		}
	}
	for i := range list {
		if list[i].Sent {
			list[i].Progress = progressOf(states[list[i].Entry])
		}
	}
	return list, nil
}

// progressOf is that of what was sent, by the state of its entry; empty: it has
// none.
func progressOf(s kiosk.State) Progress {
	switch {
	case s.Queued():
		return Waiting
	case s.Calls():
		return Refused
	case s.Holds():
		return Told
	}
	return Passed
}

// bookChanges gives the books in changes their words.
func (s *Service) bookChanges(ctx context.Context, list []Change) error {
	books := make([]*Book, len(list))
	for i := range list {
		books[i] = &list[i].Book
	}
	return s.words(ctx, books)
}
