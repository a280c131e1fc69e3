package update

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// Service is what runs kioskd.
type Service interface {
	Stop(ctx context.Context) error
	Start(ctx context.Context) error
}

// Updater changes the version of one kiosk.
type Updater struct {
	Root     string // of versions and of the link "current"; the package's own programs run where there is none
	Config   string // the configuration's file
	Data     string // the ledger's folder
	Own      string // version of the package's own programs
	Keys     []ed25519.PublicKey
	Service  Service
	Patience time.Duration // until a version that is started must be well; 0 means 90 s
	Say      func(format string, args ...any)
}

// patience is how long a version may take until it answers: an old card is slow.
const patience = 90 * time.Second

// turnTime is the longest that an update waits for another one, which waits
// twice for a version to be well.
const turnTime = 10 * time.Minute

// pending is a switch that is not known to be good yet.
type pending struct {
	From    string `json:"from"` // empty: the package's own
	To      string `json:"to"`
	Copy    string `json:"copy"` // of the ledger, from just before; empty: there was none
	Entries int    `json:"entries"`
}

func (u *Updater) at(parts ...string) string {
	return filepath.Join(append([]string{u.Root}, parts...)...)
}

// current is the version that the link leads to; empty: the package's own.
func (u *Updater) current() string {
	to, err := os.Readlink(u.at("current"))
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

// Apply takes a bundle: it is checked, unpacked, tried without being used, and
// then used; if it is not well, the version of before is, with its ledger.
func (u *Updater) Apply(ctx context.Context, file string) (version string, err error) {
	done, err := u.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	if err := u.resume(context.WithoutCancel(ctx)); err != nil {
		return "", err
	}
	m, err := u.take(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	if err := u.prove(ctx, m.Version); err != nil {
		return "", fmt.Errorf("version %s is not used: %w", m.Version, errors.Join(err, os.RemoveAll(u.at("versions", m.Version))))
	}
	ctx = context.WithoutCancel(ctx) // who gives up now leaves a kiosk that runs
	if err := u.Service.Stop(ctx); err != nil {
		return "", errors.Join(fmt.Errorf("stop: %w", err), u.Service.Start(ctx))
	}
	p := pending{From: u.current(), To: m.Version}
	if err := u.prepare(ctx, &p); err != nil {
		return "", errors.Join(fmt.Errorf("version %s is not used: %w", m.Version, err), u.Service.Start(ctx))
	}
	if err := u.link(m.Version); err != nil {
		return "", errors.Join(err, u.back(ctx, p))
	}
	return m.Version, u.settle(ctx, p)
}

// Resume brings to its end what a loss of power has interrupted.
func (u *Updater) Resume(ctx context.Context) error {
	done, err := u.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	return u.resume(context.WithoutCancel(ctx))
}

// turn waits until no other program updates this kiosk, and keeps others away
// until done is called or the program ends.
func (u *Updater) turn(ctx context.Context) (done func() error, err error) {
	if err := os.MkdirAll(u.Root, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(u.at("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(errors.New("another update of this kiosk is under way; try again when it has come to its end"), f.Close())
		case <-tick.C:
		}
	}
}

// resume is Resume, for who has the turn.
func (u *Updater) resume(ctx context.Context) error {
	raw, err := os.ReadFile(u.at("pending.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var p pending
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		return err
	}
	u.Say("the update to %s was interrupted", p.To)
	if u.current() != p.To { // the switch was still to come
		return errors.Join(u.forget(), u.Service.Start(ctx))
	}
	return u.settle(ctx, p)
}

// settle starts the new version, and keeps it if it is well.
func (u *Updater) settle(ctx context.Context, p pending) error {
	err := u.Service.Start(ctx)
	if err == nil {
		err = u.well(ctx, p.To, cmp.Or(u.Patience, patience))
	}
	if err == nil {
		u.Say("version %s is well", p.To)
		u.prune(p)
		return u.forget()
	}
	return errors.Join(fmt.Errorf("version %s is not well: %w", p.To, err), u.back(ctx, p))
}

// take copies a bundle to where only root writes, checks it there, and unpacks it.
func (u *Updater) take(file string) (m Manifest, err error) {
	if err := os.MkdirAll(u.at("versions"), 0o755); err != nil {
		return m, err
	}
	in, err := os.Open(file)
	if err != nil {
		return m, err
	}
	defer in.Close()
	own, err := os.CreateTemp(u.Root, ".bundle-")
	if err != nil {
		return m, err
	}
	defer os.Remove(own.Name())
	defer own.Close()
	if _, err := io.Copy(own, io.LimitReader(in, 2*mostProgram)); err != nil {
		return m, err
	}
	if _, err := own.Seek(0, io.SeekStart); err != nil {
		return m, err
	}
	if err := check(own, u.Keys); err != nil {
		return m, err
	}
	part, err := os.MkdirTemp(u.at("versions"), ".part-")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(part)
	if m, err = unpack(own, part); err != nil {
		return m, err
	}
	switch runs := cmp.Or(u.current(), u.Own); {
	case m.Arch != Arch():
		return m, fmt.Errorf("%w: for %s, and this is %s", ErrOther, m.Arch, Arch())
	case !newer(m.Version, runs):
		return m, fmt.Errorf("%w: version %s, and %s runs", ErrOlder, m.Version, runs)
	}
	to := u.at("versions", m.Version)
	if err := errors.Join(os.Chmod(part, 0o755), os.RemoveAll(to), os.Rename(part, to)); err != nil {
		return m, err
	}
	return m, syncFolder(u.at("versions"))
}

// prove runs the new programs without using them: they run on this machine,
// are what they say, and take this kiosk's configuration.
func (u *Updater) prove(ctx context.Context, version string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	bin := u.at("versions", version, "kioskd")
	for name, ask := range map[string]string{"kioskd": "-version", "kioskctl": "version"} { // the second one brings an interrupted update to its end
		out, err := exec.CommandContext(ctx, u.at("versions", version, name), ask).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), name+" "+version+",") {
			return errors.Join(fmt.Errorf("%s says that it is %.60q", name, out), err)
		}
	}
	if out, err := exec.CommandContext(ctx, bin, "-check", "-config", u.Config).CombinedOutput(); err != nil {
		return fmt.Errorf("it does not take the configuration: %s", strings.TrimSpace(string(out)))
	}
	return nil
}

// prepare copies the ledger, which nobody has open, and notes what is about to
// happen.
func (u *Updater) prepare(ctx context.Context, p *pending) error {
	ledger := filepath.Join(u.Data, daemon.LedgerFile)
	if _, err := os.Stat(ledger); err == nil {
		p.Copy = fmt.Sprintf("%s.before-update-%s", ledger, p.To)
		if err := os.Remove(p.Copy); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		r, err := sqlite.OpenReadOnly(ctx, ledger)
		if err != nil {
			return err
		}
		err = r.Backup(ctx, p.Copy)
		if err == nil {
			p.Entries, err = sqlite.Rows(ctx, p.Copy)
		}
		if err = errors.Join(err, r.Close(), u.give(p.Copy)); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return config.Write(u.at("pending.json"), raw)
}

// give makes a file the data folder's owner's.
func (u *Updater) give(path string) error {
	info, err := os.Stat(u.Data)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(path, int(st.Uid), int(st.Gid))
}

// link makes a version the current one; an empty one is the package's own.
func (u *Updater) link(version string) error {
	if version == "" {
		if err := os.Remove(u.at("current")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return syncFolder(u.Root)
	}
	next := u.at(".next")
	os.Remove(next)
	if err := os.Symlink(filepath.Join("versions", version), next); err != nil {
		return err
	}
	if err := os.Rename(next, u.at("current")); err != nil {
		return err
	}
	return syncFolder(u.Root)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// well waits until a version runs and answers for its ledger.
func (u *Updater) well(ctx context.Context, version string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		var s control.Status
		c, err := control.Dial(u.Data)
		if err == nil {
			s, err = c.Status(ctx)
		}
		switch {
		case err == nil && s.Version == version:
			return nil
		case err == nil:
			err = fmt.Errorf("version %s answers", s.Version)
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// back starts the version of before again, with the ledger of before if the new
// version has changed it to what the old one does not read. It never does so
// if something was recorded since: then the new version stays.
func (u *Updater) back(ctx context.Context, p pending) error {
	if err := u.Service.Stop(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop: %w", err), u.Service.Start(ctx))
	}
	if err := u.ledgerBack(ctx, p); err != nil {
		return errors.Join(fmt.Errorf("there is no way back: %w", err), u.Service.Start(ctx))
	}
	if err := errors.Join(u.link(p.From), u.forget(), u.Service.Start(ctx)); err != nil {
		return err
	}
	runs := cmp.Or(p.From, u.Own)
	if err := u.well(ctx, runs, patience); err != nil {
		return fmt.Errorf("version %s, to which it went back: %w", runs, err)
	}
	u.Say("version %s runs again", runs)
	return os.RemoveAll(u.at("versions", p.To))
}

func (u *Updater) ledgerBack(ctx context.Context, p pending) error {
	if p.Copy == "" {
		return nil
	}
	ledger := filepath.Join(u.Data, daemon.LedgerFile)
	was, err := sqlite.Version(ctx, p.Copy)
	if err != nil {
		return fmt.Errorf("the ledger's copy: %w", err)
	}
	// It is the new version's program that asks after an interruption: what it
	// can open tells nothing of what the old one can.
	if is, err := sqlite.Version(ctx, ledger); err != nil || is <= was {
		return nil // what can't be read the old version rescues
	}
	now, err := sqlite.Rows(ctx, ledger)
	if err != nil {
		return err
	}
	if now != p.Entries {
		return fmt.Errorf("%d entries and outcomes were recorded since, which the version of before would lose", now-p.Entries)
	}
	return errors.Join(sqlite.Replace(ledger, p.Copy), u.give(ledger))
}

// forget notes that no switch is under way.
func (u *Updater) forget() error {
	if err := os.Remove(u.at("pending.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// prune removes versions that neither run nor ran just before, and the ledger's
// copies from before earlier updates.
func (u *Updater) prune(p pending) {
	copies, _ := filepath.Glob(filepath.Join(u.Data, daemon.LedgerFile+".before-update-*")) // the pattern is good
	for _, c := range copies {
		own := strings.TrimSuffix(strings.TrimSuffix(c, "-wal"), "-shm")
		if p.Copy != "" && own != p.Copy {
			os.Remove(c)
		}
	}
	list, _ := os.ReadDir(u.at("versions")) // what stays costs room, and that is all
	for _, v := range list {
		if v.Name() != p.To && v.Name() != p.From {
			os.RemoveAll(u.at("versions", v.Name()))
		}
	}
}
