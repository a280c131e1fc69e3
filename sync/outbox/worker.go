package outbox

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	window      = 4096                   // entries looked at; those behind wait until there is room
	spell       = 32                     // questions until the queue is read again
	firstRetry  = time.Second            // of one entry, doubled each time
	lastRetry   = 5 * time.Minute        // at most
	firstProbe  = 250 * time.Millisecond // of the link, doubled each time
	lastProbe   = 15 * time.Second       // at most
	ledgerRetry = time.Second            // after the ledger has refused
	ledgerTime  = 10 * time.Second       // longest wait for the ledger
)

// Config is how a Worker works. Its zero value is good.
type Config struct {
	// Link is told after each probe whether the ILS can be reached, and when
	// it no longer can. It is called from Run and must return soon.
	Link func(up bool)

	Now       func() time.Time // the desk's clock, for outcomes; nil means time.Now
	Rand      *rand.Rand       // for the random part of waits, Run's own; nil means one of the machine's
	Deadline  time.Duration    // longest wait for one answer; 0 means 10 s
	Grace     time.Duration    // after a question was sent until it is looked up: a slow ILS may still be at it; 0 means 30 s
	Heartbeat time.Duration    // a silent link is probed so often; 0 means 45 s
	Poll      time.Duration    // the queue is read so often without Wake; 0 means 2 s
}

func (c Config) filled() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.Deadline, 10*time.Second)
	def(&c.Grace, 30*time.Second)
	def(&c.Heartbeat, 45*time.Second)
	def(&c.Poll, 2*time.Second)
	if c.Link == nil {
		c.Link = func(bool) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return c
}

// Status is how it goes, for staff.
type Status struct {
	Up    bool      // the ILS can be reached
	Since time.Time // when Up last changed; zero means it was not tried yet
	Err   error     // what has stood in the way since the last good probe; nil means nothing
}

// Worker settles the outbox. Run does all the work; the other methods may be
// called from any goroutine.
type Worker struct {
	Config
	box    kiosk.Outbox
	up     kiosk.Upstream
	wake   chan struct{}
	lost   chan struct{}
	status atomic.Pointer[Status]

	// Run's own.
	linked bool
	heard  time.Time              // when the ILS last answered; zero means ask first
	probes int                    // in vain, one after the other
	sent   map[kiosk.ID]time.Time // when an Unsure entry was last sent, or first seen
}

// New makes a worker. It does nothing until Run.
func New(box kiosk.Outbox, up kiosk.Upstream, c Config) *Worker {
	w := &Worker{
		Config: c.filled(), box: box, up: up, sent: map[kiosk.ID]time.Time{},
		wake: make(chan struct{}, 1), lost: make(chan struct{}, 1),
	}
	w.status.Store(&Status{})
	return w
}

// Wake says that there is something new in the outbox.
func (w *Worker) Wake() { poke(w.wake) }

// Lost says that a question of somebody else was not answered: the link
// counts as down until a probe, no sooner than 250 ms from now, finds it.
func (w *Worker) Lost() { poke(w.lost) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Status tells how it goes.
func (w *Worker) Status() Status { return *w.status.Load() }

// Run settles what is queued until ctx ends, and returns the error of ctx. A
// question under way then is given up, and looked up by the next Run; an
// answer that has come is still written down.
func (w *Worker) Run(ctx context.Context) error {
	w.linked, w.heard, w.probes = false, time.Time{}, 0
	for ctx.Err() == nil {
		w.rest(ctx, w.round(ctx))
	}
	return ctx.Err()
}

// round does what can be done now and tells how long nothing more can be.
func (w *Worker) round(ctx context.Context) time.Duration {
	if !w.linked || w.now().Sub(w.heard) >= w.Heartbeat {
		if !w.probe(ctx) {
			return w.probeDelay()
		}
	}
	idle := w.pass(ctx)
	return min(idle, w.heard.Add(w.Heartbeat).Sub(w.now()))
}

// rest waits for d, or for something to do.
func (w *Worker) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	wake, lost := w.wake, w.lost
	if !w.linked {
		wake, lost = nil, nil // nothing can be told yet, and nothing lost
	}
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	case <-lost:
		w.down(&kiosk.Error{Code: kiosk.CodeOffline, Text: "a question of the desk was not answered"})
		w.rest(ctx, w.probeDelay())
	}
}

// now is the clock for waiting; it does not jump as Config.Now may.
func (w *Worker) now() time.Time { return time.Now() }

func (w *Worker) probe(ctx context.Context) bool {
	select {
	case <-w.lost: // what was lost until now, this probe answers
	default:
	}
	pctx, cancel := context.WithTimeout(ctx, w.Deadline)
	defer cancel()
	if err := w.up.Probe(pctx); err != nil {
		if ctx.Err() != nil {
			return false // stopped: this says nothing of the link
		}
		w.down(err)
		w.probes++
		return false
	}
	w.heard, w.probes = w.now(), 0
	w.link(true, nil)
	return true
}

func (w *Worker) down(err error) { w.link(false, err) }

func (w *Worker) link(up bool, err error) {
	st := Status{Up: up, Since: w.Status().Since, Err: err}
	if up != w.linked || st.Since.IsZero() {
		st.Since = w.Now()
	}
	w.linked = up
	w.status.Store(&st)
	w.Link(up)
}

func (w *Worker) probeDelay() time.Duration { return w.backoff(firstProbe, lastProbe, w.probes) }

// backoff doubles first n times up to last, and takes a random half of that
// off, so that many kiosks do not come back in step.
func (w *Worker) backoff(first, last time.Duration, n int) time.Duration {
	d := last
	if n < 20 {
		d = min(first<<n, last)
	}
	return d/2 + time.Duration(w.Rand.Int64N(int64(d/2)))
}

// end is how the work on one entry ended.
type end int

const (
	done   end = iota // it has left the outbox
	later             // it waits for its next try
	doubt             // it waits, and the link is to be probed before anything else
	gone              // it waits, and the link is down
	broken            // the ledger has refused
)

// pass tells what is ready, in order, and how long until more is.
func (w *Worker) pass(ctx context.Context) time.Duration {
	q, err := w.queue(ctx)
	if err != nil {
		return w.trouble(err)
	}
	next := w.Poll
	var stuck fence
	for n := 0; len(q) > 0 && ctx.Err() == nil; q = q[1:] {
		e := q[0]
		wait := w.wait(e)
		if stuck.stops(e.Entry) || wait > 0 {
			stuck.add(e.Entry)
			next = min(next, max(wait, firstProbe))
			continue
		}
		if n++; n > spell || len(w.lost) > 0 {
			return 0
		}
		end, err := w.settle(ctx, e)
		switch end {
		case later:
			stuck.add(e.Entry)
		case doubt:
			return 0
		case gone:
			w.down(err)
			return w.probeDelay()
		case broken:
			return w.trouble(err)
		}
	}
	return next
}

// queue reads the outbox and forgets what is no longer in it.
func (w *Worker) queue(ctx context.Context) ([]kiosk.Queued, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerTime)
	defer cancel()
	q, err := w.box.Queue(ctx, window)
	if err != nil {
		return nil, err
	}
	sent := make(map[kiosk.ID]time.Time, len(w.sent))
	for _, e := range q {
		if e.State != kiosk.Unsure {
			continue
		}
		at, ok := w.sent[e.ID]
		if !ok {
			at = w.now() // by whom and when is not known, but not later
		}
		sent[e.ID] = at
	}
	w.sent = sent
	return q, nil
}

// wait is how long an entry must not be touched; forever for what is the desk's.
func (w *Worker) wait(q kiosk.Queued) time.Duration {
	if q.State != kiosk.Offline && q.State != kiosk.Unsure {
		return lastRetry
	}
	retry := q.RetryAt.Sub(w.Now())
	if retry > lastRetry {
		retry = 0 // noted under another clock
	}
	if at, ok := w.sent[q.ID]; ok {
		retry = max(retry, at.Add(w.Grace).Sub(w.now()))
	}
	return retry
}

// trouble is what the ledger says when it fails. The link is not to blame.
func (w *Worker) trouble(err error) time.Duration {
	st := w.Status()
	st.Err = err
	w.status.Store(&st)
	return ledgerRetry
}

// fence is what an entry that waits keeps from those behind it.
type fence struct {
	items map[kiosk.Barcode]bool
	cards map[kiosk.Card]bool
}

func (f *fence) add(e kiosk.Entry) {
	if f.items == nil {
		f.items, f.cards = map[kiosk.Barcode]bool{}, map[kiosk.Card]bool{}
	}
	f.items[e.Item] = true
	if e.Patron != "" {
		f.cards[e.Patron] = true
	}
}

func (f *fence) stops(e kiosk.Entry) bool { return f.items[e.Item] || f.cards[e.Patron] }
