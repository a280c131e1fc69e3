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
	What  string   `json:"what"` // return
	Entry kiosk.ID `json:"entry"`
	Sent  bool     `json:"sent"` // it is in the ledger, on its way
}

// change takes a line about one.
func (l *live) change(line kiosk.ShelfLine) {
	switch line.Kind {
	case kiosk.ShelfReturn:
		l.changes = append(l.changes, Change{Line: line.N, Book: Book{Item: line.Item}, What: "return", Entry: kiosk.ID(line.Text)})
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
		loan, err := s.Ledger.Loan(ctx, c.Book.Item)
		switch {
		case errors.Is(err, kiosk.ErrUnknown): // it was returned, or recorded before a crash
		case err != nil:
			return sent, err
		default:
			now := s.Now()
			e := kiosk.Entry{ID: c.Entry, Session: id, Kind: kiosk.Checkin, Item: c.Book.Item, Patron: loan.Patron, At: now, State: kiosk.Offline,
				Title: cmp.Or(c.Book.Title, string(c.Book.Item)), Text: "found on the shelf in an inventory"}
			if err := s.Ledger.Record(ctx, e); err != nil { // the same ID twice stores nothing
				return sent, err
			}
			sent++
		}
		if err := s.write(ctx, l, kiosk.ShelfLine{Kind: kiosk.ShelfSent, Who: who, Item: c.Book.Item, Of: c.Line}); err != nil {
			return sent, err
		}
	}
	return sent, nil
}
