package tagdata

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestEncodeExamples: byte for byte what the standards print.
func TestEncodeExamples(t *testing.T) {
	for _, tt := range []struct {
		name  string
		model Model
		c     Contents
		hex   string
	}{
		{"28560-3 B.1", ISO3, Contents{Item: "1000000056", Owner: "DK-718500", Usage: Circulating},
			"11010131303030303030303536000000000000 98A4 444B3731383530300000000000"},
		{"28560-2", ISO2, Contents{Item: "123456789012", Owner: "US-InU-Mu", Part: 3, Parts: 12,
			Elements: []Element{{Name: NameOwner, Lock: true}, {Name: NameShelf, Text: "QA268.L55"}}},
			"9100051CBE991A14 0201D0 140204B3 4607441CB6E2E335D6 830207ACC09EBAA06F6B0000"},
		{"28560-2 with a title", ISO2, Contents{Item: "123456789012", Elements: []Element{{Name: NameTitle, Text: "Ümit"}, {Name: "oid 40", Text: "ABC"}}},
			"9100051CBE991A14 02050002000004 6F0204DC6D6974 3F19020886"},
		{"rfid501", ThreeM, Contents{Item: "1301234567890123", Part: 1, Parts: 2, Elements: []Element{
			{Name: NameKind, Text: "1"}, {Name: NameBranch, Text: "196"}, {Name: NameLibrary, Text: "123"}}},
			"0412000131333031323334353637383930313233 0C40007B 00000000 00000000"},
	} {
		got, err := Encode(tt.c, tt.model, 112, 4)
		want := unhex(t, tt.hex)
		if err != nil || !bytes.HasPrefix(got, want) || !empty(got[len(want):]) {
			t.Errorf("%s: %v\n%X; want\n%X and zeros", tt.name, err, got, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	item := Contents{Item: "1234567890"}
	with := func(change func(*Contents)) Contents { c := item; change(&c); return c }
	for _, tt := range []struct {
		name        string
		c           Contents
		model       Model
		size, block int
	}{
		{"no item", Contents{}, ISO3, 112, 4},
		{"17 characters", Contents{Item: "12345678901234567"}, ISO3, 112, 4},
		{"17 characters, 3M", Contents{Item: "12345678901234567"}, ThreeM, 112, 4},
		{"8 blocks of 3 bytes", item, ISO3, 24, 3},
		{"size is no whole blocks", item, ISO3, 113, 4},
		{"tag too small", item, ISO3, 28, 4},
		{"tag too small, 28560-2", Contents{Item: strings.Repeat("abc", 9)}, ISO2, 16, 4},
		{"tag too small, 3M", item, ThreeM, 28, 4},
		{"tag too small, text", item, Text, 8, 4},
		{"owner on a tag of 32 bytes", with(func(c *Contents) { c.Owner = "DE-1234567890" }), ISO3, 32, 4},
		{"owner of no country", with(func(c *Contents) { c.Owner = "ZYLS" }), ISO3, 112, 4},
		{"owner in 3M", with(func(c *Contents) { c.Owner = "DE-705" }), ThreeM, 112, 4},
		{"second digit in 28560-3", with(func(c *Contents) { c.Usage, c.Sub = Circulating, 3 }), ISO3, 112, 4},
		{"usage of no standard", with(func(c *Contents) { c.Usage = "fun" }), ISO2, 112, 4},
		{"part 3 of 2", with(func(c *Contents) { c.Part, c.Parts = 3, 2 }), ISO2, 112, 4},
		{"1000 parts", with(func(c *Contents) { c.Part, c.Parts = 3, 1000 }), ISO2, 112, 4},
		{"256 parts", with(func(c *Contents) { c.Part, c.Parts = 3, 256 }), ISO3, 112, 4},
		{"16 parts", with(func(c *Contents) { c.Part, c.Parts = 3, 16 }), ThreeM, 112, 4},
		{"control character", Contents{Item: "123\x07"}, ISO3, 112, 4},
		{"control character, 28560-2", Contents{Item: "123\x00"}, ISO2, 112, 4},
		{"space at the end", Contents{Item: "123 "}, ISO3, 112, 4},
		{"element of another model", with(func(c *Contents) { c.Elements = []Element{{Name: NameKind, Text: "1"}} }), ISO3, 112, 4},
		{"local C in 28560-3", with(func(c *Contents) { c.Elements = []Element{{Name: NameLocalC, Text: "1"}} }), ISO3, 112, 4},
		{"long title", with(func(c *Contents) { c.Elements = []Element{{Name: NameTitle, Text: strings.Repeat("t", 252)}} }), ISO3, 1024, 4},
		{"title beyond the tag", with(func(c *Contents) { c.Elements = []Element{{Name: NameTitle, Text: strings.Repeat("t", 80)}} }), ISO3, 112, 4},
		{"title on the SLIX2's counter", with(func(c *Contents) { c.Elements = []Element{{Name: NameTitle, Text: strings.Repeat("ß ", 150) + "t"}} }), ISO2, 320, 4},
		{"media format 256", with(func(c *Contents) { c.Elements = []Element{{Name: NameMediaCode, Text: "256"}} }), ISO3, 112, 4},
		{"model that can't be written", item, Foreign, 112, 4},
	} {
		if b, err := Encode(tt.c, tt.model, tt.size, tt.block); err == nil {
			t.Errorf("%s: %X; want an error", tt.name, b)
		}
	}
}

// pick gives a text of 1 to n letters of an alphabet.
func pick(r *rand.Rand, n int, alphabet string) string {
	letters := []rune(alphabet)
	s := make([]rune, 1+r.IntN(n))
	for i := range s {
		s[i] = letters[r.IntN(len(letters))]
	}
	return string(s)
}

var alphabets = []string{"0123456789", "ABCXYZ", "ABC123-.", "abcXYZ019/:", "äöüé-A1", "図書A1"}

func anyText(r *rand.Rand, n int) string { return pick(r, n, alphabets[r.IntN(len(alphabets))]) }

// anyContents makes contents that a model can hold on a tag of 316 bytes.
func anyContents(r *rand.Rand, model Model) Contents {
	c := Contents{Model: model}
	switch model {
	case ISO3:
		c.Item, c.Owner = pick(r, 16, "0123456789ABCabc-."), "DK-7"+pick(r, 10, "0123456789abcM-")
		c.Usage, c.Parts = usages[r.IntN(len(usages))], 1+r.IntN(255)
		names := slices.Concat(layouts[1], layouts[2], layouts[3], layouts[4], layouts[5])
		for _, name := range names {
			if text := anyText(r, 3); r.IntN(3) > 0 && !bytewise(name) {
				c.Elements = append(c.Elements, Element{Name: name, Text: text})
			}
		}
		c.Elements = append(c.Elements, Element{Name: "block 4711", Raw: []byte{1, 0, 2}}, Element{Name: NameMediaCode, Text: "200"})
	case ISO2:
		// Two digits alone, in blocks of 32, are also a torn tag of 28560-3.
		c.Item, c.Owner = "1A"+anyText(r, 20), pick(r, 12, "ABCabc019-:/")
		c.Usage, c.Sub, c.Parts = usages[r.IntN(len(usages))], byte(r.IntN(10)), 1+r.IntN(999)
		for oid := 6; oid < 30; oid++ {
			if r.IntN(4) == 0 {
				c.Elements = append(c.Elements, Element{Name: nameOf(oid), Text: anyText(r, 12), Lock: r.IntN(5) == 0})
			}
		}
	case ThreeM:
		c.Item, c.Parts = pick(r, 16, "0123456789AB"), 1+r.IntN(15)
		c.Elements = []Element{{Name: NameKind, Text: "9"}, {Name: NameBranch, Text: "4095"}, {Name: NameLibrary, Text: "123"}, {Name: NameCustom, Text: "4294967295"}}
	case Text:
		c.Item = pick(r, 20, "0123456789")
	}
	if c.Parts > 0 {
		c.Part = 1 + r.IntN(c.Parts)
	}
	return c
}

// same compares what contents mean, not how they are stored.
func same(a, b Contents) bool {
	key := func(c Contents) []any { return []any{c.Item, c.Owner, c.Usage, c.Sub, c.Part, c.Parts} }
	return slices.Equal(key(a), key(b)) && slices.Equal(a.meanings(), b.meanings())
}

// meanings are the elements that are no fields.
func (c Contents) meanings() []string {
	fields := []string{NameItem, NameContent, NameOwner, NameSet, NameUsage, NameSum}
	var s []string
	for _, e := range c.Elements {
		if !slices.Contains(fields, e.Name) && (e.Text != "" || strings.HasPrefix(e.Name, "block ")) {
			s = append(s, e.Name+"="+e.Text)
		}
	}
	slices.Sort(s)
	return s
}

var allText = Options{Text: func(string) bool { return true }}

// TestEncodeDecode: what is encoded decodes to the same, sound, in any block
// size, told or not; and again.
func TestEncodeDecode(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	written := map[Model]int{}
	for i := range 4000 {
		model := []Model{ISO3, ISO2, ThreeM, Text}[i%4]
		block := []int{4, 8, 32}[r.IntN(3)]
		c := anyContents(r, model)
		b, err := Encode(c, model, 512, block)
		if err != nil {
			// Some chains are too long; nothing else may be refused.
			if !strings.Contains(err.Error(), "the tag has") {
				t.Fatalf("%+v: %v", c, err)
			}
			continue
		}
		written[model]++
		m := Memory{BlockSize: block, Data: b, Whole: true}
		if model == ISO2 && r.IntN(2) == 0 {
			m.DSFID = DSFIDISO2
		}
		got := Decode(m, allText)
		if got.Model != model || len(got.Damage) > 0 || got.Need > 0 || !same(got, c) {
			t.Fatalf("%X\nis %+v; want\n%+v", b, got, c)
		}
		again, err := Encode(got, model, 512, block)
		if err != nil || !same(Decode(Memory{BlockSize: block, Data: again, Whole: true}, allText), got) {
			t.Fatalf("%+v\nencodes to %X, %v", got, again, err)
		}
	}
	for _, model := range []Model{ISO3, ISO2, ThreeM, Text} {
		if written[model] < 900 {
			t.Errorf("%d tags of %s fitted; that is no test", written[model], model)
		}
	}
}

// TestLock: what is to be locked has blocks of its own.
func TestLock(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 500 {
		c := anyContents(r, ISO2)
		c.Elements = append(c.Elements, Element{Name: NameOwner, Lock: true})
		const block = 8
		b, err := Encode(c, ISO2, 512, block)
		if err != nil {
			continue
		}
		locked := map[string]bool{NameItem: true}
		for _, e := range c.Elements {
			locked[e.Name] = locked[e.Name] || e.Lock
		}
		for _, e := range Decode(Memory{BlockSize: block, Data: b, Whole: true}, Options{}).Elements {
			if locked[e.Name] && (e.At%block != 0 || e.Size%block != 0) {
				t.Fatalf("%X\n%s is at byte %d and has %d; want whole blocks of %d", b, e.Name, e.At, e.Size, block)
			}
		}
	}
}

// TestConvert: a tag of 3M becomes one of a standard.
func TestConvert(t *testing.T) {
	b, err := Encode(Contents{Item: "1301234567890123", Part: 2, Parts: 3}, ThreeM, 32, 4)
	if err != nil {
		t.Fatal(err)
	}
	old := Decode(Memory{BlockSize: 4, Data: b, Whole: true}, Options{})
	for _, model := range []Model{ISO3, ISO2} {
		b, err := Encode(Contents{Item: old.Item, Owner: "HR-FFZG", Usage: Circulating, Part: old.Part, Parts: old.Parts}, model, 112, 4)
		if err != nil {
			t.Fatal(err)
		}
		if c := Decode(Memory{BlockSize: 4, Data: b, Whole: true}, Options{}); c.Model != model || c.Item != old.Item || c.Part != 2 || c.Parts != 3 {
			t.Errorf("%s: %+v", model, c)
		}
	}
}

func TestReversed(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 300 {
		c := anyContents(r, ISO3)
		block := []int{4, 8}[i%2]
		c.Parts, c.Part = 2, 1
		b, err := Encode(c, ISO3, 512, block)
		if err != nil {
			t.Fatal(err)
		}
		got := Decode(Memory{BlockSize: block, Data: swap(b, block), Whole: true}, Options{})
		if !got.Reversed || !same(got, c) {
			t.Fatalf("%+v; want %+v, reversed", got, c)
		}
	}
}

// FuzzDecode: nothing makes it fail, what it promises of items and needs
// holds, and what it reads of a sound tag can be written and read again.
func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, model := range []Model{ISO3, ISO2, ThreeM, Text} {
		for range 8 {
			if b, err := Encode(anyContents(r, model), model, 256, 4); err == nil {
				f.Add(b, uint8(4), uint8(0), true)
				f.Add(swap(b[:36], 4), uint8(4), uint8(DSFIDISO3), false)
			}
		}
	}
	f.Add([]byte{0xEF, 1, 5, 3, 'A', 'B', 'C', 0, 0}, uint8(4), uint8(DSFIDISO2), true)
	f.Add([]byte{0, 'T', 'N', '1', '2', '3'}, uint8(4), uint8(0), true)
	f.Fuzz(func(t *testing.T, data []byte, block, dsfid uint8, whole bool) {
		if len(data) > maxTag {
			return
		}
		m := Memory{BlockSize: int(block), Data: data, DSFID: dsfid, Whole: whole}
		before := bytes.Clone(data)
		c := Decode(m, allText)
		if !bytes.Equal(before, data) {
			t.Fatal("Decode has changed the memory")
		}
		switch {
		case c.Need > 0 && (whole || c.Need <= len(data) || c.Item != ""):
			t.Fatalf("needs %d bytes and has %d: %+v", c.Need, len(data), c)
		case c.Item != "" && (!printable(c.Item) || !slices.Contains([]Model{ISO3, ISO2, ThreeM, Text}, c.Model)):
			t.Fatalf("item of no sound tag: %+v", c)
		case c.Model == Damaged && len(c.Damage) == 0:
			t.Fatalf("damaged without a reason: %+v", c)
		case c.Part < 0 || c.Part > c.Parts:
			t.Fatalf("part %d of %d", c.Part, c.Parts)
		}
		if c.Item == "" || len(c.Damage) > 0 {
			return
		}
		if b, err := Encode(c, c.Model, 8192, 4); err == nil {
			if c.Model == ISO3 || c.Model == ThreeM || c.Model == Text {
				c.Part, c.Parts = max(c.Part, 1), max(c.Parts, 1)
			}
			if c.Model == Text {
				c.Part, c.Parts = 0, 0
			}
			if back := Decode(Memory{BlockSize: 4, Data: b, Whole: true}, allText); !same(c, back) {
				t.Fatalf("%+v\nencodes to %X\nand that is %+v", c, b[:128], back)
			}
		}
	})
}

func FuzzDecodeUHF(f *testing.F) {
	f.Add([]byte("\x00\x00\x45\xC2\x14\x1C\xC0\x4F\xC7\x0B\xAD\xB5\xC6\xE2\xDA\x1D\xED\x4D\xD3\x19"), []byte("\x06\x02\x01\xD0"))
	f.Add([]byte("\xC1\x57\x34\x00\x17\x03\x00\x03\x98\x13\x08\x03\xF4\x04\x00\x00"), []byte("\x0C\x02\x28\x08"))
	f.Fuzz(func(t *testing.T, epc, user []byte) {
		if len(epc)+len(user) > maxTag {
			return
		}
		if c := DecodeUHF(epc, user); c.Item != "" && (!printable(c.Item) || c.Model != ISO4 && c.Model != Gaoxiao) {
			t.Fatalf("item of no sound tag: %+v", c)
		}
	})
}
