package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// tagsAtOnce is how many tags are under way at once: while one is being
// written the disk keeps what was done with others.
const tagsAtOnce = 8

var errNoSecurer = errors.New("no pad writes tags")

// turns has one at a time look up what a tag is to be, and write it: what was
// looked up before somebody else wrote would undo that.
type turns struct {
	mu   sync.Mutex
	busy map[kiosk.TagID]chan struct{} // closed when it is over
}

// take waits for the turn of a tag and gives what ends it.
func (t *turns) take(tag kiosk.TagID) (end func()) {
	over := make(chan struct{})
	t.mu.Lock()
	for t.busy[tag] != nil {
		before := t.busy[tag]
		t.mu.Unlock()
		<-before // a write has a deadline
		t.mu.Lock()
	}
	if t.busy == nil {
		t.busy = map[kiosk.TagID]chan struct{}{}
	}
	t.busy[tag] = over
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.busy, tag)
		close(over)
	}
}

// keep writes a tag as the work list has it, and nothing else: a tag is
// released only for a loan that is on disk.
func (d *Desk) keep(ctx context.Context, e kiosk.Keep, at time.Time) kiosk.Event {
	defer d.turns.take(e.Tag)()
	ev := kiosk.Kept{Entry: e.Entry, Tag: e.Tag, Want: e.Want}
	w, err := d.Ledger.Work(ctx, e.Tag)
	switch {
	case errors.Is(err, kiosk.ErrUnknown): // done already
	case err != nil:
		ev.Err = err
	case w.Entry != e.Entry || w.Want != e.Want:
		ev.Err = fmt.Errorf("by now it is to be %s, by entry %s", w.Want, w.Entry)
	default:
		ev.Err = d.write(ctx, w, at)
	}
	return ev
}

// mend does what the work list has of a tag.
func (d *Desk) mend(ctx context.Context, tag kiosk.TagID, at time.Time, online bool) kiosk.Event {
	defer d.turns.take(tag)()
	w, err := d.Ledger.Work(ctx, tag)
	if err != nil {
		if !errors.Is(err, kiosk.ErrUnknown) {
			d.Log.Error("desk: work list", "tag", tag, "err", err)
		}
		return kiosk.Mended{Tag: tag}
	}
	if w.Want == kiosk.Released && !d.stands(ctx, w, at, online) {
		d.Log.Info("desk: tag stays secured, its loan may have ended elsewhere", "tag", tag, "item", w.Item, "entry", w.Entry)
		return kiosk.Mended{Tag: tag}
	}
	return kiosk.Mended{Tag: tag, Work: w, Err: d.write(ctx, w, at)}
}

// unasked is how old a loan may be whose tag is released late without a word of
// upstream: until then the book has hardly been to another desk.
const unasked = 3 * time.Minute

// stands tells whether there still is the loan for which a tag is to be released
// late. The ledger has not heard of what was returned elsewhere since: the book
// would leave unrecorded.
func (d *Desk) stands(ctx context.Context, w kiosk.Work, at time.Time, online bool) bool {
	if d.Upstream == nil {
		return true
	}
	c, err := d.Mirror.Copy(ctx, w.Item)
	promised := !c.Unsettled || !c.Loan.Due.IsZero() // else it may yet be taken back
	if err != nil || !c.OnLoan || !promised {
		return false
	}
	if online {
		ask, cancel := context.WithTimeout(ctx, d.Deadline)
		defer cancel()
		st, err := d.Upstream.Look(ask, w.Item, c.Loan.Patron)
		d.watchLink(ctx, err)
		has := st.Mine == kiosk.Yes || st.Mine == kiosk.Unknown && st.Status == kiosk.StatusOnLoan
		if now, err := d.Mirror.Loan(ctx, w.Item); err != nil || now.Patron != c.Loan.Patron {
			return false // it has ended here meanwhile
		}
		if err == nil && (has || !c.Unsettled) { // else it was not told yet
			return has
		}
	}
	age := at.Sub(w.Since)
	return age >= 0 && age <= unasked
}

func (d *Desk) write(ctx context.Context, w kiosk.Work, at time.Time) error {
	if d.Securer == nil {
		return errNoSecurer
	}
	if err := d.Securer.Secure(ctx, w.Tag, w.Want); err != nil {
		if !errors.Is(err, kiosk.ErrLifted) {
			d.Log.Error("desk: tag can't be written", "tag", w.Tag, "item", w.Item, "want", w.Want, "err", err)
		}
		return err
	}
	return d.Ledger.Done(ctx, w, at)
}
