package sqlite

import (
	"errors"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestModes(t *testing.T) {
	ctx, s := t.Context(), newFile(t).Store
	if m, err := s.Mode(ctx, "2001"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Fatalf("Mode of a card that chose nothing: %q, %v", m, err)
	}
	for _, mode := range []string{"calm", "calm.large", "standard.contrast"} {
		if err := s.KeepMode(ctx, "2001", mode); err != nil {
			t.Fatal(err)
		}
		if m, err := s.Mode(ctx, "2001"); err != nil || m != mode {
			t.Errorf("Mode() = %q, %v; want %q", m, err, mode)
		}
	}
	if _, err := s.Mode(ctx, "2002"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("another card has it too: %v", err)
	}
	if err := s.KeepMode(ctx, "2001", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Mode(ctx, "2001"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("it is not forgotten: %v", err)
	}
}
