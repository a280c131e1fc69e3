package uhf_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
)

func TestWand(t *testing.T) {
	for _, noPC := range []bool{false, true} {
		drivertest.TestWand(t, func(t *testing.T, f *uhf.Field) drivers.Wand { return uhf.Wand{Field: f, NoPC: noPC} })
	}
}

// TestRate: some 300 tags a second are read of 30 that lie near, each of them
// in nearly each round.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := uhf.New(1)
		f.Wait = time.Sleep
		for n := range 30 {
			f.Place(uhf.NewTag(uint32(n), 0, bytes.Repeat([]byte{byte(n)}, 12), 0), uhf.Coupling{})
		}
		begin, heard := time.Now(), 0
		for range 50 {
			heard += len(f.Inventory())
		}
		if rate := float64(heard) / time.Since(begin).Seconds(); rate < 270 || rate > 330 || heard < 1450 {
			t.Errorf("%d heard, %.0f tags a second; want nearly 1500, about 300", heard, rate)
		}
		if f.Airtime() != time.Since(begin) {
			t.Errorf("%v of the air took %v", f.Airtime(), time.Since(begin))
		}
	})
}

// TestTear: a write that lost its power is not answered and is done in part.
func TestTear(t *testing.T) {
	f := uhf.New(3)
	tag := uhf.NewTag(1, 0, make([]byte, 12), 8)
	f.Place(tag, uhf.Coupling{Tear: 1})
	partly := false
	for range 20 {
		tag.Set(drivers.BankUser, make([]byte, 8))
		if err := f.Write(tag.EPC(), drivers.BankUser, 0, []byte("ABCDEFGH")); !errors.Is(err, drivers.ErrNoTag) {
			t.Fatalf("Write() = %v; want ErrNoTag", err)
		}
		got := bytes.TrimRight(tag.Bank(drivers.BankUser), "\x00")
		partly = partly || len(got) > 0 && len(got) < 8
	}
	if !partly {
		t.Error("no write was done in part")
	}
}
