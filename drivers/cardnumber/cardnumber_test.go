package cardnumber

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
)

func uid(t testing.TB, digits string) []byte {
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		f         Format
		uid, want string
	}{
		{Format{Number: "hex", Bytes: "all"}, "04A1B2C3D4E5F6", "04A1B2C3D4E5F6"},
		{Format{Number: "hex-lower", Bytes: "all", Reversed: true}, "04A1B2C3D4E5F6", "f6e5d4c3b2a104"},
		{Format{Number: "decimal", Bytes: "last 4", Digits: 10}, "04A1B2C3D4E5F6", "3285509622"},
		{Format{Number: "decimal", Bytes: "first 4", Reversed: true, Digits: 10}, "04A1B2C3D4E5F6", "3283263748"},
		{Format{Number: "wiegand26", Bytes: "last 3"}, "04A1B2C3D4E5F6", "21258870"},
		{Format{Number: "wiegand26", Bytes: "first 3", Reversed: true}, "01000200", "00200001"},
		// The rule of 8H10D, and a card read by a reader of Wiegand 34, as people
		// have written them down for others.
		{Format{Number: "decimal", Bytes: "last 4", Digits: 10}, "100062D9B2", "0006478258"},
		{Format{Number: "hex", Bytes: "first 4", Reversed: true}, "1EA68671", "7186A61E"},
		{Format{Number: "decimal", Bytes: "all", Reversed: true}, "1EA68671", "1904649758"},
		{Format{Number: "decimal", Bytes: "all", Prefix: "P"}, "FFFFFFFFFFFFFFFFFFFF", "P1208925819614629174706175"},
		{Format{Number: "decimal", Bytes: "all", Digits: 4}, "DEADBEEF", "3735928559"}, // never cut
		{Format{Number: "hex", Bytes: "last 4"}, "E00401502D4210E3", "2D4210E3"},
	} {
		if err := tt.f.Check(); err != nil {
			t.Errorf("Check(%+v) = %v", tt.f, err)
		}
		in := uid(t, tt.uid)
		if got, err := tt.f.Of(in); got != tt.want || err != nil {
			t.Errorf("%+v of %s = %q, %v; want %q", tt.f, tt.uid, got, err, tt.want)
		}
		if !bytes.Equal(in, uid(t, tt.uid)) {
			t.Errorf("%+v turns the UID itself to %X", tt.f, in)
		}
	}
}

// everything is a library that takes all codes for cards.
func everything(t *testing.T) *intake.Intake {
	t.Helper()
	in, err := intake.New(intake.Config{Patron: []string{`[\s\S]+`}})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestNoCard: what is no card number is never taken for one, whatever the
// library's patterns are, and says why.
func TestNoCard(t *testing.T) {
	in := everything(t)
	for digits, want := range map[string]error{
		"08DEADBE": ErrRandom, "08000000": ErrRandom, "8804A1B2": ErrPart,
		"": ErrLength, "04": ErrLength, "04A1B2": ErrLength, "04A1B2C3D4E5F60708090A": ErrLength,
	} {
		f := Format{Number: "hex", Bytes: "all"}
		if n, err := f.Of(uid(t, digits)); n != "" || !errors.Is(err, want) {
			t.Errorf("Of(%s) = %q, %v; want %v", digits, n, err, want)
		}
		ev, _ := in.Event(f.Scan(uid(t, digits)))
		if bad, ok := ev.(kiosk.Unreadable); !ok || !strings.Contains(bad.Code, want.Error()) {
			t.Errorf("a scan of %s means %+v; want it unreadable, with the reason", digits, ev)
		}
	}
	if n, err := (Format{Number: "hex", Bytes: "last 7"}).Of(uid(t, "DEADBEEF")); n != "" || !errors.Is(err, ErrLength) {
		t.Errorf("7 bytes of 4 = %q, %v; want ErrLength", n, err)
	}
	// 08 is random of the whole of a UID of 4 bytes alone.
	for _, digits := range []string{"08A1B2C3D4E5F6", "DEADBE08", "18DEADBE"} {
		if n, err := (Format{Number: "hex", Bytes: "all"}).Of(uid(t, digits)); n != digits || err != nil {
			t.Errorf("Of(%s) = %q, %v", digits, n, err)
		}
	}
}

// TestNoBook: a number that the book trade could have is a card's all the same.
func TestNoBook(t *testing.T) {
	f := Format{Number: "decimal", Bytes: "all"}
	isbn := "9780306406157"
	n, _ := new(big.Int).SetString(isbn, 10)
	sc := f.Scan(n.FillBytes(make([]byte, 7)))
	if ev, _ := everything(t).Event(sc); ev != (kiosk.CardRead{Card: kiosk.Card(isbn)}) {
		t.Errorf("%+v means %+v; want a card", sc, ev)
	}
}

func TestCheck(t *testing.T) {
	good := Format{Number: "hex", Bytes: "all"}
	for key, change := range map[string]func(*Format){
		"number":  func(f *Format) { f.Number = "octal" },
		"bytes":   func(f *Format) { f.Bytes = "last 11" },
		"bytes ":  func(f *Format) { f.Bytes = "last" },
		"bytes  ": func(f *Format) { f.Bytes = "some 4" },
		" bytes":  func(f *Format) { f.Bytes = "last 4x" },
		" bytes ": func(f *Format) { f.Number = "wiegand26" },
		"digits":  func(f *Format) { f.Digits = 41 },
		"prefix":  func(f *Format) { f.Prefix = strings.Repeat("x", 17) },
	} {
		f := good
		change(&f)
		if err := f.Check(); err == nil || !strings.HasPrefix(err.Error(), strings.TrimSpace(key)+": ") {
			t.Errorf("Check(%+v) = %v; want it to name %s", f, err, key)
		}
	}
}

// FuzzOf: every UID is a number that gives its bytes back, or none for a reason.
func FuzzOf(f *testing.F) {
	f.Add([]byte{4, 1, 2, 3, 4, 5, 6}, true)
	f.Add([]byte{8, 1, 2, 3}, false)
	f.Add([]byte{0, 0, 0, 0}, false)
	f.Fuzz(func(t *testing.T, uid []byte, reversed bool) {
		want, err := Format{Number: "hex", Bytes: "all", Reversed: reversed}.Of(uid)
		if err != nil {
			if len(uid) >= minUID && len(uid) <= maxUID && (len(uid) != 4 || uid[0] != 8 && uid[0] != 0x88) {
				t.Errorf("Of(%x) = %v", uid, err)
			}
			return
		}
		dec, err := Format{Number: "decimal", Bytes: "all", Reversed: reversed}.Of(uid)
		n, ok := new(big.Int).SetString(dec, 10)
		if back := n.FillBytes(make([]byte, len(uid))); err != nil || !ok || !strings.EqualFold(hex.EncodeToString(back), want) {
			t.Errorf("Of(%x) = %s, and %s in decimal", uid, want, dec)
		}
	})
}
