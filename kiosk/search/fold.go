// Package search reads what somebody types to find a book, and says how well a
// book fits: pure functions over words.
//
// Words are compared folded: without case, accents and the forms that one
// letter may take in its script, so that who has no ü on the keyboard finds
// Müller. The folds are those of Unicode's compatibility decomposition (NFKD,
// UAX 15), without the marks of Latin, Greek, Cyrillic, Arabic and Hebrew, and a
// few letters that it does not decompose. Scripts that write no blanks between
// words are taken letter by letter, so that one or two of them find something.
package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// folds are the letters that have no decomposition and are typed as others.
var folds = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'þ': "th", 'ı': "i",
	'ґ': "г",
	'ة': "ه", 'ى': "ي", 'ٱ': "ا", 'ک': "ك", 'ی': "ي", 'ـ': "",
}

// dropped tells of the marks that are left out.
func dropped(r rune) bool {
	switch {
	case r >= 0x0300 && r <= 0x036F, // combining diacritical marks
		r >= 0x0591 && r <= 0x05C7,              // Hebrew points
		r >= 0x064B && r <= 0x065F, r == 0x0670, // Arabic vowels and hamza
		r == 0x3099 || r == 0x309A: // voicing of kana
		return true
	}
	return false
}

// alone tells of the scripts that write no blanks between words.
func alone(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// kind parts a text into words: a word is of letters or of digits.
type kind int

const (
	gap kind = iota
	letters
	digits
	single
)

func kindOf(r rune) kind {
	switch {
	case alone(r) && (unicode.IsLetter(r) || unicode.IsMark(r)):
		return single
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return letters
	case unicode.IsDigit(r):
		return digits
	}
	return gap
}

// apostrophe tells of what is written within a word in Ukrainian, and elides
// one elsewhere.
func apostrophe(r rune) bool { return r == '\'' || r == '’' || r == 'ʼ' || r == '‘' || r == '`' }

// Words are the folded words of a text, in their order: "QA76.73 Müller" is qa,
// 76, 73, muller.
func Words(text string) (words []string) {
	var b strings.Builder
	was := gap
	end := func() {
		if b.Len() > 0 {
			words = append(words, b.String())
			b.Reset()
		}
		was = gap
	}
	cyrillic := false
	for _, r := range norm.NFKD.String(text) {
		if dropped(r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		if apostrophe(r) && cyrillic {
			continue
		}
		r = unicode.ToLower(r)
		k := kindOf(r)
		if k != was || k == single && !unicode.IsMark(r) {
			end()
		}
		was, cyrillic = k, unicode.Is(unicode.Cyrillic, r)
		if k == gap || apostrophe(r) {
			end()
			continue
		}
		if f, ok := folds[r]; ok {
			b.WriteString(f)
			continue
		}
		b.WriteRune(r)
	}
	end()
	return words
}

// Fold is Words in one text, with a blank between two.
func Fold(text string) string { return strings.Join(Words(text), " ") }

// ideograph tells whether a word is one letter of a script that is taken letter
// by letter.
func ideograph(word string) bool {
	for _, r := range word {
		return alone(r)
	}
	return false
}
