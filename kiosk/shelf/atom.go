package shelf

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A key is made of atoms, each behind a space, which is less than all in an
// atom: so nothing stands before something.
//
//	number   how many digits, then the digits: 0, 17 -> "217"
//	decimal  the digits as they are
//	text     letters, in capitals and without diacritics
//	cutter   letters, digits as decimals: "B34"
//	volume   ':', label, number: v.2 -> ":V12"
//
// After a number or a cutter '!' leads its own letters: 1987b, S964s. As bytes
// ' ' < '!' < digits < ':' < letters.
type builder struct {
	buf []byte
}

func (k *builder) key() Key          { return Key(k.buf) }
func (k *builder) reset(head string) { k.buf = append(k.buf[:0], head...) }
func (k *builder) add(s string)      { k.buf = append(k.buf, s...) }
func (k *builder) space()            { k.buf = append(k.buf, ' ') }
func (k *builder) number(n int)      { k.digits(itoa(n)) }

// digits adds a whole number, of any length.
func (k *builder) digits(s string) {
	s = strings.TrimLeft(s, "0")
	n := len(s)
	for ; n >= 9; n -= 9 {
		k.buf = append(k.buf, '9')
	}
	k.buf = append(k.buf, byte('0'+n))
	k.add(s)
}

// text adds letters and leaves out all else.
func (k *builder) text(s string) {
	for _, r := range s {
		k.add(fold(r))
	}
}

// natural adds words by the alphabet and numbers by size.
func (k *builder) natural(s string) {
	for c := (cursor{s: s}); c.next(); {
		k.space()
		if d := c.digits(); d != "" {
			k.digits(d)
		} else {
			k.text(c.letters())
		}
	}
}

// labels are words for volumes, parts and copies, and what they are in a key.
var labels = map[string]string{
	"V": "V", "VOL": "V", "VOLUME": "V", "BD": "V", "BAND": "V", "T": "V", "TOM": "V", "TOME": "V", "TOMO": "V",
	"C": "C", "COP": "C", "COPY": "C", "EX": "C",
	"N": "N", "NO": "N", "NR": "N", "NUM": "N", "NUMBER": "N",
	"P": "P", "PT": "P", "PART": "P", "TEIL": "P",
	"BK": "BK", "BOOK": "BK", "ED": "ED", "SUPPL": "SUPPL",
}

// marks adds what follows a class number: cutters, dates, volumes, copies and
// words, in any order.
func (k *builder) marks(s string) {
	for c := (cursor{s: s}); c.next(); {
		k.space()
		if d := c.digits(); d != "" {
			k.digits(d)
			k.workmark(&c)
			continue
		}
		dotted := c.dotted()
		word := c.letters()
		if label, n, ok := c.volume(word, dotted); ok {
			k.add(":" + label)
			k.digits(n)
			continue
		}
		k.text(word)
		if d := c.digits(); d != "" {
			k.add(d)
			k.workmark(&c)
		}
	}
}

// workmark adds the letters of a number: 1987b, S964s2. Capitals with digits
// behind them are a cutter of their own: S6L552.
func (k *builder) workmark(c *cursor) {
	ahead := *c
	word := ahead.letters()
	first, _ := utf8.DecodeRuneInString(word)
	d := ahead.digits()
	if word == "" || d != "" && unicode.IsUpper(first) {
		return
	}
	k.add("!")
	k.text(word)
	if d != "" {
		k.digits(d)
	}
	*c = ahead
}

// cursor reads a call number.
type cursor struct {
	s string
	i int
}

// next goes to the next letter or digit.
func (c *cursor) next() bool {
	for c.i < len(c.s) {
		r, n := utf8.DecodeRuneInString(c.s[c.i:])
		if isDigit(r) || isLetter(r) {
			return true
		}
		c.i += n
	}
	return false
}

func (c *cursor) rest() string { return c.s[c.i:] }

// dotted tells whether a point stands right before, as before a cutter.
func (c *cursor) dotted() bool { return c.i > 0 && c.s[c.i-1] == '.' }

func (c *cursor) digits() string {
	start := c.i
	for c.i < len(c.s) && isDigit(rune(c.s[c.i])) {
		c.i++
	}
	return c.s[start:c.i]
}

// letters reads a word; an apostrophe between letters belongs to it.
func (c *cursor) letters() string {
	start := c.i
	for c.i < len(c.s) {
		r, n := utf8.DecodeRuneInString(c.s[c.i:])
		if (r == '\'' || r == '’') && c.i > start {
			if after, _ := utf8.DecodeRuneInString(c.s[c.i+n:]); isLetter(after) {
				c.i += n
				continue
			}
		}
		if !isLetter(r) {
			break
		}
		c.i += n
	}
	return c.s[start:c.i]
}

// volume reads the number of a label: "v.2", "vol. 2", "copy 2", "v2". In
// capitals and without a point, or with one before it, "V2" is a cutter.
func (c *cursor) volume(word string, dotted bool) (label, number string, ok bool) {
	label, known := labels[strings.ToUpper(word)]
	rest := c.rest()
	trimmed := strings.TrimLeft(strings.TrimPrefix(rest, "."), " ")
	if trimmed == "" || !isDigit(rune(trimmed[0])) {
		return "", "", false
	}
	skipped := rest[:len(rest)-len(trimmed)]
	switch {
	case skipped == "." && !known: // any label will do: K.545, OP.79
		var k builder
		k.text(word)
		label = string(k.buf)
	case !known, skipped == "" && (dotted || word == strings.ToUpper(word)):
		return "", "", false
	}
	c.i += len(skipped)
	return label, c.digits(), true
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }
func isLetter(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) && !isDigit(r) || unicode.Is(unicode.Mn, r)
}

// folds are Latin letters and what they are filed as. Diacritics are ignored
// (LC Filing Rules, see G 100): Hände is filed as Hande.
var folds = func() map[rune]string {
	m := map[rune]string{'Æ': "AE", 'Œ': "OE", 'ß': "SS", 'ẞ': "SS", 'Þ': "TH", 'Ð': "D", 'Ŋ': "N", 'ı': "I"}
	for base, marked := range map[string]string{
		"A": "ÀÁÂÃÄÅĀĂĄǍ", "C": "ÇĆĈĊČ", "D": "ĎĐ", "E": "ÈÉÊËĒĔĖĘĚ", "G": "ĜĞĠĢ", "H": "ĤĦ", "I": "ÌÍÎÏĨĪĬĮİ",
		"J": "Ĵ", "K": "Ķ", "L": "ĹĻĽĿŁ", "N": "ÑŃŅŇ", "O": "ÒÓÔÕÖØŌŎŐ", "R": "ŔŖŘ", "S": "ŚŜŞŠȘ", "T": "ŢŤŦȚ",
		"U": "ÙÚÛÜŨŪŬŮŰŲ", "W": "Ŵ", "Y": "ÝŶŸ", "Z": "ŹŻŽ",
	} {
		for _, r := range marked {
			m[r] = base
		}
	}
	return m
}()

// fold is how a letter is filed; empty for what is none.
func fold(r rune) string {
	if !isLetter(r) || unicode.Is(unicode.Mn, r) {
		return ""
	}
	r = unicode.ToUpper(r)
	if s, ok := folds[r]; ok {
		return s
	}
	return string(r)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
