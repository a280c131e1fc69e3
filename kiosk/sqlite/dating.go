package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var _ kiosk.Dater = (*Store)(nil)

const (
	addUndatedSQL = `INSERT INTO undated (seq, boot, up) VALUES (?, ?, ?)`
	datedSQL      = `DELETE FROM undated WHERE seq = ?`
	outlivedSQL   = `DELETE FROM undated WHERE boot <> ?`
	putRightSQL   = `
INSERT INTO outcomes (` + outcomeColumns + `, sum)
SELECT seq, n + 1, state, ?2, ?4, reason, '', ?3, row_sum(seq, n + 1, state, ?2, ?4, reason, '', ?3) FROM ledger WHERE seq = ?1`
	loanDateSQL = `UPDATE loans SET at = iif(at = ?3, ?4, at), due = coalesce(?5, due) WHERE item = ?1 AND entry = ?2`

	// The entries next to it, if they are dated.
	undatedSQL = `
SELECT ` + rowColumns + `, l.seq,
       (SELECT p.at FROM ledger p WHERE p.seq = l.seq - 1 AND p.boot <> ?1),
       (SELECT p.at FROM ledger p WHERE p.seq = l.seq + 1 AND p.boot <> ?1)
FROM undated q JOIN ledger l ON l.seq = q.seq WHERE q.boot = ?1 ORDER BY q.seq`
)

// Undated is kiosk.Dater's.
func (r *Reader) Undated(ctx context.Context, boot string) ([]kiosk.Undated, error) {
	rows, err := r.db.QueryContext(ctx, undatedSQL, boot)
	var seqs []int64
	list, err := all("undated", rows, err, func(r row) (u kiosk.Undated, err error) {
		var after, before instant
		var seq int64
		err = scanEntry(r, &u.Entry, &seq, &after, &before)
		u.After, u.Before, seqs = after.Time, before.Time, append(seqs, seq)
		return u, err
	})
	for i := range list { // those that lie together have the same neighbours
		if i > 0 && seqs[i] == seqs[i-1]+1 {
			list[i].After = list[i-1].After
		}
	}
	for i := len(list) - 2; i >= 0; i-- {
		if seqs[i]+1 == seqs[i+1] {
			list[i].Before = list[i+1].Before
		}
	}
	return list, err
}

// Date is kiosk.Dater's.
func (s *Store) Date(ctx context.Context, boot string, now time.Time, list []kiosk.Dating) error {
	if now.IsZero() {
		return wrap("date", invalid("an outcome needs a time"))
	}
	return s.write(ctx, "date", func(w *writer) error {
		for _, d := range list {
			if err := w.date(d, now); err != nil {
				return err
			}
		}
		return w.outlived.run(boot)
	})
}

func (w *writer) date(to kiosk.Dating, now time.Time) error {
	d, err := w.deed(to.Entry)
	if errors.Is(err, kiosk.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	delete(w.deeds, to.Entry)
	n, err := w.dated.count(d.seq)
	if err != nil || n == 0 || to.At.IsZero() {
		return err
	}
	if err := w.putRight.run(d.seq, ms(now), ms(to.At), ms(to.Due)); err != nil {
		return err
	}
	return w.loanDate.run(d.item, d.seq, ms(d.at), ms(to.At), ms(to.Due))
}
