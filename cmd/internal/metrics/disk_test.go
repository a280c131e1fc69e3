package metrics

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

func TestDisk(t *testing.T) {
	m := New(status)
	if d := m.Disk(); d.Stored != 0 || d.Worst != 0 {
		t.Errorf("before any write: %+v", d)
	}
	for n := range 3 * lately {
		m.disk.wrote(time.Duration(n) * time.Millisecond)
	}
	if d := m.Disk(); d.Stored != 3*lately || d.Worst != .299 || d.Median != .25 {
		t.Errorf("Disk() = %+v; want the last hundred", d)
	}
}

// TestWritten: what a real ledger writes is counted.
func TestWritten(t *testing.T) {
	dir, err := os.MkdirTemp(".", "disk-") // the temporary folder may be in memory
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	if _, ok := Written(); !ok {
		t.Skip("no /proc/self/io here")
	}
	m := New(status)
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n := range 20 {
		e := kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning)
		if err := m.Ledger(s).Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if d := m.Disk(); d.Stored != 20 || d.Median <= 0 || d.Written < 20*2048 {
		t.Errorf("Disk() = %+v; want at least a page for each of 20 entries", d)
	}
}
