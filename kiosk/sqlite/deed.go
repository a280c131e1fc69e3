package sqlite

import (
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// deed is an entry as far as it bears on the loans.
type deed struct {
	seq          int64
	kind         kiosk.Kind
	item, patron string
	at, due      time.Time
	state        kiosk.State
	n            int // states after the first
	had          had
	tagged       bool // it has tags: most have none, and need not be asked for them
}

// had is the loan that the mirror knew when an entry was recorded.
type had struct {
	patron  sql.NullString
	at, due instant
	entry   sql.NullInt64
}

// after is the deed once an outcome is written.
func (d deed) after(o kiosk.Outcome) deed {
	d.state, d.n = o.State, d.n+1
	if !o.Due.IsZero() {
		d.due = instantOf(o.Due)
	}
	return d
}

// perFind is how many entries one statement finds.
const perFind = 16

const deedSQL = `
SELECT l.id, l.seq, l.kind, l.item, l.patron, l.at, l.due, l.state, l.n,
       e.had_patron, e.had_at, e.had_due, e.had_entry,
       EXISTS (SELECT 1 FROM entry_tags t WHERE t.entry = l.seq)
FROM ledger l JOIN entries e ON e.seq = l.seq WHERE l.id IN `

var (
	findSQL     = deedSQL + "(?)"
	findManySQL = deedSQL + "(?" + strings.Repeat(", ?", perFind-1) + ")"
)

func scanDeed(r row) (id kiosk.ID, d deed, err error) {
	var at, due instant
	err = r.Scan(&id, &d.seq, &d.kind, &d.item, &d.patron, &at, &due, &d.state, &d.n,
		&d.had.patron, &d.had.at, &d.had.due, &d.had.entry, &d.tagged)
	d.at, d.due = at.Time, due.Time
	return id, d, err
}

// deeds are entries as they stand in the ledger, of those that were read or
// written last. What is told is concluded twice, one soon after the other, and
// to find an entry takes longer than to write what became of it. Whoever
// changes an entry otherwise forgets it here, and all are forgotten when
// something is rolled back.
type deeds map[kiosk.ID]deed

// mostDeeds is how many are kept: more than are ever under way.
const mostDeeds = 1024

func (k *deeds) keep(id kiosk.ID, d deed) {
	if *k == nil || len(*k) >= mostDeeds {
		*k = deeds{}
	}
	(*k)[id] = d
}

// deed finds an entry.
func (w *writer) deed(id kiosk.ID) (deed, error) {
	if d, ok := w.deeds[id]; ok {
		return d, nil
	}
	_, d, err := scanDeed(w.find.QueryRow(string(id)))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return deed{}, kiosk.ErrUnknown
	case err == nil:
		w.deeds.keep(id, d)
	}
	return d, err
}

// findAll finds the entries that a batch is about, many at once: that takes a
// third of the time.
func (w *writer) findAll(batch []*write) error {
	args := make([]any, 0, perFind)
	for i, one := range batch {
		if _, ok := w.deeds[one.entry]; !ok && one.entry != "" {
			args = append(args, string(one.entry))
		}
		if last := i == len(batch)-1; len(args) == perFind || last && len(args) > 1 {
			if err := w.findSome(args); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	return nil
}

// findSome finds perFind entries at most.
func (w *writer) findSome(ids []any) error {
	for len(ids) < perFind {
		ids = append(ids, nil)
	}
	rows, err := w.findMany.Query(ids...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		id, d, err := scanDeed(rows)
		if err != nil {
			return err
		}
		w.deeds.keep(id, d)
	}
	return rows.Err()
}
