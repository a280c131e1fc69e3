package tagdata

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestNoWrongItem: ISO 28560-3 finds every burst of 16 bits, so no such error
// may give another item than was written, whatever the DSFID says and however
// the rest could be read: not as a chain, not as text.
func TestNoWrongItem(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	for _, size := range []int{32, 36, 112} {
		for i := range 30 {
			c := anyContents(r, ISO3)
			c.Elements = nil
			c.Parts, c.Part = 3, 2
			if size == 32 {
				c.Owner = "DE-705"
			}
			b, err := Encode(c, ISO3, size, 4)
			if err != nil {
				t.Fatal(err)
			}
			for bit := range 8 * min(size, fixed) {
				state := bytes.Clone(b)
				state[bit/8] ^= 0x80 >> (bit % 8)
				if other := bit + r.IntN(16); other > bit && other < 8*min(size, fixed) {
					state[other/8] ^= 0x80 >> (other % 8)
				}
				if i%3 == 0 {
					state = swap(state, 4)
				}
				for _, dsfid := range []byte{0, DSFIDISO2, DSFIDISO3} {
					got := Decode(Memory{BlockSize: 4, Data: state, DSFID: dsfid, Whole: true}, Options{})
					if got.Item != "" {
						t.Fatalf("%X\nwith bit %d wrong and DSFID %02X is %+v", state, bit, dsfid, got)
					}
				}
			}
		}
	}
}

// TestRandomMemory: what never was a library's gives no item. A check sum of
// 16 bits is right by chance once in 65,536; the seed here is one of none.
func TestRandomMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 17))
	models := map[Model]int{}
	for range 20000 {
		b := make([]byte, 4*(1+r.IntN(80)))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		c := Decode(Memory{BlockSize: 4, Data: b, DSFID: byte(r.Uint32()), Whole: true}, Options{})
		if c.Item != "" {
			t.Errorf("%X is %+v", b, c)
		}
		models[c.Model]++
	}
	if models[Foreign] < 15000 {
		t.Errorf("%v; nearly all should be foreign", models)
	}
}
