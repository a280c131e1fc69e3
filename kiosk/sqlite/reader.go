package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Reader reads a ledger. It waits for no writer and sees what is committed.
type Reader struct {
	db *sql.DB

	item, copies, patron, loan, loans, copy, untold *sql.Stmt
	newest, outbox, work, itemTags, meet            *sql.Stmt
}

// OpenReadOnly opens the ledger at path for reading alone, also while a
// daemon writes it. It never makes or changes one.
func OpenReadOnly(ctx context.Context, path string) (*Reader, error) {
	r := &Reader{}
	if os.Geteuid() == 0 {
		giveLog(path)
	}
	err := r.openReader(ctx, path)
	if err == nil {
		err = r.current(ctx)
	}
	if err != nil {
		r.Close()
		return nil, wrap("open "+path+" for reading", err)
	}
	return r, nil
}

// giveLog makes the files that SQLite wants beside a ledger to read it, where
// they are missing, as its owner's from their first moment. SQLite makes them
// root's where root reads, and gives them away after that: a daemon that opens
// the ledger in between can't. What fails here SQLite tries and tells.
func giveLog(path string) {
	db, err := os.Open(path)
	if err != nil {
		return
	}
	defer db.Close()
	head := make([]byte, 20)
	info, err := db.Stat()
	if _, short := io.ReadFull(db, head); err != nil || short != nil || head[18] != 2 || head[19] != 2 { // has no log
		return
	}
	owner := info.Sys().(*syscall.Stat_t)
	for _, name := range []string{path + "-wal", path + "-shm"} {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			giveFile(name, info.Mode().Perm(), int(owner.Uid), int(owner.Gid)) //nolint:errcheck // see above
		}
	}
}

// giveFile makes an empty file that is somebody else's, if there is none.
func giveFile(name string, rights fs.FileMode, uid, gid int) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(f.Chmod(rights), f.Chown(uid, gid), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), name)
}

// current refuses a database of another version: one that is older lacks
// tables that are asked for.
func (r *Reader) current(ctx context.Context) error {
	ours, err := scripts()
	if err != nil {
		return err
	}
	c, err := r.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	v, err := version(ctx, c, len(ours))
	if err == nil && v < len(ours) {
		err = fmt.Errorf("it has version %d, this program reads %d: start the new daemon once", v, len(ours))
	}
	return err
}

func (r *Reader) openReader(ctx context.Context, path string) (err error) {
	if err = registerSum(); err != nil {
		return err
	}
	r.db, err = sql.Open("sqlite", dsn(path, "ro", fmt.Sprintf("busy_timeout(%d)", busyTimeout)))
	if err != nil {
		return err
	}
	r.db.SetMaxOpenConns(readers)
	r.db.SetMaxIdleConns(readers)
	for _, p := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&r.item, itemSQL + " WHERE barcode = ?"},
		{&r.copies, itemSQL + " WHERE isbn = ? AND isbn <> '' ORDER BY barcode LIMIT ?"},
		{&r.patron, patronSQL},
		{&r.loan, loansSQL + " WHERE item = ?"},
		{&r.loans, loansSQL + " WHERE patron = ? ORDER BY at, item"},
		{&r.copy, copySQL},
		{&r.untold, untoldSQL},
		{&r.newest, newestSQL},
		{&r.outbox, outboxSQL},
		{&r.work, workSQL + " WHERE w.tag = ?"},
		{&r.itemTags, itemTagsSQL},
		{&r.meet, meetSQL},
	} {
		if *p.to, err = r.db.PrepareContext(ctx, p.sql); err != nil {
			if verr := r.current(ctx); verr != nil {
				return verr // says more than a missing table
			}
			return err
		}
	}
	return nil
}

// Close ends reading.
func (r *Reader) Close() error {
	if r.db == nil {
		return nil
	}
	return wrap("close", r.db.Close())
}
