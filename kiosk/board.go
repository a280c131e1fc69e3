package kiosk

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Board is what staff has put up at the kiosk, for patrons to read.
type Board struct {
	Message string // of the day; empty: none
	Last    string // the last day on which the message is shown, as 2026-11-30; empty: until it is taken away
	Closed  bool   // the kiosk is out of order: it lends and returns nothing
	Why     string // what patrons read about it; may be empty
	Hours   Hours
}

// Hours are when the library is open, in its own zone.
type Hours struct {
	Week [7]Span      // Sunday first
	Days []SpecialDay // other than the week says, in the order of their dates
}

// Span is a part of a day, in minutes from midnight; from 0 to 0 it is empty.
type Span struct{ From, To int }

// SpecialDay is a day with hours of its own.
type SpecialDay struct {
	Date string // 2026-12-25
	Span Span   // empty: closed
	Name string // why; may be empty
}

// Bounds of a Board.
const (
	MaxMessage = 200 // characters
	MaxDays    = 60  // special days
)

// Valid tells what is wrong with a board, nil if nothing is.
func (b Board) Valid() error {
	switch {
	case !Printable(b.Message, 0, MaxMessage):
		return fmt.Errorf("message: has at most %d printable characters", MaxMessage)
	case !Printable(b.Why, 0, MaxMessage):
		return fmt.Errorf("why: has at most %d printable characters", MaxMessage)
	case b.Last != "" && !isDate(b.Last):
		return fmt.Errorf("last day: %q: must be a day as 2026-11-30", b.Last)
	}
	return b.Hours.valid()
}

func (h Hours) valid() error {
	for d, s := range h.Week {
		if !s.valid() {
			return fmt.Errorf("hours: %s: must end after they begin, within the day", time.Weekday(d))
		}
	}
	if len(h.Days) > MaxDays {
		return fmt.Errorf("special days: %d; must be at most %d", len(h.Days), MaxDays)
	}
	for i, d := range h.Days {
		switch {
		case !isDate(d.Date):
			return fmt.Errorf("special days: %q: must be a day as 2026-12-25", d.Date)
		case !d.Span.valid():
			return fmt.Errorf("special days: %s: hours must end after they begin", d.Date)
		case !Printable(d.Name, 0, MaxName):
			return fmt.Errorf("special days: %s: a name has at most %d printable characters", d.Date, MaxName)
		case i > 0 && h.Days[i-1].Date >= d.Date:
			return fmt.Errorf("special days: %s comes twice, or after a later one", d.Date)
		}
	}
	return nil
}

func (s Span) valid() bool {
	return s == Span{} || s.From >= 0 && s.From < s.To && s.To <= 24*60
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// Known tells whether there are hours at all.
func (h Hours) Known() bool { return h.Week != [7]Span{} || len(h.Days) > 0 }

// On gives the hours of a day, in the zone that it is given in.
func (h Hours) On(day time.Time) SpecialDay {
	date := day.Format(time.DateOnly)
	if i := slices.IndexFunc(h.Days, func(d SpecialDay) bool { return d.Date == date }); i >= 0 {
		return h.Days[i]
	}
	return SpecialDay{Date: date, Span: h.Week[day.Weekday()]}
}

// Next gives the next day after now's on which the library opens, or now's if
// it still will; false if it does not within a year.
func (h Hours) Next(now time.Time) (day time.Time, s Span, ok bool) {
	minute := now.Hour()*60 + now.Minute()
	for n := range 366 {
		y, m, d := now.Date()
		day = time.Date(y, m, d+n, 12, 0, 0, 0, now.Location())
		if s = h.On(day).Span; s != (Span{}) && (n > 0 || minute < s.From) {
			return day, s, true
		}
	}
	return time.Time{}, Span{}, false
}

// Open tells whether the library is open at a time.
func (h Hours) Open(now time.Time) bool {
	s, minute := h.On(now).Span, now.Hour()*60+now.Minute()
	return minute >= s.From && minute < s.To
}

// Shown is the message of a day, or "".
func (b Board) Shown(day time.Time) string {
	if b.Last != "" && day.Format(time.DateOnly) > b.Last {
		return ""
	}
	return b.Message
}

// ParseSpan reads hours as people write them: "9:00-17:30", "9-12"; empty text
// is an empty Span.
func ParseSpan(text string) (Span, error) {
	text = strings.TrimSpace(strings.NewReplacer("–", "-", "—", "-", " ", "").Replace(text))
	if text == "" {
		return Span{}, nil
	}
	from, to, ok := strings.Cut(text, "-")
	a, e1 := parseClock(from)
	b, e2 := parseClock(to)
	s := Span{a, b}
	if !ok || e1 != nil || e2 != nil || !s.valid() || s == (Span{}) {
		return Span{}, fmt.Errorf("%q: must be hours as 9:00-17:30", text)
	}
	return s, nil
}

// parseClock reads a time of day; 24:00 is the end of it.
func parseClock(text string) (int, error) {
	var h, m int
	if hour, minute, ok := strings.Cut(text, ":"); ok {
		if len(minute) != 2 {
			return 0, fmt.Errorf("%q is no time of day", text)
		}
		text = hour
		if _, err := fmt.Sscanf("1"+minute, "%3d", &m); err != nil { // the 1 keeps signs out
			return 0, err
		}
		m -= 100
	}
	if len(text) < 1 || len(text) > 2 || strings.Trim(text, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no time of day", text)
	}
	for _, r := range text {
		h = h*10 + int(r-'0')
	}
	if m < 0 || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, fmt.Errorf("%d:%02d is no time of day", h, m)
	}
	return h*60 + m, nil
}

// String is a span as ParseSpan reads it; "" if it is empty.
func (s Span) String() string {
	if s == (Span{}) {
		return ""
	}
	return fmt.Sprintf("%d:%02d-%d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
}

// ParseDays reads special days, one a line: the date, then hours or nothing,
// then a name. "2026-12-25 Christmas", "2026-12-24 9-12 Christmas Eve".
func ParseDays(text string) (days []SpecialDay, err error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		d := SpecialDay{Date: words[0]}
		words = words[1:]
		if len(words) > 0 {
			if s, err := ParseSpan(words[0]); err == nil {
				d.Span, words = s, words[1:]
			}
		}
		d.Name = strings.Join(words, " ")
		if err := (Hours{Days: []SpecialDay{d}}).valid(); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		days = append(days, d)
	}
	slices.SortStableFunc(days, func(a, b SpecialDay) int { return strings.Compare(a.Date, b.Date) })
	return days, Hours{Days: days}.valid()
}

// FormatDays writes days as ParseDays reads them.
func FormatDays(days []SpecialDay) string {
	var b strings.Builder
	for _, d := range days {
		b.WriteString(strings.Join(strings.Fields(d.Date+" "+d.Span.String()+" "+d.Name), " ") + "\n")
	}
	return b.String()
}
