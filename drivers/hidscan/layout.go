package hidscan

import (
	"maps"
	"slices"
	"unicode"
)

// A layout says what each key types. The scanner chooses keys for the layout
// it is set to, so the same layout must be configured here.
//
// The rows hold one character a key, in the order of usages: 26 letters
// (04-1D), 10 of the digit row (1E-27), 12 signs (2D-38), and the key beside
// the left Shift that US keyboards lack (64). A space is a key that types
// nothing. A combining mark is a dead key: it waits for the next letter.
type layout struct {
	plain, shift, altGr [49]rune
	capsDigits          bool // Caps Lock is a Shift Lock for the digit row, as Windows does it
}

// Dead keys, written as the combining mark that they put on the next letter.
const (
	deadGrave      = "\u0300"
	deadAcute      = "\u0301"
	deadCircumflex = "\u0302"
	deadTilde      = "\u0303"
	deadDiaeresis  = "\u0308"
)

// spacing is what a dead key types when a space follows.
var spacing = map[rune]rune{'\u0300': '`', '\u0301': '´', '\u0302': '^', '\u0303': '~', '\u0308': '¨'}

// layouts by the name in the configuration. Sources: HID Usage Tables 1.4,
// section 10 (which key is where, and US); for the others the keyboards as they
// are sold: BS 4822 (uk), DIN 2137 T1 (de) and Windows' French "azerty" (fr).
var layouts = map[string]*layout{
	"us": {
		plain: row("abcdefghijklmnopqrstuvwxyz", "1234567890", `-=[]\\;'`+"`"+`,./`, `\`),
		shift: row("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "!@#$%^&*()", `_+{}||:"~<>?`, `|`),
		altGr: row("                          ", "          ", `            `, ` `),
	},
	"uk": {
		plain: row("abcdefghijklmnopqrstuvwxyz", "1234567890", `-=[]##;'`+"`"+`,./`, `\`),
		shift: row("ABCDEFGHIJKLMNOPQRSTUVWXYZ", `!"£$%^&*()`, `_+{}~~:@¬<>?`, `|`),
		altGr: row("á   é   í     ó     ú     ", "   €      ", `        ¦   `, ` `),
	},
	"de": {
		plain: row("abcdefghijklmnopqrstuvwxzy", "1234567890", `ß`+deadAcute+`ü+##öä`+deadCircumflex+`,.-`, `<`),
		shift: row("ABCDEFGHIJKLMNOPQRSTUVWXZY", `!"§$%&/()=`, `?`+deadGrave+`Ü*''ÖÄ°;:_`, `>`),
		altGr: row("    €       µ   @         ", " ²³   {[]}", `\  ~        `, `|`),
	},
	"fr": {
		plain:      row("qbcdefghijkl,noparstuvzxyw", `&é"'(-è_çà`, `)=`+deadCircumflex+`$**mù²;:!`, `<`),
		shift:      row("QBCDEFGHIJKL?NOPARSTUVZXYW", "1234567890", `°+`+deadDiaeresis+`£µµM% ./§`, `>`),
		altGr:      row("    €                     ", ` `+deadTilde+`#{[|`+deadGrave+`\^@`, `]} ¤        `, ` `),
		capsDigits: true,
	},
}

// layoutNames are the names of layouts, sorted.
func layoutNames() []string { return slices.Sorted(maps.Keys(layouts)) }

// row joins the parts of one level of a layout.
func row(parts ...string) (r [49]rune) {
	i := 0
	for _, p := range parts {
		for _, c := range p {
			r[i] = c // an over-long row is a fault of this file and panics at start
			i++
		}
	}
	if i != len(r) {
		panic("hidscan: a row of a layout is too short: " + string(r[:i]))
	}
	return r
}

// place is the index of a usage in the rows, or -1.
func place(usage byte) int {
	switch {
	case usage >= 0x04 && usage <= 0x27:
		return int(usage) - 0x04
	case usage >= 0x2D && usage <= 0x38:
		return int(usage) - 0x2D + 36
	case usage == 0x64:
		return 48
	}
	return -1
}

// char is what a key types, and 0 if it types nothing.
func (l *layout) char(usage byte, shift, altGr, caps bool) rune {
	i := place(usage)
	if i < 0 {
		return 0
	}
	if altGr {
		return typed(l.altGr[i])
	}
	if caps && l.capital(i) {
		shift = !shift
	}
	if shift {
		return typed(l.shift[i])
	}
	return typed(l.plain[i])
}

// capital reports whether Caps Lock swaps the levels of a key: those of
// letters, and the digit row in some layouts.
func (l *layout) capital(i int) bool {
	if l.capsDigits && i >= 26 && i < 36 {
		return true
	}
	return unicode.IsLower(l.plain[i]) && unicode.ToUpper(l.plain[i]) == l.shift[i]
}

func typed(r rune) rune {
	if r == ' ' {
		return 0
	}
	return r
}
