package sqlite

import (
	"errors"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestStaffSettings(t *testing.T) {
	f := newFile(t)
	if _, err := f.Setting(t.Context(), "board", 0); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("of nothing: %v", err)
	}
	for _, v := range []string{"one", "two", "three"} {
		if err := f.PutSetting(t.Context(), "board", []byte(v), act("board", morning)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.PutSetting(t.Context(), "other", []byte("x"), kiosk.Act{}); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("by nobody: %v", err)
	}
	if _, err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	for back, want := range []string{"three", "two", "one"} {
		if got, err := f.Setting(t.Context(), "board", back); err != nil || string(got) != want {
			t.Errorf("%d back: %q, %v", back, got, err)
		}
	}
	if _, err := f.Setting(t.Context(), "other", 0); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("what was refused is set: %v", err)
	}
	if acts, _ := f.Acts(t.Context(), kiosk.ActFilter{}); len(acts) != 3 {
		t.Errorf("%d acts", len(acts))
	}
}
