package sqlite_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestPINs: what was accepted is known again, over a restart, and is not on
// disk as it is.
func TestPINs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CheckPIN(t.Context(), "C1", "1234"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("CheckPIN() of nobody = %v", err)
	}
	const first, second = "PIN-8841-first", "PIN-2207-second"
	for _, pin := range []string{first, second, second} {
		if err := s.KeepPIN(t.Context(), "C1", pin); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(first)) || bytes.Contains(raw, []byte(second)) {
		t.Error("the file holds the PIN itself")
	}
	if s, err = sqlite.Open(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for pin, want := range map[string]bool{first: false, second: true, "": false} {
		if ok, err := s.CheckPIN(t.Context(), "C1", pin); ok != want || err != nil {
			t.Errorf("CheckPIN(%q) = %v, %v; want %v", pin, ok, err, want)
		}
	}
	// One that was accepted is forgotten once it is refused; others may be.
	for _, refused := range []struct {
		pin  string
		left bool
	}{{first, true}, {second, false}, {second, false}} {
		if err := s.RefusePIN(t.Context(), "C1", refused.pin); err != nil {
			t.Errorf("RefusePIN(%q) = %v", refused.pin, err)
		}
		if ok, err := s.CheckPIN(t.Context(), "C1", second); ok != refused.left || ok == errors.Is(err, kiosk.ErrUnknown) {
			t.Errorf("CheckPIN() after %q was refused = %v, %v; want %v", refused.pin, ok, err, refused.left)
		}
	}
}
