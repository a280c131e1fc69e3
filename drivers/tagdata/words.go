package tagdata

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names of elements. The first five and the check sum are fields of Contents
// or made of them; Encode passes over elements of those names.
const (
	NameItem      = "item"
	NameContent   = "content parameter" // which elements there are, OIDs with commas
	NameOwner     = "owner"
	NameSet       = "set"
	NameUsage     = "usage"
	NameShelf     = "shelf"
	NameONIX      = "ONIX media format"
	NameMARC      = "MARC media format"
	NameSupplier  = "supplier"
	NameOrder     = "order"
	NameILL       = "ILL borrower"
	NameILLNumber = "ILL transaction"
	NameGS1       = "GS1 product"
	NameUnique    = "alternative unique item"
	NameLocalA    = "local A"
	NameLocalB    = "local B"
	NameTitle     = "title"
	NameProduct   = "local product"
	NameMedia     = "other media format"
	NameStage     = "supply stage"
	NameInvoice   = "invoice"
	NameItem2     = "alternative item"
	NameOwner2    = "alternative owner"
	NamePartOf    = "subsidiary of owner"
	NameILL2      = "alternative ILL borrower"
	NameLocalC    = "local C"
	NameSum       = "check sum"    // ISO 28560-3 only
	NameMediaCode = "media format" // ISO 28560-3 only, a number to 255
	NameVendor    = "vendor"       // bytes no standard knows
	NameUII       = "uii"          // UHF: owner, item and set as one text
)

// oids are the names of elements by their OID in ISO 28560-2.
var oids = [...]string{1: NameItem, NameContent, NameOwner, NameSet, NameUsage, NameShelf, NameONIX,
	NameMARC, NameSupplier, NameOrder, NameILL, NameILLNumber, NameGS1, NameUnique, NameLocalA,
	NameLocalB, NameTitle, NameProduct, NameMedia, NameStage, NameInvoice, NameItem2, NameOwner2,
	NamePartOf, NameILL2, NameLocalC}

// Usage is what a tag's bearer is for. The empty one: not told.
type Usage string

const (
	Acquisition    Usage = "acquisition"
	Circulating    Usage = "circulating"
	NotCirculating Usage = "not circulating"
	LocalUse1      Usage = "local use 3"
	LocalUse2      Usage = "local use 4"
	FutureUse      Usage = "future use"
	NoInformation  Usage = "no information"
	Discarded      Usage = "discarded"
	PatronCard     Usage = "patron card"
	Equipment      Usage = "equipment" // of the library
)

// usages are in the order of their digit: the low nibble of byte 0 in ISO
// 28560-3, the high nibble of OID 5 in 28560-2.
var usages = [...]Usage{Acquisition, Circulating, NotCirculating, LocalUse1, LocalUse2, FutureUse,
	NoInformation, Discarded, PatronCard, Equipment}

func (u Usage) digit() (byte, bool) {
	for i, v := range usages {
		if u == v {
			return byte(i), true
		}
	}
	return 0, false
}

// setUsage takes both digits of a usage.
func (c *Contents) setUsage(digit, sub byte) {
	if int(digit) >= len(usages) {
		c.harm(BadUsage, "the type of usage is not one of the standard")
		return
	}
	c.Usage, c.Sub = usages[digit], sub
}

// setParts takes set information; of no parts, none was told.
func (c *Contents) setParts(part, parts int) {
	switch {
	case parts == 0:
	case part < 1 || part > parts:
		c.harm(BadSet, "the number of this part is not within the number of parts")
	default:
		c.Part, c.Parts = part, parts
	}
}

// filler tells whether b is what fresh memory is filled with.
func filler(b byte) bool { return b == 0 || b == 0xFF || b == 0x55 }

// ascii tells whether b is printable ASCII and not a space.
func ascii(b byte) bool { return b > ' ' && b < 0x7F }

// printable tells whether s can be an item number: printable, and neither
// begins nor ends with a space.
func printable(s string) bool { return s != "" && s == strings.TrimSpace(s) && clean(s) }

// clean tells whether s has nothing but printable characters.
func clean(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// words makes text of bytes that a zero may end. What is not UTF-8 is ISO
// 8859-1, as in older German titles.
func words(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	if !utf8.ValidString(s) {
		s = latin([]byte(s))
	}
	return strings.TrimRight(s, " ")
}

func latin(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}
