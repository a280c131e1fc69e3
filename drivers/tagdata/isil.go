package tagdata

import "strings"

// ISIL packing of ISO 28560-2 (annex of the encoding of owners): three sets
// of characters, of which the first begins. Five bits in the letter sets and
// four in the digits. The highest four values of a set go to the two others,
// for good or for one character. Padded with 1.
type isilSet struct {
	width int
	chars string // by value
	to    [4]int // set of the values that follow chars; even ones for good
}

const (
	isilUpper = iota
	isilLower
	isilDigit
)

var isilSets = [...]isilSet{
	isilUpper: {5, "-ABCDEFGHIJKLMNOPQRSTUVWXYZ:", [4]int{isilLower, isilLower, isilDigit, isilDigit}},
	isilLower: {5, "-abcdefghijklmnopqrstuvwxyz/", [4]int{isilUpper, isilUpper, isilDigit, isilDigit}},
	isilDigit: {4, "0123456789-:", [4]int{isilUpper, isilUpper, isilLower, isilLower}},
}

func unpackISIL(b []byte) string {
	var out strings.Builder
	set, once := isilUpper, -1
	for at := 0; ; {
		in := set
		if once >= 0 {
			in = once
		}
		s := isilSets[in]
		v, ok := bitsAt(b, at, s.width)
		if !ok {
			return out.String()
		}
		at += s.width
		switch {
		case v < len(s.chars):
			out.WriteByte(s.chars[v])
			once = -1
		case (v-len(s.chars))%2 == 0:
			set, once = s.to[v-len(s.chars)], -1
		default:
			once = s.to[v-len(s.chars)]
		}
	}
}

// packISIL tells false where a character is in none of the sets.
func packISIL(text string) ([]byte, bool) {
	var w bitWriter
	set := isilUpper
	for i := range len(text) {
		in := setOf(text[i], set)
		if in < 0 {
			return nil, false
		}
		if in != set {
			stay := i+1 < len(text) && setOf(text[i+1], set) != set
			w.put(isilSets[set].way(in, stay), isilSets[set].width)
		}
		w.put(strings.IndexByte(isilSets[in].chars, text[i]), isilSets[in].width)
		if in != set && i+1 < len(text) && setOf(text[i+1], set) != set {
			set = in
		}
	}
	return w.bytes(0xFF), true
}

// setOf is a set that has c, now if it has; -1 if none has.
func setOf(c byte, now int) int {
	if strings.IndexByte(isilSets[now].chars, c) >= 0 {
		return now
	}
	for i, s := range isilSets {
		if strings.IndexByte(s.chars, c) >= 0 {
			return i
		}
	}
	return -1
}

// way is the value that goes to another set, to stay there or for once.
func (s isilSet) way(to int, stay bool) int {
	for i, t := range s.to {
		if t == to && (i%2 == 0) == stay {
			return len(s.chars) + i
		}
	}
	panic("a set that can't be reached")
}
