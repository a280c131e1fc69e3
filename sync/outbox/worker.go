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
	spell       = 10 * time.Second       // until the queue is read again
	ahead       = 64                     // entries under way for each line, at most: while some are written down, others are asked for
	firstRetry  = time.Second            // of one entry, doubled each time
	lastRetry   = 5 * time.Minute        // at most
	firstProbe  = 250 * time.Millisecond // of the link, doubled each time
	lastProbe   = 5 * time.Second        // at most: an ILS that is back is found within that
	strikes     = 3                      // entries in a row without an answer, over a link that is up, until it counts as down
	firstTrial  = 5 * time.Second        // until one entry is tried again then, doubled each time
	lastTrial   = 30 * time.Second       // at most: the ILS is to be found back soon
	ledgerRetry = time.Second            // after the ledger has refused
	ledgerTime  = 10 * time.Second       // longest wait for the ledger
)

// Config is how a Worker works. Its zero value is good.
type Config struct {
	// Link is told after each probe whether the ILS can be reached, and when
	// it no longer can. It is called from Run and must return soon.
	Link func(up bool)

	Now       func() time.Time // the desk's clock; nil means time.Now
	Date      func() time.Time // what an outcome is dated by; nil means Now
	Rand      *rand.Rand       // for the random part of waits, Run's own; nil means one of the machine's
	Deadline  time.Duration    // longest wait for one answer; 0 means 10 s
	Grace     time.Duration    // after a question was sent until it is looked up: a slow ILS may still be at it; 0 means 30 s
	Heartbeat time.Duration    // a silent link is probed so often; 0 means 45 s
	Poll      time.Duration    // the queue is read so often without Wake; 0 means 2 s
	Others    time.Duration    // how long after an outage other kiosks may have to tell of it, at most; 0 means 10 min, negative that there are none
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
	if c.Others == 0 {
		c.Others = 10 * time.Minute
	}
	if c.Link == nil {
		c.Link = func(bool) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Date == nil {
		c.Date = c.Now
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
	lines  *lines
	wake   chan struct{}
	lost   chan struct{}
	status atomic.Pointer[Status]

	// Run's own.
	linked bool
	heard  time.Time              // when the ILS last answered; zero means ask first
	probes int                    // in vain, one after the other
	missed map[kiosk.ID]bool      // entries without an answer, since the ILS last answered to one
	why    error                  // of the last of them
	trials int                    // in vain, one after the other
	tried  int                    // entries, in all passes
	sent   map[kiosk.ID]time.Time // when an Unsure entry was last sent, or first seen
	gone   time.Time              // when the link was lost last; zero means not known
	early  time.Time              // until then other kiosks may have to tell of the outage before
	wasIn  map[kiosk.ID]bool      // returns whose item was out to nobody, when they were deferred
}

// liner is an Upstream that takes several questions at once.
type liner interface{ Lines() int }

// atOnce is how many questions the worker has under way at most. Of several
// lines one is left to the desk: a patron is not to wait for the outbox.
func atOnce(up kiosk.Upstream) int {
	if l, ok := up.(liner); ok {
		return max(1, l.Lines()-1)
	}
	return 1
}

// Lines tells how many questions are under way at most.
func (w *Worker) Lines() int { return w.lines.most }

// New makes a worker. It does nothing until Run.
func New(box kiosk.Outbox, up kiosk.Upstream, c Config) *Worker {
	w := &Worker{
		Config: c.filled(), box: box, up: up, lines: &lines{most: atOnce(up)}, sent: map[kiosk.ID]time.Time{}, wasIn: map[kiosk.ID]bool{},
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
	w.linked, w.heard, w.probes, w.trials = false, time.Time{}, 0, 0
	w.answered()
	for ctx.Err() == nil {
		w.rest(ctx, w.round(ctx))
	}
	return ctx.Err()
}

// round does what can be done now and tells how long nothing more can be.
func (w *Worker) round(ctx context.Context) time.Duration {
	if !w.linked || w.now().Sub(w.heard) >= w.Heartbeat {
		switch {
		case !w.probe(ctx):
			return w.probeDelay()
		case !w.trial(ctx):
			return w.trialDelay()
		}
		w.link(true, nil)
	}
	idle := w.pass(ctx, window)
	switch {
	case w.hung():
		w.down(&kiosk.Error{Code: kiosk.CodeOffline, Text: "the ILS can be reached, and does not answer", Err: w.why})
		return w.trialDelay()
	case !w.linked:
		return idle
	}
	return min(idle, w.heard.Add(w.Heartbeat).Sub(w.now()))
}

// hung tells whether the server takes questions and answers none. It may answer
// each probe all the same. Then the link counts as down, for the desk too: a
// patron would only be kept waiting. One entry that never is answered is not
// enough for that.
func (w *Worker) hung() bool { return len(w.missed) >= strikes }

func (w *Worker) answered() { w.missed, w.trials = map[kiosk.ID]bool{}, 0 }

// trial tries one entry at a server that has hung, and tells whether the link
// is good again. Where none is ready to be tried, the next one will tell.
func (w *Worker) trial(ctx context.Context) bool {
	if !w.hung() {
		return true
	}
	w.trials++
	w.tried = 0
	w.pass(ctx, 1)
	if w.tried == 0 {
		w.answered()
	}
	return !w.hung() && ctx.Err() == nil
}

// rest waits for d, or for something to do. What has come already goes first,
// in one order always: of what is ready at once, select takes any.
func (w *Worker) rest(ctx context.Context, d time.Duration) {
	wake, lost := w.wake, w.lost
	if !w.linked {
		wake, lost = nil, nil // nothing can be told yet, and nothing lost
	}
	select {
	case <-lost:
		w.miss(ctx)
		return
	default:
	}
	select {
	case <-wake:
		return
	default:
	}
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	case <-lost:
		w.miss(ctx)
	}
}

// miss takes the link for down, and waits until it may be probed.
func (w *Worker) miss(ctx context.Context) {
	w.down(&kiosk.Error{Code: kiosk.CodeOffline, Text: "a question of the desk was not answered"})
	w.rest(ctx, w.probeDelay())
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
	return true
}

func (w *Worker) down(err error) { w.link(false, err) }

func (w *Worker) link(up bool, err error) {
	st := Status{Up: up, Since: w.Status().Since, Err: err}
	if up != w.linked || st.Since.IsZero() {
		st.Since = w.Now()
	}
	switch {
	case up && !w.linked:
		w.back()
	case !up && w.linked:
		w.gone = w.now()
	}
	w.linked = up
	w.status.Store(&st)
	w.Link(up)
}

// back notes that the ILS is back, for other kiosks as well as a rule. They are
// given as long as it was away to tell what they had to.
func (w *Worker) back() {
	away := w.Others
	if !w.gone.IsZero() {
		away = min(away, w.now().Sub(w.gone))
	}
	if until := w.now().Add(away); until.After(w.early) {
		w.early = until
	}
}

// patience is how long an entry may have to wait for what other kiosks have to
// tell: of what was recorded before the link was back. It is for the last of an
// item: what follows it here says more than what happened elsewhere before, and
// is itself waited for there.
func (w *Worker) patience(e kiosk.Entry) time.Duration {
	if e.At.After(w.Status().Since) {
		return 0
	}
	return w.early.Sub(w.now())
}

func (w *Worker) probeDelay() time.Duration { return w.backoff(firstProbe, lastProbe, w.probes) }

func (w *Worker) trialDelay() time.Duration { return w.backoff(firstTrial, lastTrial, w.trials) }

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

// pass settles what is ready for a spell, most at most, and tells how long
// until more is.
func (w *Worker) pass(ctx context.Context, most int) time.Duration {
	q, err := w.queue(ctx)
	if err != nil {
		return w.trouble(err)
	}
	next := w.Poll
	line := newOrder(q, func(q kiosk.Queued) bool {
		wait := w.wait(q)
		if wait > 0 {
			next = min(next, max(wait, firstProbe))
		}
		return wait <= 0
	}, func(q kiosk.Queued) bool { return w.wasIn[q.ID] })
	atOnce := min(most, ahead*w.lines.most)
	todo := make(chan *task, atOnce) // for hands, which are kept: their stacks have grown
	defer close(todo)
	events := make(chan *task, atOnce) // one that has ended; nil: the lines are short of questions
	stop, running, hands, told, until := false, 0, 0, 0, w.now().Add(spell)
	for {
		for !stop && most > 0 && running < atOnce && w.lines.short() {
			q, ok := line.take()
			if !ok {
				break
			}
			most--
			running++
			t := &task{Worker: w, Queued: q, retry: w.backoff(firstRetry, lastRetry, q.Attempts), wasIn: w.wasIn[q.ID], place: w.lines.enter(false), events: events}
			if t.last = line.last(q); t.last {
				t.early = w.patience(q.Entry)
			}
			if running > hands {
				hands++
				go func() {
					for t := range todo {
						t.settle(ctx)
						events <- t
					}
				}()
			}
			todo <- t
		}
		switch {
		case running > 0:
		case !stop && told > 0 && len(q) == window:
			return 0 // there is room for those behind
		default:
			return next
		}
		t := <-events
		if t == nil {
			continue
		}
		running--
		if t.end == done {
			told++
			line.done(t.ID)
		}
		switch over, wait := w.note(t, ctx.Err() != nil); {
		case over && stop:
			next = max(next, wait)
		case over:
			stop, next = true, wait
		case !stop && (most == 0 || len(w.lost) > 0 || !w.now().Before(until) || ctx.Err() != nil):
			stop, next = true, 0
		}
	}
}

// note takes what a task has found out, and tells whether the pass is over,
// and how long to wait then. What ends because Run is stopped, says nothing.
func (w *Worker) note(t *task, stopped bool) (over bool, wait time.Duration) {
	w.tried++
	if !t.sent.IsZero() {
		w.sent[t.ID] = t.sent
	}
	if t.wasIn {
		w.wasIn[t.ID] = true
	}
	if !t.heard.IsZero() {
		if t.end == done || t.end == later {
			w.answered()
		}
		if !w.heard.IsZero() { // else it is asked first
			w.heard = t.heard
		}
	}
	if stopped {
		return true, 0
	}
	switch t.end {
	case later:
		if t.err != nil {
			w.trouble(t.err)
		}
	case doubt:
		w.missed[t.ID], w.why = true, t.err
		w.heard = time.Time{}
		return true, 0
	case gone:
		if !t.heard.IsZero() {
			w.missed[t.ID], w.why = true, t.err // what can be asked, can't be told: a probe will not show it
		}
		w.down(t.err)
		return true, w.probeDelay()
	case broken:
		return true, w.trouble(t.err)
	}
	return false, 0
}

// queue reads the outbox and forgets what is no longer in it.
func (w *Worker) queue(ctx context.Context) ([]kiosk.Queued, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerTime)
	defer cancel()
	q, err := w.box.Queue(ctx, window)
	if err != nil {
		return nil, err
	}
	sent, wasIn := make(map[kiosk.ID]time.Time, len(w.sent)), make(map[kiosk.ID]bool, len(w.wasIn))
	for _, e := range q {
		if w.wasIn[e.ID] {
			wasIn[e.ID] = true
		}
		if e.State != kiosk.Unsure {
			continue
		}
		at, ok := w.sent[e.ID]
		if !ok {
			at = w.now() // by whom and when is not known, but not later
		}
		sent[e.ID] = at
	}
	w.sent, w.wasIn = sent, wasIn
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
