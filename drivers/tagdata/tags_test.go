package tagdata

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers/drivertest"
)

// unhex reads hexadecimal digits with spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c Contents) text(name string) string {
	for _, e := range c.Elements {
		if e.Name == name {
			return e.Text
		}
	}
	return ""
}

// dump is a tag of tags.json and what stands beside it.
type dump struct {
	ID, Model, Hex, DSFID, User string
	Malformed                   bool
	Reversed                    bool `json:"reversed_blocks"`
	Expected                    map[string]any
}

func (d dump) want(name string) (s string, told bool) {
	v, told := d.Expected[name]
	s, _ = v.(string)
	return s, told
}

func (d dump) decode(t *testing.T) Contents {
	b := unhex(t, d.Hex)
	switch {
	case d.Model == "iso28560-4-user":
		return DecodeUHF(nil, b)
	case strings.HasPrefix(d.ID, "uhf-"):
		return DecodeUHF(b, unhex(t, d.User))
	}
	m := Memory{BlockSize: 4, Data: b, Whole: true}
	if dsfid := unhex(t, d.DSFID); len(dsfid) == 1 {
		m.DSFID = dsfid[0]
	}
	return Decode(m, Options{Text: func(s string) bool { return len(s) >= 10 && digits(s) }})
}

// TestTags: every dump is what stands beside it, or has the damage it has.
func TestTags(t *testing.T) {
	var file struct{ Tags []dump }
	drivertest.PublishedJSON(t, "tags.json", &file)
	if len(file.Tags) < 39 {
		t.Fatalf("found %d dumps", len(file.Tags))
	}
	models := map[string][]Model{
		"iso28560-2": {ISO2}, "iso28560-3": {ISO3}, "rfid501": {ThreeM}, "blank": {Blank}, "plain": {Text},
		"partial": {Damaged}, "unknown": {Damaged, Foreign},
		"iso28560-4-epc": {ISO4}, "iso28560-4-user": {ISO4}, "gaoxiao-epc": {Gaoxiao},
	}
	for _, d := range file.Tags {
		t.Run(d.ID, func(t *testing.T) {
			c := d.decode(t)
			want := models[d.Model]
			if d.Malformed {
				want = []Model{Damaged}
			}
			if !slices.Contains(want, c.Model) {
				t.Errorf("model %q, damage %v; want %q", c.Model, c.Damage, want)
			}
			if (c.Model == Damaged) != (len(c.Damage) > 0) && !c.has(NoItem) {
				t.Errorf("model %q with damage %v", c.Model, c.Damage)
			}
			if c.Reversed != d.Reversed {
				t.Errorf("reversed %v; want %v", c.Reversed, d.Reversed)
			}
			if item, _ := d.want("item"); c.Item != item {
				t.Errorf("item %q; want %q", c.Item, item)
			}
			d.fields(t, c)
		})
	}
}

// fields compares what stands beside a dump but the item.
func (d dump) fields(t *testing.T, c Contents) {
	for name, v := range d.Expected {
		var got any
		switch name {
		case "item":
			continue
		case "owner", "owner_octets":
			got = c.Owner
			if c.Model == ISO3 {
				got = unhyphen(c.Owner)
			}
		case "parts", "items_total":
			got = float64(c.Parts)
		case "ordinal", "item_no":
			got = float64(c.Part)
		case "usage":
			digit, _ := c.Usage.digit()
			got = float64(digit)
			if c.Model == ISO2 {
				got = string([]byte{digit + '0', c.Sub + '0'})
			}
		case "set_information":
			got = c.text(NameSet)
		case "shelf", "title":
			got = c.text(name)
		case "crc":
			got = c.text(NameSum)
		case "crc_ok":
			got = !c.has(BadSum)
		case "type", "branch", "library", "custom":
			got = c.text(map[string]string{"type": NameKind, "branch": NameBranch, "library": NameLibrary, "custom": NameCustom}[name])
			v = json.Number(jsonText(v)).String()
		case "content_parameter_oids":
			got, v = c.text(NameContent), strings.Trim(jsonText(v), "[]")
		case "oid7":
			got = c.text(NameONIX)
		case "oid23":
			got = c.text(NameOwner2)
		case "byte0":
			got = c.text(NameUsage)
		case "ext":
			got, v = c.text(NameMediaCode), "1"
		case "uii":
			got = c.text("uii")
		case "set":
			got = c.text(NameSet)
		case "item_prefix":
			got = c.Hint[:min(len(c.Hint), len(v.(string)))]
		case "afi", "content":
			continue // of the EPC bank's own, not of what it says
		default:
			t.Errorf("%s stands beside the dump and is not compared", name)
			continue
		}
		// Of the partial dump only staff learn anything.
		if d.Model == "partial" && name != "item_prefix" {
			continue
		}
		if got != v {
			t.Errorf("%s is %v; want %v", name, got, v)
		}
	}
}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// TestOwnTags holds without the shared test data. Sources: worked examples of
// the standards (ISO 28560-2; ISO 28560-3 annex B.1, as Lainuri's tests have
// it), real tags that the tests of dp2 and the README of node-rfid-server
// print, and tags made by hand where it says so.
func TestOwnTags(t *testing.T) {
	const (
		b1      = "11010131 303030303030303536 000000000000 98A4 444B3731383530300000000000"
		example = "91 00 05 1CBE991A14 02 01 D0 14 02 04B3 46 07 441CB6E2E335D6 83 02 07 ACC09EBAA06F6B 0000"
	)
	for _, tt := range []struct {
		name, hex string
		dsfid     byte
		want      Contents
		damage    Code
	}{
		{"28560-3 B.1", b1, 0, Contents{Model: ISO3, Item: "1000000056", Owner: "DK-718500", Usage: Circulating, Part: 1, Parts: 1}, ""},
		{"28560-2 example", example, 0, Contents{Model: ISO2, Item: "123456789012", Owner: "US-InU-Mu", Part: 3, Parts: 12}, ""},
		{"28560-2 example on a large tag", example + strings.Repeat("00", 200), 6, Contents{Model: ISO2, Item: "123456789012", Owner: "US-InU-Mu", Part: 3, Parts: 12}, ""},
		// Made by hand.
		{"one bit wrong", strings.Replace(b1, "3536", "3537", 1), 0, Contents{Model: Damaged, Likely: ISO3, Hint: "1000000057"}, BadSum},
		{"one bit wrong, on a tag that says 28560-2", strings.Replace(b1, "3536", "3537", 1) + strings.Repeat("00", 78), 6, Contents{Model: Damaged, Likely: ISO3, Hint: "1000000057"}, Torn},
		{"set of 3, one bit wrong, large tag", "110302 33313033303130353933323434310000 7CC1 46494865" + strings.Repeat("00", 87), 0, Contents{Model: Damaged, Likely: ISO3, Hint: "31030105932441"}, Torn},
		{"part 4 of 3", "11 03 04 31323334" + strings.Repeat("00", 12) + "$" + strings.Repeat("00", 13), 0, Contents{Model: ISO3, Item: "1234", Usage: Circulating}, BadSet},
		{"usage of no standard", "1A 01 01 31323334" + strings.Repeat("00", 12) + "$" + strings.Repeat("00", 13), 0, Contents{Model: ISO3, Item: "1234", Part: 1, Parts: 1}, BadUsage},
		{"control character in the item", "11 01 01 31320734" + strings.Repeat("00", 12) + "$" + strings.Repeat("00", 13), 0, Contents{Model: ISO3, Usage: Circulating, Part: 1, Parts: 1}, BadItem},
		{"Bibliotheca, short form with its own block", "21 01 01 31323334" + strings.Repeat("00", 12) + "$" + "44453730350000 00000000 0B1700A1B2C3 575F4F4B 0000", 0, Contents{Model: ISO3, Item: "1234", Owner: "DE-705", Usage: NotCirculating, Part: 1, Parts: 1}, ""},
		{"short form on a long tag", "11 01 01 31323334" + strings.Repeat("00", 12) + "$" + "44453730350000 00000000 31320000", 0, Contents{Model: Damaged, Likely: ISO3, Hint: "1234"}, BadSum},
		{"element overruns", "11 05 1CBE991A14 63 30 41", 0, Contents{Model: Foreign}, ""},
		{"element overruns, DSFID told", "11 05 1CBE991A14 63 30 41", 6, Contents{Model: Damaged, Likely: ISO2, Hint: "123456789012"}, BadLength},
		{"item alone, something behind", "11 03 0AA8AE 00 A7A7", 0, Contents{Model: Foreign}, ""},
		{"item alone, something behind, DSFID told", "11 03 0AA8AE 00 A7A7", 6, Contents{Model: Damaged, Likely: ISO2, Hint: "698542"}, Stray},
		{"item alone, vendor's mark behind", "11 03 0AA8AE 00 0000 575F4F4B", 0, Contents{Model: ISO2, Item: "698542"}, ""},
		{"more padding than a block, DSFID told", "E1 56 01 41" + strings.Repeat("00", 100), 6, Contents{Model: Damaged, Likely: ISO2}, BadPadding},
		{"element 0, DSFID told", "11 03 0AA8AE 10 01 41", 6, Contents{Model: Damaged, Likely: ISO2, Hint: "698542"}, BadElement},
		{"element of 16 kB, DSFID told", "11 03 0AA8AE 63 FF FF 7F 41", 6, Contents{Model: Damaged, Likely: ISO2, Hint: "698542"}, BadLength},
		{"set information of words", "11 05 1CBE991A14 64 02 4142 00", 6, Contents{Model: ISO2, Item: "123456789012"}, BadSet},
		{"set information 1/3", "11 05 1CBE991A14 64 03 312F33 00", 6, Contents{Model: ISO2, Item: "123456789012", Part: 1, Parts: 3}, ""},
		{"two items", "11 05 1CBE991A14 11 05 1CBE991A15 00", 6, Contents{Model: Damaged, Likely: ISO2, Hint: "123456789012"}, Twice},
		{"owner before the item", "03 03 D6593F 11 05 1CBE991A14 00", 6, Contents{Model: Damaged, Likely: ISO2, Hint: "123456789012"}, NotFirst},
		{"nibble A in the item", "21 02 12A4 02 01 80 00", 0, Contents{Model: Damaged, Likely: ISO2}, BadValue},
		{"nibble A in the usage, DSFID told", "11 05 1CBE991A14 25 01 A0 00", 6, Contents{Model: ISO2, Item: "123456789012"}, BadValue},
		{"filler only, DSFID told", "80808080 80808080 80808080 80808080", 6, Contents{Model: Damaged, Likely: ISO2}, NotFirst},
		{"item of no digit", "E1 00 00 00", 6, Contents{Model: ISO2}, NoItem},
		{"usage with sub-digit", "11 05 1CBE991A14 05 01 13", 6, Contents{Model: ISO2, Item: "123456789012", Usage: Circulating, Sub: 3}, ""},
		{"usage as one digit of text", "11 05 1CBE991A14 65 01 32", 6, Contents{Model: ISO2, Item: "123456789012"}, ""},
		{"pad before OID byte", "91 00 05 1CBE991A14 EF 01 05 03 414243 00 00", 6, Contents{Model: ISO2, Item: "123456789012"}, ""},
		{"claims 28560-3, makes no sense", strings.Repeat("A7", 36), 0x3E, Contents{Model: Damaged, Likely: ISO3}, BadSum},
		{"random", strings.Repeat("A7", 36), 0, Contents{Model: Foreign}, ""},
		{"no memory", "", 0, Contents{Model: Foreign}, ""},
		{"blank", strings.Repeat("00", 32), 6, Contents{Model: Blank}, ""},
		{"text that no pattern allows", "3132333435360000 0000", 0, Contents{Model: Foreign, Hint: "123456"}, ""},
		{"block 0 left for the end, not reached", "00000000 303030303030303536 000000000000 98A4 444B3731383530300000000000", 0, Contents{Model: Damaged, Likely: ISO3, Hint: "?000000056"}, Torn},
		{"integer, could be torn 28560-3", "11 03 023132" + strings.Repeat("00", 31), 0, Contents{Model: Damaged, Likely: ISO3, Hint: "12"}, Torn},
		{"integer, DSFID told", "11 03 023132" + strings.Repeat("00", 31), 6, Contents{Model: ISO2, Item: "143666"}, ""},
		{"text that reads as 6 bits", "412D3132330000000000" + strings.Repeat("00", 90), 0, Contents{Model: Foreign, Hint: "A-123"}, ""},
		{"3m, part 2 of 1", "04 21 00 01 3133303132333400000000000000000000000000 0000000000000000 00000000", 0, Contents{Model: Foreign}, ""},
		{"3m", "04 12 00 01 31333031323334000000000000000000 0C40007B 00000000 00000000", 0, Contents{Model: ThreeM, Item: "1301234", Part: 1, Parts: 2}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Decode(Memory{BlockSize: 4, Data: withSum(t, tt.hex), DSFID: tt.dsfid, Whole: true}, Options{})
			if tt.damage == "" && len(c.Damage) > 0 || tt.damage != "" && !c.has(tt.damage) {
				t.Errorf("damage %v; want %q", c.Damage, tt.damage)
			}
			c.Elements, c.Damage = nil, nil
			if got, want := jsonText(c), jsonText(tt.want); got != want {
				t.Errorf("\n%s; want\n%s", got, want)
			}
		})
	}
}

// TestExtension: a damaged extension block leaves item and owner right; what
// is before it is read, and filling bytes are passed over.
func TestExtension(t *testing.T) {
	const b1 = "11010131303030303030303536000000000000 98A4 444B3731383530300000000000"
	for _, tt := range []struct {
		name, hex, title string
		whole, good      bool
	}{
		{"title", "09 04 00 4D 5469746C65", "Title", true, true},
		{"filling bytes", "01 01 09 04 00 4D 5469746C65 01 00 A7", "Title", true, true},
		{"one bit wrong", "09 04 00 4D 5469746C64", "", true, false},
		{"cut off", "09 04 00 4D 5469", "", true, false},
		{"not read to the end", "09 04 00 4D 5469", "", false, true},
		{"shorter than its head", "02 06", "", true, false},
		{"a good and a bad one", "09 04 00 4D 5469746C65 05 01 00 99 01", "Title", true, false},
	} {
		c := Decode(Memory{BlockSize: 4, Data: unhex(t, b1+tt.hex), Whole: tt.whole}, Options{})
		if c.Model != ISO3 || c.Item != "1000000056" || c.has(BadBlock) == tt.good || c.text(NameTitle) != tt.title {
			t.Errorf("%s: %+v; want title %q, good %v", tt.name, c, tt.title, tt.good)
		}
	}
}

// TestUHF holds without the shared test data: the example of ISO/TS 28560-4
// and a real tag, both as dp2's tests print them, and what can be wrong with
// them.
func TestUHF(t *testing.T) {
	const (
		iso  = "0000 45C2 141CC04FC70BADB5C6E2DA1DED4DD319"
		bank = "06 0201D0 140204B3 4607441CB6E2E335D6 00"
		real = "C157 3400 1703 0003 98130803F4040000"
	)
	for _, tt := range []struct {
		name, epc, user string
		want            Contents
		damage          Code
	}{
		{"28560-4", iso, bank, Contents{Model: ISO4, Item: "12345678", Owner: "CH-000134-1", Part: 3, Parts: 12}, ""},
		{"28560-4, no user bank", iso, "", Contents{Model: ISO4, Item: "12345678", Owner: "CH-000134-1", Part: 1, Parts: 3}, ""},
		{"user bank alone", "", bank, Contents{Model: ISO4, Part: 3, Parts: 12}, ""},
		{"user bank with an item of its own", iso, "06 1105 1CBE991A14 00", Contents{Model: ISO4, Item: "12345678", Owner: "CH-000134-1", Part: 1, Parts: 3}, ""},
		{"element overruns", iso, "06 0201D0 E1", Contents{Model: ISO4, Item: "12345678", Owner: "CH-000134-1", Part: 1, Parts: 3}, BadLength},
		{"check sum is wrong", strings.Replace(iso, "0000", "0001", 1), bank, Contents{Model: Damaged, Part: 0}, BadSum},
		{"cut off", iso[:30], "", Contents{Model: Damaged}, Short},
		{"no URN code", "0000 15C2 FFFFFFFF", "", Contents{Model: Damaged, Likely: ISO4}, BadValue},
		{"one field", "0000 0DC2 C6E2", "", Contents{Model: Damaged, Likely: ISO4}, BadValue},
		{"another AFI", strings.Replace(iso, "45C2", "4511", 1), bank, Contents{Model: Foreign}, ""},
		{"gaoxiao", real, "0C022808 100400010003", Contents{Model: Gaoxiao, Item: "32103179", Owner: "10248", Part: 1, Parts: 3}, ""},
		{"gaoxiao, element overruns", real, "0C062808", Contents{Model: Gaoxiao, Item: "32103179"}, BadLength},
		{"gaoxiao, check sum is wrong", strings.Replace(real, "C157", "C158", 1), "", Contents{Model: Damaged}, BadSum},
		{"nothing", "", "", Contents{Model: Foreign}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := DecodeUHF(unhex(t, tt.epc), unhex(t, tt.user))
			if tt.damage == "" && len(c.Damage) > 0 || tt.damage != "" && !c.has(tt.damage) {
				t.Errorf("damage %v; want %q", c.Damage, tt.damage)
			}
			c.Elements, c.Damage = nil, nil
			if got, want := jsonText(c), jsonText(tt.want); got != want {
				t.Errorf("\n%s; want\n%s", got, want)
			}
		})
	}
	// A long number: 9+3 digits in 4+1 bytes.
	if s, err := code40(unhex(t, "FB31 001CBE991A")); err != nil || s != "000482253082" {
		t.Errorf("long number: %q, %v", s, err)
	}
	if s, err := code40(unhex(t, "FB31 001C")); err == nil {
		t.Errorf("long number cut off: %q; want an error", s)
	}
}

// withSum reads hexadecimal digits and puts the right check sum for a $.
func withSum(t *testing.T, s string) []byte {
	b := unhex(t, strings.Replace(s, "$", "0000", 1))
	if strings.Contains(s, "$") {
		sum := sum3(b)
		if len(b) > fixed && b[fixedTiny] != 0 { // the short form
			sum = sum3(b[:fixedTiny])
		}
		b[sumAt], b[sumAt+1] = byte(sum), byte(sum>>8)
	}
	return b
}

// TestNeed: of a part of the memory the decoder says how much more it needs,
// gives no item, and with all it asks for it decides as of the whole.
func TestNeed(t *testing.T) {
	long := Contents{Item: "31234000010064", Owner: "FI-Mamk-M", Usage: Circulating, Part: 1, Parts: 1,
		Elements: []Element{{Name: NameTitle, Text: strings.Repeat("Seitsemän veljestä ", 3) + "."}, {Name: NameShelf, Text: "84.2 KIV"}}}
	for _, model := range []Model{ISO3, ISO2} {
		b, err := Encode(long, model, 160, 4)
		if err != nil {
			t.Fatal(err)
		}
		for _, dsfid := range []byte{0, DSFIDISO2, DSFIDISO3} {
			for have := 0; have <= len(b); have += 4 {
				m := Memory{BlockSize: 4, Data: b[:have], DSFID: dsfid}
				for range 20 {
					c := Decode(m, Options{})
					if c.Need == 0 && c.Item == long.Item && c.Owner == long.Owner {
						break
					}
					if c.Need <= len(m.Data) || c.Item != "" || c.Need > len(b)+ahead {
						t.Fatalf("%s, DSFID %d, %d bytes: %+v", model, dsfid, len(m.Data), c)
					}
					m.Data = b[:min(c.Need, len(b))]
				}
				if len(m.Data) < have || Decode(m, Options{}).Need > 0 {
					t.Fatalf("%s: began with %d bytes and is not decided with %d", model, have, len(m.Data))
				}
			}
		}
		if model == ISO3 {
			if c := Decode(Memory{BlockSize: 4, Data: b[:36]}, Options{}); c.Need != 0 {
				t.Errorf("nine blocks of %s: %+v; want a decision", model, c)
			}
		}
	}
}
