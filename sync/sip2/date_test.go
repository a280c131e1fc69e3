package sip2

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// summers are zones and days on which their clocks are set.
var summers = []struct {
	zone string
	day  time.Time
}{
	{"Europe/Berlin", time.Date(2026, time.March, 29, 0, 0, 0, 0, time.UTC)},
	{"Europe/Berlin", time.Date(2026, time.October, 25, 0, 0, 0, 0, time.UTC)},
	{"America/New_York", time.Date(2026, time.March, 8, 0, 0, 0, 0, time.UTC)},
	{"America/New_York", time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)},
	{"Australia/Lord_Howe", time.Date(2026, time.April, 5, 0, 0, 0, 0, time.UTC)},
	{"Australia/Lord_Howe", time.Date(2026, time.October, 4, 0, 0, 0, 0, time.UTC)},
}

func load(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestDatesOverChange: every quarter of an hour around a change is read back as
// it was written, or, if it comes twice, as the later of the two.
func TestDatesOverChange(t *testing.T) {
	for _, c := range summers {
		zone := load(t, c.zone)
		twice := 0
		for at := c.day.Add(-36 * time.Hour); at.Before(c.day.Add(48 * time.Hour)); at = at.Add(15 * time.Minute) {
			text := formatDate(at, zone)
			got := parseDate(text, zone)
			if got.Equal(at) {
				continue
			}
			twice++
			if formatDate(got, zone) != text || !got.After(at) || got.Sub(at) > time.Hour {
				t.Errorf("%s: %v is written %q and read as %v", c.zone, at, text, got)
			}
		}
		if twice > 4 {
			t.Errorf("%s: %d quarters of an hour are read as another; want an hour at most", c.zone, twice)
		}
	}
}

// TestDueOverChange: what servers say of a due date, on the days on which
// clocks are set, loans of hours too.
func TestDueOverChange(t *testing.T) {
	for _, c := range []struct{ zone, says, want string }{
		{"Europe/Berlin", "2026-03-29", "2026-03-29T23:59:59+02:00"},
		{"Europe/Berlin", "20261025", "2026-10-25T23:59:59+01:00"},
		{"Europe/Berlin", "20260329    020000", "2026-03-29T03:00:00+02:00"}, // left out
		{"Europe/Berlin", "20260329    033000", "2026-03-29T03:30:00+02:00"},
		{"Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T02:30:00+01:00"}, // twice
		{"Europe/Berlin", "20261025   Z003000", "2026-10-25T02:30:00+02:00"},
		{"America/New_York", "20261101    013000", "2026-11-01T01:30:00-05:00"},
		{"America/New_York", "2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-04:00"},
		{"America/New_York", "2026-03-08T03:15", "2026-03-08T03:15:00-04:00"},
		{"Australia/Lord_Howe", "20260405    014500", "2026-04-05T01:45:00+10:30"},
		{"Australia/Lord_Howe", "20261004    021500", "2026-10-04T02:45:00+11:00"},
		{"America/Santiago", "2026-04-04", "2026-04-04T23:59:59-04:00"}, // its last hour comes twice
		{"America/Santiago", "2026-09-05", "2026-09-05T23:59:59-04:00"}, // the next day has no midnight
	} {
		zone := load(t, c.zone)
		if got := parseDue(c.says, zone).In(zone).Format(time.RFC3339); got != c.want {
			t.Errorf("%s: parseDue(%q) = %s; want %s", c.zone, c.says, got, c.want)
		}
	}
}

// TestReading: the time of a 98 with the bounds of its way; none that means
// two times.
func TestReading(t *testing.T) {
	berlin := load(t, "Europe/Berlin")
	sent := time.Now()
	got := sent.Add(400 * time.Millisecond)
	for says, want := range map[string]string{
		"20261025    075725": "2026-10-25T07:57:25.5+01:00",
		"20261025   Z075725": "2026-10-25T08:57:25.5+01:00",
		"20261025    023000": "", // twice
		"20260329    023000": "", // never
		"000000000000000000": "",
		blankDate:            "",
		"2026":               "",
	} {
		m, err := Parse([]byte("98YYYYNY100003"+says+"2.00AOx|BXYYYYYYYYYYYYYYYY|"), UTF8)
		if err != nil && len(says) == len(blankDate) {
			t.Fatal(err)
		}
		r, ok := reading(m, berlin, sent, got)
		if ok != (want != "") || ok && r.Time.In(berlin).Format(time.RFC3339Nano) != want {
			t.Errorf("reading(%q) = %+v, %v; want %q", says, r, ok, want)
		}
		if ok && (!r.At.Equal(sent.Add(200*time.Millisecond)) || r.Within != 700*time.Millisecond) {
			t.Errorf("reading(%q) = %+v; want the middle of the way, 0.7 s about", says, r)
		}
	}
}

// TestToldTimes: an entry is told by the library's clocks, before and after
// they are set.
func TestToldTimes(t *testing.T) {
	u, err := NewUpstream(Config{Address: "x:1", Zone: load(t, "America/New_York")})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"2026-11-01T05:59:59Z": "20261101    015959",
		"2026-11-01T06:00:00Z": "20261101    010000",
		"2026-03-08T06:59:59Z": "20260308    015959",
		"2026-03-08T07:00:00Z": "20260308    030000",
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		due := kiosk.Rules{Location: u.Zone}.Due("", when)
		m, _, err := u.request(kiosk.Entry{Kind: kiosk.Checkout, Item: "b", Patron: "c", At: when, Due: due, State: kiosk.Offline})
		if got := m.Part(2, 18); err != nil || got != want {
			t.Errorf("%s is told as %q, %v; want %q", at, got, err, want)
		}
		if got, want := m.Part(20, 18), due.In(u.Zone).Format("20060102")+"    235959"; got != want {
			t.Errorf("%s is told as due %q; want %q", at, got, want)
		}
	}
}
