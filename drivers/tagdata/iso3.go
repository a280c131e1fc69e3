package tagdata

import (
	"fmt"
	"slices"
	"strings"
)

// ISO 28560-3, and DS/INF 163-1 before it:
//
//	0      content parameter 1, type of usage (a nibble each)
//	1      number of parts
//	2      this part
//	3..18  item, text, zeros behind
//	19,20  check sum, low byte first
//	21..33 owner, ISIL without the hyphen after the country; tags of 32 bytes end at 31
//	34..   extension blocks
//
// The check sum is CRC-16 (polynomial 1021, begins with FFFF, not inverted)
// over bytes 0 to 18 and 21 to 33; a tag of 32 bytes counts two zeros more.
const (
	fixed     = 34 // bytes
	fixedTiny = 32 // bytes, on a tag that has no more
	itemAt    = 3
	sumAt     = 19
	ownerAt   = 21
	itemSize  = sumAt - itemAt
)

// sum3 is the check sum of the fixed fields in b, of which those missing
// count as zeros.
func sum3(b []byte) uint16 {
	var f [fixed]byte
	copy(f[:], b)
	return crc(0xFFFF, f[:sumAt], f[ownerAt:])
}

// crc is CRC-16 with polynomial 1021, most significant bit first.
func crc(sum uint16, parts ...[]byte) uint16 {
	for _, p := range parts {
		for _, c := range p {
			sum ^= uint16(c) << 8
			for range 8 {
				carry := sum >> 15
				sum = sum<<1 ^ carry*0x1021
			}
		}
	}
	return sum
}

func fits3(b []byte) bool {
	s := sum3(b)
	return b[sumAt] == byte(s) && b[sumAt+1] == byte(s>>8)
}

// sound3 takes a tag whose check sum fits. On a tag of more than 32 bytes the
// short form is taken of old Bibliotheca writers only, who have a block of
// their own behind it: elsewhere it would make the check sum weaker.
func sound3(m Memory, _ Options) (Contents, bool) {
	b := m.Data
	if len(b) >= fixed && fits3(b) {
		return fields3(b, fixed, m.Whole), true
	}
	if len(b) < fixedTiny || !fits3(b[:fixedTiny]) || !plausible3(b) {
		return Contents{}, false
	}
	mark := strings.HasSuffix(strings.TrimRight(string(b), "\x00"), vendorMark)
	if len(b) >= fixed && !mark && !m.Whole {
		return Contents{Need: len(b) + ahead}, true
	}
	return fields3(b, fixedTiny, m.Whole), mark || len(b) < fixed
}

// reversed3 does the same with the bytes of each block turned round, as
// badly configured FEIG writers leave them.
func reversed3(m Memory, o Options) (Contents, bool) {
	m.Data = swap(m.Data, m.BlockSize)
	if !plausible3(m.Data) {
		return Contents{}, false
	}
	c, ok := sound3(m, o)
	c.Reversed = true
	return c, ok
}

// swap turns round each whole block.
func swap(b []byte, block int) []byte {
	b = slices.Clone(b[:len(b)/block*block])
	for p := range slices.Chunk(b, block) {
		slices.Reverse(p)
	}
	return b
}

// fields3 reads the fixed fields, which end at end, and what is behind.
func fields3(b []byte, end int, whole bool) Contents {
	c := Contents{Model: ISO3}
	c.Elements = basics(b[:end])
	c.take(itemField(b))
	c.Owner = hyphen(words(b[ownerAt:end]))
	// Old Bibliotheca writers swap the nibbles.
	switch {
	case b[0]>>4 == 1:
		c.setUsage(b[0]&15, 0)
	case b[0]&15 == 1:
		c.setUsage(b[0]>>4, 0)
	default:
		c.harm(BadUsage, fmt.Sprintf("version %d of the data model is not known, so neither is the type of usage", b[0]>>4))
	}
	c.setParts(int(b[2]), int(b[1]))
	if end < fixed {
		c.vendor(b, end)
	} else {
		c.extensions(b, whole)
	}
	return c
}

// basics are the fixed fields as elements.
func basics(b []byte) []Element {
	field := func(name, text string, from, to int) Element {
		return Element{ID: "basic", Name: name, Text: text, Raw: slices.Clone(b[from:to]), At: from, Size: to - from}
	}
	return []Element{
		field(NameUsage, fmt.Sprintf("%02X", b[0]), 0, 1),
		field(NameSet, fmt.Sprintf("%d/%d", b[2], b[1]), 1, 3),
		field(NameItem, itemField(b), itemAt, sumAt),
		field(NameSum, fmt.Sprintf("%02X%02X", b[sumAt], b[sumAt+1]), sumAt, ownerAt),
		field(NameOwner, words(b[ownerAt:]), ownerAt, len(b)),
	}
}

func itemField(b []byte) string { return words(b[itemAt:min(sumAt, len(b))]) }

// hyphen puts back the hyphen behind an ISIL's country.
func hyphen(s string) string {
	if len(s) > 2 && upper(s[0]) && upper(s[1]) && s[2] != '-' {
		return s[:2] + "-" + s[2:]
	}
	return s
}

func unhyphen(s string) string {
	if len(s) > 3 && upper(s[0]) && upper(s[1]) && s[2] == '-' {
		return s[:2] + s[3:]
	}
	return s
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// plausible3 tells whether the fields make sense, whatever the check sum.
// So many parts as a printable character's code are bare text instead.
func plausible3(b []byte) bool {
	if len(b) <= itemAt+1 || b[0]>>4 != 1 && b[0]&15 != 1 || b[1] >= ' ' || b[2] < 1 || b[2] > b[1] {
		return false
	}
	return lettered(b[itemAt:min(sumAt, len(b))])
}

// resembles3 tells whether the fields make sense but for two bytes at most:
// the item, and behind it a check sum or an owner.
func resembles3(b []byte) bool {
	if len(b) < fixedTiny {
		return false
	}
	if plausible3(b) {
		return !empty(b[sumAt:min(fixed, len(b))])
	}
	if !upper(b[ownerAt]) || !upper(b[ownerAt+1]) {
		return false
	}
	wrong := 0
	for _, ok := range []bool{b[0]>>4 == 1 || b[0]&15 == 1, b[1] < ' ', b[2] > 0 && b[2] <= b[1]} {
		if !ok {
			wrong++
		}
	}
	for _, c := range b[itemAt:sumAt] {
		if c != ' ' && !ascii(c) && !filler(c) {
			wrong++
		}
	}
	return wrong <= 2
}

// lettered tells whether b is text, with fresh memory or older text behind.
func lettered(b []byte) bool {
	for _, c := range b {
		if c != ' ' && !ascii(c) && !filler(c) {
			return false
		}
	}
	return len(b) > 0 && ascii(b[0])
}

// either gives the memory as it is or reversed, whichever makes sense.
func either(m Memory) (b []byte, reversed bool) {
	if plausible3(m.Data) {
		return m.Data, false
	}
	if b = swap(m.Data, m.BlockSize); plausible3(b) {
		return b, true
	}
	return nil, false
}

// basic3 takes a tag whose fields make sense and whose check sum is wrong.
func basic3(m Memory, _ Options) (Contents, bool) {
	b, rev := either(m)
	if b == nil {
		return Contents{}, false
	}
	c := Contents{Model: Damaged, Likely: ISO3, Reversed: rev, Hint: itemField(b)}
	if len(b) < fixedTiny {
		c.harm(Short, fmt.Sprintf("the tag ends after %d bytes, before its check sum", len(b)))
		return c, true
	}
	c.Elements = basics(b[:min(fixed, len(b))])
	c.harm(BadSum, fmt.Sprintf("the check sum is %02X%02X and should be %04X", b[sumAt+1], b[sumAt], sum3(b)))
	c.harm(Torn, "it may be half written: compare the number with the one printed, and write the tag anew")
	return c, true
}

// vendor keeps what stands behind the short form on a long tag.
func (c *Contents) vendor(b []byte, at int) {
	if rest := strings.TrimRight(string(b[at:]), "\x00"); rest != "" {
		c.Elements = append(c.Elements, Element{ID: "rest", Name: NameVendor, Raw: []byte(rest), At: at, Size: len(rest)})
	}
}
