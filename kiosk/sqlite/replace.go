package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Replace puts a copy in the place of a ledger that nobody has open, whole or
// not at all; the ledger that was there stays beside it, as after a Rescue.
func Replace(path, from string) (err error) {
	l, err := lock(path)
	if err != nil {
		return wrap("replace", err)
	}
	defer l.Close()
	if err := swap(path); err != nil {
		return wrap("replace", err)
	}
	fresh := path + freshFile
	removeAll(fresh)
	if err := duplicate(from, fresh); err != nil {
		return wrap("replace", pathError(err))
	}
	if err := errors.Join(os.Rename(fresh, path+readyFile), syncFile(filepath.Dir(path))); err != nil {
		return wrap("replace", pathError(err))
	}
	return wrap("replace", swap(path))
}

// duplicate copies a file and has it on disk.
func duplicate(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// Version is that of the tables of a ledger, whichever program made it: one that
// knows only older ones does not open it. What the ledger has noted counts
// for more than the number in the file's head.
func Version(ctx context.Context, path string) (n int, err error) {
	db, err := sql.Open("sqlite", dsn(path, "ro", fmt.Sprintf("busy_timeout(%d)", busyTimeout)))
	if err != nil {
		return 0, wrap("version", err)
	}
	defer db.Close()
	if n, err = newestMigration(ctx, db); err == nil && n == 0 {
		err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n)
	}
	return n, wrap("version", err)
}

// Rows counts the entries and outcomes of a ledger of any version.
func Rows(ctx context.Context, path string) (n int, err error) {
	db, err := sql.Open("sqlite", dsn(path, "ro", fmt.Sprintf("busy_timeout(%d)", busyTimeout)))
	if err != nil {
		return 0, wrap("rows", err)
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM outcomes)").Scan(&n)
	return n, wrap("rows", err)
}
