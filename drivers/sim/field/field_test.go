package field_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

func TestReader(t *testing.T) {
	drivertest.TestPad(t, func(t *testing.T, f *field.Field) drivers.Pad { return field.NewReader(f) })
}

func place(f *field.Field, n int, c field.Coupling) *field.Tag {
	t := field.NewTag(drivertest.NewUID(n), 28, 4)
	f.Place(t, c)
	return t
}

// TestQuiet: a tag that was told to be quiet is heard again by its UID, and
// after the field was off.
func TestQuiet(t *testing.T) {
	f := field.New(1)
	r := field.NewReader(f)
	a, b := place(f, 1, field.Coupling{}), place(f, 2, field.Coupling{})
	if _, err := f.Send(iso15693.StayQuiet(a.UID)); !errors.Is(err, drivers.ErrNoTag) {
		t.Errorf("stay quiet was answered: %v", err)
	}
	if got, err := r.Inventory(); err != nil || len(got) != 1 || got[0].UID != b.UID {
		t.Errorf("Inventory() = %v, %v; want the one that is not quiet", got, err)
	}
	if _, err := r.Read(a.UID, 0, 1); err != nil {
		t.Errorf("Read() of a quiet tag = %v; it obeys its UID", err)
	}
	r.Reset()
	if got, _ := r.Inventory(); len(got) != 2 {
		t.Errorf("Inventory() after the field was off = %v; want both", got)
	}
}

// TestUnaddressed: a request to nobody in particular is answered by all, so
// one tag answers alone and two collide; a selected one answers alone.
func TestUnaddressed(t *testing.T) {
	f := field.New(1)
	a, read := place(f, 1, field.Coupling{}), []byte{iso15693.FlagHigh, iso15693.CmdReadBlock, 0}
	if got, err := f.Send(read); err != nil || !bytes.Equal(got, []byte{0, 0, 0, 0, 0}) {
		t.Errorf("read of the only tag = %x, %v", got, err)
	}
	b := place(f, 2, field.Coupling{})
	if _, err := f.Send(read); !errors.Is(err, iso15693.ErrCollision) {
		t.Errorf("read of two = %v; want a collision", err)
	}
	for _, tag := range []*field.Tag{a, b, a} {
		if _, err := f.Send(iso15693.Select(tag.UID)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Send([]byte{iso15693.FlagHigh | iso15693.FlagSelect, iso15693.CmdWriteAFI, 9}); err != nil {
			t.Errorf("write to the selected one = %v", err)
		}
	}
	if a.Written != 2 || b.Written != 1 {
		t.Errorf("%d and %d writes; want 2 and 1", a.Written, b.Written)
	}
}

// TestTear: a write that lost its power is not answered and is done in part.
func TestTear(t *testing.T) {
	f := field.New(3)
	r := field.NewReader(f)
	tag := place(f, 1, field.Coupling{Tear: 1})
	partly := false
	for range 20 {
		f.Change(tag, func(t *field.Tag) { clear(t.Memory) })
		if err := r.Write(tag.UID, 0, drivers.Blocks{Size: 4, Data: []byte("full")}); !errors.Is(err, drivers.ErrNoTag) {
			t.Fatalf("Write() = %v; want ErrNoTag", err)
		}
		got := tag.Memory[:4]
		partly = partly || bytes.Contains(got, []byte{0}) && !bytes.Equal(got, make([]byte, 4))
	}
	if !partly {
		t.Error("no write was done in part")
	}
}

// TestAirtime compares the time of commands with the figures of the standard:
// 16 slots with no, one and four answers, and a read of nine blocks.
func TestAirtime(t *testing.T) {
	for _, want := range []struct {
		tags int
		ms   float64
	}{{0, 9.78}, {1, 13.9}} {
		f := field.New(1)
		for n := range want.tags {
			place(f, n, field.Coupling{})
		}
		field.NewReader(f).Inventory()
		near(t, "inventory", f.Airtime(), want.ms)
	}
	f := field.New(1)
	tag := place(f, 1, field.Coupling{})
	field.NewReader(f).Read(tag.UID, 0, 9)
	near(t, "read of 9 blocks", f.Airtime(), 17.1)
	near(t, "write of AFI", iso15693.Written(len(iso15693.WriteAFI(tag.UID, 0))), 10.56)
}

func near(t *testing.T, what string, got time.Duration, ms float64) {
	t.Helper()
	if g := got.Seconds() * 1000; g < ms*0.99 || g > ms*1.01 {
		t.Errorf("%s takes %.2f ms; want %.2f", what, g, ms)
	}
}

// TestWait: airtime passes, and two readers of one field wait for each other.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := field.New(1)
		f.Wait = time.Sleep
		r, begin := field.NewReader(f), time.Now()
		done := make(chan bool)
		for range 2 {
			go func() { r.Inventory(); done <- true }()
		}
		<-done
		<-done
		if got := time.Since(begin); got < f.Airtime() || got > f.Airtime()+time.Millisecond {
			t.Errorf("%v of airtime took %v", f.Airtime(), got)
		}
	})
}

// FuzzSend: no request makes a tag do what it must not.
func FuzzSend(f *testing.F) {
	f.Add(iso15693.Read(drivertest.NewUID(1), 0, 9))
	f.Add([]byte{0x06, 0x01, 0x00})
	f.Add([]byte{0x36, 0x01, 0x07, 0x3C, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, req []byte) {
		fd := field.New(1)
		tag := place(fd, 1, field.Coupling{})
		tag.Locked[0] = true
		fd.Send(req)
		for range 20 {
			fd.Slot()
		}
		if len(tag.Memory) != 112 || !bytes.Equal(tag.Memory[:4], make([]byte, 4)) {
			t.Errorf("% x changed a locked block", req)
		}
	})
}
