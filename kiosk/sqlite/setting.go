package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Setting reads what staff has set by a name, or with back the one so many
// before it; kiosk.ErrUnknown if there is none.
func (r *Reader) Setting(ctx context.Context, name string, back int) (value []byte, err error) {
	err = r.db.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = ? ORDER BY n DESC LIMIT 1 OFFSET ?", name, back).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("setting %s: %w", name, kiosk.ErrUnknown)
	}
	return value, wrap("setting", err)
}

// PutSetting sets a value, and notes who did.
func (s *Store) PutSetting(ctx context.Context, name string, value []byte, by kiosk.Act) error {
	return s.noted(ctx, by, func(w *writer) error {
		_, err := w.conn.ExecContext(context.Background(), "INSERT INTO settings (name, value, at) VALUES (?, ?, ?)", name, value, by.At.UnixMilli())
		return err
	})
}
