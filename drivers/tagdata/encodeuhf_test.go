package tagdata

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
)

// bank is what a reader finds in the EPC bank of a tag that was written so.
func (u UHF) bank() []byte { return EPCBank(u.PC, u.UII) }

// TestEncodeUHFExamples: the example of ISO/TS 28560-4, and a real tag of a
// Chinese university but for its flags, as dp2's tests print them.
func TestEncodeUHFExamples(t *testing.T) {
	c := Contents{Item: "12345678", Owner: "CH-000134-1", Part: 1, Parts: 3}
	u, err := EncodeUHF(c, ISO4, true)
	if want := unhex(t, "141CC04FC70BADB5C6E2DA1DED4DD319"); err != nil || u.PC != 0x41C2 || !bytes.Equal(u.UII, want) || len(u.User) != 0 {
		t.Errorf("%X, %v; want 41C2 %X", u, err, want)
	}
	u, err = EncodeUHF(Contents{Item: "32103179", Owner: "10248", Part: 1, Parts: 1}, Gaoxiao, false)
	if epc, user := unhex(t, "0003 0003 98130803F4040000"), unhex(t, "0C0228081004000100010000"); err != nil || u.PC != 0x3400 || !bytes.Equal(u.UII, epc) || !bytes.Equal(u.User, user) {
		t.Errorf("%X, %v; want 3400 %X %X", u, err, epc, user)
	}
}

func TestOnLoanUHF(t *testing.T) {
	for _, model := range []Model{ISO4, Gaoxiao} {
		for _, lent := range []bool{true, false} {
			u, err := EncodeUHF(Contents{Item: "12345678", Owner: "1"}, model, lent)
			if err != nil {
				t.Fatal(err)
			}
			c := DecodeUHF(u.bank(), u.User)
			if got, told := OnLoanUHF(c.Model, u.bank()); c.Model != model || got != lent || !told {
				t.Errorf("%s: on loan %v, told %v; want %v", c.Model, got, told, lent)
			}
		}
	}
	if _, told := OnLoanUHF(Foreign, make([]byte, 16)); told {
		t.Error("a foreign tag tells whether it is lent")
	}
	if _, told := OnLoanUHF(ISO4, nil); told {
		t.Error("no memory tells whether it is lent")
	}
}

func TestEncodeUHFRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		Contents
		model Model
	}{
		"no item":               {Contents{Owner: "DE-1"}, ISO4},
		"no owner":              {Contents{Item: "1"}, ISO4},
		"small letters":         {Contents{Item: "1", Owner: "DE-Heu1"}, ISO4},
		"a dot in the item":     {Contents{Item: "1.2", Owner: "DE-1"}, ISO4},
		"long":                  {Contents{Item: strings.Repeat("1", 90), Owner: "DE-1"}, ISO4},
		"part 3 of 2":           {Contents{Item: "1", Owner: "DE-1", Part: 3, Parts: 2}, ISO4},
		"1000 parts":            {Contents{Item: "1", Owner: "DE-1", Part: 3, Parts: 1000}, ISO4},
		"owner of letters":      {Contents{Item: "1", Owner: "DE-1"}, Gaoxiao},
		"owner too large":       {Contents{Item: "1", Owner: "65536"}, Gaoxiao},
		"owner with a zero":     {Contents{Item: "1", Owner: "01"}, Gaoxiao},
		"a usage":               {Contents{Item: "1", Usage: Circulating}, Gaoxiao},
		"15 letters":            {Contents{Item: "123456789012345"}, Gaoxiao},
		"letters in the number": {Contents{Item: "ABC12345X678"}, Gaoxiao},
		"letter that is none":   {Contents{Item: "ABé123456"}, Gaoxiao},
		"HF":                    {Contents{Item: "1", Owner: "DE-1"}, ISO3},
	} {
		if u, err := EncodeUHF(c.Contents, c.model, false); err == nil {
			t.Errorf("%s: %X; want an error", name, u)
		}
	}
}

// TestEncodeDecodeUHF: what is encoded decodes to the same, sound.
func TestEncodeDecodeUHF(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for n := range 4000 {
		c := Contents{Item: pick(r, 14, "0123456789AZ-:"), Owner: pick(r, 11, "ABZ019-")}
		model := []Model{ISO4, Gaoxiao}[n%2]
		if model == Gaoxiao {
			c.Item, c.Owner = pick(r, 7, "abcXYZ019.-"), "10248"
			if r.IntN(2) == 0 {
				c.Item = pick(r, 1, "ABC0") + pick(r, 1, "Z9o") + pick(r, 1, "@A") + strings.Repeat("0", r.IntN(4)) + pick(r, 6, "0123456789") + pick(r, 1, "~a1")
			}
		} else if r.IntN(2) == 0 {
			c.Usage, c.Sub = usages[r.IntN(len(usages))], byte(r.IntN(10))
			c.Elements = []Element{{Name: NameShelf, Text: pick(r, 12, "ABC 123.")}, {Name: NameTitle, Text: anyText(r, 20)}}
			c.Elements[0].Text = "A" + strings.TrimSpace(c.Elements[0].Text)
		}
		if r.IntN(2) == 0 {
			c.Parts = 1 + r.IntN(999)
			c.Part = 1 + r.IntN(c.Parts)
		}
		u, err := EncodeUHF(c, model, r.IntN(2) == 0)
		if err != nil {
			if model == Gaoxiao && len(c.Item) > 7 {
				continue // not every item fits
			}
			t.Fatalf("%+v: %v", c, err)
		}
		if len(u.UII)%2 != 0 || len(u.User)%2 != 0 {
			t.Fatalf("%X is not of whole words", u)
		}
		back := DecodeUHF(u.bank(), append(u.User, make([]byte, r.IntN(3)*2)...))
		if back.Model != model || len(back.Damage) > 0 || !sameUHF(c, back) {
			t.Fatalf("%+v\nencodes to %X\nand that is %+v", c, u, back)
		}
	}
}

// sameUHF is same without the UII as a whole.
func sameUHF(a, b Contents) bool {
	strip := func(c Contents) Contents {
		var rest []Element
		for _, e := range c.Elements {
			if e.Name != NameUII {
				rest = append(rest, e)
			}
		}
		c.Elements = rest
		return c
	}
	return same(strip(a), strip(b))
}

// FuzzUHF: what is read of a sound tag can be written and read again, and no
// bit that falls over in its UII makes another item of it.
func FuzzUHF(f *testing.F) {
	for _, c := range []Contents{{Item: "12345678", Owner: "CH-000134-1", Part: 1, Parts: 3, Usage: Circulating}, {Item: "ABC", Owner: "10248"}} {
		for _, model := range []Model{ISO4, Gaoxiao} {
			if u, err := EncodeUHF(c, model, false); err == nil {
				f.Add(u.bank(), u.User, uint16(40))
			}
		}
	}
	f.Fuzz(func(t *testing.T, epc, user []byte, flip uint16) {
		if len(epc)+len(user) > maxTag {
			return
		}
		c := DecodeUHF(epc, user)
		if c.Item == "" || len(c.Damage) > 0 {
			return
		}
		u, err := EncodeUHF(c, c.Model, false)
		if err != nil {
			return
		}
		if back := DecodeUHF(u.bank(), u.User); back.Model != c.Model || !sameUHF(c, back) {
			t.Fatalf("%+v\nencodes to %X\nand that is %+v", c, u, back)
		}
		b := u.bank()
		if binary.BigEndian.Uint16(b) == 0 {
			return // not told
		}
		at := 16 + int(flip)%(8*len(b)-16) // the length tells where the sum ends, so not there
		if at < 21 {
			return
		}
		b[at/8] ^= 0x80 >> (at % 8)
		if c := DecodeUHF(b, nil); c.Item != "" {
			t.Errorf("with bit %d the other way it is %+v", at, c)
		}
	})
}
