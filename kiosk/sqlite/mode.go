package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Mode is how the screen speaks to the patron of a card, in the screen's own
// words; an error of kiosk.ErrUnknown where nothing is kept.
func (s *Store) Mode(ctx context.Context, card kiosk.Card) (mode string, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT mode FROM modes WHERE card = ?", string(card)).Scan(&mode)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("a mode of card: %w", kiosk.ErrUnknown)
	}
	return mode, err
}

// KeepMode keeps it; the empty mode forgets what was kept.
func (s *Store) KeepMode(ctx context.Context, card kiosk.Card, mode string) error {
	return s.write(ctx, "keep mode", func(w *writer) error {
		if mode == "" {
			_, err := w.conn.ExecContext(context.Background(), "DELETE FROM modes WHERE card = ?", string(card))
			return err
		}
		_, err := w.conn.ExecContext(context.Background(), `INSERT INTO modes (card, mode) VALUES (?, ?)
ON CONFLICT (card) DO UPDATE SET mode = excluded.mode`, string(card), mode)
		return err
	})
}
