package kiosk

import "time"

// Dates says what undated entries come to, now that it is known when the
// machine was started. Their order stays, and none goes before a dated entry
// ahead of it or behind one that follows: where the truth would have it so,
// by more than clocks differ, the entry is left as it is, or goes as far as
// those before it have gone.
func Dates(list []Undated, start time.Time, zone *time.Location) []Dating {
	var out []Dating
	var before time.Time // what the entry before has come to
	for _, u := range list {
		truth := start.Add(u.Up.For)
		at := latest(truth, u.After, before)
		if !u.Before.IsZero() && at.After(u.Before) {
			at = latest(u.Before, u.After, before)
		}
		d := Dating{Entry: u.ID}
		switch {
		case at.Sub(truth).Abs() > tolerance:
			if at = latest(u.At, u.After, before); at.After(u.At) { // those before it have come to a later time
				d.At, d.Due = at, u.moved(at, zone)
			}
		case u.Doubt || at.Sub(u.At).Abs() > tolerance || u.At.Before(latest(u.After, before)):
			d.At, d.Due = at, u.moved(at, zone)
		default:
			at = u.At
		}
		before = at
		out = append(out, d)
	}
	return out
}

// moved is the due date of an entry that turns out to have been made at
// another time; zero leaves it. Only what the kiosk itself has promised goes
// along, by whole days: a due date of the ILS stands.
func (e *Entry) moved(at time.Time, zone *time.Location) time.Time {
	own := e.State == Offline || e.State == Unsure || e.State == Exception
	if n := days(e.At, at, zone); own && n != 0 && e.Kind != Checkin && !e.Due.IsZero() {
		return later(e.Due, n, zone)
	}
	return time.Time{}
}
