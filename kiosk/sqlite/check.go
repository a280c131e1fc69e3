package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// checks are queries that give a line for each thing that is wrong.
var checks = append([]string{`SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`}, ours...)

// ours are those of them that are about what the rows say.
var ours = []string{
	`SELECT 'foreign key: ' || "table" || ' row ' || coalesce(rowid, '?') || ' has no ' || parent
	 FROM pragma_foreign_key_check`,
	`SELECT 'entry: ' || seq || ' is not as it was written' FROM entries WHERE sum IS NOT ` + entrySum,
	`SELECT 'outcome: ' || n || ' of entry ' || entry || ' is not as it was written' FROM outcomes WHERE sum IS NOT ` + outcomeSum,
	`SELECT 'loans: ' || l.item || ' is not what its entry says' FROM loans l JOIN entries e ON e.seq = l.entry
	 WHERE l.entry <> 0 AND (e.item <> l.item OR e.patron <> l.patron)`,
	`SELECT 'outbox: ' || id || ' is ' || state FROM outbox JOIN ledger USING (seq)
	 WHERE state NOT IN ('asked', 'offline', 'unsure')`,
	`SELECT 'outbox: ' || id || ' is missing' FROM ledger
	 WHERE state IN ('asked', 'offline', 'unsure') AND seq NOT IN (SELECT seq FROM outbox)`,
	`SELECT 'loans: ' || loans.item || ' is out to an entry that does not hold' FROM loans
	 LEFT JOIN ledger ON seq = entry AND state IN ('granted', 'offline', 'unsure', 'settled', 'differs')
	 WHERE entry <> 0 AND seq IS NULL`,
	`SELECT 'work list: ' || tag || ' is of an entry that knows nothing of it' FROM work
	 WHERE NOT EXISTS (SELECT 1 FROM entry_tags t WHERE t.entry = work.entry AND t.tag = work.tag)`,
}

// ledgerTables are those that a loan depends on; they are small beside the
// catalogue.
var ledgerTables = []string{"entries", "outcomes", "outbox", "loans", "entry_tags", "work", "work_done", "undated", "settings", "staff"}

// Examine looks at what a loan depends on, and names everything that is wrong
// with it. That takes a second for a hundred thousand entries. An error of
// ErrDamaged says that it could not be read.
func (r *Reader) Examine(ctx context.Context) (wrong []string, err error) {
	for _, t := range ledgerTables {
		rows, err := r.db.QueryContext(ctx, "SELECT integrity_check FROM pragma_integrity_check(?) WHERE integrity_check <> 'ok'", t)
		got, err := all("examine", rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
		if wrong = append(wrong, got...); err != nil || len(wrong) > 0 {
			return wrong, err
		}
	}
	more, err := r.ask(ctx, "examine", ours)
	return append(wrong, more...), err
}

// Check reads the whole file and names everything that is wrong with it. It
// takes seconds for a large catalogue.
func (r *Reader) Check(ctx context.Context) (wrong []string, err error) {
	return r.ask(ctx, "check", checks)
}

func (r *Reader) ask(ctx context.Context, step string, queries []string) (wrong []string, err error) {
	for _, q := range queries {
		rows, err := r.db.QueryContext(ctx, q)
		got, err := all(step, rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
		if err != nil {
			return wrong, err
		}
		wrong = append(wrong, got...)
	}
	return wrong, nil
}

// Backup writes a consistent and compact copy to path, which must not exist,
// while everything goes on. The copy appears under its name once it is
// complete and synced.
func (r *Reader) Backup(ctx context.Context, path string) error {
	part := path + ".part"
	if err := os.Remove(part); err != nil && !os.IsNotExist(err) {
		return wrap("backup", pathError(err))
	}
	defer os.Remove(part)
	if _, err := r.db.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return wrap("backup", err)
	}
	if err := syncFile(part); err != nil {
		return wrap("backup", err)
	}
	// Never in the place of another file; a link would do the same, and a stick
	// has no links.
	if err := unix.Renameat2(unix.AT_FDCWD, part, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE); err != nil {
		return wrap("backup", pathError(&os.LinkError{Op: "rename", Old: part, New: path, Err: err}))
	}
	return wrap("backup", syncFile(filepath.Dir(path)))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("%s: %w", path, pathError(err))
	}
	return nil
}
