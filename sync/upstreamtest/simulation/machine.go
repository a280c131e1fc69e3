package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/sync/outbox"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// station is a kiosk's place: what stays when its machine ends.
type station struct {
	*world
	name string
	disk *disk
	net  *network
	lot  lot // of its machines

	starts int          // of its program
	wrong  atomic.Int64 // by how many nanoseconds the machine's clock is

	at atomic.Pointer[machine] // nil: it is off

	mu    sync.Mutex
	shown map[kiosk.ID]promise
	boots []*boot // runs of the machine, the last is this one

	looked map[kiosk.Barcode]time.Time // when the ILS last told of an item, under world.mu
}

// boot is a run of the machine, from one cut of its power to the next.
type boot struct {
	name   string
	since  time.Time
	ended  time.Time // when its program crashed last
	misled bool      // its clock was set wrong meanwhile
}

// promise is a line that a screen has shown as done.
type promise struct {
	state kiosk.LineState
	item  kiosk.Barcode
	at    time.Time
}

// machine is the program of a kiosk between its start and its end.
type machine struct {
	*station
	store  *store
	ids    atomic.Int64
	clock  *kiosk.Clock
	up     *sip2.Upstream
	desk   *desk.Desk
	worker *outbox.Worker

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	dead   atomic.Bool
	died   chan struct{} // closed with dead
	once   sync.Once
	read   map[kiosk.TagID]bool // what the pad has told of, under station.mu
	keeper chan struct{}        // holds a token while dates are put right
}

func (w *world) newStation(name string) *station {
	s := &station{world: w, name: name, lot: w.lot(name), shown: map[kiosk.ID]promise{}, looked: map[kiosk.Barcode]time.Time{}}
	s.disk = &disk{station: s, lot: w.lot(name + " disk"), lives: map[kiosk.ID]*life{}, writer: make(chan struct{}, 1)}
	s.net = &network{station: s, words: map[string]int{}, telling: map[string]telling{}, heard: map[string][]telling{}}
	s.wrong.Store(s.lot.Int64N(int64(time.Second))) // nobody's clocks agree
	return s
}

// run has one machine after the other until ctx ends.
func (s *station) run(ctx context.Context) {
	for ctx.Err() == nil {
		m := s.start(ctx)
		if m.ctx.Err() == nil {
			s.at.Store(m)
			<-m.ctx.Done()
			s.at.Store(nil)
		}
		m.wg.Wait()
		m.up.Close()
		if pause(ctx, s.lot.between(time.Second, time.Minute)) != nil {
			return
		}
	}
}

// start starts the program as the daemon does. It may die before it runs.
func (s *station) start(ctx context.Context) *machine {
	m := &machine{station: s, died: make(chan struct{}), keeper: make(chan struct{}, 1), read: map[kiosk.TagID]bool{}}
	m.store = &store{&s.disk.mem, s.disk, m}
	m.ctx, m.cancel = context.WithCancel(ctx)
	if s.starts++; s.starts == 1 || s.lot.chance(0.5) { // the machine, and not only the program
		s.misset()
	}
	s.mu.Lock()
	run, starts := *s.boots[len(s.boots)-1], s.starts
	s.mu.Unlock()
	m.clock = kiosk.NewClock(kiosk.ClockConfig{
		Wall: func() time.Time { return time.Now().Add(time.Duration(s.wrong.Load())) },
		Up:   func() time.Duration { return time.Since(run.since) },
		Boot: run.name, Written: s.world.log.start.AddDate(0, -1, 0), Zone: time.UTC,
	})
	var err error
	m.up, err = sip2.NewUpstream(sip2.Config{Address: ilsAddress, User: "kiosk", Password: "secret", Zone: time.UTC,
		Clock: m.clock, Log: slog.New(slog.DiscardHandler), Profile: s.profile, Probed: s.probed,
		Dial: func(ctx context.Context, _ string) (net.Conn, error) { return s.net.dial(ctx, m) }})
	if err != nil {
		panic(err) // ours
	}
	up := &upstream{m.up, m}
	m.worker = outbox.New(m.store, up, outbox.Config{Link: m.link, Now: m.clock.Now, Date: func() time.Time { return m.clock.Follow(m.clock.Now()) }, Rand: rand.New(rand.NewPCG(s.lot.Uint64(), s.lot.Uint64()))})
	m.desk = desk.New(desk.Config{Ledger: m.store, Mirror: m.store, Upstream: up, Securer: m, Gates: true, Lines: m.up.Lines(), Clock: m.clock,
		Rules: kiosk.Rules{Location: time.UTC, LoanDays: days}, LinkLost: m.worker.Lost, Log: slog.New(slog.DiscardHandler),
		NewID: func() kiosk.ID { return kiosk.ID(fmt.Sprintf("%s-%03d-%04d", s.name, starts, m.ids.Add(1))) }})
	if err := m.recover(); err != nil {
		s.note(s.name, "does not start: %v", err)
		m.cancel()
		return m
	}
	s.note(s.name, "starts, %s, clock %v off", run.name, time.Duration(s.wrong.Load()))
	m.wg.Go(func() { m.desk.Run(m.ctx) })
	m.wg.Go(func() { m.worker.Run(m.ctx) })
	m.wg.Go(m.keepTime)
	m.wg.Go(m.watch)
	m.wg.Go(m.readPad)
	return m
}

// misset has a machine without a clock of its own start at some time: days ago,
// in 1970, or in the next year.
func (s *station) misset() {
	wrong := time.Duration(s.lot.Int64N(int64(time.Second)))
	if !s.peace.Load() && s.lot.chance(s.plan.weather.clocks) {
		wrong = -s.lot.between(time.Minute, 10*24*time.Hour)
		switch s.lot.IntN(5) {
		case 0:
			wrong = -30 * 365 * 24 * time.Hour
		case 1:
			wrong = s.lot.between(time.Hour, 400*24*time.Hour)
			s.count("clock ahead at start")
		}
		s.count("wrong clock at start")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boots = append(s.boots, &boot{name: fmt.Sprintf("boot %d", s.starts), since: time.Now()})
	s.wrong.Store(int64(wrong))
}

// recover reads the ledger, as the daemon does before anything runs.
func (m *machine) recover() error {
	good, err := m.begin(m.ctx)
	if err != nil {
		return err
	}
	if good.Before(m.clock.Written) {
		good = m.clock.Written
	}
	n, err := m.store.Interrupted(m.ctx, good)
	if n > 0 {
		m.note(m.name, "%d were interrupted", n)
	}
	return err
}

// die ends the machine: nothing of it takes effect any more.
func (m *machine) die(how, where string) {
	m.once.Do(func() {
		m.count(how)
		m.note(m.name, "%s: %s", how, where)
		m.mu.Lock()
		m.boots[len(m.boots)-1].ended = time.Now()
		m.mu.Unlock()
		m.dead.Store(true)
		close(m.died)
		m.net.abandon()
		m.cancel()
	})
}

// watch holds each screen against the disk.
func (m *machine) watch() {
	for seq := uint64(0); ; {
		sc, err := m.desk.Next(m.ctx, seq)
		if err != nil || m.dead.Load() {
			return
		}
		seq = sc.Seq
		for i := range sc.Lines {
			m.saw(&sc.Lines[i])
		}
	}
}

func (m *machine) saw(l *kiosk.Line) {
	if l.State != kiosk.LineLent && l.State != kiosk.LineReturned && l.State != kiosk.LineRenewed {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.shown[l.ID]; ok {
		return
	}
	m.tagged(l)
	m.shown[l.ID] = promise{l.State, l.Item, time.Now()}
	m.count("shown " + string(l.State))
	m.note(m.name+" screen", "%s %s %s", l.ID, l.Item, l.State)
	e, ok := m.disk.entry(l.ID)
	if !ok || !e.State.Holds() && e.State != kiosk.Exception {
		m.fail("%s shows %s as %s (entry %s), and the ledger says %q", m.name, l.Item, l.State, l.ID, e.State)
	}
}

// entry finds an entry on the disk.
func (d *disk) entry(id kiosk.ID) (kiosk.Entry, bool) {
	for _, e := range d.mem.Entries() {
		if e.ID == id {
			return e, true
		}
	}
	return kiosk.Entry{}, false
}

// link is what the daemon does when the link comes and goes.
func (m *machine) link(up bool) {
	if up {
		m.keep(m.ctx)
	}
	ctx, cancel := context.WithTimeout(m.ctx, time.Second)
	defer cancel()
	_ = m.desk.Send(ctx, kiosk.LinkChanged{Up: up}) // it may be ending
}

// upstream is SIP2 as one machine sees it. Its calls begin and end at moments
// of their own, and are given up at such, also when one cut ends several.
type upstream struct {
	*sip2.Upstream
	m *machine
}

// Tell is kiosk.Upstream's.
func (u *upstream) Tell(ctx context.Context, e kiosk.Entry) (a kiosk.Answer, err error) {
	err = u.call(ctx, "tell "+string(e.ID), func(ctx context.Context) error {
		words, told := tells(e), telling{e.ID, e.State == kiosk.Asked}
		u.m.net.tell(words, told)
		defer u.m.net.told(words, told)
		a, err = u.Upstream.Tell(ctx, e)
		return err
	})
	return a, err
}

// Undo is kiosk.Undoer's.
func (u *upstream) Undo(ctx context.Context, e kiosk.Entry) error {
	return u.call(ctx, "undo "+string(e.ID), func(ctx context.Context) error {
		words, told := tells(kiosk.Entry{Kind: kiosk.Checkin, Item: e.Item})+undoing, telling{entry: e.ID}
		u.m.net.tell(words, told)
		defer u.m.net.told(words, told)
		return u.Upstream.Undo(ctx, e)
	})
}

// Look is kiosk.Upstream's.
func (u *upstream) Look(ctx context.Context, b kiosk.Barcode, c kiosk.Card) (st kiosk.Standing, err error) {
	err = u.call(ctx, fmt.Sprintf("look %s %s", b, c), func(ctx context.Context) error {
		st, err = u.Upstream.Look(ctx, b, c)
		return err
	})
	return st, err
}

// Identify is kiosk.Upstream's.
func (u *upstream) Identify(ctx context.Context, c kiosk.Card, pin string) (p kiosk.Patron, err error) {
	err = u.call(ctx, "identify "+string(c), func(ctx context.Context) error {
		p, err = u.Upstream.Identify(ctx, c, pin)
		return err
	})
	return p, err
}

// Probe is kiosk.Upstream's.
func (u *upstream) Probe(ctx context.Context) error {
	return u.call(ctx, "probe", u.Upstream.Probe)
}

func (u *upstream) call(ctx context.Context, what string, do func(context.Context) error) error {
	if u.m.dead.Load() {
		return &kiosk.Error{Code: kiosk.CodeOffline, Err: errDead}
	}
	l := u.m.net.draw(what)
	time.Sleep(l.hardly())
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-l.hardly()))
		defer cancel()
	}
	err := do(ctx)
	time.Sleep(l.hardly())
	return err
}
