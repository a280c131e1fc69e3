package simulation

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// runILS has the ILS run, and end and start again, until ctx ends. What it
// knows, it keeps.
func (w *world) runILS(ctx context.Context) {
	l := w.lot("ils")
	for ctx.Err() == nil {
		up := l.between(w.plan.weather.trouble, 8*w.plan.weather.trouble)
		if w.peace.Load() {
			up = 24 * time.Hour
		}
		life, end := context.WithTimeout(ctx, up)
		w.note("ils", "starts")
		w.serve(life)
		end()
		if ctx.Err() == nil {
			w.count("ILS restart")
			w.note("ils", "ends")
			_ = pause(ctx, l.between(time.Second, 2*time.Minute))
		}
	}
}

// serve is one life of the ILS.
func (w *world) serve(ctx context.Context) {
	var wg sync.WaitGroup
	for _, s := range w.stations {
		ln := newListener()
		s.net.serve(ln)
		wg.Go(func() {
			_ = sip2.Serve(ctx, ln, &counter{w.ils, s}, sip2.ServerConfig{Institution: "MAIN", Zone: time.UTC,
				NoCancel: !w.cancels, Log: slog.New(slog.DiscardHandler), Record: func(in bool, text string) {
					if in {
						s.looks(text)
					}
				}})
		})
	}
	<-ctx.Done()
	for _, s := range w.stations {
		s.net.hangUp()
	}
	wg.Wait()
}

// counter is the ILS as a kiosk's connections see it. It knows which entry is
// told, and writes down what came of it.
type counter struct {
	*upstreamtest.ILS
	s *station
}

// Do is sip2.Backend's.
func (c *counter) Do(e kiosk.Entry, noBlock bool) (kiosk.Answer, error) {
	return c.s.carryOut(c.s.name, c.s.net.hears(tells(e)), e, func() (kiosk.Answer, error) { return c.ILS.Do(e, noBlock) })
}

// Cancel is sip2.Canceller's.
func (c *counter) Cancel(e kiosk.Entry) (kiosk.Answer, error) {
	return c.s.carryOut(c.s.name, c.s.net.hears(tells(e)+undoing), e, func() (kiosk.Answer, error) { return c.ILS.Cancel(e) })
}

// looks notes that a kiosk has looked at an item.
func (s *station) looks(question string) {
	if b, ok := strings.CutPrefix(wordsOf([]byte(question)), "17 "); ok {
		s.world.mu.Lock()
		defer s.world.mu.Unlock()
		s.looked[kiosk.Barcode(b)] = time.Now()
	}
}

// carryOut tells the ILS something, and writes down what came of it.
func (w *world) carryOut(by string, told telling, e kiosk.Entry, do func() (kiosk.Answer, error)) (kiosk.Answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := do()
	h := w.ils.History()
	f := effect{Effect: h[len(h)-1], by: by, telling: told, at: time.Now()}
	for _, s := range w.stations {
		if s.name == by {
			f.looked = s.looked[e.Item]
		}
	}
	w.effects = append(w.effects, f)
	w.count("ILS effect")
	w.note("ils", "%s %s told by %s %s: %s for %s until %s %s", e.Kind, e.Item, by, told.entry, f.Did, f.Patron, stamp(f.Due), f.Text)
	return a, err
}

// clerk works at the ILS itself.
func (w *world) clerk() {
	l := w.lot("staff")
	for w.rest(l, w.plan.staff.from, w.plan.staff.to) {
		b, p := w.pick(l), oneOf(l, w.people...)
		w.liftOff(b)
		switch what := l.IntN(10); {
		case what < 5 && b != nil:
			w.atDesk(l, b, p)
		case what == 5:
			b := oneOf(l, w.books...)
			w.count("staff holds")
			w.note("staff", "%s waits for %s: %v", p.Card, b.Barcode, w.ils.AddHold(b.Barcode, p.Card))
		case what == 6:
			w.count("staff bars")
			owes := oneOf(l, int64(0), 0, 5000)
			w.note("staff", "%s owes %d: %v", p.Card, owes, w.ils.SetOwed(p.Card, owes))
		case what == 7:
			w.count("staff withdraws")
			it, _, _, _ := w.ils.Item(oneOf(l, w.books...).Barcode)
			it.Status = oneOf(l, kiosk.StatusAvailable, kiosk.StatusAvailable, kiosk.StatusWithdrawn)
			w.ils.AddItems(it)
			w.note("staff", "%s is %s", it.Barcode, it.Status)
		}
		w.letGo(b)
	}
}

// atDesk takes a book back, or lends one that is here. What comes to the desk
// is returned before it is lent again.
func (w *world) atDesk(l lot, b *book, p *person) {
	_, st, _, _ := w.ils.Item(b.Barcode)
	if b.place != shelf || st.Status == kiosk.StatusOnLoan {
		w.count("staff takes back")
		_, err := w.byStaff(kiosk.Entry{Kind: kiosk.Checkin, Item: b.Barcode, At: time.Now()})
		w.atGate(b, kiosk.Secured)
		w.note("staff", "takes %s back: %v", b.Barcode, err)
		w.put(b, shelf, "")
		return
	}
	time.Sleep(l.between(time.Second, 10*time.Second))
	w.count("staff lends")
	_, err := w.byStaff(kiosk.Entry{Kind: kiosk.Checkout, Item: b.Barcode, Patron: p.Card, At: time.Now()})
	w.note("staff", "lends %s to %s: %v", b.Barcode, p.Card, err)
	if err == nil {
		w.atGate(b, kiosk.Released)
		w.put(b, patron, p.Card)
	}
}

// byStaff is carryOut for what the library's own desk does.
func (w *world) byStaff(e kiosk.Entry) (kiosk.Answer, error) {
	return w.carryOut("staff", telling{}, e, func() (kiosk.Answer, error) { return w.ils.Do(e, false) })
}

// pick takes a book that is in nobody's hand; nil if there is none.
func (w *world) pick(l lot, where ...place) *book {
	w.mu.Lock()
	defer w.mu.Unlock()
	var free []*book
	for _, b := range w.books {
		fits := len(where) == 0
		for _, p := range where {
			fits = fits || b.place == p
		}
		if fits && !b.busy && time.Now().After(b.rests) {
			free = append(free, b)
		}
	}
	if len(free) == 0 {
		return nil
	}
	b := oneOf(l, free...)
	b.busy = true
	return b
}

func (w *world) letGo(b *book) {
	if b != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		b.busy = false
	}
}

// put says where a book is from now on.
func (w *world) put(b *book, where place, who kiosk.Card) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if where == limbo {
		w.count("in limbo")
		b.rests = time.Now().Add(2 * time.Minute)
	}
	b.place, b.who = where, who
	w.note("books", "%s is %s %s", b.Barcode, where, who)
}
