package search

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Slips is how many letters may be wrong in a word for it still to be meant:
// none in a short one.
func Slips(word string) int {
	switch n := utf8.RuneCountInString(word); {
	case ideograph(word) || n < 3 || strings.ContainsAny(word, "0123456789"):
		return 0
	case n < 5:
		return 1
	case n < 9:
		return 2
	}
	return 3
}

// Distance is how many letters must be put in, left out, changed or exchanged
// with their neighbour to make one word of another (optimal string alignment);
// max+1 if it is more than max.
func Distance(a, b string, max int) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > max || -d > max {
		return max + 1
	}
	before, last, now := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		now[0] = i
		least := i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
			least = min(least, now[j])
		}
		if least > max {
			return max + 1
		}
		before, last, now = last, now, before
	}
	return min(last[len(y)], max+1)
}

// Nearest are those of the words that may have been meant by one, at most n:
// the nearest first. Of as near ones, that which begins alike comes first.
func Nearest(word string, among []string, n int) []string {
	type near struct {
		word string
		by   int
	}
	var list []near
	slips := Slips(word)
	for _, w := range among {
		d := Distance(word, w, slips)
		if w == word || d > slips {
			continue
		}
		d *= 2
		if w[0] != word[0] {
			d++
		}
		list = append(list, near{w, d})
	}
	slices.SortStableFunc(list, func(a, b near) int { return a.by - b.by })
	var out []string
	for _, l := range list[:min(n, len(list))] {
		out = append(out, l.word)
	}
	return out
}

// articles stand before what a title is known by.
var articles = map[string]bool{"the": true, "a": true, "an": true, "der": true, "die": true, "das": true, "ein": true, "eine": true,
	"le": true, "la": true, "les": true, "l": true, "un": true, "une": true, "el": true, "los": true, "las": true, "una": true}

func known(title []string) []string {
	if len(title) > 1 && articles[title[0]] {
		return title[1:]
	}
	return title
}

// Fit is how well a book answers a query; less is better.
type Fit struct {
	Class int // of how it fits
	By    int // slips, and then words of the title beyond those asked for
}

// The classes.
const (
	Whole   = iota // it is the title
	Begins         // the title, or the call number, begins so
	Within         // the title has it
	Author         // the author is called so
	About          // a subject of it is called so
	Spread         // all words are somewhere
	Slipped        // not as they were typed
)

// Book is what there is to fit.
type Book struct {
	Title, Author, Call string
	Subjects            []string // headings
}

// Of tells how a book fits: as it is written, as it sounds, or with words of
// both.
func (q Query) Of(b Book) Fit {
	fit := q.of(b)
	title, author := strings.Join(Sound(b.Title), " "), strings.Join(Sound(b.Author), " ")
	if title+author == "" {
		return fit
	}
	both := Book{Title: b.Title + " " + title, Author: b.Author + " " + author, Call: b.Call, Subjects: b.Subjects}
	return slices.MinFunc([]Fit{fit, q.of(Book{Title: title, Author: author}), q.of(both)}, Fit.Less)
}

func (q Query) of(b Book) Fit {
	want := q.Words()
	t, a, c := Words(b.Title), Words(b.Author), Words(b.Call)
	more := max(len(t)-len(want), 0)
	bare := known(want)
	switch {
	case len(want) == 0:
		return Fit{Slipped, more}
	case slices.Equal(known(t), bare):
		return Fit{Whole, 0}
	case starts(known(t), bare), starts(t, want), starts(c, want):
		return Fit{Begins, more}
	case has(t, want):
		return Fit{Within, more}
	case has(a, want):
		return Fit{Author, more}
	}
	all := slices.Concat(t, a, c)
	for _, h := range b.Subjects {
		s := Words(h)
		if has(s, want) {
			return Fit{About, len(s) - len(want)}
		}
		all = append(all, s...)
	}
	slips := 0
	for i, w := range want {
		slips += least(w, all, i == len(want)-1)
	}
	if slips == 0 {
		return Fit{Spread, more}
	}
	return Fit{Slipped, slips*100 + more}
}

// Less sorts fits.
func (f Fit) Less(o Fit) int {
	if f.Class != o.Class {
		return f.Class - o.Class
	}
	return f.By - o.By
}

// starts tells whether words begin with others, of which the last may be cut.
func starts(words, with []string) bool {
	n := len(with)
	return n > 0 && n <= len(words) && slices.Equal(words[:n-1], with[:n-1]) && strings.HasPrefix(words[n-1], with[n-1])
}

// has tells whether all words are among others, the last as a beginning.
func has(words, want []string) bool {
	for i, w := range want {
		if least(w, words, i == len(want)-1) > 0 {
			return false
		}
	}
	return len(words) > 0
}

// least is how far the nearest of the words is.
func least(word string, among []string, open bool) int {
	slips := Slips(word)
	best := slips + 2
	for _, w := range among {
		if w == word || open && strings.HasPrefix(w, word) {
			return 0
		}
		best = min(best, max(Distance(word, w, slips), 1))
	}
	return best
}

// Spelled is a folded word as a text spells it: Müller for muller; the word
// itself where the text lacks it.
func Spelled(word, text string) string {
	for _, chunk := range strings.Fields(text) {
		if w := Words(chunk); len(w) == 1 && w[0] == word {
			return strings.ToLower(strings.Trim(chunk, ".,;:!?()[]«»“”„\"/"))
		}
	}
	return word
}
