package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// rows says how values of one kind go into their table.
type rows[T any] struct {
	table, key string
	columns    []string             // without the key
	values     func(T, []any) []any // appends those of the key, then of columns
	quiet      string               // a column whose change alone is none
	known      []string             // columns that stay as they are where a list does not tell them
	count      string               // a cheap query whose answer grows by one with each new row
}

var itemRows = rows[kiosk.Item]{
	table: "items", key: "barcode",
	columns: []string{"title", "author", "isbn", "call_number", "scheme", "subjects", "location", "library",
		"type", "status", "reference", "no_loan", "year", "seen"},
	known: []string{"subjects", "year"},
	values: func(i kiosk.Item, to []any) []any {
		return append(to, string(i.Barcode), i.Title, i.Author, i.ISBN, i.CallNumber, i.Scheme, i.Subjects, i.Location, i.Library,
			i.Type, string(i.Status), i.Reference, i.NoLoan, i.Year, ms(i.Seen))
	},
	count: "SELECT coalesce(max(rowid), 0) FROM items",
}

var patronRows = rows[kiosk.Patron]{
	table: "patrons", key: "card",
	columns: []string{"family", "first", "category", "library", "language", "born", "expires",
		"blocked", "block_text", "seen"},
	quiet: "seen",
	values: func(p kiosk.Patron, to []any) []any {
		return append(to, string(p.Card), p.FamilyName, p.FirstName, p.Category, p.Library, p.Language,
			ms(p.Born), ms(p.Expires), string(p.Blocked), p.BlockText, ms(p.Seen))
	},
	count: "SELECT coalesce(max(rowid), 0) FROM patrons",
}

var loanRows = rows[kiosk.Loan]{
	table: "loans", key: "item",
	columns: []string{"patron", "at", "due", "entry"},
	values: func(l kiosk.Loan, to []any) []any {
		return append(to, string(l.Item), string(l.Patron), ms(l.At), ms(l.Due), 0)
	},
	count: "SELECT count(*) FROM loans",
}

// PutItems is kiosk.Loader's.
func (s *Store) PutItems(ctx context.Context, items []kiosk.Item) (kiosk.Change, error) {
	forget := func(l *learned) {
		for _, i := range items {
			delete(l.items, i.Barcode)
		}
	}
	items, err := s.overKnown(ctx, items)
	if err != nil {
		return kiosk.Change{}, err
	}
	s.unlearn(forget)
	defer s.unlearn(forget) // what was learned meanwhile was learned over the row of before
	return put(ctx, s, itemRows, items)
}

// overKnown completes what a list does not tell of where a copy is by what is
// known. Most lists tell it.
func (s *Store) overKnown(ctx context.Context, items []kiosk.Item) ([]kiosk.Item, error) {
	if !slices.ContainsFunc(items, func(i kiosk.Item) bool { return i.Status == "" }) {
		return items, nil
	}
	items = slices.Clone(items)
	for n, i := range items {
		if i.Status != "" {
			continue
		}
		old, err := s.Item(ctx, i.Barcode)
		if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
			return nil, err
		}
		items[n] = i.Over(old)
	}
	return items, nil
}

// PutPatrons is kiosk.Loader's.
func (s *Store) PutPatrons(ctx context.Context, patrons []kiosk.Patron) (kiosk.Change, error) {
	s.unlearn(func(l *learned) {
		for _, p := range patrons {
			delete(l.patrons, p.Card)
		}
	})
	var c kiosk.Change
	err := s.write(ctx, "put patrons", func(w *writer) (err error) {
		if c, err = patronRows.put(w.conn, patrons); err != nil {
			return err
		}
		return seenAgain(w.conn, patrons)
	})
	return ifDone(c, err)
}

// seenAgain makes what was said of patrons as young as it now is. What the
// mirror has seen more than a day after that, it saw by another clock.
func seenAgain(c *sql.Conn, patrons []kiosk.Patron) error {
	stmt, err := c.PrepareContext(context.Background(), "UPDATE patrons SET seen = ?1 WHERE card = ?2 AND (coalesce(seen, 0) < ?1 OR seen > ?1 + 86400000)")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, p := range patrons {
		if p.Seen.IsZero() {
			continue
		}
		if _, err := stmt.ExecContext(context.Background(), ms(p.Seen), string(p.Card)); err != nil {
			return err
		}
	}
	return nil
}

// PutLoans is kiosk.Loader's. Items of which the outbox holds an entry are
// left as they are and counted as the same: the list does not know yet what
// happened here, and a return would be forgotten.
func (s *Store) PutLoans(ctx context.Context, loans []kiosk.Loan) (c kiosk.Change, err error) {
	err = s.write(ctx, "put loans", func(w *writer) error {
		busy, err := outboxItems(w.conn)
		if err != nil {
			return err
		}
		for _, l := range loans {
			w.touch(l.Item)
		}
		c, err = w.putLoans(loans, func(l kiosk.Loan) bool { return busy[l.Item] })
		return err
	})
	return ifDone(c, err)
}

// putLoans puts loans but those that are to be left alone.
func (w *writer) putLoans(loans []kiosk.Loan, leave func(kiosk.Loan) bool) (kiosk.Change, error) {
	var free []kiosk.Loan
	for _, l := range loans {
		if !leave(l) {
			free = append(free, l)
		}
	}
	c, err := loanRows.put(w.conn, free)
	c.Same += len(loans) - len(free)
	return c, err
}

func put[T any](ctx context.Context, s *Store, r rows[T], list []T) (c kiosk.Change, err error) {
	err = s.write(ctx, "put "+r.table, func(w *writer) error {
		c, err = r.put(w.conn, list)
		return err
	})
	return ifDone(c, err)
}

// ifDone forgets the counts of what was rolled back.
func ifDone(c kiosk.Change, err error) (kiosk.Change, error) {
	if err != nil {
		return kiosk.Change{}, err
	}
	return c, nil
}

func (s *Store) unlearn(forget func(*learned)) {
	s.learned.mu.Lock()
	defer s.learned.mu.Unlock()
	forget(&s.learned)
}

func outboxItems(c *sql.Conn) (map[kiosk.Barcode]bool, error) {
	rs, err := c.QueryContext(context.Background(), "SELECT e.item FROM outbox q JOIN entries e ON e.seq = q.seq")
	list, err := all("outbox", rs, err, func(r row) (b kiosk.Barcode, err error) { return b, r.Scan(&b) })
	set := make(map[kiosk.Barcode]bool, len(list))
	for _, b := range list {
		set[b] = true
	}
	return set, err
}

// perStatement is how many rows one INSERT takes; more gain nothing.
const perStatement = 100

// put writes a list inside the open transaction.
func (r rows[T]) put(c *sql.Conn, list []T) (kiosk.Change, error) {
	before, err := r.size(c)
	if err != nil {
		return kiosk.Change{}, err
	}
	touched := 0
	for rest := list; len(rest) > 0; {
		got, n, err := r.insert(c, rest, min(perStatement, len(rest)))
		if err != nil {
			return kiosk.Change{}, err
		}
		touched, rest = touched+got, rest[n:]
	}
	after, err := r.size(c)
	added := after - before
	return kiosk.Change{New: added, Changed: touched - added, Same: len(list) - touched}, err
}

func (r rows[T]) size(c *sql.Conn) (n int, err error) {
	err = c.QueryRowContext(context.Background(), r.count).Scan(&n)
	return n, err
}

// insert writes as much of a list as fills INSERTs of size rows, and tells how
// many rows it touched, of how many. The statement is prepared once: that
// costs nearly as much as carrying it out.
func (r rows[T]) insert(c *sql.Conn, list []T, size int) (touched, done int, err error) {
	stmt, err := c.PrepareContext(context.Background(), r.sql(size))
	if err != nil {
		return 0, 0, err
	}
	defer stmt.Close()
	args := make([]any, 0, size*(len(r.columns)+1))
	for ; len(list)-done >= size; done += size {
		args = args[:0]
		for _, v := range list[done : done+size] {
			args = r.values(v, args)
		}
		res, err := stmt.ExecContext(context.Background(), args...)
		if err != nil {
			return 0, 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, 0, err
		}
		touched += int(n)
	}
	return touched, done, nil
}

// value is what a column becomes.
func (r rows[T]) value(column string) string {
	if slices.Contains(r.known, column) {
		return fmt.Sprintf("iif(excluded.%[2]s IN ('', 0), %[1]s.%[2]s, excluded.%[2]s)", r.table, column)
	}
	return "excluded." + column
}

// sql is an INSERT of n rows that replaces those that differ, and only those.
func (r rows[T]) sql(n int) string {
	var set, differs []string
	for _, c := range r.columns {
		set = append(set, c+" = "+r.value(c))
		if c == r.quiet {
			continue
		}
		differs = append(differs, fmt.Sprintf("%s.%s IS NOT %s", r.table, c, r.value(c)))
	}
	one := "(?" + strings.Repeat(", ?", len(r.columns)) + ")"
	return fmt.Sprintf("INSERT INTO %s (%s, %s) VALUES %s ON CONFLICT (%s) DO UPDATE SET %s WHERE %s",
		r.table, r.key, strings.Join(r.columns, ", "),
		one+strings.Repeat(", "+one, n-1),
		r.key, strings.Join(set, ", "), strings.Join(differs, " OR "))
}
