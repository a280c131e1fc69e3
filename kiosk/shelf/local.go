package shelf

import (
	"errors"
	"fmt"
	"strings"
)

// Local is a scheme of the library's own.
type Local struct {
	// As reads it as another scheme, and gives it the same order; the rest is
	// empty then.
	As string
	// Prefixes are the words it begins with, in shelf order, as in
	// Rules.Prefixes; empty means that it has none.
	Prefixes []string
	// Parts are what follows, one after the other. What is there beyond them is
	// in natural order: words by the alphabet, numbers by size.
	Parts []Part
}

// Part is one part of a call number.
type Part string

// The kinds of parts.
const (
	PartText    Part = "text"    // a word: MAR
	PartNumber  Part = "number"  // a whole number, by size: 2 before 10
	PartDecimal Part = "decimal" // a number with digits behind its point or comma, digit by digit: 7.15 before 7.2
	PartCutter  Part = "cutter"  // letters and digits as decimals: M15 before M2
)

// addLocal adds the library's own schemes.
func (o *Order) addLocal(schemes map[string]Local) error {
	var errs []error
	alias := map[string]string{}
	for _, name := range sorted(schemes) {
		l := schemes[name]
		if _, ok := DefaultPrefixes[name]; ok || name != strings.ToLower(name) || name == "" {
			errs = append(errs, fmt.Errorf("scheme %q: a name of its own, in small letters, is needed", name))
			continue
		}
		if l.As != "" {
			alias[name] = l.As
			continue
		}
		s, err := l.scheme()
		if err != nil {
			errs = append(errs, fmt.Errorf("scheme %q: %w", name, err))
		}
		o.schemes[name] = s
	}
	for _, name := range sorted(alias) {
		s, ok := o.schemes[alias[name]]
		if !ok || alias[alias[name]] != "" {
			errs = append(errs, fmt.Errorf("scheme %q: there is no scheme %q to be read as", name, alias[name]))
		}
		s.as = alias[name]
		o.schemes[name] = s
	}
	return errors.Join(errs...)
}

func (l Local) scheme() (scheme, error) {
	for _, part := range l.Parts {
		switch part {
		case PartText, PartNumber, PartDecimal, PartCutter:
		default:
			return scheme{}, fmt.Errorf("%q is no kind of part", part)
		}
	}
	if len(l.Prefixes) == 0 {
		return scheme{read: l.read}, nil
	}
	p, err := newPrefixes("prefixes", l.Prefixes)
	_, bare := p[""]
	bare = bare && p[""] < len(l.Prefixes)
	return scheme{read: func(k *builder, s string) string {
		rest, n := p.take(k, s, func(string) bool { return true })
		if n == 0 && !bare {
			return "it begins with none of its prefixes"
		}
		return l.read(k, rest)
	}}, err
}

// read adds the parts that are there; a shorter call number stands first.
func (l Local) read(k *builder, s string) string {
	c := cursor{s: s}
	for _, part := range l.Parts {
		if !c.next() {
			return ""
		}
		k.space()
		if !k.part(part, &c) {
			return fmt.Sprintf("%.20q is no %s", c.rest(), part)
		}
	}
	k.natural(c.rest())
	return ""
}

// part adds one part and tells whether it was there.
func (k *builder) part(p Part, c *cursor) bool {
	switch p {
	case PartNumber, PartDecimal:
		d := c.digits()
		if d == "" {
			return false
		}
		k.digits(d)
		if r := c.rest(); p == PartDecimal && len(r) > 0 && (r[0] == '.' || r[0] == ',') && c.more(1) {
			c.i++
			k.add(c.digits())
		}
		return true
	}
	word := c.letters()
	k.text(word)
	if p == PartCutter {
		k.add(c.digits())
	}
	return word != ""
}

// readNatural fits all that has a letter or a digit.
func readNatural(k *builder, s string) string {
	if c := (cursor{s: s}); !c.next() {
		return "there is no letter and no digit in it"
	}
	k.natural(s)
	return ""
}
