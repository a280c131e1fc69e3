package cfrh320

import (
	"bytes"
	"errors"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/cfrh320/cfrh320sim"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

func open(t *testing.T, f *field.Field, o cfrh320sim.Options) *Pad {
	t.Helper()
	p, err := Open(cfrh320sim.New(f, o), Config{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPad: writing is for a tag that lies alone, so the suite's tests of it,
// which lay a second one beside it, do not apply; TestWrite has its own.
func TestPad(t *testing.T) {
	for name, o := range map[string]cfrh320sim.Options{"select": {}, "no select": {NoSelect: true}} {
		t.Run(name, func(t *testing.T) {
			drivertest.TestPad(t, func(t *testing.T, f *field.Field) drivers.Pad { return reading{open(t, f, o)} })
		})
	}
}

// reading is a pad that only reads.
type reading struct{ drivers.Pad }

func place(f *field.Field, n int) *field.Tag {
	t := field.NewTag(drivertest.NewUID(n), 28, 4)
	for i := range t.Memory {
		t.Memory[i] = byte(i + n*16)
	}
	f.Place(t, field.Coupling{})
	return t
}

func TestWrite(t *testing.T) {
	f := field.New(1)
	a := place(f, 1)
	p := open(t, f, cfrh320sim.Options{})
	data := []byte("twoblock")
	if err := p.Write(a.UID, 3, drivers.Blocks{Size: 4, Data: data}); err != nil || !bytes.Equal(a.Memory[12:20], data) {
		t.Fatalf("Write() = %v, the tag has %q", err, a.Memory[12:20])
	}
	f.Change(a, func(t *field.Tag) { t.Locked[1] = true })
	if err := p.Write(a.UID, 1, drivers.Blocks{Size: 4, Data: []byte("no!!")}); err == nil {
		t.Error("Write() of a locked block succeeds")
	}
	b := place(f, 2)
	was := bytes.Clone(b.Memory)
	for _, uid := range []drivers.UID{a.UID, b.UID} {
		if err := p.Write(uid, 0, drivers.Blocks{Size: 4, Data: []byte("none")}); !errors.Is(err, ErrNotAlone) {
			t.Errorf("Write() with two tags = %v; want ErrNotAlone", err)
		}
	}
	if err := p.Write(drivertest.NewUID(3), 0, drivers.Blocks{Size: 4, Data: []byte("none")}); err == nil {
		t.Error("Write() to a tag that is not there succeeds")
	}
	if !bytes.Equal(b.Memory, was) || bytes.Contains(a.Memory, []byte("none")) {
		t.Error("a tag was written that must not be")
	}
}

// TestGarbled: what comes damaged is asked for again.
func TestGarbled(t *testing.T) {
	f := field.New(1)
	a := place(f, 1)
	p := open(t, f, cfrh320sim.Options{Garble: 3})
	for range 10 {
		if tags, err := p.Inventory(); err != nil || len(tags) != 1 {
			t.Fatalf("Inventory() = %v, %v", tags, err)
		}
		if b, err := p.Read(a.UID, 0, 9); err != nil || !bytes.Equal(b.Data, a.Memory[:36]) {
			t.Fatalf("Read() = %x, %v", b.Data, err)
		}
	}
}

// TestFull: an answer has room for 24 tags.
func TestFull(t *testing.T) {
	f := field.New(1)
	for n := range 30 {
		place(f, n)
	}
	p := &Pad{dev: cfrh320sim.New(f, cfrh320sim.Options{}), quiet: map[drivers.UID]bool{}}
	if tags, err := p.Inventory(); !errors.Is(err, drivers.ErrFull) || len(tags) != 24 {
		t.Errorf("Inventory() of 30 = %d tags, %v; want 24 and ErrFull", len(tags), err)
	}
}

func TestNotThisReader(t *testing.T) {
	if _, err := Open(cfrh320sim.New(field.New(1), cfrh320sim.Options{Other: true}), Config{}); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("Open() of another device = %v; want ErrSilent", err)
	}
	p := open(t, field.New(1), cfrh320sim.Options{Unplug: 2})
	p.Inventory()
	if _, err := p.Inventory(); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Inventory() of an unplugged reader = %v; want ErrGone", err)
	}
}

// TestQuestion: an inventory as the source has it.
func TestQuestion(t *testing.T) {
	want := append([]byte{1, 0, 0, 0, 0, 0, 8, 0, 0xAA, 0, 4, 0x10, 6, 0, 0, 4 ^ 0x10 ^ 6, 0xBB}, make([]byte, 239)...)
	if got := encode([]byte{0x10, 6, 0, 0}); !bytes.Equal(got, want) {
		t.Errorf("% X; want % X", got[:20], want[:20])
	}
}

func FuzzDecode(f *testing.F) {
	b := encode([]byte{0, 0x80, 1, 2, 3})
	b[0] = answer
	f.Add(b)
	f.Add([]byte{2, 0, 0, 0, 0, 0, 8, 0, 0xAA, 0, 0xFF, 0, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		said, err := decode(b)
		if err != nil {
			return
		}
		if again := encode(said); !bytes.Equal(again[body:body+len(said)+3], b[body:body+len(said)+3]) {
			t.Errorf("%x is written as %x", b, again)
		}
		if data, err := status(said); err == nil && len(data) > 0 {
			(&Pad{quiet: map[drivers.UID]bool{}}).list(data)
			blocks(data)
		}
	})
}
