package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// fill records until the ledger refuses; it gives the number of the entry
// that was refused, and why.
func fill(s *Store, from int) (int, error) {
	for n := from; n < from+100_000; n++ {
		e := kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning)
		if err := s.Record(context.Background(), e); err != nil {
			return n, err
		}
	}
	return 0, errors.New("it never was full")
}

// unchanged tells what is wrong with a ledger after entry n was refused:
// everything before it must be there and nothing of it.
func unchanged(ctx context.Context, s *Store, n int) error {
	if _, err := s.Loan(ctx, kiosktest.Barcode(n)); !errors.Is(err, kiosk.ErrUnknown) {
		return fmt.Errorf("the refused entry made a loan: %v", err)
	}
	c, err := s.Counts(ctx)
	if err != nil || c.Entries != n || c.Outbox != n || c.Loans != n {
		return fmt.Errorf("counts are %+v, %v; want %d entries, queued and lent", c, err, n)
	}
	wrong, err := s.Check(ctx)
	if len(wrong) > 0 || err != nil {
		return fmt.Errorf("Check() = %q, %v", wrong, err)
	}
	return nil
}

func TestFullDatabase(t *testing.T) {
	f := newFile(t)
	for round := range 2 {
		_, err := f.conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count=%d", 60+round*40))
		must(t, err)
		c, err := f.Counts(t.Context())
		must(t, err)
		n, err := fill(f.Store, c.Entries)
		if !errors.Is(err, ErrFull) {
			t.Fatalf("Record in a full database: %v; want ErrFull", err)
		}
		must(t, unchanged(t.Context(), f.Store, n))
		if err := f.Probe(t.Context()); !errors.Is(err, ErrFull) {
			t.Errorf("Probe of a full database: %v; want ErrFull", err)
		}
		e := kiosktest.Checkout(0, 0, 0)
		if err := f.Conclude(t.Context(), kiosk.Outcome{Entry: e.ID, State: kiosk.Settled, At: e.At}); round == 0 && err != nil {
			t.Errorf("Conclude, which needs no new page: %v", err)
		}
		must(t, f.Conclude(t.Context(), kiosk.Outcome{Entry: e.ID, State: kiosk.Exception, At: e.At}))
		_, err = f.conn.ExecContext(t.Context(), "PRAGMA max_page_count=100000")
		must(t, err)
		must(t, f.Probe(t.Context()))
		must(t, f.Conclude(t.Context(), kiosk.Outcome{Entry: e.ID, State: kiosk.Offline, At: e.At}))
		must(t, f.Record(t.Context(), kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning)))
	}
}

// TestFullDisk fills a real file system of one megabyte.
func TestFullDisk(t *testing.T) {
	dir := mountTmpfs(t)
	ballast := filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 200<<10), 0o600))
	path := filepath.Join(dir, "ledger.db")
	s := opened(t, path)
	defer s.Close()
	n, err := fill(s, 0)
	if !errors.Is(err, ErrFull) {
		t.Fatalf("Record on a full disk: %v; want ErrFull", err)
	}
	must(t, unchanged(t.Context(), s, n))
	if err := s.Backup(t.Context(), filepath.Join(dir, "copy.db")); err == nil {
		t.Error("Backup to a full disk gave no error")
	}
	must(t, os.Remove(ballast))
	if again, err := fill(s, n); !errors.Is(err, ErrFull) || again == n {
		t.Fatalf("with room again %d entries went in, then %v", again-n, err)
	}
}

// lacks skips a test that needs root, or fails it where that is required.
func lacks(t *testing.T, why string) {
	t.Helper()
	if strings.Contains(os.Getenv("CARREL_REQUIRE"), "root") {
		t.Fatal(why)
	}
	t.Skip(why)
}

func mountTmpfs(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		lacks(t, "only root can mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("carrel-test", dir, "tmpfs", 0, "size=1m"); err != nil {
		lacks(t, fmt.Sprintf("can't mount a tmpfs here: %v", err))
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// recordUpToLimit fills a ledger under a limit on the size of files, which
// the system enforces as it does a quota: in the middle of a write.
func recordUpToLimit(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	defer s.Close()
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	tight := syscall.Rlimit{Cur: 500_000, Max: was.Max} // bytes
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
		return err
	}
	n, err := fill(s, 0)
	if !errors.Is(err, ErrFull) && !errors.Is(err, ErrDisk) {
		return fmt.Errorf("record beyond the limit: %w; want ErrFull or ErrDisk", err)
	}
	if n < 10 {
		return fmt.Errorf("only %d entries went in", n)
	}
	if err := unchanged(ctx, s, n); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	return s.Record(ctx, kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning))
}

func TestFileLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	c, _, errs := child(t, "limit", path)
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, errs)
	}
	s := opened(t, path)
	defer s.Close()
	sound(t, s)
}

func TestReadOnly(t *testing.T) {
	f := newFile(t)
	e := kiosktest.Checkout(1, 1, 1)
	_, err := f.conn.ExecContext(t.Context(), "PRAGMA query_only=1")
	must(t, err)
	if err := f.Record(t.Context(), e); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Record where nothing may be written: %v; want ErrReadOnly", err)
	}
	_, err = f.conn.ExecContext(t.Context(), "PRAGMA query_only=0")
	must(t, err)
	must(t, f.Record(t.Context(), e))
}

func TestReadOnlyDisk(t *testing.T) {
	dir := mountTmpfs(t)
	path := filepath.Join(dir, "ledger.db")
	must(t, opened(t, path).Close())
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Open on a read-only disk: %v; want ErrReadOnly", err)
	}
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
	must(t, opened(t, path).Close())
}

// TestRescueOnFullDisk: where there is no room for a copy it is not passed over,
// and the damaged ledger stays as it is until there is.
func TestRescueOnFullDisk(t *testing.T) {
	dir := mountTmpfs(t) // of a megabyte: an empty ledger has room
	path, good := filepath.Join(dir, "ledger.db"), filepath.Join(t.TempDir(), "good.db")
	s := opened(t, filepath.Join(t.TempDir(), "ledger.db"))
	for n := 1; n <= 20; n++ {
		must(t, s.Record(t.Context(), kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning)))
	}
	must(t, s.PutSetting(t.Context(), "photo", make([]byte, 2<<20), kiosk.Act{At: kiosktest.Morning, Name: "Ann", What: "setting"}))
	must(t, s.Backup(t.Context(), good))
	must(t, s.Close())
	must(t, os.WriteFile(path, bytes.Repeat([]byte("rubbish "), 1000), 0o600))
	if a, err := Rescue(t.Context(), path, "test", []string{good}, time.Now()); !errors.Is(err, ErrFull) {
		t.Fatalf("Rescue() on a full disk = %+v, %v; want ErrFull", a, err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(b, []byte("rubbish")) {
		t.Errorf("the damaged file is another: %v", err)
	}
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=64m"))
	if a, err := Rescue(t.Context(), path, "test", []string{good}, time.Now()); err != nil || a.Entries != 20 || a.Backup != "good.db" {
		t.Errorf("Rescue() with room = %+v, %v", a, err)
	}
}

// TestRunOnFullDisk: what can't be tidied is reported once, and again when it
// can; it never ends the daemon.
func TestRunOnFullDisk(t *testing.T) {
	dir := mountTmpfs(t)
	ballast := filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 200<<10), 0o600))
	s := opened(t, filepath.Join(dir, "ledger.db"))
	if n, err := fill(s, 0); n == 0 {
		t.Fatal(err)
	}
	must(t, s.LearnPatron(t.Context(), kiosk.Patron{Card: "x", FamilyName: "y"}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	reports := make(chan error, 10)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, func(err error) { reports <- err }) }()
	select {
	case err := <-reports:
		if err == nil {
			t.Error("Run reports that all is well")
		}
	case err := <-ended:
		t.Fatalf("Run() = %v on a full disk; want it to go on", err)
	}
	cancel()
	must(t, <-ended)
	must(t, s.Close())
}
