package sqlite

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var _ kiosk.PINs = (*Store)(nil)

// A PIN has few digits, so only the time that a guess takes protects it from
// who has stolen the disk: a third of a second on a Raspberry Pi 4.
const (
	pinTurns = 210_000
	pinSize  = 32 // bytes
)

func pinHash(pin string, salt []byte, turns int) ([]byte, error) {
	return pbkdf2.Key(sha512.New, pin, salt, turns, pinSize)
}

// KeepPIN implements kiosk.PINs.
func (s *Store) KeepPIN(ctx context.Context, card kiosk.Card, pin string) error {
	if ok, err := s.CheckPIN(ctx, card, pin); err == nil && ok {
		return nil // kept already
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	hash, err := pinHash(pin, salt, pinTurns)
	if err != nil {
		return err
	}
	return s.write(ctx, "keep pin", func(w *writer) error {
		_, err := w.conn.ExecContext(context.Background(), `INSERT INTO pins (card, salt, hash, turns) VALUES (?, ?, ?, ?)
ON CONFLICT (card) DO UPDATE SET salt = excluded.salt, hash = excluded.hash, turns = excluded.turns`, string(card), salt, hash, pinTurns)
		return err
	})
}

// RefusePIN implements kiosk.PINs.
func (s *Store) RefusePIN(ctx context.Context, card kiosk.Card, pin string) error {
	ok, err := s.CheckPIN(ctx, card, pin)
	switch {
	case errors.Is(err, kiosk.ErrUnknown):
		return nil
	case err != nil || !ok:
		return err
	}
	return s.write(ctx, "forget pin", func(w *writer) error {
		_, err := w.conn.ExecContext(context.Background(), "DELETE FROM pins WHERE card = ?", string(card))
		return err
	})
}

// CheckPIN implements kiosk.PINs.
func (s *Store) CheckPIN(ctx context.Context, card kiosk.Card, pin string) (bool, error) {
	var salt, hash []byte
	var turns int
	err := s.db.QueryRowContext(ctx, "SELECT salt, hash, turns FROM pins WHERE card = ?", string(card)).Scan(&salt, &hash, &turns)
	if errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("a PIN of card: %w", kiosk.ErrUnknown)
	}
	if err != nil {
		return false, err
	}
	if turns < 1 || turns > 100*pinTurns || bytes.Equal(hash, nil) {
		return false, fmt.Errorf("a PIN of card: %w", kiosk.ErrUnknown)
	}
	sum, err := pinHash(pin, salt, turns)
	return subtle.ConstantTimeCompare(sum, hash) == 1, err
}
