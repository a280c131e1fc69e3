package kiosktest

import (
	"context"
	"errors"
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Item is kiosk.Mirror's.
func (m *Memory) Item(ctx context.Context, b kiosk.Barcode) (kiosk.Item, error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	return get(m.items, b, err)
}

// Patron is kiosk.Mirror's.
func (m *Memory) Patron(ctx context.Context, c kiosk.Card) (kiosk.Patron, error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	return get(m.patrons, c, err)
}

// Loan is kiosk.Mirror's.
func (m *Memory) Loan(ctx context.Context, b kiosk.Barcode) (kiosk.Loan, error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	l, err := get(m.loans, b, err)
	return l.Loan, err
}

func get[K comparable, V any](from map[K]V, k K, err error) (V, error) {
	v, ok := from[k]
	if err == nil && !ok {
		err = kiosk.ErrUnknown
	}
	return v, err
}

// Copies is kiosk.Mirror's.
func (m *Memory) Copies(ctx context.Context, isbn string, limit int) (list []kiosk.Item, _ error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	for _, i := range m.items {
		if i.ISBN == isbn && isbn != "" {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, byBarcode)
	return list[:min(len(list), max(limit, 0))], err
}

// Loans is kiosk.Mirror's.
func (m *Memory) Loans(ctx context.Context, c kiosk.Card) (list []kiosk.Loan, _ error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	for _, l := range m.loans {
		if l.Patron == c {
			list = append(list, l.Loan)
		}
	}
	slices.SortFunc(list, byTime)
	return list, err
}

// LearnPatron is kiosk.Mirror's.
func (m *Memory) LearnPatron(ctx context.Context, p kiosk.Patron) error {
	old, err := m.Patron(ctx, p.Card)
	if err == nil || errors.Is(err, kiosk.ErrUnknown) {
		_, err = m.PutPatrons(ctx, []kiosk.Patron{p.Over(old)})
	}
	return err
}

// LearnItem is kiosk.Mirror's.
func (m *Memory) LearnItem(ctx context.Context, i kiosk.Item) error {
	_, err := m.PutItems(ctx, []kiosk.Item{i})
	return err
}

// PutItems is kiosk.Loader's.
func (m *Memory) PutItems(ctx context.Context, items []kiosk.Item) (c kiosk.Change, err error) {
	err = m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return c, err
	}
	for _, i := range items {
		i.Seen = kept(i.Seen)
		set(m.items, i.Barcode, i, &c)
	}
	return c, nil
}

// PutPatrons is kiosk.Loader's.
func (m *Memory) PutPatrons(ctx context.Context, patrons []kiosk.Patron) (c kiosk.Change, err error) {
	err = m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return c, err
	}
	for _, p := range patrons {
		p.Born, p.Expires, p.Seen = kept(p.Born), kept(p.Expires), kept(p.Seen)
		p.PINChecked, p.Local = false, true
		old, ok := m.patrons[p.Card]
		seen := p.Seen
		if p.Seen = old.Seen; !ok || p != old {
			p.Seen = seen
		}
		set(m.patrons, p.Card, p, &c) // when it was said is no change
		if seen.After(old.Seen) {
			p.Seen = seen
			m.patrons[p.Card] = p
		}
	}
	return c, nil
}

// PutLoans is kiosk.Loader's.
func (m *Memory) PutLoans(ctx context.Context, loans []kiosk.Loan) (c kiosk.Change, err error) {
	err = m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return c, err
	}
	for _, l := range loans {
		if m.unsettled(l.Item) {
			c.Same++
			continue
		}
		l.At, l.Due = kept(l.At), kept(l.Due)
		set(m.loans, l.Item, lent{Loan: l}, &c)
	}
	return c, nil
}

func set[K, V comparable](in map[K]V, k K, v V, c *kiosk.Change) {
	old, there := in[k]
	switch {
	case !there:
		c.New++
	case old != v:
		c.Changed++
	default:
		c.Same++
	}
	in[k] = v
}
