package tagdata

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// 3M's model from before the standards, RFID501, as the program Biblio-RFID
// documents it:
//
//	0      04
//	1      this part, number of parts (a nibble each)
//	2      00
//	3      kind
//	4..19  item, text, zeros behind
//	20..23 branch (12 bits), library (20 bits), big endian
//	24..27 the library's own
//	28..31 zeros
//
// There is no check sum, so all that is always the same must be.
const (
	threeMSize = 32 // bytes
	threeMMark = 0x04
)

// Names of the fields that only 3M's model has.
const (
	NameKind    = "3m kind"
	NameBranch  = "3m branch"
	NameLibrary = "3m library"
	NameCustom  = "3m custom"
)

func threeM(m Memory, _ Options) (Contents, bool) {
	b := m.Data
	if len(b) < 28 || b[0] != threeMMark || b[2] != 0 {
		return Contents{}, false
	}
	part, parts := int(b[1]>>4), int(b[1]&15)
	item := bytes.TrimRight(b[4:20], "\x00")
	if part < 1 || part > parts || len(item) == 0 || slices.ContainsFunc(item, func(c byte) bool { return !ascii(c) }) {
		return Contents{}, false
	}
	c := Contents{Model: ThreeM, Item: string(item), Part: part, Parts: parts}
	field := func(name string, from, to int, v uint32) {
		c.Elements = append(c.Elements, Element{ID: "basic", Name: name, Text: strconv.FormatUint(uint64(v), 10),
			Raw: slices.Clone(b[from:to]), At: from, Size: to - from})
	}
	where := binary.BigEndian.Uint32(b[20:])
	field(NameKind, 3, 4, uint32(b[3]))
	field(NameBranch, 20, 24, where>>20)
	field(NameLibrary, 20, 24, where&0xFFFFF)
	field(NameCustom, 24, 28, binary.BigEndian.Uint32(b[24:]))
	return c, true
}

func encode3M(c Contents, size int) ([]byte, error) {
	if size < threeMSize {
		return nil, tooLong(threeMSize, size)
	}
	part, parts := max(c.Part, 1), max(c.Parts, 1)
	if parts > 15 {
		return nil, fmt.Errorf("%d parts are more than %s can have", parts, ThreeM)
	}
	if c.Owner != "" || c.Usage != "" {
		return nil, fmt.Errorf("%s has no place for an owner and a usage", ThreeM)
	}
	b := make([]byte, size)
	b[0], b[1] = threeMMark, byte(part<<4|parts)
	if err := putCode(b[4:20], c.Item); err != nil {
		return nil, err
	}
	var where, custom uint32
	for _, e := range c.Elements {
		bits := map[string]int{NameKind: 8, NameBranch: 12, NameLibrary: 20, NameCustom: 32}[e.Name]
		if bits == 0 {
			return nil, fmt.Errorf("%s has no place for %q", ThreeM, e.Name)
		}
		v, err := strconv.ParseUint(e.Text, 10, bits)
		if err != nil {
			return nil, fmt.Errorf("the %s is a number of %d bits, not %q", e.Name, bits, e.Text)
		}
		switch e.Name {
		case NameKind:
			b[3] = byte(v)
		case NameBranch:
			where |= uint32(v) << 20
		case NameLibrary:
			where |= uint32(v)
		case NameCustom:
			custom = uint32(v)
		}
	}
	binary.BigEndian.PutUint32(b[20:], where)
	binary.BigEndian.PutUint32(b[24:], custom)
	return b, nil
}

// putCode writes a number of printable ASCII without spaces.
func putCode(to []byte, item string) error {
	if item == "" || strings.ContainsFunc(item, func(r rune) bool { return r > 0x7E || !ascii(byte(r)) }) {
		return fmt.Errorf("%q is no item number that can be written", item)
	}
	return put(to, "item", item)
}

// bareText gives the text of a memory that has nothing else in it, but
// fresh memory behind.
func bareText(m Memory) (string, bool) {
	n := slices.IndexFunc(m.Data, func(c byte) bool { return c != ' ' && !ascii(c) })
	if n < 0 {
		n = len(m.Data)
	}
	s := strings.TrimRight(string(m.Data[:n]), " ")
	return s, printable(s) && !slices.ContainsFunc(m.Data[n:], func(c byte) bool { return c != 0 && c != ' ' && c != 0xFF })
}

// bare takes a tag that has nothing but text. It is a library's only if the
// caller says so.
func bare(m Memory, o Options) (Contents, bool) {
	s, ok := bareText(m)
	switch {
	case !ok:
		return Contents{}, false
	case !m.Whole && !bytes.ContainsAny(m.Data, "\x00\xff"):
		return Contents{Hint: s, Need: len(m.Data) + ahead}, true
	case o.Text != nil && o.Text(s):
		return Contents{Model: Text, Item: s}, true
	}
	return Contents{Model: Foreign, Hint: s}, true
}

func encodeText(c Contents, size int) ([]byte, error) {
	if c.Owner != "" || c.Usage != "" || c.Parts > 1 || len(c.Elements) > 0 {
		return nil, fmt.Errorf("bare text has no place for more than the item")
	}
	b := make([]byte, size)
	return b, putCode(b, c.Item)
}
