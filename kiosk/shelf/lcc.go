package shelf

import "strings"

// readLCC reads a call number of the Library of Congress.
func readLCC(p prefixes, k *builder, s string) string { return readLetters(p, k, s, "IOWXY") }

// readNLM reads one of the National Library of Medicine, which leaves all but
// QS to QZ and W to LC's schedules.
func readNLM(p prefixes, k *builder, s string) string { return readLetters(p, k, s, "IOXY") }

// readLetters reads class letters, a number with decimals, then cutters, dates
// and volumes. No class begins with one of vacant. What has letters
// next to it can't be the class itself, so it may be a prefix: REF QA76.
func readLetters(p prefixes, k *builder, s, vacant string) string {
	rest, _ := p.take(k, s, func(rest string) bool {
		c := cursor{s: rest}
		return c.next() && !isDigit(rune(rest[c.i]))
	})
	c := cursor{s: rest}
	c.next()
	class := strings.ToUpper(c.letters())
	switch {
	case class == "":
		return "it does not begin with the letters of a class"
	case len(class) > 3 || strings.ContainsFunc(class, func(r rune) bool { return r < 'A' || r > 'Z' }):
		return class + " is no class, which has one to three letters"
	case strings.Contains(vacant, class[:1]):
		return "there is no class " + class[:1]
	}
	c.spaces()
	whole := c.digits()
	if whole == "" {
		return "after the class " + class + " there is no number"
	}
	k.space()
	k.add(class)
	k.digits(whole)
	ahead := c
	if ahead.spaces(); strings.HasPrefix(ahead.rest(), ".") && ahead.more(1) {
		ahead.i++
		k.add(ahead.digits())
		c = ahead
	}
	k.marks(c.rest())
	return ""
}

func (c *cursor) spaces() { c.i = len(c.s) - len(strings.TrimLeft(c.rest(), " ")) }
