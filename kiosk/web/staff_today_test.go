package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func counted() []kiosk.Count {
	return []kiosk.Count{
		{Day: "2026-11-29", Hour: 15, What: "checkout", N: 40}, {Day: "2026-11-29", Hour: 15, What: "visit", N: 9},
		{Day: "2026-11-30", Hour: 6, What: "checkin", N: 2}, {Day: "2026-11-30", Hour: 9, What: "checkout", N: 7}, {Day: "2026-11-30", Hour: 9, What: "checkin", N: 3},
		{Day: "2026-11-30", Hour: 9, What: "refused:on-hold", N: 2}, {Day: "2026-11-30", Hour: 10, What: "refused:on-hold", N: 1}, {Day: "2026-11-30", Hour: 10, What: "refused:fees", N: 5},
		{Day: "2026-11-30", Hour: 10, What: "refused:of-tomorrow", N: 1},
		{Day: "2026-11-30", Hour: 9, What: "visit", N: 4}, {Day: "2026-11-30", Hour: 9, What: "time:30", N: 3}, {Day: "2026-11-30", Hour: 9, What: "time:0", N: 1},
	}
}

func TestToday(t *testing.T) {
	en, ls := all(t)
	day := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	v := newToday(en, counted(), day, day)
	if v.Loans != 7 || v.Returns != 5 || v.Renewals != 0 || v.Visits != 4 || v.Next != "" || v.Prev != "2026-11-29" || v.Title != "Today" {
		t.Errorf("%+v", v)
	}
	if rows := v.Hours.Rows; rows[0].Label != "6:00" || rows[len(rows)-1].Label != "18:00" || !slices.Equal(rows[3].Values, []int{7, 3, 0}) || v.Hours.Most() != 10 {
		t.Errorf("hours %+v", rows)
	}
	if rows := v.Reasons.Rows; len(rows) != 3 || rows[0].Label != "There are fees to settle first." || rows[1].Values[0] != 3 || v.Reasons.Share(3) != 60 {
		t.Errorf("reasons %+v", rows)
	}
	if rows := v.Times.Rows; rows[1].Label != "≤ 0:30" || rows[1].Values[0] != 3 || rows[5].Label != "> 5:00" || rows[5].Values[0] != 1 {
		t.Errorf("times %+v", rows)
	}
	if rows := v.Days.Rows; len(rows) != daysShown || !slices.Equal(rows[0].Values, []int{7, 5, 0, 4, 9}) || !slices.Equal(rows[1].Values, []int{40, 0, 0, 9, 0}) || rows[1].Path != "/staff/today?day=2026-11-29" {
		t.Errorf("days %+v", rows)
	}
	for _, b := range v.Hours.Bars() {
		if b.X < 0 || b.Y < 0 || b.X+b.W > plotW || b.Y+b.H > plotH || b.W <= 0 {
			t.Errorf("a column lies outside: %+v", b)
		}
	}
	if sum := v.Hours.Bars(); len(sum) != 3 {
		t.Errorf("%d columns; want the three that are not empty", len(sum))
	}
	for _, l := range ls {
		for _, counts := range [][]kiosk.Count{nil, counted()} {
			h, _ := newSite(t, kiosk.Screen{}, func(c *Config) {
				c.Languages = []string{l.Tag}
				f := crew()
				c.Staff = &Staff{Accounts: f, Audit: f, Figures: func(_ context.Context, since, until time.Time) ([]kiosk.Count, error) {
					if until.Sub(since) != daysShown*24*time.Hour {
						t.Errorf("asked from %v until %v", since, until)
					}
					return counts, nil
				}}
			})
			_, c := enterAs(h, "S3", "cy-1234")
			w := do(h, "GET", "/staff/today?day=2026-11-29", nil, c)
			if text := seen(w.Body.String()); w.Code != http.StatusOK || strings.Contains(text, "staff.") {
				t.Errorf("%s: %d %s", l.Tag, w.Code, text)
			}
		}
	}
}

func TestFiguresCSV(t *testing.T) {
	h, _, _ := crewSite(t, func(s *Staff) {
		s.Figures = func(context.Context, time.Time, time.Time) ([]kiosk.Count, error) { return counted(), nil }
	})
	_, c := enterAs(h, "S3", "cy-1234")
	w := do(h, "GET", "/staff/figures.csv", nil, c)
	if text := w.Body.String(); !strings.HasPrefix(text, "day,hour,what,n\r\n2026-11-29,15,checkout,40\r\n") || strings.Count(text, "\r\n") != len(counted())+1 {
		t.Errorf("csv: %s", text)
	}
}
