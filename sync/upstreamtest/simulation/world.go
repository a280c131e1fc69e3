package simulation

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

const (
	days     = 14            // a loan lasts so long, by the ILS and by the kiosks
	patience = 6 * time.Hour // the longest that outboxes may take to be empty afterwards
)

// Result is what came of one run.
type Result struct {
	Seed     uint64
	Failures []string // what must not be; none is good
	Tally    Tally
	Sum      string  // of the trace: equal if two runs were
	Outage   *Outage // of an outage day
	trace    *trace
}

// Trace writes everything that happened, one line each.
func (r Result) Trace(w io.Writer) error { return r.trace.write(w) }

// Run is one run of some bad hour. It must not be called from within a bubble.
func Run(t *testing.T, seed uint64) Result { return inBubble(t, seed, hour) }

func inBubble(t *testing.T, seed uint64, plan func(lot) plan) Result {
	t.Helper()
	var r Result
	defer func() {
		if p := recover(); p != nil {
			panic(fmt.Sprintf("seed %d: %v", seed, p))
		}
	}()
	synctest.Test(t, func(*testing.T) { r = run(seed, plan) })
	return r
}

func run(seed uint64, plan func(lot) plan) Result {
	w := newWorld(seed, plan)
	w.live()
	w.judge()
	w.log.sort()
	r := Result{Seed: seed, Failures: w.failures, Tally: w.tally, Sum: w.log.sum(), trace: w.log}
	if w.plan.outage > 0 {
		r.Outage = w.figures()
	}
	return r
}

// plan is how large a library is, and what befalls it.
type plan struct {
	kiosks             int
	people, books, out int           // out: books on loan at the beginning
	tagged             float64       // share of books with a tag
	open               time.Duration // people come so long
	visits, staff      span          // pauses between one and the next
	weather            weather
	outage             time.Duration // of all kiosks' lines at once, soon after the beginning; 0: none
}

type span struct{ from, to time.Duration }

// hour is a small library in which everything happens to the same few books.
func hour(l lot) plan {
	return plan{
		people: 5, books: 14, out: 5, tagged: 0.6, open: 45 * time.Minute,
		visits: span{time.Second, 90 * time.Second}, staff: span{20 * time.Second, 4 * time.Minute},
		weather: weather{
			mishaps: oneOf(l, 0, 0.02, 0.1, 0.25), slow: oneOf(l, 0, 0.05, 0.2), stalls: oneOf(l, 0, 0.01, 0.05),
			crashes: oneOf(l, 0, 0.004, 0.015), pads: oneOf(l, 0, 0.05, 0.2), clocks: oneOf(l, 0, 0.5), trouble: oneOf(l, time.Hour, 12*time.Minute, 5*time.Minute),
		},
		kiosks: 1 + l.IntN(3),
	}
}

// world is a library.
type world struct {
	plan     plan
	seed     uint64
	log      *trace
	profile  string // of the ILS, as the kiosks know it
	ils      *upstreamtest.ILS
	probed   *sip2.Profile // what they found out of it
	cancels  bool          // it takes loans back
	stations []*station
	peace    atomic.Bool

	mu       sync.Mutex
	books    []*book
	chips    map[kiosk.TagID]*chip // the map never changes
	loans    []kiosk.Loan          // at the beginning
	people   []*person
	effects  []effect                     // the ILS's history
	dark     struct{ from, to time.Time } // the outage
	tally    Tally
	failures []string
}

// weather is how bad things are in one run: shares of 1.
type weather struct {
	mishaps float64 // of questions
	slow    float64 // of messages
	stalls  float64 // of writes
	crashes float64 // of writes
	pads    float64 // of tags that are written: it does not answer
	clocks  float64 // of starts
	trouble time.Duration
}

// effect is one of the ILS's, and by whose doing.
type effect struct {
	upstreamtest.Effect
	telling
	by     string // a station's name, or staff
	at     time.Time
	looked time.Time // when that kiosk had last looked at the item
}

// place is where a book is.
type place int

const (
	shelf place = iota
	patron
	limbo // nobody was told what became of it: it is lent to book.who, or not at all
)

func (p place) String() string {
	return [...]string{"here", "with", "in limbo, perhaps with"}[p]
}

// book is a copy and where it truly is.
type book struct {
	kiosk.Barcode
	chip  *chip // nil: it has none
	place place
	who   kiosk.Card // has it; in limbo, may have it
	busy  bool       // in somebody's hand
	rests time.Time  // until then it lies where it was left: the kiosk may still be at it
}

type person struct {
	kiosk.Card
	busy bool
}

func newWorld(seed uint64, plan func(lot) plan) *world {
	w := &world{seed: seed, tally: Tally{}, chips: map[kiosk.TagID]*chip{}}
	l := w.lot("world")
	time.Sleep(l.between(0, 24*time.Hour))
	w.log = &trace{start: time.Now()}
	w.plan = plan(l)
	rules := upstreamtest.Rules{Days: days, Location: time.UTC}
	if l.chance(0.2) {
		rules.IgnoreNoBlock, w.profile = true, "evergreen"
		w.count("no-block ignored")
	}
	if w.cancels = l.chance(0.5); w.cancels {
		w.probed = &sip2.Profile{Name: "probed", Address: ilsAddress, Cancel: sip2.Honoured}
		if rules.IgnoreNoBlock {
			w.profile, w.probed.NoBlock, w.probed.Due = "", sip2.Ignored, sip2.DueIgnored
		}
		w.count("cancels honoured")
	} else {
		w.count("cancels ignored")
	}
	w.ils = upstreamtest.New(rules)
	w.ils.AddUser("kiosk", "secret")
	for range w.plan.kiosks {
		w.stations = append(w.stations, w.newStation(fmt.Sprintf("k%d", len(w.stations)+1)))
	}
	w.stock(l)
	w.note("world", "seed %d, %d kiosks, %s %+v", seed, len(w.stations), w.profile, w.plan)
	return w
}

// stock fills the library: some books are out, some are overdue.
func (w *world) stock(l lot) {
	var items []kiosk.Item
	var patrons []kiosk.Patron
	for n := range w.plan.people {
		p := kiosktest.Patron(n)
		p.Expires = time.Time{}
		patrons = append(patrons, p)
		w.people = append(w.people, &person{Card: p.Card})
		w.ils.AddPatron(p, "")
	}
	for n := range w.plan.books {
		it := kiosktest.Item(n)
		items = append(items, it)
		w.ils.AddItems(it)
		b := &book{Barcode: it.Barcode}
		if w.books = append(w.books, b); n < w.plan.out {
			now := time.Now().UTC()
			lent := now.AddDate(0, 0, -3-l.IntN(15))
			y, m, d := lent.Date()
			loan := kiosk.Loan{Item: b.Barcode, Patron: oneOf(l, w.people...).Card, At: lent.Truncate(time.Second),
				Due: time.Date(y, m, d+days, 23, 59, 0, 0, time.UTC)}
			b.place, b.who = patron, loan.Patron
			if err := w.ils.AddLoan(loan); err != nil {
				panic(err) // ours
			}
			w.loans = append(w.loans, loan)
		}
	}
	for n, b := range w.books {
		if l.chance(w.plan.tagged) {
			w.tag(b, n)
		}
	}
	for _, s := range w.stations {
		ctx, m := context.Background(), &s.disk.mem
		_, e1 := m.PutItems(ctx, items)
		_, e2 := m.PutPatrons(ctx, patrons)
		_, e3 := m.PutLoans(ctx, w.loans)
		for _, err := range []error{e1, e2, e3} {
			if err != nil {
				panic(err) // nothing can fail in memory
			}
		}
	}
}

// live lets everything happen, and then waits for peace to settle it.
func (w *world) live() {
	ctx, cancel := context.WithCancel(context.Background())
	var machines, busy sync.WaitGroup
	machines.Go(func() { w.runILS(ctx) })
	for _, s := range w.stations {
		machines.Go(func() { s.run(ctx) })
		busy.Go(s.visits)
		busy.Go(s.troubles)
		busy.Go(s.jumps)
	}
	busy.Go(w.clerk)
	busy.Go(w.blackout)
	busy.Wait()
	w.note("world", "peace")
	w.peace.Store(true)
	l := w.lot("peace")
	time.Sleep(l.between(3*time.Minute, 4*time.Minute)) // who is still at a desk, leaves
	for end := time.Now().Add(patience); !w.settled() && time.Now().Before(end); {
		time.Sleep(l.between(10*time.Second, 20*time.Second))
	}
	w.note("world", "the end")
	cancel()
	machines.Wait()
}

// settled tells whether no outbox holds anything that can still be told.
func (w *world) settled() bool {
	return !slices.ContainsFunc(w.stations, func(s *station) bool {
		q, err := s.disk.mem.Queue(context.Background(), 1)
		return err != nil || len(q) > 0 || s.at.Load() == nil
	})
}

func (w *world) note(actor, format string, args ...any) { w.log.note(actor, format, args...) }

func (w *world) count(what string) {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	w.tally[what]++
}

// fail says what must not be.
func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.note("judge", "%s", text)
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	w.failures = append(w.failures, fmt.Sprintf("seed %d: %s", w.seed, text))
}

// rest waits as an actor does between two deeds; false when it is time to go.
func (w *world) rest(l lot, from, to time.Duration) bool {
	left := time.Until(w.log.start.Add(w.plan.open))
	d := l.between(from, to)
	time.Sleep(min(d, left+l.hardly()))
	return d < left
}
