package tagdata

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Extension blocks of ISO 28560-3, from byte 34 on:
//
//	length of the block, id low, id high, xor, data
//
// where xor makes the exclusive or of the block 0. Length 1 is a filling
// byte, 0 the end. The data of blocks 1 to 5 are fields: texts ended by a
// zero and single bytes; trailing ones may be missing.
const blockHead = 4 // bytes

// layouts are the fields of blocks by id; a name in bytewise is one byte.
var layouts = map[int][]string{
	1: {NameMediaCode, NameItem2, NameOwner2},
	2: {NameSupplier, NameProduct, NameOrder, NameInvoice, NameGS1, NameStage},
	3: {NameShelf, NameMARC, NameONIX, NamePartOf},
	4: {NameTitle},
	5: {NameILL, NameILLNumber},
}

func bytewise(name string) bool { return name == NameMediaCode || name == NameStage }

// extensions reads the blocks. A damaged one is the end: its length may be
// what is damaged.
func (c *Contents) extensions(b []byte, whole bool) {
	for at := fixed; at < len(b) && b[at] != 0; {
		n := int(b[at])
		if n == 1 {
			at++
			continue
		}
		if at+n > len(b) && !whole {
			return
		}
		if n < blockHead || at+n > len(b) || xor(b[at:at+n]) != 0 {
			c.harm(BadBlock, fmt.Sprintf("the extension block at byte %d is damaged; item and owner are right", at))
			c.vendor(b, at)
			return
		}
		c.block(b[at:at+n], at)
		at += n
	}
}

func xor(b []byte) (x byte) {
	for _, c := range b {
		x ^= c
	}
	return x
}

// block adds the fields of one block.
func (c *Contents) block(b []byte, at int) {
	id := int(b[1]) | int(b[2])<<8
	name := "block " + strconv.Itoa(id)
	rest, pos := b[blockHead:], at+blockHead
	names, known := layouts[id]
	if !known {
		c.Elements = append(c.Elements, Element{ID: name, Name: name, Raw: slices.Clone(rest), At: at, Size: len(b)})
		return
	}
	for _, field := range names {
		if len(rest) == 0 {
			return
		}
		e := Element{ID: name, Name: field, At: pos, Size: 1}
		if bytewise(field) {
			e.Text = strconv.Itoa(int(rest[0]))
		} else if end := bytes.IndexByte(rest, 0); end >= 0 {
			e.Size = end + 1
		} else {
			e.Size = len(rest)
		}
		e.Raw = slices.Clone(rest[:e.Size])
		if e.Text == "" {
			e.Text = words(e.Raw)
		}
		if e.Text != "" {
			c.Elements = append(c.Elements, e)
		}
		rest, pos = rest[e.Size:], pos+e.Size
	}
}

// encode3 makes the memory of a fresh tag in ISO 28560-3.
func encode3(c Contents, size int) ([]byte, error) {
	b := make([]byte, max(size, fixed))
	end := min(fixed, size)
	if end < fixedTiny {
		return nil, fmt.Errorf("%s needs %d bytes; the tag has %d", ISO3, fixedTiny, size)
	}
	usage := c.Usage
	if usage == "" {
		usage = NoInformation
	}
	digit, ok := usage.digit()
	if !ok || c.Sub != 0 {
		return nil, fmt.Errorf("%s has no usage %q with a second digit %d", ISO3, c.Usage, c.Sub)
	}
	b[0] = 1<<4 | digit
	if c.Parts > 255 {
		return nil, fmt.Errorf("%d parts are more than %s can have", c.Parts, ISO3)
	}
	b[1], b[2] = byte(max(c.Parts, 1)), byte(max(c.Part, 1))
	if err := put(b[itemAt:sumAt], "item", c.Item); err != nil {
		return nil, err
	}
	owner := unhyphen(c.Owner)
	if hyphen(owner) != c.Owner {
		return nil, fmt.Errorf("%s can't hold the owner %q: it begins with a country and a hyphen, as DK-718500", ISO3, c.Owner)
	}
	if err := put(b[ownerAt:end], "owner", owner); err != nil {
		return nil, err
	}
	s := sum3(b[:fixed])
	b[sumAt], b[sumAt+1] = byte(s), byte(s>>8)
	ext, err := blocks(c.Elements)
	if err != nil {
		return nil, err
	}
	if fixed+len(ext) > size && len(ext) > 0 {
		return nil, tooLong(fixed+len(ext), size)
	}
	copy(b[fixed:], ext)
	return b[:size], nil
}

func tooLong(need, size int) error {
	return fmt.Errorf("the contents need %d bytes; the tag has %d", need, size)
}

// put writes a text that must fit.
func put(to []byte, what, text string) error {
	if len(text) > len(to) {
		return fmt.Errorf("the %s %q has %d bytes; there is room for %d", what, text, len(text), len(to))
	}
	if text != "" && !printable(text) {
		return fmt.Errorf("the %s %q has characters that can't be written", what, text)
	}
	copy(to, text)
	return nil
}

// blocks makes the extension blocks of all elements that are no fixed field.
func blocks(elements []Element) ([]byte, error) {
	fields := map[string]string{}
	raw := map[int][]byte{}
	for _, e := range elements {
		id, err := blockID(e)
		switch {
		case err != nil:
			return nil, err
		case id == 0:
		case layouts[id] == nil:
			raw[id] = e.Raw
		case !clean(e.Text):
			return nil, fmt.Errorf("the %s %q has characters that can't be written", e.Name, e.Text)
		default:
			fields[e.Name] = e.Text
			raw[id] = nil
		}
	}
	ids := make([]int, 0, len(raw))
	for id := range raw {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var out []byte
	for _, id := range ids {
		data := raw[id]
		if names := layouts[id]; names != nil {
			var err error
			if data, err = pack(names, fields); err != nil {
				return nil, err
			}
		}
		n := blockHead + len(data)
		if n > 255 {
			return nil, fmt.Errorf("extension block %d would have %d bytes; it can have 255", id, n)
		}
		b := append([]byte{byte(n), byte(id), byte(id >> 8), 0}, data...)
		b[3] = xor(b)
		out = append(out, b...)
	}
	return out, nil
}

// blockID is the block that an element goes to, 0 for a fixed field.
func blockID(e Element) (int, error) {
	switch e.Name {
	case NameItem, NameOwner, NameSet, NameUsage, NameSum, NameContent:
		return 0, nil
	}
	for id, names := range layouts {
		if slices.Contains(names, e.Name) {
			return id, nil
		}
	}
	if n, ok := strings.CutPrefix(e.Name, "block "); ok {
		if id, err := strconv.Atoi(n); err == nil && id >= 0 && id <= 0xFFFF && layouts[id] == nil {
			if id == 0 {
				return 0, fmt.Errorf("%s has no block 0", ISO3)
			}
			return id, nil
		}
	}
	return 0, fmt.Errorf("%s has no place for %q", ISO3, e.Name)
}

// pack joins the fields of a block, the last ones left out if empty. A byte
// that was not told and has fields behind is 0.
func pack(names []string, fields map[string]string) ([]byte, error) {
	var b []byte
	keep := 0
	for _, name := range names {
		text := fields[name]
		if bytewise(name) {
			v, err := strconv.ParseUint("0"+text, 10, 8)
			if err != nil {
				return nil, fmt.Errorf("the %s is a number up to 255, not %q", name, text)
			}
			b = append(b, byte(v))
		} else {
			b = append(append(b, text...), 0)
		}
		if text != "" {
			keep = len(b)
		}
	}
	return b[:keep], nil
}
