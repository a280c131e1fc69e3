package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	rowColumns = `l.id, l.session, l.kind, l.item, l.patron, l.at, l.doubt, l.due, l.was_due, l.state, l.title, l.text, l.boot, l.up`

	outboxSQL = `
SELECT ` + rowColumns + `, q.attempts, q.retry_at,
    coalesce((SELECT group_concat(t.tag, char(10)) FROM entry_tags t WHERE t.entry = q.seq), '')
FROM outbox q JOIN ledger l ON l.seq = q.seq ORDER BY q.seq LIMIT ?`

	// rowMore is what a Row has beyond an Entry. What was promised is the last due
	// date that was said before the ILS's.
	rowMore = `, l.reason, l.changed, iif(l.state = 'differs', coalesce((SELECT o.due FROM outcomes o
    WHERE o.entry = l.seq AND o.due IS NOT NULL AND o.state <> 'differs' ORDER BY o.n DESC LIMIT 1),
    (SELECT e.due FROM entries e WHERE e.seq = l.seq)), l.due)`

	// calling finds the entries in the ledger l that call for a person.
	calling = `l.seq IN (SELECT entry FROM outcomes WHERE state IN ('exception', 'differs')) AND l.state IN ('exception', 'differs')`

	newestSQL = `
SELECT max(coalesce(o, e), coalesce(e, o)) FROM (SELECT
    (SELECT max(at) FROM outcomes) AS o,
    (SELECT iif(` + putRight + `, NULL, e.newest) FROM entries e ORDER BY e.seq DESC LIMIT 1) AS e)`
)

// Row is an entry as it stands: State, Due and Text are the newest.
type Row struct {
	kiosk.Entry
	Reason   kiosk.Reason // why it was refused or calls for a person
	Changed  time.Time    // when it came into its state
	Promised time.Time    // Due, but for what differs: what it was before the ILS set another
}

// Filter chooses entries; what is empty chooses all.
type Filter struct {
	ID     kiosk.ID
	Patron kiosk.Card
	Item   kiosk.Barcode
	State  kiosk.State
	Open   bool // only those to which an item is still out
	Doubt  bool // only those whose time is not to be trusted
	Limit  int  // 0 means no limit
}

func scanEntry(r row, e *kiosk.Entry, more ...any) error {
	var at, due, was instant
	var up int64
	err := r.Scan(append([]any{&e.ID, &e.Session, &e.Kind, &e.Item, &e.Patron, &at, &e.Doubt, &due, &was,
		&e.State, &e.Title, &e.Text, &e.Up.Boot, &up}, more...)...)
	e.Up.For = time.Duration(up) * time.Millisecond
	e.At, e.Due, e.WasDue = at.Time, due.Time, was.Time
	return err
}

func scanRow(r row) (w Row, err error) {
	var changed, promised instant
	err = scanEntry(r, &w.Entry, &w.Reason, &changed, &promised)
	w.Changed, w.Promised = changed.Time, promised.Time
	return w, err
}

// Entries reads the ledger, what was recorded last first, without holding it
// in memory. An error ends it.
func (r *Reader) Entries(ctx context.Context, f Filter) iter.Seq2[Row, error] {
	query, args := f.sql()
	return func(yield func(Row, error) bool) {
		rows, err := r.db.QueryContext(ctx, query, args...)
		if err != nil {
			yield(Row{}, wrap("entries", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			w, err := scanRow(rows)
			if !yield(w, wrap("entries", err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Row{}, wrap("entries", err))
		}
	}
}

func (f Filter) sql() (string, []any) {
	var where []string
	var args []any
	also := func(cond string, v any) { where, args = append(where, cond), append(args, v) }
	if f.ID != "" {
		also("l.id = ?", string(f.ID))
	}
	if f.Patron != "" {
		also("l.patron = ?", string(f.Patron))
	}
	if f.Item != "" {
		also("l.item = ?", string(f.Item))
	}
	if f.State != "" {
		also("l.state = ?", string(f.State))
	}
	q := "SELECT " + rowColumns + rowMore + " FROM ledger l"
	if f.Open {
		q += " JOIN loans o ON o.item = l.item AND o.entry = l.seq"
	}
	if f.Doubt {
		where = append(where, "l.seq IN (SELECT e.seq FROM entries e WHERE e.doubt = 1) AND l.doubt")
	}
	if len(where) > 0 {
		q += " WHERE " + strings.Join(where, " AND ")
	}
	q += " ORDER BY l.seq DESC"
	if f.Limit > 0 {
		q, args = q+" LIMIT ?", append(args, f.Limit)
	}
	return q, args
}

// Exceptions lists what a person must settle, the oldest first.
func (r *Reader) Exceptions(ctx context.Context) ([]Row, error) {
	rows, err := r.db.QueryContext(ctx, `
SELECT `+rowColumns+rowMore+` FROM ledger l WHERE `+calling+` ORDER BY l.seq`)
	return all("exceptions", rows, err, scanRow)
}

// History is what has become of an entry, step by step: as it was recorded, and
// each state behind that. ErrUnknown if there is no such entry.
func (r *Reader) History(ctx context.Context, id kiosk.ID) ([]kiosk.Outcome, error) {
	rows, err := r.db.QueryContext(ctx, `
SELECT state, at, due, '', text, 0 AS n FROM entries WHERE id = ?1
UNION ALL
SELECT o.state, o.at, o.due, o.reason, o.text, o.n FROM outcomes o JOIN entries e ON e.seq = o.entry WHERE e.id = ?1
ORDER BY n`, string(id))
	list, err := all("history", rows, err, func(r row) (o kiosk.Outcome, err error) {
		var at, due instant
		var n int
		err = r.Scan(&o.State, &at, &due, &o.Reason, &o.Text, &n)
		o.Entry, o.At, o.Due = id, at.Time, due.Time
		return o, err
	})
	if err == nil && len(list) == 0 {
		err = kiosk.ErrUnknown
	}
	return list, err
}

// States tells how far entries have come; those that are not there are left
// out.
func (r *Reader) States(ctx context.Context, ids []kiosk.ID) (map[kiosk.ID]kiosk.State, error) {
	ask, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := r.db.QueryContext(ctx, "SELECT l.id, l.state FROM json_each(?) j JOIN ledger l ON l.id = j.value", string(ask))
	type stated struct {
		id    kiosk.ID
		state kiosk.State
	}
	list, err := all("states", rows, err, func(r row) (x stated, err error) { return x, r.Scan(&x.id, &x.state) })
	states := make(map[kiosk.ID]kiosk.State, len(list))
	for _, x := range list {
		states[x.id] = x.state
	}
	return states, err
}

// Queue is kiosk.Outbox's.
func (r *Reader) Queue(ctx context.Context, limit int) ([]kiosk.Queued, error) {
	rows, err := r.outbox.QueryContext(ctx, max(limit, 0))
	return all("queue", rows, err, func(r row) (q kiosk.Queued, err error) {
		var retry instant
		var tags string
		err = scanEntry(r, &q.Entry, &q.Attempts, &retry, &tags)
		q.RetryAt = retry.Time
		for t := range strings.Lines(tags) {
			q.Tags = append(q.Tags, kiosk.TagID(strings.TrimSuffix(t, "\n")))
		}
		return q, err
	})
}

// Newest is kiosk.Ledger's.
func (r *Reader) Newest(ctx context.Context) (time.Time, error) {
	var at sql.NullInt64
	err := r.newest.QueryRowContext(ctx).Scan(&at)
	return fromMS(at), wrap("newest", err)
}

// Counts tells how much there is.
type Counts struct {
	Entries    int
	Outbox     int
	Oldest     time.Time // of the oldest entry in the outbox; zero if that is empty
	Exceptions int
	Work       int // tags on the work list
	Doubtful   int // entries whose time is not to be trusted
	Items      int
	Patrons    int
	Loans      int
}

// Counts counts without reading the catalogue through.
func (r *Reader) Counts(ctx context.Context) (c Counts, err error) {
	var oldest instant
	err = r.db.QueryRowContext(ctx, `
SELECT (SELECT coalesce(max(seq), 0) FROM entries), (SELECT count(*) FROM outbox),
       (SELECT l.at FROM outbox q JOIN ledger l ON l.seq = q.seq ORDER BY q.seq LIMIT 1),
       (SELECT count(*) FROM ledger l WHERE `+calling+`),
       (SELECT coalesce(max(rowid), 0) FROM items), (SELECT coalesce(max(rowid), 0) FROM patrons),
       (SELECT count(*) FROM loans), (SELECT count(*) FROM work),
       (SELECT count(*) FROM entries e WHERE e.doubt = 1 AND NOT `+putRight+`)`).
		Scan(&c.Entries, &c.Outbox, &oldest, &c.Exceptions, &c.Items, &c.Patrons, &c.Loans, &c.Work, &c.Doubtful)
	c.Oldest = oldest.Time
	return c, wrap("counts", err)
}
