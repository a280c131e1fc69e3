// Package tagdata reads and writes what libraries keep in the memory of an
// RFID tag. It knows bytes and no readers: Decode says what a tag's memory
// means, Encode makes the memory of a fresh tag, Plan says in which order to
// write it so that an unfinished tag shows.
//
// The models, and where their facts come from:
//
//   - ISO 28560-3, which is also the Danish model (DS/INF 163-1) and what
//     Finnish, German, Norwegian and many Dutch libraries use: fixed fields
//     with a check sum, extension blocks behind (iso3.go).
//   - ISO 28560-2: a chain of elements in the encoding of ISO/IEC 15962, no
//     directory; no check sum (iso2.go, compaction.go).
//   - 3M's model before the standards, called RFID501; no check sum (legacy.go).
//   - a barcode as bare text (legacy.go), taken only where the caller says
//     which texts can be one.
//   - UHF tags: ISO/TS 28560-4 and the Chinese university model (uhf.go).
//
// A model without a check sum is believed only where all of it fits. An item
// number never comes from a failed check sum: it is then a Hint, for people.
package tagdata

import (
	"bytes"
	"slices"
)

// Memory is what was read of a tag, in the tag's own order from block 0.
type Memory struct {
	BlockSize int    // bytes of a block; 0 when unknown, then 4 is assumed
	Data      []byte // from block 0
	DSFID     byte   // hint only; 0 when not told
	Whole     bool   // Data is all the tag has
}

// Model is a way to write on tags.
type Model string

const (
	Undecided Model = ""           // more must be read; see Need
	ISO3      Model = "iso28560-3" // also the Danish model
	ISO2      Model = "iso28560-2"
	ThreeM    Model = "3m"         // 3M legacy, RFID501
	Text      Model = "text"       // a barcode as bare text
	Blank     Model = "blank"      // nothing was ever written
	Foreign   Model = "foreign"    // no model of a library known here
	Damaged   Model = "damaged"    // a library's tag, which can't be believed
	ISO4      Model = "iso28560-4" // UHF
	Gaoxiao   Model = "gaoxiao"    // UHF, Chinese universities
)

// Contents is what a tag says. Of a Damaged tag only Elements and Hint tell
// what it may have said.
type Contents struct {
	Model  Model
	Likely Model  // what a Damaged tag probably was, or the empty model
	Item   string // primary item identifier; empty unless trustworthy
	Hint   string // what may be the item, unverified: for staff to compare, never to act on
	Owner  string // ISIL with its hyphen where known ("DK-718500"), as written otherwise
	Usage  Usage
	Sub    byte // second digit of the usage in ISO 28560-2, 0 for none; of Circulating 3 and 5 forbid loans, 4 and 5 returns without the library's system, which is left to its rules
	// Part of Parts is this tag, as 2 of 3; 0, 0 when not told.
	Part, Parts int
	Elements    []Element // every element or field found
	Damage      []Damage  // what is wrong; a tag with none is sound
	Reversed    bool      // the bytes of each block were stored last first

	// Need is how many bytes from block 0 must be read for a decision, at
	// least: the end of a chain is not known before it is seen. Until it is 0
	// all else is preliminary, and Item is empty.
	Need int
}

// Element is one element or field. Name is the same in all models, see the
// Name constants; ID is the model's own: the number of the OID in ISO
// 28560-2, "basic" or "block 4" in 28560-3.
type Element struct {
	ID   string
	Name string
	Text string // empty where it is no text or can't be understood
	Raw  []byte // as stored
	At   int    // where it begins, in bytes from block 0
	Size int    // bytes it takes, padding included
	Lock bool   // for Encode: gets blocks of its own, so that they can be locked
}

// Code is a kind of damage.
type Code string

const (
	BadSum     Code = "check sum" // the check sum of the fixed fields does not fit
	Torn       Code = "torn"      // probably a write that was broken off
	Short      Code = "short"     // the tag ends within what it holds
	BadBlock   Code = "block"     // an extension block is damaged; the fixed fields are right
	BadLength  Code = "length"    // an element says it is longer than can be
	BadPadding Code = "padding"   // more padding than a block has
	BadElement Code = "element"   // no such element can be
	BadValue   Code = "value"     // the bytes of an element are not of the kind it says
	NotFirst   Code = "order"     // the first element is not the item
	Stray      Code = "stray"     // an item number alone, with something else behind
	Twice      Code = "twice"     // an element comes twice
	NoItem     Code = "no item"   // sound, but no item number was written
	BadItem    Code = "item"      // the item number has characters that none can have
	BadSet     Code = "set"       // the part and the number of parts contradict each other
	BadUsage   Code = "usage"     // the type of usage is not one of the standard
)

// Damage is one thing that is wrong with a tag, and why.
type Damage struct {
	Code Code
	Text string // for staff
}

// Options are what the library knows of its tags.
type Options struct {
	// Text tells whether a bare text can be an item number. It sees only
	// printable ASCII. nil: bare text is never taken for an item.
	Text func(string) bool
}

// Decode says what a tag's memory means. It never fails: what is not
// understood is Damaged, Foreign or Blank. The order of its questions puts
// what has a check sum before what has none.
func Decode(m Memory, o Options) Contents {
	if m.BlockSize < 1 || m.BlockSize > 32 {
		m.BlockSize = 4
	}
	for _, try := range []func(Memory, Options) (Contents, bool){
		unfinished, sound3, reversed3, blank, chain2, short, basic3, threeM, bare, broken2, claimed,
	} {
		if c, ok := try(m, o); ok {
			return c.settle(m.BlockSize)
		}
	}
	return Contents{Model: Foreign}
}

// settle keeps the promises about Item and Need.
func (c Contents) settle(block int) Contents {
	c.Need = (c.Need + block - 1) / block * block
	if c.Need > 0 || c.Model == Damaged {
		if c.Hint == "" {
			c.Hint = c.Item
		}
		c.Item = ""
	}
	if c.Model == Damaged {
		c.Owner, c.Usage, c.Sub, c.Part, c.Parts = "", "", 0, 0, 0
	}
	return c
}

// harm adds a damage.
func (c *Contents) harm(code Code, text string) {
	c.Damage = append(c.Damage, Damage{code, text})
}

func (c *Contents) has(code Code) bool {
	return slices.ContainsFunc(c.Damage, func(d Damage) bool { return d.Code == code })
}

// take sets the item if it can be one, and says what is wrong if not.
func (c *Contents) take(item string) {
	switch {
	case item == "":
		c.harm(NoItem, "the tag has no item number")
	case !printable(item):
		c.harm(BadItem, "the item number has characters that no item number has")
	default:
		c.Item = item
	}
}

// short asks for the rest of what the fixed fields of ISO 28560-3 need.
func short(m Memory, _ Options) (Contents, bool) {
	if m.Whole || len(m.Data) >= fixed {
		return Contents{}, false
	}
	c := Contents{Need: fixed}
	if b, rev := either(m); b != nil {
		c.Hint, c.Reversed = itemField(b), rev
	}
	return c, true
}

// blank takes a tag as it comes from a factory: all 00 or FF, or 3M's 55,
// which has 00 behind.
func blank(m Memory, _ Options) (Contents, bool) {
	b := bytes.TrimRight(m.Data, "\x00")
	if len(m.Data) == 0 || !m.Whole && len(m.Data) < fixedTiny || len(b) > 0 && (!filler(b[0]) || bytes.Count(b, b[:1]) != len(b)) {
		return Contents{}, false
	}
	return Contents{Model: Blank}, true
}

// claimed takes a tag that says it is a library's and is nothing else.
func claimed(m Memory, _ Options) (Contents, bool) {
	c := Contents{Model: Damaged}
	switch m.DSFID {
	case DSFIDISO3:
		c.Likely = ISO3
		c.harm(BadSum, "the check sum does not fit, and the fields make no sense")
	case DSFIDISO2:
		c.Likely = ISO2
		c.harm(NotFirst, "the tag does not begin with an item number")
	default:
		return c, false
	}
	return c, true
}
