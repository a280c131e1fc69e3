package sqlite

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// maxLearned is how many patrons or items wait in memory to be written.
const maxLearned = 64

// learned is what upstream told in passing and is not on disk yet. A flush of
// the disk for each would be paid by the loan that follows.
type learned struct {
	mu      sync.Mutex
	patrons map[kiosk.Card]kiosk.Patron
	items   map[kiosk.Barcode]kiosk.Item
}

// LearnPatron is kiosk.Mirror's. It is known at once and written when Run
// finds the desk quiet, at Close, or when many wait; a crash forgets it.
func (s *Store) LearnPatron(ctx context.Context, p kiosk.Patron) error {
	old, err := s.Patron(ctx, p.Card)
	if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
		return err
	}
	p = stored(p.Over(old))
	s.learned.mu.Lock()
	if s.learned.patrons == nil {
		s.learned.patrons = map[kiosk.Card]kiosk.Patron{}
	}
	s.learned.patrons[p.Card] = p
	full := len(s.learned.patrons) >= maxLearned
	s.learned.mu.Unlock()
	return s.learnt(ctx, full)
}

// LearnItem is kiosk.Mirror's, as LearnPatron.
func (s *Store) LearnItem(ctx context.Context, i kiosk.Item) error {
	if i.Subjects == "" {
		old, err := s.Item(ctx, i.Barcode)
		if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
			return err
		}
		i.Subjects = old.Subjects
	}
	i.Seen = instantOf(i.Seen)
	s.learned.mu.Lock()
	if s.learned.items == nil {
		s.learned.items = map[kiosk.Barcode]kiosk.Item{}
	}
	s.learned.items[i.Barcode] = i
	full := len(s.learned.items) >= maxLearned
	s.learned.mu.Unlock()
	return s.learnt(ctx, full)
}

func (s *Store) learnt(ctx context.Context, full bool) error {
	if full {
		return s.flush(ctx)
	}
	select {
	case s.stirred <- struct{}{}:
	default:
	}
	return nil
}

// flush writes what was learned. What can't be written is forgotten: it must
// not grow without end, and upstream will tell it again.
func (s *Store) flush(ctx context.Context) error {
	s.learned.mu.Lock()
	patrons := slices.Collect(maps.Values(s.learned.patrons))
	items := slices.Collect(maps.Values(s.learned.items))
	s.learned.mu.Unlock()
	if len(patrons)+len(items) == 0 {
		return nil
	}
	err := s.write(ctx, "learn", func(w *writer) error {
		if _, err := patronRows.put(w.conn, patrons); err != nil {
			return err
		}
		if err := seenAgain(w.conn, patrons); err != nil {
			return err
		}
		_, err := itemRows.put(w.conn, items)
		return err
	})
	s.learned.mu.Lock()
	defer s.learned.mu.Unlock()
	for _, p := range patrons { // unless something newer was learned meanwhile
		if s.learned.patrons[p.Card] == p {
			delete(s.learned.patrons, p.Card)
		}
	}
	for _, i := range items {
		if s.learned.items[i.Barcode] == i {
			delete(s.learned.items, i.Barcode)
		}
	}
	return err
}

// Item is kiosk.Mirror's; what was learned last counts.
func (s *Store) Item(ctx context.Context, b kiosk.Barcode) (kiosk.Item, error) {
	s.learned.mu.Lock()
	i, ok := s.learned.items[b]
	s.learned.mu.Unlock()
	if ok {
		return i, nil
	}
	return s.Reader.Item(ctx, b)
}

// Copy is kiosk.Mirror's; what was learned last counts.
func (s *Store) Copy(ctx context.Context, b kiosk.Barcode) (kiosk.Copy, error) {
	c, err := s.copy(ctx, b)
	s.learned.mu.Lock()
	defer s.learned.mu.Unlock()
	if i, ok := s.learned.items[b]; ok && err == nil {
		c.Item, c.Known = i.AtDesk(), true
	}
	return c, err
}

func (s *Store) copy(ctx context.Context, b kiosk.Barcode) (kiosk.Copy, error) {
	if !s.borrow() {
		return s.Reader.Copy(ctx, b)
	}
	defer s.turn.Unlock()
	return scanCopy(s.w.copy.QueryRow(string(b)), b)
}

// Tags is kiosk.Mirror's.
func (s *Store) Tags(ctx context.Context, b kiosk.Barcode) ([]kiosk.TagID, error) {
	if !s.borrow() {
		return s.Reader.Tags(ctx, b)
	}
	defer s.turn.Unlock()
	rows, err := s.w.itemTags.Query(string(b))
	return all("tags", rows, err, scanTag)
}

// borrow takes the turn where nobody writes, to look by way of the writer: a
// commit makes all pages stale that readers remember, and to read them again
// takes longer than the look. What it reads, the loan that follows needs too.
// In bulk the writer sees what is not committed.
func (s *Store) borrow() bool {
	if !s.turn.TryLock() {
		return false
	}
	if s.bulk.under > 0 {
		s.turn.Unlock()
		return false
	}
	return true
}

// Patron is kiosk.Mirror's; what was learned last counts.
func (s *Store) Patron(ctx context.Context, c kiosk.Card) (kiosk.Patron, error) {
	s.learned.mu.Lock()
	p, ok := s.learned.patrons[c]
	s.learned.mu.Unlock()
	if ok {
		return p, nil
	}
	return s.Reader.Patron(ctx, c)
}

// stored is a patron as the mirror gives it back.
func stored(p kiosk.Patron) kiosk.Patron {
	p.Born, p.Expires, p.Seen = instantOf(p.Born), instantOf(p.Expires), instantOf(p.Seen)
	p.PINChecked, p.Local = false, true
	return p
}
