// Package desk runs the desk: one goroutine owns the kiosk.Session, feeds it
// events, has its effects carried out, and publishes what the screen shows.
//
// Effects run in lanes of their own: looking into the mirror, finding a patron,
// storing, asking upstream, writing tags, handing receipts over. So a slow disk, a silent ILS or a printer without paper holds
// up its own lane and never the screen. Entries reach the disk in the order of
// the scans, and are put to the ILS in that order, several at once where it
// takes several.
package desk

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Config is what a desk stands on.
type Config struct {
	Rules    kiosk.Rules
	Ledger   kiosk.Ledger
	Mirror   kiosk.Mirror
	Upstream kiosk.Upstream  // nil: there is none, everything is decided here
	Securer  kiosk.Securer   // nil: there are no tags to be written
	PINs     kiosk.PINs      // nil: PINs can't be checked while upstream is away
	Gates    bool            // look at tags: what the ledger knows of an item's tags matters
	Pad      func() bool     // whether a pad works; nil means always
	Lines    int             // questions that upstream takes at once; 0 means 1
	Deadline time.Duration   // longest a patron waits for upstream; 0 means 2.5 s
	Retry    time.Duration   // pause between tries to store what the disk refused; 0 means 3 s
	Grace    time.Duration   // how long what is in hand may take at the end; 0 means 5 s
	Clock    *kiosk.Clock    // that has been told of the ledger; nil: the desk's own
	NewID    func() kiosk.ID // never the same one twice
	Log      *slog.Logger    // nil means slog.Default
	// Seen is shown each screen before it is public, also those that no browser
	// will have time for; it must not wait. nil means nobody.
	Seen func(kiosk.Screen)
	// Deliver hands a receipt over: kiosk.ErrNoPaper if the printer wants a hand.
	// nil: there is nothing to do it with. Its ctx ends in time.
	Deliver func(ctx context.Context, d kiosk.Deliver) error
	// LinkLost is told when upstream has not answered the desk, so that
	// somebody looks for it in the background; nil means nobody.
	LinkLost func()
}

// Desk is the running desk. Its methods are safe for use by several goroutines.
type Desk struct {
	Config
	own    bool // the clock is
	inbox  chan kiosk.Event
	looks  lane
	idents lane
	stores lane
	asks   lane
	learns lane // of items, from what was answered
	tags   lane
	pins   lane
	turns  turns
	prints lane
	mails  lane
	seeks  lane          // in the catalogue
	sought atomic.Uint64 // how many searches there were

	// Owned by Run's goroutine.
	session             kiosk.Session
	busy, online        bool
	endsAt, noticeUntil time.Time // as the session last told
	wakeAt              time.Time
	unkept              []kiosk.Outcome // the ILS has answered, the disk has refused it
	failing             bool            // the ledger's last store failed

	mu     sync.Mutex
	start  time.Time // of the machine, by the clock when the session began
	screen kiosk.Screen
	faults map[string]kiosk.Fault
	news   chan struct{} // closed when screen changes
}

// New makes a desk that Run starts.
func New(c Config) *Desk {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.Deadline, 2500*time.Millisecond)
	def(&c.Retry, 3*time.Second)
	def(&c.Grace, 5*time.Second)
	own := false
	if c.Clock == nil {
		c.Clock, own = kiosk.NewClock(kiosk.ClockConfig{}), true
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.LinkLost == nil {
		c.LinkLost = func() {}
	}
	d := &Desk{
		Config: c, inbox: make(chan kiosk.Event, 64), faults: map[string]kiosk.Fault{},
		session: kiosk.NewSession(c.Rules), news: make(chan struct{}), own: own,
	}
	for _, l := range d.lanes() {
		l.width = 1
	}
	d.asks.width, d.tags.width = max(1, c.Lines), tagsAtOnce
	for _, l := range d.lanes() {
		l.ready = make(chan struct{}, l.width)
	}
	d.screen = d.session.Screen()
	d.screen.Seq, d.screen.Now = 1, c.Clock.Now()
	return d
}

func (d *Desk) lanes() []*lane {
	return []*lane{&d.looks, &d.idents, &d.stores, &d.asks, &d.learns, &d.tags, &d.pins, &d.prints, &d.mails, &d.seeks}
}

// Send gives the desk an event; it waits while the desk is behind.
func (d *Desk) Send(ctx context.Context, ev kiosk.Event) error {
	select {
	case d.inbox <- ev:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run runs the desk until ctx ends; then what is in hand is finished, within
// the grace time. It is called once.
func (d *Desk) Run(ctx context.Context) error {
	newest, err := d.Ledger.Newest(ctx)
	if err != nil {
		return fmt.Errorf("desk: newest entry: %w", err)
	}
	if d.own {
		d.Clock.Begin(newest, newest)
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for _, l := range d.lanes() {
		for range l.width {
			wg.Go(func() { l.run(work, d.inbox) })
		}
	}
	defer wg.Wait()
	defer stop()
	d.loop(ctx)
	return nil
}

func (d *Desk) loop(ctx context.Context) {
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	retry := time.NewTicker(d.Retry)
	defer retry.Stop()
	ended, end := ctx.Done(), make(<-chan time.Time)
	for ended != nil || d.busy {
		wake.Reset(d.untilNext())
		select {
		case ev := <-d.inbox:
			d.step(ev)
		case <-wake.C:
			d.step(kiosk.Tick{})
		case <-retry.C:
			d.storeAgain()
		case <-ended:
			ended, end = nil, time.After(d.Grace)
		case <-end:
			d.Log.Warn("desk: ended with work in hand")
			return
		}
	}
}

// untilNext is how long nothing changes by itself.
func (d *Desk) untilNext() time.Duration {
	next := time.Hour
	for _, t := range []time.Time{d.endsAt, d.noticeUntil, d.wakeAt} {
		if !t.IsZero() {
			next = min(next, t.Sub(d.now()))
		}
	}
	return max(next, 50*time.Millisecond) // a busy session may outlive its end
}

// now is the time for the session. It does not jump while anything waits for
// an end: a clock that is put right must neither end a session nor hold it open.
func (d *Desk) now() time.Time {
	rests := !d.busy && d.endsAt.IsZero() && d.noticeUntil.IsZero() && d.wakeAt.IsZero()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.time(rests)
}

// time is now with mu held; it takes over what the clock says if it may jump.
func (d *Desk) time(may bool) time.Time {
	t, up := d.Clock.Both()
	if may || d.start.IsZero() {
		d.start = t.Add(-up)
	}
	return d.start.Add(up)
}

func (d *Desk) step(ev kiosk.Event) {
	now, handed := d.now(), false
	for queue := []kiosk.Event{ev}; len(queue) > 0; queue = queue[1:] {
		var effects []kiosk.Effect
		d.session, effects = d.session.Step(d.note(queue[0]), now, d.NewID)
		for _, e := range effects {
			if ev := d.do(e); ev != nil { // done already
				queue = append(queue, ev)
			} else {
				handed = true
			}
		}
	}
	if handed {
		runtime.Gosched() // to the lane that has just got work, before the browsers get theirs
	}
	d.publish(now)
}

// note keeps what the desk itself draws from an event, and gives the one that
// is the session's.
func (d *Desk) note(ev kiosk.Event) kiosk.Event {
	switch ev := ev.(type) {
	case kiosk.LinkChanged:
		d.online = ev.Up
	case kiosk.Stored:
		if _, ok := d.Ledger.(prober); !ok { // else it tells when there is room for a loan again: an outcome needs less
			d.stored(nil)
		}
	case kiosk.NotStored:
		d.stored(ev.Err)
	case unkept:
		d.unkept = append(d.unkept, ev.outcome)
		d.stored(ev.Err)
		return ev.NotStored
	case probed:
		d.stored(ev.err)
		return ev.Tick
	case pulse:
		close(ev.felt)
		return ev.Tick
	}
	return ev
}

// stored raises and clears the ledger's fault.
func (d *Desk) stored(err error) {
	if failing := err != nil; failing == d.failing {
		return
	} else if d.failing = failing; !failing {
		d.Mend("ledger")
		return
	}
	d.Log.Error("desk: not stored", "err", err)
	d.Fault(kiosk.Fault{Source: "ledger", Text: err.Error(), Fatal: true})
}

// publish makes the screen public if it has changed.
func (d *Desk) publish(now time.Time) {
	sc := d.session.Screen()
	d.busy, d.endsAt, d.noticeUntil, d.wakeAt = sc.Busy, sc.EndsAt, sc.Notice.Until, sc.WakeAt
	d.mu.Lock()
	defer d.mu.Unlock()
	sc.Faults, sc.Seq, sc.Now = d.screen.Faults, d.screen.Seq, d.screen.Now
	if sc.Same(d.screen) {
		return
	}
	sc.Seq, sc.Now = sc.Seq+1, now
	if d.Seen != nil {
		d.Seen(sc)
	}
	d.set(sc)
}

// set is called with mu held.
func (d *Desk) set(sc kiosk.Screen) {
	d.screen = sc
	close(d.news)
	d.news = make(chan struct{})
}

func (d *Desk) faultList() []kiosk.Fault {
	var list []kiosk.Fault
	for _, f := range d.faults {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b kiosk.Fault) int { return strings.Compare(a.Source, b.Source) })
	return list
}

// Screen is what the screen shows now.
func (d *Desk) Screen() kiosk.Screen {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.screen
}

// Next waits for a screen newer than seq.
func (d *Desk) Next(ctx context.Context, seq uint64) (kiosk.Screen, error) {
	for {
		d.mu.Lock()
		sc, news := d.screen, d.news
		d.mu.Unlock()
		if sc.Seq > seq {
			return sc, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return kiosk.Screen{}, ctx.Err()
		}
	}
}

// Fault shows that something is broken until Mend is called for its source.
func (d *Desk) Fault(f kiosk.Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, ok := d.faults[f.Source]; ok {
		f.Since = old.Since
	} else if f.Since.IsZero() {
		f.Since = d.time(false)
	}
	d.faults[f.Source] = f
	d.faultsChanged()
}

// Again has everybody show the screen once more: what stands beside it has
// changed.
func (d *Desk) Again() {
	d.mu.Lock()
	defer d.mu.Unlock()
	sc := d.screen
	sc.Seq, sc.Now = sc.Seq+1, d.time(false)
	d.set(sc)
}

// Mend takes a fault away.
func (d *Desk) Mend(source string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.faults, source)
	d.faultsChanged()
}

func (d *Desk) faultsChanged() {
	sc := d.screen
	sc.Faults = d.faultList()
	if slices.Equal(sc.Faults, d.screen.Faults) {
		return
	}
	sc.Seq, sc.Now = sc.Seq+1, d.time(false)
	d.set(sc)
}
