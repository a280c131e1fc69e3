package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk/search"
)

// indexAtOnce is how many items one transaction of the index reads: a loan that
// comes meanwhile waits some hundredths of a second.
const indexAtOnce = 250

const (
	staleSQLFind = `
SELECT i.rowid, i.title, i.author, i.call_number, i.subjects FROM items i JOIN find_stale f ON f.item = i.rowid LIMIT ?`
	freshSQLFind = `
SELECT rowid, title, author, call_number, subjects FROM items WHERE rowid > (SELECT item FROM find_upto) ORDER BY rowid LIMIT ?`
	countFreshSQL = `
INSERT INTO find_places
SELECT library, location, count(*) FROM items WHERE rowid > (SELECT item FROM find_upto) AND rowid <= ? GROUP BY library, location
ON CONFLICT (library, location) DO UPDATE SET items = items + excluded.items`
)

// Index reads some of what is new in the catalogue, for Find, and tells whether
// there is more. Run calls it while the desk is quiet: to read a list twice
// while it is loaded would double the time of that.
func (s *Store) Index(ctx context.Context) (more bool, err error) {
	if none, err := s.indexed(ctx); none || err != nil {
		return false, wrap("index", err)
	}
	n := 0
	err = s.write(ctx, "index", func(w *writer) error {
		x := indexer{conn: w.conn, seen: map[string]bool{}}
		defer x.close()
		n, err = x.batch()
		return err
	})
	return n == indexAtOnce, err
}

// indexed tells whether nothing is new.
func (s *Store) indexed(ctx context.Context) (none bool, err error) {
	n, err := s.unread(ctx)
	if err != nil || n > 0 {
		return false, err
	}
	err = s.db.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM find_stale)").Scan(&none)
	return none, err
}

// unread is how many items can't be found yet.
func (r *Reader) unread(ctx context.Context) (n int, err error) {
	err = r.db.QueryRowContext(ctx, "SELECT coalesce(max(rowid), 0) - (SELECT item FROM find_upto) FROM items").Scan(&n)
	return max(n, 0), err
}

// forgetIndex has all be read anew: the items have other rows by now.
func forgetIndex(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, `
INSERT INTO find_items (find_items) VALUES ('delete-all');
INSERT INTO find_grams (find_grams) VALUES ('delete-all');
DELETE FROM find_words;
DELETE FROM find_stale;
DELETE FROM find_places;
UPDATE find_upto SET item = 0;`)
	return err
}

// indexer reads items inside a transaction.
type indexer struct {
	conn *sql.Conn
	seen map[string]bool // words that are there

	stale, fresh, put, drop, word, gram, count, upto *sql.Stmt
}

// found is an item that Find will find.
type indexRow struct {
	id                            int64
	title, author, call, subjects string
}

func (x *indexer) batch() (n int, err error) {
	ctx := context.Background()
	for _, p := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&x.stale, staleSQLFind}, {&x.fresh, freshSQLFind},
		{&x.put, "INSERT OR REPLACE INTO find_items (rowid, title, author, call, subjects) VALUES (?, ?, ?, ?, ?)"},
		{&x.drop, "DELETE FROM find_stale WHERE item = ?"},
		{&x.word, "INSERT OR IGNORE INTO find_words (word) VALUES (?)"},
		{&x.gram, "INSERT INTO find_grams (rowid, word) VALUES (?, ?)"},
		{&x.count, countFreshSQL}, {&x.upto, "UPDATE find_upto SET item = max(item, ?)"},
	} {
		if *p.to, err = x.conn.PrepareContext(ctx, p.sql); err != nil {
			return 0, err
		}
	}
	list, err := x.rows(x.stale, indexAtOnce)
	if err != nil {
		return 0, err
	}
	fresh, err := x.rows(x.fresh, indexAtOnce-len(list))
	if err != nil {
		return 0, err
	}
	for _, r := range append(list, fresh...) {
		if err := x.add(r); err != nil {
			return 0, err
		}
	}
	if len(fresh) > 0 {
		upto := fresh[len(fresh)-1].id
		if _, err := x.count.Exec(upto); err != nil {
			return 0, err
		}
		if _, err := x.upto.Exec(upto); err != nil {
			return 0, err
		}
	}
	return len(list) + len(fresh), nil
}

func (x *indexer) rows(s *sql.Stmt, limit int) ([]indexRow, error) {
	rows, err := s.Query(limit)
	return all("index", rows, err, func(r row) (i indexRow, err error) {
		return i, r.Scan(&i.id, &i.title, &i.author, &i.call, &i.subjects)
	})
}

// add makes one item known, and its words.
func (x *indexer) add(r indexRow) error {
	title, author := search.Sound(r.title), search.Sound(r.author)
	if _, err := x.put.Exec(r.id, heard(r.title, title), heard(r.author, author), search.Fold(r.call), search.Fold(r.subjects)); err != nil {
		return err
	}
	if _, err := x.drop.Exec(r.id); err != nil {
		return err
	}
	for _, w := range slices.Concat(search.Words(r.title), search.Words(r.author), search.Words(r.subjects)) {
		if err := x.learn(w); err != nil {
			return err
		}
	}
	return nil
}

// heard is a text's words, and behind them how they sound.
func heard(text string, sound []string) string {
	if len(sound) == 0 {
		return search.Fold(text)
	}
	return search.Fold(text) + " " + strings.Join(sound, " ")
}

// learn keeps a word that others may be near to.
func (x *indexer) learn(w string) error {
	if x.seen[w] || search.Slips(w) == 0 {
		return nil
	}
	x.seen[w] = true
	res, err := x.word.Exec(w)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return err
	}
	_, err = x.gram.Exec(id, "_"+w+"_")
	return err
}

func (x *indexer) close() {
	for _, s := range []*sql.Stmt{x.stale, x.fresh, x.put, x.drop, x.word, x.gram, x.count, x.upto} {
		if s != nil {
			s.Close()
		}
	}
}
