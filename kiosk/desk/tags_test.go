package desk_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
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

// lentTo is a mirror that has the book out.
type lentTo struct {
	*worklist
	due       time.Time
	unsettled bool
}

func (l lentTo) loan() kiosk.Loan {
	return kiosk.Loan{Item: book.Barcode, Patron: reader.Card, Due: l.due}
}

func (l lentTo) Loan(context.Context, kiosk.Barcode) (kiosk.Loan, error) { return l.loan(), nil }

func (l lentTo) Copy(context.Context, kiosk.Barcode) (kiosk.Copy, error) {
	return kiosk.Copy{Item: book, Known: true, Loan: l.loan(), OnLoan: true, Unsettled: l.unsettled}, nil
}

// TestReleasedLate: what a loan has left on the work list is released only while
// the loan stands. The ledger has not heard of a return at another desk; of a
// loan of long ago the library's system must say that it does.
func TestReleasedLate(t *testing.T) {
	const tag = kiosk.TagID("E004015012345678")
	due := time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)
	mine, in := kiosk.Standing{Status: kiosk.StatusOnLoan, Mine: kiosk.Yes}, kiosk.Standing{Status: kiosk.StatusAvailable, Mine: kiosk.No}
	for name, tt := range map[string]struct {
		due       time.Time
		unsettled bool
		st        kiosk.Standing
		err       error
		age       time.Duration
		released  bool
	}{
		"it stands":                     {due: due, st: mine, age: time.Hour, released: true},
		"whose is not told":             {due: due, st: kiosk.Standing{Status: kiosk.StatusOnLoan}, age: time.Hour, released: true},
		"returned elsewhere":            {due: due, st: in},
		"not told yet":                  {due: due, unsettled: true, st: in, age: time.Minute, released: true},
		"not told yet, of long ago":     {due: due, unsettled: true, st: in, age: time.Hour},
		"cut off between two, unspoken": {unsettled: true, st: mine},
		"no answer":                     {due: due, err: kiosktest.Offline(), age: time.Minute, released: true},
		"no answer, and of long ago":    {due: due, err: kiosktest.Offline(), age: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := &worklist{shelf: newShelf(), work: kiosk.Work{Tag: tag, Item: book.Barcode, Want: kiosk.Released, Entry: "before"}}
			l := lentTo{w, tt.due, tt.unsettled}
			up := &kiosktest.Upstream{OnLook: func(context.Context, kiosk.Barcode, kiosk.Card) (kiosk.Standing, error) { return tt.st, tt.err }}
			run(t, desk.Config{Ledger: l, Mirror: l, Securer: w, Upstream: up}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
				w.mu.Lock()
				w.work.Since = time.Now().Add(-tt.age)
				w.mu.Unlock()
				must(t, d.Send(ctx, kiosk.TagPlaced{Tag: tag, Item: book.Barcode, Part: 1, Parts: 1, Old: true}))
				time.Sleep(5 * time.Second)
				w.mu.Lock()
				defer w.mu.Unlock()
				if got := len(w.wrote) > 0; got != tt.released || got == (w.work.Tag != "") {
					t.Errorf("written %v, work list %+v; want it released: %v", w.wrote, w.work, tt.released)
				}
			})
		})
	}
}
