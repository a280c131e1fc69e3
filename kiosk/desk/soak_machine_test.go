package desk_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/outbox"
)

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
