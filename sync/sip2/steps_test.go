package sip2

import "testing"

func TestJudgeDue(t *testing.T) {
	for _, tt := range []struct {
		name           string
		due, days, ago int
		n              Habit
		d              DueHabit
	}{
		{"as promised", 14 + beyond, 14, 9, Honoured, DueKept},
		{"from today", 14, 14, 9, Ignored, DueIgnored},
		{"from today, closed for two days", 16, 14, 9, Ignored, DueIgnored},
		{"from the day of the loan", 5, 14, 9, Honoured, DueIgnored},
		{"from the promised day", 14 + beyond + 14, 14, 9, Honoured, DueLoanDate},
		{"from the promised day, closed on a Sunday", 14 + beyond + 15, 14, 9, Honoured, DueLoanDate},
		{"nearly as promised", 14 + beyond - 1, 14, 9, HabitUnknown, DueUnknown},
		{"another year", 400, 14, 9, HabitUnknown, DueUnknown},
		{"a loan of a day, from the promised day", 1 + beyond + 1, 1, 0, Honoured, DueLoanDate},
		{"a loan of a day, from today", 1, 1, 0, Ignored, DueIgnored},
		{"between today and the day of the loan", 5, 6, 2, HabitUnknown, DueUnknown},
	} {
		if n, d := judgeDue(tt.due, tt.days, tt.ago); n != tt.n || d != tt.d {
			t.Errorf("%s: judgeDue(%d, %d, %d) = %q, %q; want %q, %q", tt.name, tt.due, tt.days, tt.ago, n, d, tt.n, tt.d)
		}
	}
}

func TestCharsetOf(t *testing.T) {
	for s, want := range map[string]string{"": "", "AJDune|": "ascii", "AJLe deuxième|": "utf-8", "AJLe deuxi\xe8me|": "latin-1", "AJLe deuxi\x8ame|": "cp850"} {
		if got := charsetOf([]byte(s)); got != want {
			t.Errorf("charsetOf(%q) = %q; want %q", s, got, want)
		}
	}
	if got := wider(wider("utf-8", "latin-1"), "ascii"); got != "latin-1" {
		t.Errorf("UTF-8, Latin-1 and ASCII come to %q; want latin-1", got)
	}
}
