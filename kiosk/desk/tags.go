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
func (d *Desk) mend(ctx context.Context, tag kiosk.TagID, at time.Time) kiosk.Event {
	defer d.turns.take(tag)()
	w, err := d.Ledger.Work(ctx, tag)
	if err != nil {
		if !errors.Is(err, kiosk.ErrUnknown) {
			d.Log.Error("desk: work list", "tag", tag, "err", err)
		}
		return kiosk.Mended{Tag: tag}
	}
	return kiosk.Mended{Tag: tag, Work: w, Err: d.write(ctx, w, at)}
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
