package shelf

import (
	"fmt"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// newRanks numbers words by their place in a list; "FIC|F" are one place.
func newRanks(what string, list []string) (map[string]int, error) {
	ranks := map[string]int{}
	for i, words := range list {
		for word := range strings.SplitSeq(strings.ToUpper(words), "|") {
			word = strings.TrimSpace(word)
			if _, ok := ranks[word]; ok {
				return ranks, fmt.Errorf("%s: %q is there twice", what, word)
			}
			ranks[word] = i
		}
	}
	return ranks, nil
}

// prefixes are words that may stand before a number, by rank; "" is the rank
// of what has none.
type prefixes map[string]int

func newPrefixes(what string, list []string) (prefixes, error) {
	ranks, err := newRanks(what, list)
	for word := range ranks {
		if strings.ContainsFunc(word, func(r rune) bool { return !isLetter(r) }) {
			return nil, fmt.Errorf("%s: %q is not one word of letters", what, word)
		}
	}
	if _, ok := ranks[""]; !ok {
		ranks[""] = len(list) // behind those with a prefix
	}
	return ranks, err
}

// take adds the ranks of the prefixes that s begins with, and gives what is
// left and how many they were. A word that nothing follows is a prefix only if
// it stands alone: in "E B" the B is an author. The ranks end with that of
// none, so that "REF 973" and "REF FIC" have an order too.
// What a prefix is followed by has to be fit for it. Whatever is left is not
// touched, but for spaces.
func (p prefixes) take(k *builder, s string, fit func(rest string) bool) (rest string, n int) {
	for {
		c := cursor{s: s}
		if !c.next() {
			break
		}
		word := c.letters()
		rank, ok := p[strings.ToUpper(word)]
		after := strings.TrimLeft(c.rest(), ".])")
		more := c.next()
		if word == "" || !ok || !more && n > 0 || !fit(after) {
			break
		}
		k.space()
		k.number(rank)
		n++
		s = after
	}
	k.space()
	k.number(p[""])
	return strings.TrimSpace(s), n
}
