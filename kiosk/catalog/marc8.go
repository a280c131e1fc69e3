package catalog

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MARC-8 is what binary records hold unless leader position 9 is 'a': ASCII
// in G0 and ANSEL in G1, other sets by the escape sequences of ISO 2022.
// Combining marks come before their letter. Source of the tables: Library of
// Congress, "MARC 21 Specifications for Record Structure, Character Sets, and
// Exchange Media", part 3 (Code Tables).

// charset maps a graphic character's code, 21 to 7E hexadecimal, to Unicode;
// 0 where the set has none.
type charset struct {
	runes [0x80]rune
	wide  bool // three bytes a character (EACC)
}

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
		put(0x60, "\u0309\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030c\u030a\ufe20\ufe21\u0315\u030b\u0310\u0327\u0328\u0323\u0324\u0325\u0333\u0332\u0326\u031c\u032e\ufe22\ufe23").
		put(0x7e, "\u0313")

	// cyrillic is ISO 5427 with the ASCII digits and signs; the registration 37.
	cyrillic = table(0x21, "!\"#$%&'()*+,-./0123456789:;<=>?").
			put(0x40, "юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧ")
	cyrillicMore = table(0x40, "ґђѓєёѕіїјљњћќўџ\x00ѣѳѵѫ").put(0x60, "ҐЂЃЄЁЅІЇЈЉЊЋЌЎЏЪѢѲѴѪ")

	// hebrew has the points first, in the order of the table.
	hebrew = table(0x21, "!\u05f4#$%&\u05f3()*+,\u05be./0123456789:;<=>?").
		put(0x40, "\u05b7\u05b8\u05b6\u05b5\u05b4\u05b9\u05bb\u05b0\u05b2\u05b3\u05b1\u05bc\u05bf\u05c1\ufb1e[\x00]").
		put(0x60, "אבגדהוזחטיךכלםמןנסעףפץצקרשתװױײ")

	arabic = table(0x21, "!\"#$٪&'()٭+،-./٠١٢٣٤٥٦٧٨٩:؛<=>؟").
		put(0x41, "ءآأؤإئابةتثجحخدذرزسشصضطظعغ").
		put(0x5b, "[\x00]").
		put(0x60, "ـفقكلمنهوىي\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652ٱ\u0670")

	// greek is ISO 5428: marks before their letter, then capitals and small
	// letters with the numerals stigma, digamma, koppa and sampi between.
	greek = table(0x21, "\u0300\u0301\u0308\u0342\u0313\u0314\u0345").
		put(0x30, "«»“”ʹ͵").put(0x3b, "·").put(0x3f, ";").
		put(0x41, "ΑΒ\x00ΓΔΕϚϜΖΗΘΙΚΛΜΝΞΟΠϞΡΣ\x00ΤΥΦΧΨΩϠ").
		put(0x61, "αβ\x00γδεϛϝζηθικλμνξοπϟρσςτυφχψωϡ")

	subscripts   = table(0x28, "₍₎\x00₊\x00₋").put(0x30, "₀₁₂₃₄₅₆₇₈₉")
	superscripts = table(0x28, "⁽⁾\x00⁺\x00⁻").put(0x30, "⁰¹²³⁴⁵⁶⁷⁸⁹")
	greekSymbols = table(0x61, "αβγ")

	// eacc (Chinese, Japanese, Korean) has some 16,000 characters; they are
	// not decoded but counted as lost.
	eacc = &charset{wide: true}
)

// sets are the final characters of the escape sequences.
var sets = map[string]*charset{
	"B": ascii, "!E": ansel, "E": ansel, "N": cyrillic, "Q": cyrillicMore, "2": hebrew, "3": arabic, "S": greek, "1": eacc,
}

// decodeMARC8 gives the text in NFC, and how many characters could not be
// decoded; each of those stands as U+FFFD.
func decodeMARC8(b []byte) (string, int) {
	d := marc8{g0: ascii, g1: ansel}
	for len(b) > 0 {
		b = b[d.next(b):]
	}
	d.flush()
	return norm.NFC.String(d.out.String()), d.lost
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
	case c == 0x1b:
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
	case c < 0x21 || c == 0x7f || c >= 0x80 && c < 0xa1 || c == 0xff:
		return 1 // a control character: nothing to read
	}
	set := d.g0
	if c >= 0xa1 {
		set = d.g1
	}
	if set.wide {
		d.lose()
		return min(3, len(b))
	}
	r := set.runes[c&0x7f]
	switch {
	case r == 0:
		d.lose()
	case mark(r):
		d.marks = append(d.marks, r)
	default:
		d.put(r)
	}
	return 1
}

func mark(r rune) bool {
	return 0x0300 <= r && r < 0x0370 || 0xfe20 <= r && r < 0xfe30
}

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

// escape reads a sequence: ESC g, b, p, s for the special sets, ESC ( F and
// ESC , F for G0, ESC ) F and ESC - F for G1, with $ between for wide sets.
func (d *marc8) escape(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	switch b[1] {
	case 's':
		d.g0 = ascii
		return 2
	case 'g':
		d.g0 = greekSymbols
		return 2
	case 'b':
		d.g0 = subscripts
		return 2
	case 'p':
		d.g0 = superscripts
		return 2
	}
	i := 1
	if b[i] == '$' {
		i++
	}
	target := &d.g0
	if i < len(b) && strings.IndexByte("(,)-", b[i]) >= 0 {
		if b[i] == ')' || b[i] == '-' {
			target = &d.g1
		}
		i++
	}
	final := ""
	if i < len(b) && b[i] == '!' {
		final = "!"
		i++
	}
	if i >= len(b) {
		return len(b)
	}
	set, ok := sets[final+string(b[i])]
	if !ok {
		d.lost++
		set = ascii
	}
	*target = set
	return i + 1
}
