package refresh

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	firstRetry = 5 * time.Second  // of a list that broke off, doubled each time
	lastRetry  = 30 * time.Minute // at most
	stuckAfter = 3                // tries in vain, and a person should know
)

// Source is an ILS that has lists. Each comes page by page in an order that
// does not change, from the row behind after on; do is told where the page
// ends. Changed is zero for all rows.
type Source interface {
	Items(ctx context.Context, changed time.Time, after int, do func(items []kiosk.Item, last int) error) error
	Patrons(ctx context.Context, changed time.Time, after int, do func(patrons []kiosk.Patron, last int) error) error
	Loans(ctx context.Context, after int, do func(loans []kiosk.Loan, last int) error) error
}

// Config is how a Worker works.
type Config struct {
	Every time.Duration // between two looks at what has changed; 0: only when it is told to
	Quiet time.Duration // after midnight, when whole lists are read; 0: from 2 to 4, by chance, so that many kiosks do not ask at once
	Zone  *time.Location

	// Alone waits until nobody is at the desk; nil: nobody ever is. Its error
	// is that of ctx.
	Alone func(ctx context.Context) error
	Now   func() time.Time // the desk's clock; nil means time.Now
	Log   *slog.Logger     // nil means slog.Default
}

func (c Config) filled() Config {
	if c.Quiet == 0 {
		c.Quiet = 2*time.Hour + rand.N(2*time.Hour)
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	if c.Alone == nil {
		c.Alone = func(ctx context.Context) error { return ctx.Err() }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// Status is how it goes with one list.
type Status struct {
	List kiosk.List
	kiosk.Freshness
	Next   time.Time // when it is read next; zero: not by itself
	Asked  bool      // it is to be read now, as Refresh said
	Begun  time.Time // of the list under way; zero means none is
	Rows   int       // of the list under way, or the last one
	Change kiosk.Change
	Ended  int   // loans that it ended
	Err    error // why it broke off; nil means that it did not
	Stuck  bool  // it did so again and again, and not because the ILS is away
}

// Worker refreshes the mirror. Run does all the work; the other methods may be
// called from any goroutine.
type Worker struct {
	Config
	from Source
	into kiosk.Loader
	wake chan struct{}

	mu    sync.Mutex // guards the first part of each list
	lists []*list
}

// list is one of them.
type list struct {
	Status
	asked  bool      // whole, by Refresh
	failed int       // times in vain, one after the other
	retry  time.Time // not before

	// Run's own.
	read  func(ctx context.Context, l *list) error
	whole bool           // the one under way
	after int            // where it goes on
	loans kiosk.LoanList // what is under way, if this is the list of loans
}

// New makes a worker. It does nothing until Run.
func New(from Source, into kiosk.Loader, c Config) *Worker {
	w := &Worker{Config: c.filled(), from: from, into: into, wake: make(chan struct{}, 1)}
	for _, l := range []struct {
		name kiosk.List
		read func(context.Context, *list) error
	}{{kiosk.ItemList, w.items}, {kiosk.PatronList, w.patrons}, {kiosk.OpenLoans, w.loans}} {
		w.lists = append(w.lists, &list{Status: Status{List: l.name}, read: l.read})
	}
	return w
}

// Refresh has the lists read now, or as soon as nobody is at the desk; whole
// in place of what has changed. What broke off goes on.
func (w *Worker) Refresh(whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lists {
		l.Asked, l.asked, l.Err, l.Stuck, l.failed, l.retry = true, whole || l.asked, nil, false, 0, time.Time{}
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Status tells how it goes, list by list.
func (w *Worker) Status() []Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Status
	for _, l := range w.lists {
		all = append(all, l.Status)
	}
	return all
}

// set changes what Status tells.
func (w *Worker) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// Run refreshes until ctx ends, and returns the error of ctx.
func (w *Worker) Run(ctx context.Context) error {
	for _, l := range w.lists {
		f, err := w.into.Fresh(ctx, l.List)
		if err != nil {
			w.Log.Warn("how fresh a list is, is not known: it is read anew", "list", l.List, "err", err)
		}
		w.set(func() { l.Freshness = f })
	}
	for ctx.Err() == nil {
		l, wait := w.next()
		if l == nil || wait > 0 {
			w.rest(ctx, wait)
			continue
		}
		if w.Alone(ctx) == nil {
			w.turn(ctx, l)
		}
	}
	return ctx.Err()
}

// rest waits for d, or for Refresh.
func (w *Worker) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-w.wake:
	}
}

// longest is how long it is waited for at most before the clock is looked at
// again: it may be set.
const longest = time.Minute

// next is the list that is due first, and how long it is until then.
func (w *Worker) next() (first *list, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now().In(w.Zone)
	wait = longest
	for _, l := range w.lists {
		at := now
		switch {
		case l.Asked, !l.Begun.IsZero():
			l.Next = now
		case w.Every <= 0:
			l.Next = time.Time{}
			continue
		default:
			at, _ = due(l.List, l.Freshness, w.Every, w.Quiet, now)
			l.Next = at
		}
		if l.retry.Sub(now) > lastRetry {
			l.retry = now // noted under another clock
		}
		if l.retry.After(at) {
			at = l.retry
			l.Next = at
		}
		if d := max(at.Sub(now), 0); d < wait {
			first, wait = l, d
		}
	}
	return first, wait
}

// turn reads a list, from its beginning or where it broke off.
func (w *Worker) turn(ctx context.Context, l *list) {
	w.begin(l)
	log := w.Log.With("list", string(l.List), "whole", l.whole)
	log.Info("refresh begins", "after", l.Rows)
	err := l.read(ctx, l)
	f := kiosk.Freshness{Whole: l.Whole, Since: l.Begun}
	if l.whole {
		f.Whole = l.Begun
	}
	if err == nil {
		err = w.into.Freshen(ctx, l.List, f)
	}
	switch {
	case err == nil:
		log.Info("refreshed", "rows", l.Rows, "new", l.Change.New, "changed", l.Change.Changed, "ended", l.Ended, "took", w.Now().Sub(l.Begun).Round(time.Millisecond))
		w.set(func() {
			l.asked = l.asked && !l.whole // it came too late for this one
			l.Freshness, l.Begun, l.Asked, l.Err, l.Stuck, l.failed, l.retry = f, time.Time{}, l.asked, nil, false, 0, time.Time{}
		})
	case ctx.Err() == nil:
		log.Warn("refresh breaks off, and goes on later", "rows", l.Rows, "err", err)
		w.set(func() {
			l.retry = w.Now().Add(backoff(l.failed))
			l.failed++
			l.Asked, l.Err, l.Stuck = false, err, l.failed >= stuckAfter && kiosk.CodeOf(err) != kiosk.CodeOffline
		})
	}
}

// begin readies a list, unless it goes on.
func (w *Worker) begin(l *list) {
	w.set(func() {
		if !l.Begun.IsZero() && (l.whole || !l.asked) {
			return
		}
		now := w.Now()
		_, whole := due(l.List, l.Freshness, w.Every, w.Quiet, now.In(w.Zone))
		l.whole, l.after, l.loans = whole || l.asked, 0, nil
		l.Begun, l.Rows, l.Change, l.Ended = now, 0, kiosk.Change{}, 0
	})
}

// backoff doubles from the first to the last pause.
func backoff(n int) time.Duration {
	if n > 10 {
		return lastRetry
	}
	return min(firstRetry<<n, lastRetry)
}

// since is what a list is asked for: zero for all rows.
func (l *list) since() time.Time {
	if l.whole {
		return time.Time{}
	}
	return l.Since
}

// page takes a page into the mirror, and waits until nobody is at the desk.
func page[T any](ctx context.Context, w *Worker, l *list, put func(context.Context, []T) (kiosk.Change, error)) func([]T, int) error {
	return func(rows []T, last int) error {
		if len(rows) > 0 {
			c, err := put(ctx, rows)
			if err != nil {
				return err
			}
			w.set(func() {
				l.Rows += len(rows)
				l.Change.New += c.New
				l.Change.Changed += c.Changed
				l.Change.Same += c.Same
			})
		}
		l.after = last
		return w.Alone(ctx)
	}
}

func (w *Worker) items(ctx context.Context, l *list) error {
	return w.from.Items(ctx, l.since(), l.after, page(ctx, w, l, w.into.PutItems))
}

func (w *Worker) patrons(ctx context.Context, l *list) error {
	return w.from.Patrons(ctx, l.since(), l.after, page(ctx, w, l, w.into.PutPatrons))
}

func (w *Worker) loans(ctx context.Context, l *list) error {
	if l.loans == nil {
		loans, err := w.into.ListLoans(ctx)
		if err != nil {
			return err
		}
		l.loans, l.after = loans, 0
	}
	if err := w.from.Loans(ctx, l.after, page(ctx, w, l, l.loans.Put)); err != nil {
		return err
	}
	ended, err := l.loans.End(ctx)
	if err != nil {
		l.loans = nil // from the beginning: another list came between
		return err
	}
	w.set(func() { l.Ended = ended })
	return nil
}
