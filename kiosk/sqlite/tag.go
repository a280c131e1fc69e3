package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	addTagSQL = `INSERT INTO entry_tags (entry, tag) VALUES (?, ?) ON CONFLICT DO NOTHING`
	tagsSQL   = `SELECT tag FROM entry_tags WHERE entry = ?`
	wantSQL   = `
INSERT INTO work (tag, entry, want, since) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (tag) DO UPDATE SET entry = ?2, want = ?3, since = ?4`
	unwantSQL    = `DELETE FROM work WHERE tag = ?1 AND want = ?2 AND entry = (SELECT seq FROM entries WHERE id = ?3)`
	doneSQL      = `INSERT INTO work_done (tag, entry, want, at, note) SELECT ?1, seq, ?2, ?4, ?5 FROM entries WHERE id = ?3`
	unsecuredSQL = `SELECT EXISTS (SELECT 1 FROM work w JOIN entries e ON e.seq = w.entry WHERE e.id = ? AND w.want = 'secured')`

	workSQL = `
SELECT w.tag, w.want, e.id, e.item, e.title, w.since
FROM work w JOIN entries e ON e.seq = w.entry`
)

// tagged notes the tags of a new entry and what it wants of them.
func (w *writer) tagged(seq int64, e kiosk.Entry) error {
	if len(e.Tags) == 0 {
		return nil
	}
	for _, t := range e.Tags {
		if err := w.addTag.run(seq, string(t)); err != nil {
			return err
		}
	}
	d := deed{seq: seq, kind: e.Kind, item: string(e.Item), tagged: true}
	return w.secure(d, kiosk.Stage{State: e.State, Due: e.Due}, e.At)
}

// secure puts the tags of a deed on the work list, as its next stage wants.
// What a later entry wants of them stands.
func (w *writer) secure(d deed, after kiosk.Stage, at time.Time) error {
	if !d.tagged {
		return nil
	}
	tags, err := w.tagsOf(d.seq)
	if err != nil || len(tags) == 0 {
		return err
	}
	if later, err := w.outdated(d); later || err != nil {
		return err
	}
	var by int64
	err = w.loan.QueryRow(d.item).Scan(&by)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	want := kiosk.Wants(d.kind, kiosk.Stage{State: d.state, Due: d.due}, after, err == nil)
	if want == kiosk.Leave {
		return nil
	}
	for _, t := range tags {
		if err := w.want.run(t, d.seq, string(want), ms(at)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) tagsOf(seq int64) (tags []string, err error) {
	rows, err := w.tags.Query(seq)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		tags = append(tags, t)
	}
	return tags, rows.Err()
}

// Attach is kiosk.Ledger's.
func (s *Store) Attach(ctx context.Context, id kiosk.ID, tag kiosk.TagID, at time.Time) error {
	if tag == "" || at.IsZero() {
		return wrap("attach", invalid("a tag needs a name and a time"))
	}
	return s.write(ctx, "attach", func(w *writer) error {
		d, err := w.deed(id)
		if err != nil {
			return err
		}
		delete(w.deeds, id)
		if err := w.addTag.run(d.seq, string(tag)); err != nil {
			return err
		}
		now := kiosk.Stage{State: d.state, Due: d.due}
		d.state, d.due, d.tagged = "", time.Time{}, true
		return w.secure(d, now, at)
	})
}

// Done is kiosk.Ledger's.
func (s *Store) Done(ctx context.Context, k kiosk.Work, at time.Time) error {
	return s.finish(ctx, "done", k, at, "")
}

// Clear takes a tag off the work list although nothing was written; note says
// why, in staff's words.
func (s *Store) Clear(ctx context.Context, k kiosk.Work, at time.Time, note string) error {
	if note = strings.TrimSpace(note); note == "" {
		return wrap("clear", invalid("a note must say why"))
	}
	return s.finish(ctx, "clear", k, at, note)
}

func (s *Store) finish(ctx context.Context, step string, k kiosk.Work, at time.Time, note string) error {
	if at.IsZero() {
		return wrap(step, invalid("a tag needs a time"))
	}
	return s.write(ctx, step, func(w *writer) error {
		n, err := w.unwant.count(string(k.Tag), string(k.Want), string(k.Entry))
		if err != nil || n == 0 {
			return err
		}
		return w.done.run(string(k.Tag), string(k.Want), string(k.Entry), ms(at), note)
	})
}

// Work is kiosk.Ledger's.
func (r *Reader) Work(ctx context.Context, tag kiosk.TagID) (kiosk.Work, error) {
	k, err := scanWork(r.work.QueryRowContext(ctx, string(tag)))
	if errors.Is(err, sql.ErrNoRows) {
		err = kiosk.ErrUnknown
	}
	return k, wrap("work", err)
}

// WorkList is the work list, the oldest first, at most limit.
func (r *Reader) WorkList(ctx context.Context, limit int) ([]kiosk.Work, error) {
	rows, err := r.db.QueryContext(ctx, workSQL+` ORDER BY w.since, w.tag LIMIT ?`, limit)
	return all("work list", rows, err, scanWork)
}

func scanWork(r row) (k kiosk.Work, err error) {
	var since instant
	err = r.Scan(&k.Tag, &k.Want, &k.Entry, &k.Item, &k.Title, &since)
	k.Since = since.Time
	return k, err
}
