package tagdata

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers/drivertest"
)

type vector struct {
	Code, OID int
	Text, Hex string
}

func (v vector) oid() int { return max(v.OID, 1) }

// check goes both ways: the data is the text, and the scheme makes the data.
func (v vector) check(t *testing.T) {
	t.Helper()
	data := unhex(t, v.Hex)
	if got, err := expand(v.oid(), v.Code, data); err != nil || got != v.Text {
		t.Errorf("scheme %d: %s is %q, %v; want %q", v.Code, v.Hex, got, err, v.Text)
	}
	got, ok := compactAs(v.oid(), v.Code, v.Text)
	if !ok || strings.ToUpper(hex.EncodeToString(got)) != v.Hex {
		t.Errorf("scheme %d: %q makes %X, %v; want %s", v.Code, v.Text, got, ok, v.Hex)
	}
}

func TestCompactionVectors(t *testing.T) {
	var file struct {
		Vectors    []vector
		Ineligible map[string][]string
		URNCode40  []vector `json:"urn_code40"`
		Gaoxiao96  []vector
	}
	drivertest.PublishedJSON(t, "compaction.json", &file)
	if len(file.Vectors) < 30 || len(file.URNCode40) < 9 || len(file.Gaoxiao96) < 11 {
		t.Fatalf("found %d, %d and %d vectors", len(file.Vectors), len(file.URNCode40), len(file.Gaoxiao96))
	}
	for _, v := range file.Vectors {
		v.check(t)
	}
	schemes := map[string]int{"integer": integer, "numeric": numeric}
	for name, texts := range file.Ineligible {
		for _, s := range texts {
			if b, ok := compactAs(1, schemes[name], s); ok {
				t.Errorf("%s takes %q as %X", name, s, b)
			}
		}
	}
	for _, v := range file.URNCode40 {
		if got, err := code40(unhex(t, v.Hex)); err != nil || got != v.Text {
			t.Errorf("code 40: %s is %q, %v; want %q", v.Hex, got, err, v.Text)
		}
	}
	for _, v := range file.Gaoxiao96 {
		b := append(unhex(t, v.Hex), 0, 0, 0)[:8]
		if got, ok := gaoxiaoItem(b); got != v.Text || !ok {
			t.Errorf("gaoxiao: %s is %q, %v; want %q", v.Hex, got, ok, v.Text)
		}
	}
}

// TestCompaction holds without the shared test data: one vector a scheme, from
// the tests of dp2 and of Lainuri.
func TestCompaction(t *testing.T) {
	for _, v := range []vector{
		{application, 3, "DE-Heu1", "21408E16BF1F"},
		{application, 3, "CN-130103-1-SJZLIB", "1B81E130103A1AC9AB4C48BF"},
		{integer, 1, "9999999999999999999", "8AC7230489E7FFFF"},
		{numeric, 1, "091", "091F"},
		{bits5, 1, "JPN", "541C"},
		{bits6, 1, "ABC1234", "0420F1CB3D20"},
		{bits7, 1, "12345678", "62C99B46AD9BB8"},
		{octets, 1, "01001643", "3031303031363433"},
		{utf8Text, 1, "test", "74657374"},
	} {
		v.check(t)
	}
}

// TestDamagedValues: what is not of the kind its scheme says is no text.
func TestDamagedValues(t *testing.T) {
	for _, v := range []vector{
		{Code: integer, Hex: "09"}, {Code: integer, Hex: ""}, {Code: integer, Hex: "FFFFFFFFFFFFFFFF"},
		{Code: integer, Hex: "010000000000000000"},
		{Code: numeric, Hex: "1A"}, {Code: numeric, Hex: "F1"}, {Code: numeric, Hex: "12FF"}, {Code: numeric, Hex: "F"[:0]},
		{Code: bits5, Hex: "0006"}, {Code: utf8Text, Hex: "FF"},
	} {
		if s, err := expand(1, v.Code, unhex(t, v.Hex)); err == nil {
			t.Errorf("scheme %d: %s is %q; want an error", v.Code, v.Hex, s)
		}
	}
	if s, err := expand(1, integer, unhex(t, "00000000000000000000000C")); err != nil || s != "12" {
		t.Errorf("leading zeros: %q, %v; want 12", s, err)
	}
}

// TestShortest: the scheme that is chosen is the shortest, and right where a
// shorter one would lose something.
func TestShortest(t *testing.T) {
	for _, tt := range []struct {
		oid    int
		text   string
		scheme int
		size   int
	}{
		{1, "123456789012", integer, 5},
		{1, "012", numeric, 2},
		{1, "12345678901234567890", numeric, 10},
		{1, "ABC", bits5, 2},
		{1, "ABC123456", bits6, 7},
		{1, "ABC ", bits7, 4}, // in 6 bits the last would read as padding
		{1, "ABCDE ", bits6, 5},
		{1, "Lib01", bits7, 5},
		{1, "Bücher", octets, 6},
		{1, "図書館", utf8Text, 9},
		{1, "7", bits6, 1},
		{3, "FI-Mamk-M", application, 7},
		{11, "DE-705", application, 4},
		{3, "FI Mamk", bits7, 7},
		{3, "123456789", application, 6}, // an integer would have 4
	} {
		scheme, data, err := compact(tt.oid, tt.text)
		if err != nil || scheme != tt.scheme || len(data) != tt.size {
			t.Errorf("%q: scheme %d, %d bytes, %v; want scheme %d, %d bytes", tt.text, scheme, len(data), err, tt.scheme, tt.size)
		}
	}
}

// FuzzCompaction: what is chosen reads back, and nothing is shorter.
func FuzzCompaction(f *testing.F) {
	for _, s := range []string{"31234000010064", "ABC ", "ABC@", "DE-Heu1", "\x7f\x7f", "Bücher", "\xff", "0"} {
		f.Add(s, uint8(1))
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, oid uint8) {
		if len(text) > 1000 {
			return
		}
		scheme, data, err := compact(int(oid), text)
		if err != nil {
			if strings.ToValidUTF8(text, "") == text {
				t.Errorf("%q can't be written: %v", text, err)
			}
			return
		}
		if back, err := expand(int(oid), scheme, data); err != nil || back != text {
			t.Errorf("%q in scheme %d reads %q, %v", text, scheme, back, err)
		}
		for s := application; s <= utf8Text && scheme != application; s++ {
			b, ok := compactAs(int(oid), s, text)
			if back, err := expand(int(oid), s, b); ok && err == nil && back == text && len(b) < len(data) {
				t.Errorf("%q has %d bytes in scheme %d; chosen was %d with %d", text, len(b), s, scheme, len(data))
			}
		}
	})
}
