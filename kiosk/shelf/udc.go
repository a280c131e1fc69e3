package shelf

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The filing order of the Universal Decimal Classification, from the general
// to the particular, as the standard edition's introduction has it (UDC
// Consortium; Table 1a for + and /, which stand before the number itself; the
// whole in S. de Souza, CDU: como entender e utilizar a 2ª edição-padrão
// internacional em língua portuguesa, "ordem de arquivamento"):
//
//   - /  number  :  ::  [  =  (0  (1/9  (=  "  *  A/Z  .00  -0  -1/-9  .0  '  digits
//
// Each sign has a letter in the key, and digits follow as small letters. The
// number itself ends with its own letter, as do brackets, since + and / come
// before it.
const (
	udcPlus = iota + 'A'
	udcStroke
	udcEnd
	udcColon
	udcDouble
	udcBracket
	udcLanguage
	udcForm
	udcPlace
	udcPeople
	udcTime
	udcAsterisk
	udcLetters
	udcView    // .00
	udcCommon  // -0
	udcHyphen  // -1/-9
	udcSpecial // .0
	udcApostrophe
)

var udcPlain = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "’", "'", "‘", "'", "–", "-", "−", "-")

// readUDC reads a notation, then what stands behind a space: author, date,
// volume. Within the notation a space before a sign means nothing.
func readUDC(p prefixes, k *builder, s string) string {
	rest, _ := p.take(k, udcPlain.Replace(s), func(rest string) bool { return strings.HasPrefix(rest, " ") })
	u := udc{builder: k, s: strings.TrimSpace(rest)}
	k.space()
	why := u.notation()
	if why == "" {
		k.marks(u.s[u.i:])
	}
	return why
}

// udc reads a notation.
type udc struct {
	*builder
	s      string
	i      int
	open   []byte // what closes the brackets and quotes that are open; '|' a bracket that does not count
	number bool   // a digit was there
}

func (u *udc) sign(code byte, n int) {
	u.buf = append(u.buf, code)
	u.i += n
}

func (u *udc) at(s string) bool { return strings.HasPrefix(u.s[u.i:], s) }

func (u *udc) notation() string {
	if u.at("[") { // does not count where it begins the notation
		u.open = append(u.open, '|')
		u.i++
	}
	for u.i < len(u.s) {
		switch b := u.s[u.i]; {
		case isDigit(rune(b)):
			u.number = true
			u.sign('a'+b-'0', 1)
		case b == ' ' && !u.goesOn():
			return u.end()
		case b == ' ':
			u.i++
		default:
			if why := u.other(b); why != "" {
				return why
			}
		}
	}
	return u.end()
}

// goesOn tells whether the notation goes on behind a space.
func (u *udc) goesOn() bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(u.s[u.i:], " "))
	before := strings.TrimRight(u.s[:u.i], " ")
	joins := before != "" && strings.Contains("+/:", before[len(before)-1:])
	return len(u.open) > 0 || joins || !isDigit(r) && !isLetter(r)
}

func (u *udc) end() string {
	switch {
	case len(u.open) > 0:
		return "a bracket or quotation mark is not closed"
	case !u.number:
		return "there is no number"
	}
	u.sign(udcEnd, 0)
	return ""
}

// other reads what is neither a digit nor a space.
func (u *udc) other(b byte) string {
	for _, s := range []struct {
		text string
		code byte
	}{
		{"+", udcPlus}, {"/", udcStroke}, {"::", udcDouble}, {":", udcColon}, {"=", udcLanguage}, {".00", udcView},
		{".0", udcSpecial}, {"-0", udcCommon}, {"-", udcHyphen}, {"'", udcApostrophe},
	} {
		if u.at(s.text) {
			u.sign(s.code, len(s.text))
			return ""
		}
	}
	switch b {
	case '.': // only punctuation
		u.i++
		return ""
	case '*':
		u.sign(udcAsterisk, 1)
		u.word()
		return ""
	case '(', '[', '"', ')', ']':
		return u.bracket(b)
	}
	if r, _ := utf8.DecodeRuneInString(u.s[u.i:]); !isLetter(r) {
		return fmt.Sprintf("%q means nothing in UDC", r)
	}
	if !u.number && len(u.open) == 0 {
		return "it begins with a letter"
	}
	u.sign(udcLetters, 0)
	u.word()
	return ""
}

// word reads a name or a foreign code: GOE, Fe2O3.
func (u *udc) word() {
	c := cursor{s: u.s, i: u.i}
	for {
		d, l := c.digits(), c.letters()
		if d == "" && l == "" {
			break
		}
		u.add(d)
		u.text(l)
	}
	u.i = c.i
	u.space()
}

func (u *udc) bracket(b byte) string {
	last := len(u.open) - 1
	switch {
	case last >= 0 && (u.open[last] == b || b == ']' && u.open[last] == '|'):
		if u.open[last] == b {
			u.sign(udcEnd, 0)
		}
		u.open = u.open[:last]
		u.i++
		return ""
	case b == ')' || b == ']':
		return "a bracket is closed that is not open"
	case u.at("(="):
		u.open = append(u.open, ')')
		u.sign(udcPeople, 2)
	case u.at("(0"):
		u.open = append(u.open, ')')
		u.number = true
		u.sign(udcForm, 2)
	case b == '(':
		u.open = append(u.open, ')')
		u.sign(udcPlace, 1)
	case b == '[':
		u.open = append(u.open, ']')
		u.sign(udcBracket, 1)
	default:
		u.open = append(u.open, b)
		u.sign(udcTime, 1)
	}
	return ""
}
