package kiosk_test

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// zone loads one by its name.
func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestMoments: once, twice, or by either rule.
func TestMoments(t *testing.T) {
	for _, c := range []struct{ zone, shown, first, last string }{
		{"Europe/Berlin", "2026-06-01T12:00:00", "2026-06-01T10:00:00Z", "2026-06-01T10:00:00Z"},
		{"Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}, // left out
		{"Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z", "2026-03-29T00:59:59Z"},
		{"Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}, // twice
		{"Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"},
		{"America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
		{"America/New_York", "2026-03-08T02:30:00", "2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"}, // half an hour
		{"Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:15:00Z", "2026-10-03T15:45:00Z"},
		{"America/Havana", "2026-11-01T00:30:00", "2026-11-01T04:30:00Z", "2026-11-01T05:30:00Z"}, // at midnight
	} {
		shown, err := time.Parse("2006-01-02T15:04:05", c.shown)
		if err != nil {
			t.Fatal(err)
		}
		first, last := kiosk.Moments(shown, zone(t, c.zone))
		if f, l := first.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339); f != c.first || l != c.last {
			t.Errorf("%s shows %s at %s and %s; want %s and %s", c.zone, c.shown, f, l, c.first, c.last)
		}
	}
}

// TestMomentsRoundTrip: every half hour of a year is found again by what the
// clocks show.
func TestMomentsRoundTrip(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia"} {
		z := zone(t, name)
		begin := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
		for at := begin; at.Before(begin.AddDate(1, 0, 0)); at = at.Add(30 * time.Minute) {
			l := at.In(z)
			shown := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)
			if first, last := kiosk.Moments(shown, z); !first.Equal(at) && !last.Equal(at) || first.After(last) {
				t.Fatalf("%s shows %v at %v; Moments() = %v, %v", name, shown, at, first, last)
			}
		}
	}
}

// TestDueOverChange: due at the end of the day by the library's clocks,
// whatever they did since the loan.
func TestDueOverChange(t *testing.T) {
	for _, c := range []struct{ zone, at, due string }{
		{"Europe/Berlin", "2026-03-20T16:00:00+01:00", "2026-04-10T23:59:59+02:00"},
		{"Europe/Berlin", "2026-10-20T23:30:00+02:00", "2026-11-10T23:59:59+01:00"},
		{"America/New_York", "2026-03-07T23:30:00-05:00", "2026-03-28T23:59:59-04:00"},
		{"America/New_York", "2026-10-31T00:10:00-04:00", "2026-11-21T23:59:59-05:00"},
		{"Australia/Lord_Howe", "2026-04-01T09:00:00+11:00", "2026-04-22T23:59:59+10:30"},
		{"Australia/Lord_Howe", "2026-09-20T09:00:00+10:30", "2026-10-11T23:59:59+11:00"},
		{"America/Santiago", "2026-03-14T10:00:00-03:00", "2026-04-04T23:59:59-04:00"}, // that second comes twice
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		due := kiosk.Rules{LoanDays: 21, Location: zone(t, c.zone)}.Due("", at)
		if got := due.Format(time.RFC3339); got != c.due {
			t.Errorf("%s: lent %s, due %s; want %s", c.zone, c.at, got, c.due)
		}
	}
}
