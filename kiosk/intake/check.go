package intake

import "strings"

// Mod10 checks the last digit of a number by the rule of library labels: from
// the right, every second digit is doubled, 9 taken off above 9; the sum must
// end in 0. On 14 digits that doubles the odd places from the left.
func Mod10(code string) bool {
	if len(code) < 2 {
		return false
	}
	sum := 0
	for i := range len(code) {
		d := int(code[len(code)-1-i]) - '0'
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// alphabet43 is Code 39's, in the order of the values (ISO/IEC 16388, annex A).
const alphabet43 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"

// Mod43 checks the last character of a Code 39 text: the values of the ones
// before, summed, modulo 43 (ISO/IEC 16388, annex A).
func Mod43(code string) bool {
	if len(code) < 2 {
		return false
	}
	sum := 0
	for i := range len(code) - 1 {
		v := strings.IndexByte(alphabet43, code[i])
		if v < 0 {
			return false
		}
		sum += v
	}
	return code[len(code)-1] == alphabet43[sum%43]
}

// ISBN takes the 13 digits out of what a scanner makes of the book trade's
// code: alone, or with a 2- or 5-digit add-on behind it, joined or apart.
// ok is false unless prefix and check digit are right.
func ISBN(text string) (isbn string, ok bool) {
	if len(text) < 13 || (text[:3] != "978" && text[:3] != "979") {
		return "", false
	}
	sum := 0
	for i := range 13 {
		d := int(text[i]) - '0'
		if d < 0 || d > 9 {
			return "", false
		}
		sum += d * (1 + 2*(i%2))
	}
	addOn := strings.TrimLeft(text[13:], " -+")
	if sum%10 != 0 || (len(addOn) != 0 && len(addOn) != 2 && len(addOn) != 5) || strings.Trim(addOn, "0123456789") != "" {
		return "", false
	}
	return text[:13], true
}
