package station

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// direct is a pad that nobody else uses.
type direct struct{ drivers.Pad }

func (d direct) Do(_ context.Context, do func(drivers.Pad) error) error { return do(d.Pad) }

// shelf is a station on a field.
type shelf struct {
	*testing.T
	*Station
	field *field.Field
	dev   *field.Reader
}

const ours, book, other = "US-CARREL", "31234000010064", "31234000010072"

func newShelf(t *testing.T) *shelf {
	iso, _ := tagdata.SecurityByName("iso")
	f := field.New(1)
	dev := field.NewReader(f)
	return &shelf{t, New(Settings{Owners: []string{ours}, AFI: iso, EAS: true, Item: func(s string) bool { return len(s) == 14 }}, direct{dev}, nil), f, dev}
}

// put places tag on the pad alone and asks for w.
func (s *shelf) put(w Wish) Result {
	s.Helper()
	r, err := s.Put(s.Context(), w)
	if err != nil {
		s.Fatalf("Put(%+v): %v", w, err)
	}
	return r
}

// fresh is a tag as it comes from a factory: its AFI and DSFID are undefined.
func fresh(n int) *field.Tag {
	t := field.NewTag(drivertest.NewUID(n), 28, 4)
	t.AFI, t.DSFID = 0x5A, 0xA5
	return t
}

// tagged is a tag that says c.
func tagged(n int, c tagdata.Contents, m tagdata.Model) *field.Tag {
	t := fresh(n)
	data, err := tagdata.Encode(c, m, len(t.Memory), t.Size)
	if err != nil {
		panic(err)
	}
	t.Memory, t.AFI, t.DSFID = data, tagdata.AFIInStock, dsfidOf(m)
	return t
}

func decode(t field.Tag) tagdata.Contents {
	return tagdata.Decode(tagdata.Memory{BlockSize: t.Size, Data: t.Memory, DSFID: t.DSFID, Whole: true},
		tagdata.Options{Text: func(s string) bool { return len(s) == 14 }})
}

// is tells what is not as it should be with a tag that was written.
func (s *shelf) is(uid drivers.UID, m tagdata.Model, item string) {
	s.Helper()
	t, ok := s.field.Tag(uid)
	if !ok {
		s.Fatal("the tag is away")
	}
	c := decode(t)
	if c.Model != m || c.Item != item || c.Owner != ours || len(c.Damage) > 0 {
		s.Errorf("the tag says %s %q of %q, %v; want %s %q of %q", c.Model, c.Item, c.Owner, c.Damage, m, item, ours)
	}
	if t.AFI != tagdata.AFIInStock || t.DSFID != dsfidOf(m) || !t.EAS {
		s.Errorf("AFI %02X, DSFID %02X, EAS %v; want %02X, %02X, true", t.AFI, t.DSFID, t.EAS, tagdata.AFIInStock, dsfidOf(m))
	}
}

// TestBlank: chips of all sizes, filled with what factories fill them with.
func TestBlank(t *testing.T) {
	for _, size := range []struct{ blocks, size int }{{8, 4}, {28, 4}, {80, 4}, {64, 4}, {16, 8}} {
		for _, fill := range []byte{0, 0xFF} {
			for _, model := range []tagdata.Model{tagdata.ISO3, tagdata.ISO2} {
				t.Run(fmt.Sprintf("%dx%d %02X %s", size.blocks, size.size, fill, model), func(t *testing.T) {
					s := newShelf(t)
					tag := field.NewTag(drivertest.NewUID(1), size.blocks, size.size)
					tag.AFI, tag.DSFID = 0x5A, 0xA5
					for i := range tag.Memory {
						tag.Memory[i] = fill
					}
					s.field.Place(tag, field.Coupling{})
					r := s.put(Wish{Item: book, Model: model})
					if r.Verdict != Written {
						t.Fatalf("Put() = %s, %s; want written", r.Verdict, r.Says)
					}
					s.is(tag.UID, model, book)
					if r = s.put(Wish{Item: book, Model: model}); r.Verdict != Right || r.Blocks != 0 {
						t.Errorf("Put() again = %s with %d blocks; want right, none", r.Verdict, r.Blocks)
					}
				})
			}
		}
	}
}

// TestAsks: what holds something of value is not overwritten before staff is sure.
func TestAsks(t *testing.T) {
	c := func(item, owner string) tagdata.Contents {
		return tagdata.Contents{Item: item, Owner: owner, Usage: tagdata.Circulating}
	}
	part := c(book, ours)
	part.Part, part.Parts = 2, 3
	card := c(book, ours)
	card.Usage = tagdata.PatronCard
	pass := fresh(1)
	copy(pass.Memory, "SKI 24/25 ZONE A+B 8841 2207 5512")
	torn := tagged(1, c(other, ours), tagdata.ISO3)
	torn.Memory[8] ^= 0x55
	for name, x := range map[string]struct {
		tag  *field.Tag
		want Verdict
	}{
		"another library":             {tagged(1, c(book, "DE-705"), tagdata.ISO3), AskOwner},
		"another library, other item": {tagged(1, c(other, "DE-705"), tagdata.ISO2), AskOwner},
		"another item":                {tagged(1, c(other, ours), tagdata.ISO3), AskItem},
		"another item in 3M":          {tagged(1, tagdata.Contents{Item: other}, tagdata.ThreeM), AskItem},
		"part of a set":               {tagged(1, part, tagdata.ISO3), AskSet},
		"patron card":                 {tagged(1, card, tagdata.ISO2), AskCard},
		"foreign":                     {pass, AskForeign},
		"damaged":                     {torn, AskDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			before := bytes.Clone(x.tag.Memory)
			s.field.Place(x.tag, field.Coupling{})
			r := s.put(Wish{Item: book})
			now, _ := s.field.Tag(x.tag.UID)
			if r.Verdict != x.want || !r.Verdict.Question() || r.Says == "" || now.Written != 0 || !bytes.Equal(now.Memory, before) {
				t.Fatalf("Put() = %s %q, %d writes; want %s and none", r.Verdict, r.Says, now.Written, x.want)
			}
			if r = s.put(Wish{Item: book, Sure: "E004000000000000"}); r.Verdict != x.want {
				t.Errorf("sure of another tag: %s; want %s", r.Verdict, x.want)
			}
			if r = s.put(Wish{Item: book, Sure: r.UID}); r.Verdict != Written {
				t.Errorf("sure of this tag: %s %s; want written", r.Verdict, r.Says)
			}
			s.is(x.tag.UID, tagdata.ISO3, book)
		})
	}
}

// TestConvert: a legacy model becomes a standard one in one step, and what has
// no place there is told.
func TestConvert(t *testing.T) {
	old := map[tagdata.Model]tagdata.Contents{
		tagdata.ThreeM: {Item: book, Part: 2, Parts: 3, Elements: []tagdata.Element{{Name: tagdata.NameBranch, Text: "7"}}},
		tagdata.Text:   {Item: book},
		tagdata.ISO2: {Item: book, Owner: ours, Usage: tagdata.Circulating, Sub: 3, Elements: []tagdata.Element{
			{Name: tagdata.NameShelf, Text: "QA76"}, {Name: tagdata.NameTitle, Text: "Dune"}}},
		tagdata.ISO3: {Item: book, Owner: ours, Usage: tagdata.Acquisition, Elements: []tagdata.Element{{Name: tagdata.NameTitle, Text: "Dune"}}},
	}
	for from, c := range old {
		for _, to := range []tagdata.Model{tagdata.ISO3, tagdata.ISO2} {
			t.Run(string(from+" to "+to), func(t *testing.T) {
				s := newShelf(t)
				tag := tagged(1, c, from)
				was := decode(*tag)
				s.field.Place(tag, field.Coupling{})
				r := s.put(Wish{Convert: true, Model: to})
				if from == to {
					if r.Verdict != Nothing {
						t.Errorf("Put() = %s; want nothing to convert", r.Verdict)
					}
					return
				}
				if r.Verdict != Written || r.Item != book {
					t.Fatalf("Put() = %s %s", r.Verdict, r.Says)
				}
				s.is(tag.UID, to, book)
				now, _ := s.field.Tag(tag.UID)
				got := decode(now)
				if max(got.Part, 1) != max(was.Part, 1) || max(got.Parts, 1) != max(was.Parts, 1) {
					t.Errorf("part %d of %d; want %d of %d", got.Part, got.Parts, was.Part, was.Parts)
				}
				for _, e := range was.Elements {
					if e.Name == tagdata.NameTitle && !slices.ContainsFunc(got.Elements, func(g tagdata.Element) bool { return g.Name == e.Name && g.Text == e.Text }) {
						t.Errorf("the %s %q is lost", e.Name, e.Text)
					}
				}
				if from == tagdata.ThreeM && !slices.Contains(r.Dropped, tagdata.NameBranch+" 7") {
					t.Errorf("dropped %q; want the branch to be told", r.Dropped)
				}
			})
		}
	}
}

// TestSeveral: with several tags nobody knows which is meant, but of a set.
func TestSeveral(t *testing.T) {
	s := newShelf(t)
	if r := s.put(Wish{Item: book}); r.Verdict != NoTag {
		t.Errorf("Put() on an empty pad = %s", r.Verdict)
	}
	s.field.Place(fresh(1), field.Coupling{})
	s.field.Place(fresh(2), field.Coupling{})
	for _, w := range []Wish{{Item: book}, {Item: book, Force: true}, {Item: book, Part: 1, Parts: 3}, {Item: book, Parts: 2}} {
		if r := s.put(w); r.Verdict != Several || r.Tags != 2 {
			t.Errorf("Put(%+v) with two tags = %s of %d", w, r.Verdict, r.Tags)
		}
	}
	for _, tag := range s.field.Tags() {
		if tag.Written > 0 {
			t.Errorf("a tag was written %d times", tag.Written)
		}
	}
	s.field.Remove(drivertest.NewUID(2))
	r := s.put(Wish{Item: book, Parts: 3})
	if r.Verdict != AskPart || !slices.Equal(r.Missing, []int{1, 2, 3}) {
		t.Fatalf("Put() = %s %v; want to be asked which part", r.Verdict, r.Missing)
	}
	if r = s.put(Wish{Item: book, Parts: 3, Part: 2}); r.Verdict != Written {
		t.Fatalf("Put() = %s %s", r.Verdict, r.Says)
	}
	if r = s.put(Wish{Item: book, Parts: 3, Part: 1}); r.Verdict != Complete || !strings.Contains(r.Says, "still to write: 1 3") {
		t.Fatalf("Put() of another part over it = %s %s", r.Verdict, r.Says)
	}
	for _, part := range []int{1, 2} { // its number put right
		if r = s.put(Wish{Item: book, Parts: 3, Part: part, Force: true}); r.Verdict != Written || r.After.Contents.Part != part {
			t.Fatalf("Put() by force of part %d = %s %s", part, r.Verdict, r.Says)
		}
	}
	s.field.Place(fresh(2), field.Coupling{})
	if r = s.put(Wish{Item: book, Parts: 3}); r.Verdict != AskPart || !slices.Equal(r.Missing, []int{1, 3}) {
		t.Fatalf("Put() beside part 2 = %s %v", r.Verdict, r.Missing)
	}
	if r = s.put(Wish{Item: book, Parts: 3, Part: 1}); r.Verdict != Written || r.UID != kiosk.TagID(drivertest.NewUID(2).String()) {
		t.Fatalf("Put() = %s on %s", r.Verdict, r.UID)
	}
	s.field.Place(fresh(3), field.Coupling{})
	if r = s.put(Wish{Item: book, Parts: 3}); r.Verdict != Written || r.Part != 3 {
		t.Fatalf("the last one = %s, part %d; want to be written as part 3", r.Verdict, r.Part)
	}
	if r = s.put(Wish{Item: book, Parts: 3}); r.Verdict != Complete {
		t.Errorf("Put() on the whole set = %s", r.Verdict)
	}
	got := map[int]bool{}
	for _, tag := range s.field.Tags() {
		c := decode(tag)
		got[c.Part] = c.Parts == 3 && c.Item == book
	}
	if !got[1] || !got[2] || !got[3] {
		t.Errorf("parts %v", got)
	}
}

// TestRefusals: what can't be is said before anything is written.
func TestRefusals(t *testing.T) {
	s := newShelf(t)
	tag := tagged(1, tagdata.Contents{Item: other, Owner: ours, Usage: tagdata.Circulating}, tagdata.ISO3)
	tag.Locked[3] = true
	s.field.Place(tag, field.Coupling{})
	if r := s.put(Wish{Item: book, Force: true}); r.Verdict != Locked || tag.Written > 0 {
		t.Errorf("Put() on a locked tag = %s after %d writes", r.Verdict, tag.Written)
	}
	if r := s.put(Wish{Item: "3123400001006431234000010064", Force: true}); r.Verdict != NoFit || r.Says == "" {
		t.Errorf("Put() of a long number = %s", r.Verdict)
	}
	s.field.Clear()
	s.field.Place(field.NewTag(drivertest.NewUID(2), 4, 4), field.Coupling{})
	if r := s.put(Wish{Item: book}); r.Verdict != NoFit {
		t.Errorf("Put() on a tag of 16 bytes = %s", r.Verdict)
	}
	s.field.Clear()
	dead := fresh(3)
	dead.Memory, dead.Locked = nil, nil
	s.field.Place(dead, field.Coupling{})
	if r := s.put(Wish{Item: book, Force: true}); r.Verdict != Failed {
		t.Errorf("Put() on a tag without memory = %s", r.Verdict)
	}
}

// blindLocks is a reader that can't tell what is locked.
type blindLocks struct {
	drivers.Pad
	drivers.BlockWriter
	drivers.AFIWriter
	drivers.EASWriter
	drivers.DSFIDWriter
}

func (b blindLocks) Close() error { return nil }

// TestUnknownLock: a tag that refuses in the middle keeps its old number.
func TestUnknownLock(t *testing.T) {
	s := newShelf(t)
	s.pad = direct{blindLocks{s.dev, s.dev, s.dev, s.dev, s.dev}}
	tag := tagged(1, tagdata.Contents{Item: other, Owner: ours, Usage: tagdata.Circulating}, tagdata.ISO3)
	tag.Locked[4] = true
	s.field.Place(tag, field.Coupling{})
	r := s.put(Wish{Item: book, Force: true})
	if now, _ := s.field.Tag(tag.UID); r.Verdict != Locked || decode(now).Item != other || now.Written == 0 {
		t.Errorf("Put() = %s after %d writes; the tag says %q, want %q as before", r.Verdict, now.Written, decode(now).Item, other)
	}
	s.field.Clear()
	s.field.Place(fresh(2), field.Coupling{})
	if r := s.put(Wish{Item: book}); r.Verdict != Written {
		t.Errorf("Put() by a reader that tells little = %s %s", r.Verdict, r.Says)
	}
	s.is(drivertest.NewUID(2), tagdata.ISO3, book)
}

func TestLock(t *testing.T) {
	for model, last := range map[tagdata.Model]int{tagdata.ISO3: 8, tagdata.ISO2: 1} {
		s := newShelf(t)
		s.Model = model
		tag := fresh(1)
		s.field.Place(tag, field.Coupling{})
		uid := kiosk.TagID(tag.UID.String())
		if r, err := s.Lock(t.Context(), uid); err != nil || r.Verdict != Failed {
			t.Errorf("Lock() of a blank tag = %s, %v", r.Verdict, err)
		}
		if r := s.put(Wish{Item: book, Lock: true}); r.Verdict != Written || len(r.After.Locked) != 28 {
			t.Fatalf("Put() = %s %s", r.Verdict, r.Says)
		}
		now, _ := s.field.Tag(tag.UID)
		for b, locked := range now.Locked {
			if locked != (b <= last) {
				t.Errorf("%s: block %d locked: %v", model, b, locked)
			}
		}
		if r := s.put(Wish{Item: other, Force: true}); r.Verdict != Locked {
			t.Errorf("Put() on a locked tag = %s", r.Verdict)
		}
		if r, err := s.Lock(t.Context(), uid); err != nil || r.Verdict != Right {
			t.Errorf("Lock() again = %s, %v", r.Verdict, err)
		}
	}
}

// TestRestore: undo gives back every byte, redo what was made.
func TestRestore(t *testing.T) {
	for _, tag := range []*field.Tag{
		fresh(1),
		tagged(1, tagdata.Contents{Item: other}, tagdata.ThreeM),
		tagged(1, tagdata.Contents{Item: other, Owner: "DE-705", Usage: tagdata.Circulating}, tagdata.ISO2),
	} {
		s := newShelf(t)
		s.field.Place(tag, field.Coupling{})
		was, _ := s.field.Tag(tag.UID)
		r := s.put(Wish{Item: book, Force: true})
		if u, err := s.Restore(t.Context(), *r.Before); err != nil || u.Verdict != Written {
			t.Fatalf("Restore() = %s %s, %v", u.Verdict, u.Says, err)
		}
		now, _ := s.field.Tag(tag.UID)
		if !bytes.Equal(now.Memory, was.Memory) || now.AFI != was.AFI || now.DSFID != was.DSFID || now.EAS != was.EAS {
			t.Errorf("undone, the tag is %+v; want %+v", now, was)
		}
		if u, err := s.Restore(t.Context(), *r.After); err != nil || u.Verdict != Written {
			t.Fatalf("Restore() = %s, %v", u.Verdict, err)
		}
		s.is(tag.UID, tagdata.ISO3, book)
		s.field.Clear()
		if u, err := s.Restore(t.Context(), *r.Before); err != nil || u.Verdict != NoTag {
			t.Errorf("Restore() on an empty pad = %s, %v", u.Verdict, err)
		}
	}
}

// dying is a reader that does so many writes and then has the tag lifted, in
// the middle of the last one: only the bytes of mask are written.
type dying struct {
	*field.Reader
	left, mask int
}

func (d *dying) Write(uid drivers.UID, first int, b drivers.Blocks) error {
	if d.left--; d.left == 0 {
		torn, err := d.Read(uid, first, 1)
		if err != nil {
			return err
		}
		for i := range torn.Data {
			if d.mask>>i&1 != 0 {
				torn.Data[i] = b.Data[i]
			}
		}
		if err := d.Reader.Write(uid, first, torn); err != nil {
			return err
		}
		d.Air.(*field.Field).Remove(uid)
	}
	return d.Reader.Write(uid, first, b)
}

// TestLiftedAnywhere: a tag that is lifted in any of the writes, with any of
// its bytes written, says the old number or none or the new one, is known for
// half written nearly always, and is finished without a question.
func TestLiftedAnywhere(t *testing.T) {
	total, found := 0, 0
	for _, m := range []tagdata.Model{tagdata.ISO3, tagdata.ISO2} {
		for old, image := range map[string][]byte{
			"":    fresh(1).Memory,
			other: tagged(1, tagdata.Contents{Item: other, Owner: ours, Usage: tagdata.Circulating}, m).Memory,
			// two that differ in few bytes
			"31234000010065": tagged(1, tagdata.Contents{Item: "31234000010065", Owner: ours, Usage: tagdata.Circulating}, m).Memory,
			"11234000010064": tagged(1, tagdata.Contents{Item: "11234000010064", Owner: ours, Usage: tagdata.Circulating}, m).Memory,
		} {
			for mask := range 16 {
				writes := 1
				for ; lifted(t, m, old, image, writes, mask, &found); writes++ {
				}
				total += writes - 1
			}
		}
	}
	if total < 800 || found < total/2 {
		t.Errorf("of %d half-written tags, %d are known for what they are", total, found)
	}
}

// lifted has a tag lifted in its nth write and finishes it; false if there is
// no such write.
func lifted(t *testing.T, m tagdata.Model, old string, image []byte, n, mask int, found *int) bool {
	s := newShelf(t)
	tag := fresh(1)
	tag.Memory = bytes.Clone(image)
	s.field.Place(tag, field.Coupling{})
	s.pad = direct{&dying{s.dev, n, mask}}
	r := s.put(Wish{Item: book, Model: m, Force: true})
	if r.Verdict == Written {
		return false
	}
	c := decode(*tag)
	if r.Verdict != Lifted || c.Item != "" && c.Item != old && c.Item != book {
		t.Errorf("%s over %q: lifted in write %d, bytes %04b: %s, the tag says %q", m, old, n, mask, r.Verdict, c.Item)
	}
	if half(c) {
		*found++
	}
	s.pad = direct{s.dev}
	s.field.Place(tag, field.Coupling{})
	if r = s.put(Wish{Item: book, Model: m, Was: r.Before, Force: c.Item == old && old != ""}); !r.Verdict.Done() {
		t.Errorf("%s over %q: finishing after write %d, bytes %04b: %s %s", m, old, n, mask, r.Verdict, r.Says)
	}
	s.is(tag.UID, m, book)
	return true
}

// TestBadAir: tags at the edge, which miss requests, answer with damage and
// tear writes. What is called written is, and nothing else is.
func TestBadAir(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	verdicts := map[Verdict]int{}
	for i := range 2000 {
		s := newShelf(t)
		s.field = field.New(uint64(i))
		s.dev = field.NewReader(s.field)
		s.pad = direct{s.dev}
		m := []tagdata.Model{tagdata.ISO2, tagdata.ISO3}[i%2]
		tag := fresh(i)
		if i%3 > 0 {
			tag.Memory = tagged(i, tagdata.Contents{Item: other, Owner: ours, Usage: tagdata.Circulating}, m).Memory
		}
		bad := rng.Float64() * 0.4
		s.field.Place(tag, field.Coupling{Miss: bad, Damage: bad / 2, Tear: bad / 2})
		r, err := s.Put(t.Context(), Wish{Item: book, Model: m, Force: true})
		if err != nil {
			t.Fatal(err)
		}
		if says := decode(*tag).Item; says != "" && says != book && says != other {
			t.Errorf("seed %d: %s %s: the tag says %q", i, m, r.Verdict, says)
		}
		verdicts[r.Verdict]++
		if r.Verdict.Done() {
			s.is(tag.UID, m, book)
			continue
		}
		s.field.Place(tag, field.Coupling{}) // put down properly
		if r := s.put(Wish{Item: book, Model: m, Was: r.Before, Force: decode(*tag).Item == other}); !r.Verdict.Done() {
			t.Errorf("seed %d: after %+v: %s %s", i, tag, r.Verdict, r.Says)
		}
		s.is(tag.UID, m, book)
	}
	if verdicts[Written] < 50 || verdicts[Lifted] < 50 {
		t.Errorf("verdicts %v: that is no test", verdicts)
	}
}

// TestDeviceErrors are errors and no verdicts.
func TestDeviceErrors(t *testing.T) {
	s := newShelf(t)
	s.pad = direct{readOnly{s.dev}}
	s.field.Place(fresh(1), field.Coupling{})
	if _, err := s.Put(t.Context(), Wish{Item: book}); !errors.Is(err, drivers.ErrUnsupported) {
		t.Errorf("Put() by a reader that only reads: %v", err)
	}
	s.pad = direct{gone{s.dev}}
	if _, err := s.Put(t.Context(), Wish{Item: book}); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Put() by a reader that was unplugged: %v", err)
	}
	if _, err := s.List(t.Context()); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("List() by a reader that was unplugged: %v", err)
	}
}

type readOnly struct{ drivers.Pad }

type gone struct{ drivers.Pad }

func (gone) Inventory() ([]drivers.Tag, error) { return nil, drivers.ErrGone }
