package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	memberSQL = `SELECT badge, name, role, hash, since FROM staff`

	putMemberSQL = `
INSERT INTO staff (badge, name, role, hash, since) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (badge) DO UPDATE SET name = excluded.name, role = excluded.role, hash = excluded.hash, since = excluded.since`

	addActSQL = `INSERT INTO acts (at, badge, name, what, about, note, place) VALUES (?, ?, ?, ?, ?, ?, ?)`
)

// Member finds who signs in with a badge; kiosk.ErrUnknown if nobody does.
func (r *Reader) Member(ctx context.Context, badge kiosk.Card) (kiosk.Member, error) {
	m, err := scanMember(r.db.QueryRowContext(ctx, memberSQL+" WHERE badge = ?", string(badge)))
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("staff's badge %q: %w", badge, kiosk.ErrUnknown)
	}
	return m, wrap("staff", err)
}

// Members lists all who may sign in, by name.
func (r *Reader) Members(ctx context.Context) ([]kiosk.Member, error) {
	rows, err := r.db.QueryContext(ctx, memberSQL+" ORDER BY name, badge")
	return all("staff", rows, err, scanMember)
}

func scanMember(r row) (m kiosk.Member, err error) {
	var since instant
	err = r.Scan(&m.Badge, &m.Name, &m.Role, &m.Hash, &since)
	m.Since = since.Time
	return m, err
}

// PutMember makes an account or changes it, and notes who did.
func (s *Store) PutMember(ctx context.Context, m kiosk.Member, by kiosk.Act) error {
	if err := m.Valid(); err != nil {
		return wrap("staff", invalid("%v", err))
	}
	return s.noted(ctx, by, func(w *writer) error {
		_, err := w.conn.ExecContext(context.Background(), putMemberSQL, string(m.Badge), m.Name, string(m.Role), m.Hash, m.Since.UnixMilli())
		return err
	})
}

// RemoveMember takes an account away, and notes who did. kiosk.ErrUnknown if
// there is none; then nothing is noted.
func (s *Store) RemoveMember(ctx context.Context, badge kiosk.Card, by kiosk.Act) error {
	return s.noted(ctx, by, func(w *writer) error {
		res, err := w.conn.ExecContext(context.Background(), "DELETE FROM staff WHERE badge = ?", string(badge))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("staff's badge %q: %w", badge, kiosk.ErrUnknown))
		}
		return nil
	})
}

// Note adds an act to the audit log.
func (s *Store) Note(ctx context.Context, a kiosk.Act) error {
	return s.noted(ctx, a, func(*writer) error { return nil })
}

// noted does something and notes it, in one transaction: what can't be noted
// does not happen.
func (s *Store) noted(ctx context.Context, a kiosk.Act, do func(*writer) error) error {
	if a.What == "" || a.At.IsZero() {
		return wrap("note", invalid("an act needs a name and a time"))
	}
	return s.write(ctx, "note", func(w *writer) error {
		if err := do(w); err != nil {
			return err
		}
		_, err := w.conn.ExecContext(context.Background(), addActSQL,
			a.At.UnixMilli(), string(a.Badge), a.Name, a.What, a.About, a.Note, a.From)
		return err
	})
}

// Acts reads the audit log, the newest first.
func (r *Reader) Acts(ctx context.Context, f kiosk.ActFilter) ([]kiosk.Act, error) {
	var where []string
	var args []any
	also := func(cond string, v any) { where, args = append(where, cond), append(args, v) }
	if f.Before > 0 {
		also("n < ?", f.Before)
	}
	if !f.Since.IsZero() {
		also("at >= ?", f.Since.UnixMilli())
	}
	if !f.Until.IsZero() {
		also("at < ?", f.Until.UnixMilli())
	}
	if f.Badge != "" {
		also("badge = ?", string(f.Badge))
	}
	q := "SELECT n, at, badge, name, what, about, note, place FROM acts"
	if len(where) > 0 {
		q += " WHERE " + strings.Join(where, " AND ")
	}
	q += " ORDER BY n DESC"
	if f.Limit > 0 {
		q, args = q+" LIMIT ?", append(args, f.Limit)
	}
	rows, err := r.db.QueryContext(ctx, q, args...)
	return all("acts", rows, err, func(r row) (a kiosk.Act, err error) {
		var at instant
		err = r.Scan(&a.N, &at, &a.Badge, &a.Name, &a.What, &a.About, &a.Note, &a.From)
		a.At = at.Time
		return a, err
	})
}
