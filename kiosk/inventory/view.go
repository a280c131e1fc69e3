package inventory

import (
	"context"
	"maps"
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// View is an inventory as it is now.
type View struct {
	Seq       uint64
	Inventory kiosk.Inventory
	Scans     int
	Heard     int // what was read since the program was started, what was no scan too
	Seen      int
	Expected  int
	Rate      int // scans an hour; 0: not known
	Said      []Said
	Counts    map[shelf.Finding]int
	Marks     shelf.Bucket // of the whole range
	Strip     []shelf.Spot // around the book that was met last
	Overview  []shelf.Bucket
	Here      int // the piece of Overview with that book; -1: none
}

// Sizes of the picture of the shelf.
const (
	stripBooks = 96
	pieces     = 120
)

// View gives the newest.
func (s *Service) View(ctx context.Context, id kiosk.ID) (View, error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return View{}, err
	}
	defer l.mu.Unlock()
	v := View{Seq: l.seq, Inventory: l.v, Scans: l.s.Scans(), Heard: l.heard, Rate: l.s.Rate(s.Now()), Said: slices.Clone(l.said), Counts: maps.Clone(l.counts),
		Strip: l.s.Strip(stripBooks)}
	for i := range v.Said {
		v.Said[i].Note = l.s.Note(v.Said[i].Book.Item)
	}
	v.Seen, v.Expected = l.s.Progress()
	v.Overview, v.Here = l.s.Overview(pieces)
	for _, b := range v.Overview {
		for m, n := range b {
			v.Marks[m] += n
		}
	}
	return v, nil
}

// Next waits for what is newer than seq, and gives the newest.
func (s *Service) Next(ctx context.Context, id kiosk.ID, seq uint64) (View, error) {
	for {
		v, err := s.View(ctx, id)
		if err != nil || v.Seq > seq {
			return v, err
		}
		s.mu.Lock()
		l := s.live[id]
		s.mu.Unlock()
		l.mu.Lock()
		changed, now := l.changed, l.seq
		l.mu.Unlock()
		if now > seq {
			continue
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-changed:
		}
	}
}
