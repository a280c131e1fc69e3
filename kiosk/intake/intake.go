// Package intake decides what a scan means: a patron's card, the barcode of
// a copy, one of the two where a library's numbers overlap, the book trade's ISBN, a command of another library system, or
// nothing of ours. It decides by the library's patterns and check digits and
// by the AIM symbology identifier where the scanner sends one; it looks
// nothing up. Pad does the same for the tags on an RFID pad, and writes their
// security.
//
// Conventions: 14-digit library numbers begin with 2 (patron) or 3 (item) and
// end in a mod 10 check digit; Code 39 labels may end in a mod 43 one;
// Destiny's command labels are %C, a number and a letter (Follett, "Command
// codes"); ISBN-13 is EAN-13 with prefix 978 or 979 (ISO 2108), sent alone or
// with its 2- or 5-digit add-on.
package intake

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// Config is the library's own conventions.
type Config struct {
	Patron []string // patterns of card numbers (RE2); none: 14 digits that begin with 2
	Item   []string // patterns of item barcodes; none: 14 digits that begin with 3
	Check  string   // check digit of both: "mod10", "mod43", "none" or ""
	Warn   bool     // a wrong check digit is only reported, not refused

	// PatronCheck and ItemCheck are for one of the two alone, where it differs: a
	// school's cards often bear a number of another office's, without a check
	// digit. Empty: Check.
	PatronCheck, ItemCheck string
}

// Intake decides. It is immutable and safe for use by several goroutines.
type Intake struct {
	patron, item kind
	warn         bool
}

// kind is how codes of one kind are.
type kind struct {
	patterns []*regexp.Regexp
	check    func(string) bool
}

// takes tells whether a code is of this kind; anyDigit whatever its check digit.
func (k kind) takes(code string, anyDigit bool) bool {
	fits := slices.ContainsFunc(k.patterns, func(re *regexp.Regexp) bool { return re.MatchString(code) })
	return fits && (anyDigit || k.check(code))
}

// New compiles the conventions. Its error names key and value of each that is
// wrong (errors.Join).
func New(c Config) (*Intake, error) {
	in := &Intake{warn: c.Warn}
	var bad [5]error
	in.patron.patterns, bad[0] = compile("patron", c.Patron, `^2[0-9]{13}$`)
	in.item.patterns, bad[1] = compile("item", c.Item, `^3[0-9]{13}$`)
	both, err := checkOf("check", c.Check, func(string) bool { return true })
	bad[2] = err
	in.patron.check, bad[3] = checkOf("patron_check", c.PatronCheck, both)
	in.item.check, bad[4] = checkOf("item_check", c.ItemCheck, both)
	if err := errors.Join(bad[:]...); err != nil {
		return nil, err
	}
	return in, nil
}

// checkOf is the rule of that name, unset where there is none.
func checkOf(key, name string, unset func(string) bool) (func(string) bool, error) {
	switch name {
	case "":
		return unset, nil
	case "none":
		return func(string) bool { return true }, nil
	case "mod10":
		return Mod10, nil
	case "mod43":
		return Mod43, nil
	}
	return nil, fmt.Errorf("%s: %q: must be mod10, mod43 or none", key, name)
}

func compile(key string, patterns []string, def string) ([]*regexp.Regexp, error) {
	if len(patterns) == 0 {
		patterns = []string{def}
	}
	var res []*regexp.Regexp
	var bad []error
	for _, p := range patterns {
		re, err := pattern(p)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %q: %w", key, p, err))
		}
		res = append(res, re)
	}
	return res, errors.Join(bad...)
}

// pattern compiles one, for the whole of a code.
func pattern(p string) (*regexp.Regexp, error) {
	if _, err := syntax.Parse(p, syntax.Perl); err != nil { // as it was written, not as it is used
		why := err.Error()
		if e, ok := err.(*syntax.Error); ok {
			why = e.Code.String()
		}
		return nil, fmt.Errorf("is no pattern: %s", why)
	}
	re, err := regexp.Compile(`\A(?:` + p + `)\z`)
	if err == nil && re.MatchString("") {
		err = errors.New("matches an empty code")
	}
	return re, err
}

// Event tells what a scan means. warning is for the log: the code was taken
// although something is odd about it.
func (in *Intake) Event(sc drivers.Scan) (ev kiosk.Event, warning string) {
	text := strings.TrimSpace(sc.Text)
	if why := unfit(text, sc.Long); why != "" {
		return kiosk.Unreadable{Code: Printable(text), Reason: why}, ""
	}
	if command.MatchString(text) {
		return kiosk.Unreadable{Code: text, Reason: kiosk.ReasonForeign}, ""
	}
	if isbn, ok := ISBN(text); ok && (sc.AIM == "" || sc.AIM[1] == 'E' || sc.AIM[1] == 'X') {
		return kiosk.ISBNRead{ISBN: isbn}, ""
	}
	if sc.AIM == addOn2 || sc.AIM == addOn5 {
		return kiosk.Unreadable{Code: text, Reason: kiosk.ReasonUnreadable}, ""
	}
	wrong := ""
	for _, code := range readings(text) {
		if ev := in.typed(code, false); ev != nil {
			return ev, ""
		}
		switch ev := in.typed(code, true); {
		case ev != nil && in.warn:
			return ev, "wrong check digit"
		case ev != nil:
			wrong = code
		}
	}
	if wrong != "" {
		return kiosk.Unreadable{Code: wrong, Reason: kiosk.ReasonCheckDigit}, ""
	}
	return kiosk.Unreadable{Code: Printable(text), Reason: kiosk.ReasonUnreadable}, ""
}

// typed tells whose number a code is, nil if it is neither; anyDigit does so
// whatever its check digit.
func (in *Intake) typed(code string, anyDigit bool) kiosk.Event {
	card, item := in.patron.takes(code, anyDigit), in.item.takes(code, anyDigit)
	switch {
	case card && item:
		return kiosk.EitherRead{Code: code}
	case card:
		return kiosk.CardRead{Card: kiosk.Card(code)}
	case item:
		return kiosk.ItemPlaced{Item: kiosk.Barcode(code)}
	}
	return nil
}

// Item tells whether a text is an item number of the library's, as it stands.
func (in *Intake) Item(text string) bool {
	return unfit(text, false) == "" && in.item.takes(text, in.warn)
}

// command is what other systems print on labels for their own scanners.
var command = regexp.MustCompile(`^%C[0-9]{1,4}[A-Za-z]?$`)

// Some scanners send the add-on beside the book trade's code, mostly its price,
// as a code of its own: of 2 and of 5 digits (ISO/IEC 15424). It is no number of
// anything, though it may look like a library's short one.
const addOn2, addOn5 = "]E1", "]E2"

// unfit tells why a text can't be a code at all.
func unfit(text string, long bool) kiosk.Reason {
	if text == "" || long || len(text) > kiosk.MaxCode || !utf8.ValidString(text) || strings.ContainsRune(text, '|') {
		return kiosk.ReasonUnreadable
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return kiosk.ReasonUnreadable
		}
	}
	return ""
}

// readings are the ways to read a text: as it is, and without the start and
// stop characters that some scanners send along: * of Code 39; A to D, or the
// older t n * e, of Codabar, when both are there.
func readings(text string) []string {
	r := []string{text}
	n := len(text)
	if n < 3 {
		return r
	}
	if text[0] == '*' && text[n-1] == '*' {
		return append(r, text[1:n-1])
	}
	const startStop = "ABCDabcdtne*"
	mid := text[1 : n-1]
	if strings.IndexByte(startStop, text[0]) >= 0 && strings.IndexByte(startStop, text[n-1]) >= 0 &&
		strings.Trim(mid, "0123456789-$:/.+") == "" {
		r = append(r, mid)
	}
	return r
}

// Printable makes a text safe and short enough to show to staff: at most 40
// characters, no control characters.
func Printable(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > 40 {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}
