package tagdata

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ISO 28560-2 in the encoding of ISO/IEC 15962, a chain of elements:
//
//	precursor  [OID - 15]  [number of pad bytes]  length  data  [pad bytes]
//
// A precursor has bit 7 for the number of pad bytes, the compaction in bits 6
// to 4, and the OID in bits 3 to 0, where 15 says that a byte follows. No
// source has a tag with both that byte and pad bytes, and programs differ in
// their order: this one comes first here, the other is tried where the chain
// does not work out. The length has 7 bits a byte, bit 7 set where more
// follow. Between elements, 80 is a filler and 00 the end.
const (
	hasPad    = 0x80
	fillerTag = 0x80
	maxPad    = 31   // bytes; a block has 32 at most (ISO/IEC 15693-3)
	maxTag    = 8192 // bytes; 256 blocks of 32
	ahead     = 16   // bytes asked for where the end of a chain is not in sight

	vendorMark = "W_OK" // in the last block, of some Chinese and Bibliotheca writers
)

// link is one element of a chain.
type link struct {
	oid, scheme int
	at, end     int // in bytes from block 0, padding included
	from, n     int // its data
}

// chain is what was understood of a memory.
type chain struct {
	links []link
	end   int     // the chain goes on to here at least; beyond the memory, it must be read
	open  bool    // the memory ended before the chain did
	bad   *Damage // why the rest makes no sense
	both  bool    // some element had an OID byte and padding
}

// split cuts a memory into elements.
func split(b []byte, padFirst bool) (ch chain) {
	for at := 0; ; {
		for at < len(b) && b[at] == fillerTag {
			at++
		}
		if at >= len(b) {
			ch.end, ch.open = at, true
			return ch
		}
		if b[at] == 0 {
			ch.end = at + 1
			return ch
		}
		l, ok := ch.head(b, at, padFirst)
		if ch.bad != nil {
			return ch
		}
		if !ok || l.end > len(b) {
			ch.end, ch.open = l.end, true
			return ch
		}
		ch.links = append(ch.links, l)
		at = l.end
	}
}

// head reads what stands before an element's data. It tells false where the
// memory ended before.
func (ch *chain) head(b []byte, at int, padFirst bool) (l link, ok bool) {
	pos := at
	next := func() (v int) {
		if pos < len(b) {
			v = int(b[pos])
		}
		pos++
		return v
	}
	p := next()
	l = link{oid: p & 15, scheme: p >> 4 & 7, at: at}
	long, pads, pad := l.oid == 15, p&hasPad != 0, 0
	ch.both = ch.both || long && pads
	if pads && (padFirst || !long) {
		pad = next()
	}
	if long {
		l.oid += next()
	}
	if pads && long && !padFirst {
		pad = next()
	}
	for more := true; more && l.n < maxTag; {
		v := next()
		l.n, more = l.n<<7|v&0x7F, v&0x80 != 0
	}
	l.from, l.end = pos, pos+l.n+pad
	if pos > len(b) {
		return l, false
	}
	ch.bad = l.impossible(pad)
	return l, true
}

// impossible says why no tag can have the element.
func (l link) impossible(pad int) *Damage {
	switch name := nameOf(l.oid); {
	case l.oid == 0:
		return &Damage{BadElement, fmt.Sprintf("there is no element 0, at byte %d", l.at)}
	case pad > maxPad:
		return &Damage{BadPadding, fmt.Sprintf("%s says it has %d bytes of padding, at byte %d", name, pad, l.at)}
	case l.end > maxTag:
		return &Damage{BadLength, fmt.Sprintf("%s says it has %d bytes, more than any tag, at byte %d", name, l.n, l.at)}
	}
	return nil
}

func nameOf(oid int) string {
	if oid < len(oids) {
		return oids[oid]
	}
	return "oid " + strconv.Itoa(oid)
}

// best splits, in the other order where the first does not work out.
func best(b []byte, whole bool) chain {
	ch := split(b, false)
	if ch.both && (ch.bad != nil || ch.open && whole) {
		if other := split(b, true); other.bad == nil && !other.open {
			return other
		}
	}
	return ch
}

// chain2 takes a tag of ISO 28560-2: one that says so, or one that begins
// with an item and makes sense from end to end. What resembles the fields of
// ISO 28560-3 with a wrong check sum, or bare text, is no chain whatever it
// says: a few bytes of either can read as an item. What may be the beginning
// of such fields, as a torn write leaves it, is a chain only if it says so.
func chain2(m Memory, _ Options) (Contents, bool) {
	told := m.DSFID == DSFIDISO2
	_, other := bareText(m)
	other = other || resembles3(m.Data) || resembles3(swap(m.Data, m.BlockSize))
	if fields, _ := either(m); !told && fields != nil {
		other = true
	}
	if len(m.Data) == 0 || other || !told && m.Data[0]&15 != 1 {
		return Contents{}, false
	}
	c, sense := readChain(m)
	switch {
	case c.Need > 0 || told && sense && (c.Item != "" || c.has(NoItem)):
		return c, true
	case told:
		c.Model, c.Likely = Damaged, ISO2
		return c, true
	}
	return c, sense && c.Item != "" && !c.has(BadValue) && !c.has(Twice)
}

// broken2 takes a tag whose elements stand as in ISO 28560-2 and of which one
// is damaged.
func broken2(m Memory, _ Options) (Contents, bool) {
	if len(m.Data) == 0 || m.Data[0]&15 != 1 {
		return Contents{}, false
	}
	c, sense := readChain(m)
	c.Model, c.Likely = Damaged, ISO2
	return c, sense && len(c.Damage) > 0
}

// readChain reads all that can be read. It tells whether the elements make
// sense from end to end, each for itself or not.
func readChain(m Memory) (Contents, bool) {
	c := Contents{Model: ISO2}
	ch := best(m.Data, m.Whole)
	sense := c.structure(ch, m)
	c.meaning(m.Data, ch.links)
	if c.Need > 0 {
		c.Damage = nil
	}
	return c, sense
}

// structure judges how the elements stand, and asks for more where the
// memory was not read to the chain's end.
func (c *Contents) structure(ch chain, m Memory) bool {
	have := len(m.Data)
	switch {
	case ch.bad != nil:
		c.Damage = append(c.Damage, *ch.bad)
	case ch.open && !m.Whole:
		c.Need = ch.end + ahead
	case ch.open && ch.end > have:
		c.harm(BadLength, fmt.Sprintf("the elements go on to byte %d and the tag ends at byte %d", ch.end, have))
	case len(ch.links) == 0 || ch.links[0].oid != 1:
		c.harm(NotFirst, "the first element is not the item number")
	case len(ch.links) == 1 && !empty(bytes.TrimSuffix(m.Data[min(ch.end, have):], []byte(vendorMark))):
		// Many tags have rests of older data behind a chain. A chain of one
		// element is too little to tell it from what is no chain at all.
		c.harm(Stray, "behind an item number alone is something else")
	default:
		return true
	}
	return false
}

// meaning fills in what the elements of b say.
func (c *Contents) meaning(b []byte, links []link) {
	seen := map[int]int{}
	for _, l := range links {
		data := b[l.from : l.from+l.n]
		text, err := meaningOf(l, data)
		c.Elements = append(c.Elements, Element{ID: strconv.Itoa(l.oid), Name: nameOf(l.oid), Text: text,
			Raw: slices.Clone(data), At: l.at, Size: l.end - l.at})
		seen[l.oid]++
		switch {
		case err != nil:
			c.harm(BadValue, fmt.Sprintf("%s: %v", nameOf(l.oid), err))
		case seen[l.oid] > 1:
			c.harm(Twice, nameOf(l.oid)+" comes twice")
		default:
			c.field(l.oid, text)
		}
	}
	if seen[1] > 1 {
		c.Hint, c.Item = c.Item, ""
	}
}

// meaningOf gives an element's text.
func meaningOf(l link, data []byte) (string, error) {
	switch l.oid {
	case 2:
		return contentList(data), nil
	case 5:
		return usageDigits(l.scheme, data)
	}
	s, err := expand(l.oid, l.scheme, data)
	if l.oid == 1 {
		return s, err
	}
	if s = strings.TrimRight(s, "\x00 "); !clean(s) {
		s = ""
	}
	return s, err
}

// field sets the field of Contents that an element is.
func (c *Contents) field(oid int, text string) {
	switch oid {
	case 1:
		c.take(text)
	case 3:
		c.Owner = text
	case 4:
		c.set(text)
	case 5:
		if len(text) == 2 {
			c.setUsage(text[0]-'0', text[1]-'0')
		}
	}
}

// set takes set information: half of the digits for the number of parts, the
// others for this part. The standard's example 1203 has sense only so, as
// part 3 of 12. Some write 1/3 as text.
func (c *Contents) set(text string) {
	n := len(text) / 2
	first, second := text[:n], text[n:]
	if a, b, ok := strings.Cut(text, "/"); ok {
		first, second = b, a
	} else if len(text) != 2 && len(text) != 4 && len(text) != 6 {
		c.harm(BadSet, fmt.Sprintf("set information %q is not 2, 4 or 6 digits", text))
		return
	}
	parts, err1 := strconv.ParseUint(first, 10, 10)
	part, err2 := strconv.ParseUint(second, 10, 10)
	if err1 != nil || err2 != nil {
		c.harm(BadSet, fmt.Sprintf("set information %q is no number", text))
		return
	}
	c.setParts(int(part), int(parts))
}

// usageDigits gives the two digits of a usage, however they are coded. A
// digit alone in an octet is either the digit or a byte of two: not told.
func usageDigits(scheme int, data []byte) (string, error) {
	if scheme >= octets && len(data) == 1 {
		if data[0] >= '0' && data[0] <= '9' {
			return string(data), nil
		}
		scheme = application
	}
	s, err := expand(5, scheme, data)
	if len(s) == 1 {
		s += "0"
	}
	if err == nil {
		err = when(len(s) == 2 && digits(s))
	}
	return s, err
}

// contentList lists the OIDs that a content parameter has: bit 7 of its first
// byte is OID 3.
func contentList(b []byte) string {
	var list []string
	for i := range 8 * len(b) {
		if b[i/8]>>(7-i%8)&1 == 1 {
			list = append(list, strconv.Itoa(i+3))
		}
	}
	return strings.Join(list, ",")
}
