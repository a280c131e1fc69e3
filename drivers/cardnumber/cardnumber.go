// Package cardnumber makes card numbers of contactless cards: of what a reader
// finds in its field, one scan for each card that is laid on.
//
// A library that has used another reader before has its numbers in the way
// that one wrote a UID, so the way can be set. For a card with UID 04 A1 B2 C3
// D4 E5 F6, as it goes over the air, first byte first:
//
//	hex                                    04A1B2C3D4E5F6   most readers for PC
//	hex, reversed                          F6E5D4C3B2A104   readers that take the UID for a number
//	decimal, last 4, digits 10             3285509622       "8H10D"
//	decimal, first 4, reversed, digits 10  3283263748       many that speak Wiegand 32 or 34
//	wiegand26, last 3                      21258870         a site of 3 digits, a number of 5
//
// Which of them it was is found out by reading one card whose number is known.
// A number of fewer bytes than the UID has can be that of several cards, one of
// three bytes likely so; 4-byte UIDs too are no longer unique (NXP AN10927).
//
// # No card
//
// A phone answers with a UID that it makes up each time, 4 bytes of which the
// first is 08 (ISO/IEC 14443-3, 6.5.4): nobody's number, and perhaps another
// person's next time. It is scanned as a text that says so and begins with NUL,
// which no pattern takes: the desk shows and logs it as a code it can't read.
package cardnumber

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Format is how a UID is written.
type Format struct {
	Number   string // hex, hex-lower, decimal, wiegand26
	Bytes    string // which: all, or as "first 4", "last 3"
	Reversed bool   // those bytes in the other order
	Digits   int    // at least so many, with zeros in front; 0: as many as there are
	Prefix   string // before the number
}

// The longest UID of ISO/IEC 14443 (6.5.4), in bytes, and the shortest.
const (
	maxUID = 10
	minUID = 4
)

const (
	maxDigits = 40
	maxPrefix = 16
)

// Check tells what is wrong with it, by the name of the option.
func (f Format) Check() error {
	_, n, err := f.part()
	bad := []error{err}
	if !slices.Contains([]string{"hex", "hex-lower", "decimal", "wiegand26"}, f.Number) {
		bad = append(bad, fmt.Errorf("number: %q: must be hex, hex-lower, decimal or wiegand26", f.Number))
	}
	if err == nil && f.Number == "wiegand26" && n != 3 {
		bad = append(bad, fmt.Errorf("bytes: %q: wiegand26 is of three, as \"last 3\"", f.Bytes))
	}
	if f.Digits < 0 || f.Digits > maxDigits {
		bad = append(bad, fmt.Errorf("digits: %d: must be 0 to %d", f.Digits, maxDigits))
	}
	if len(f.Prefix) > maxPrefix {
		bad = append(bad, fmt.Errorf("prefix: %q: must be at most %d bytes", f.Prefix, maxPrefix))
	}
	return errors.Join(bad...)
}

// part reads Bytes: how many, 0 for all, and from which end.
func (f Format) part() (last bool, n int, err error) {
	if f.Bytes == "all" {
		return false, 0, nil
	}
	end, count, _ := strings.Cut(f.Bytes, " ")
	if _, err := fmt.Sscanf(count, "%d", &n); err != nil || n < 1 || n > maxUID || end != "first" && end != "last" || count != fmt.Sprint(n) {
		return false, 0, fmt.Errorf("bytes: %q: must be all, or as \"first 4\" or \"last 3\"", f.Bytes)
	}
	return end == "last", n, nil
}

// Why a UID is no card number.
var (
	ErrRandom = errors.New("no card: a random UID, as of a phone")
	ErrPart   = errors.New("no card: the first part of a UID") // 88 is the cascade tag (ISO/IEC 14443-3, 6.5.4)
	ErrLength = errors.New("no card: the UID's length")
)

// Of gives the number of a UID, whose bytes are in the order in which a card of
// ISO/IEC 14443 sends them; one of ISO/IEC 15693 begins with E0.
func (f Format) Of(uid []byte) (string, error) {
	switch {
	case len(uid) < minUID || len(uid) > maxUID:
		return "", ErrLength
	case Random(uid):
		return "", ErrRandom
	case len(uid) == 4 && uid[0] == 0x88:
		return "", ErrPart
	}
	last, n, err := f.part()
	switch {
	case err != nil:
		return "", err
	case n > len(uid):
		return "", fmt.Errorf("%w, %d bytes", ErrLength, len(uid))
	case last:
		uid = uid[len(uid)-n:]
	case n > 0:
		uid = uid[:n]
	}
	if f.Reversed {
		uid = slices.Clone(uid)
		slices.Reverse(uid)
	}
	text := f.digits(uid)
	return f.Prefix + strings.Repeat("0", max(0, f.Digits-len(text))) + text, nil
}

func (f Format) digits(b []byte) string {
	switch {
	case f.Number == "decimal":
		return new(big.Int).SetBytes(b).String()
	case f.Number == "wiegand26" && len(b) == 3:
		return fmt.Sprintf("%03d%05d", b[0], int(b[1])<<8|int(b[2]))
	case f.Number == "hex-lower":
		return fmt.Sprintf("%x", b)
	}
	return fmt.Sprintf("%X", b)
}

// Random tells a UID that a card or a phone makes up anew each time.
func Random(uid []byte) bool { return len(uid) == 4 && uid[0] == 0x08 }

// noBarcode is the AIM identifier of what no bar code says (ISO/IEC 15424):
// digits of it are never the code of the book trade.
const noBarcode = "]Z0"

// Scan is what the desk hears of a card: its number, or what is the matter with
// it in a form that is never taken for one.
func (f Format) Scan(uid []byte) drivers.Scan {
	text, err := f.Of(uid)
	if err != nil {
		text = "\x00" + err.Error()
	}
	return drivers.Scan{Text: text, AIM: noBarcode, At: time.Now()}
}
