package desk_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/outbox"
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

// machine is the kiosk between two deaths.
type machine struct {
	*world
	desk   *desk.Desk
	cancel context.CancelFunc
	dead   atomic.Bool
	buried chan struct{}
	wg     sync.WaitGroup
	told   map[kiosk.TagID]time.Time // of what lies on the pad; when
}

var errDead = errors.New("the kiosk is dead")

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

// boot starts the kiosk on what is on disk.
func (w *world) boot() {
	_, err := w.ledger.Interrupted(w.Context(), time.Now())
	must(w.T, err)
	m := &machine{world: w, buried: make(chan struct{}), told: map[kiosk.TagID]time.Time{}}
	w.m = m
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	in, err := intake.New(intake.Config{Item: []string{"[0-9]+"}})
	must(w.T, err)
	iso, _ := tagdata.SecurityByName("iso")
	pad := intake.NewPad(intake.PadConfig{Intake: in, AFI: iso, EAS: true, Emit: func(ev kiosk.Event) {
		if m.step(ctx) == nil && m.desk.Send(ctx, ev) == nil {
			m.hear(ev)
		}
	}})
	up := &undoing{kiosktest.Upstream{OnIdentify: m.identify, OnTell: m.tell, OnLook: m.look, OnProbe: func(context.Context) error { return m.reach() }}, m}
	log := slog.New(slog.DiscardHandler)
	m.desk = desk.New(desk.Config{Ledger: &mortal{w.ledger, m}, Mirror: w.ledger, Upstream: up, Securer: pad, Gates: true, Pad: func() bool { return !w.pulled.Load() }, Lines: 4, Grace: time.Millisecond,
		NewID: func() kiosk.ID { return kiosk.ID(fmt.Sprintf("id%08d", w.ids.Add(1))) }, Log: log, Rules: kiosk.Rules{Location: time.UTC}})
	worker := outbox.New(&mortal{w.ledger, m}, up, outbox.Config{Grace: time.Second, Others: -1, Link: func(up bool) { m.desk.Send(ctx, kiosk.LinkChanged{Up: up}) }})
	run := func(f func(context.Context) error) { m.wg.Go(func() { f(ctx) }) }
	run(m.desk.Run)
	run(worker.Run)
	run(func(ctx context.Context) error {
		drivers.Keep(ctx, func(context.Context) (drivers.Pad, error) {
			if w.pulled.Load() {
				return nil, drivers.ErrGone
			}
			return &mortalPad{*field.NewReader(w.field), m}, nil
		}, func(ctx context.Context, p drivers.Pad) error { return pad.Run(ctx, p) }, func(drivers.State) {})
		return nil
	})
	m.wg.Go(func() { m.watch(ctx) })
	time.Sleep(2 * time.Second)
}

// bury ends a dead kiosk, or kills a living one, and starts it again.
func (w *world) bury() {
	w.killed++
	w.m.dead.Store(true)
	w.m.cancel()
	close(w.m.buried)
	w.m.wg.Wait()
	w.boot()
}

// step is a place where the kiosk may be killed: nothing of it goes on from
// there.
func (m *machine) step(ctx context.Context) error {
	if m.chance(0.001) {
		m.dead.Store(true)
	}
	if m.dead.Load() {
		<-m.buried
		return errDead
	}
	return nil
}

// hear notes of which tags the desk has been told.
func (m *machine) hear(ev kiosk.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch ev := ev.(type) {
	case kiosk.TagPlaced:
		m.told[ev.Tag] = time.Now()
	case kiosk.TagRemoved:
		delete(m.told, ev.Tag)
	}
}

// knows tells whether the desk has been told of a tag, and has had the time to
// listen. What nobody has read yet can't be secured: a book may be returned by
// its barcode.
func (m *machine) knows(uid drivers.UID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.told[kiosk.TagID(uid.String())]
	return ok && time.Since(at) > 0
}

// watch looks at every screen: what it calls returned is secured.
func (m *machine) watch(ctx context.Context) {
	for seq := uint64(0); ; {
		sc, err := m.desk.Next(ctx, seq)
		if err != nil || m.dead.Load() {
			return
		}
		seq = sc.Seq
		for _, l := range sc.Lines {
			if l.State == kiosk.LineReturned {
				for _, t := range m.tags[l.Item] {
					if now, here := m.field.Tag(t.UID); here && m.knows(t.UID) && (now.AFI != tagdata.AFIInStock || !now.EAS) {
						m.Errorf("%s is shown as returned, its tag has AFI %02X, EAS %v", l.Item, now.AFI, now.EAS)
					}
				}
			}
		}
	}
}

// mortal is the ledger of a kiosk that may be killed before and after each
// write.
type mortal struct {
	*kiosktest.Memory
	m *machine
}

func (l *mortal) alive(ctx context.Context, do func() error) error {
	if err := l.m.step(ctx); err != nil {
		return err
	}
	err := do()
	return errors.Join(err, l.m.step(ctx))
}

func (l *mortal) Record(ctx context.Context, e kiosk.Entry) error {
	return l.alive(ctx, func() error {
		if e.Kind == kiosk.Checkout {
			l.m.wasLaid(e)
		}
		return l.Memory.Record(ctx, e)
	})
}

func (l *mortal) Conclude(ctx context.Context, o kiosk.Outcome) error {
	return l.alive(ctx, func() error { return l.Memory.Conclude(ctx, o) })
}

func (l *mortal) Attach(ctx context.Context, id kiosk.ID, tag kiosk.TagID, at time.Time) error {
	return l.alive(ctx, func() error { return l.Memory.Attach(ctx, id, tag, at) })
}

func (l *mortal) Done(ctx context.Context, k kiosk.Work, at time.Time) error {
	return l.alive(ctx, func() error { return l.Memory.Done(ctx, k, at) })
}

// wasLaid: nothing is lent that was not put down by whoever it is lent to.
func (w *world) wasLaid(e kiosk.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.laid[e.Item] != e.Patron {
		w.Errorf("%s is lent to %s; it was put down by %q", e.Item, e.Patron, w.laid[e.Item])
	}
}

// mortalPad is the pad of a kiosk that may be killed, or pulled out, before
// and after each write. It sees to it that nothing is released without a loan.
type mortalPad struct {
	field.Reader
	m *machine
}

func (p *mortalPad) Inventory() ([]drivers.Tag, error) {
	if p.m.pulled.Load() || p.m.dead.Load() {
		return nil, drivers.ErrGone
	}
	return p.Reader.Inventory()
}

func (p *mortalPad) write(uid drivers.UID, release bool, do func() error) error {
	ctx := context.Background()
	if err := p.m.step(ctx); err != nil {
		return err
	}
	if item := p.m.of[uid]; release {
		if _, err := p.m.ledger.Loan(ctx, item); err != nil {
			p.m.Errorf("%s is released without a loan: %v", item, err)
		}
	}
	err := do()
	return errors.Join(err, p.m.step(ctx))
}

func (p *mortalPad) WriteAFI(uid drivers.UID, afi byte) error {
	return p.write(uid, afi == tagdata.AFIOnLoan, func() error { return p.Reader.WriteAFI(uid, afi) })
}

func (p *mortalPad) WriteEAS(uid drivers.UID, on bool) error {
	return p.write(uid, !on, func() error { return p.Reader.WriteEAS(uid, on) })
}

// The ILS: it answers after a while, refuses what it must, and knows who has
// what.

func (m *machine) reach() error {
	time.Sleep(time.Duration(m.n(50)) * time.Millisecond)
	if m.down.Load() || m.dead.Load() {
		return kiosktest.Offline()
	}
	return nil
}

func (m *machine) identify(_ context.Context, c kiosk.Card, _ string) (kiosk.Patron, error) {
	return kiosk.Patron{Card: c, FirstName: "Ada"}, m.reach()
}

func (m *machine) look(_ context.Context, b kiosk.Barcode, c kiosk.Card) (kiosk.Standing, error) {
	if err := m.reach(); err != nil {
		return kiosk.Standing{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := kiosk.Standing{Known: true, Status: kiosk.StatusAvailable, Mine: kiosk.No, Holds: -1}
	if who, out := m.loan[b]; out {
		s.Status = kiosk.StatusOnLoan
		if who == c {
			s.Mine = kiosk.Yes
		}
	}
	return s, nil
}

func (m *machine) tell(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
	if err := m.reach(); err != nil {
		return kiosk.Answer{}, err
	}
	a, err := m.carryOut(e)
	if m.chance(0.005) { // the ILS has it, the kiosk will never know
		m.dead.Store(true)
	}
	if m.chance(0.02) || m.down.Load() || m.dead.Load() { // the answer is lost
		<-ctx.Done()
		return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeUnsure}
	}
	return a, err
}

// undoing is the ILS of every second library, which takes loans back.
type undoing struct {
	kiosktest.Upstream
	m *machine
}

func (u *undoing) Undoes() bool { return u.m.undoes }

func (u *undoing) Undo(ctx context.Context, e kiosk.Entry) error {
	if err := u.m.step(ctx); err != nil {
		return err
	}
	if err := u.m.reach(); err != nil {
		return err
	}
	u.m.mu.Lock()
	who, out := u.m.loan[e.Item]
	if out && who == e.Patron {
		delete(u.m.loan, e.Item)
		u.m.undone++
	}
	u.m.mu.Unlock()
	switch {
	case u.m.chance(0.1):
		<-ctx.Done()
		return &kiosk.Error{Code: kiosk.CodeUnsure}
	case !out || who != e.Patron:
		return &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonNotOnLoan}
	}
	return u.m.step(ctx)
}

func (m *machine) carryOut(e kiosk.Entry) (kiosk.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	who, out := m.loan[e.Item]
	a := kiosk.Answer{Due: time.Now().AddDate(0, 0, 21)}
	switch {
	case e.Kind == kiosk.Checkin && !out:
		return a, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonNotOnLoan}
	case e.Kind == kiosk.Checkin:
		delete(m.loan, e.Item)
	case out && who != e.Patron:
		return a, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonOnLoanOther}
	case out:
		m.Errorf("%s of %s is told to the ILS twice", e.Item, e.Patron)
	default:
		m.loan[e.Item] = e.Patron
	}
	return a, nil
}

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
