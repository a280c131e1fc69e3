package daemon

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestSuspectedLedger: systemd is asked for patience before the whole of a
// ledger is looked at, and a look that could not be taken is taken at the next
// start.
func TestSuspectedLedger(t *testing.T) {
	dir := t.TempDir()
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	d := &Daemon{Options: Options{Config: &config.Config{}, Log: slog.New(slog.DiscardHandler)}}
	d.Config.Kiosk.Data = dir
	suspect := filepath.Join(dir, suspectFile)
	if err := os.WriteFile(suspect, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.openLedger(t.Context()); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("openLedger() = %v; want ErrInUse", err)
	}
	if _, err := os.Stat(suspect); err != nil {
		t.Errorf("nobody has looked at it, and the mark is gone: %v", err)
	}
	systemd.SetReadDeadline(time.Now().Add(10 * time.Second)) //nolint:errcheck // then Read says so
	said := make([]byte, 1024)
	if n, err := systemd.Read(said); err != nil || !strings.Contains(string(said[:n]), "EXTEND_TIMEOUT_USEC=") {
		t.Errorf("systemd is told %q, %v", said[:n], err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = d.openLedger(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := os.Stat(suspect); err == nil {
		t.Error("it is sound, and the mark stays")
	}
}

// TestLedgerIsGone: a ledger that is not there, or has no length, comes back from
// its copies; without any it is a new one.
func TestLedgerIsGone(t *testing.T) {
	d := &Daemon{Options: Options{Config: &config.Config{}, Log: slog.New(slog.DiscardHandler)}}
	d.Config.Kiosk.Data = t.TempDir()
	ledger := filepath.Join(d.Config.Kiosk.Data, LedgerFile)
	entries := func(what string, want int) *sqlite.Store {
		t.Helper()
		s, err := d.openLedger(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if c, err := s.Counts(t.Context()); err != nil || c.Entries != want {
			t.Errorf("%s: %+v, %v; want %d entries", what, c, err, want)
		}
		return s
	}
	s := entries("a first start", 0)
	backup := filepath.Join(d.Config.Kiosk.Data, "backup")
	if err := errors.Join(s.Record(t.Context(), kiosktest.Checkout(1, 1, 1)), os.Mkdir(backup, 0o700), s.Backup(t.Context(), filepath.Join(backup, "ledger-Mon.db")), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(ledger), os.Remove(ledger+"-wal")); err != nil {
		t.Fatal(err)
	}
	s = entries("gone", 1)
	if err := errors.Join(s.Close(), os.Truncate(ledger, 0), os.Remove(ledger+"-wal")); err != nil {
		t.Fatal(err)
	}
	s = entries("empty", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRescueIsRead: staff's reading is noted under their name, and is of the
// rescue that they have seen.
func TestRescueIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), LedgerFile)
	if err := os.WriteFile(path, []byte("no ledger"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := sqlite.Rescue(t.Context(), path, "test", nil, kiosktest.Morning)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := rescues{&Daemon{store: s, clock: &timekeeper{Clock: newClock(time.UTC)}}}
	x, err := r.Rescued(t.Context())
	if err != nil || x.Seen || x.Why != "test" || x.Kept != a.Kept || x.Beyond != 0 || x.Entries != 0 {
		t.Fatalf("Rescued() = %+v, %v", x, err)
	}
	by := kiosk.Act{Badge: "S2", What: "rescue.seen"}
	if err := r.Seen(t.Context(), x.At.Add(-time.Hour), by); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("Seen() of an earlier one = %v; want ErrUnknown", err)
	}
	if err := r.Seen(t.Context(), x.At, by); err != nil {
		t.Error(err)
	}
	if x, err := r.Rescued(t.Context()); err != nil || !x.Seen {
		t.Errorf("after it %+v, %v", x, err)
	}
	if acts, err := s.Acts(t.Context(), kiosk.ActFilter{}); err != nil || len(acts) != 1 || acts[0].Badge != "S2" || acts[0].What != "rescue.seen" {
		t.Errorf("the log has %+v, %v", acts, err)
	}
}
