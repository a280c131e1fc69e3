package web

import (
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	for _, tt := range []struct {
		text  string
		pairs []string
		want  string
	}{
		{"due {date}", []string{"date", "Mon 3 Dec"}, "due Mon 3 Dec"},
		{"{n} of {total}, {n}", []string{"n", "2", "total", "5"}, "2 of 5, 2"},
		{"{a}{b}", []string{"a", "{b}", "b", "x"}, "{b}x"}, // a value is no text to fill
		{"{unknown} {n}", []string{"n", "1"}, "{unknown} 1"},
		{"a { b {n} }", []string{"n", "1"}, "a { b 1 }"},
		{"{n", []string{"n", "1"}, "{n"},
		{"nothing", nil, "nothing"},
		{"", []string{"n", "1"}, ""},
	} {
		if got := fill(tt.text, tt.pairs); got != tt.want {
			t.Errorf("fill(%q, %q) = %q; want %q", tt.text, tt.pairs, got, tt.want)
		}
	}
}

// FuzzFill: it does what strings.Replacer does, whose placeholders never nest.
func FuzzFill(f *testing.F) {
	f.Add("due {date}, {n} {", "date", "3{n}", "n", "1")
	f.Add("{{a}}", "a", "1", "b", "2")
	f.Fuzz(func(t *testing.T, text, a, x, b, y string) {
		if a == b || strings.ContainsAny(a+b, "{}") {
			t.Skip("no names")
		}
		want := strings.NewReplacer("{"+a+"}", x, "{"+b+"}", y).Replace(text)
		if got := fill(text, []string{a, x, b, y}); got != want {
			t.Errorf("fill(%q) = %q; want %q", text, got, want)
		}
	})
}
