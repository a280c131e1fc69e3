package intake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// uhfTag makes a tag of the UHF models.
func uhfTag(t *testing.T, n uint32, model tagdata.Model, c tagdata.Contents, lent bool) *uhf.Tag {
	t.Helper()
	u, err := tagdata.EncodeUHF(c, model, lent)
	if err != nil {
		t.Fatal(err)
	}
	tag := uhf.NewTag(n, u.PC, u.UII, 32)
	tag.Set(drivers.BankUser, u.User)
	return tag
}

// wandBench is a wand that runs on a field.
type wandBench struct {
	field  *uhf.Field
	wanted atomic.Bool
	rests  atomic.Int32
	fail   atomic.Bool  // the next round
	reads  atomic.Int32 // of memory, since it has listened
	most   atomic.Int32 // of them at once
	mu     sync.Mutex
	heard  []Heard
}

// counted counts what is asked of a wand.
type counted struct {
	uhf.Wand
	*wandBench
}

func (c counted) Rest() error { c.rests.Add(1); return nil }
func (c counted) Hear() ([]drivers.UHFTag, error) {
	if c.fail.Load() {
		return nil, drivers.ErrGone
	}
	c.reads.Store(0)
	return c.Wand.Hear()
}

func (c counted) ReadBank(epc []byte, bank drivers.Bank, first, n int) ([]byte, error) {
	c.most.Store(max(c.most.Load(), c.reads.Add(1)))
	return c.Wand.ReadBank(epc, bank, first, n)
}

func onWand(t *testing.T, noPC bool, owners []string, test func(*wandBench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &wandBench{field: uhf.New(1)}
		b.field.Wait = time.Sleep
		b.wanted.Store(true)
		w := NewWand(WandConfig{Intake: mustNew(t, Config{Item: []string{"^3[0-9]{13}$", "^[0-9]{8}$"}}), Owners: owners, Wanted: b.wanted.Load,
			Emit: b.emit})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx, counted{uhf.Wand{Field: b.field, NoPC: noPC}, b}) }()
		test(b)
		cancel()
		if err := <-ended; (err == drivers.ErrGone) != b.fail.Load() || err != nil && err != drivers.ErrGone {
			t.Errorf("Run() = %v; it failed: %v", err, b.fail.Load())
		}
	})
}

func (b *wandBench) emit(x Heard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, x)
}

// told lets time pass and gives what was told meanwhile.
func (b *wandBench) told(d time.Duration) []Heard {
	time.Sleep(d)
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	got := b.heard
	b.heard = nil
	return got
}

// TestWandModels: what is on tags is told with what gates find, also by
// readers that do not tell the PC.
func TestWandModels(t *testing.T) {
	for _, noPC := range []bool{false, true} {
		t.Run(fmt.Sprintf("no PC %v", noPC), func(t *testing.T) {
			onWand(t, noPC, []string{"US-CARREL", "10248"}, func(b *wandBench) {
				for n, c := range []struct {
					model tagdata.Model
					tagdata.Contents
					lent bool
				}{
					{tagdata.ISO4, tagdata.Contents{Item: "31234000010064", Owner: "US-CARREL"}, false},
					{tagdata.ISO4, tagdata.Contents{Item: "31234000010072", Owner: "US-CARREL", Part: 2, Parts: 3}, true},
					{tagdata.Gaoxiao, tagdata.Contents{Item: "32103179", Owner: "10248", Part: 1, Parts: 1}, true},
					{tagdata.Gaoxiao, tagdata.Contents{Item: "32103180", Owner: "10001"}, false}, // another university's
					{tagdata.ISO4, tagdata.Contents{Item: "31234000010080", Owner: "DE-705"}, false},
					{tagdata.ISO4, tagdata.Contents{Item: "77", Owner: "US-CARREL"}, false},
				} {
					b.field.Place(uhfTag(t, uint32(n), c.model, c.Contents, c.lent), uhf.Coupling{})
				}
				b.field.Place(uhf.NewTag(9, 0x3000, []byte("\x30\x14\x25\x7B\xF7\x19\x4E\x40\x00\x00\x1A\x85"), 0), uhf.Coupling{}) // a shop's
				var words []string
				for _, x := range b.told(900 * time.Millisecond) {
					words = append(words, fmt.Sprintf("%s %d %s %s %s", x.Item, x.Part, x.Security, x.Why, x.Code))
				}
				slices.Sort(words)
				want := []string{" 0 secured tag-foreign 31234000010080", " 0 secured tag-foreign 32103180", " 0 secured tag-foreign 77",
					"31234000010064 0 secured  ", "31234000010072 2 released  ", "32103179 0 released  "}
				if !slices.Equal(words, want) {
					t.Errorf("told %q;\nwant %q", words, want)
				}
			})
		})
	}
}

// TestWandRests: where nobody walks it is silent, and asked now and then
// whether it is there; who walks again is told all again.
func TestWandRests(t *testing.T) {
	onWand(t, false, nil, func(b *wandBench) {
		b.field.Place(uhfTag(t, 1, tagdata.ISO4, tagdata.Contents{Item: "31234000010064", Owner: "US-CARREL"}, false), uhf.Coupling{})
		if got := b.told(900 * time.Millisecond); len(got) != 1 || got[0].Tag == "" {
			t.Errorf("told %+v; want the tag once", got)
		}
		b.wanted.Store(false)
		b.told(time.Second)
		air := b.field.Airtime()
		if got := b.told(time.Minute); len(got) != 0 || b.field.Airtime() != air || b.rests.Load() < 10 || b.rests.Load() > 14 {
			t.Errorf("told %+v, %v on the air, asked %d times", got, b.field.Airtime()-air, b.rests.Load())
		}
		b.wanted.Store(true)
		if got := b.told(900 * time.Millisecond); len(got) != 1 {
			t.Errorf("told %+v; want the tag again", got)
		}
	})
}

// TestWandGone: a wand that fails ends, with its error.
func TestWandGone(t *testing.T) {
	onWand(t, false, nil, func(b *wandBench) {
		b.wanted.Store(false)
		b.told(time.Second)
		b.fail.Store(true)
		b.wanted.Store(true)
		b.told(time.Second)
	})
}

// TestWandHardToReach: tags at the edge are told when they were read.
func TestWandHardToReach(t *testing.T) {
	onWand(t, true, nil, func(b *wandBench) {
		want := map[kiosk.Barcode]bool{}
		for n := range 40 {
			item := kiosk.Barcode(fmt.Sprintf("312340000%05d", n))
			want[item] = true
			b.field.Place(uhfTag(t, uint32(n), tagdata.ISO4, tagdata.Contents{Item: string(item), Owner: "DE-1"}, false), uhf.Coupling{Miss: 0.5})
		}
		got := map[kiosk.Barcode]bool{}
		for _, x := range b.told(30 * time.Second) {
			got[x.Item] = true
		}
		if len(got) != len(want) {
			t.Errorf("told of %d tags; want %d", len(got), len(want))
		}
	})
}

// TestWandGaoxiao: of these tags whose they are is in a bank of its own. What
// of it is not heard is asked again, and not taken for the library's; and many
// new ones do not keep the wand from listening.
func TestWandGaoxiao(t *testing.T) {
	for _, noPC := range []bool{false, true} {
		t.Run(fmt.Sprintf("no PC %v", noPC), func(t *testing.T) {
			onWand(t, noPC, []string{"10248"}, func(b *wandBench) {
				want := map[kiosk.Barcode]bool{"32199999": true}
				for n := range 150 {
					c := tagdata.Contents{Item: fmt.Sprintf("32%06d", n), Owner: "10248", Part: 1, Parts: 1}
					if n%2 == 1 {
						c.Owner = "10001" // another university's
					} else {
						want[kiosk.Barcode(c.Item)] = true
					}
					b.field.Place(uhfTag(t, uint32(n), tagdata.Gaoxiao, c, false), uhf.Coupling{Miss: 0.3})
				}
				u, err := tagdata.EncodeUHF(tagdata.Contents{Item: "32199999", Owner: "10248"}, tagdata.Gaoxiao, false)
				if err != nil {
					t.Fatal(err)
				}
				b.field.Place(uhf.NewTag(999, u.PC, u.UII, 0), uhf.Coupling{}) // without that bank
				got, foreign := map[kiosk.Barcode]bool{}, map[string]bool{}
				for _, x := range b.told(time.Minute) {
					if x.Item != "" {
						got[x.Item] = true
					} else if x.Why == kiosk.ReasonTagForeign {
						foreign[x.Code] = true
					}
				}
				if !maps.Equal(got, want) || len(foreign) != 75 {
					t.Errorf("told of %d tags of the library's and %d foreign ones; want %d and 75", len(got), len(foreign), len(want))
				}
				if b.most.Load() > wandReads {
					t.Errorf("%d reads between two rounds; want %d at most", b.most.Load(), wandReads)
				}
			})
		})
	}
}
