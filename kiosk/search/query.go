package search

import (
	"strings"
	"unicode/utf8"
)

// Bounds on what is looked for.
const (
	MaxText  = 120 // characters of a query that are read
	maxWords = 12
)

// Query is what somebody typed, as words. Each part is what was typed without a
// blank and stands together in a book's title as well; the last word may still
// be being typed.
type Query struct {
	Parts [][]string
}

// Parse reads a text.
func Parse(text string) (q Query) {
	n := 0
	for _, chunk := range strings.Fields(cut(text, MaxText)) {
		words := Words(chunk)
		if n += len(words); n > maxWords {
			break
		}
		if len(words) > 0 {
			q.Parts = append(q.Parts, words)
		}
	}
	return q
}

// cut is a text of at most n characters.
func cut(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// Words are those of all parts.
func (q Query) Words() (words []string) {
	for _, p := range q.Parts {
		words = append(words, p...)
	}
	return words
}

// Empty tells whether there is too little to look for: nothing, or one letter of
// a script that has few.
func (q Query) Empty() bool {
	w := q.Words()
	return len(w) == 0 || len(w) == 1 && utf8.RuneCountInString(w[0]) < 2 && !ideograph(w[0])
}

// Open tells whether the last word may still be being typed: it is long enough
// that what begins so is few.
func (q Query) Open() bool {
	w := q.Words()
	if len(w) == 0 {
		return false
	}
	last := w[len(w)-1]
	return !ideograph(last) && utf8.RuneCountInString(last) > 1
}

// Settled is a query without a last word of one letter, if there is more: every
// third book has a word that begins so.
func (q Query) Settled() Query {
	n := len(q.Parts)
	if n < 2 || len(q.Parts[n-1]) > 1 || q.Open() || ideograph(q.Parts[n-1][0]) {
		return q
	}
	return Query{q.Parts[:n-1]}
}

// ISBN is a text as the 13 digits of an ISBN, or as the first of them, seven at
// least; "" if it is none.
func ISBN(text string) string {
	var d []byte
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			d = append(d, byte(r))
		case r == 'x' || r == 'X':
			d = append(d, 'X')
		case r != '-' && r != ' ':
			return ""
		}
	}
	switch s := string(d); {
	case len(s) == 10 && strings.IndexByte(s[:9], 'X') < 0 && check10(s):
		return with13("978" + s[:9])
	case len(s) < 7 || len(s) > 13 || strings.Contains(s, "X"):
		return ""
	case strings.HasPrefix(s, "978") || strings.HasPrefix(s, "979"):
		return s
	}
	return ""
}

func check10(s string) bool {
	sum := 0
	for i, c := range []byte(s) {
		v := int(c - '0')
		if c == 'X' {
			v = 10
		}
		sum += (10 - i) * v
	}
	return sum%11 == 0
}

func with13(s string) string {
	sum := 0
	for i, c := range []byte(s) {
		sum += int(c-'0') * (1 + 2*(i%2))
	}
	return s + string(rune('0'+(10-sum%10)%10))
}
