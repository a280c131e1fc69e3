package kiosk

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]Span{"": {}, " ": {}, "9:00-17:30": {540, 1050}, "9–12": {540, 720}, "0-24": {0, 1440}, "09:05 - 9:06": {545, 546}, "0:00-24:00": {0, 1440}} {
		if got, err := ParseSpan(text); err != nil || got != want {
			t.Errorf("%q = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"9", "-", "9-", "17-9", "9-9", "9:60-10", "9-25", "9-24:01", "9:0-10", "-9-10", "+9-10", "9:+5-10", "٩-١٠", "9-10-11", "closed"} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("%q = %v", text, got)
		}
	}
}

func TestParseDays(t *testing.T) {
	days, err := ParseDays("2026-12-25 Christmas  Day\r\n\n2026-12-24 9-12 Christmas Eve\n2027-01-01\n")
	want := []SpecialDay{{"2026-12-24", Span{540, 720}, "Christmas Eve"}, {"2026-12-25", Span{}, "Christmas Day"}, {"2027-01-01", Span{}, ""}}
	if err != nil || !reflect.DeepEqual(days, want) {
		t.Errorf("%v, %v", days, err)
	}
	for _, text := range []string{"Christmas", "2026-13-01", "2026-12-25 a\n2026-12-25 b", "2026-12-25 \u202ea", "2026-12-25 " + strings.Repeat("x", MaxName+1)} {
		if days, err := ParseDays(text); err == nil {
			t.Errorf("%q = %v", text, days)
		}
	}
}

func FuzzParseDays(f *testing.F) {
	f.Add("2026-12-25 Christmas\n2026-12-24 9:30-12 Eve")
	f.Fuzz(func(t *testing.T, text string) {
		days, err := ParseDays(text)
		if err != nil {
			return
		}
		again, err := ParseDays(FormatDays(days))
		if err != nil || !reflect.DeepEqual(again, days) {
			t.Errorf("%q = %v; written and read again %v, %v", text, days, again, err)
		}
	})
}

func TestHours(t *testing.T) {
	zone := time.FixedZone("EST", -5*3600)
	h := Hours{Week: [7]Span{1: {540, 1080}, 2: {540, 1080}}, Days: []SpecialDay{{"2026-12-01", Span{}, "staff day"}, {"2026-12-06", Span{600, 660}, ""}}}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, zone) }
	for _, tt := range []struct {
		now  time.Time
		open bool
		next string
	}{
		{at(30, 8, 59), false, "2026-11-30"}, // a Monday
		{at(30, 9, 0), true, "2026-12-06"},   // Tuesday is special, the next is a Sunday that is open for once
		{at(30, 17, 59), true, "2026-12-06"},
		{at(30, 18, 0), false, "2026-12-06"},
		{at(31, 10, 0), false, "2026-12-06"},
		{at(36, 10, 30), true, "2026-12-07"},
	} {
		day, _, ok := h.Next(tt.now)
		if h.Open(tt.now) != tt.open || !ok || day.Format(time.DateOnly) != tt.next {
			t.Errorf("%v: open %t, next %v", tt.now, h.Open(tt.now), day)
		}
	}
	if _, _, ok := (Hours{}).Next(at(30, 9, 0)); ok || (Hours{}).Known() || !h.Known() {
		t.Error("no hours are hours")
	}
}

func TestBoardValid(t *testing.T) {
	for _, b := range []Board{{Message: strings.Repeat("x", MaxMessage+1)}, {Message: "a\nb"}, {Message: " a"}, {Why: "\x00"}, {Last: "tomorrow"},
		{Hours: Hours{Week: [7]Span{0: {600, 500}}}}, {Hours: Hours{Week: [7]Span{0: {0, 2000}}}}, {Hours: Hours{Days: make([]SpecialDay, MaxDays+1)}}} {
		if b.Valid() == nil {
			t.Errorf("%+v is taken", b)
		}
	}
	b := Board{Message: "Story time at three", Last: "2026-11-30"}
	if err := b.Valid(); err != nil {
		t.Error(err)
	}
	if d := time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC); b.Shown(d) == "" || b.Shown(d.Add(time.Minute)) != "" {
		t.Error("the message is shown on other days")
	}
}
