package sqlite

import (
	"context"
	"errors"
	"hash/maphash"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	absentSQL  = `SELECT item FROM loans WHERE item > ? ORDER BY item LIMIT ?`
	freshSQL   = `SELECT whole, since FROM lists WHERE list = ?`
	freshenSQL = `
INSERT INTO lists (list, whole, since) VALUES (?, ?, ?)
ON CONFLICT (list) DO UPDATE SET whole = excluded.whole, since = excluded.since`
	endSQL = `
DELETE FROM loans WHERE item = ?1
    AND NOT EXISTS (SELECT 1 FROM entries e JOIN outbox q ON q.seq = e.seq WHERE e.item = ?1)`
)

// perLook is how many loans End looks at before others may write.
const perLook = 500

// loanList is a kiosk.LoanList. It lives in memory alone: a column for what
// was listed would cost a write for each loan of each list, and a list that a
// crash cuts off ends nothing anyway.
type loanList struct {
	s       *Store
	seed    maphash.Seed
	listed  map[uint64]struct{}    // hashes of barcodes: of two with the same, one outlives its end until the next list
	touched map[kiosk.Barcode]bool // here, since it began; the writer's
}

var _ kiosk.LoanList = (*loanList)(nil)

// ListLoans is kiosk.Loader's.
func (s *Store) ListLoans(ctx context.Context) (kiosk.LoanList, error) {
	l := &loanList{s: s, seed: maphash.MakeSeed(), listed: map[uint64]struct{}{}, touched: map[kiosk.Barcode]bool{}}
	err := s.write(ctx, "list loans", func(w *writer) error {
		w.list = l
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// touch tells a list under way that something happens to an item. That it is
// told of what is rolled back does no harm.
func (w *writer) touch(b kiosk.Barcode) {
	if w.list != nil {
		w.list.touched[b] = true
	}
}

func (l *loanList) hash(b kiosk.Barcode) uint64 { return maphash.String(l.seed, string(b)) }

// Put is kiosk.LoanList's.
func (l *loanList) Put(ctx context.Context, loans []kiosk.Loan) (c kiosk.Change, err error) {
	for _, o := range loans {
		l.listed[l.hash(o.Item)] = struct{}{}
	}
	err = l.s.write(ctx, "put listed loans", func(w *writer) error {
		busy, err := outboxItems(w.conn)
		if err != nil {
			return err
		}
		c, err = w.putLoans(loans, func(o kiosk.Loan) bool { return busy[o.Item] || l.touched[o.Item] || o.Patron == "" })
		return err
	})
	return ifDone(c, err)
}

// End is kiosk.LoanList's. The desk is let in between two looks.
func (l *loanList) End(ctx context.Context) (ended int, err error) {
	for last := ""; ; {
		rows, err := l.s.Reader.db.QueryContext(ctx, absentSQL, last, perLook)
		items, err := all("end loans", rows, err, func(r row) (b kiosk.Barcode, err error) { return b, r.Scan(&b) })
		if err != nil {
			return ended, err
		}
		n, err := l.end(ctx, items)
		if ended += n; err != nil {
			return ended, err
		}
		if len(items) < perLook {
			break
		}
		last = string(items[len(items)-1])
	}
	return ended, l.s.write(ctx, "end loans", func(w *writer) error {
		if w.list == l {
			w.list = nil
		}
		return nil
	})
}

// end ends those of some loans that are not listed.
func (l *loanList) end(ctx context.Context, items []kiosk.Barcode) (ended int, err error) {
	var absent []kiosk.Barcode
	for _, b := range items {
		if _, ok := l.listed[l.hash(b)]; !ok {
			absent = append(absent, b)
		}
	}
	err = l.s.write(ctx, "end loans", func(w *writer) error {
		if w.list != l {
			return invalid("another list of loans was begun since")
		}
		for _, b := range absent {
			if l.touched[b] {
				continue
			}
			n, err := w.end.count(string(b))
			if err != nil {
				return err
			}
			ended += n
		}
		return nil
	})
	if err != nil {
		ended = 0 // it was rolled back
	}
	return ended, err
}

// Fresh is kiosk.Loader's.
func (s *Store) Fresh(ctx context.Context, l kiosk.List) (f kiosk.Freshness, err error) {
	f, err = one("fresh", s.Reader.db.QueryRowContext(ctx, freshSQL, string(l)), func(r row) (f kiosk.Freshness, err error) {
		var whole, since instant
		err = r.Scan(&whole, &since)
		return kiosk.Freshness{Whole: whole.Time, Since: since.Time}, err
	})
	if errors.Is(err, kiosk.ErrUnknown) {
		err = nil
	}
	return f, err
}

// Freshen is kiosk.Loader's.
func (s *Store) Freshen(ctx context.Context, l kiosk.List, f kiosk.Freshness) error {
	return s.write(ctx, "freshen", func(w *writer) error {
		_, err := w.conn.ExecContext(context.Background(), freshenSQL, string(l), ms(f.Whole), ms(f.Since))
		return err
	})
}
