package sqlite

import (
	"context"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// like makes a pattern that finds a text anywhere.
func like(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
}

// FindPatrons finds patrons by their card, or by a part of their name as it is
// written in either order. It reads through all of them.
func (r *Reader) FindPatrons(ctx context.Context, text string, limit int) ([]kiosk.Patron, error) {
	q := strings.Replace(patronSQL, "WHERE card = ?", `
WHERE card = ?1 OR first || ' ' || family LIKE ?2 ESCAPE '\' OR family || ', ' || first LIKE ?2 ESCAPE '\' ORDER BY family, first, card LIMIT ?3`, 1)
	rows, err := r.db.QueryContext(ctx, q, text, like(text), limit)
	return all("find patrons", rows, err, scanPatron)
}

// FindItems finds items by their barcode, or by a part of their title. It
// reads through all of them.
func (r *Reader) FindItems(ctx context.Context, text string, limit int) ([]kiosk.Item, error) {
	rows, err := r.db.QueryContext(ctx, itemSQL+` WHERE barcode = ?1 OR title LIKE ?2 ESCAPE '\' ORDER BY title, barcode LIMIT ?3`, text, like(text), limit)
	return all("find items", rows, err, scanItem)
}

// RecordBy is Record of something that staff has done, and notes who did, in
// one transaction.
func (s *Store) RecordBy(ctx context.Context, e kiosk.Entry, by kiosk.Act) error {
	if err := valid(e); err != nil {
		return wrap("record", err)
	}
	return s.noted(ctx, by, func(w *writer) error { return w.record(e) })
}
