package sim_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/sim"
)

func newPty(t *testing.T, name string) *sim.Pty {
	t.Helper()
	p, err := sim.NewPty(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func openPort(t *testing.T, path string) drivers.Link {
	t.Helper()
	l, err := link.Open(t.Context(), link.Config{Path: path, Baud: 9600, DataBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.Patience(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestPty: another program reads what was scanned, also what came before it
// opened the port, and sees the scanner being pulled out.
func TestPty(t *testing.T) {
	name := filepath.Join(t.TempDir(), "scanner")
	p := newPty(t, name)
	p.Suffix = "\r\n"
	for range 2 {
		if err := p.Scan("before\x03\x04"); err != nil {
			t.Fatal(err)
		}
		l := openPort(t, p.Path())
		buf := make([]byte, 64)
		n, err := l.Read(buf)
		if got, want := string(buf[:n]), "before\x03\x04\r\n"; got != want {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
		if err := p.Plug(false); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Read(buf); !errors.Is(err, drivers.ErrGone) {
			t.Errorf("read of an unplugged scanner: %v; want ErrGone", err)
		}
		if err := p.Scan("x"); !errors.Is(err, sim.ErrUnplugged) {
			t.Errorf("Scan() unplugged = %v", err)
		}
		if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the link is there while the scanner is not: %v", err)
		}
		if err := p.Plug(true); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPtyUnread: a program that does not read stops nobody for ever.
func TestPtyUnread(t *testing.T) {
	p := newPty(t, "")
	var err error
	for n := 0; n < 100 && err == nil; n++ {
		err = p.Scan(strings.Repeat("9", 1000))
	}
	if !errors.Is(err, sim.ErrUnread) {
		t.Errorf("Scan() into a full port = %v; want ErrUnread", err)
	}
}

func TestPtyLeavesFilesAlone(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := sim.NewPty(name); err == nil {
		p.Close()
		t.Error("a file was replaced by a port")
	}
	if raw, err := os.ReadFile(name); string(raw) != "mine" {
		t.Errorf("the file holds %q, %v", raw, err)
	}
}
