package catalog

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// TestMARC8 has words in each set. What they become was checked against a
// second decoder that was made from the same code tables (yaz 5.34).
func TestMARC8(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"plain":                        "plain",
		"caf\xe2e":                     "café",
		"\xe8ubermut, na\xe8ive":       "übermut, naïve",
		"\xa1\xb1\xb2\xb5 \xb3\xb8":    "Łłøæ đı",
		"Dvo\xe9r\xe2ak":               "Dvořák",
		"\xf0cs":                       "çs",
		"Vi\xf2\xe3et":                 "Việt",
		"\xc3 1999 \xc2 \xc7 \xc8":     "© 1999 ℗ ß €",
		"\xebi\xeca \xebt\xecs":        "i\u0361a t\u0361s",
		"\xfan\xfbg":                   "n\u0360g",
		"\x1b(NwOJNA I MIR\x1b(B!":     "Война и мир!",
		"\x1b(N\x1b)Q\xc0\xe4[\x1b(B[": "ґЁш[",
		"\x1b(2ylem[\x1b(B":            "שלום[",
		"\x1b(2K`B`\x1b(B":             "א\u05bcא\u05b6",
		"\x1b(3GdCJxyz\x1b(B":          "الأت\u066c”“",
		"\x1b(4)1\x1b(B":               "پچ",
		"\x1b(S\x22aBcg\x1b(B":         "άΒϐϛ",
		"H\x1bb2\x1bsO x\x1bp2\x1bs":   "H₂O x²",
		"\x1bgab\x1bs":                 "αβ",
		"\x1b$1!0!!0\"\x1b(B, b":       "一丁, b",
		"\x1b$)1\xa1\xb0\xa1 x":        "一 x",
		"\x88The \x89book":             "The book",
		"tail\xe2":                     "taiĺ",
		"end \xe2":                     "end \u0301",
	} {
		if got, lost := decodeMARC8([]byte(in)); got != want || lost != 0 {
			t.Errorf("decodeMARC8(%q) = %q, %d lost; want %q", in, got, lost, want)
		}
	}
}

// TestMARC8Lost: what can't be read is counted and marked, never guessed, and
// what comes after it is right again.
func TestMARC8Lost(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		lost     int
	}{
		{"\x1b$1*A!!0!\x1b(Bb", "\uFFFD一b", 1},  // a part of a character, private use in Unicode
		{"\x1b$1!0\x1b(Bb", "\uFFFD\uFFFDb", 2}, // cut short
		{"\x1b(Zxy\x1b(Bz", "\uFFFD\uFFFDz", 2}, // no such set
		{"\x1b$Bxy\x1b(Bz", "\uFFFD\uFFFDz", 2}, // JIS is not in MARC-8
		{"a\x1bzb", "azb", 1},                   // an escape that leads nowhere
		{"a\xaf\xbbb", "a\uFFFD\uFFFDb", 2},     // codes that ANSEL has not
	} {
		if got, lost := decodeMARC8([]byte(tt.in)); got != tt.want || lost != tt.lost {
			t.Errorf("decodeMARC8(%q) = %q, %d lost; want %q, %d lost", tt.in, got, lost, tt.want, tt.lost)
		}
	}
}

func TestEACCTable(t *testing.T) {
	table := eaccRunes()
	if len(table) != 15_684 {
		t.Errorf("the table has %d characters; want 15,684", len(table))
	}
	for code, want := range map[string]rune{"!#!": '\u3000', "!0!": '一', "$!$": 0, "i!!": 0, "i$\"": 'あ', "oH_": '가', "!*A": 0} {
		if got := table[[3]byte([]byte(code))]; got != want {
			t.Errorf("%x = %q; want %q", code, got, want)
		}
	}
}

// marc8Codes are the ways to write a character, out of our own tables.
func marc8Codes() map[rune]string {
	codes := map[rune]string{}
	for name, set := range sets {
		open := "\x1b(" + name
		if strings.Contains("bpg", name) {
			open = "\x1b" + name
		}
		for c, r := range set.runes {
			if r > 0 {
				codes[r] = open + string(rune(c))
			}
		}
	}
	for code, r := range eaccRunes() {
		codes[r] = "\x1b$1" + string(code[:])
	}
	return codes
}

// encodeMARC8 writes what the tables have, marks before their letter.
func encodeMARC8(s string, codes map[rune]string) (marc, same string) {
	var out, kept, letter strings.Builder
	var marks string
	end := func() {
		out.WriteString(marks + letter.String())
		marks = ""
		letter.Reset()
	}
	for _, r := range s {
		code, ok := codes[r]
		switch {
		case r == ' ':
			code = " "
		case !ok:
			continue
		case mark(r) && letter.Len() == 0:
			continue // a mark needs a letter
		}
		kept.WriteRune(r)
		if mark(r) {
			marks += code
			continue
		}
		end()
		letter.WriteString(code)
	}
	end()
	return out.String(), kept.String()
}

func FuzzMARC8(f *testing.F) {
	codes := marc8Codes()
	for _, s := range []string{"caf\xe2e\x1b(Nw\x1b$1!!!", "Việt, Dvořák", "Война и мир", "שָׁלוֹם", "日本語 한국", "ἀρχή", "\x1b)1\xa1", "E = mc²"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, lost := decodeMARC8(b)
		if strings.Count(s, "\uFFFD") > lost || len(s) > 4*len(b)+8 || !utf8.ValidString(s) {
			t.Errorf("decodeMARC8(%q) = %q, %d lost", b, s, lost)
		}
		marc, same := encodeMARC8(norm.NFD.String(string(b)), codes)
		if got, lost := decodeMARC8([]byte(marc)); got != norm.NFC.String(same) || lost != 0 {
			t.Errorf("decodeMARC8(%q) = %q, %d lost; want %q", marc, got, lost, norm.NFC.String(same))
		}
	})
}
