package drivers

import "strings"

// aimLetters are the code characters of AIM symbology identifiers: ISO/IEC
// 15424, table 1.
const aimLetters = "ABCDEFGHIKLMNOPQRSTUVXYZdez"

// CutAIM splits a leading AIM symbology identifier off a code: "]F0331..."
// gives "]F0" and "331...". A text that merely begins with ']' is left whole.
// Form: ']', a code letter, a modifier character 0-9 or A-F (ISO/IEC 15424,
// section 4).
func CutAIM(text string) (aim, rest string) {
	if len(text) < 3 || text[0] != ']' || !strings.ContainsRune(aimLetters, rune(text[1])) {
		return "", text
	}
	m := text[2]
	if ('0' <= m && m <= '9') || ('A' <= m && m <= 'F') || ('a' <= m && m <= 'f') {
		return text[:3], text[3:]
	}
	return "", text
}
