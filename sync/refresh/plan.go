package refresh

import (
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// apart is how long after a whole list the quiet hour does not count: one that
// was read late in the evening is not read again that night.
const apart = 6 * time.Hour

// due tells when a list is to be read next, and whether whole.
func due(l kiosk.List, f kiosk.Freshness, every, quiet time.Duration, now time.Time) (at time.Time, whole bool) {
	if f.Whole.IsZero() || f.Since.After(now) { // never read, or under a clock that was wrong
		return now, true
	}
	night, next := nightAfter(f.Whole.Add(apart), quiet, now.Location()), f.Since.Add(every)
	switch {
	case l == kiosk.OpenLoans:
		return next, true
	case !night.After(now), !night.After(next):
		return night, true
	}
	return next, false
}

// nightAfter is the first quiet hour, so long after midnight, from a time on.
func nightAfter(t time.Time, quiet time.Duration, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	for ; ; d++ {
		night := time.Date(y, m, d, 0, 0, int(quiet/time.Second), 0, zone)
		if !night.Before(t) {
			return night
		}
	}
}
