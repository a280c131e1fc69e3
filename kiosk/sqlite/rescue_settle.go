package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// holding are the states of entries that took effect.
const holding = `('granted', 'offline', 'unsure', 'settled', 'differs')`

// rebuildSQL makes an entry anew from the loan that it had led to. Whether it
// was a checkout or a renewal is not known any more, nor what the ILS has heard
// of it: it is looked up there before anything is told.
const rebuildSQL = `
INSERT INTO entries (` + entryColumns + `, sum) SELECT ` + entryColumns + `, ` + entrySum + ` FROM (
SELECT entry AS seq, ?2 AS id, '' AS session, 'checkout' AS kind, item, patron, coalesce(at, ?3) AS at, 0 AS doubt, due,
       NULL AS was_due, 'unsure' AS state, coalesce((SELECT title FROM items i WHERE i.barcode = item), '') AS title, ?4 AS text,
       max(coalesce(at, ?3), ?3) AS newest, NULL AS had_patron, NULL AS had_at, NULL AS had_due, NULL AS had_entry
FROM loans WHERE entry = ?1)`

// whyUnsure is what the history of an entry says of the rescue.
const whyUnsure = "the ledger was damaged and rescued: it is looked up before it is told again"

// settleSQL makes the rest agree with the entries, in this order.
var settleSQL = []string{
	// What is about entries that are lost.
	`DELETE FROM outcomes WHERE entry NOT IN (SELECT seq FROM entries)`,
	`DELETE FROM entry_tags WHERE entry NOT IN (SELECT seq FROM entries)`,
	`DELETE FROM work WHERE NOT EXISTS (SELECT 1 FROM entry_tags t WHERE t.entry = work.entry AND t.tag = work.tag)`,
	`DELETE FROM work_done WHERE entry NOT IN (SELECT seq FROM entries)`,
	`DELETE FROM undated WHERE seq NOT IN (SELECT seq FROM entries)`,
	`DELETE FROM inventory_lines WHERE inventory NOT IN (SELECT n FROM inventories)`,
	`DELETE FROM inventory_out WHERE inventory NOT IN (SELECT n FROM inventories)`,
	`DELETE FROM inventory_photos WHERE inventory NOT IN (SELECT n FROM inventories)`,
	// The outbox is what the states say.
	`DELETE FROM outbox`,
	`INSERT INTO outbox (seq) SELECT seq FROM ledger WHERE state IN ('asked', 'offline', 'unsure')`,
	// A loan of ours is what a holding entry says, or is none.
	`DELETE FROM loans WHERE entry <> 0 AND NOT EXISTS (
		SELECT 1 FROM ledger l WHERE l.seq = loans.entry AND l.item = loans.item AND l.state IN ` + holding + `)`,
	`UPDATE loans SET patron = (SELECT patron FROM entries WHERE seq = entry) WHERE entry <> 0`,
	// Returned since.
	`DELETE FROM loans WHERE entry <> 0 AND EXISTS (
		SELECT 1 FROM entries e JOIN ledger l ON l.seq = e.seq WHERE e.item = loans.item AND l.seq > loans.entry AND l.kind = 'checkin' AND l.state IN ` + holding + `)`,
}

// reloanSQL makes the loans of the newest entries of their items: of those that
// are newer than the copy, where the damaged file's own loans could not be read
// to the end, and where an older entry still has the loan.
const reloanSQL = `
INSERT INTO loans (item, patron, at, due, entry)
SELECT item, patron, at, due, seq FROM ledger l
WHERE (seq > ?1 OR EXISTS (SELECT 1 FROM loans o WHERE o.item = l.item AND o.entry BETWEEN 1 AND l.seq - 1))
AND state IN ` + holding + ` AND kind IN ('checkout', 'renew')
AND NOT EXISTS (SELECT 1 FROM entries m JOIN ledger n ON n.seq = m.seq WHERE m.item = l.item AND m.seq > l.seq AND n.state IN ` + holding + `)
ON CONFLICT (item) DO UPDATE SET patron = excluded.patron, at = excluded.at, due = excluded.due, entry = excluded.entry`

// returnSQL ends the loans of the library's list that were returned here after
// the copy was made.
const returnSQL = `
DELETE FROM loans WHERE entry = 0 AND EXISTS (
	SELECT 1 FROM entries e JOIN ledger l ON l.seq = e.seq WHERE e.item = loans.item AND e.seq > ?1 AND l.kind = 'checkin' AND l.state IN ` + holding + `)`

// settle makes loans, outbox and work list agree with the entries that there
// are, and accounts for those that are not.
func (r *rescue) settle(ctx context.Context) error {
	if err := r.rebuild(ctx); err != nil {
		return err
	}
	return r.new.write(ctx, "settle", func(w *writer) error {
		for _, q := range settleSQL {
			if _, err := w.conn.ExecContext(context.Background(), q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		since := int64(highestEntry)
		if r.shaky {
			since = r.last
		}
		for _, q := range []string{reloanSQL, returnSQL} {
			if _, err := w.conn.ExecContext(context.Background(), q, since); err != nil {
				return err
			}
		}
		return r.doubt(w)
	})
}

// doubt makes unsure what was decided here and not confirmed: that it was told
// since may be what the damage has taken.
func (r *rescue) doubt(w *writer) error {
	rows, err := w.conn.QueryContext(context.Background(), "SELECT id, changed FROM ledger WHERE state = 'offline'")
	list, err := all("offline", rows, err, func(r row) (o kiosk.Outcome, err error) {
		var at instant
		err = r.Scan(&o.Entry, &at)
		o.At, o.State, o.Text = at.Time, kiosk.Unsure, whyUnsure
		return o, err
	})
	if err != nil {
		return err
	}
	for _, o := range list {
		if r.now.After(o.At) {
			o.At = r.now
		}
		if err := w.conclude(o); err != nil {
			return err
		}
	}
	return nil
}

// rebuild counts, and makes anew what can be from a loan.
func (r *rescue) rebuild(ctx context.Context) error {
	for _, q := range []string{"SELECT coalesce(max(entry), 0) FROM loans", "SELECT coalesce(max(entry), 0) FROM entry_tags"} {
		var n int64
		if err := r.new.conn.QueryRowContext(ctx, q).Scan(&n); err != nil {
			return err
		}
		if n <= highestEntry {
			r.highest = max(r.highest, n)
		}
	}
	rows, err := r.new.conn.QueryContext(ctx, "SELECT seq FROM entries")
	var there bits
	have, err := all("entries", rows, err, func(r row) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return err
	}
	r.Entries = len(have)
	for _, n := range have {
		there.add(n)
		if r.found.has(n) {
			r.FromFile++
		} else {
			r.FromCopy++
		}
	}
	r.hinted(ctx)
	lost := map[int64]*Lost{}
	for n := int64(1); n <= r.highest && len(lost) < maxLost; n++ {
		if !there.has(n) {
			lost[n] = &Lost{Seq: n}
		}
	}
	r.hints(ctx, lost)
	for _, l := range lost {
		if err := r.renew(ctx, l); err != nil {
			return err
		}
	}
	slices.SortFunc(r.Lost, func(a, b Lost) int { return cmp.Compare(a.Seq, b.Seq) })
	return nil
}

// maxLost bounds the account: of a kiosk that has lost more there is nothing to say entry by entry.
const maxLost = 100_000

// hinted finds how far the entries went by what the indexes of the damaged
// file tell.
func (r *rescue) hinted(ctx context.Context) {
	for _, q := range []string{
		"SELECT max(seq) FROM entries INDEXED BY entries_item WHERE item >= ''",
		"SELECT max(seq) FROM entries INDEXED BY sqlite_autoindex_entries_1 WHERE id >= ''",
		"SELECT max(seq) FROM outbox", "SELECT max(entry) FROM outcomes",
	} {
		var n sql.NullInt64
		if r.broken.QueryRowContext(ctx, q).Scan(&n) == nil && n.Int64 <= highestEntry {
			r.highest = max(r.highest, n.Int64)
		}
	}
	var end sql.NullInt64 // where the way to the last row is whole, it is the last
	err := r.broken.QueryRowContext(ctx, "SELECT max(seq) FROM entries").Scan(&end)
	r.Beyond = err != nil || r.old.Log.Holes() || !r.found.has(end.Int64)
}

// renew makes a lost entry anew if there is a loan of it, or lists it.
func (r *rescue) renew(ctx context.Context, l *Lost) error {
	id := cmp.Or(l.ID, kiosk.ID(fmt.Sprintf("rescued-%s-%d", r.now.UTC().Format(time.DateOnly), l.Seq)))
	res, err := r.new.conn.ExecContext(ctx, rebuildSQL, l.Seq, string(id), r.now.UnixMilli(), whyUnsure)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		r.Rebuilt++
		r.Entries++
		return err
	}
	r.Lost = append(r.Lost, *l)
	return nil
}
