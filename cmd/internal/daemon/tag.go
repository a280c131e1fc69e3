package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/station"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// TagSettings are what a configuration says of writing tags.
func TagSettings(c *config.Config) station.Settings {
	t := c.Tags
	return station.Settings{Model: tagdata.Model(t.Model), Owners: t.Owners, AFI: t.AFI, EAS: t.EAS, Item: c.Intake.Item}
}

// staff has pad and scanner while staff prepares materials: what they read
// goes to the station, and the patron's screen says so. It has them on a
// lease, which whoever works renews: a page that was closed and a program
// that was killed give them back by saying nothing.
type staff struct {
	*Daemon
	*station.Station

	ctx     context.Context // while the daemon runs
	benches sync.WaitGroup
	badges  web.Badges // wanted at the door to the pages

	mu    sync.Mutex
	until time.Time // end of the lease; zero: the desk has them
	bench *station.Bench
	walk  *walk              // an inventory; nil: none
	stop  context.CancelFunc // of the bench or the walk; nil: neither runs
	ended <-chan struct{}    // closed at the end of the newest walk; nil: there was none
	wake  chan struct{}
}

var _ control.Tags = (*staff)(nil)

func newStaff(d *Daemon) *staff {
	return &staff{Daemon: d, Station: station.New(TagSettings(d.Config), d.pads, d.store), ctx: context.Background(), wake: make(chan struct{}, 1)}
}

const (
	opLease    = 5 * time.Second  // of one operation: more than the longest wait for a pad
	doneLease  = time.Second      // after a command's last one: the next command of a script comes sooner
	benchLease = 20 * time.Second // of a page, between two signs of life
)

// staffFault tells patrons and the staff's list who has the desk.
var staffFault = kiosk.Fault{Source: "staff is working here", Text: "pad and scanner are used to prepare materials", Fatal: true}

// errBusy says that the desk is in use.
var errBusy = errors.New("somebody is using the desk: try again when the screen shows the welcome page")

// lease takes pad and scanner, or keeps them for longer. From a patron they
// are not taken.
func (s *staff) lease(d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until.IsZero() {
		if v := s.desk.Screen().View; v != kiosk.ViewWelcome {
			return errBusy
		}
		f := staffFault
		f.Since = time.Now()
		s.desk.Fault(f)
		s.Log.Info("staff has pad and scanner")
		defer s.pads.afresh() // the desk is to know nothing of what staff may write
	}
	if end := time.Now().Add(d); end.After(s.until) {
		s.until = end
	}
	s.rouse()
	return nil
}

// rouse has run look at the lease's end again.
func (s *staff) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// release gives pad and scanner back at once.
func (s *staff) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// end is release of who has the lock.
func (s *staff) end() {
	if s.until.IsZero() {
		return
	}
	s.until = time.Time{}
	if s.stop != nil {
		s.stop()
		s.bench, s.walk, s.stop = nil, nil, nil
	}
	s.pads.afresh()
	s.desk.Mend(staffFault.Source)
	s.Log.Info("the desk has pad and scanner again")
}

// run ends leases that nobody renews.
func (s *staff) run(ctx context.Context) error {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			s.release()
			s.benches.Wait()
			return nil
		case <-s.wake:
		case <-t.C:
		}
		s.mu.Lock()
		wait := time.Hour
		if !s.until.IsZero() {
			if wait = time.Until(s.until); wait <= 0 {
				s.end()
				wait = time.Hour
			}
		}
		s.mu.Unlock()
		t.Reset(wait)
	}
}

// working tells whether staff has pad and scanner.
func (s *staff) working() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.until.IsZero()
}

// takesTag tells whether what happens on a pad is staff's. What leaves is the
// desk's always: it may have come before staff did.
func (s *staff) takesTag(ev kiosk.Event) bool {
	if _, left := ev.(kiosk.TagRemoved); left {
		return false
	}
	return s.working() || s.boards.closed()
}

// scanned takes a scan for the station or an inventory; false if it is the
// desk's.
func (s *staff) scanned(ctx context.Context, device, text string, ev kiosk.Event) bool {
	if s.code(ctx, device, text) {
		return true
	}
	s.mu.Lock()
	working, bench := !s.until.IsZero(), s.bench
	s.mu.Unlock()
	if !working || bench == nil {
		return working || s.boards.closed()
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := bench.Send(ctx, codeOf(ctx, s.store, ev)); err != nil {
		s.Log.Error("a scan was lost: the station does not take it", "err", err)
	}
	return true
}

// List implements control.Tags.
func (s *staff) List(ctx context.Context) ([]kiosk.TagID, error) {
	if err := s.lease(opLease); err != nil {
		return nil, err
	}
	return s.Station.List(ctx)
}

// Put implements control.Tags.
func (s *staff) Put(ctx context.Context, w station.Wish) (station.Result, error) {
	if err := s.lease(opLease); err != nil {
		return station.Result{}, err
	}
	r, err := s.Station.Put(ctx, w)
	s.note("written", r, err)
	return r, err
}

// Restore implements control.Tags.
func (s *staff) Restore(ctx context.Context, f station.Found) (station.Result, error) {
	if err := s.lease(opLease); err != nil {
		return station.Result{}, err
	}
	r, err := s.Station.Restore(ctx, f)
	s.note("restored", r, err)
	return r, err
}

// Lock implements control.Tags.
func (s *staff) Lock(ctx context.Context, tag kiosk.TagID) (station.Result, error) {
	if err := s.lease(opLease); err != nil {
		return station.Result{}, err
	}
	r, err := s.Station.Lock(ctx, tag)
	s.note("locked", r, err)
	return r, err
}

// Done implements control.Tags. A page that is open keeps its own lease.
func (s *staff) Done(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if end := time.Now().Add(doneLease); s.bench == nil && end.Before(s.until) {
		s.until = end
		s.rouse()
	}
	return nil
}

// note logs what was done to a tag, with what it said before.
func (s *staff) note(what string, r station.Result, err error) {
	if err != nil || r.Blocks == 0 {
		return
	}
	before := ""
	if r.Before != nil {
		before = r.Before.Contents.Item
	}
	s.Log.Info("tag "+what, "tag", r.UID, "item", r.Item, "part", r.Part, "parts", r.Parts, "before", before, "verdict", r.Verdict)
}

// Clear implements control.Tags.
func (s *staff) Clear(ctx context.Context, tag kiosk.TagID, note string) error {
	return ClearWork(ctx, s.store, tag, note, s.clock.Now())
}

// ClearWork takes a tag off the work list, whatever is wanted of it.
func ClearWork(ctx context.Context, st *sqlite.Store, tag kiosk.TagID, note string, now time.Time) error {
	w, err := st.Work(ctx, tag)
	if err != nil {
		return err
	}
	return st.Clear(ctx, w, now, note)
}

// Pad is a device that nobody else uses.
type Pad struct{ drivers.Pad }

// Do implements station.Pad.
func (p Pad) Do(_ context.Context, do func(drivers.Pad) error) error { return do(p.Pad) }

// OpenPad opens the first configured pad that opens, where no daemon has it.
func OpenPad(ctx context.Context, c *config.Config) (Pad, error) {
	var why []string
	for _, dev := range c.Devices {
		if !dev.Driver.IsPad() {
			continue
		}
		device, err := open(ctx, dev)
		if err == nil {
			return Pad{device.(drivers.Pad)}, nil
		}
		why = append(why, dev.Name+": "+err.Error())
	}
	return Pad{}, noPad(why)
}

// noted is a staff whose operations are logged and renew no lease: a page that
// is open does that.
type noted struct{ *staff }

func (n noted) List(ctx context.Context) ([]kiosk.TagID, error) { return n.Station.List(ctx) }

func (n noted) Put(ctx context.Context, w station.Wish) (station.Result, error) {
	r, err := n.Station.Put(ctx, w)
	n.note("written", r, err)
	return r, err
}

func (n noted) Restore(ctx context.Context, f station.Found) (station.Result, error) {
	r, err := n.Station.Restore(ctx, f)
	n.note("restored", r, err)
	return r, err
}
