package inventory

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Ledger is where what the library's system is to be told is recorded, and
// goes to its outbox.
type Ledger interface {
	// RecordAll records entries, all or none; an ID that is there already stores
	// nothing.
	RecordAll(ctx context.Context, list []kiosk.Entry) error
	Loan(ctx context.Context, b kiosk.Barcode) (kiosk.Loan, error)
	// States tells how far entries have come; those that are not there are left
	// out.
	States(ctx context.Context, ids []kiosk.ID) (map[kiosk.ID]kiosk.State, error)
}

// Change is something that staff wants the library's system to know. Until it
// is sent it can be taken back with Undo, by its line, or with TakeBack.
type Change struct {
	Line     int64    `json:"line"`
	Book     Book     `json:"book"`
	What     What     `json:"what"`
	Entry    kiosk.ID `json:"entry"`
	Sent     bool     `json:"sent"` // it is in the ledger, on its way
	Progress Progress `json:"progress"`
}

// change takes a line about one.
func (l *live) change(line kiosk.ShelfLine) {
	switch line.Kind {
	case kiosk.ShelfReturn:
		l.changes = append(l.changes, Change{Line: line.N, Book: Book{Item: line.Item}, What: Return, Entry: kiosk.ID(line.Text)})
	case kiosk.ShelfTell:
		l.changes = append(l.changes, Change{Line: line.N, Book: Book{Item: line.Item}, What: Seen, Entry: kiosk.ID(line.Text)})
	case kiosk.ShelfSent:
		if i, ok := slices.BinarySearchFunc(l.changes, line.Of, func(c Change, n int64) int { return cmp.Compare(c.Line, n) }); ok {
			l.changes[i].Sent = true
		}
	}
}

// Return plans to return a book that was met on the shelf although it is on
// loan. Nothing is sent yet.
func (s *Service) Return(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode) error {
	_, err := s.planThese(ctx, id, who, Return, []kiosk.Barcode{item})
	return err
}

// Tell plans to tell the library's system that books stand on the shelf, so that
// it knows when they were seen, and those that it had lost are found. Nothing is
// sent yet. It gives how many were planned; what is planned or was sent is
// passed over.
func (s *Service) Tell(ctx context.Context, id kiosk.ID, who string, items []kiosk.Barcode) (planned int, err error) {
	return s.planThese(ctx, id, who, Seen, items)
}

// Plan plans to tell all of a kind that is open; see Outgoing. Of which that is
// not right any more is passed over. It gives how many were planned.
func (s *Service) Plan(ctx context.Context, id kiosk.ID, who string, what What) (planned int, err error) {
	if err := s.tells(what); err != nil {
		return 0, err
	}
	l, err := s.open(ctx, id)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	return s.plan(ctx, l, who, what, l.offers(l.kinds())[what], false)
}

// tells refuses what the library's system can't be told.
func (s *Service) tells(what What) error {
	switch {
	case !slices.Contains(Kinds, what):
		return invalid("%q can't be told: must be return, found or seen", what)
	case what != Return && s.Tells == "":
		return wrong("untold", "the library's system is not told what stands on the shelf: set seen, to update or checkin, under [upstream]")
	}
	return nil
}

// planThese plans for books that somebody names.
func (s *Service) planThese(ctx context.Context, id kiosk.ID, who string, what What, items []kiosk.Barcode) (planned int, err error) {
	if err := s.tells(what); err != nil {
		return 0, err
	}
	l, err := s.open(ctx, id)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	known := l.planned()
	var fresh []kiosk.Barcode
	for _, item := range items {
		switch {
		case !l.s.Known(item):
			return 0, wrong("unmet", "%s was not met in this inventory", "item", item)
		case !known[item]:
			known[item], fresh = true, append(fresh, item)
		}
	}
	return s.plan(ctx, l, who, what, fresh, true)
}

// planned are the books about which there is a change.
func (l *live) planned() map[kiosk.Barcode]bool {
	list := make(map[kiosk.Barcode]bool, len(l.changes))
	for _, c := range l.changes {
		list[c.Book.Item] = true
	}
	return list
}

// plan plans for books, some at once: all or none. What is not so any more is
// refused, or else passed over.
func (s *Service) plan(ctx context.Context, l *live, who string, what What, items []kiosk.Barcode, refuse bool) (planned int, err error) {
	defer l.tell()
	line := kiosk.ShelfLine{Kind: kiosk.ShelfTell, Who: who}
	if what == Return {
		line.Kind = kiosk.ShelfReturn
	}
	for part := range slices.Chunk(items, maxReads) {
		met, err := s.Store.Meet(ctx, part)
		if err != nil {
			return planned, err
		}
		var lines []kiosk.ShelfLine
		for _, m := range met {
			switch {
			case m.OnLoan == (what == Return):
				line.At, line.Item, line.Text = s.Now(), m.Item.Barcode, string(s.NewID())
				lines = append(lines, line)
			case refuse && m.OnLoan:
				return planned, wrong("lent", "%s is on loan: return it, if that is right", "item", m.Item.Barcode)
			case refuse:
				return planned, wrong("notlent", "%s is not on loan, as far as is known here", "item", m.Item.Barcode)
			}
		}
		if err := s.writeAll(ctx, l, lines); err != nil {
			return planned, err
		}
		planned += len(lines)
	}
	return planned, nil
}

// writeAll writes lines about changes, all or none.
func (s *Service) writeAll(ctx context.Context, l *live, lines []kiosk.ShelfLine) error {
	if len(lines) == 0 {
		return nil
	}
	first, err := s.Store.Write(ctx, l.v.ID, lines)
	if err != nil {
		return err
	}
	for i, line := range lines {
		line.N = first + int64(i)
		l.change(line)
		l.v.Lines = line.N
	}
	return nil
}

// TakeBack takes back all that is planned of a kind and was not sent; empty: of
// any. It tells how many.
func (s *Service) TakeBack(ctx context.Context, id kiosk.ID, who string, what What) (n int, err error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	var open []Change
	kinds := l.tally().kinds
	for _, c := range l.changes {
		if !c.Sent && (what == "" || what == c.kind(kinds)) {
			open = append(open, c)
		}
	}
	defer l.tell()
	return s.takeBack(ctx, l, who, open)
}

// forsake takes back what is planned of books that nobody has met any more:
// their scans were taken back.
func (s *Service) forsake(ctx context.Context, l *live, who string) error {
	open := slices.DeleteFunc(slices.Clone(l.changes), func(c Change) bool { return c.Sent || l.s.Known(c.Book.Item) })
	_, err := s.takeBack(ctx, l, who, open)
	return err
}

// takeBack takes back changes that were not sent. It tells how many.
func (s *Service) takeBack(ctx context.Context, l *live, who string, open []Change) (n int, err error) {
	for part := range slices.Chunk(open, maxReads) {
		var lines []kiosk.ShelfLine
		gone := map[int64]bool{}
		for _, c := range part {
			lines = append(lines, kiosk.ShelfLine{Kind: kiosk.ShelfUndo, Who: who, At: s.Now(), Of: c.Line})
			gone[c.Line] = true
		}
		if err := s.writeAll(ctx, l, lines); err != nil {
			return n, err
		}
		l.changes = slices.DeleteFunc(l.changes, func(c Change) bool { return gone[c.Line] })
		n += len(part)
	}
	return n, nil
}

// Changes lists what is planned and what was sent.
func (s *Service) Changes(ctx context.Context, id kiosk.ID) ([]Change, error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	list, kinds := slices.Clone(l.changes), l.tally().kinds
	l.mu.Unlock()
	if list, err = s.progress(ctx, list, kinds); err != nil {
		return nil, err
	}
	return list, s.bookChanges(ctx, list)
}

// Send records what is planned in the ledger, from where the library's system
// is told as of all that happens offline: in order, once, and what it refuses
// comes back to staff. A book that somebody has returned meanwhile is passed
// over, and what is planned of one that nobody has met any more is taken back.
// It tells how many were recorded.
func (s *Service) Send(ctx context.Context, id kiosk.ID, who string) (sent int, err error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	if s.Ledger == nil {
		return 0, invalid("there is no ledger to record it in")
	}
	defer l.tell()
	if err := s.forsake(ctx, l, who); err != nil {
		return 0, err
	}
	open := slices.DeleteFunc(slices.Clone(l.changes), func(c Change) bool { return c.Sent })
	for part := range slices.Chunk(open, maxReads) {
		n, err := s.send(ctx, l, who, part)
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// send sends some at once. Where it is cut off between the ledger and the log
// they are sent again, which records nothing twice.
func (s *Service) send(ctx context.Context, l *live, who string, part []Change) (sent int, err error) {
	if err := s.bookChanges(ctx, part); err != nil {
		return 0, err
	}
	var entries []kiosk.Entry
	var lines []kiosk.ShelfLine
	for _, c := range part {
		e := kiosk.Entry{ID: c.Entry, Session: l.v.ID, Kind: kiosk.Seen, Item: c.Book.Item, At: s.Now(), State: kiosk.Offline,
			Title: cmp.Or(c.Book.Title, string(c.Book.Item)), Text: "found on the shelf in an inventory"}
		due, err := s.due(ctx, c, &e)
		if err != nil {
			return 0, err
		}
		if due {
			entries = append(entries, e)
		}
		lines = append(lines, kiosk.ShelfLine{Kind: kiosk.ShelfSent, Who: who, At: s.Now(), Item: c.Book.Item, Of: c.Line})
	}
	if len(entries) > 0 {
		if err := s.Ledger.RecordAll(ctx, entries); err != nil {
			return 0, err
		}
	}
	return len(entries), s.writeAll(ctx, l, lines)
}

// due makes of what was planned what is told now; false where it has been seen
// to since. A book that was lent again is not told to stand on the shelf.
func (s *Service) due(ctx context.Context, c Change, e *kiosk.Entry) (bool, error) {
	loan, err := s.Ledger.Loan(ctx, c.Book.Item)
	out := !errors.Is(err, kiosk.ErrUnknown)
	if out && err != nil {
		return false, err
	}
	if c.What == Return {
		e.Kind, e.Patron = kiosk.Checkin, loan.Patron
		return out, nil // else it was returned, or recorded before a crash
	}
	return !out, nil
}
