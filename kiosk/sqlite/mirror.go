package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	itemColumns = `barcode, title, author, isbn, call_number, scheme, subjects, location, library, type, status,
       reference, no_loan, year, seen`

	itemSQL = `
SELECT ` + itemColumns + ` FROM items`

	patronSQL = `
SELECT card, family, first, category, library, language, born, expires, blocked, block_text,
       iif(seen >= l.whole, max(seen, coalesce(l.since, seen)), seen)
FROM patrons LEFT JOIN lists l ON l.list = 'patrons' WHERE card = ?`

	loansSQL = `SELECT item, patron, at, due FROM loans`

	copySQL = `
SELECT i.barcode IS NOT NULL, coalesce(i.title, ''), coalesce(i.type, ''), coalesce(i.status, ''),
       coalesce(i.reference, 0), coalesce(i.no_loan, 0),
       l.item IS NOT NULL, coalesce(l.patron, ''), l.at, l.due,
       EXISTS (SELECT 1 FROM entries e JOIN outbox q ON q.seq = e.seq WHERE e.item = k.barcode),
       EXISTS (SELECT 1 FROM entries e JOIN entry_tags t ON t.entry = e.seq WHERE e.item = k.barcode)
FROM (SELECT ? AS barcode) k LEFT JOIN items i ON i.barcode = k.barcode LEFT JOIN loans l ON l.item = k.barcode`

	untoldSQL = `
SELECT count(*) FROM loans l
WHERE l.patron = ? AND EXISTS (SELECT 1 FROM entries e JOIN outbox q ON q.seq = e.seq WHERE e.item = l.item)`

	itemTagsSQL = `
SELECT t.tag FROM entry_tags t WHERE t.entry = (
    SELECT e.seq FROM entries e WHERE e.item = ?1 AND EXISTS (SELECT 1 FROM entry_tags x WHERE x.entry = e.seq) ORDER BY e.seq DESC LIMIT 1)
AND NOT EXISTS (SELECT 1 FROM entry_tags o JOIN entries f ON f.seq = o.entry WHERE o.tag = t.tag AND o.entry > t.entry AND f.item <> ?1)
ORDER BY t.tag`
)

// row is one row of an answer.
type row interface{ Scan(...any) error }

func scanItem(r row) (i kiosk.Item, err error) {
	var seen instant
	err = r.Scan(&i.Barcode, &i.Title, &i.Author, &i.ISBN, &i.CallNumber, &i.Scheme, &i.Subjects, &i.Location, &i.Library,
		&i.Type, &i.Status, &i.Reference, &i.NoLoan, &i.Year, &seen)
	i.Seen = seen.Time
	return i, err
}

func scanPatron(r row) (p kiosk.Patron, err error) {
	var born, expires, seen instant
	err = r.Scan(&p.Card, &p.FamilyName, &p.FirstName, &p.Category, &p.Library, &p.Language,
		&born, &expires, &p.Blocked, &p.BlockText, &seen)
	p.Born, p.Expires, p.Seen, p.Local = born.Time, expires.Time, seen.Time, true
	return p, err
}

func scanLoan(r row) (l kiosk.Loan, err error) {
	var at, due instant
	err = r.Scan(&l.Item, &l.Patron, &at, &due)
	l.At, l.Due = at.Time, due.Time
	return l, err
}

// one reads the only row of an answer; none is kiosk.ErrUnknown.
func one[T any](step string, r *sql.Row, scan func(row) (T, error)) (T, error) {
	v, err := scan(r)
	if errors.Is(err, sql.ErrNoRows) {
		err = kiosk.ErrUnknown
	}
	if err != nil {
		var none T
		return none, wrap(step, err)
	}
	return v, nil
}

// all reads every row of an answer.
func all[T any](step string, rows *sql.Rows, err error, scan func(row) (T, error)) (list []T, _ error) {
	if err != nil {
		return nil, wrap(step, err)
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, wrap(step, err)
		}
		list = append(list, v)
	}
	return list, wrap(step, rows.Err())
}

// Item is kiosk.Mirror's.
func (r *Reader) Item(ctx context.Context, b kiosk.Barcode) (kiosk.Item, error) {
	return one("item", r.item.QueryRowContext(ctx, string(b)), scanItem)
}

// Copies is kiosk.Mirror's. They come in the order of their barcodes.
func (r *Reader) Copies(ctx context.Context, isbn string, limit int) ([]kiosk.Item, error) {
	rows, err := r.copies.QueryContext(ctx, isbn, max(limit, 0))
	return all("copies", rows, err, scanItem)
}

// Patron is kiosk.Mirror's. The patron is marked Local.
func (r *Reader) Patron(ctx context.Context, c kiosk.Card) (kiosk.Patron, error) {
	return one("patron", r.patron.QueryRowContext(ctx, string(c)), scanPatron)
}

// Loan is kiosk.Mirror's.
func (r *Reader) Loan(ctx context.Context, b kiosk.Barcode) (kiosk.Loan, error) {
	return one("loan", r.loan.QueryRowContext(ctx, string(b)), scanLoan)
}

// Loans is kiosk.Mirror's. Loans of the same moment come in the order of
// their barcodes.
func (r *Reader) Loans(ctx context.Context, c kiosk.Card) ([]kiosk.Loan, error) {
	rows, err := r.loans.QueryContext(ctx, string(c))
	return all("loans", rows, err, scanLoan)
}

// Copy is kiosk.Mirror's. It is one query: each takes as long as all of its
// work does.
func (r *Reader) Copy(ctx context.Context, b kiosk.Barcode) (kiosk.Copy, error) {
	return scanCopy(r.copy.QueryRowContext(ctx, string(b)), b)
}

func scanCopy(r row, b kiosk.Barcode) (c kiosk.Copy, err error) {
	var at, due instant
	i, l := &c.Item, &c.Loan
	err = r.Scan(&c.Known, &i.Title, &i.Type, &i.Status,
		&i.Reference, &i.NoLoan,
		&c.OnLoan, &l.Patron, &at, &due, &c.Unsettled, &c.Tagged)
	if err != nil {
		return kiosk.Copy{}, wrap("copy", err)
	}
	if c.Known {
		i.Barcode = b
	}
	if l.At, l.Due = at.Time, due.Time; c.OnLoan {
		l.Item = b
	}
	return c, nil
}

// Untold is kiosk.Mirror's.
func (r *Reader) Untold(ctx context.Context, c kiosk.Card) (n int, err error) {
	err = r.untold.QueryRowContext(ctx, string(c)).Scan(&n)
	return n, wrap("untold", err)
}

// Tags is kiosk.Mirror's. They come in their order.
func (r *Reader) Tags(ctx context.Context, b kiosk.Barcode) ([]kiosk.TagID, error) {
	rows, err := r.itemTags.QueryContext(ctx, string(b))
	return all("tags", rows, err, scanTag)
}

func scanTag(r row) (t kiosk.TagID, err error) { return t, r.Scan(&t) }
