package tagdata

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Encode makes the memory of a fresh tag of a model: size bytes, the library's
// data first and zeros behind. It takes the fields of Contents and, by their
// names, the other Elements; elements that are fields too are passed over. It
// refuses what does not fit the size or the model.
func Encode(c Contents, model Model, size, block int) ([]byte, error) {
	if block < 4 || block > 32 || size < block || size%block != 0 || size > maxTag {
		return nil, fmt.Errorf("there is no tag of %d bytes in blocks of %d", size, block)
	}
	if c.Part < 0 || c.Part > c.Parts || c.Parts > 0 && c.Part == 0 {
		return nil, fmt.Errorf("part %d of %d can't be", c.Part, c.Parts)
	}
	if c.Item == "" && model != Blank {
		return nil, errors.New("there is no item number to write")
	}
	var b []byte
	var err error
	switch model {
	case ISO3:
		b, err = encode3(c, size)
	case ISO2:
		b, err = encode2(c, size, block)
	case ThreeM:
		b, err = encode3M(c, size)
	case Text:
		b, err = encodeText(c, size)
	case Blank:
		b = make([]byte, size)
	default:
		return nil, fmt.Errorf("the model %q can't be written", model)
	}
	if err != nil {
		return nil, err
	}
	if n := writable(size, block); !empty(b[n:]) {
		return nil, tooLong(len(bytes.TrimRight(b, "\x00")), n)
	}
	return b, nil
}

// writable is how many bytes may be written. The ICODE SLIX2 says it has 80
// blocks, of which the last is a counter that must not be (data sheet
// SL2S2602).
func writable(size, block int) int {
	if block == 4 && size == 80*4 {
		return 79 * 4
	}
	return size
}

func empty(b []byte) bool { return len(bytes.TrimRight(b, "\x00")) == 0 }

// Write is one block to be written.
type Write struct {
	Block int
	Data  []byte
}

// unfinishedMark begins the block 0 of a tag that is being written, the
// fourth byte of what it will be behind it. Its first byte is the end of a
// chain, so that ISO 28560-2 readers see an empty tag, and no check sum of
// ISO 28560-3 fits.
var unfinishedMark = []byte{0, 'T', 'N'}

// Plan gives the writes that make new of old, which are as long as each other,
// in an order in which an unfinished tag shows: block 0 says first that it is
// unfinished, then come the other blocks that change, block 0 comes last. A
// model without a check sum would else read as a mix of two numbers. Where
// nothing but block 0 changes, that write is all.
func Plan(old, new []byte, block int) []Write {
	if block < 1 {
		return nil
	}
	n := writable(len(new), block)
	var w []Write
	for at := block; at+block <= n; at += block {
		p := new[at : at+block]
		if at+block > len(old) || !bytes.Equal(p, old[at:at+block]) {
			w = append(w, Write{at / block, slices.Clone(p)})
		}
	}
	if len(new) < block || len(w) == 0 && bytes.HasPrefix(old, new[:block]) {
		return w
	}
	first := slices.Clone(new[:block])
	if len(w) > 0 && block > len(unfinishedMark) {
		mark := append(slices.Clone(unfinishedMark), first[len(unfinishedMark)])
		mark = append(mark, make([]byte, block-len(mark))...)
		if !bytes.HasPrefix(old, mark) {
			w = slices.Insert(w, 0, Write{0, mark})
		}
	}
	return append(w, Write{0, first})
}

// unfinished takes a tag that Plan's writes have begun and not ended, or one
// whose block 0 another program left empty for the end.
func unfinished(m Memory, _ Options) (Contents, bool) {
	b := m.Data
	mark := bytes.HasPrefix(b, unfinishedMark)
	if !mark && !headless(b, m.BlockSize) {
		return Contents{}, false
	}
	c := Contents{Model: Damaged}
	if len(b) > itemAt+1 && lettered(b[itemAt+1:min(len(b), sumAt)]) {
		c.Likely = ISO3
		c.Hint = "?" + words(b[itemAt+1:min(len(b), sumAt)])
		if mark && ascii(b[itemAt]) {
			c.Hint = itemField(b)
		}
	}
	c.harm(Torn, "the tag is half written: write it anew")
	return c, true
}

// headless tells whether block 0 is empty and what follows is ISO 28560-3:
// text and an owner's country.
func headless(b []byte, block int) bool {
	if len(b) < fixedTiny || block > itemAt+1 || !filler(b[0]) || bytes.Count(b[:block], b[:1]) != block {
		return false
	}
	return lettered(b[block:sumAt]) && upper(b[ownerAt]) && upper(b[ownerAt+1])
}
