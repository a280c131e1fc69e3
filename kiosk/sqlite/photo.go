package sqlite

import (
	"context"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// KeepPhoto is kiosk.Inventories'.
func (s *Store) KeepPhoto(ctx context.Context, id kiosk.ID, p kiosk.ShelfPhoto, jpeg []byte) error {
	return s.write(ctx, "photo", func(w *writer) error {
		n, err := w.inventory(id)
		if err != nil {
			return err
		}
		if p.ID == "" || p.At.IsZero() || len(jpeg) == 0 {
			return invalid("a photo needs an ID, a time and a picture")
		}
		_, err = w.conn.ExecContext(context.Background(), `
INSERT INTO inventory_photos (inventory, id, item, who, at, jpeg) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			n, string(p.ID), string(p.Item), p.Who, ms(p.At), jpeg)
		return err
	})
}

// DropPhoto is kiosk.Inventories'.
func (s *Store) DropPhoto(ctx context.Context, id, photo kiosk.ID) error {
	return s.write(ctx, "drop photo", func(w *writer) error {
		n, err := w.inventory(id)
		if err != nil {
			return err
		}
		_, err = w.conn.ExecContext(context.Background(), "DELETE FROM inventory_photos WHERE inventory = ? AND id = ?", n, string(photo))
		return err
	})
}

// Photos is kiosk.Inventories'.
func (r *Reader) Photos(ctx context.Context, id kiosk.ID) ([]kiosk.ShelfPhoto, error) {
	rows, err := r.db.QueryContext(ctx, `
SELECT p.id, p.item, p.who, p.at FROM inventory_photos p JOIN inventories v ON v.n = p.inventory WHERE v.id = ? ORDER BY p.rowid`, string(id))
	return all("photos", rows, err, func(r row) (p kiosk.ShelfPhoto, err error) {
		var at instant
		err = r.Scan(&p.ID, &p.Item, &p.Who, &at)
		p.At = at.Time
		return p, err
	})
}

// Photo is kiosk.Inventories'.
func (r *Reader) Photo(ctx context.Context, id, photo kiosk.ID) ([]byte, error) {
	return one("photo", r.db.QueryRowContext(ctx, `
SELECT p.jpeg FROM inventory_photos p JOIN inventories v ON v.n = p.inventory WHERE v.id = ? AND p.id = ?`, string(id), string(photo)),
		func(r row) (b []byte, err error) { return b, r.Scan(&b) })
}
