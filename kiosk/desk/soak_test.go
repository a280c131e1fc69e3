package desk_test

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// stacksOf is how many stacks a library sees before its books are counted.
const stacksOf = 50

// TestSoak has people borrow and return stacks of tagged books at a kiosk
// whose tags flicker, collide and tear, whose pad is pulled out, whose link is
// cut, and which is killed between any two steps. In the end, when what is on
// the work list has been put on the pad once more, every book is released
// exactly if it is on loan, and the ILS agrees. CARREL_SOAK is the number of
// stacks, 200 without it.
func TestSoak(t *testing.T) {
	stacks := 200
	if s := os.Getenv("CARREL_SOAK"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		stacks = n
	}
	var before, after runtime.MemStats
	goroutines := 0
	sum := tally{}
	for seed := range (stacks + stacksOf - 1) / stacksOf {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, uint64(seed))
			for range stacksOf {
				w.stack()
			}
			w.count()
			sum.add(w.tally)
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if seed == 0 {
			before, goroutines = after, runtime.NumGoroutine()
		}
	}
	t.Logf("%d stacks: %+v", stacks, sum)
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines after the first library, %d at the end", goroutines, n)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap grew by %d kB", grown>>10)
	}
}

// tally counts what happened, so that a soak in which nothing does shows.
type tally struct{ lent, returned, putBack, killed, unplugged, cut, mended, scanned, parted, undone int }

func (t *tally) add(o tally) {
	t.lent, t.returned, t.putBack, t.killed = t.lent+o.lent, t.returned+o.returned, t.putBack+o.putBack, t.killed+o.killed
	t.unplugged, t.cut, t.mended = t.unplugged+o.unplugged, t.cut+o.cut, t.mended+o.mended
	t.scanned, t.parted, t.undone = t.scanned+o.scanned, t.parted+o.parted, t.undone+o.undone
}

// world is a library with one kiosk: its books, its ILS, its disk.
type world struct {
	*testing.T
	r      *rand.Rand
	field  *field.Field
	ledger *kiosktest.Memory
	tags   map[kiosk.Barcode][]*field.Tag
	items  []kiosk.Barcode
	of     map[drivers.UID]kiosk.Barcode
	pulled atomic.Bool // the pad is unplugged
	down   atomic.Bool // the link is cut
	undoes bool        // the ILS takes loans back
	tally

	mu   sync.Mutex
	loan map[kiosk.Barcode]kiosk.Card // in the ILS
	laid map[kiosk.Barcode]kiosk.Card // who put an item on the pad of late
	rmu  sync.Mutex
	m    *machine
	ids  atomic.Int64
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{T: t, r: rand.New(rand.NewPCG(seed, 3)), field: field.New(seed), ledger: &kiosktest.Memory{},
		tags: map[kiosk.Barcode][]*field.Tag{}, of: map[drivers.UID]kiosk.Barcode{},
		loan: map[kiosk.Barcode]kiosk.Card{}, laid: map[kiosk.Barcode]kiosk.Card{}}
	w.field.Wait, w.undoes = time.Sleep, seed%2 == 1
	var mirror []kiosk.Item
	for n := range 12 {
		b := kiosktest.Barcode(n)
		w.items = append(w.items, b)
		mirror = append(mirror, kiosktest.Item(n))
		parts := 1 + n/10 // the last two are sets of two
		for part := 1; part <= parts; part++ {
			tag := field.NewTag(drivertest.NewUID(n*4+part), 28, 4)
			data, err := tagdata.Encode(tagdata.Contents{Item: string(b), Usage: tagdata.Circulating, Part: part, Parts: parts}, tagdata.ISO3, 112, 4)
			must(t, err)
			tag.Memory, tag.AFI, tag.EAS = data, tagdata.AFIInStock, true
			w.tags[b], w.of[tag.UID] = append(w.tags[b], tag), b
		}
	}
	_, err := w.ledger.PutItems(t.Context(), mirror)
	must(t, err)
	var patrons []kiosk.Patron
	for n := range 3 {
		patrons = append(patrons, kiosk.Patron{Card: kiosktest.Card(n), FirstName: "Ada"})
	}
	_, err = w.ledger.PutPatrons(t.Context(), patrons)
	must(t, err)
	w.boot()
	return w
}

func (w *world) chance(p float64) bool {
	w.rmu.Lock()
	defer w.rmu.Unlock()
	return w.r.Float64() < p
}

func (w *world) n(n int) int {
	w.rmu.Lock()
	defer w.rmu.Unlock()
	return w.r.IntN(n)
}

func (w *world) perm(n int) []int {
	w.rmu.Lock()
	defer w.rmu.Unlock()
	return w.r.Perm(n)
}

// wasLaid: nothing is lent that was not put down by whoever it is lent to.
func (w *world) wasLaid(e kiosk.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.laid[e.Item] != e.Patron {
		w.Errorf("%s is lent to %s; it was put down by %q", e.Item, e.Patron, w.laid[e.Item])
	}
}

// The ILS: it answers after a while, refuses what it must, and knows who has
// what.

// out tells whether the ledger has an item on loan.
func (w *world) out(b kiosk.Barcode) bool {
	_, err := w.ledger.Loan(w.Context(), b)
	return err == nil
}

// until waits for a screen, not for ever.
func (w *world) until(d time.Duration, fits func(kiosk.Screen) bool) {
	for end := time.Now().Add(d); time.Now().Before(end) && !w.m.dead.Load() && !fits(w.m.desk.Screen()); {
		time.Sleep(50 * time.Millisecond)
	}
}

func (w *world) send(ev kiosk.Event) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if !w.m.dead.Load() {
		w.m.desk.Send(ctx, ev)
	}
}

// lay puts an item down, at a place that may be a bad one.
func (w *world) lay(b kiosk.Barcode, who kiosk.Card) {
	w.mu.Lock()
	w.laid[b] = who
	w.mu.Unlock()
	c := field.Coupling{}
	if w.chance(0.4) {
		c = field.Coupling{Miss: 0.3, Damage: 0.1, Tear: 0.15}
	}
	for _, t := range w.tags[b] {
		w.field.Place(t, c)
	}
}

func (w *world) lift(b kiosk.Barcode) {
	for _, t := range w.tags[b] {
		w.field.Remove(t.UID)
	}
}

// stack is one visit: somebody puts a stack down, fiddles with it, finishes
// and takes it away.
func (w *world) stack() {
	card, borrow := kiosktest.Card(w.n(3)), w.chance(0.55)
	if borrow {
		w.send(kiosk.CardRead{Card: card})
	} else {
		w.send(kiosk.StartReturn{})
		card = ""
	}
	w.until(10*time.Second, func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewItems })
	var mine []kiosk.Barcode
	for _, i := range w.perm(len(w.items)) {
		if b := w.items[i]; len(mine) < 1+i%6 && (w.out(b) != borrow || w.chance(0.05)) {
			mine = append(mine, b)
			w.lay(b, card)
			time.Sleep(time.Duration(w.n(400)) * time.Millisecond)
		}
	}
	for range w.n(4) {
		w.fiddle(mine, card)
	}
	if w.chance(0.2) { // away at once, without a look at the screen
		for _, b := range mine {
			w.lift(b)
		}
	}
	w.until(20*time.Second, func(sc kiosk.Screen) bool { return sc.Tray.Settled && len(sc.Lines) >= len(mine) })
	w.notice()
	if w.chance(0.8) {
		w.send(kiosk.Finish{})
		w.send(kiosk.Finish{})
	}
	for _, b := range mine {
		w.lift(b)
		time.Sleep(time.Duration(w.n(200)) * time.Millisecond)
	}
	if w.m.dead.Load() || w.chance(0.02) {
		w.bury()
	}
	w.until(2*time.Minute, func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewWelcome && len(sc.Lines) == 0 })
	if w.m.dead.Load() {
		w.bury()
	}
	time.Sleep(3 * time.Second)
}

// notice counts what the screen shows in the end.
func (w *world) notice() {
	for _, l := range w.m.desk.Screen().Lines {
		switch {
		case l.State == kiosk.LineLent:
			w.lent++
		case l.State == kiosk.LineReturned:
			w.returned++
		case l.Reason == kiosk.ReasonPutBack:
			w.putBack++
		}
	}
}

// fiddle is something that happens while a stack lies on the pad.
func (w *world) fiddle(mine []kiosk.Barcode, card kiosk.Card) {
	time.Sleep(time.Duration(w.n(800)) * time.Millisecond)
	switch w.n(7) {
	case 0, 1, 2:
		if len(mine) > 0 {
			b := mine[w.n(len(mine))]
			w.lift(b)
			time.Sleep(time.Duration(w.n(2500)) * time.Millisecond)
			w.lay(b, card)
		}
	case 3:
		w.pulled.Store(true)
		time.Sleep(time.Duration(w.n(1000)) * time.Millisecond)
		w.pulled.Store(false)
		w.unplugged++
	case 4:
		w.down.Store(!w.down.Load())
		w.cut++
	case 5:
		if len(mine) > 0 { // the scanner, over a book that lies there, or half a set is taken away
			b := mine[w.n(len(mine))]
			if known := len(w.known(b)) > 0; known || !slices.ContainsFunc(w.tags[b], func(t *field.Tag) bool { return !w.m.knows(t.UID) }) {
				w.send(kiosk.ItemPlaced{Item: b})
				w.scanned++
			}
			if tags := w.tags[b]; len(tags) > 1 {
				w.field.Remove(tags[1].UID)
				w.parted++
			}
		}
	}
}

// excepted tells whether staff has something to settle about an item: there the
// ILS and the ledger may differ until it does.
func (w *world) excepted(b kiosk.Barcode) bool {
	return slices.ContainsFunc(w.ledger.Entries(), func(e kiosk.Entry) bool { return e.Item == b && e.State == kiosk.Exception })
}

// known are the tags of an item that the ledger knows.
func (w *world) known(b kiosk.Barcode) []kiosk.TagID {
	tags, err := w.ledger.Tags(w.Context(), b)
	must(w.T, err)
	return tags
}

// count is the end: the link is there, what is on the work list is put on the
// pad, and every book is looked at.
func (w *world) count() {
	w.down.Store(false)
	w.pulled.Store(false)
	told := func(kiosk.Screen) bool { q, err := w.ledger.Queue(w.Context(), 1); return err == nil && len(q) == 0 }
	for range 10 {
		if w.m.dead.Load() {
			w.bury()
		}
		w.until(10*time.Minute, told)
	}
	for try := 0; try < 5; try++ {
		work, err := w.ledger.WorkList(w.Context(), 100)
		must(w.T, err)
		w.mended += len(work)
		for _, k := range work {
			for _, t := range w.tags[k.Item] {
				w.field.Place(t, field.Coupling{})
			}
			time.Sleep(5 * time.Second)
			w.lift(k.Item)
			time.Sleep(5 * time.Second)
		}
		w.until(2*time.Minute, func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewWelcome && len(sc.Lines) == 0 })
		if w.m.dead.Load() {
			w.bury()
		}
	}
	if work, _ := w.ledger.WorkList(w.Context(), 100); len(work) > 0 {
		w.Errorf("the work list still has %+v", work)
	}
	for _, b := range w.items {
		l, err := w.ledger.Loan(w.Context(), b)
		if who := w.loan[b]; who != l.Patron && !w.excepted(b) {
			w.Errorf("%s: the ILS says %q, the ledger %q", b, who, l.Patron)
		}
		for _, t := range w.tags[b] {
			if released := t.AFI == tagdata.AFIOnLoan; released != (err == nil) || t.EAS == released {
				w.Errorf("%s is lent: %v; its tag has AFI %02X, EAS %v", b, err == nil, t.AFI, t.EAS)
			}
		}
	}
	if w.Failed() {
		for _, e := range w.ledger.Entries() {
			if slices.Contains(w.items, e.Item) {
				w.Logf("%s %s %s %s %s %s", e.At.Format(time.TimeOnly), e.ID, e.Kind, e.Item, e.Patron, e.State)
			}
		}
	}
	w.m.cancel()
	close(w.m.buried)
	w.m.wg.Wait()
}
