package update

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

func TestNewer(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"1.1", "1.0", true}, {"1.0", "1.1", false}, {"1.10", "1.9", true}, {"1.0.0", "1", false}, {"1", "1.0.1", false},
		{"2", "development", true}, {"x", "1", false}, {"1.0", "1.0", false}, {"1..2", "0", false},
	} {
		if got := newer(tt.a, tt.b); got != tt.want {
			t.Errorf("newer(%s, %s) = %v", tt.a, tt.b, got)
		}
	}
}

// site is a kiosk in a folder of its own, with a service that a test runs.
type site struct {
	*Updater
	t       *testing.T
	dir     string
	key     ed25519.PrivateKey
	running *exec.Cmd
	starts  []string             // versions, in order
	before  func(version string) // each start
	said    []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.key = key
	data := filepath.Join(s.dir, "data")
	s.Updater = &Updater{Root: filepath.Join(s.dir, "root"), Config: filepath.Join(s.dir, "kiosk.toml"), Data: data, Own: "0.9",
		Keys: []ed25519.PublicKey{pub}, Service: s, Patience: time.Minute, Say: func(f string, a ...any) { s.said = append(s.said, fmt.Sprintf(f, a...)) }}
	if err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(s.Config, fmt.Appendf(nil, "[kiosk]\nname = \"k\"\ndata = %q\nlisten = \"127.0.0.1:0\"\n", data), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	return s
}

func (s *site) Stop(context.Context) error {
	if s.running != nil {
		s.running.Process.Signal(syscall.SIGTERM)
		s.running.Wait()
		s.running = nil
	}
	return nil
}

func (s *site) Start(context.Context) error {
	bin := filepath.Join(s.Root, "current", "kioskd")
	v := s.current()
	s.starts = append(s.starts, v)
	if s.before != nil {
		s.before(v)
	}
	s.running = exec.Command(bin, "-config", s.Config)
	s.running.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return s.running.Start()
}

// built builds a real kioskd of a version; kioskctl is not run here.
func built(t *testing.T, version string) string {
	t.Helper()
	dir := scripted(t, version, "exit 1")
	os.Remove(filepath.Join(dir, "kioskd"))
	build := exec.Command("go", "build", "-ldflags", "-s -w -X github.com/carrel-kiosk/carrel/cmd/internal/cli.Version="+version, "-o", filepath.Join(dir, "kioskd"), "../../kioskd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // no device is read here, and it builds sooner
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

// scripted are programs that say they are a version, and run so.
func scripted(t *testing.T, version, run string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("#!/bin/sh\ncase $1 in\n-version) echo 'kioskd %s, x' ;;\nversion) echo 'kioskctl %s, x' ;;\n-check) exit 0 ;;\n*) %s ;;\nesac\n", version, version, run)
	for _, name := range Programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (s *site) bundle(folder string, m Manifest) string {
	s.t.Helper()
	file := filepath.Join(s.dir, m.Version+".carrel")
	if err := Pack(file, m, folder, s.key); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// TestUpdate changes between two real builds of the kiosk, and goes back from
// what does not work, with each loan.
func TestUpdate(t *testing.T) {
	s := newSite(t)
	first, second := built(t, "1.0"), built(t, "1.1")
	small := scripted(t, "1.1", "exit 1") // what is refused is never run
	ctx := t.Context()
	file := s.bundle(first, Manifest{"1.0", Arch()})
	if v, err := s.Apply(ctx, file); err != nil || v != "1.0" {
		t.Fatalf("the first: %q, %v", v, err)
	}
	s.Stop(ctx)
	store, err := sqlite.Open(ctx, filepath.Join(s.Data, daemon.LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 20; n++ {
		if err := store.Record(ctx, kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning)); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	s.Start(ctx)
	loans := func(what string) {
		t.Helper()
		r, err := sqlite.OpenReadOnly(ctx, filepath.Join(s.Data, daemon.LedgerFile))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer r.Close()
		if c, err := r.Counts(ctx); err != nil || c.Entries != 20 || c.Loans != 20 {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}

	raw, err := os.ReadFile(s.bundle(small, Manifest{"1.1", Arch()}))
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(s.dir, "bad.carrel")
	for _, at := range []int{0, len(intro) + 3, len(intro) + 200, len(raw) / 2, len(raw) - 1} {
		b := append([]byte{}, raw...)
		b[at] ^= 1
		os.WriteFile(bad, b, 0o600)
		if _, err := s.Apply(ctx, bad); err == nil {
			t.Errorf("a bundle with byte %d changed is taken", at)
		}
	}
	_, strange, _ := ed25519.GenerateKey(nil)
	if err := Pack(bad, Manifest{"1.1", Arch()}, small, strange); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(ctx, bad); !errors.Is(err, ErrSignature) {
		t.Errorf("of a strange key: %v", err)
	}
	if _, err := s.Apply(ctx, s.bundle(small, Manifest{"0.9.9", Arch()})); !errors.Is(err, ErrOlder) {
		t.Errorf("an older one: %v", err)
	}
	if _, err := s.Apply(ctx, s.bundle(small, Manifest{"1.2", "pdp11"})); !errors.Is(err, ErrOther) {
		t.Errorf("of another machine: %v", err)
	}
	if _, err := s.Apply(ctx, s.bundle(small, Manifest{"1.3", Arch()})); err == nil || !strings.Contains(err.Error(), "says that it is") {
		t.Errorf("what is not what it says: %v", err)
	}
	if s.current() != "1.0" || len(s.starts) != 2 {
		t.Fatalf("what was refused had effects: %s runs, starts %q", s.current(), s.starts)
	}

	// One that does not start, and has made of the ledger what the old one does not read.
	s.Patience = 2 * time.Second
	s.before = func(version string) {
		if version == "1.4" {
			newerLedger(t, filepath.Join(s.Data, daemon.LedgerFile))
		}
	}
	if _, err := s.Apply(ctx, s.bundle(scripted(t, "1.4", "exit 1"), Manifest{"1.4", Arch()})); err == nil || !strings.Contains(err.Error(), "not well") {
		t.Errorf("one that does not start: %v", err)
	}
	if err := s.well(ctx, "1.0", time.Minute); err != nil || s.current() != "1.0" {
		t.Fatalf("after it %s runs, %v; said %q", s.current(), err, s.said)
	}
	loans("after going back")

	s.Patience = time.Minute
	if v, err := s.Apply(ctx, s.bundle(second, Manifest{"1.1", Arch()})); err != nil || v != "1.1" || s.current() != "1.1" {
		t.Fatalf("the second: %q, %v", v, err)
	}
	loans("after the update")
	if list, _ := os.ReadDir(s.at("versions")); len(list) != 2 {
		t.Errorf("%d versions are kept; want this one and the one before", len(list))
	}
	t.Run("resume", func(t *testing.T) { resume(t, file, s) })
}

// newerLedger is what a newer version leaves.
func newerLedger(t *testing.T, path string) {
	t.Helper()
	is, err := sqlite.Version(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	versioned(t, path, is+1)
}

// versioned makes a ledger that of a version.
func versioned(t *testing.T, path string, version int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(fmt.Sprintf(`
DELETE FROM migrations WHERE version > %d;
INSERT INTO migrations SELECT max(version) + 1 FROM migrations HAVING max(version) + 1 = %[1]d;
PRAGMA user_version=%[1]d`, version))
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// resume: an update that lost its power goes on at the next start of the
// machine, or back.
func resume(t *testing.T, first string, from *site) {
	ctx := t.Context()
	s := newSite(t)
	s.Keys, s.key = from.Keys, from.key
	if err := s.Resume(ctx); err != nil {
		t.Errorf("with nothing to do: %v", err)
	}
	if _, err := s.Apply(ctx, first); err != nil {
		t.Fatal(err)
	}
	s.Stop(ctx)
	if m, err := s.take(s.bundle(scripted(t, "1.1", "exit 1"), Manifest{"1.1", Arch()})); err != nil || m.Version != "1.1" {
		t.Fatal(m, err)
	}
	p := pending{From: "1.0", To: "1.1"}
	if err := s.prepare(ctx, &p); err != nil {
		t.Fatal(err)
	}
	if err := s.Resume(ctx); err != nil || s.current() != "1.0" {
		t.Errorf("cut off before the switch: %s runs, %v", s.current(), err)
	}
	s.Stop(ctx)
	if err := errors.Join(s.prepare(ctx, &p), s.link("1.1")); err != nil {
		t.Fatal(err)
	}
	s.Patience = 2 * time.Second
	if err := s.Resume(ctx); err == nil || s.current() != "1.0" {
		t.Errorf("cut off after the switch to what does not work: %s runs, %v", s.current(), err)
	}
	if err := s.Resume(ctx); err != nil {
		t.Errorf("again: %v", err)
	}
}

// TestLedgerBackByTheNewProgram: it is the new version's program that goes back
// after an interruption. That it reads the ledger which the new version has
// made says nothing of the old one.
func TestLedgerBackByTheNewProgram(t *testing.T) {
	ctx := t.Context()
	s := newSite(t)
	ledger := filepath.Join(s.Data, daemon.LedgerFile)
	store, err := sqlite.Open(ctx, ledger)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(store.Record(ctx, kiosktest.Checkout(1, 1, 1)), store.Close(), os.MkdirAll(s.Root, 0o755)); err != nil {
		t.Fatal(err)
	}
	now, err := sqlite.Version(ctx, ledger)
	if err != nil || now < 2 {
		t.Fatalf("Version() = %d, %v", now, err)
	}
	p := pending{To: "2"}
	if err := s.prepare(ctx, &p); err != nil {
		t.Fatal(err)
	}
	kept := func(want int) {
		t.Helper()
		if v, err := sqlite.Version(ctx, ledger); err != nil || v != want {
			t.Errorf("the ledger has version %d, %v; want %d", v, err, want)
		}
		if n, err := sqlite.Rows(ctx, ledger); err != nil || n != p.Entries {
			t.Errorf("the ledger has %d entries and outcomes, %v; want %d", n, err, p.Entries)
		}
	}
	if err := s.ledgerBack(ctx, p); err != nil {
		t.Errorf("with the same version: %v", err)
	}
	kept(now)
	versioned(t, p.Copy, now-1)
	if err := s.ledgerBack(ctx, p); err != nil {
		t.Errorf("with an older copy: %v", err)
	}
	kept(now - 1)
}

// unit is a service of which a test wants to know that it was started at last.
type unit struct {
	stopping func() error
	runs     bool
}

func (u *unit) Stop(context.Context) error {
	u.runs = false
	return u.stopping()
}

func (u *unit) Start(ctx context.Context) error {
	u.runs = ctx.Err() == nil
	return ctx.Err()
}

// TestKioskRunsAfterAll: whoever gives up an update when the kiosk has been
// stopped for it, and whatever goes wrong then, leaves one that runs.
func TestKioskRunsAfterAll(t *testing.T) {
	for what, hangs := range map[string]error{"given up": nil, "not stopped": errors.New("it hangs")} {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSite(t)
		desk := &unit{runs: true, stopping: func() error { cancel(); return hangs }}
		s.Service = desk
		os.WriteFile(filepath.Join(s.Data, daemon.LedgerFile), []byte("no ledger, so that it ends there"), 0o600)
		_, err := s.Apply(ctx, s.bundle(scripted(t, "1.1", "exit 1"), Manifest{"1.1", Arch()}))
		if err == nil || !desk.runs || s.current() != "" {
			t.Errorf("%s: Apply() = %v; the kiosk runs: %t, as %q", what, err, desk.runs, s.current())
		}
		cancel()
	}
}

// TestBackWithoutNote: a note of the switch that is gone does not keep the kiosk
// from being started.
func TestBackWithoutNote(t *testing.T) {
	s := newSite(t)
	desk := &unit{stopping: func() error { return nil }}
	s.Service = desk
	os.MkdirAll(s.Root, 0o755)
	synctest.Test(t, func(t *testing.T) { // it is waited for, in vain
		if err := s.back(t.Context(), pending{To: "1.1"}); err == nil || !desk.runs {
			t.Errorf("back() = %v; it runs: %t", err, desk.runs)
		}
	})
}

// TestOneUpdateAtATime: the unit that ends an interrupted update and the one
// that takes the next may be started at once; they take turns.
func TestOneUpdateAtATime(t *testing.T) {
	s := newSite(t)
	synctest.Test(t, func(t *testing.T) {
		done, err := s.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 2)
		go func() { ended <- s.Resume(t.Context()) }()
		go func() { _, err := s.Apply(t.Context(), filepath.Join(s.dir, "nothing")); ended <- err }()
		time.Sleep(time.Minute)
		if len(ended) != 0 {
			t.Error("an update does not wait for another one")
		}
		if err := done(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if len(ended) != 2 {
			t.Fatalf("%d of 2 went on", len(ended))
		}
		done, err = s.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		if err := s.Resume(t.Context()); err == nil || !strings.Contains(err.Error(), "under way") {
			t.Errorf("behind one that never ends: %v", err)
		}
	})
}

// TestPruneCopies: of the ledger's copies from before updates the newest stays.
func TestPruneCopies(t *testing.T) {
	s := newSite(t)
	at := func(name string) string { return filepath.Join(s.Data, daemon.LedgerFile+name) }
	stay := []string{".before-update-1.1", ".before-update-1.1-wal", ".before-restore", ""}
	for _, name := range append(stay, ".before-update-1.0", ".before-update-1.0-shm", ".before-update-1.10") {
		os.WriteFile(at(name), nil, 0o600)
	}
	s.prune(pending{To: "1.1"})
	s.prune(pending{To: "1.1", Copy: at(".before-update-1.1")})
	list, err := os.ReadDir(s.Data)
	if err != nil || len(list) != len(stay) {
		t.Errorf("%v, %v; want %q", list, err, stay)
	}
	for _, name := range stay {
		if _, err := os.Stat(at(name)); err != nil {
			t.Error(err)
		}
	}
}

// TestNoWayBack: where something was recorded by the new version, it stays.
func TestNoWayBack(t *testing.T) {
	ctx := t.Context()
	s := newSite(t)
	ledger := filepath.Join(s.Data, daemon.LedgerFile)
	store, err := sqlite.Open(ctx, ledger)
	if err != nil {
		t.Fatal(err)
	}
	p := pending{To: "2"}
	if err := os.MkdirAll(s.Root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.prepare(ctx, &p); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(store.Record(ctx, kiosktest.Checkout(1, 1, 1)), store.Close()); err != nil {
		t.Fatal(err)
	}
	newerLedger(t, ledger)
	if err := s.ledgerBack(ctx, p); err == nil || !strings.Contains(err.Error(), "would lose") {
		t.Errorf("ledgerBack() = %v", err)
	}
}

// FuzzUnpack: whatever an archive holds, nothing is written but the programs.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		to := filepath.Join(dir, "to")
		os.Mkdir(to, 0o700)
		unpack(strings.NewReader(string(b)), to)
		if list, _ := os.ReadDir(dir); len(list) != 1 {
			t.Errorf("there are %d things beside", len(list)-1)
		}
	})
}
