package shelf

import "strings"

// readDDC reads a Dewey call number: prefixes, number, cutter, dates, volumes
// and copies. After a prefix the number may be missing: "FIC ROW".
func readDDC(p prefixes, k *builder, s string) string {
	rest, n := p.take(k, s, func(string) bool { return true })
	c := cursor{s: rest}
	more := c.next()
	whole := c.digits()
	switch {
	case !more && n == 0:
		return "there is no number"
	case whole == "" && n == 0:
		return "it begins with " + c.letters() + ", which is no prefix"
	case whole == "" || n > 0 && len(whole) > 3: // "FIC ROW", "FIC 1984"
		k.marks(rest)
		return ""
	case len(whole) > 3:
		return "a Dewey number has three digits before the point"
	}
	k.space()
	k.add("000"[len(whole):] + whole + c.decimals())
	k.marks(c.rest())
	return ""
}

// decimals reads the digits behind the point. Slashes and primes that show
// where a number may be cut (MARC 082 $a: 813/.54) are left out.
func (c *cursor) decimals() string {
	var digits strings.Builder
	point := false
	for ; c.i < len(c.s); c.i++ {
		switch b := c.s[c.i]; {
		case isDigit(rune(b)) && point:
			digits.WriteByte(b)
		case b == '.' && !point && c.more(1):
			point = true
		case (b == '/' || b == '\'') && (c.more(1) && point || strings.HasPrefix(c.s[c.i+1:], ".")):
		default:
			return digits.String()
		}
	}
	return digits.String()
}

// more tells whether a digit follows after n bytes.
func (c *cursor) more(n int) bool { return c.i+n < len(c.s) && isDigit(rune(c.s[c.i+n])) }
