package sqlite

import (
	"database/sql"
	"errors"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	lendSQL = `
INSERT INTO loans (item, patron, at, due, entry) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (item) DO UPDATE SET
    patron = excluded.patron, at = excluded.at, due = excluded.due, entry = excluded.entry`

	// A renewal of what the mirror did not know as this patron's begins a loan.
	renewSQL = `
INSERT INTO loans (item, patron, at, due, entry) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (item) DO UPDATE SET
    at = iif(patron = excluded.patron, at, excluded.at),
    due = coalesce(excluded.due, iif(patron = excluded.patron, due, NULL)),
    patron = excluded.patron, entry = excluded.entry`

	takeBackSQL = `DELETE FROM loans WHERE item = ?`
	// The ILS knows of no loan: one that was known before the question is over.
	staleSQL = `DELETE FROM loans WHERE item = ? AND entry < ?`
	dueSQL   = `UPDATE loans SET due = ? WHERE item = ? AND entry = ?`
	loanSQL  = `SELECT entry FROM loans WHERE item = ?`

	laterSQL = `
SELECT EXISTS (SELECT 1 FROM entries e WHERE e.item = ?1 AND e.seq > ?2 AND e.kind <> 'seen'
    AND coalesce((SELECT o.state FROM outcomes o WHERE o.entry = e.seq ORDER BY o.n DESC LIMIT 1), e.state)
        IN ('granted', 'offline', 'unsure', 'settled', 'differs'))`
)

// shift changes the loans as a deed goes from its state to o's. Whatever is
// known of an item later than the deed stands: a loan that was made since, or
// a return.
func (w *writer) shift(d deed, o kiosk.Outcome) error {
	before, after := d.state.Holds(), o.State.Holds()
	switch {
	case d.kind == kiosk.Seen:
	case before && !after:
		return w.undo(d)
	case before && after && !o.Due.IsZero():
		return w.due.run(ms(o.Due), d.item, d.seq)
	case !before && after:
		if !o.Due.IsZero() {
			d.due = o.Due
		}
		if later, err := w.outdated(d); later || err != nil {
			return err
		}
		return w.take(d)
	case o.State == kiosk.Denied && o.Reason == kiosk.ReasonNotOnLoan:
		return w.stale.run(d.item, d.seq)
	}
	return nil
}

// take makes a deed count. Nothing later is known of its item.
func (w *writer) take(d deed) error {
	switch d.kind {
	case kiosk.Checkout:
		return w.lend.run(d.item, d.patron, ms(d.at), ms(d.due), d.seq)
	case kiosk.Seen:
		return nil
	case kiosk.Renew:
		return w.renew.run(d.item, d.patron, ms(d.at), ms(d.due), d.seq)
	}
	return w.takeBack.run(d.item)
}

// undo puts back what the mirror knew before a deed, unless something later
// is known of the item.
func (w *writer) undo(d deed) error {
	if standing, err := w.stands(d); !standing || err != nil {
		return err
	}
	back, err := w.comesBack(d.had)
	if err != nil {
		return err
	}
	if !back {
		return w.takeBack.run(d.item)
	}
	return w.lend.run(d.item, d.had.patron.String, ms(d.had.at.Time), ms(d.had.due.Time), d.had.entry.Int64)
}

// stands tells whether the loans still show what a deed has made of them.
func (w *writer) stands(d deed) (bool, error) {
	var by int64
	err := w.loan.QueryRow(d.item).Scan(&by)
	if d.kind != kiosk.Checkin {
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		return by == d.seq, err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	later, err := w.outdated(d)
	return !later, err
}

// comesBack tells whether a loan from before is to be believed: there was
// one, and the entry that made it has not been undone itself.
func (w *writer) comesBack(h had) (bool, error) {
	if !h.patron.Valid {
		return false, nil
	}
	if h.entry.Int64 == 0 {
		return true, nil
	}
	var state kiosk.State
	err := w.stateOf.QueryRow(h.entry.Int64).Scan(&state)
	return state.Holds(), err
}

// outdated tells whether an entry that was recorded after d holds for its item.
func (w *writer) outdated(d deed) (later bool, err error) {
	err = w.later.QueryRow(d.item, d.seq).Scan(&later)
	return later, err
}
