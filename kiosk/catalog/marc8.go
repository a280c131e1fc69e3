package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MARC-8 is what binary records hold unless leader position 9 is 'a': ASCII
// in G0 and ANSEL in G1, other sets by the escape sequences of ISO 2022.
// Marks come before their letter. Sources: Library of Congress, "MARC 21
// Specifications for Record Structure, Character Sets, and Exchange Media",
// part 2 (MARC-8 environment) and part 3 (code tables, codetables.xml).

// charset maps a graphic character's code, 21 to 7E hexadecimal, to Unicode;
// 0 where the set has none.
type charset struct {
	runes [0x80]rune
	wide  bool // three bytes a character (EACC)
}

// half is the right half of a mark over two letters. The left half has become
// a mark over both, and nothing is left to write.
const half = -1

func table(from byte, text string) *charset {
	c := &charset{}
	c.put(from, text)
	return c
}

// put fills in a run of characters; '\x00' leaves a place empty.
func (c *charset) put(from byte, text string) *charset {
	for _, r := range text {
		c.runes[from] = r
		from++
	}
	return c
}

var (
	ascii = func() *charset {
		c := &charset{}
		for i := rune(0x21); i < 0x7f; i++ {
			c.runes[i] = i
		}
		return c
	}()

	// ansel is Extended Latin, ANSI/NISO Z39.47.
	ansel = table(0x21, "ŁØĐÞÆŒʹ·♭®±ƠƯʼ\x00ʻłøđþæœʺı£ð\x00ơư").
		put(0x40, "°ℓ℗©♯¿¡ß€").
		put(0x60, "\u0309\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030c\u030a\u0361").put(0x6d, "\u0315\u030b\u0310").
		put(0x70, "\u0327\u0328\u0323\u0324\u0325\u0333\u0332\u0326\u031c\u032e\u0360").put(0x7e, "\u0313").
		halves(0x6c, 0x7b)

	// cyrillic is ISO 5427 with the ASCII digits and signs; the registration 37.
	cyrillic = table(0x21, "!\"#$%&'()*+,-./0123456789:;<=>?").
			put(0x40, "юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧ")
	cyrillicMore = table(0x40, "ґђѓєёѕіїјљњћќўџ\x00ѣѳѵѫ").put(0x5b, "[\x00]\x00_ҐЂЃЄЁЅІЇЈЉЊЋЌЎЏЪѢѲѴѪ")

	// hebrew has the points first, in the order of the table.
	hebrew = table(0x21, "!\u05f4#$%&\u05f3()*+,\u05be./0123456789:;<=>?").
		put(0x40, "\u05b7\u05b8\u05b6\u05b5\u05b4\u05b9\u05bb\u05b0\u05b2\u05b3\u05b1\u05bc\u05bf\u05c1\ufb1e").
		put(0x5b, "[\x00]").put(0x60, "אבגדהוזחטיךכלםמןנסעףפץצקרשתװױײ")

	arabic = table(0x21, "!\"#$٪&'()٭+،-./٠١٢٣٤٥٦٧٨٩:؛<=>؟").
		put(0x41, "ءآأؤإئابةتثجحخدذرزسشصضطظعغ").
		put(0x5b, "[\x00]").
		put(0x60, "ـفقكلمنهوىي\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652ٱ\u0670").
		put(0x78, "\u066c”“")
	arabicMore = table(0x21, "\u06fd\u0672\u0673\u0679\u067a\u067b\u067c\u067d\u067e\u067f\u0680\u0681\u0682\u0683\u0684\u0685\u0686\u06bf\u0687").
			put(0x34, "\u0688\u0689\u068a\u068b\u068c\u068d\u068e\u068f\u0690\u0691\u0692\u0693\u0694\u0695\u0696\u0697\u0698\u0699\u069a\u069b\u069c").
			put(0x49, "\u06fa\u069d\u069e\u06fb\u069f\u06a0\u06fc\u06a1\u06a2\u06a3\u06a4\u06a5\u06a6\u06a7\u06a8\u06a9\u06aa\u06ab\u06ac\u06ad\u06ae\u06af").
			put(0x5f, "\u06b0\u06b1\u06b2\u06b3\u06b4\u06b5\u06b6\u06b7\u06b8\u06ba\u06bb\u06bc\u06bd\u06b9\u06be").
			put(0x6e, "\u06c0\u06c4\u06c5\u06c6\u06ca\u06cb\u06cd\u06ce\u06d0\u06d2\u06d3").put(0x7d, "\u0306\u030c")

	// greek is ISO 5428: marks before their letter, then capitals and small
	// letters with the numerals stigma, digamma, koppa and sampi between.
	greek = table(0x21, "\u0300\u0301\u0308\u0342\u0313\u0314\u0345").
		put(0x30, "«»“”ʹ͵").put(0x3b, "·").put(0x3f, ";").
		put(0x41, "ΑΒ\x00ΓΔΕϚϜΖΗΘΙΚΛΜΝΞΟΠϞΡΣ\x00ΤΥΦΧΨΩϠ").
		put(0x61, "αβ\u03d0γδεϛϝζηθικλμνξοπϟρσςτυφχψωϡ")

	subscripts   = table(0x28, "₍₎\x00₊\x00₋").put(0x30, "₀₁₂₃₄₅₆₇₈₉")
	superscripts = table(0x28, "⁽⁾\x00⁺\x00⁻").put(0x30, "⁰¹²³⁴⁵⁶⁷⁸⁹")
	greekSymbols = table(0x61, "αβγ")

	eacc    = &charset{wide: true} // Chinese, Japanese, Korean: see eaccRunes
	unknown = &charset{}           // one that is not in MARC-8: nothing of it can be read
)

func (c *charset) halves(codes ...byte) *charset {
	for _, b := range codes {
		c.runes[b] = half
	}
	return c
}

// sets are the final characters of the escape sequences.
var sets = map[string]*charset{
	"B": ascii, "!E": ansel, "E": ansel, "N": cyrillic, "Q": cyrillicMore, "2": hebrew, "3": arabic, "4": arabicMore, "S": greek,
	"b": subscripts, "p": superscripts, "g": greekSymbols, "$1": eacc,
}

// decodeMARC8 gives the text in NFC, and how many characters could not be
// decoded; each of those stands as U+FFFD.
func decodeMARC8(b []byte) (string, int) {
	if plain(b) {
		return string(b), 0
	}
	d := marc8{g0: ascii, g1: ansel}
	for len(b) > 0 {
		b = b[d.next(b):]
	}
	d.flush()
	return norm.NFC.String(d.out.String()), d.lost
}

// plain tells printable ASCII, which stands for itself.
func plain(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

type marc8 struct {
	out    strings.Builder
	g0, g1 *charset
	marks  []rune // that wait for their letter
	lost   int
}

// next takes one character or escape sequence and tells its length.
func (d *marc8) next(b []byte) int {
	c := b[0]
	switch {
	case c == escape:
		return d.escape(b)
	case c == ' ' || c == 0xa0:
		d.put(' ')
		return 1
	case c == 0x88 || c == 0x89: // begin and end of what does not sort
		return 1
	case c == 0x8d:
		d.put('\u200d')
		return 1
	case c == 0x8e:
		d.put('\u200c')
		return 1
	case c < 0x21 || c == 0x7f && !d.g0.wide || c >= 0x80 && c < 0xa1 || c == 0xff:
		return 1 // a control character: nothing to read
	}
	set := d.g0
	if c >= 0xa1 {
		set = d.g1
	}
	if set.wide {
		return d.threeBytes(b)
	}
	r := set.runes[c&0x7f]
	switch {
	case r == 0:
		d.lose()
	case r == half:
	case mark(r):
		d.marks = append(d.marks, r)
	default:
		d.put(r)
	}
	return 1
}

// threeBytes takes a character of EACC. One that is cut short is lost, and
// what follows is read on from its next byte.
func (d *marc8) threeBytes(b []byte) int {
	if len(b) < 3 || b[1]&0x7f < ' ' || b[2]&0x7f < ' ' {
		d.lose()
		return 1
	}
	r, ok := eaccRunes()[[3]byte{b[0] & 0x7f, b[1] & 0x7f, b[2] & 0x7f}]
	if !ok {
		d.lose()
		return 3
	}
	d.put(r)
	return 3
}

// mark tells what combines with the letter behind it. The tables of the
// Library of Congress take the Arabic superscript alef for a letter.
func mark(r rune) bool { return r >= 0x0300 && r != 0x0670 && unicode.Is(unicode.Mn, r) }

// put writes a letter and after it the marks that came before.
func (d *marc8) put(r rune) {
	d.out.WriteRune(r)
	d.flush()
}

func (d *marc8) flush() {
	for _, m := range d.marks {
		d.out.WriteRune(m)
	}
	d.marks = d.marks[:0]
}

func (d *marc8) lose() {
	d.lost++
	d.put(utf8.RuneError)
}

// escape reads a sequence and tells its length: ESC g, b, p, s for the
// special sets; ESC ( F and ESC , F for G0, ESC ) F and ESC - F for G1, with
// ! before the F of ANSEL; $ behind ESC for a wide set, and then F alone is G0.
func (d *marc8) escape(b []byte) int {
	i, target, name := 1, &d.g0, ""
	take := func(any string) byte {
		if i < len(b) && strings.IndexByte(any, b[i]) >= 0 {
			i++
			return b[i-1]
		}
		return 0
	}
	if take("s") != 0 {
		d.g0 = ascii
		return i
	}
	if c := take("gbp"); c != 0 {
		d.g0 = sets[string(c)]
		return i
	}
	if take("$") != 0 {
		name = "$"
	}
	switch side := take("(,)-"); {
	case side == ')' || side == '-':
		target = &d.g1
	case side == 0 && name == "":
		d.lost++ // an escape that leads nowhere
		return i
	}
	if take("!") != 0 {
		name += "!"
	}
	if i == len(b) {
		return i
	}
	*target = unknown
	if set, ok := sets[name+string(b[i])]; ok {
		*target = set
	}
	return i + 1
}
