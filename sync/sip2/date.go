package sip2

import (
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const dateForm = "20060102    150405"

// blankDate stands where no date is told.
const blankDate = "                  "

// formatDate writes local time of the library, the form that every server
// takes: YYYYMMDD, 4 blanks, HHMMSS.
func formatDate(t time.Time, loc *time.Location) string {
	if t.IsZero() {
		return blankDate
	}
	return t.In(loc).Format(dateForm)
}

// parseDate reads an 18-character date; zero if it is none. Zone "Z" is UTC,
// blanks are the library's own time; other letters are taken for that too. A
// time that comes twice is the later one: due dates are the most of what is
// read, and an hour more harms nobody.
func parseDate(s string, loc *time.Location) time.Time {
	_, last := momentsOf(s, loc)
	return last
}

// momentsOf is parseDate with both times that a date may mean.
func momentsOf(s string, loc *time.Location) (first, last time.Time) {
	if len(s) != len(dateForm) {
		return first, last
	}
	if strings.TrimSpace(s[8:12]) == "Z" {
		loc = time.UTC
	}
	t, err := time.Parse("20060102150405", s[:8]+s[12:])
	if err != nil {
		return first, last
	}
	return kiosk.Moments(t, loc)
}

// parseDue reads what servers put into AH: the protocol's own form, ISO 8601
// with or without time or zone; zero for anything else. A date alone means
// its last second.
func parseDue(s string, loc *time.Location) time.Time {
	if t := parseDate(s, loc); !t.IsZero() {
		return t
	}
	s = strings.TrimSpace(s)
	if t, err := time.ParseInLocation(time.RFC3339, s, loc); err == nil {
		return t
	}
	for _, form := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.Parse(form, s); err == nil {
			_, last := kiosk.Moments(t, loc)
			return last
		}
	}
	for _, form := range []string{time.DateOnly, "20060102"} {
		if t, err := time.Parse(form, s); err == nil {
			return kiosk.EndOfDay(t.Year(), t.Month(), t.Day(), loc)
		}
	}
	return time.Time{}
}
