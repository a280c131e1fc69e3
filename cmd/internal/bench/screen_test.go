package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
)

// TestScreen: what is measured is a visit that was seen in a browser; the test
// is not of how long it takes.
func TestScreen(t *testing.T) {
	browsertest.Require(t)
	var log strings.Builder
	figures, err := Screen(t.Context(), ScreenOptions{Dir: t.TempDir(), Rounds: 1, Slow: 1, Pace: 100 * time.Millisecond, Log: &log})
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	touches := map[string]float64{"card, book": 0, "book, card": 0, "Borrow, card, book": 1, "animal, book": 1}
	for _, f := range figures {
		way, counted := strings.CutSuffix(f.Name, ", touches")
		if counted {
			way = strings.TrimSuffix(strings.TrimPrefix(way, "idle to lent ("), ")")
			want, known := touches[way]
			if !known || f.Value != want {
				t.Errorf("%s: %g touches; want %g", way, f.Value, want)
			}
			delete(touches, way)
		} else if f.Value <= 0 {
			t.Errorf("%s: nothing was measured", f.Name)
		}
	}
	if len(touches) > 0 {
		t.Errorf("no touches counted for %v", touches)
	}
}

// TestScreenWithoutTools: outside of the source there is no browser to measure
// with, and that is said; nothing is left behind.
func TestScreenWithoutTools(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	_, err := Screen(t.Context(), ScreenOptions{Dir: dir, Rounds: 1, Slow: 1})
	if err == nil || !strings.Contains(err.Error(), "kiosk/web/browsertest") {
		t.Errorf("Screen() = %v; want where the tools are", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestScratch(t *testing.T) {
	t.Setenv("TMPDIR", "/dev/shm")
	if _, err := os.Stat("/dev/shm"); err == nil && Scratch() != "/var/tmp" {
		t.Errorf("Scratch() = %s, which is in memory", Scratch())
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	if got := Scratch(); got != dir && got != "/var/tmp" {
		t.Errorf("Scratch() = %s; want %s", got, dir)
	}
}

func TestHand(t *testing.T) {
	j := journeys[2]("1", "2")
	if got, want := j.hand(), handTouch+2*handScan; got != want {
		t.Errorf("%s: the hand needs %s; want %s", j.Name, got, want)
	}
}
