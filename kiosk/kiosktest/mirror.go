package kiosktest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

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
	p, err := get(m.patrons, c, err)
	if f := m.fresh[kiosk.PatronList]; !f.Whole.IsZero() && !p.Seen.Before(f.Whole) && f.Since.After(p.Seen) {
		p.Seen = f.Since
	}
	return p, err
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

// Copy is kiosk.Mirror's.
func (m *Memory) Copy(ctx context.Context, b kiosk.Barcode) (c kiosk.Copy, _ error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	l, out := m.loans[b]
	item, known := m.items[b]
	c.Item, c.Known = item.AtDesk(), known
	c.Loan, c.OnLoan, c.Unsettled = l.Loan, out, m.unsettled(b)
	c.Tagged = slices.ContainsFunc(m.entries, tagOf(b))
	return c, err
}

// Untold is kiosk.Mirror's.
func (m *Memory) Untold(ctx context.Context, c kiosk.Card) (n int, _ error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	for _, l := range m.loans {
		if l.Patron == c && m.unsettled(l.Item) {
			n++
		}
	}
	return n, err
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
		i = i.Over(m.items[i.Barcode])
		i.Seen, i.Subjects = kept(i.Seen), cmp.Or(i.Subjects, m.items[i.Barcode].Subjects)
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
		set(m.patrons, p.Card, p, &c)                                                    // when it was said is no change
		if seen.After(old.Seen) || !seen.IsZero() && old.Seen.Sub(seen) > 24*time.Hour { // by another clock
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
		m.touch(l.Item)
		m.putLoan(l, &c)
	}
	return c, nil
}

func (m *Memory) putLoan(l kiosk.Loan, c *kiosk.Change) {
	if m.unsettled(l.Item) {
		c.Same++
		return
	}
	l.At, l.Due = kept(l.At), kept(l.Due)
	set(m.loans, l.Item, lent{Loan: l}, c)
}

// loanList is a list under way.
type loanList struct {
	m               *Memory
	listed, touched map[kiosk.Barcode]bool
}

// ListLoans is kiosk.Loader's.
func (m *Memory) ListLoans(ctx context.Context) (kiosk.LoanList, error) {
	err := m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	m.list = &loanList{m, map[kiosk.Barcode]bool{}, map[kiosk.Barcode]bool{}}
	return m.list, nil
}

// touch tells a list under way that something happens to an item.
func (m *Memory) touch(b kiosk.Barcode) {
	if m.list != nil {
		m.list.touched[b] = true
	}
}

// Put is kiosk.LoanList's.
func (l *loanList) Put(ctx context.Context, loans []kiosk.Loan) (c kiosk.Change, err error) {
	err = l.m.beginWrite(ctx)
	defer l.m.mu.Unlock()
	for _, o := range loans {
		l.listed[o.Item] = true
		switch {
		case err != nil:
		case l.touched[o.Item] || o.Patron == "":
			c.Same++
		default:
			l.m.putLoan(o, &c)
		}
	}
	return c, err
}

// End is kiosk.LoanList's.
func (l *loanList) End(ctx context.Context) (ended int, err error) {
	err = l.m.beginWrite(ctx)
	defer l.m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if l.m.list != l {
		return 0, &kiosk.Error{Code: kiosk.CodeInvalid, Text: "another list of loans was begun since"}
	}
	for b := range l.m.loans {
		if !l.listed[b] && !l.touched[b] && !l.m.unsettled(b) {
			delete(l.m.loans, b)
			ended++
		}
	}
	l.m.list = nil
	return ended, nil
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

// Fresh is kiosk.Loader's.
func (m *Memory) Fresh(ctx context.Context, l kiosk.List) (kiosk.Freshness, error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	return m.fresh[l], err
}

// Freshen is kiosk.Loader's.
func (m *Memory) Freshen(ctx context.Context, l kiosk.List, f kiosk.Freshness) error {
	err := m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err == nil {
		m.fresh[l] = kiosk.Freshness{Whole: kept(f.Whole), Since: kept(f.Since)}
	}
	return err
}
