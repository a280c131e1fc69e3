package catalog

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	maxTitle = 1000 // bytes
	maxText  = 200  // bytes of other texts
	maxAbout = 400  // bytes of all subjects together
)

// clean makes a text fit for a screen: one line, composed, at most max bytes,
// without control characters and those that turn the direction of others.
func clean(s string, max int) string {
	if len(s) <= max && tidy(s) {
		return s // as most are
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Join(strings.FieldsFunc(norm.NFC.String(s), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff' {
			return -1
		}
		return r
	}, s)
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return strings.TrimSpace(s[:max])
}

// tidy tells whether a text is printable ASCII, and each blank of it between
// two words.
func tidy(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && before == ' ' {
			return false
		}
		before = s[i]
	}
	return s == "" || before != ' '
}

// valid tells what is wrong with a barcode or a card number.
func valid(code, what string) error {
	switch {
	case code == "":
		return fmt.Errorf("has no %s", what)
	case len(code) > kiosk.MaxCode:
		return fmt.Errorf("%s of %d bytes; at most %d are taken", what, len(code), kiosk.MaxCode)
	case scientific(code):
		return fmt.Errorf("%s %s: it looks like a spreadsheet has rounded it; export the column as text", what, code)
	}
	for _, r := range code {
		if !unicode.IsPrint(r) || r == '|' || r == utf8.RuneError {
			return fmt.Errorf("%s holds %q", what, r)
		}
	}
	return nil
}

// scientific recognises 1.23E+13, what spreadsheets make of long numbers.
func scientific(code string) bool {
	mant, exp, ok := strings.Cut(strings.ToUpper(code), "E+")
	return ok && mant != "" && exp != "" && strings.Trim(mant, "0123456789.,") == "" && digits([]byte(exp))
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
