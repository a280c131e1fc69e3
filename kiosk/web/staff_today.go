package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Bounds of figures.
const (
	daysShown = 14  // in the table by days
	daysCSV   = 366 // in a file
	firstHour = 8   // plots begin there, or where the first thing happened
	lastHour  = 18
)

// todayView are the figures of a day.
type todayView struct {
	*language
	Day        time.Time // 00:00 in the library's zone
	Title      string
	Prev, Next string // days; empty: there is none
	Hours      plot
	Reasons    plot
	Times      plot
	Days       plot
	Loans      int
	Returns    int
	Renewals   int
	Visits     int
	Helps      int // calls for help
}

// plot is a table with a picture.
type plot struct {
	ID     string
	Title  string
	First  string   // head of the column of labels
	Series []string // heads of the others
	Rows   []plotRow
	Empty  bool // there is nothing but zeros
}

// plotRow is a row of a plot: a value for each series.
type plotRow struct {
	Label  string
	Path   string // leads to more; empty: to nothing
	Values []int
}

// bar is a part of the picture, in its own units.
type bar struct{ X, Y, W, H, Series int }

// tick is a label below it.
type tick struct {
	X    int
	Text string
}

// The size of a picture of columns.
const plotW, plotH, plotFoot = 600, 180, 26

// Width, Height and Base are the picture's measures.
func (p plot) Width() int  { return plotW }
func (p plot) Height() int { return plotH + plotFoot }
func (p plot) Base() int   { return plotH }

// Most is the highest column.
func (p plot) Most() int {
	most := 1
	for _, r := range p.Rows {
		sum := 0
		for _, v := range r.Values {
			sum += v
		}
		most = max(most, sum)
	}
	return most
}

// Bars are the columns, the series one above the other.
func (p plot) Bars() (bars []bar) {
	most, step := p.Most(), plotW/max(len(p.Rows), 1)
	for i, r := range p.Rows {
		y := plotH
		for s, v := range r.Values {
			h := v * (plotH - 16) / most
			if v > 0 {
				h = max(h, 2)
			}
			y -= h
			bars = append(bars, bar{X: i*step + step/8, Y: y, W: step * 3 / 4, H: h, Series: s})
		}
	}
	return slices.DeleteFunc(bars, func(b bar) bool { return b.H == 0 })
}

// Ticks are the labels below the columns, as many as have room.
func (p plot) Ticks() (ticks []tick) {
	step := plotW / max(len(p.Rows), 1)
	every := max(1, (len(p.Rows)+9)/10)
	for i, r := range p.Rows {
		if i%every == 0 {
			ticks = append(ticks, tick{X: i*step + step/2, Text: r.Label})
		}
	}
	return ticks
}

// Share is how long a row's bar is beside it, of 100.
func (p plot) Share(v int) int { return v * 100 / p.Most() }

// day reads the day that is asked for, today where none is.
func (s *site) day(r *http.Request) (day, today time.Time) {
	now := s.Clock().In(s.Location)
	today = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, s.Location)
	day, err := time.ParseInLocation(time.DateOnly, r.URL.Query().Get("day"), s.Location)
	if err != nil || day.After(today) || day.Year() < 2000 {
		day = today
	}
	return day, today
}

// todayPage shows the figures of a day.
func (s *site) todayPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Figures == nil {
		http.NotFound(w, r)
		return
	}
	day, today := s.day(r)
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	counts, err := s.Staff.Figures(ctx, day.AddDate(0, 0, 1-daysShown), day.AddDate(0, 0, 1))
	if err != nil {
		s.unread(w, r, "figures", err)
		return
	}
	p := s.staffPage(r, who)
	p.Today = newToday(p.language, counts, day, today)
	s.showStaff(w, http.StatusOK, "staff-today", p)
}

// newToday makes the figures of a day from the counts until its end.
func newToday(l *language, counts []kiosk.Count, day, today time.Time) *todayView {
	v := &todayView{language: l, Day: day, Title: l.Date(day, today), Prev: day.AddDate(0, 0, -1).Format(time.DateOnly)}
	if day.Before(today) {
		v.Next = day.AddDate(0, 0, 1).Format(time.DateOnly)
	} else {
		v.Title = l.T("staff.today.title")
	}
	of := func(c kiosk.Count) bool { return c.Day == day.Format(time.DateOnly) }
	var own []kiosk.Count
	for _, c := range counts {
		if of(c) {
			own = append(own, c)
		}
	}
	sum := func(what string) (n int) {
		for _, c := range own {
			if c.What == what {
				n += c.N
			}
		}
		return n
	}
	v.Loans, v.Returns, v.Renewals = sum(string(kiosk.Checkout)), sum(string(kiosk.Checkin)), sum(string(kiosk.Renew))
	v.Visits, v.Helps = sum(kiosk.CountVisits), sum(kiosk.CountHelp)
	v.Hours, v.Reasons, v.Times = v.hours(own), v.reasons(own), v.times(own)
	v.Days = v.days(counts)
	return v
}

// kinds are the series of what was done.
var kinds = []kiosk.Kind{kiosk.Checkout, kiosk.Checkin, kiosk.Renew}

func (v *todayView) kindNames() []string {
	return []string{v.T("staff.today.loans"), v.T("staff.today.returns"), v.T("staff.today.renewals")}
}

func (v *todayView) hours(own []kiosk.Count) plot {
	p := plot{ID: "hours", Title: v.T("staff.today.hours"), First: v.T("staff.today.hour"), Series: v.kindNames(), Empty: true}
	first, last := firstHour, lastHour
	var values [24][]int
	for h := range values {
		values[h] = make([]int, len(kinds))
	}
	for _, c := range own {
		if k := slices.Index(kinds, kiosk.Kind(c.What)); k >= 0 && c.Hour >= 0 && c.Hour < 24 {
			values[c.Hour][k] += c.N
			first, last, p.Empty = min(first, c.Hour), max(last, c.Hour), false
		}
	}
	for h := first; h <= last; h++ {
		p.Rows = append(p.Rows, plotRow{Label: strconv.Itoa(h) + ":00", Values: values[h]})
	}
	return p
}

func (v *todayView) reasons(own []kiosk.Count) plot {
	p := plot{ID: "reasons", Title: v.T("staff.today.reasons"), First: v.T("staff.today.reason"), Series: []string{v.T("staff.today.times")}}
	sums := map[kiosk.Reason]int{}
	for _, c := range own {
		if r, ok := c.Refused(); ok {
			sums[r] += c.N
		}
	}
	for r, n := range sums {
		p.Rows = append(p.Rows, plotRow{Label: v.reason(r, "title"), Values: []int{n}})
	}
	slices.SortFunc(p.Rows, func(a, b plotRow) int {
		return cmp.Or(b.Values[0]-a.Values[0], strings.Compare(a.Label, b.Label))
	})
	p.Empty = len(p.Rows) == 0
	return p
}

func (v *todayView) times(own []kiosk.Count) plot {
	p := plot{ID: "times", Title: v.T("staff.today.time"), First: v.T("staff.today.took"), Series: []string{v.T("staff.today.visits")}, Empty: true}
	sums := map[time.Duration]int{}
	for _, c := range own {
		if d, ok := c.Took(); ok {
			sums[d] += c.N
			p.Empty = false
		}
	}
	for _, d := range kiosk.VisitTimes() {
		p.Rows = append(p.Rows, plotRow{Label: "≤ " + v.span(d), Values: []int{sums[d]}})
	}
	longest := kiosk.VisitTimes()[len(kiosk.VisitTimes())-1]
	p.Rows = append(p.Rows, plotRow{Label: "> " + v.span(longest), Values: []int{sums[0]}})
	return p
}

// span is a short time as clocks write it: 0:30, 2:00.
func (v *todayView) span(d time.Duration) string {
	sec := int(d / time.Second)
	return strconv.Itoa(sec/60) + ":" + strconv.Itoa(sec%60/10) + strconv.Itoa(sec%10)
}

func (v *todayView) days(counts []kiosk.Count) plot {
	p := plot{ID: "days", Title: v.T("staff.today.days"), First: v.T("staff.today.day"), Series: append(v.kindNames(), v.T("staff.today.visits"), v.T("staff.today.refused")), Empty: true}
	at := map[string][]int{}
	for d := daysShown - 1; d >= 0; d-- {
		day := v.Day.AddDate(0, 0, -d)
		row := plotRow{Label: v.Date(day, v.Day), Path: "/staff/today?day=" + day.Format(time.DateOnly), Values: make([]int, len(p.Series))}
		p.Rows = append(p.Rows, row)
		at[day.Format(time.DateOnly)] = row.Values
	}
	for _, c := range counts {
		values := at[c.Day]
		if values == nil {
			continue
		}
		i := slices.Index(kinds, kiosk.Kind(c.What))
		if c.What == kiosk.CountVisits {
			i = len(kinds)
		} else if _, ok := c.Refused(); ok {
			i = len(kinds) + 1
		}
		if i >= 0 {
			values[i] += c.N
			p.Empty = false
		}
	}
	slices.Reverse(p.Rows)
	return p
}

// todayCSV gives the counts of a year by hour.
func (s *site) todayCSV(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Figures == nil {
		http.NotFound(w, r)
		return
	}
	day, _ := s.day(r)
	if !s.note(w, r, who, "figures.export", "", "") {
		return
	}
	counts, err := s.Staff.Figures(r.Context(), day.AddDate(0, 0, 1-daysCSV), day.AddDate(0, 0, 1))
	if err != nil {
		s.unread(w, r, "figures", err)
		return
	}
	out := s.csvFile(w, "figures")
	out.Write([]string{"day", "hour", "what", "n"})
	for _, c := range counts {
		out.Write([]string{c.Day, strconv.Itoa(c.Hour), c.What, strconv.Itoa(c.N)})
	}
	out.Flush()
}
