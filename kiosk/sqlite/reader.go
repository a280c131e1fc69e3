package sqlite

import (
	"context"
	"database/sql"
	"fmt"
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
