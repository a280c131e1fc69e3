package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

func logOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	must(t, err)
	return info.Size()
}

// lend lends items that were not lent before, from one number to another.
func lend(t *testing.T, s *Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		must(t, s.Record(t.Context(), kiosktest.As(kiosktest.Checkout(n, n, n%7), kiosk.Offline, kiosktest.Morning)))
	}
}

// holds tells that all are there, and nothing is wrong.
func holds(t *testing.T, s *Store, n int) {
	t.Helper()
	sound(t, s)
	if c, err := s.Counts(t.Context()); c.Entries != n || c.Outbox != n || c.Loans != n || err != nil {
		t.Fatalf("Counts() = %+v, %v; want %d entries, queued and lent", c, err, n)
	}
}

// TestLogIsLongBeforehand: once the desk was quiet, no commit lets the log grow.
func TestLogIsLongBeforehand(t *testing.T) {
	f := newFile(t)
	lend(t, f.Store, 0, 20)
	must(t, f.Tidy(t.Context()))
	if got := logOf(t, f.path); got != logLength {
		t.Fatalf("the log has %d bytes after Tidy; want %d", got, logLength)
	}
	for _, n := range []int{60, 100} { // the second from the log's beginning again
		lend(t, f.Store, n-40, n)
		must(t, f.Tidy(t.Context()))
		if got := logOf(t, f.path); got != logLength {
			t.Errorf("the log has grown to %d bytes", got)
		}
	}
	holds(t, f.Store, 100)
	must(t, f.Store.Close())
	s := opened(t, f.path)
	defer s.Close()
	holds(t, s, 100)
	must(t, s.fold()) // as after a list
	lend(t, s, 100, 105)
	must(t, s.Tidy(t.Context()))
	if got := logOf(t, f.path); got != logLength {
		t.Errorf("the log has %d bytes after it was cut and Tidy; want %d", got, logLength)
	}
	holds(t, s, 105)
}

// TestLongLogAfterPowerLoss: what the log holds before its zeros is found, from
// a copy of the files as they lie on the disk.
func TestLongLogAfterPowerLoss(t *testing.T) {
	f := newFile(t)
	lend(t, f.Store, 0, 3)
	<-f.stirred
	must(t, f.stretch(t.Context())) // nothing is folded in
	lend(t, f.Store, 3, 10)
	path := filepath.Join(t.TempDir(), "ledger.db")
	for _, end := range []string{"", "-wal"} {
		raw, err := os.ReadFile(f.path + end)
		must(t, err)
		must(t, os.WriteFile(path+end, raw, 0o600))
	}
	if got := logOf(t, path); got != logLength {
		t.Fatalf("the copied log has %d bytes; want %d", got, logLength)
	}
	s := opened(t, path)
	defer s.Close()
	holds(t, s, 10)
}

// TestStretchGivesWay: who wants to borrow does not wait for it.
func TestStretchGivesWay(t *testing.T) {
	f := newFile(t)
	lend(t, f.Store, 0, 1) // leaves word that somebody wrote
	before := logOf(t, f.path)
	must(t, f.stretch(t.Context()))
	if got := logOf(t, f.path); got != before {
		t.Errorf("the log went from %d to %d bytes although somebody writes", before, got)
	}
	<-f.stirred
	ended, end := context.WithCancel(t.Context())
	end()
	must(t, f.stretch(ended))
	if got := logOf(t, f.path); got != before {
		t.Errorf("the log went from %d to %d bytes after the end", before, got)
	}
}

// TestSmallDiskIsForLoans: where there is little room the log takes none of it.
func TestSmallDiskIsForLoans(t *testing.T) {
	path := filepath.Join(mountTmpfs(t), "ledger.db")
	s := opened(t, path)
	defer s.Close()
	lend(t, s, 0, 5)
	before := logOf(t, path)
	must(t, s.Tidy(t.Context()))
	if got := logOf(t, path); got != before {
		t.Errorf("the log went from %d to %d bytes on a disk of one megabyte", before, got)
	}
	holds(t, s, 5)
}
