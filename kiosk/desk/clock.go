package desk

import "time"

// clock gives the time for the session and for entries. A Pi has no clock of
// its own and may start in 1970: while the wall clock is behind the newest
// entry, time goes on from that entry instead, and entries are marked.
type clock struct {
	wall  func() time.Time
	floor time.Time // of the newest entry when the desk began
	since time.Time // when the wall clock was first seen behind it
}

func (c *clock) behind(t time.Time) bool { return t.Round(0).Before(c.floor) }

func (c *clock) now() time.Time {
	t := c.wall()
	if !c.behind(t) {
		c.since = time.Time{}
		return t
	}
	if c.since.IsZero() {
		c.since = t
	}
	return c.floor.Add(t.Sub(c.since)) // both with the monotonic clock
}

// stamp dates an entry: never before the newest one.
func (c *clock) stamp(at time.Time) (time.Time, bool) {
	doubt := c.behind(c.wall())
	at = at.Round(0)
	if at.Before(c.floor) {
		at = c.floor
	}
	c.floor = at
	if doubt {
		c.since = c.wall()
	}
	return at, doubt
}
