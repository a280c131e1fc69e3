package search

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"QA76.73.S34": "qa 76 73 s 34", "Müller’s Straße": "muller s strasse", "红楼 Dream": "红 楼 dream", "п'ять Їжак": "пять іжак",
		"أَلْفُ ليلةٍ": "الف ليله", "Dế Mèn": "de men", "a\u200bb": "ab", "\xff": "", " - ": "",
	} {
		if got := Fold(text); got != want {
			t.Errorf("Fold(%q) = %q; want %q", text, got, want)
		}
	}
}

func TestSound(t *testing.T) {
	for text, want := range map[string]string{
		"红楼梦": "hong lou meng hongloumeng honglou loumeng", "紅樓夢": "hong lou meng hongloumeng honglou loumeng", "Dune 沙丘 2": "sha qiu shaqiu", "女": "nu nv",
		"长大": "zhang da zhangda chang", "": "", "Dune": "", "ノルウェイの森": "sen", "ÿ": "",
	} {
		if got := strings.Join(Sound(text), " "); got != want {
			t.Errorf("Sound(%q) = %q; want %q", text, got, want)
		}
	}
	if n := len(Sound(strings.Repeat("一", 300))); n != 300+1+299+298+297 {
		t.Errorf("a long run has %d words", n)
	}
}

// TestPinyin: each character has one reading that comes first, which is none of
// its others.
func TestPinyin(t *testing.T) {
	n, r := 0, pinyin()
	for c := rune(firstHan); c <= lastHan; c++ {
		if r.mostly[c-firstHan] > 0 {
			n++
		}
		if Words(r.syllables[r.mostly[c-firstHan]]) == nil != (r.mostly[c-firstHan] == 0) {
			t.Errorf("%c sounds like %q", c, r.syllables[r.mostly[c-firstHan]])
		}
		for _, o := range r.others[c] {
			if r.syllables[o] == r.syllables[r.mostly[c-firstHan]] {
				t.Errorf("%c has %s twice", c, r.syllables[o])
			}
		}
	}
	if n != 20_901 { // of the block's 20,992
		t.Errorf("%d characters have a reading", n)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"hobbit", "hobbit", 0}, {"hobibt", "hobbit", 1}, {"poter", "potter", 1}, {"мова", "мовa", 1}, {"abc", "xyz", 3}, {"a", "abcdef", 3}} {
		if got := Distance(c.a, c.b, 2); got != c.want {
			t.Errorf("Distance(%s, %s) = %d; want %d", c.a, c.b, got, c.want)
		}
	}
}

// TestOf: words of the writing and of its sounds fit together.
func TestOf(t *testing.T) {
	b := Book{"红楼梦 · Hong lou meng", "Cao Xueqin", "895.1 CAO", []string{"Families -- Fiction", "家庭"}}
	han := Book{"红楼梦", "曹雪芹", b.Call, b.Subjects}
	for _, c := range []struct {
		typed string
		book  Book
		want  int
	}{
		{"honglou cao", b, Spread}, {"honglou 895.1", han, Spread}, {"honglou fiction", han, Spread}, {"hong 楼梦", han, Within}, {"xueqin 曹", han, Author},
		{"hong lou", han, Begins}, {"红楼梦", han, Whole}, {"895.1 cao", han, Begins}, {"fiction", han, About}, {"honglou dune", b, Slipped},
	} {
		if got := Parse(c.typed).Of(c.book); got.Class != c.want {
			t.Errorf("%q fits %q as %+v; want class %d", c.typed, c.book.Title, got, c.want)
		}
	}
}

// FuzzParse: whatever is typed, its words hold nothing that means something to
// an index, folding is final, and nothing is asked beyond the bounds.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "Harry Potter", `"a" OR b*`, "红楼", "hong 楼梦", "أَلْف", "0-261-10221-4", "\xff\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := Parse(s)
		for _, w := range q.Words() {
			if w == "" || strings.ContainsAny(w, " \"*^:()\x00") || utf8.ValidString(s) && !utf8.ValidString(w) {
				t.Errorf("Parse(%q) has the word %q", s, w)
			}
		}
		if n := len(q.Words()); n > maxWords {
			t.Errorf("%d words", n)
		}
		if i := ISBN(s); i != "" && (len(i) < 7 || len(i) > 13) {
			t.Errorf("ISBN(%q) = %q", s, i)
		}
		for _, w := range Sound(s) {
			if got := Words(w); len(got) != 1 || got[0] != w {
				t.Errorf("Sound(%q) has the word %q", s, w)
			}
		}
		q.Of(Book{s, s, s, []string{s}})
		q.Settled()
	})
}
