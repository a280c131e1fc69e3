package catalog

import "testing"

// TestClean: a text that is fit already is left as it is, and others are made so.
func TestClean(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "Dune": "Dune", "The book of many titles, volume 7": "The book of many titles, volume 7",
		" Dune": "Dune", "Dune ": "Dune", "The  Dune": "The Dune", "The\tDune\n": "The Dune", " ": "", "~": "~",
		"Zoe\u0308": "Zoë", "a\u202eb": "ab", "a\x00b\x7f": "a b", "\ufeffDune": "Dune", "\xff": "\uFFFD",
		"12345678901": "1234567890", "123456789 1": "123456789", "123456789é": "123456789",
	} {
		if got := clean(s, 10+len(s)/20*30); got != want {
			t.Errorf("clean(%q) = %q; want %q", s, got, want)
		}
	}
}
