// Package daemon is a whole kiosk in one process: ledger, desk, devices,
// outbox and screen, wired by a configuration. kioskd runs it, kiosksim
// measures it.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/metrics"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
	"github.com/carrel-kiosk/carrel/sync/outbox"
	"github.com/carrel-kiosk/carrel/sync/refresh"
)

// LedgerFile is the ledger's name in the data folder.
const LedgerFile = "ledger.db"

// Options are what a configuration does not say.
type Options struct {
	Config *config.Config
	Log    *slog.Logger
	// Listener is where the screen is served; nil opens Config.Kiosk.Listen.
	Listener net.Listener
	// Pages are served beside the screen, as "/sim".
	Pages map[string]http.Handler
	// Gallery serves every view from fixtures below /gallery.
	Gallery bool
	// Ready is called once everything is open and served.
	Ready func()
	// Notes are what staff is to know of the configuration, each in place of the
	// one before; an empty one says that all is well. nil: nothing comes.
	Notes <-chan string
	// Leave, when it is closed, ends the daemon as soon as nobody is at the
	// desk; nil means never.
	Leave <-chan struct{}
	// Ledger may put something between desk and ledger, to measure it.
	Ledger func(kiosk.Ledger) kiosk.Ledger
}

// Daemon is a running kiosk.
type Daemon struct {
	Options
	since       time.Time
	started     context.CancelFunc // the start is over
	clock       *timekeeper
	store       *sqlite.Store
	desk        *desk.Desk
	worker      *outbox.Worker  // nil without an upstream
	upstream    kiosk.Upstream  // nil without one
	refresh     *refresh.Worker // nil without lists to read
	devices     *devices
	pads        *pads
	receipts    *receipts
	panels      *panels
	staff       *staff
	inventories *inventory.Service
	figures     *figures
	metrics     *metrics.Metrics
	boards      *boards
	sight       *web.Sight
	brands      *brands
	phones      *phones // nil: none are served
	strange     *strange
	reached     atomic.Pointer[bool] // what was said of upstream last

	resolving sync.Mutex
}

// Run runs a kiosk until ctx ends or something that it can't do without
// fails. What is in hand at the end is finished first.
func Run(ctx context.Context, o Options) error {
	d := &Daemon{Options: o, since: time.Now()}
	d.starting(ctx)
	defer d.started()
	if err := d.open(ctx); err != nil {
		return err
	}
	err := d.serve(ctx)
	if d.upstream != nil {
		if c, ok := d.upstream.(interface{ Close() error }); ok {
			err = errors.Join(err, c.Close())
		}
	}
	err = errors.Join(err, d.store.Close())
	if err == nil {
		d.Log.Info("stopped; all that was in hand is on disk")
	}
	return err
}

// open opens the ledger and makes the parts; nothing runs yet.
func (d *Daemon) open(ctx context.Context) error {
	c := d.Config
	if err := os.MkdirAll(c.Kiosk.Data, 0o750); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	store, err := d.openLedger(ctx)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	d.store = store
	d.clock = &timekeeper{Clock: newClock(d.Config.Location), ledger: store, log: d.Log}
	good, err := d.clock.begin(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("ledger: %w", err), store.Close())
	}
	// When they were cut off is not known; what is dated for good can't be put
	// right, so it must not lie ahead.
	if good.Before(written) {
		good = written
	}
	if n, err := store.Interrupted(ctx, good); err != nil {
		return errors.Join(fmt.Errorf("ledger: %w", err), store.Close())
	} else if n > 0 {
		d.Log.Warn("entries were interrupted between question and answer", "entries", n)
	}
	up, err := openUpstream(c, d.Log, d.clock.Clock)
	if err != nil {
		return errors.Join(fmt.Errorf("upstream: %w", err), store.Close())
	}
	if up != nil {
		d.upstream, d.clock.ils = up, up
		d.worker = outbox.New(store, telling{up, store, d.clock.Now, d.Log}, outbox.Config{Link: d.link, Now: d.clock.Now, Date: d.date})
		if up.Lists != nil {
			d.refresh = refresh.New(up.Lists, store, refresh.Config{Every: c.Upstream.Refresh, Zone: c.Location,
				Alone: d.nobody, Now: d.clock.Now, Log: d.Log})
		}
	}
	d.metrics = metrics.New(d.Status)
	d.sight = web.NewSight()
	d.pads = newPads(d)
	d.figures = &figures{Daemon: d, since: map[kiosk.Count]int{}}
	d.panels = newPanels(d)
	if d.receipts, err = newReceipts(d); err != nil {
		return errors.Join(err, store.Close())
	}
	if err := d.receipts.style.load(ctx); err != nil {
		return errors.Join(fmt.Errorf("ledger: %w", err), store.Close())
	}
	d.desk = desk.New(d.deskConfig())
	d.boards, d.brands, d.strange = newBoards(d), newBrands(d), newStrange(d)
	if err := errors.Join(d.boards.load(ctx), d.brands.load(ctx), d.strange.load(ctx)); err != nil {
		return errors.Join(fmt.Errorf("ledger: %w", err), store.Close())
	}
	if d.phones, err = newPhones(ctx, d); err != nil {
		return errors.Join(err, store.Close())
	}
	d.inventories = c.Inventories(store, returns{store, d}, d.clock.Now, newID)
	d.staff = newStaff(d)
	d.devices = newDevices(d)
	return nil
}

func (d *Daemon) deskConfig() desk.Config {
	c := desk.Config{
		Rules: d.Config.Rules(), Ledger: d.store, Mirror: d.store, Upstream: d.upstream, Securer: d.pads, PINs: d.store,
		Gates: d.pads.gates(), Pad: d.pads.ready,
		Deadline: d.Config.Upstream.Deadline, NewID: newID, Log: d.Log, Clock: d.clock.Clock, Seen: d.figures.see, Deliver: d.receipts.deliver,
	}
	c.Rules.Receipts = d.receipts.rules()
	if d.Options.Ledger != nil {
		c.Ledger = d.Options.Ledger(d.store)
	}
	c.Ledger = d.metrics.Ledger(c.Ledger)
	if l, ok := d.upstream.(interface{ Lines() int }); ok {
		c.Lines = l.Lines()
	}
	if d.worker != nil {
		c.LinkLost = d.worker.Lost
		c.Ledger = waking{c.Ledger, d.worker.Wake}
	}
	return c
}

// newID makes a UUID of version 7.
func newID() kiosk.ID { return kiosk.ID(uuid.Must(uuid.NewV7()).String()) }

// link tells the desk and the log whether upstream is there.
func (d *Daemon) link(up bool) {
	switch was := d.reached.Swap(new(up)); {
	case was != nil && *was == up:
	case up:
		d.Log.Info("upstream is reached")
	default:
		d.Log.Warn("upstream is away", "err", d.worker.Status().Err)
	}
	if up {
		d.desk.Mend("upstream")
		d.clock.keep(context.Background()) // before anything is told with a wrong date
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := d.desk.Send(ctx, kiosk.LinkChanged{Up: up}); err != nil {
		d.Log.Error("the desk does not take events", "err", err)
	}
}

// waking is a ledger that wakes the outbox when it has got something to do.
type waking struct {
	kiosk.Ledger
	wake func()
}

func (w waking) Record(ctx context.Context, e kiosk.Entry) error {
	err := w.Ledger.Record(ctx, e)
	if err == nil && e.State == kiosk.Offline {
		w.wake()
	}
	return err
}

func (w waking) Conclude(ctx context.Context, o kiosk.Outcome) error {
	err := w.Ledger.Conclude(ctx, o)
	if err == nil && o.State.Queued() {
		w.wake()
	}
	return err
}

// Probe tells whether the ledger takes writes.
func (w waking) Probe(ctx context.Context) error {
	if p, ok := w.Ledger.(interface{ Probe(context.Context) error }); ok {
		return p.Probe(ctx)
	}
	return nil
}

// serve runs everything until ctx ends. Devices, worker and web stop at once;
// the desk finishes what is in hand.
func (d *Daemon) serve(ctx context.Context) error {
	ln := d.Listener
	if ln == nil {
		var err error
		if ln, err = net.Listen("tcp", d.Config.Kiosk.Listen); err != nil {
			return fmt.Errorf("screen: %w", err)
		}
	}
	ctl, err := control.Listen(d.Config.Kiosk.Data)
	if err != nil {
		return errors.Join(fmt.Errorf("control: %w", err), ln.Close())
	}
	screen, pocket, err := web.NewWithPhones(d.webConfig())
	if err != nil {
		return errors.Join(err, ln.Close(), ctl.Close())
	}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if d.Leave != nil && d.alone(ctx) {
			leave()
		}
		return nil
	})
	g.Go(func() error { return d.desk.Run(ctx) })
	g.Go(func() error { return d.store.Run(ctx, d.tidied) })
	g.Go(func() error { return d.watchLedger(ctx) })
	g.Go(func() error { return d.watchDisplay(ctx) })
	g.Go(func() error { return d.watchNotes(ctx) })
	g.Go(func() error { return d.clock.run(ctx) })
	g.Go(func() error { return d.figures.run(ctx) })
	g.Go(func() error { return d.devices.run(ctx) })
	g.Go(func() error { return d.panels.watch(ctx) })
	g.Go(func() error { return d.staff.run(ctx) })
	if d.worker != nil {
		g.Go(func() error { return d.worker.Run(ctx) })
	}
	if d.refresh != nil {
		g.Go(func() error { return d.refresh.Run(ctx) })
	}
	g.Go(func() error { return serveHTTP(ctx, ln, screen) })
	if pocket != nil {
		g.Go(func() error { return d.phones.serve(ctx, pocket) })
	}
	g.Go(func() error {
		return serveHTTP(ctx, ctl, control.StaffHandler(accounts{d}, control.PhonesHandler(d, control.InventoryHandler(d.inventories, d.staff, control.TagHandler(d.staff, control.Handler(d, d.Log))))))
	})
	g.Go(func() error { return d.supervised(ctx, "http://"+ln.Addr().String()) })
	d.Log.Info("ready", "screen", "http://"+ln.Addr().String(), "took", time.Since(d.since).Round(time.Millisecond))
	if d.Ready != nil {
		d.Ready()
	}
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// tidied logs that the ledger's disk refuses what nobody waits for.
func (d *Daemon) tidied(err error) {
	if err != nil {
		d.Log.Error("the ledger can't be tidied", "err", err)
		return
	}
	d.Log.Info("the ledger can be tidied again")
}

// alone waits for Leave, and then until nobody is at the desk; false if ctx
// ends before.
func (d *Daemon) alone(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-d.Leave:
	}
	return d.nobody(ctx) == nil
}

// nobody waits until nobody is at the desk.
func (d *Daemon) nobody(ctx context.Context) error {
	for seq := uint64(0); ; {
		sc, err := d.desk.Next(ctx, seq)
		if err != nil || sc.View == kiosk.ViewWelcome && len(sc.Lines) == 0 {
			return err
		}
		seq = sc.Seq
	}
}

// serveHTTP serves on this machine until ctx ends.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	return serveOn(ctx, ln, &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute})
}

// serveOn serves until ctx ends, and then gives requests a second.
func serveOn(ctx context.Context, ln net.Listener, srv *http.Server) error {
	srv.BaseContext = func(net.Listener) context.Context { return ctx }
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if srv.Shutdown(end) != nil {
		srv.Close()
	}
	<-done
	return nil
}

func (d *Daemon) webConfig() web.Config {
	k := d.Config.Kiosk
	c := web.Config{Desk: d.desk, Name: k.Name, Library: cmp.Or(k.Title, k.Library), Languages: k.Languages,
		Location: d.Config.Location, Log: d.Log, Pad: d.pads.ready, Hosts: k.Hosts, Sight: d.sight, Receipts: d.receipts, Manner: d.Config.Screen.Manner, Pace: d.Config.Screen.Switch.Duration, PIN: d.Config.Patrons.PIN, Digits: d.Config.Patrons.PINKeys == "digits", Class: d.Config.Screen.Class, Child: d.Config.Screen.Words == "child", Sound: d.Config.Screen.Sound, Gallery: d.Gallery, Pages: d.pages(), Staff: d.staffPages()}
	c.Find = !d.Config.Find.Off
	if p := d.Config.Find.Plan; p != nil {
		c.Plan = p
	}
	if d.Config.Screen.Remember {
		c.Memory = d.store
	}
	return c
}

// pages are those beside the screen.
func (d *Daemon) pages() map[string]http.Handler {
	pages := map[string]http.Handler{"/metrics": d.metrics.Handler()}
	maps.Copy(pages, d.Pages)
	return pages
}
