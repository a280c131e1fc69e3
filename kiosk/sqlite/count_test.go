package sqlite

import (
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestCounts: what was counted adds up, what the ledger holds is counted from
// there by the hours of the library's zone, and days are kept apart.
func TestCounts(t *testing.T) {
	f := newFile(t)
	zone := time.FixedZone("EST", -5*3600)
	day := time.Date(2026, 11, 30, 0, 0, 0, 0, zone)
	for n, e := range []struct {
		at    time.Time
		state kiosk.State
	}{
		{day.Add(-time.Hour), kiosk.Granted}, // yesterday
		{day, kiosk.Granted},
		{day.Add(9*time.Hour + 59*time.Minute), kiosk.Offline},
		{day.Add(9*time.Hour + 10*time.Minute), kiosk.Granted},
		{day.Add(10 * time.Hour), kiosk.Denied},                // nothing happened
		{day.Add(24*time.Hour - time.Second), kiosk.Granted},   // the last second
		{day.Add(24*time.Hour + time.Second), kiosk.Granted},   // tomorrow
		{day.Add(9*time.Hour + 30*time.Minute), kiosk.Granted}, // by a clock that went back
	} {
		entry := kiosktest.As(kiosktest.Checkout(n+1, n+1, 1), e.state, e.at.AddDate(0, 0, 14))
		entry.At = e.at
		if err := f.Record(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := f.AddCounts(t.Context(), []kiosk.Count{
			{Day: "2026-11-30", Hour: 9, What: "refused:on-hold", N: 2}, {Day: "2026-11-30", Hour: 9, What: "visit", N: 1}, {Day: "2026-12-01", Hour: 0, What: "visit", N: 7},
		}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := f.CountsBetween(t.Context(), day, day.AddDate(0, 0, 1))
	want := []kiosk.Count{{Day: "2026-11-30", Hour: 0, What: "checkout", N: 1}, {Day: "2026-11-30", Hour: 9, What: "checkout", N: 3},
		{Day: "2026-11-30", Hour: 9, What: "refused:on-hold", N: 4}, {Day: "2026-11-30", Hour: 9, What: "visit", N: 2}, {Day: "2026-11-30", Hour: 23, What: "checkout", N: 1}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("CountsBetween() = %v, %v; want %v", got, err, want)
	}
}
