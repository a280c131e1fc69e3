package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

const (
	examineTime = 5 * time.Second  // longest that a start waits for the ledger to be examined; then it goes on beside the desk
	rescueTime  = 20 * time.Minute // longest that a rescue takes: it writes the catalogue anew
	checkEvery  = 24 * time.Hour   // between two looks at the whole file
	checkFirst  = time.Hour        // until the first
)

// suspectFile, beside the ledger, says that the whole of it is to be looked at
// before it is used: it was found damaged at work.
const suspectFile = LedgerFile + ".suspect"

// openLedger opens a ledger that is sound, and rescues one that is not.
func (d *Daemon) openLedger(ctx context.Context) (*sqlite.Store, error) {
	path, suspect := filepath.Join(d.Config.Kiosk.Data, LedgerFile), filepath.Join(d.Config.Kiosk.Data, suspectFile)
	_, err := os.Stat(suspect)
	whole := err == nil
	stop := d.patience(ctx, "The ledger is being opened")
	store, why, err := openSound(ctx, path, copies(d.Config.Kiosk.Data), whole)
	stop()
	if err != nil {
		return nil, err // what was suspected of it is not looked into yet
	}
	if why == "" {
		os.Remove(suspect)
		return store, nil
	}
	d.Log.Error("the ledger is damaged: it is rescued now", "why", why)
	defer d.patience(ctx, "The ledger was damaged and is being rescued")()
	ctx, cancel := context.WithTimeout(ctx, rescueTime)
	defer cancel()
	now := time.Now()
	if now.Before(written) {
		now = written
	}
	a, err := sqlite.Rescue(ctx, path, why, copies(d.Config.Kiosk.Data), now)
	if err != nil {
		return nil, fmt.Errorf("it is damaged (%s), and can't be rescued: %w", why, err)
	}
	os.Remove(suspect)
	d.Log.Warn("the ledger was rescued", "entries", a.Entries, "lost", len(a.Lost), "rests on", cmp.Or(a.Backup, "no copy"), "kept", a.Kept)
	return sqlite.Open(ctx, path)
}

// openSound opens a ledger and examines it, as far as there is time; why tells
// what is damaged. That a ledger of which there are copies is gone is damage too.
func openSound(ctx context.Context, path string, copies []string, whole bool) (s *sqlite.Store, why string, err error) {
	if sqlite.Gone(path) && len(copies) > 0 {
		return nil, "it is gone or empty, and there are copies of it", nil
	}
	s, err = sqlite.Open(ctx, path)
	if errors.Is(err, sqlite.ErrDamaged) {
		return nil, err.Error(), nil
	}
	if err != nil {
		return nil, "", err
	}
	within, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	examine := s.Examine
	if whole {
		examine, within = s.Check, ctx
	}
	wrong, err := examine(within)
	switch {
	case len(wrong) > 0:
		why = wrong[0]
	case errors.Is(err, sqlite.ErrDamaged):
		why = err.Error()
	case err != nil && (within.Err() == nil || ctx.Err() != nil):
		return nil, "", errors.Join(err, s.Close())
	}
	if why != "" {
		s.Close() //nolint:errcheck // of a damaged file
		return nil, why, nil
	}
	return s, "", nil
}

// copies are those of the ledger in the data folder, the newest first: of each
// day, from before a restore, and from before an update.
func copies(data string) []string {
	var list []string
	for _, pattern := range []string{"backup/*.db", LedgerFile + ".before-*"} {
		found, _ := filepath.Glob(filepath.Join(data, pattern)) // the patterns are good
		list = append(list, found...)
	}
	list = slices.DeleteFunc(list, func(p string) bool {
		return strings.HasSuffix(p, "-wal") || strings.HasSuffix(p, "-shm") || strings.HasSuffix(p, ".lock")
	})
	age := func(p string) int64 {
		info, err := os.Stat(p)
		if err != nil {
			return 0
		}
		return info.ModTime().UnixNano()
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Compare(age(b), age(a)) })
	return list
}

// patience asks systemd for it, with a word on what is done, until stop has been
// called: to look at the whole of a ledger, to bring it to a new version or to
// rescue it may take longer than a start.
func (d *Daemon) patience(ctx context.Context, status string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ask := func() {
		d.notify(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\n%s\nSTATUS=%s", time.Minute.Microseconds(), systemd.SdNotifyWatchdog, status))
	}
	ask()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(5 * time.Second)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				ask()
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// watchLedger ends the daemon when the ledger proves to be damaged, at a write
// or at the look at the whole file that is taken once a day while nobody is at
// the desk. The next start rescues it.
func (d *Daemon) watchLedger(ctx context.Context) error {
	look := time.NewTimer(checkFirst)
	defer look.Stop()
	for {
		var why string
		select {
		case <-ctx.Done():
			return nil
		case <-d.store.Damaged():
			why = "a write met a damaged page"
		case <-look.C:
			why = d.lookOver(ctx)
			look.Reset(checkEvery)
		}
		if why == "" {
			continue
		}
		mark := filepath.Join(d.Config.Kiosk.Data, suspectFile)
		return errors.Join(fmt.Errorf("ledger: %w: %s; it is rescued at the next start", sqlite.ErrDamaged, why), os.WriteFile(mark, []byte(why+"\n"), 0o600))
	}
}

// lookOver looks at the whole file, and says what is wrong with it.
func (d *Daemon) lookOver(ctx context.Context) string {
	if d.nobody(ctx) != nil {
		return ""
	}
	begun := time.Now()
	wrong, err := d.store.Check(ctx)
	switch {
	case len(wrong) > 0:
		return wrong[0]
	case errors.Is(err, sqlite.ErrDamaged):
		return err.Error()
	case err != nil && ctx.Err() == nil:
		d.Log.Warn("the ledger could not be checked", "err", err)
	case err == nil:
		d.Log.Log(ctx, slog.LevelDebug, "the ledger is sound", "took", time.Since(begun).Round(time.Millisecond))
	}
	return ""
}

// SeenRescue implements control.Daemon.
func (d *Daemon) SeenRescue(ctx context.Context, by kiosk.Act) error {
	by.At = d.clock.Now()
	return d.store.SeenRescue(ctx, by)
}

// rescued is the account of a rescue of which staff does not know yet, or nil.
func rescued(ctx context.Context, r *sqlite.Reader) *sqlite.Account {
	a, err := r.Rescued(ctx)
	if err != nil {
		return nil
	}
	return &a
}

// rescues is the account of the last rescue for the pages for staff.
type rescues struct{ *Daemon }

var _ web.Rescues = rescues{}

// Rescued implements web.Rescues.
func (r rescues) Rescued(ctx context.Context) (web.Rescue, error) {
	a, err := r.store.Rescued(ctx)
	if err != nil {
		return web.Rescue{}, err
	}
	x := web.Rescue{At: a.At, Why: a.Why, Kept: a.Kept, Backup: a.Backup, Passed: a.Passed, Entries: a.Entries, FromFile: a.FromFile,
		FromCopy: a.FromCopy, Rebuilt: a.Rebuilt, Parts: a.Parts, Seen: a.Seen}
	if a.Beyond {
		x.Beyond = a.Highest()
	}
	for _, l := range a.Lost {
		x.Lost = append(x.Lost, web.RescueLost{Seq: l.Seq, Item: l.Item})
	}
	return x, nil
}

// Seen implements web.Rescues.
func (r rescues) Seen(ctx context.Context, at time.Time, by kiosk.Act) error {
	a, err := r.store.Rescued(ctx)
	if err == nil && !a.At.Equal(at) {
		err = kiosk.ErrUnknown
	}
	if err != nil {
		return err
	}
	return r.SeenRescue(ctx, by)
}
