package hidscan

import (
	"slices"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Modifier bits of a boot report: HID 1.11, appendix B.1 and HUT 1.4,
// section 10, usages E0-E7.
const (
	leftAlt    = 0x04
	rightAlt   = 0x40
	anyCtrl    = 0x11
	anyShift   = 0x22
	anyGUI     = 0x88
	usageA     = 0x04 // first usage that is a key; 01-03 are errors
	usageEnter = 0x28
	usageTab   = 0x2B
	usageSpace = 0x2C
	usageCaps  = 0x39
	usagePadEn = 0x58
)

// unknownKey stands for a key that types nothing known. A code that holds it
// matches no pattern, and so is never taken for the code without that key.
const unknownKey = '\uFFFD'

// A keyboard turns boot reports (HID 1.11, appendix B.1: modifiers, a
// reserved byte, six usages) into characters.
type keyboard struct {
	layout *layout

	size    int    // length of its reports: 8, or 9 with a report ID; 0: not seen yet
	id      byte   // that report ID
	held    []byte // usages down in the last report
	caps    bool
	dead    rune // combining mark that waits for a letter, 0: none
	altDown bool
	alt     []byte // decimal digits typed on the keypad with Alt held
}

// maxAlt bounds the digits of one ALT code; Windows looks at 4.
const maxAlt = 8

// report takes one boot report and calls typed for each character: '\r' for
// Enter, '\t' for Tab.
func (k *keyboard) report(boot []byte, typed func(rune)) {
	mods, keys := boot[0], boot[2:]
	if slices.ContainsFunc(keys, func(u byte) bool { return u > 0 && u < usageA }) {
		return // too many keys at once, or a fault: says nothing about keys
	}
	k.altHeld(mods&leftAlt != 0 && mods&anyCtrl == 0, typed)
	for i, u := range keys {
		if u != 0 && !slices.Contains(k.held, u) && !slices.Contains(keys[:i], u) {
			k.press(u, mods, typed)
		}
	}
	k.held = append(k.held[:0], keys...)
}

// boot finds the boot report in p. The first report of a device decides
// whether there is a report ID before it; others are not this keyboard's.
func (k *keyboard) boot(p []byte) ([]byte, bool) {
	if k.size == 0 && (len(p) == 8 || len(p) == 9) {
		k.size = len(p)
		k.id = p[0]
	}
	if len(p) != k.size || k.size == 0 || (k.size == 9 && p[0] != k.id) {
		return nil, false
	}
	return p[k.size-8:], true
}

func (k *keyboard) press(u, mods byte, typed func(rune)) {
	switch {
	case u == usageEnter || u == usagePadEn:
		k.put('\r', typed)
	case u == usageTab:
		k.put('\t', typed)
	case u == usageCaps:
		k.caps = !k.caps
	case u == 0x47 || u == 0x53: // Scroll Lock, Num Lock: type nothing
	case k.altDown:
		k.altDigit(u, typed)
	default:
		k.put(k.char(u, mods), typed)
	}
}

func (k *keyboard) char(u, mods byte) rune {
	if mods&anyGUI != 0 {
		return unknownKey
	}
	if r := keypad(u); r != 0 {
		return r
	}
	altGr := mods&rightAlt != 0 || (mods&leftAlt != 0 && mods&anyCtrl != 0)
	if mods&anyCtrl != 0 && !altGr {
		return k.control(u)
	}
	if u == usageSpace {
		return ' '
	}
	if r := k.layout.char(u, mods&anyShift != 0, altGr, k.caps); r != 0 {
		return r
	}
	return unknownKey
}

// control is the character of Ctrl with a key: the letters of the layout give
// 01-1A; scanners send ESC, FS and GS as Ctrl with the US places of [ \ ].
func (k *keyboard) control(u byte) rune {
	if r := k.layout.char(u, false, false, false); r >= 'a' && r <= 'z' {
		return r & 0x1F
	}
	if r := layouts["us"].char(u, false, false, false); r >= '[' && r <= ']' {
		return r & 0x1F
	}
	return unknownKey
}

// keypad is what a keypad key types with Num Lock on, or 0. HUT 1.4, section
// 10, usages 54-63 and 67.
func keypad(u byte) rune {
	switch {
	case u >= 0x54 && u <= 0x57:
		return rune("/*-+"[u-0x54])
	case u >= 0x59 && u <= 0x63:
		return rune("1234567890."[u-0x59])
	case u == 0x67:
		return '='
	}
	return 0
}

// put types r, joined with a dead key before it.
func (k *keyboard) put(r rune, typed func(rune)) {
	mark := k.dead
	k.dead = 0
	if _, isDead := spacing[r]; isDead && mark == 0 {
		k.dead = r
		return
	}
	if mark == 0 {
		typed(r)
		return
	}
	if r == ' ' {
		typed(spacing[mark])
		return
	}
	if joined := []rune(norm.NFC.String(string([]rune{r, mark}))); len(joined) == 1 {
		typed(joined[0])
		return
	}
	typed(spacing[mark])
	if s, isDead := spacing[r]; isDead {
		r = s
	}
	typed(r)
}

// flush types a dead key that no letter followed.
func (k *keyboard) flush(typed func(rune)) {
	if mark := k.dead; mark != 0 {
		k.dead = 0
		typed(spacing[mark])
	}
}

// altHeld follows the left Alt key; letting it go types the code of the
// digits typed meanwhile.
func (k *keyboard) altHeld(down bool, typed func(rune)) {
	if k.altDown && !down && len(k.alt) > 0 {
		k.put(altCode(k.alt), typed)
	}
	if !down {
		k.alt = k.alt[:0]
	}
	k.altDown = down
}

func (k *keyboard) altDigit(u byte, typed func(rune)) {
	r := keypad(u)
	if r < '0' || r > '9' || len(k.alt) == maxAlt {
		k.put(unknownKey, typed)
		return
	}
	k.alt = append(k.alt, byte(r))
}

// altCode is the character of an ALT code: a leading 0 means Windows-1252,
// none means code page 437; both are ASCII up to 127. Codes above 255 differ
// from host to host and are unknown here.
func altCode(digits []byte) rune {
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	switch {
	case n > 255:
		return unknownKey
	case n < 128:
		return rune(n)
	case digits[0] == '0':
		return charmap.Windows1252.DecodeByte(byte(n))
	}
	return charmap.CodePage437.DecodeByte(byte(n))
}
