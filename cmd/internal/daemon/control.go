package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"syscall"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/catalog"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

var _ control.Daemon = (*Daemon)(nil)

// Status implements control.Daemon.
func (d *Daemon) Status(ctx context.Context) (control.Status, error) {
	sc := d.desk.Screen()
	s := control.Status{
		Name: d.Config.Kiosk.Name, Version: cli.Version, Running: true, Since: d.since, View: string(sc.View),
		Devices: d.devices.status(), DiskFree: DiskFree(d.Config.Kiosk.Data), Faults: []string{},
	}
	s.Upstream.Driver = d.Config.Upstream.Driver
	if d.worker != nil {
		w := d.worker.Status()
		s.Upstream.Up, s.Upstream.Since = w.Up, w.Since
		if !w.Up && !w.Since.IsZero() { // else it was not tried yet
			s.Upstream.Error = fmt.Sprint(w.Err)
			s.Faults = append(s.Faults, "upstream: not reached: "+s.Upstream.Error)
		}
	}
	s.Refresh, s.Disk = d.refreshed(), d.metrics.Disk()
	for _, f := range sc.Faults {
		if f.Source == staffFault.Source {
			s.Staff = true
			continue // nobody needs to see to that
		}
		s.Faults = append(s.Faults, f.Source+": "+f.Text)
	}
	err := FromLedger(ctx, &d.store.Reader, &s)
	setClock(&s, d.clock.State()) // it knows more
	return s, err
}

// FromLedger fills in what the ledger knows.
func FromLedger(ctx context.Context, r *sqlite.Reader, s *control.Status) error {
	c, err := r.Counts(ctx)
	if err != nil {
		return err
	}
	s.Outbox, s.Oldest, s.Exception, s.Work = c.Outbox, c.Oldest, c.Exceptions, c.Work
	s.Entries, s.Items, s.Patrons, s.Loans = c.Entries, c.Items, c.Patrons, c.Loans
	s.Doubtful = c.Doubtful
	s.Rescue = rescued(ctx, r)
	newest, err := r.Newest(ctx)
	if err != nil {
		return err
	}
	clock := newClock(time.Local)
	clock.Begin(newest, newest)
	setClock(s, clock.State())
	return nil
}

func setClock(s *control.Status, c kiosk.ClockState) {
	s.Clock, s.ClockBy, s.Doubt, s.ClockWarning = c.Now, c.Source, c.Doubt, c.Warning
}

// DiskFree is how many bytes are free for the ledger, also where its folder is
// still to be made; 0 if that can't be told.
func DiskFree(folder string) uint64 {
	var st syscall.Statfs_t
	err := syscall.Statfs(folder, &st)
	for err == syscall.ENOENT && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		err = syscall.Statfs(folder, &st)
	}
	if err != nil {
		return 0
	}
	return st.Bavail * uint64(st.Bsize)
}

// Import implements control.Daemon.
func (d *Daemon) Import(ctx context.Context, l control.List, r io.Reader, tell func(control.Line)) error {
	o := catalog.Options{Location: d.Config.Location, Dir: d.Config.Kiosk.Data}
	return Import(ctx, l, o, r, d.clock.Now(), d.store, tell)
}

// date is what an outcome is dated by, outside of the desk.
func (d *Daemon) date() time.Time { return d.clock.Follow(d.clock.Now()) }

// Retry implements control.Daemon.
func (d *Daemon) Retry(ctx context.Context) error {
	if d.worker == nil {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "this kiosk has no upstream"}
	}
	defer d.worker.Wake()
	queue, err := d.store.Queue(ctx, math.MaxInt32)
	if err != nil {
		return err
	}
	for _, q := range queue {
		if !q.RetryAt.IsZero() {
			if err := d.store.Postpone(ctx, q.ID, d.clock.Now()); err != nil && !errors.Is(err, kiosk.ErrUnknown) { // settled meanwhile
				return err
			}
		}
	}
	return nil
}

// Resolve implements control.Daemon.
func (d *Daemon) Resolve(ctx context.Context, id kiosk.ID, r control.Resolution) error {
	d.resolving.Lock() // of two who settle the same, the second is to hear so
	defer d.resolving.Unlock()
	err := Resolve(ctx, d.store, id, r, d.date())
	if err == nil && d.worker != nil {
		d.worker.Wake()
	}
	return err
}

// Resolve settles an entry that calls for a person as staff decided.
func Resolve(ctx context.Context, s *sqlite.Store, id kiosk.ID, r control.Resolution, now time.Time) error {
	for row, err := range s.Entries(ctx, sqlite.Filter{ID: id}) {
		if err != nil {
			return err
		}
		if !row.State.Calls() {
			return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf("entry %s is %s, not an exception", id, row.State)}
		}
		if now.Before(row.Changed) { // the clock is behind
			now = row.Changed
		}
		o, err := r.Outcome(row.Entry, row.Promised, now)
		if err != nil {
			return &kiosk.Error{Code: kiosk.CodeInvalid, Err: err}
		}
		return s.Conclude(ctx, o)
	}
	return fmt.Errorf("entry %s: %w", id, kiosk.ErrUnknown)
}
