package tagdata

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func apply(memory []byte, w Write) { copy(memory[w.Block*len(w.Data):], w.Data) }

// TestPlan: the writes make the new memory, and after any but the last of
// them the tag gives no item and says that it is torn, whatever it held
// before and whatever model it becomes.
func TestPlan(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	models := []Model{ISO3, ISO2, ThreeM, Text, Blank}
	torn := 0
	for i := range 3000 {
		block := []int{4, 8}[i%2]
		image := func() []byte {
			for {
				model := models[r.IntN(len(models))]
				if b, err := Encode(anyContents(r, model), model, 320, block); err == nil {
					return b
				}
			}
		}
		old, new := image(), image()
		if r.IntN(3) == 0 { // a number that differs in the last digits only
			old = bytes.Clone(new)
			old[8+r.IntN(4)] ^= 1
		}
		state := bytes.Clone(old)
		writes := Plan(old, new, block)
		for k, w := range writes {
			apply(state, w)
			if k == len(writes)-1 || block == 4 && w.Block == 79 {
				break
			}
			for _, dsfid := range []byte{0, DSFIDISO2, DSFIDISO3} {
				c := Decode(Memory{BlockSize: block, Data: state, DSFID: dsfid, Whole: true}, allText)
				if c.Item != "" || !c.has(Torn) {
					t.Fatalf("after %d of %d writes: %+v", k+1, len(writes), c)
				}
				torn++
			}
		}
		if !bytes.Equal(state, new) {
			t.Fatalf("%X\nbecomes %X; want\n%X", old, state, new)
		}
	}
	if torn < 10000 {
		t.Errorf("%d torn tags; that is no test", torn)
	}
}

func TestPlanWritesOnlyChanges(t *testing.T) {
	old := make([]byte, 112)
	one := bytes.Clone(old)
	one[0] = 7
	two := bytes.Clone(one)
	two[9] = 7
	for _, tt := range []struct {
		name     string
		old, new []byte
		blocks   []int
	}{
		{"nothing", old, old, nil},
		{"block 0", old, one, []int{0}},
		{"block 2", one, two, []int{0, 2, 0}},
		{"both", old, two, []int{0, 2, 0}},
		{"counter of a SLIX2", make([]byte, 320), append(make([]byte, 319), 1), nil},
	} {
		var got []int
		for _, w := range Plan(tt.old, tt.new, 4) {
			got = append(got, w.Block)
		}
		if len(got) != len(tt.blocks) {
			t.Errorf("%s: writes to blocks %v; want %v", tt.name, got, tt.blocks)
			continue
		}
		for i := range got {
			if got[i] != tt.blocks[i] {
				t.Errorf("%s: writes to blocks %v; want %v", tt.name, got, tt.blocks)
			}
		}
	}
}

// TestPlanResumes: a write that was broken off is finished from what the tag
// holds, without the mark a second time.
func TestPlanResumes(t *testing.T) {
	b, err := Encode(Contents{Item: "31234000010064", Owner: "FI-Mamk-M"}, ISO3, 112, 4)
	if err != nil {
		t.Fatal(err)
	}
	state := make([]byte, 112)
	writes := Plan(state, b, 4)
	for _, w := range writes[:4] {
		apply(state, w)
	}
	c := Decode(Memory{BlockSize: 4, Data: state, Whole: true}, Options{})
	if c.Model != Damaged || c.Likely != ISO3 || c.Hint != "3123400001006" {
		t.Errorf("half written: %+v", c)
	}
	rest := Plan(state, b, 4)
	if len(rest) != len(writes)-4 {
		t.Errorf("%d writes are left; want %d", len(rest), len(writes)-4)
	}
	for _, w := range rest {
		apply(state, w)
	}
	if !bytes.Equal(state, b) {
		t.Errorf("%X; want %X", state, b)
	}
}

func TestSecurityByName(t *testing.T) {
	if s, ok := SecurityByName("iso"); !ok || s.Stock != 0x07 || s.OnLoan != 0xC2 {
		t.Errorf("iso is %+v, %v", s, ok)
	}
	if s, ok := SecurityByName("none"); ok {
		t.Errorf("none is %+v", s)
	}
}
