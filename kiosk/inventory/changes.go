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
	Record(ctx context.Context, e kiosk.Entry) error
	Loan(ctx context.Context, b kiosk.Barcode) (kiosk.Loan, error)
}

// Change is something that staff wants the library's system to know. Until it
// is sent it can be taken back with Undo, by its line.
type Change struct {
	Line  int64    `json:"line"`
	Book  Book     `json:"book"`
	What  string   `json:"what"` // return, or seen: that it stands on the shelf
	Entry kiosk.ID `json:"entry"`
	Sent  bool     `json:"sent"` // it is in the ledger, on its way
}

// change takes a line about one.
func (l *live) change(line kiosk.ShelfLine) {
	switch line.Kind {
	case kiosk.ShelfReturn:
		l.changes = append(l.changes, Change{Line: line.N, Book: Book{Item: line.Item}, What: "return", Entry: kiosk.ID(line.Text)})
	case kiosk.ShelfTell:
		l.changes = append(l.changes, Change{Line: line.N, Book: Book{Item: line.Item}, What: "seen", Entry: kiosk.ID(line.Text)})
	case kiosk.ShelfSent:
		for i := range l.changes {
			if l.changes[i].Line == line.Of {
				l.changes[i].Sent = true
			}
		}
	}
}

// Return plans to return a book that was met on the shelf although it is on
// loan. Nothing is sent yet.
func (s *Service) Return(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode) error {
	l, err := s.open(ctx, id)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	if !l.s.Known(item) {
		return invalid("%s was not met in this inventory", item)
	}
	if slices.ContainsFunc(l.changes, func(c Change) bool { return c.Book.Item == item }) {
		return nil // it is planned already
	}
	met, err := s.Store.Meet(ctx, []kiosk.Barcode{item})
	if err != nil {
		return err
	}
	if !met[0].OnLoan {
		return invalid("%s is not on loan, as far as is known here", item)
	}
	return s.write(ctx, l, kiosk.ShelfLine{Kind: kiosk.ShelfReturn, Who: who, Item: item, Text: string(s.NewID())})
}

// Tell plans to tell the library's system that books stand on the shelf, so that
// it knows when they were seen, and those that it had lost are found. Nothing is
// sent yet. It gives how many were planned; what is planned or was sent is
// passed over.
func (s *Service) Tell(ctx context.Context, id kiosk.ID, who string, items []kiosk.Barcode) (planned int, err error) {
	if !s.Tells {
		return 0, invalid("the library's system is not told what stands on the shelf: set seen, to update or checkin, under [upstream]")
	}
	l, err := s.open(ctx, id)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	known := map[kiosk.Barcode]bool{}
	for _, c := range l.changes {
		known[c.Book.Item] = true
	}
	var fresh []kiosk.Barcode
	for _, item := range items {
		switch {
		case !l.s.Known(item):
			return 0, invalid("%s was not met in this inventory", item)
		case !known[item]:
			known[item], fresh = true, append(fresh, item)
		}
	}
	for part := range slices.Chunk(fresh, maxReads) {
		if err := s.tellOf(ctx, l, who, part); err != nil {
			return planned, err
		}
		planned += len(part)
	}
	l.tell()
	return planned, nil
}

// tellOf plans for some at once: all or none.
func (s *Service) tellOf(ctx context.Context, l *live, who string, items []kiosk.Barcode) error {
	met, err := s.Store.Meet(ctx, items)
	if err != nil {
		return err
	}
	var lines []kiosk.ShelfLine
	for _, m := range met {
		if m.OnLoan {
			return invalid("%s is on loan: return it, if that is right", m.Item.Barcode)
		}
		lines = append(lines, kiosk.ShelfLine{Kind: kiosk.ShelfTell, Who: who, At: s.Now(), Item: m.Item.Barcode, Text: string(s.NewID())})
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

// Changes lists what is planned and what was sent.
func (s *Service) Changes(ctx context.Context, id kiosk.ID) ([]Change, error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	list := slices.Clone(l.changes)
	books := make([]*Book, len(list))
	for i := range list {
		books[i] = &list[i].Book
	}
	return list, s.words(ctx, books)
}

// Send records what is planned in the ledger, from where the library's system
// is told as of all that happens offline: in order, once, and what it refuses
// comes back to staff. A book that somebody has returned meanwhile is passed
// over. It tells how many were recorded.
func (s *Service) Send(ctx context.Context, id kiosk.ID, who string) (sent int, err error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	if s.Ledger == nil {
		return 0, invalid("there is no ledger to record it in")
	}
	for _, c := range slices.Clone(l.changes) {
		if c.Sent {
			continue
		}
		e := kiosk.Entry{ID: c.Entry, Session: id, Kind: kiosk.Seen, Item: c.Book.Item, At: s.Now(), State: kiosk.Offline,
			Title: cmp.Or(c.Book.Title, string(c.Book.Item)), Text: "found on the shelf in an inventory"}
		due, err := s.due(ctx, c, &e)
		if err == nil && due {
			err = s.Ledger.Record(ctx, e) // the same ID twice stores nothing
			sent++
		}
		if err != nil {
			return sent, err
		}
		if err := s.write(ctx, l, kiosk.ShelfLine{Kind: kiosk.ShelfSent, Who: who, Item: c.Book.Item, Of: c.Line}); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// due makes of what was planned what is told now; false where it has been seen
// to since. A book that was lent again is not told to stand on the shelf.
func (s *Service) due(ctx context.Context, c Change, e *kiosk.Entry) (bool, error) {
	loan, err := s.Ledger.Loan(ctx, c.Book.Item)
	out := !errors.Is(err, kiosk.ErrUnknown)
	if out && err != nil {
		return false, err
	}
	if c.What == "return" {
		e.Kind, e.Patron = kiosk.Checkin, loan.Patron
		return out, nil // else it was returned, or recorded before a crash
	}
	return !out, nil
}
