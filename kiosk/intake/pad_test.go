package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// padBench is a pad that runs on a field, and what it has told.
type padBench struct {
	*testing.T
	*Pad
	field  *field.Field
	events []kiosk.Event
	placed map[kiosk.TagID]int
}

// onPad runs a test in a bubble, with the pad empty and settled.
func onPad(t *testing.T, test func(*padBench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newPadBench(t)
		stop := b.start(field.NewReader(b.field))
		time.Sleep(2 * time.Second)
		test(b)
		if err := stop(); err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

func newPadBench(t *testing.T) *padBench {
	t.Helper()
	b := &padBench{T: t, field: field.New(1), placed: map[kiosk.TagID]int{}}
	b.field.Wait = time.Sleep
	iso, _ := tagdata.SecurityByName("iso")
	b.Pad = NewPad(PadConfig{
		Intake: mustNew(t, Config{Check: "mod10"}), Owners: []string{"US-CARREL"}, AFI: iso, EAS: true,
		Emit: func(ev kiosk.Event) { b.events = append(b.events, ev) },
	})
	return b
}

func (b *padBench) start(dev drivers.Pad) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	b.Cleanup(cancel)
	go func() { ended <- b.Pad.Run(ctx, dev) }()
	return func() error { cancel(); return <-ended }
}

// books are item numbers with right check digits.
var books = []string{"31234000010064", "31234000010072", "31234000010080"}

// tag makes a tag of the library's.
func (b *padBench) tag(n int, c tagdata.Contents) *field.Tag {
	b.Helper()
	t := field.NewTag(drivertest.NewUID(n), 28, 4)
	if c.Usage == "" {
		c.Usage = tagdata.Circulating
	}
	if c.Owner == "" {
		c.Owner = "US-CARREL"
	}
	if c.Item != "" {
		data, err := tagdata.Encode(c, tagdata.ISO3, len(t.Memory), t.Size)
		if err != nil {
			b.Fatal(err)
		}
		t.Memory = data
	}
	t.DSFID, t.AFI, t.EAS = tagdata.DSFIDISO3, tagdata.AFIInStock, true
	return t
}

func (b *padBench) book(n int) *field.Tag { return b.tag(n, tagdata.Contents{Item: books[n]}) }

func tagID(t *field.Tag) kiosk.TagID { return id(t.UID) }

// told lets time pass and gives what was told meanwhile.
func (b *padBench) told(d time.Duration) []kiosk.Event {
	time.Sleep(d)
	synctest.Wait()
	got := b.events
	b.events = nil
	return got
}

func (b *padBench) expect(d time.Duration, want ...kiosk.Event) {
	b.Helper()
	if got := b.told(d); !slices.Equal(got, want) {
		b.Fatalf("told\n%+v; want\n%+v", got, want)
	}
}

func TestPadArrivalAndDeparture(t *testing.T) {
	onPad(t, func(b *padBench) {
		a := b.book(0)
		b.field.Place(a, field.Coupling{})
		b.expect(200*time.Millisecond, kiosk.TagPlaced{Tag: tagID(a), Item: "31234000010064", Part: 1, Parts: 1})
		b.expect(time.Minute)
		b.field.Remove(a.UID)
		b.expect(500 * time.Millisecond) // it may only have missed a round
		b.field.Place(a, field.Coupling{})
		b.expect(5 * time.Second)
		b.field.Remove(a.UID)
		b.expect(5*time.Second, kiosk.TagRemoved{Tag: tagID(a)})
	})
}

// TestPadBadge: of what is laid down while somebody waits for a badge, the badge
// is told to nobody else; what lay there before the pad began is none.
func TestPadBadge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPadBench(t)
		type card struct {
			tag    kiosk.TagID
			number string
		}
		var asked []card
		badge := b.tag(1, tagdata.Contents{Item: "S1", Usage: tagdata.PatronCard})
		b.Badge = func(tag kiosk.TagID, number string) bool {
			asked = append(asked, card{tag, number})
			return tag == tagID(badge)
		}
		b.field.Place(badge, field.Coupling{})
		stop := b.start(field.NewReader(b.field))
		b.expect(3 * time.Second)
		b.field.Remove(badge.UID)
		b.expect(5 * time.Second)
		book := b.book(0)
		b.field.Place(badge, field.Coupling{})
		b.field.Place(book, field.Coupling{})
		b.expect(5*time.Second, kiosk.TagPlaced{Tag: tagID(book), Item: kiosk.Barcode(books[0]), Part: 1, Parts: 1})
		b.field.Remove(badge.UID)
		b.expect(5 * time.Second)
		slices.SortFunc(asked, func(a, b card) int { return strings.Compare(b.number, a.number) })
		if want := []card{{tagID(badge), "S1"}, {tagID(book), ""}}; !slices.Equal(asked, want) {
			t.Errorf("asked of %+v; want %+v", asked, want)
		}
		if err := stop(); err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

// TestPadAfresh: what was written meanwhile is read, not remembered.
func TestPadAfresh(t *testing.T) {
	onPad(t, func(b *padBench) {
		tag, other := b.book(0), b.book(1)
		b.field.Place(tag, field.Coupling{})
		b.expect(time.Second, kiosk.TagPlaced{Tag: tagID(tag), Item: "31234000010064", Part: 1, Parts: 1})
		b.field.Change(tag, func(t *field.Tag) { t.Memory = slices.Clone(other.Memory) })
		b.expect(time.Second)
		b.Afresh()
		b.expect(time.Second, kiosk.TagRemoved{Tag: tagID(tag)}, kiosk.TagPlaced{Tag: tagID(tag), Item: "31234000010072", Part: 1, Parts: 1})
	})
}

// TestPadAfreshAtOnce: what staff leaves there is new to the desk, even where
// the device has only just come back.
func TestPadAfreshAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPadBench(t)
		stop := b.start(field.NewReader(b.field))
		time.Sleep(200 * time.Millisecond)
		tag := b.book(0)
		b.field.Place(tag, field.Coupling{})
		b.expect(200*time.Millisecond, kiosk.TagPlaced{Tag: tagID(tag), Item: "31234000010064", Part: 1, Parts: 1, Old: true})
		b.Afresh()
		b.expect(200*time.Millisecond, kiosk.TagRemoved{Tag: tagID(tag)}, kiosk.TagPlaced{Tag: tagID(tag), Item: "31234000010064", Part: 1, Parts: 1})
		if err := stop(); err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

// TestPadFlicker: a tag that answers every other time is put down once.
func TestPadFlicker(t *testing.T) {
	onPad(t, func(b *padBench) {
		a := b.book(0)
		b.field.Place(a, field.Coupling{Miss: 0.4, Damage: 0.1})
		b.expect(time.Minute, kiosk.TagPlaced{Tag: tagID(a), Item: "31234000010064", Part: 1, Parts: 1})
	})
}

// TestPadStrangers: what is no copy of ours says what it is.
func TestPadStrangers(t *testing.T) {
	torn := func(b *padBench) *field.Tag {
		t := b.book(0)
		t.Memory[5] ^= 0xFF
		return t
	}
	for name, c := range map[string]struct {
		tag  func(*padBench) *field.Tag
		want kiosk.Reason
		code string
	}{
		"blank":           {func(b *padBench) *field.Tag { return b.tag(1, tagdata.Contents{}) }, kiosk.ReasonTagBlank, ""},
		"another library": {func(b *padBench) *field.Tag { return b.tag(1, tagdata.Contents{Item: books[0], Owner: "DE-705"}) }, kiosk.ReasonTagForeign, books[0]},
		"another number":  {func(b *padBench) *field.Tag { return b.tag(1, tagdata.Contents{Item: "99"}) }, kiosk.ReasonTagForeign, "99"},
		"damaged":         {torn, kiosk.ReasonTagDamaged, "\uFFFD"},
		"patron card": {func(b *padBench) *field.Tag {
			return b.tag(1, tagdata.Contents{Item: books[0], Usage: tagdata.PatronCard})
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			onPad(t, func(b *padBench) {
				tag := c.tag(b)
				b.field.Place(tag, field.Coupling{})
				got := b.told(2 * time.Second)
				if c.want == "" {
					if len(got) != 0 {
						t.Errorf("told %+v; want nothing", got)
					}
					return
				}
				if len(got) != 1 {
					t.Fatalf("told %+v; want one event", got)
				}
				ev, ok := got[0].(kiosk.TagUnread)
				if !ok || ev.Reason != c.want || ev.Tag != tagID(tag) || (name != "damaged" && ev.Code != c.code) {
					t.Errorf("told %+v; want %s %q", ev, c.want, c.code)
				}
				b.field.Remove(tag.UID)
				b.expect(5*time.Second, kiosk.TagRemoved{Tag: tagID(tag)})
			})
		})
	}
}

// TestPadBadgeUnreadable: an access card that lets nobody read its memory is a
// badge by its own number, and is told to nobody else; where nobody waits for
// one it is what can't be read.
func TestPadBadgeUnreadable(t *testing.T) {
	onPad(t, func(b *padBench) {
		card := b.book(0)
		card.Memory, card.Locked = card.Memory[:0], card.Locked[:0] // answers no read
		asked, waits := 0, true
		b.Badge = func(tag kiosk.TagID, number string) bool {
			asked++
			return waits && tag == tagID(card) && number == ""
		}
		b.field.Place(card, field.Coupling{})
		b.expect(20 * time.Second)
		b.field.Remove(card.UID)
		b.expect(5 * time.Second)
		waits = false
		b.field.Place(card, field.Coupling{})
		b.expect(20*time.Second, kiosk.TagUnread{Tag: tagID(card), Reason: kiosk.ReasonTagDamaged})
		if asked != 2 {
			t.Errorf("asked %d times; want 2", asked)
		}
	})
}

// TestPadUnreadable: one that lies there and can't be read gets a line, one
// that is heard now and then is a neighbour's.
func TestPadUnreadable(t *testing.T) {
	onPad(t, func(b *padBench) {
		a, far := b.book(0), b.book(1)
		b.field.Place(a, field.Coupling{})
		b.field.Place(far, field.Coupling{Miss: 0.85, Damage: 0.9})
		b.field.Change(a, func(t *field.Tag) { t.Memory = t.Memory[:0]; t.Locked = t.Locked[:0] }) // answers no read
		got := b.told(20 * time.Second)
		if want := []kiosk.Event{kiosk.TagUnread{Tag: tagID(a), Reason: kiosk.ReasonTagDamaged}}; !slices.Equal(got, want) {
			t.Errorf("told %+v; want %+v", got, want)
		}
	})
}

// TestPadOld: what lies there when the pad begins to read lay there before.
func TestPadOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPadBench(t)
		a := b.book(0)
		b.field.Place(a, field.Coupling{})
		stop := b.start(field.NewReader(b.field))
		b.expect(2*time.Second, kiosk.TagPlaced{Tag: tagID(a), Item: "31234000010064", Part: 1, Parts: 1, Old: true})
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestPadSet tells the parts; a tag of 28560-2 whose chain is longer than the
// first blocks is read on.
func TestPadSet(t *testing.T) {
	onPad(t, func(b *padBench) {
		a := b.tag(1, tagdata.Contents{Item: books[0], Part: 2, Parts: 3})
		long := field.NewTag(drivertest.NewUID(2), 28, 4)
		data, err := tagdata.Encode(tagdata.Contents{Item: books[1], Owner: "US-CARREL", Usage: tagdata.Circulating,
			Elements: []tagdata.Element{{Name: tagdata.NameTitle, Text: "A title that is longer than nine blocks hold"}}}, tagdata.ISO2, 112, 4)
		if err != nil {
			t.Fatal(err)
		}
		long.Memory, long.DSFID = data, tagdata.DSFIDISO2
		b.field.Place(a, field.Coupling{})
		b.expect(500*time.Millisecond, kiosk.TagPlaced{Tag: tagID(a), Item: kiosk.Barcode(books[0]), Part: 2, Parts: 3})
		b.field.Place(long, field.Coupling{})
		b.expect(500*time.Millisecond, kiosk.TagPlaced{Tag: tagID(long), Item: kiosk.Barcode(books[1]), Part: 1, Parts: 1})
	})
}

// TestPadEquipment: a bag with parts, whose tags say that it is equipment, is
// told as any set is.
func TestPadEquipment(t *testing.T) {
	onPad(t, func(b *padBench) {
		for part := 1; part <= 3; part++ {
			bag := b.tag(part, tagdata.Contents{Item: books[2], Usage: tagdata.Equipment, Part: part, Parts: 3})
			b.field.Place(bag, field.Coupling{})
			b.expect(500*time.Millisecond, kiosk.TagPlaced{Tag: tagID(bag), Item: kiosk.Barcode(books[2]), Part: part, Parts: 3})
		}
	})
}

// TestSecure writes AFI and EAS of one tag, over torn writes and lost answers,
// and touches no other.
func TestSecure(t *testing.T) {
	onPad(t, func(b *padBench) {
		a, other := b.book(0), b.book(1)
		b.field.Place(other, field.Coupling{})
		b.field.Place(a, field.Coupling{})
		b.told(time.Second)
		for _, c := range []field.Coupling{{}, {Miss: 0.1, Tear: 0.1, Damage: 0.1}} {
			b.field.Place(a, c)
			for _, want := range []kiosk.Security{kiosk.Released, kiosk.Secured} {
				err := b.Secure(b.Context(), tagID(a), want)
				for errors.Is(err, kiosk.ErrLifted) { // as the session does
					err = b.Secure(b.Context(), tagID(a), want)
				}
				if now, _ := b.field.Tag(a.UID); err != nil || now.EAS != (want == kiosk.Secured) || (now.AFI == tagdata.AFIInStock) != (want == kiosk.Secured) {
					t.Fatalf("Secure(%s) = %v, AFI %02X, EAS %v", want, err, now.AFI, now.EAS)
				}
			}
		}
		if now, _ := b.field.Tag(other.UID); now.AFI != tagdata.AFIInStock || !now.EAS || now.Written != 0 {
			t.Errorf("the other tag was written: %+v", now)
		}
		b.field.Change(a, func(t *field.Tag) { t.AFILocked = true })
		b.field.Place(a, field.Coupling{})
		if err := b.Secure(b.Context(), tagID(a), kiosk.Released); err == nil || errors.Is(err, kiosk.ErrLifted) {
			t.Errorf("Secure() of a locked AFI = %v; want an error that is no lift", err)
		}
		b.field.Remove(a.UID)
		if err := b.Secure(b.Context(), tagID(a), kiosk.Secured); !errors.Is(err, kiosk.ErrLifted) {
			t.Errorf("Secure() of a tag that is away = %v; want ErrLifted", err)
		}
	})
}

// dumb is a pad that falls silent.
type dumb struct {
	*field.Reader
	silent atomic.Bool
	closed atomic.Int32
}

func (d *dumb) Inventory() ([]drivers.Tag, error) {
	if d.silent.Load() {
		return nil, drivers.ErrSilent
	}
	return d.Reader.Inventory()
}
func (d *dumb) Close() error { d.closed.Add(1); return nil }

// TestPadFails: a silent device ends Run, and nobody waits for ever.
func TestPadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPadBench(t)
		d := &dumb{Reader: field.NewReader(b.field)}
		b.start(d)
		time.Sleep(time.Second)
		d.silent.Store(true)
		time.Sleep(time.Second)
		begin := time.Now()
		if err := b.Secure(t.Context(), id(drivertest.NewUID(1)), kiosk.Secured); !errors.Is(err, kiosk.ErrLifted) || time.Since(begin) > jobTime {
			t.Errorf("Secure() without a pad = %v after %v", err, time.Since(begin))
		}
		if n := d.closed.Load(); n != 1 {
			t.Errorf("closed %d times; want once", n)
		}
	})
}

// TestPadBadMemory: no memory makes the pad fail, hold up others, or name an
// item that is not there.
func TestPadBadMemory(t *testing.T) {
	fills := map[string]func(i int) byte{
		"zero": func(int) byte { return 0 }, "FF": func(int) byte { return 0xFF }, "counting": func(i int) byte { return byte(i*31 + 7) },
		"overrunning lengths": func(i int) byte { return []byte{0x91, 0x7F}[i%2] },
		"28560-3 all ones":    func(i int) byte { return []byte{0x11, 1, 1}[min(i, 2)] },
	}
	for _, shape := range [][2]int{{4, 4}, {8, 4}, {28, 4}, {80, 4}, {32, 8}} {
		for name, fill := range fills {
			t.Run(fmt.Sprintf("%d of %d, %s", shape[0], shape[1], name), func(t *testing.T) {
				onPad(t, func(b *padBench) {
					bad := field.NewTag(drivertest.NewUID(9), shape[0], shape[1])
					for i := range bad.Memory {
						bad.Memory[i] = fill(i)
					}
					for i := range bad.Locked {
						bad.Locked[i] = true
					}
					b.field.Place(bad, field.Coupling{})
					good := b.book(0)
					b.field.Place(good, field.Coupling{})
					placed, unread := 0, 0
					for _, ev := range b.told(4 * time.Second) {
						switch ev := ev.(type) {
						case kiosk.TagPlaced:
							if placed++; ev.Tag != tagID(good) {
								t.Errorf("told %+v", ev)
							}
						case kiosk.TagUnread:
							unread++
						}
					}
					if placed != 1 || unread != 1 {
						t.Errorf("%d books and %d strangers; want one each", placed, unread)
					}
				})
			})
		}
	}
}

// full is a pad that can't list all that lies on it.
type full struct {
	*field.Reader
	many atomic.Bool
}

func (f *full) Inventory() ([]drivers.Tag, error) {
	tags, err := f.Reader.Inventory()
	if err == nil && f.many.Load() {
		err = drivers.ErrFull
	}
	return tags, err
}

// TestPadFull: that there are too many tags is said as long as it is so.
func TestPadFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPadBench(t)
		f := &full{Reader: field.NewReader(b.field)}
		stop := b.start(f)
		b.told(2 * time.Second)
		f.many.Store(true)
		b.field.Place(b.book(0), field.Coupling{})
		b.expect(time.Second, kiosk.TagUnread{Tag: padFull, Reason: kiosk.ReasonPadFull},
			kiosk.TagPlaced{Tag: tagID(b.book(0)), Item: kiosk.Barcode(books[0]), Part: 1, Parts: 1})
		f.many.Store(false)
		b.expect(time.Second, kiosk.TagRemoved{Tag: padFull})
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
