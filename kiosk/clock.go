package kiosk

import (
	"fmt"
	"sync"
	"time"
)

const (
	tolerance = 5 * time.Minute      // clocks that differ by less agree
	far       = 366 * 24 * time.Hour // after the newest entry: no kiosk rests so long, or somebody says so
	freshness = 24 * time.Hour       // how long a reading of another clock counts; a cheap crystal is 10 s off by then
	slow      = time.Minute          // a reading that is less certain is none
	jump      = 2 * time.Second      // the machine's clock was set, not slewed
)

// Uptime is a moment told by what nobody can set: for how long the machine
// had been running.
type Uptime struct {
	Boot string        // names this run of the machine; empty: not known, or not needed
	For  time.Duration // since its start, also while it slept
}

// Reading is what another clock has shown.
type Reading struct {
	Time   time.Time     // what it showed
	At     time.Time     // when, by time.Now with its monotonic part
	Within time.Duration // how far Time may be off for the way it came
}

// ClockConfig is what a Clock goes by.
type ClockConfig struct {
	Wall    func() time.Time     // the machine's clock; nil means time.Now
	Up      func() time.Duration // Uptime.For now; nil counts from NewClock
	Boot    string               // Uptime.Boot
	Synced  func() bool          // time servers keep the machine's clock; nil: not known
	Written time.Time            // no clock before that is right; zero means it may be
	Zone    *time.Location       // for what is said to staff; nil means time.Local
}

// Clock gives the time for all that is recorded. A small machine has no clock
// of its own and may start in 1970, or last week; a worn battery may start it
// next year. So the machine's clock counts as follows:
//
//   - It is right if time servers keep it, or if the ILS's clock agrees.
//   - It is wrong if the ILS's clock disagrees, and then the ILS's time is
//     taken. But a difference of whole or half hours to the minute is the
//     ILS's time zone: staff is told, and our clock stays.
//   - Before the newest entry, or more than a year after it with nothing that
//     confirms it, it is in doubt, and so is an ILS that says such a thing.
//     While nothing better is known time goes on from the newest entry.
//   - Else it is believed, and what it dates can still be put right. Being set
//     to such a time while the kiosk runs, it is believed to be right.
//
// Whatever was heard once, goes on to count by the time that the machine has
// been running since.
//
// Stamp never goes backwards. What it has dated without being sure carries the
// Uptime, from which Dates finds the true time when that is known.
// It is safe for use by several goroutines.
type Clock struct {
	ClockConfig

	mu   sync.Mutex
	base time.Time     // what this clock showed, or would have, when the machine started
	good time.Time     // the newest entry that is dated for good
	last time.Time     // the newest time of all that was given or is on disk
	wall time.Time     // what the machine's clock would have shown at its start, by the last look
	seen time.Duration // when that look was
	set  bool          // the machine's clock was set since NewClock
	kept bearing       // by time servers
	ils  bearing
	judgement
}

// bearing is what another clock would have shown when the machine started.
type bearing struct {
	base   time.Time // zero: none
	within time.Duration
	at     time.Duration
}

// judgement is what to think of the clocks.
type judgement struct {
	sure   bool      // another clock says the same
	base   time.Time // of the time to go by; zero: as it was
	truth  time.Time // base of the true time, for putting dates right; zero: not known
	doubt  string    // why not to trust it
	source string
}

// NewClock makes a clock for a ledger without entries.
func NewClock(c ClockConfig) *Clock {
	if c.Wall == nil {
		c.Wall = time.Now
	}
	if c.Up == nil {
		start := time.Now()
		c.Up = func() time.Duration { return time.Since(start) }
	}
	if c.Synced == nil {
		c.Synced = func() bool { return false }
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	return &Clock{ClockConfig: c}
}

// Begin tells of a ledger that was opened: its newest time, and the newest of
// what needs no putting right any more.
func (c *Clock) Begin(newest, good time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last, c.good = latest(c.last, newest), latest(c.good, good)
}

// Heard takes a reading of the ILS's clock.
func (c *Clock) Heard(r Reading) {
	if r.Time.IsZero() || r.Within > slow {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.Up() - time.Since(r.At)
	c.ils = bearing{r.Time.Round(0).Add(-at), r.Within, at}
}

// Now is the time.
func (c *Clock) Now() time.Time {
	now, _ := c.Both()
	return now
}

// Both is the time, and the time since the machine's start.
func (c *Clock) Both() (now time.Time, up time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	up = c.look()
	return c.base.Add(up), up
}

// Stamp dates an entry that happened at a time by this clock: never before
// what was dated earlier. Doubt says that the date is not to be trusted; up is
// empty for one that is sure.
func (c *Clock) Stamp(at time.Time) (date time.Time, doubt bool, up Uptime) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	date = latest(at.Round(0), c.last)
	doubt = c.doubt != "" || date.Sub(c.base.Add(now)).Abs() > tolerance
	if c.sure && !doubt {
		// What was dated before this clock was sure is about to be put right,
		// and may come to any time up to now; at may be by the clock as it was.
		date = latest(date, c.base.Add(now))
		c.last, c.good = date, latest(c.good, date)
		return date, false, Uptime{}
	}
	c.last = date
	return date, doubt, Uptime{c.Boot, now}
}

// Follow dates an outcome. It is never put right, so it must not be later than
// an entry that may be: as long as this clock is not sure it is that of the
// newest entry.
func (c *Clock) Follow(at time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	at = at.Round(0)
	switch right := c.base.Add(now); {
	case c.last.IsZero():
		return at
	case !c.sure || at.Sub(right) > tolerance:
		return c.last
	}
	c.last = latest(c.last, at)
	return c.last
}

// Truth is when the machine was started, if that is known.
func (c *Clock) Truth() (start time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	return c.truth, !c.truth.IsZero()
}

// Dated tells that dates were put right: newest is the ledger's newest time now.
func (c *Clock) Dated(newest time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	c.good = newest
	if !c.truth.IsZero() && c.last.After(c.truth.Add(now+tolerance)) {
		c.last = newest // what was dated later is put right itself
	}
	c.last = latest(c.last, newest)
}

// ClockState is how the clock is, for staff.
type ClockState struct {
	Now     time.Time
	Source  string // what it goes by
	Doubt   string // why it is not to be trusted; empty: it is
	Warning string // what else is wrong with the clocks; empty: nothing
}

// State tells how the clock is.
func (c *Clock) State() ClockState {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	return ClockState{Now: c.base.Add(now), Source: c.source, Doubt: c.doubt, Warning: c.warning(now)}
}

// look reads the machine's clock and judges it; it gives the time since the
// machine's start.
func (c *Clock) look() time.Duration {
	now := c.Up()
	wall := c.Wall().Round(0).Add(-now)
	if !c.wall.IsZero() && wall.Sub(c.wall).Abs() > jump+(now-c.seen)/1000 { // adjtime(3) slews by half of that
		c.set = true
	}
	c.wall, c.seen = wall, now
	if c.Synced() {
		c.kept = bearing{base: wall, at: now}
	}
	c.judgement = c.judge(wall, now)
	if base := c.judgement.base; !base.IsZero() {
		c.base = base
	} else if floor := latest(c.last, c.good, c.Written); c.base.IsZero() || c.base.Add(now).Before(floor) {
		c.base = floor.Add(-now)
	}
	return now
}

func (c *Clock) judge(wall time.Time, now time.Duration) judgement {
	if c.fresh(c.kept, now) {
		return c.compare(wall, now, c.kept, "time servers")
	}
	if c.fresh(c.ils, now) {
		if off := wall.Sub(c.ils.base); !zoneOff(off, c.ils.within) || c.wrong(wall.Add(now)) != "" {
			return c.compare(wall, now, c.ils, "the library's system")
		}
	}
	if why := c.wrong(wall.Add(now)); why != "" {
		return judgement{doubt: "it is " + why, source: "the newest entry, and the time since"}
	}
	j := judgement{base: wall, source: "the machine's clock; nothing confirms it yet"}
	if c.set {
		j.truth, j.source = wall, "the machine's clock, which was set while the kiosk ran"
	}
	return j
}

// compare judges the machine's clock by another.
func (c *Clock) compare(wall time.Time, now time.Duration, by bearing, who string) judgement {
	j := judgement{sure: true, base: wall, truth: wall, source: "the machine's clock, confirmed by " + who}
	if wall.Sub(by.base).Abs() > tolerance+by.within {
		j.base, j.truth, j.source = by.base, by.base, who
		if t := by.base.Add(now); c.distant(t) {
			return judgement{doubt: fmt.Sprintf("the machine says %s, and %s %s", c.say(wall.Add(now)), who, c.say(t)),
				source: "the newest entry, and the time since"}
		}
	}
	// What is a little behind waits for the newest entry; nobody's clocks
	// agree to the second.
	if t := j.base.Add(now + tolerance); t.Before(c.good) || t.Before(c.Written) {
		t = t.Add(-tolerance)
		return judgement{doubt: fmt.Sprintf("it is %s by %s, and that is %s", c.say(t), who, c.before(t)),
			source: "the newest entry, and the time since"}
	}
	return j
}

func (c *Clock) fresh(b bearing, now time.Duration) bool {
	return !b.base.IsZero() && now-b.at <= freshness
}

// wrong tells why the machine's clock can't be right by itself.
func (c *Clock) wrong(t time.Time) string {
	switch {
	case t.Before(c.Written), t.Before(c.good), !c.set && t.Before(c.last):
		return c.before(t)
	case !c.set && c.distant(t):
		return fmt.Sprintf("%d days after the newest entry of the ledger (%s), and nothing confirms it", int(t.Sub(c.good).Hours()/24), c.say(c.good))
	}
	return ""
}

func (c *Clock) before(t time.Time) string {
	if t.Before(c.Written) {
		return "before this program was made"
	}
	return fmt.Sprintf("before the newest entry of the ledger (%s)", c.say(latest(c.good, c.last)))
}

// distant tells that a time is too far after the newest entry to be believed
// alone.
func (c *Clock) distant(t time.Time) bool { return !c.good.IsZero() && t.Sub(c.good) > far }

// warning is what staff should know of clocks that differ.
func (c *Clock) warning(now time.Duration) string {
	if c.fresh(c.ils, now) {
		off := c.ils.base.Sub(c.base)
		switch {
		case off.Abs() <= tolerance+c.ils.within:
		case zoneOff(off, c.ils.within):
			return fmt.Sprintf("the clock of the library's system is %g hours %s: is its time zone right?", off.Abs().Round(30*time.Minute).Hours(), side(off))
		default:
			return fmt.Sprintf("the clock of the library's system is %v %s", off.Abs().Round(time.Second), side(off))
		}
	}
	if off := c.wall.Sub(c.base); c.doubt == "" && off.Abs() > tolerance {
		return fmt.Sprintf("the machine's clock is %v %s; the library's system's time is used", off.Abs().Round(time.Second), side(off))
	}
	return ""
}

func side(off time.Duration) string {
	if off < 0 {
		return "behind"
	}
	return "ahead"
}

// zoneOff tells that a difference is one of time zones: whole or half hours,
// and the minutes equal.
func zoneOff(off, within time.Duration) bool {
	const half, utmost = 30 * time.Minute, 14 * time.Hour
	off = off.Abs()
	near := off.Round(half)
	return near > 0 && near <= utmost && (off-near).Abs() <= time.Minute/2+within
}

func (c *Clock) say(t time.Time) string { return t.In(c.Zone).Format("2006-01-02 15:04") }

// latest is the last of some times.
func latest(t time.Time, more ...time.Time) time.Time {
	for _, o := range more {
		if o.After(t) {
			t = o
		}
	}
	return t
}
