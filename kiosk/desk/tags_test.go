package desk_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
)

// worklist is a shelf with a work list that is slow to read, and a pad on
// which every write succeeds.
type worklist struct {
	*shelf
	mu    sync.Mutex
	work  kiosk.Work
	stall time.Duration // of the first look
	wrote []kiosk.Security
}

func (w *worklist) Record(ctx context.Context, e kiosk.Entry) error {
	if len(e.Tags) > 0 && e.Kind == kiosk.Checkin {
		w.mu.Lock()
		w.work = kiosk.Work{Tag: e.Tags[0], Want: kiosk.Secured, Entry: e.ID}
		w.mu.Unlock()
	}
	return w.shelf.Record(ctx, e)
}

func (w *worklist) Work(context.Context, kiosk.TagID) (kiosk.Work, error) {
	w.mu.Lock()
	k, stall := w.work, w.stall
	w.stall = 0
	w.mu.Unlock()
	time.Sleep(stall)
	if k.Tag == "" {
		return k, kiosk.ErrUnknown
	}
	return k, nil
}

func (w *worklist) Done(_ context.Context, k kiosk.Work, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.work == k {
		w.work = kiosk.Work{}
	}
	return nil
}

func (w *worklist) Secure(_ context.Context, _ kiosk.TagID, want kiosk.Security) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrote = append(w.wrote, want)
	return nil
}

// TestTagTurns: what was left of a loan is looked up, and before it is written
// the book is returned. The tag ends secured: what was looked up first is also
// written first.
func TestTagTurns(t *testing.T) {
	const tag = kiosk.TagID("E004015012345678")
	w := &worklist{shelf: newShelf(), stall: time.Second, work: kiosk.Work{Tag: tag, Want: kiosk.Released, Entry: "before"}}
	run(t, desk.Config{Ledger: w, Mirror: w, Securer: w}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		placed := kiosk.TagPlaced{Tag: tag, Item: book.Barcode, Part: 1, Parts: 1, Old: true}
		must(t, d.Send(ctx, placed))
		must(t, d.Send(ctx, kiosk.TagRemoved{Tag: tag}))
		must(t, d.Send(ctx, kiosk.StartReturn{}))
		placed.Old = false
		must(t, d.Send(ctx, placed))
		until(t, d, "a return", state(kiosk.LineReturned))
		time.Sleep(5 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := len(w.wrote); n == 0 || w.wrote[n-1] != kiosk.Secured {
			t.Errorf("after the return the tag was written %v; want it secured in the end", w.wrote)
		}
	})
}
