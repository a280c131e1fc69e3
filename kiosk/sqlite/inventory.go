package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var _ kiosk.Inventories = (*Store)(nil)

const (
	addInventorySQL = `
INSERT INTO inventories (id, name, library, location, scheme, from_, to_, begun) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	addLineSQL = `
INSERT INTO inventory_lines (inventory, n, kind, who, at, item, tag, tagged, part, text, of_, found, loose, read)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	excuseSQL      = `INSERT INTO inventory_out (inventory, item) VALUES (?, ?) ON CONFLICT DO NOTHING`
	inventoriesSQL = `
SELECT v.id, v.name, v.library, v.location, v.scheme, v.from_, v.to_, v.begun,
       coalesce((SELECT max(l.n) FROM inventory_lines l WHERE l.inventory = v.n), 0),
       coalesce((SELECT l.kind FROM inventory_lines l WHERE l.inventory = v.n AND l.kind IN ('pause', 'resume', 'search', 'end')
                 ORDER BY l.n DESC LIMIT 1), ''),
       EXISTS (SELECT 1 FROM inventory_lines l WHERE l.inventory = v.n AND l.kind = 'search')
FROM inventories v`
	linesSQL = `
SELECT l.n, l.kind, l.who, l.at, l.item, l.tag, l.tagged, l.part, l.text, l.of_, l.found, l.loose, l.read
FROM inventory_lines l
WHERE l.inventory = (SELECT v.n FROM inventories v WHERE v.id = ?) AND l.kind <> 'undo'
    AND NOT EXISTS (SELECT 1 FROM inventory_lines u WHERE u.inventory = l.inventory AND u.kind = 'undo' AND u.of_ = l.n)
ORDER BY l.n`
	writtenSQL = `
SELECT l.n, l.kind, l.who, l.at, l.item, l.tag, l.tagged, l.part, l.text, l.of_, l.found, l.loose, l.read
FROM inventory_lines l
WHERE l.inventory = (SELECT v.n FROM inventories v WHERE v.id = ?) AND l.read <> '' AND l.read IN (SELECT value FROM json_each(?))
ORDER BY l.n`
	meetSQL = `
SELECT j.value, i.barcode IS NOT NULL, coalesce(i.title, ''), coalesce(i.author, ''), coalesce(i.isbn, ''), coalesce(i.call_number, ''),
       coalesce(i.scheme, ''), coalesce(i.subjects, ''), coalesce(i.location, ''), coalesce(i.library, ''), coalesce(i.type, ''), coalesce(i.status, ''),
       coalesce(i.reference, 0), coalesce(i.no_loan, 0), coalesce(i.year, 0), EXISTS (SELECT 1 FROM loans l WHERE l.item = j.value),
       coalesce((SELECT group_concat(w.why, char(31)) FROM wanted w WHERE w.item = j.value), ''),
       (SELECT count(*) FROM items c WHERE c.isbn = i.isbn AND c.isbn <> ''),
       (SELECT max(e.at) FROM entries e WHERE e.item = j.value AND e.kind = 'checkout')
FROM json_each(?) j LEFT JOIN items i ON i.barcode = j.value ORDER BY j.key`
	shelvedSQL = `
SELECT i.barcode, i.call_number, i.scheme, i.status
FROM items i WHERE (?1 = '' OR i.library = ?1) AND (?2 = '' OR i.location = ?2)`
	placesSQL = `
SELECT library, location, sum(items) FROM (
    SELECT library, location, items FROM find_places
    UNION ALL SELECT library, location, 1 FROM items WHERE rowid > (SELECT item FROM find_upto)
) GROUP BY library, location HAVING sum(items) > 0 ORDER BY library, location`
)

// BeginInventory is kiosk.Inventories'.
func (s *Store) BeginInventory(ctx context.Context, v kiosk.Inventory, out []kiosk.Barcode) error {
	return s.write(ctx, "begin inventory", func(w *writer) error {
		if v.ID == "" || v.Begun.IsZero() {
			return invalid("an inventory needs an ID and a time")
		}
		r := v.Range
		res, err := w.conn.ExecContext(context.Background(), addInventorySQL,
			string(v.ID), v.Name, r.Library, r.Location, r.Scheme, r.From, r.To, ms(v.Begun))
		if err != nil {
			return err
		}
		n, err := res.LastInsertId()
		if err != nil {
			return err
		}
		return w.excuse(n, out)
	})
}

// excuse notes items that are out.
func (w *writer) excuse(inventory int64, out []kiosk.Barcode) error {
	stmt, err := w.conn.PrepareContext(context.Background(), excuseSQL)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, b := range out {
		if _, err := stmt.Exec(inventory, string(b)); err != nil {
			return err
		}
	}
	return nil
}

// inventory gives the number of one.
func (w *writer) inventory(id kiosk.ID) (n int64, err error) {
	err = w.conn.QueryRowContext(context.Background(), "SELECT n FROM inventories WHERE id = ?", string(id)).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = kiosk.ErrUnknown
	}
	return n, err
}

// Write is kiosk.Inventories'.
func (s *Store) Write(ctx context.Context, id kiosk.ID, lines []kiosk.ShelfLine) (first int64, err error) {
	err = s.write(ctx, "inventory", func(w *writer) error {
		v, err := w.inventory(id)
		if err != nil {
			return err
		}
		if err := w.lastLine.QueryRow(v).Scan(&first); err != nil {
			return err
		}
		first++
		for i, l := range lines {
			if l.Kind == "" || l.At.IsZero() {
				return invalid("a line of an inventory needs a kind and a time")
			}
			if err := w.addLine.run(v, first+int64(i), string(l.Kind), l.Who, ms(l.At), string(l.Item), string(l.Tag), l.Tagged,
				l.Part, l.Text, l.Of, strings.Join(l.Found, ","), l.Loose, string(l.Read)); err != nil {
				return err
			}
		}
		return nil
	})
	return first, err
}

// Excuse is kiosk.Inventories'.
func (s *Store) Excuse(ctx context.Context, id kiosk.ID, out []kiosk.Barcode) error {
	return s.write(ctx, "excuse", func(w *writer) error {
		n, err := w.inventory(id)
		if err != nil {
			return err
		}
		return w.excuse(n, out)
	})
}

// KeepReport is kiosk.Inventories'.
func (s *Store) KeepReport(ctx context.Context, id kiosk.ID, report []byte) error {
	return s.write(ctx, "keep report", func(w *writer) error {
		n, err := w.inventory(id)
		if err != nil {
			return err
		}
		_, err = w.conn.ExecContext(context.Background(), "UPDATE inventories SET report = ? WHERE n = ?", report, n)
		return err
	})
}

// Want is kiosk.Inventories'.
func (s *Store) Want(ctx context.Context, why string, list []kiosk.Wanted) error {
	return s.write(ctx, "want", func(w *writer) error {
		if strings.TrimSpace(why) == "" {
			return invalid("a list of what is wanted needs a reason")
		}
		if _, err := w.conn.ExecContext(context.Background(), "DELETE FROM wanted WHERE why = ?", why); err != nil {
			return err
		}
		stmt, err := w.conn.PrepareContext(context.Background(),
			"INSERT INTO wanted (item, why, note) VALUES (?, ?, ?) ON CONFLICT (item, why) DO UPDATE SET note = excluded.note")
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, x := range list {
			if _, err := stmt.Exec(string(x.Item), why, x.Note); err != nil {
				return err
			}
		}
		return nil
	})
}

func scanInventory(r row) (v kiosk.Inventory, err error) {
	var begun instant
	var last string
	var searched bool
	g := &v.Range
	err = r.Scan(&v.ID, &v.Name, &g.Library, &g.Location, &g.Scheme, &g.From, &g.To, &begun, &v.Lines, &last, &searched)
	v.Begun, v.Stage = begun.Time, stageAfter(kiosk.ShelfKind(last), searched)
	return v, err
}

// stageAfter is the stage that the newest line about stages leaves.
func stageAfter(last kiosk.ShelfKind, searched bool) kiosk.InventoryStage {
	switch {
	case last == kiosk.ShelfEnd:
		return kiosk.Ended
	case last == kiosk.ShelfPause:
		return kiosk.Paused
	case searched:
		return kiosk.Searching
	}
	return kiosk.Walking
}

// Inventory is kiosk.Inventories'.
func (r *Reader) Inventory(ctx context.Context, id kiosk.ID) (kiosk.Inventory, error) {
	return one("inventory", r.db.QueryRowContext(ctx, inventoriesSQL+" WHERE v.id = ?", string(id)), scanInventory)
}

// Inventories is kiosk.Inventories'.
func (r *Reader) Inventories(ctx context.Context) ([]kiosk.Inventory, error) {
	rows, err := r.db.QueryContext(ctx, inventoriesSQL+" ORDER BY v.n DESC")
	return all("inventories", rows, err, scanInventory)
}

// each reads every row of an answer without holding it in memory.
func each[T any](ctx context.Context, r *Reader, step string, scan func(row) (T, error), query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := r.db.QueryContext(ctx, query, args...)
		if err != nil {
			yield(none, wrap(step, err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			v, err := scan(rows)
			if !yield(v, wrap(step, err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, wrap(step, err))
		}
	}
}

// Lines is kiosk.Inventories'.
func (r *Reader) Lines(ctx context.Context, id kiosk.ID) iter.Seq2[kiosk.ShelfLine, error] {
	return each(ctx, r, "inventory lines", scanLine, linesSQL, string(id))
}

func scanLine(r row) (l kiosk.ShelfLine, err error) {
	var at instant
	var found string
	err = r.Scan(&l.N, &l.Kind, &l.Who, &at, &l.Item, &l.Tag, &l.Tagged, &l.Part, &l.Text, &l.Of, &found, &l.Loose, &l.Read)
	l.At = at.Time
	if found != "" {
		l.Found = strings.Split(found, ",")
	}
	return l, err
}

// Written is kiosk.Inventories'.
func (r *Reader) Written(ctx context.Context, id kiosk.ID, reads []kiosk.ID) ([]kiosk.ShelfLine, error) {
	if len(reads) == 0 {
		return nil, nil
	}
	ask, err := json.Marshal(reads)
	if err != nil {
		return nil, err
	}
	rows, err := r.db.QueryContext(ctx, writtenSQL, string(id), string(ask))
	return all("written", rows, err, scanLine)
}

// Excused is kiosk.Inventories'.
func (r *Reader) Excused(ctx context.Context, id kiosk.ID) ([]kiosk.Barcode, error) {
	rows, err := r.db.QueryContext(ctx, `
SELECT o.item FROM inventory_out o JOIN inventories v ON v.n = o.inventory WHERE v.id = ?`, string(id))
	return all("excused", rows, err, func(r row) (b kiosk.Barcode, err error) { return b, r.Scan(&b) })
}

// Report is kiosk.Inventories'.
func (r *Reader) Report(ctx context.Context, id kiosk.ID) ([]byte, error) {
	return one("report", r.db.QueryRowContext(ctx, "SELECT report FROM inventories WHERE id = ? AND report IS NOT NULL", string(id)),
		func(r row) (b []byte, err error) { return b, r.Scan(&b) })
}

// Shelved is kiosk.Inventories'. The loans are read first: to look for that of
// each item took half the time of all.
func (r *Reader) Shelved(ctx context.Context, library, location string) iter.Seq2[kiosk.Shelved, error] {
	return func(yield func(kiosk.Shelved, error) bool) {
		lent := map[kiosk.Barcode]bool{}
		for b, err := range each(ctx, r, "loans", func(r row) (b kiosk.Barcode, err error) { return b, r.Scan(&b) }, "SELECT item FROM loans") {
			if err != nil {
				yield(kiosk.Shelved{}, err)
				return
			}
			lent[b] = true
		}
		each(ctx, r, "shelved", func(r row) (c kiosk.Shelved, err error) {
			err = r.Scan(&c.Barcode, &c.CallNumber, &c.Scheme, &c.Status)
			c.OnLoan = lent[c.Barcode]
			return c, err
		}, shelvedSQL, library, location)(yield)
	}
}

// Places is kiosk.Inventories'. What the index has read, it has counted.
func (r *Reader) Places(ctx context.Context) ([]kiosk.Place, error) {
	rows, err := r.db.QueryContext(ctx, placesSQL)
	return all("places", rows, err, func(r row) (p kiosk.Place, err error) { return p, r.Scan(&p.Library, &p.Location, &p.Items) })
}

func scanWanted(r row) (w kiosk.Wanted, err error) { return w, r.Scan(&w.Item, &w.For, &w.Note) }

// Meet is kiosk.Inventories'.
func (r *Reader) Meet(ctx context.Context, list []kiosk.Barcode) ([]kiosk.Met, error) {
	if len(list) == 0 {
		return nil, nil
	}
	ask, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	rows, err := r.meet.QueryContext(ctx, string(ask))
	return all("meet", rows, err, func(r row) (m kiosk.Met, err error) {
		var lent instant
		var wanted string
		i := &m.Item
		err = r.Scan(&i.Barcode, &m.Known, &i.Title, &i.Author, &i.ISBN, &i.CallNumber, &i.Scheme, &i.Subjects, &i.Location, &i.Library, &i.Type,
			&i.Status, &i.Reference, &i.NoLoan, &i.Year, &m.OnLoan, &wanted, &m.Copies, &lent)
		m.LastLoan = lent.Time
		if wanted != "" {
			m.Wanted = strings.Split(wanted, "\x1f")
		}
		return m, err
	})
}

// WantedList is kiosk.Inventories'.
func (r *Reader) WantedList(ctx context.Context) ([]kiosk.Wanted, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT item, why, note FROM wanted ORDER BY why, item")
	return all("wanted list", rows, err, scanWanted)
}
