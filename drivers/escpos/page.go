package escpos

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// page is a code page: which byte prints which letter.
type page struct {
	chars  *charmap.Charmap
	number int // of ESC t, as Epson counts
}

// pages are those that printers have, by the option page. Numbers 0, 2, 16 and
// 19 are Epson's for all models; 17 and 18 for most.
var pages = map[string]page{
	"cp437":  {charmap.CodePage437, 0},
	"cp850":  {charmap.CodePage850, 2},
	"cp852":  {charmap.CodePage852, 18},
	"cp858":  {charmap.CodePage858, 19},
	"cp866":  {charmap.CodePage866, 17},
	"cp1252": {charmap.Windows1252, 16},
}

// plain are characters that have a good stand-in.
var plain = map[rune]string{
	'–': "-", '—': "-", '‘': "'", '’': "'", '‚': ",", '“': "\"", '”': "\"", '„': "\"", '…': "...", '•': "*", '·': ".",
	'\u00a0': " ", '\u202f': " ", '\u2009': " ", '‐': "-", '‑': "-", '−': "-",
}

// bases are letters whose marks can't be taken off by Unicode's tables.
var bases = map[rune]byte{'Ł': 'L', 'ł': 'l', 'Đ': 'D', 'đ': 'd', 'Ø': 'O', 'ø': 'o', 'Ħ': 'H', 'ħ': 'h', 'ı': 'i', 'Ŧ': 'T', 'ŧ': 't'}

// dropped are marks for the eye of a program that paper does not need: those of
// direction, the joiners.
func dropped(r rune) bool { return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) }

// byteOf is the byte for a letter; control characters have none.
func (p page) byteOf(r rune) (byte, bool) {
	if dropped(r) {
		return 0, false
	}
	b, ok := p.chars.EncodeRune(r)
	return b, ok && b >= 0x20 && b != 0x7F
}

// has tells whether a text can be printed as it is, but for stand-ins.
func (p page) has(text string) bool {
	for _, r := range norm.NFC.String(text) {
		if _, ok := p.byteOf(r); !ok && plain[r] == "" && !dropped(r) {
			return false
		}
	}
	return true
}

// encode gives the bytes for a text. A letter that the page lacks is printed
// without its marks, and what has none as '?'.
func (p page) encode(text string) []byte {
	var out []byte
	for _, r := range norm.NFC.String(text) {
		out = append(out, p.rune(r)...)
	}
	return out
}

func (p page) rune(r rune) []byte {
	if b, ok := p.byteOf(r); ok {
		return []byte{b}
	}
	if s := plain[r]; s != "" {
		return []byte(s)
	}
	if dropped(r) || unicode.Is(unicode.Mn, r) {
		return nil
	}
	if b := bases[r]; b != 0 {
		return []byte{b}
	}
	base, _ := utf8.DecodeRuneInString(norm.NFKD.String(string(r)))
	if b, ok := p.byteOf(base); ok {
		return []byte{b}
	}
	return []byte{'?'}
}
