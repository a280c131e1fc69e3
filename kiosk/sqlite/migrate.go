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

// version compares the database's version with ours: how many scripts it has had.
func version(ctx context.Context, c *sql.Conn, ours int) (int, error) {
	var v int
	if err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v); err != nil {
		return 0, err
	}
	if v < 0 {
		return v, fmt.Errorf("%w: it says that it has version %d", ErrDamaged, v)
	}
	if v > ours {
		return v, fmt.Errorf("%w: it has version %d, this program knows %d", ErrNewer, v, ours)
	}
	return v, nil
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
		text := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA user_version=%d;\nCOMMIT;", todo[v], v+1)
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
