package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite/carve"
)

const (
	rescueEntrySQL   = `INSERT INTO entries (` + entryColumns + `, sum) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`
	rescueOutcomeSQL = `INSERT INTO outcomes (` + outcomeColumns + `, sum) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`

	// What the damaged file tells of entries that it may have lost.
	hintsSQL = `
SELECT seq, '' AS id, item FROM entries INDEXED BY entries_item WHERE item >= ''
UNION ALL SELECT seq, id, '' FROM entries INDEXED BY sqlite_autoindex_entries_1 WHERE id >= ''`
)

// highestEntry is beyond any number of an entry that a kiosk can come to: what
// says more is no number of an entry.
const highestEntry = 1 << 32

// entries takes entries and outcomes from the damaged file: those whose sum is
// right, from wherever they lie; and from a file of an older version, which
// has no sums, what SQLite can still read.
func (r *rescue) entries(ctx context.Context) error {
	if _, err := r.new.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	var failed error
	keep := func(sql string, values []driver.Value) int64 {
		res, err := r.new.conn.ExecContext(ctx, sql, anys(values)...)
		if err != nil {
			failed = errors.Join(failed, err)
			return 0
		}
		n, _ := res.RowsAffected()
		return n
	}
	entry := func(values []driver.Value) {
		seq, ok := values[0].(int64)
		if failed != nil || !ok || seq <= 0 || seq > highestEntry || !intact(values) {
			return
		}
		if keep(rescueEntrySQL, values) == 0 && !r.found.has(seq) {
			failed = errors.Join(failed, r.same(ctx, seq, values[1]))
		}
		r.found.add(seq)
		r.highest = max(r.highest, seq)
	}
	outcome := func(values []driver.Value) {
		seq, ok := values[0].(int64)
		if failed != nil || !ok || seq <= 0 || seq > highestEntry || !intact(values) {
			return
		}
		keep(rescueOutcomeSQL, values)
		r.highest = max(r.highest, seq)
	}
	r.old.Rows(carve.Table{Columns: 19, Rowid: true, Row: func(rowid int64, v []driver.Value) {
		v[0] = rowid // which the row itself leaves out
		entry(v)
	}}, carve.Table{Columns: 9, Row: func(_ int64, v []driver.Value) { outcome(v) }})
	for _, t := range []struct {
		table, columns string
		row            func([]driver.Value)
	}{{"entries", entryColumns, entry}, {"outcomes", outcomeColumns, outcome}} {
		r.unsummed(ctx, t.table, t.columns, t.row)
	}
	if failed != nil {
		r.new.conn.ExecContext(ctx, "ROLLBACK")
		return failed
	}
	_, err := r.new.conn.ExecContext(ctx, "COMMIT")
	return err
}

// intact tells whether a row is as it was written, by its last value.
func intact(values []driver.Value) bool {
	sum, ok := values[len(values)-1].(int64)
	return ok && sum == rowSum(values[:len(values)-1])
}

// same tells whether the copy has the same entry under a number: else it is a
// copy of another ledger, or of what was put back to an older one since.
func (r *rescue) same(ctx context.Context, seq int64, id driver.Value) error {
	var has string
	err := r.new.conn.QueryRowContext(ctx, "SELECT id FROM entries WHERE seq = ?", seq).Scan(&has)
	if err != nil || has != id {
		return fmt.Errorf("%w: its entry %d is another than the ledger's", errNoGood, seq)
	}
	return nil
}

// unsummed reads rows of a file from before there were sums.
func (r *rescue) unsummed(ctx context.Context, table, columns string, row func([]driver.Value)) {
	if slices.Contains(r.columns(ctx, r.broken, table), "sum") {
		return
	}
	names := strings.Split(strings.Join(strings.Fields(columns), ""), ",")
	had := r.columns(ctx, r.broken, table)
	for i, n := range names {
		if !slices.Contains(had, n) {
			names[i] = "NULL"
		}
	}
	r.scan(ctx, table, strings.Join(names, ", "), func(v []driver.Value) { row(append(v, rowSum(v))) })
}

// tables takes all that is not the ledger.
func (r *rescue) tables(ctx context.Context) error {
	if err := forgetIndex(ctx, r.new.conn); err != nil {
		return err
	}
	rows, err := r.new.conn.QueryContext(ctx, `SELECT name FROM pragma_table_list
		WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'find_%' AND name NOT IN ('entries', 'outcomes', 'outbox', 'probe', 'migrations') ORDER BY name`)
	names, err := all("tables", rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
	if err != nil {
		return err
	}
	for _, name := range names {
		whole, err := r.table(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !whole {
			r.Parts = append(r.Parts, name)
			r.shaky = r.shaky || name == "loans"
		}
	}
	return nil
}

// table takes the rows of one. Where the damaged file has all of them, they
// are all; else what it has goes over what the copy has.
func (r *rescue) table(ctx context.Context, name string) (whole bool, err error) {
	had := r.columns(ctx, r.broken, name)
	cols := slices.DeleteFunc(r.columns(ctx, r.new.conn, name), func(c string) bool { return !slices.Contains(had, c) })
	if len(cols) == 0 {
		return false, nil
	}
	if _, err = r.new.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			r.new.conn.ExecContext(ctx, "ROLLBACK")
			return
		}
		_, err = r.new.conn.ExecContext(ctx, "COMMIT")
	}()
	// With a hole in the log a page may be older than the rest, and look sound.
	whole = r.sound(ctx, name) && !r.old.Log.Holes()
	if whole && name != "acts" { // which only grows
		if _, err = r.new.conn.ExecContext(ctx, "DELETE FROM "+name); err != nil {
			return false, err
		}
	}
	put, err := r.new.conn.PrepareContext(ctx, fmt.Sprintf("INSERT OR REPLACE INTO %s (%s) VALUES (?%s)", name, strings.Join(cols, ", "), strings.Repeat(", ?", len(cols)-1)))
	if err != nil {
		return false, err
	}
	defer put.Close()
	var full error
	done := r.scan(ctx, name, strings.Join(cols, ", "), func(v []driver.Value) {
		if _, err := put.ExecContext(ctx, anys(v)...); err != nil {
			if class := classify(err); errors.Is(class, ErrFull) || errors.Is(class, ErrDisk) || errors.Is(class, ErrReadOnly) {
				full = class
			}
			whole = false // a value that can't be one of this column's
		}
	})
	return whole && done, errors.Join(full, ctx.Err())
}

// sound tells whether SQLite finds nothing wrong with a table of the damaged file.
func (r *rescue) sound(ctx context.Context, table string) bool {
	rows, err := r.broken.QueryContext(ctx, "SELECT integrity_check FROM pragma_integrity_check(?)", table)
	got, err := all("check", rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
	return err == nil && slices.Equal(got, []string{"ok"})
}

// columns are those of a table; none where it can't be told.
func (r *rescue) columns(ctx context.Context, db querier, table string) []string {
	rows, err := db.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	names, err := all("columns", rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
	if err != nil {
		return nil
	}
	return names
}

// scan reads a table of the damaged file from its begin to the first page that
// can't be read, and then from its end to the last such page. It tells whether
// there was none.
func (r *rescue) scan(ctx context.Context, table, columns string, see func([]driver.Value)) (whole bool) {
	key := r.key(ctx, table)
	if r.read(ctx, "SELECT "+columns+" FROM "+table+" ORDER BY "+strings.Join(key, ", "), see) == nil {
		return true
	}
	r.read(ctx, "SELECT "+columns+" FROM "+table+" ORDER BY "+strings.Join(key, " DESC, ")+" DESC", see) //nolint:errcheck // as far as it goes
	return false
}

// key is what the rows of a table are ordered by.
func (r *rescue) key(ctx context.Context, table string) []string {
	rows, err := r.broken.QueryContext(ctx, "SELECT name FROM pragma_table_info(?) WHERE pk > 0 AND (SELECT wr FROM pragma_table_list(?)) ORDER BY pk", table, table)
	names, err := all("key", rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
	if err != nil || len(names) == 0 {
		return []string{"rowid"}
	}
	return names
}

// read gives the rows of a query to see, as far as they can be read.
func (r *rescue) read(ctx context.Context, query string, see func([]driver.Value)) error {
	rows, err := r.broken.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		values, to := make([]any, len(cols)), make([]any, len(cols))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		out := make([]driver.Value, len(cols))
		for i, v := range values {
			out[i] = v
		}
		see(out)
	}
	return rows.Err()
}

// hints are what indexes tell of entries that are not there.
func (r *rescue) hints(ctx context.Context, lost map[int64]*Lost) {
	for _, q := range strings.Split(hintsSQL, "UNION ALL") {
		r.read(ctx, q, func(v []driver.Value) { //nolint:errcheck // as far as it goes
			seq, _ := v[0].(int64)
			l := lost[seq]
			if l == nil {
				return
			}
			if s, _ := v[1].(string); s != "" {
				l.ID = kiosk.ID(s)
			}
			if s, _ := v[2].(string); s != "" {
				l.Item = kiosk.Barcode(s)
			}
		})
	}
}
