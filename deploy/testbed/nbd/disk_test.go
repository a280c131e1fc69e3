package nbd

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDisk is a random walk. Whatever happens: the machine reads what it wrote;
// after a cut each sector is as it was at the last flush, or as one of the
// writes since has it; with nothing unflushed the cut changes nothing.
func TestDisk(t *testing.T) {
	const sectors = 16
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		first := bytes.Repeat([]byte{0xEE}, sectors*Sector)
		d := NewDisk(slices.Clone(first))
		now, durable := slices.Clone(first), slices.Clone(first)
		since := map[int][][]byte{} // what each sector may be
		for n := range r.IntN(30) {
			if r.IntN(4) == 0 {
				d.Flush()
				durable, since = slices.Clone(now), map[int][][]byte{}
				continue
			}
			at := r.IntN(sectors)
			data := bytes.Repeat([]byte{byte(n)}, (1+r.IntN(sectors-at))*Sector)
			if err := d.Write(int64(at*Sector), data); err != nil {
				t.Fatal(err)
			}
			copy(now[at*Sector:], data)
			for s := at; s < at+len(data)/Sector; s++ {
				since[s] = append(since[s], data[:Sector])
			}
		}
		if got, err := d.Read(0, d.Size()); err != nil || !bytes.Equal(got, now) {
			t.Fatalf("seed %d: the machine does not read what it wrote (%v)", seed, err)
		}
		image := d.After(d.Events(), Torn(r))
		for s := range sectors {
			got := image[s*Sector : (s+1)*Sector]
			if !bytes.Equal(got, durable[s*Sector:(s+1)*Sector]) && !slices.ContainsFunc(since[s], func(b []byte) bool { return bytes.Equal(got, b) }) {
				t.Fatalf("seed %d: sector %d is %x..., which was never there", seed, s, got[:4])
			}
		}
		if d.Cut(Lost); !bytes.Equal(d.first, durable) || d.Events() != 0 {
			t.Fatalf("seed %d: after a cut that loses all it is not as it was at the last flush", seed)
		}
	}
}

// TestTorn: a write that was not flushed comes to every kind of end.
func TestTorn(t *testing.T) {
	ends := map[string]int{}
	d := NewDisk(make([]byte, 2*Sector))
	if err := d.Write(0, bytes.Repeat([]byte{1}, 2*Sector)); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		image := d.After(1, Torn(r))
		ends[fmt.Sprint(image[0], image[Sector])]++
	}
	if len(ends) != 4 {
		t.Errorf("ends %v; want all of 0 0, 0 1, 1 0, 1 1", ends)
	}
}

func TestMarks(t *testing.T) {
	d := NewDisk(make([]byte, Sector))
	d.Mark("a")
	d.Flush()
	d.Mark("b")
	if got := d.Marks(2); fmt.Sprint(got) != "[a]" {
		t.Errorf("Marks(2) = %v; want what was said before", got)
	}
	if at := d.MarksAt(); fmt.Sprint(at) != "[0 2]" || d.Flushes() != 1 {
		t.Errorf("MarksAt() = %v, Flushes() = %d", at, d.Flushes())
	}
}

func TestOutside(t *testing.T) {
	d := NewDisk(make([]byte, 4*Sector))
	for _, at := range []int64{-1, 4*Sector - 1, 1 << 62} {
		if err := d.Write(at, []byte{1, 2}); err == nil {
			t.Errorf("Write(%d) is taken", at)
		}
		if _, err := d.Read(at, 2); err == nil {
			t.Errorf("Read(%d) is taken", at)
		}
	}
	if _, err := d.Read(0, -1); err == nil {
		t.Error("Read() of a negative length is taken")
	}
}
