package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// write is one caller's wish to change the ledger.
type write struct {
	ctx   context.Context
	do    func(*writer) error
	entry kiosk.ID      // that it is about; empty if it is about none, or several
	turn  chan struct{} // closed when it is done, or leads; nil where nobody has to be waited for
	leads bool          // its caller writes it, and all that wait with it
	done  bool
	err   error
}

// errUnwritten is for what was to be written with something that panicked.
var errUnwritten = errors.New("what was to be written with it has failed")

// write carries out do in a durable transaction. Callers that arrive while
// another writes wait for their turn; the first of them then takes along all
// that wait with it, and they go on together once that is written. A caller that
// gives up before its turn has changed nothing; once a transaction is under way
// its end is waited for, because only then is it known.
func (s *Store) write(ctx context.Context, step string, do func(*writer) error) error {
	return s.writeOf(ctx, step, "", do)
}

// writeOf is write of what is about one entry.
func (s *Store) writeOf(ctx context.Context, step string, entry kiosk.ID, do func(*writer) error) error {
	w := &write{ctx: ctx, do: do, entry: entry}
	if err := s.enqueue(w); err != nil {
		return wrap(step, err)
	}
	if w.turn != nil {
		<-w.turn
	}
	if w.leads {
		s.lead(w)
	}
	if !w.done {
		w.err = errUnwritten
	}
	s.suspect(w.err)
	return wrap(step, w.err)
}

func (s *Store) enqueue(w *write) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return ErrClosed
	}
	if w.leads = !s.led; !w.leads {
		w.turn = make(chan struct{})
	}
	s.led = true
	s.queue = append(s.queue, w)
	return nil
}

// lead carries out all that wait, w among them, and calls their callers.
func (s *Store) lead(w *write) {
	s.turn.Lock()
	all := s.take()
	defer func() {
		s.turn.Unlock()
		s.next()
		for _, o := range all {
			if o != w {
				close(o.turn)
			}
		}
	}()
	var live []*write
	for _, o := range all {
		if o.err = o.ctx.Err(); o.err == nil {
			live = append(live, o)
		}
	}
	s.commit(live)
	for _, o := range all {
		o.done = true
	}
}

func (s *Store) take() []*write {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.queue
	s.queue = nil
	return all
}

// next has the first lead of those who have come meanwhile.
func (s *Store) next() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.led = len(s.queue) > 0; s.led {
		s.queue[0].leads = true
		close(s.queue[0].turn)
	}
}

// commit carries out a batch in one transaction and notes the errors.
func (s *Store) commit(batch []*write) {
	if len(batch) == 0 {
		return
	}
	err := s.begin()
	if err == nil {
		err = s.w.all(batch)
	}
	if err == nil {
		err = s.end()
	}
	if err != nil {
		s.bulk.under = 0
		s.w.undoAll()
		for _, w := range batch {
			if w.err == nil {
				w.err = err
			}
		}
		return
	}
	select {
	case s.stirred <- struct{}{}:
	default:
	}
}

// begin begins a transaction, unless Bulk has one under way.
func (s *Store) begin() error {
	if s.bulk.under > 0 {
		return nil
	}
	return s.w.begin.run()
}

// end ends it, unless Bulk wants it to go on.
func (s *Store) end() error {
	if s.bulk.under++; s.bulk.under < s.bulk.puts {
		return nil
	}
	s.bulk.under = 0
	return s.w.commit.run()
}

// all carries out each of a batch inside the open transaction, so that one
// that fails leaves no trace and the others stand. An error is one that ends
// the transaction.
func (w *writer) all(batch []*write) error {
	if len(batch) == 1 { // alone it needs no savepoint
		return batch[0].do(w)
	}
	if err := w.findAll(batch); err != nil {
		return err
	}
	for _, one := range batch {
		if err := w.save.run(); err != nil {
			return err
		}
		if one.err = one.do(w); one.err != nil {
			w.deeds = nil
			if err := w.back.run(); err != nil {
				return err
			}
		}
		if err := w.forget.run(); err != nil {
			return err
		}
	}
	return nil
}

// undoAll ends the transaction and all that was written in it. SQLite may have
// rolled back by itself; then it says so and changes nothing.
func (w *writer) undoAll() {
	w.rollback.run()
	w.deeds = nil
}

// stmt is a prepared statement of the writer. It runs without a context: a
// statement that is interrupted between others would leave half a wish.
// What it waits for is the disk, and other programs' locks for busyTimeout.
type stmt struct{ *sql.Stmt }

func (s stmt) run(args ...any) error {
	_, err := s.Exec(args...)
	return err
}

// count is run with the number of rows it has touched.
func (s stmt) count(args ...any) (int, error) {
	res, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// writer holds the writing connection's statements.
type writer struct {
	conn                                        *sql.Conn
	open                                        []*sql.Stmt
	list                                        *loanList // the newest one; nil means that none is under way
	deeds                                       deeds
	begin, commit, rollback, save, back, forget stmt

	addEntry, addOutcome, find, findMany, stateOf stmt
	queue, unqueue, postpone, asked               stmt
	lend, takeBack, renew, due, stale             stmt
	loan, later, end                              stmt
	probe, unprobe                                stmt

	addTag, tags, want, unwant, done, unsecured stmt

	addUndated, dated, outlived, putRight, loanDate stmt

	lastLine, addLine stmt

	copy, itemTags stmt
}

// prepare readies every statement, so that a mistake in one shows at Open.
func prepare(ctx context.Context, c *sql.Conn) (*writer, error) {
	w := &writer{conn: c}
	for _, p := range []struct {
		to  *stmt
		sql string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.rollback, "ROLLBACK"},
		{&w.save, "SAVEPOINT one"},
		{&w.back, "ROLLBACK TO one"},
		{&w.forget, "RELEASE one"},
		{&w.addEntry, addEntrySQL},
		{&w.addOutcome, addOutcomeSQL},
		{&w.find, findSQL},
		{&w.findMany, findManySQL},
		{&w.stateOf, stateOfSQL},
		{&w.queue, queueSQL},
		{&w.unqueue, unqueueSQL},
		{&w.postpone, postponeSQL},
		{&w.asked, askedSQL},
		{&w.lend, lendSQL},
		{&w.takeBack, takeBackSQL},
		{&w.renew, renewSQL},
		{&w.due, dueSQL},
		{&w.stale, staleSQL},
		{&w.loan, loanSQL},
		{&w.later, laterSQL},
		{&w.end, endSQL},
		{&w.probe, probeSQL},
		{&w.unprobe, unprobeSQL},
		{&w.addTag, addTagSQL},
		{&w.tags, tagsSQL},
		{&w.want, wantSQL},
		{&w.unwant, unwantSQL},
		{&w.done, doneSQL},
		{&w.unsecured, unsecuredSQL},
		{&w.addUndated, addUndatedSQL},
		{&w.dated, datedSQL},
		{&w.outlived, outlivedSQL},
		{&w.putRight, putRightSQL},
		{&w.loanDate, loanDateSQL},
		{&w.lastLine, "SELECT coalesce(max(n), 0) FROM inventory_lines WHERE inventory = ?"},
		{&w.addLine, addLineSQL},
		{&w.copy, copySQL},
		{&w.itemTags, itemTagsSQL},
	} {
		st, err := c.PrepareContext(ctx, p.sql)
		if err != nil {
			return w, err
		}
		p.to.Stmt = st
		w.open = append(w.open, st)
	}
	return w, nil
}

// close ends the statements. Those of a sql.Conn do not end with it, and as
// long as one lives SQLite keeps the files open.
func (w *writer) close() error {
	var errs []error
	for _, st := range w.open {
		errs = append(errs, st.Close())
	}
	return errors.Join(errs...)
}
