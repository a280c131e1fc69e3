package kiosk_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// truth is when the machine of these tests is started.
var truth = time.Date(2026, time.November, 23, 8, 0, 0, 0, time.UTC)

// machine is a computer with a clock that may be wrong.
type machine struct {
	up     time.Duration
	wrong  time.Duration // how much its clock is ahead
	synced bool
	*kiosk.Clock
}

// boot starts a machine for a ledger.
func boot(wrong time.Duration, newest time.Time) *machine {
	m := &machine{wrong: wrong}
	m.Clock = kiosk.NewClock(kiosk.ClockConfig{
		Wall: func() time.Time { return m.now().Add(m.wrong) }, Up: func() time.Duration { return m.up },
		Synced: func() bool { return m.synced }, Boot: "this", Written: truth.AddDate(0, -1, 0), Zone: time.UTC,
	})
	m.Begin(newest, newest)
	return m
}

// now is the true time.
func (m *machine) now() time.Time { return truth.Add(m.up) }

// hear lets it hear the ILS's clock, which may be wrong too.
func (m *machine) hear(wrong time.Duration) {
	m.Heard(kiosk.Reading{Time: m.now().Add(wrong), At: time.Now(), Within: time.Second})
}

// close tells whether times agree but for what a test takes to run.
func closely(a, b time.Time) bool { return a.Sub(b).Abs() < time.Second }

var (
	hour      = time.Hour
	day       = 24 * time.Hour
	in1970    = time.Unix(100, 0).Sub(truth)
	yesterday = truth.Add(-14 * hour) // the newest entry
)

// TestClockAtBoot: what is thought of a clock by itself, once the ILS has told
// the time, and once time servers keep it.
func TestClockAtBoot(t *testing.T) {
	for _, c := range []struct {
		name      string
		wrong     time.Duration
		newest    time.Time
		doubt     string // a part of it
		shows     time.Time
		corrected bool // by the ILS
	}{
		{"right", 0, yesterday, "", truth, false},
		{"right, after the holidays", 0, truth.AddDate(0, -3, 0), "", truth, false},
		{"right, no entry yet", 0, time.Time{}, "", truth, false},
		{"a minute behind", -time.Minute, yesterday, "", truth.Add(-time.Minute), false},
		{"of 1970", in1970, yesterday, "before this program", yesterday, true},
		{"of 1970, no entry yet", in1970, time.Time{}, "before this program", truth.AddDate(0, -1, 0), true},
		{"of last week", -7 * day, yesterday, "before the newest entry", yesterday, true},
		{"of next year", 400 * day, yesterday, "days after the newest entry", yesterday, true},
		{"of next year, no entry yet", 400 * day, time.Time{}, "", truth.Add(400 * day), true},
		{"of next spring", 150 * day, yesterday, "", truth.Add(150 * day), true},
		{"of last night", -13*hour - 7*time.Minute, yesterday, "", truth.Add(-13*hour - 7*time.Minute), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := boot(c.wrong, c.newest)
			if s := m.State(); (s.Doubt == "") != (c.doubt == "") || !strings.Contains(s.Doubt, c.doubt) || !s.Now.Equal(c.shows) || s.Warning != "" {
				t.Errorf("alone: %+v; want %v, doubt %q", s, c.shows, c.doubt)
			}
			m.up = time.Minute
			if got := m.Now(); !got.Equal(c.shows.Add(time.Minute)) {
				t.Errorf("a minute later it is %v; want a minute after %v", got, c.shows)
			}
			m.hear(0)
			s := m.State()
			if right := closely(s.Now, m.now()) || !c.corrected; s.Doubt != "" || !right || (s.Warning != "") != c.corrected {
				t.Errorf("with the ILS: %+v; want %v, and a warning: %v", s, m.now(), c.corrected)
			}
			m.wrong, m.synced = 0, true
			if s := m.State(); s.Doubt != "" || s.Warning != "" || !s.Now.Equal(m.now()) {
				t.Errorf("set by time servers: %+v; want %v", s, m.now())
			}
		})
	}
}

// TestClockZoneOfILS: an ILS in the wrong zone moves no good clock.
func TestClockZoneOfILS(t *testing.T) {
	for _, off := range []time.Duration{-14 * hour, -hour, hour / 2, hour, 5*hour + hour/2, 10*hour + 20*time.Second} {
		m := boot(0, yesterday)
		m.hear(off)
		if s := m.State(); !s.Now.Equal(truth) || s.Doubt != "" || !strings.Contains(s.Warning, "time zone") {
			t.Errorf("an ILS %v off makes it %+v; want %v and a word about the zone", off, s, truth)
		}
	}
	for _, off := range []time.Duration{-15 * hour, -6 * time.Minute, 45 * time.Minute, 24 * hour} {
		m := boot(0, yesterday)
		m.hear(off)
		if s := m.State(); off > -14*hour && !closely(s.Now, truth.Add(off)) {
			t.Errorf("an ILS %v off makes it %+v; nothing says that it is not the ILS that is right", off, s)
		}
		m.synced = true
		if s := m.State(); !s.Now.Equal(truth) || s.Doubt != "" || !strings.Contains(s.Warning, "library's system") {
			t.Errorf("beside time servers an ILS %v off makes it %+v; want %v and a word to staff", off, s, truth)
		}
	}
}

// TestClockNonsenseOfILS: an ILS that says 1970, or 2099, is not believed, and
// does not make a wrong clock right.
func TestClockNonsenseOfILS(t *testing.T) {
	for _, off := range []time.Duration{in1970, -30 * day, 70 * 365 * day} {
		m := boot(-7*day, yesterday)
		m.hear(off)
		s := m.State()
		if _, known := m.Truth(); s.Doubt == "" || known || !s.Now.Equal(yesterday) {
			t.Errorf("an ILS %v off: %+v, truth known: %v; want doubt, and %v", off, s, known, yesterday)
		}
	}
	m := boot(-7*day, yesterday)
	m.Heard(kiosk.Reading{Time: truth, At: time.Now(), Within: 2 * time.Minute})
	if s := m.State(); s.Doubt == "" {
		t.Errorf("an answer that took minutes counts: %+v", s)
	}
}

// TestClockKeepsTheTruth: what was heard once holds when the link is gone, and
// over whatever the machine's clock does.
func TestClockKeepsTheTruth(t *testing.T) {
	m := boot(-7*day, yesterday)
	m.hear(0)
	m.up = 5 * hour
	if s := m.State(); s.Doubt != "" || !closely(s.Now, m.now()) {
		t.Errorf("five hours later: %+v; want %v", s, m.now())
	}
	m.wrong = -3 * day
	if s := m.State(); s.Doubt != "" || !closely(s.Now, m.now()) {
		t.Errorf("set wrong: %+v; want %v", s, m.now())
	}
	m.up = 40 * hour
	if s := m.State(); s.Doubt == "" || s.Now.Before(truth.Add(5*hour)) {
		t.Errorf("a day and a half later: %+v; want doubt, and no step back", s)
	}
}

// TestClockSetByHand: somebody who sets the clock to a time that can be is
// believed, and what was dated before is put right by it.
func TestClockSetByHand(t *testing.T) {
	m := boot(in1970, yesterday)
	m.up = time.Minute
	if _, ok := m.Truth(); ok {
		t.Fatal("the truth is known by itself")
	}
	m.wrong = -10 * day // no better
	if s := m.State(); s.Doubt == "" {
		t.Errorf("set to before the newest entry: %+v; want doubt", s)
	}
	m.wrong = 2 * time.Second
	start, ok := m.Truth()
	if s := m.State(); s.Doubt != "" || !ok || !closely(start, truth.Add(2*time.Second)) {
		t.Errorf("set: %+v, started %v; want %v", s, start, truth)
	}
	m = boot(0, truth.AddDate(-2, 0, 0))
	m.State()
	m.wrong = 3 * time.Second
	if s := m.State(); s.Doubt != "" {
		t.Errorf("set after two years without an entry: %+v", s)
	}
}

// TestStamp: a stamp is never before an earlier one, marked if the clock is in
// doubt, and tells the uptime unless it is sure.
func TestStamp(t *testing.T) {
	m := boot(-7*day, yesterday)
	m.up = time.Hour
	at, doubt, up := m.Stamp(m.Now())
	if !at.Equal(yesterday) || !doubt || up != (kiosk.Uptime{Boot: "this", For: time.Hour}) {
		t.Errorf("Stamp() in doubt = %v, %v, %+v; want %v", at, doubt, up, yesterday)
	}
	if got := m.Follow(m.now().Add(day)); !got.Equal(at) {
		t.Errorf("an outcome in doubt is dated %v; want %v, as the newest entry", got, at)
	}
	m.up += time.Minute
	m.hear(0)
	at, doubt, up = m.Stamp(m.Now())
	if !closely(at, m.now()) || doubt || up != (kiosk.Uptime{}) {
		t.Errorf("Stamp() with the ILS = %v, %v, %+v; want %v", at, doubt, up, m.now())
	}
	if again, doubt, _ := m.Stamp(at.Add(-time.Minute)); !again.Equal(at) || doubt {
		t.Errorf("Stamp() of what is a minute older = %v, %v; want %v", again, doubt, at)
	}
	if old, doubt, up := m.Stamp(at.Add(-time.Hour)); !old.Equal(at) || doubt || up.Boot != "" {
		t.Errorf("Stamp() of a session that runs by the old time = %v, %v, %v", old, doubt, up)
	}
	if next, doubt, up := m.Stamp(at.Add(time.Hour)); !next.Equal(at.Add(time.Hour)) || !doubt || up.For != m.up {
		t.Errorf("Stamp() of a session that runs ahead = %v, %v, %v; want it in doubt", next, doubt, up)
	}
}

// TestClockPoisoned: a clock that ran ahead unnoticed has dated entries that
// are still to come. When the truth is known it is not held up by them.
func TestClockPoisoned(t *testing.T) {
	m := boot(150*day, yesterday)
	at, doubt, up := m.Stamp(m.Now())
	if doubt || up.Boot == "" {
		t.Fatalf("Stamp() = %v, %v, %v; want no doubt, and the uptime", at, doubt, up)
	}
	m.hear(0)
	if s := m.State(); s.Doubt != "" || !closely(s.Now, truth) {
		t.Fatalf("with the ILS: %+v; want %v", s, truth)
	}
	if next, doubt, up := m.Stamp(m.Now()); next.Before(at) || !doubt || up.Boot == "" {
		t.Errorf("Stamp() before the first is put right = %v, %v, %v; want it after %v, in doubt", next, doubt, up, at)
	}
	m.Dated(truth)
	if next, doubt, _ := m.Stamp(m.Now()); !closely(next, truth) || doubt {
		t.Errorf("Stamp() then = %v, %v; want %v", next, doubt, truth)
	}
}

// TestStampAfterDates: what was put right counts for what is dated next.
func TestStampAfterDates(t *testing.T) {
	m := boot(-7*day, yesterday)
	m.Stamp(m.Now())
	m.hear(0)
	m.Dated(truth.Add(time.Minute))
	if at, doubt, _ := m.Stamp(m.Now()); doubt || !at.Equal(truth.Add(time.Minute)) {
		t.Errorf("Stamp() = %v, %v; want the newest time, a minute ahead", at, doubt)
	}
}

// TestTruthBeforeTheNewestEntry: an earlier life has dated entries that are to
// come, and nothing can put them right.
func TestTruthBeforeTheNewestEntry(t *testing.T) {
	m := boot(0, truth.Add(30*day))
	m.synced = true
	if s := m.State(); !strings.Contains(s.Doubt, "before the newest entry") || !s.Now.Equal(truth.Add(30*day)) {
		t.Errorf("State() = %+v; want doubt, and the newest entry's time", s)
	}
	m = boot(0, truth.Add(2*time.Minute))
	m.synced = true
	if at, doubt, _ := m.Stamp(m.Now()); doubt || !at.Equal(truth.Add(2*time.Minute)) {
		t.Errorf("Stamp() = %v, %v; want the newest entry's time, and no doubt over two minutes", at, doubt)
	}
}

// TestClockWalk: over random jumps, readings, restarts and dating, what is
// recorded never goes backwards, also after it is put right, and what was put
// right by true readings is true.
func TestClockWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := boot(0, yesterday)
		var ledger []kiosk.Undated // with the true time in WasDue
		begin := func() {
			newest, good := yesterday, yesterday
			for _, u := range ledger {
				newest = u.At
				if u.Up.Boot == "" {
					good = u.At
				}
			}
			m.Begin(newest, good)
		}
		ordered := func() {
			last := yesterday
			for i, u := range ledger {
				if u.At.Before(last) {
					t.Fatalf("entry %d is dated %v, after one of %v", i, u.At, last)
				}
				last = u.At
			}
		}
		offs := rapid.SampledFrom([]time.Duration{0, 0, time.Minute, -time.Minute, hour, -hour, -3 * hour / 7, in1970, -7 * day, 400 * day, 150 * day, 3 * day})
		t.Repeat(map[string]func(*rapid.T){
			"later":   func(t *rapid.T) { m.up += time.Duration(rapid.IntRange(1, 4000).Draw(t, "s")) * time.Second },
			"set":     func(t *rapid.T) { m.wrong, m.synced = offs.Draw(t, "off"), false; m.Now() },
			"sync":    func(t *rapid.T) { m.wrong, m.synced = 0, true },
			"ils":     func(t *rapid.T) { m.hear(0) },
			"wrongly": func(t *rapid.T) { m.hear(offs.Draw(t, "off")) },
			"restart": func(t *rapid.T) {
				old := m
				m = boot(old.wrong, time.Time{})
				m.up = old.up
				begin()
			},
			"stamp": func(t *rapid.T) {
				e := kiosk.Entry{ID: kiosk.ID(rune(len(ledger))), WasDue: m.now()}
				e.At, e.Doubt, e.Up = m.Stamp(m.Now())
				ledger = append(ledger, kiosk.Undated{Entry: e})
				ordered()
			},
			"date": func(t *rapid.T) {
				start, ok := m.Truth()
				if !ok {
					return
				}
				date(ledger, start)
				ordered()
				if n := len(ledger); n > 0 {
					m.Dated(ledger[n-1].At)
				}
			},
		})
	})
}

// TestDatesAreTrue: whatever the machine's clock showed at its start, once the
// ILS has told the time every entry of this run has its true one.
func TestDatesAreTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wrong := time.Duration(rapid.IntRange(-60*365*24, 3*365*24).Draw(t, "hours ahead"))*hour + 13*time.Minute
		m := boot(wrong, yesterday)
		var ledger []kiosk.Undated // with the true time in WasDue
		t.Repeat(map[string]func(*rapid.T){
			"later": func(t *rapid.T) { m.up += time.Duration(rapid.IntRange(1, 4000).Draw(t, "s")) * time.Second },
			"sync":  func(t *rapid.T) { m.wrong, m.synced = 0, true },
			"ils":   func(t *rapid.T) { m.hear(0) },
			"stamp": func(t *rapid.T) {
				e := kiosk.Entry{ID: kiosk.ID(rune(len(ledger))), WasDue: m.now()}
				e.At, e.Doubt, e.Up = m.Stamp(m.Now())
				ledger = append(ledger, kiosk.Undated{Entry: e})
			},
			"date": func(t *rapid.T) {
				if start, ok := m.Truth(); ok && len(ledger) > 0 {
					date(ledger, start)
					m.Dated(ledger[len(ledger)-1].At)
				}
			},
		})
		m.hear(0)
		start, ok := m.Truth()
		if !ok {
			t.Fatalf("the truth is not known: %+v", m.State())
		}
		date(ledger, start)
		for i, u := range ledger {
			if off := u.At.Sub(u.WasDue).Abs(); u.Doubt || off > 10*time.Minute {
				t.Fatalf("entry %d is dated %v, doubt %v; want %v", i, u.At, u.Doubt, u.WasDue)
			}
		}
	})
}

// date puts a ledger right in place.
func date(ledger []kiosk.Undated, start time.Time) {
	var open []kiosk.Undated
	var places []int
	for i, u := range ledger {
		if u.Up.Boot == "" {
			continue
		}
		u.After = yesterday
		for _, before := range ledger[:i] {
			if before.Up.Boot == "" {
				u.After = before.At
			}
		}
		for _, behind := range ledger[i+1:] {
			if behind.Up.Boot == "" {
				u.Before = behind.At
				break
			}
		}
		open, places = append(open, u), append(places, i)
	}
	for i, d := range kiosk.Dates(open, start, time.UTC) {
		u := &ledger[places[i]]
		u.Up = kiosk.Uptime{}
		if !d.At.IsZero() {
			u.At, u.Doubt = d.At, false
		}
	}
}

// TestDatesKeepOrder: an entry does not go before one that stays as it is.
func TestDatesKeepOrder(t *testing.T) {
	sure := kiosk.Undated{Entry: kiosk.Entry{ID: "1", At: truth.Add(4 * time.Minute), Up: kiosk.Uptime{For: time.Second}}}
	doubt := kiosk.Undated{Entry: kiosk.Entry{ID: "2", At: truth.Add(day), Doubt: true, Up: kiosk.Uptime{For: time.Minute}}}
	ahead := kiosk.Undated{Entry: kiosk.Entry{ID: "3", At: truth.Add(day), Up: kiosk.Uptime{For: 2 * time.Minute}}}
	got := kiosk.Dates([]kiosk.Undated{sure, doubt, ahead}, truth, time.UTC)
	if len(got) != 3 || !got[0].At.IsZero() || !got[1].At.Equal(sure.At) || !got[2].At.Equal(sure.At) {
		t.Errorf("Dates() = %v; want the first as it is, and the others with it", got)
	}
	// By an ILS an hour ahead: what would go beyond a dated entry is left, but
	// not behind one that has moved.
	end := truth.Add(time.Hour)
	moved := kiosk.Undated{Entry: kiosk.Entry{ID: "1", At: truth, Up: kiosk.Uptime{For: -20 * time.Minute}}, Before: end}
	left := kiosk.Undated{Entry: kiosk.Entry{ID: "2", At: truth.Add(30 * time.Minute), Up: kiosk.Uptime{For: 30 * time.Minute}}, Before: end}
	got = kiosk.Dates([]kiosk.Undated{moved, left}, end, time.UTC)
	if want := end.Add(-20 * time.Minute); !got[0].At.Equal(want) || !got[1].At.Equal(want) {
		t.Errorf("Dates() = %v; want both at %v", got, want)
	}
}

// TestDates: the cases one by one.
func TestDates(t *testing.T) {
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	end := func(t time.Time, days int) time.Time {
		y, m, d := t.In(ny).Date()
		return kiosk.EndOfDay(y, m, d+days, ny)
	}
	entry := func(at time.Time, up time.Duration, doubt bool) kiosk.Undated {
		return kiosk.Undated{Entry: kiosk.Entry{Kind: kiosk.Checkout, At: at, Doubt: doubt, State: kiosk.Offline, Due: end(at, 21),
			Up: kiosk.Uptime{Boot: "this", For: up}}}
	}
	in := func(s kiosk.State, u kiosk.Undated) kiosk.Undated { u.State = s; return u }
	between := func(u kiosk.Undated, after, before time.Time) kiosk.Undated {
		u.After, u.Before = after, before
		return u
	}
	back := entry(yesterday, hour, true)
	back.Kind = kiosk.Checkin
	for _, c := range []struct {
		name string
		u    kiosk.Undated
		at   time.Time
		due  time.Time
	}{
		{"in doubt", entry(yesterday, hour, true), truth.Add(hour), end(truth, 21)},
		{"over a change to winter", entry(truth.AddDate(0, -1, 0), hour, true), truth.Add(hour), end(truth, 21)},
		{"the ILS has promised", in(kiosk.Granted, entry(yesterday, hour, true)), truth.Add(hour), time.Time{}},
		{"the ILS has been told", in(kiosk.Settled, entry(yesterday, hour, true)), truth.Add(hour), time.Time{}},
		{"an exception", in(kiosk.Exception, entry(yesterday, hour, true)), truth.Add(hour), end(truth, 21)},
		{"a return", back, truth.Add(hour), time.Time{}},
		{"right by luck", entry(truth.Add(hour), hour, true), truth.Add(hour), time.Time{}},
		{"right, and not in doubt", entry(truth.Add(hour+time.Minute), hour, false), time.Time{}, time.Time{}},
		{"wrong, and not in doubt", entry(truth.Add(150*day), hour, false), truth.Add(hour), end(truth, 21)},
		{"a minute before a dated one", between(entry(yesterday, hour, true), truth.Add(hour+time.Minute), time.Time{}), truth.Add(hour + time.Minute), end(truth, 21)},
		{"a minute too early, and not in doubt", between(entry(truth.Add(hour), hour, false), truth.Add(hour+time.Minute), time.Time{}), truth.Add(hour + time.Minute), time.Time{}},
		{"a minute after a dated one", between(entry(yesterday, hour, true), yesterday, truth.Add(hour-time.Minute)), truth.Add(hour - time.Minute), end(truth, 21)},
		{"long before a dated one", between(entry(truth.Add(30*day), hour, true), truth.Add(30*day), time.Time{}), time.Time{}, time.Time{}},
	} {
		got := kiosk.Dates([]kiosk.Undated{c.u}, truth, ny)
		if len(got) != 1 || !got[0].At.Equal(c.at) || !got[0].Due.Equal(c.due) {
			t.Errorf("%s: Dates() = %v; want %v, due %v", c.name, got, c.at, c.due)
		}
	}
}

// TestStampWhileDatesArePutRight: a session goes on by the clock with which it
// began. What it records once the truth is known, is not dated before what is
// being put right.
func TestStampWhileDatesArePutRight(t *testing.T) {
	m := boot(-time.Hour, truth.Add(-2*time.Minute)) // goes on from the newest entry
	began := m.Now()
	first, _, up := m.Stamp(began)
	m.up += 2 * time.Second
	m.hear(0)
	second, _, sure := m.Stamp(began.Add(2 * time.Second))
	start, ok := m.Truth()
	if !ok || up.Boot == "" || sure.Boot != "" {
		t.Fatalf("Truth() = %v, %v; the entries have %+v and %+v", start, ok, up, sure)
	}
	if right := start.Add(up.For); second.Before(right) {
		t.Errorf("the second entry is dated %v; the first, of %v, comes to %v", second, first, right)
	}
}
