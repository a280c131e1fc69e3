package sqlite

import (
	"context"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// putRight tells that an entry e was put right: its newest time does not count
// any more, and that of the outcome by which it was is later.
const putRight = `EXISTS (SELECT 1 FROM outcomes d WHERE d.entry = e.seq AND d.dated IS NOT NULL)`

const (
	// The next number is worked out here, because the sum is over it too.
	addEntrySQL = `
WITH new (` + entryColumns + `) AS MATERIALIZED (
SELECT coalesce((SELECT max(seq) FROM entries), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
       max(?6, coalesce((SELECT iif(` + putRight + `, (SELECT max(at) FROM outcomes), e.newest)
                         FROM entries e ORDER BY e.seq DESC LIMIT 1), ?6)),
       l.patron, l.at, l.due, l.entry
FROM (SELECT 1) LEFT JOIN loans l ON l.item = ?4)
INSERT INTO entries (` + entryColumns + `, sum)
SELECT *, ` + entrySum + ` FROM new
WHERE true
ON CONFLICT (id) DO NOTHING`

	addOutcomeSQL = `
INSERT INTO outcomes (entry, n, state, at, due, reason, text, sum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL))`

	stateOfSQL  = `SELECT state FROM ledger WHERE seq = ?`
	queueSQL    = `INSERT INTO outbox (seq) VALUES (?)`
	unqueueSQL  = `DELETE FROM outbox WHERE seq = ?`
	postponeSQL = `
UPDATE outbox SET attempts = attempts + 1, retry_at = ?
WHERE seq = (SELECT seq FROM entries WHERE id = ?)`
	askedSQL = `SELECT l.id FROM outbox q JOIN ledger l ON l.seq = q.seq WHERE l.state = 'asked' ORDER BY q.seq`
)

// Record is kiosk.Ledger's. An entry that makes no sense is refused with
// kiosk.CodeInvalid.
func (s *Store) Record(ctx context.Context, e kiosk.Entry) error {
	if err := valid(e); err != nil {
		return wrap("record", err)
	}
	return s.write(ctx, "record", func(w *writer) error { return w.record(e) })
}

// RecordAll records entries in one transaction, all or none.
func (s *Store) RecordAll(ctx context.Context, list []kiosk.Entry) error {
	for _, e := range list {
		if err := valid(e); err != nil {
			return wrap("record", err)
		}
	}
	return s.write(ctx, "record", func(w *writer) error {
		for _, e := range list {
			if err := w.record(e); err != nil {
				return err
			}
		}
		return nil
	})
}

func valid(e kiosk.Entry) error {
	switch {
	case e.ID == "" || e.Item == "":
		return invalid("an entry needs an ID and an item")
	case e.At.IsZero():
		return invalid("an entry needs a time")
	case !e.Kind.Lends() && e.Kind != kiosk.Checkin && e.Kind != kiosk.Seen:
		return invalid("unknown kind %q", e.Kind)
	case e.Kind.Lends() && e.Patron == "":
		return invalid("a %s needs a patron", e.Kind)
	case !known(e.State) || e.State.Calls():
		return invalid("an entry can't begin as %q", e.State)
	}
	return nil
}

func known(s kiosk.State) bool {
	switch s {
	case kiosk.Asked, kiosk.Granted, kiosk.Denied, kiosk.Offline,
		kiosk.Unsure, kiosk.Settled, kiosk.Exception, kiosk.Differs, kiosk.Dismissed:
		return true
	}
	return false
}

func (w *writer) record(e kiosk.Entry) error {
	res, err := w.addEntry.Exec(string(e.ID), string(e.Session), string(e.Kind), string(e.Item), string(e.Patron),
		e.At.UnixMilli(), e.Doubt, ms(e.Due), ms(e.WasDue), string(e.State), e.Title, e.Text)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err // the same ID again: nothing to do
	}
	seq, err := res.LastInsertId()
	if err != nil {
		return err
	}
	w.touch(e.Item)
	if e.Up.Boot != "" {
		if err := w.addUndated.run(seq, e.Up.Boot, e.Up.For.Milliseconds()); err != nil {
			return err
		}
	}
	if e.State.Queued() {
		if err := w.queue.run(seq); err != nil {
			return err
		}
	}
	if e.State.Holds() {
		err := w.take(deed{seq: seq, kind: e.Kind, item: string(e.Item), patron: string(e.Patron), at: e.At, due: e.Due})
		if err != nil {
			return err
		}
	}
	return w.tagged(seq, e)
}

// Conclude is kiosk.Ledger's. A state that can't follow the one before is
// refused with kiosk.CodeInvalid.
func (s *Store) Conclude(ctx context.Context, o kiosk.Outcome) error {
	switch {
	case !known(o.State):
		return wrap("conclude", invalid("unknown state %q", o.State))
	case o.At.IsZero():
		return wrap("conclude", invalid("an outcome needs a time"))
	}
	return s.writeOf(ctx, "conclude", o.Entry, func(w *writer) error { return w.conclude(o) })
}

// follows tells whether an entry may go from one state to another. What is
// refused or dismissed is over; what the ILS has confirmed can only be taken
// back; an exception can be tried again, overridden or dismissed, and so can
// what differs.
func follows(before, after kiosk.State) bool {
	switch before {
	case kiosk.Asked, kiosk.Offline, kiosk.Unsure:
		return after != kiosk.Asked
	case kiosk.Exception:
		return after.Holds() && after != kiosk.Granted || after == kiosk.Dismissed
	case kiosk.Differs:
		return after == kiosk.Unsure || after == kiosk.Settled || after == kiosk.Exception || after == kiosk.Dismissed
	case kiosk.Granted, kiosk.Settled:
		return after == kiosk.Exception || after == kiosk.Dismissed
	}
	return false
}

func (w *writer) conclude(o kiosk.Outcome) error {
	d, err := w.deed(o.Entry)
	if err != nil {
		return err
	}
	if d.state == o.State {
		return nil
	}
	if !follows(d.state, o.State) {
		return invalid("%s can't follow %s", o.State, d.state)
	}
	w.touch(kiosk.Barcode(d.item))
	if err := w.addOutcome.run(d.seq, d.n+1, string(o.State), o.At.UnixMilli(), ms(o.Due), string(o.Reason), o.Text); err != nil {
		return err
	}
	if err := w.requeue(d, o.State); err != nil {
		return err
	}
	if err := w.shift(d, o); err != nil {
		return err
	}
	after := d.after(o)
	if err := w.secure(d, kiosk.Stage{State: after.state, Due: after.due}, o.At); err != nil {
		return err
	}
	w.deeds.keep(o.Entry, after)
	return nil
}

// requeue moves an entry into or out of the outbox.
func (w *writer) requeue(d deed, to kiosk.State) error {
	switch {
	case d.state.Queued() && !to.Queued():
		return w.unqueue.run(d.seq)
	case !d.state.Queued() && to.Queued():
		return w.queue.run(d.seq)
	}
	return nil
}

// Postpone is kiosk.Outbox's; ErrUnknown if the outbox does not hold the entry.
func (s *Store) Postpone(ctx context.Context, id kiosk.ID, retryAt time.Time) error {
	return s.write(ctx, "postpone", func(w *writer) error {
		n, err := w.postpone.count(ms(retryAt), string(id))
		if err == nil && n == 0 {
			err = kiosk.ErrUnknown
		}
		return err
	})
}

// Interrupted is kiosk.Outbox's.
func (s *Store) Interrupted(ctx context.Context, now time.Time) (n int, err error) {
	err = s.write(ctx, "interrupted", func(w *writer) error {
		ids, err := w.askedIDs()
		if err != nil {
			return err
		}
		for _, id := range ids {
			o := kiosk.Outcome{Entry: id, State: kiosk.Unsure, At: now}
			var never bool
			if err := w.unsecured.QueryRow(string(id)).Scan(&never); err != nil {
				return err
			}
			if never {
				o.State = kiosk.Dismissed
			}
			if err := w.conclude(o); err != nil {
				return err
			}
		}
		n = len(ids)
		return nil
	})
	if err != nil {
		n = 0
	}
	return n, err
}

func (w *writer) askedIDs() (ids []kiosk.ID, err error) {
	rows, err := w.asked.Query()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id kiosk.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
