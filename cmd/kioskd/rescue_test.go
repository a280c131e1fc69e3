package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestDamagedLedger: a kiosk whose card has spoilt its ledger starts, with each
// loan, says so until staff knows, and keeps the file; so again after a write
// has met the damage and ended the program.
func TestDamagedLedger(t *testing.T) {
	const entries = 40
	bin, dir, port := kioskd(t), t.TempDir(), freePort(t)
	conf, ledger := filepath.Join(dir, "kiosk.toml"), filepath.Join(dir, daemon.LedgerFile)
	os.WriteFile(conf, fmt.Appendf(nil, "[kiosk]\nname = \"k\"\ndata = %q\nlisten = \"127.0.0.1:%d\"\n", dir, port), 0o600)
	s, err := sqlite.Open(t.Context(), ledger)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= entries; n++ {
		if err := s.Record(t.Context(), kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning.AddDate(0, 0, 21))); err != nil {
			t.Fatal(err)
		}
	}
	os.Mkdir(filepath.Join(dir, "backup"), 0o700)
	if err := s.Backup(t.Context(), filepath.Join(dir, "backup", "ledger-Mon.db")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rot(t, ledger, string(kiosktest.Card(7)))

	c := started(t, bin, conf, port)
	st := rescuedStatus(t, dir)
	if st.Rescue == nil || st.Rescue.Entries != entries || len(st.Rescue.Lost) != 0 || st.Rescue.Backup != "ledger-Mon.db" || !strings.Contains(strings.Join(st.Needs(), "\n"), "rescue") {
		t.Fatalf("status: %+v, needs %q", st.Rescue, st.Needs())
	}
	if _, err := os.Stat(filepath.Join(dir, st.Rescue.Kept)); err != nil {
		t.Error(err)
	}
	d, err := control.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SeenRescue(t.Context(), kiosk.Act{Name: "Ann", What: "rescue.seen"}); err != nil {
		t.Error(err)
	}
	if st := rescuedStatus(t, dir); strings.Contains(strings.Join(st.Needs(), "\n"), "rescue") {
		t.Errorf("staff knows, and still it needs %q", st.Needs())
	}
	c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}

	// As a write leaves it that has met a damaged page.
	os.WriteFile(filepath.Join(dir, daemon.LedgerFile+".suspect"), nil, 0o600)
	f, err := os.OpenFile(ledger, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt(bytes.Repeat([]byte{0xee}, 2048), 36)
	f.Close()
	os.Truncate(ledger+"-wal", 0)
	c = started(t, bin, conf, port)
	if st := rescuedStatus(t, dir); st.Rescue == nil || st.Rescue.Seen || st.Rescue.Entries != entries {
		t.Errorf("the second rescue: %+v", st.Rescue)
	}
	c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// rot changes a digit of a text in a file, wherever it stands.
func rot(t *testing.T, path, text string) {
	t.Helper()
	for _, f := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b = bytes.ReplaceAll(b, []byte(text), append([]byte{'9'}, text[1:]...))
		if err := os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func started(t *testing.T, bin, conf string, port int) *exec.Cmd {
	t.Helper()
	c := exec.Command(bin, "-config", conf)
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	healthy(t, port)
	return c
}

func rescuedStatus(t *testing.T, dir string) (s control.Status) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d, err := control.Dial(dir)
	if err == nil {
		s, err = d.Status(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
	return s
}
