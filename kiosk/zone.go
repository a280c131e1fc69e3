package kiosk

import "time"

// Moments tells when the clocks of a zone show a time of day, which is given
// as if in UTC. Mostly that is once. When the clocks go back some times come
// twice: first and last. When they go forward some are left out: then first
// and last are what the clocks would show by the one and the other rule.
func Moments(shown time.Time, zone *time.Location) (first, last time.Time) {
	const day = 24 * time.Hour
	_, before := shown.Add(-day).In(zone).Zone()
	_, after := shown.Add(day).In(zone).Zone()
	first = shown.Add(-time.Duration(before) * time.Second).In(zone)
	last = shown.Add(-time.Duration(after) * time.Second).In(zone)
	_, one := first.Zone()
	_, two := last.Zone()
	switch {
	case one == before && two != after:
		return first, first
	case one != before && two == after:
		return last, last
	case last.Before(first):
		return last, first
	}
	return first, last
}

// EndOfDay is the last second of a day in a zone. As with time.Date, d may lie
// outside the month.
func EndOfDay(y int, m time.Month, d int, zone *time.Location) time.Time {
	_, last := Moments(time.Date(y, m, d, 23, 59, 59, 0, time.UTC), zone)
	return last
}

// days is how many days of the calendar lie between two times, in a zone.
func days(from, to time.Time, zone *time.Location) int {
	count := func(t time.Time) int64 {
		y, m, d := t.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
	}
	return int(count(to) - count(from))
}

// later is t some days later, at the same time of day.
func later(t time.Time, days int, zone *time.Location) time.Time {
	t = t.In(zone)
	y, m, d := t.Date()
	_, last := Moments(time.Date(y, m, d+days, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), zone)
	return last
}
