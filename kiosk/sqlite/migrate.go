package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed migration/*.sql
var migrations embed.FS

// scripts gives the migrations in order; the place of a script in it, counted
// from 1, is the version it leads to.
func scripts() ([]string, error) {
	names, err := fs.Glob(migrations, "migration/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	out := make([]string, len(names))
	for i, name := range names {
		var n int
		if _, err := fmt.Sscanf(name, "migration/%04d_", &n); err != nil || n != i+1 {
			return nil, fmt.Errorf("%s is not number %d", name, i+1)
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out[i] = string(text)
	}
	return out, nil
}

// noted is the first migration that notes in the table migrations that it was run.
const noted = 20

// version tells how many scripts the database has had, and compares that with
// ours. A database is a newer program's where its table says so, too: the number
// in the file's head alone may be damage.
func version(ctx context.Context, c *sql.Conn, ours int) (int, error) {
	var head int
	if err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&head); err != nil {
		return 0, err
	}
	table, err := newestMigration(ctx, c)
	if err != nil {
		return 0, err
	}
	return head, versions(head, table, ours)
}

// versions judges the number in the head of a file and the one in its table, 0
// for none, by the number of scripts that this program has.
func versions(head, table, ours int) error {
	switch {
	case table > ours:
		return fmt.Errorf("%w: it has version %d, this program knows %d", ErrNewer, table, ours)
	case head < 0 || head > ours || table != 0 && head != table || table == 0 && head >= noted:
		return fmt.Errorf("%w: it says that it has version %d, and its table of migrations has %d", ErrDamaged, head, table)
	}
	return nil
}

// newestMigration is the newest one that a database has noted, or 0.
func newestMigration(ctx context.Context, c querier) (int, error) {
	rows, err := c.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'")
	tables, err := all("migrations", rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
	if err != nil || len(tables) == 0 {
		return 0, err
	}
	rows, err = c.QueryContext(ctx, "SELECT version FROM migrations ORDER BY version")
	list, err := all("migrations", rows, err, func(r row) (n int, err error) { return n, r.Scan(&n) })
	if err != nil {
		return 0, err
	}
	for i, n := range list {
		if n != noted+i { // they are run in order
			return 0, fmt.Errorf("%w: its table of migrations has %d", ErrDamaged, list)
		}
	}
	if len(list) == 0 {
		return 0, nil
	}
	return list[len(list)-1], nil
}

// migrate runs the scripts that the database has not had, each in a
// transaction with its number. A ledger that has something in it is copied
// before, and the copy kept: the program of before does not read the new one.
func migrate(ctx context.Context, c *sql.Conn, path string) error {
	todo, err := scripts()
	if err != nil {
		return err
	}
	v, err := version(ctx, c, len(todo))
	if err != nil {
		return err
	}
	if v > 0 && v < len(todo) {
		if err := keep(ctx, c, fmt.Sprintf("%s.before-version-%d", path, len(todo))); err != nil {
			return fmt.Errorf("copy before the update: %w", err)
		}
	}
	for ; v < len(todo); v++ {
		note := ""
		if v+1 >= noted {
			note = fmt.Sprintf("INSERT INTO migrations (version) VALUES (%d);", v+1)
		}
		text := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\n%s\nPRAGMA user_version=%d;\nCOMMIT;", todo[v], note, v+1)
		if _, err := c.ExecContext(ctx, text); err != nil {
			c.ExecContext(ctx, "ROLLBACK")
			if said := err.Error(); strings.Contains(said, "already exists") || strings.Contains(said, "duplicate column") {
				err = fmt.Errorf("%w: it has had migration %d, and says it has not: %w", ErrDamaged, v+1, err)
			}
			return fmt.Errorf("%w %d: %w", errMigration, v+1, err)
		}
	}
	return nil
}

// keep copies the database as it is, unless that was done already.
func keep(ctx context.Context, c *sql.Conn, to string) error {
	if exists(to) {
		return nil
	}
	part := to + ".part"
	removeAll(part)
	_, err := c.ExecContext(ctx, "VACUUM INTO ?", part)
	if err == nil {
		err = syncFile(part)
	}
	if err != nil {
		removeAll(part)
		return err
	}
	return errors.Join(os.Rename(part, to), syncFile(filepath.Dir(to)))
}
