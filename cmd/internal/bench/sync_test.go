package bench

import (
	"strings"
	"testing"
	"time"
)

// TestSync: what is measured is a drain that has settled everything, and a loop
// that was answered; the test is not of how long it takes.
func TestSync(t *testing.T) {
	var log strings.Builder
	figures, err := Sync(t.Context(), SyncOptions{Dir: t.TempDir(), Entries: 40, Late: []time.Duration{time.Millisecond}, Log: &log})
	if err != nil {
		t.Fatal(err)
	}
	if len(figures) != 4 {
		t.Fatalf("%d figures; want one for each of two servers and of one and several lines", len(figures))
	}
	for _, f := range figures {
		if f.Value <= 0 || f.Limit <= 0 || f.Aim == 0 {
			t.Errorf("%+v: nothing was measured", f)
		}
	}
	// Each entry is looked up, and told; a loan is looked up by its card too.
	if want := "40 entries, answers after 1ms, 3 connections: "; !strings.Contains(log.String(), want) || !strings.Contains(log.String(), ", 100 questions\n") {
		t.Errorf("the log says %q; want %q and 100 questions", &log, want)
	}
}
