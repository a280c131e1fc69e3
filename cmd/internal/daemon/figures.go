package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// figures counts what happens at the desk. Counts go to disk now and then: a
// machine that loses its power loses a minute of them, and nothing else.
type figures struct {
	*Daemon

	mu    sync.Mutex
	tally kiosk.Tally
	since map[kiosk.Count]int // since the last store; the keys have no N
}

const keepFigures = time.Minute // between two stores

// see takes a screen of the desk.
func (f *figures) see(sc kiosk.Screen) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, what := range f.tally.See(sc) {
		t := sc.Now.In(f.Config.Location)
		f.metrics.Count(what)
		f.since[kiosk.Count{Day: t.Format(time.DateOnly), Hour: t.Hour(), What: what}]++
	}
}

// store puts what was counted on disk. What the disk refuses is kept for the
// next time.
func (f *figures) store(ctx context.Context) error {
	f.mu.Lock()
	was := f.since
	f.since = map[kiosk.Count]int{}
	f.mu.Unlock()
	var list []kiosk.Count
	for c, n := range was {
		c.N = n
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil
	}
	err := f.Daemon.store.AddCounts(ctx, list)
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		for c, n := range was {
			f.since[c] += n
		}
	}
	return err
}

// run stores now and then, and at the end.
func (f *figures) run(ctx context.Context) error {
	t := time.NewTicker(keepFigures)
	defer t.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			if err := f.store(end); err != nil {
				f.Log.Warn("the last counts are lost", "err", err)
			}
			return nil
		case <-t.C:
			err := f.store(ctx)
			if err != nil && !failing {
				f.Log.Error("counts can't be stored", "err", err)
			}
			failing = err != nil
		}
	}
}

// between gives the counts of whole days.
func (f *figures) between(ctx context.Context, since, until time.Time) ([]kiosk.Count, error) {
	if err := f.store(ctx); err != nil {
		return nil, err
	}
	return f.Daemon.store.CountsBetween(ctx, since, until)
}
