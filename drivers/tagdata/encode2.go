package tagdata

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// piece is an element to be written.
type piece struct {
	oid    int
	scheme int
	data   []byte
	lock   bool
}

// encode2 makes the memory of a fresh tag in ISO 28560-2: the item, the
// content parameter, the others by OID, and then those that are to be locked.
// The item has blocks of its own always, as in the standard's example.
func encode2(c Contents, size, block int) ([]byte, error) {
	pieces, err := c.pieces()
	if err != nil {
		return nil, err
	}
	var out []byte
	for i, p := range pieces {
		next := i+1 < len(pieces) && pieces[i+1].lock
		out = p.append(out, block, p.lock || next)
	}
	if len(out) > size {
		return nil, tooLong(len(out), size)
	}
	return append(out, make([]byte, size-len(out))...), nil
}

// pieces are all elements in the order of the tag.
func (c Contents) pieces() ([]piece, error) {
	texts, locks, err := c.texts()
	if err != nil {
		return nil, err
	}
	return arrange(texts, locks)
}

// texts are all elements by OID, and which get blocks of their own.
func (c Contents) texts() (texts map[int]string, locks map[int]bool, err error) {
	if !printable(c.Item) {
		return nil, nil, fmt.Errorf("%q is no item number that can be written", c.Item)
	}
	texts, locks = map[int]string{1: c.Item}, map[int]bool{1: true}
	for _, e := range c.Elements {
		oid, err := oidOf(e.Name)
		switch {
		case err != nil:
			return nil, nil, err
		case e.Lock:
			locks[oid] = true
		}
		if oid > 5 && e.Text != "" {
			texts[oid] = e.Text
		}
	}
	if c.Owner != "" {
		texts[3] = c.Owner
	}
	if c.Parts > 0 {
		if texts[4], err = c.setDigits(); err != nil {
			return nil, nil, err
		}
	}
	if c.Usage != "" {
		digit, ok := c.Usage.digit()
		if !ok || c.Sub > 9 {
			return nil, nil, fmt.Errorf("%s has no usage %q with a second digit %d", ISO2, c.Usage, c.Sub)
		}
		texts[5] = string([]byte{'0' + digit, '0' + c.Sub})
	}
	return texts, locks, nil
}

// setDigits are the set information: parts and part, of as many digits.
func (c Contents) setDigits() (string, error) {
	if c.Parts > 999 {
		return "", fmt.Errorf("%d parts are more than %s can have", c.Parts, ISO2)
	}
	n := len(strconv.Itoa(c.Parts))
	return fmt.Sprintf("%0*d%0*d", n, c.Parts, n, c.Part), nil
}

// arrange compacts the texts and puts them in order.
func arrange(texts map[int]string, locks map[int]bool) ([]piece, error) {
	pieces := []piece{}
	for oid, text := range texts {
		p := piece{oid: oid, lock: locks[oid]}
		var err error
		switch {
		case oid == 5:
			p.data = []byte{(text[0]-'0')<<4 | (text[1] - '0')}
		case !printable(text):
			return nil, fmt.Errorf("the %s %q has characters that can't be written", nameOf(oid), text)
		default:
			p.scheme, p.data, err = compact(oid, text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", nameOf(oid), err)
		}
		pieces = append(pieces, p)
	}
	if content := contentParameter(texts); content != nil {
		pieces = append(pieces, piece{oid: 2, data: content, lock: locks[2]})
	}
	slices.SortFunc(pieces, func(a, b piece) int { return a.rank() - b.rank() })
	return pieces, nil
}

// rank orders the item first, then what stays open, then what is locked.
func (p piece) rank() int {
	if p.lock && p.oid > 1 {
		return p.oid + 1000
	}
	return p.oid
}

// contentParameter has a bit for each OID from 3 on.
func contentParameter(texts map[int]string) []byte {
	var b []byte
	for oid := range texts {
		if oid < 3 {
			continue
		}
		i := oid - 3
		if n := i/8 + 1; n > len(b) {
			b = append(b, make([]byte, n-len(b))...)
		}
		b[i/8] |= 0x80 >> (i % 8)
	}
	return b
}

// append writes an element; filled up to a block's end if it is to be.
func (p piece) append(out []byte, block int, fill bool) []byte {
	length := []byte{byte(len(p.data) & 0x7F)}
	for n := len(p.data) >> 7; n > 0; n >>= 7 {
		length = append([]byte{byte(n&0x7F) | 0x80}, length...)
	}
	head := []byte{byte(p.scheme<<4 | min(p.oid, 15))}
	if p.oid >= 15 {
		head = append(head, byte(p.oid-15))
	}
	pad := 0
	if all := len(out) + len(head) + len(length) + len(p.data); fill && all%block != 0 {
		pad = block - 1 - all%block
		head = append(head, byte(pad))
		head[0] |= hasPad
	}
	out = append(append(append(out, head...), length...), p.data...)
	return append(out, make([]byte, pad)...)
}

// oidOf finds the OID of a name.
func oidOf(name string) (int, error) {
	if i := slices.Index(oids[1:], name); i >= 0 {
		return i + 1, nil
	}
	if name == NameSum {
		return 2, nil // a field of another model that has no text of its own here
	}
	if n, ok := strings.CutPrefix(name, "oid "); ok {
		if oid, err := strconv.Atoi(n); err == nil && oid >= len(oids) && oid < 15+128 {
			return oid, nil
		}
	}
	return 0, fmt.Errorf("%s has no place for %q", ISO2, name)
}
