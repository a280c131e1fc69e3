package drivertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
)

// TestWand tests what package drivers promises of every Wand, and of what it
// can do besides. open opens the driver over a simulated reader on the field.
func TestWand(t *testing.T, open func(t *testing.T, f *uhf.Field) drivers.Wand) {
	for _, test := range []struct {
		name string
		run  func(*wandTest)
	}{
		{"empty", testHearNothing}, {"hear", testHear}, {"rest", testRest}, {"sizes", testSizes}, {"read", testReadBank}, {"absent", testAbsentWand},
		{"twins", testTwins}, {"flicker", testFlickerWand}, {"write", testWriteBank}, {"new EPC", testNewEPC}, {"locked", testLockedBank},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := uhf.New(1)
			w := &wandTest{T: t, f: f, Wand: open(t, f)}
			t.Cleanup(func() {
				if err := w.Wand.Close(); err != nil {
					t.Errorf("Close() = %v", err)
				}
			})
			test.run(w)
		})
	}
}

type wandTest struct {
	*testing.T
	drivers.Wand
	f *uhf.Field
}

// tag brings a tag into reach whose bytes are all different from their
// neighbours', with an EPC of so many bytes.
func (w *wandTest) tag(n, size int) *uhf.Tag {
	epc := make([]byte, size)
	for i := range epc {
		epc[i] = byte(i*11 + n)
	}
	user := make([]byte, 64)
	for i := range user {
		user[i] = byte(i*7 + n)
	}
	t := uhf.NewTag(uint32(n), 0x01C2, epc, len(user))
	t.Set(drivers.BankUser, user)
	w.f.Place(t, uhf.Coupling{})
	return t
}

// hear listens for some rounds and gives what was heard in any.
func (w *wandTest) hear(rounds int) map[string]drivers.UHFTag {
	w.Helper()
	all := map[string]drivers.UHFTag{}
	for range rounds {
		list, err := w.Hear()
		if err != nil {
			w.Fatalf("Hear() = %v", err)
		}
		once := map[string]bool{}
		for _, t := range list {
			if once[string(t.EPC)] {
				w.Errorf("%X is there twice in one round", t.EPC)
			}
			once[string(t.EPC)], all[string(t.EPC)] = true, t
		}
	}
	return all
}

// expect listens until all of these tags were heard, and fails at another.
func (w *wandTest) expect(tags ...*uhf.Tag) {
	w.Helper()
	want := map[string]bool{}
	for _, t := range tags {
		want[string(t.EPC())] = true
	}
	got := map[string]bool{}
	for begin, n := time.Now(), 0; n < 40 || time.Since(begin) < hearTime; n++ {
		for epc, t := range w.hear(1) {
			if got[epc] = true; !want[epc] {
				w.Fatalf("heard %X, which is not there", epc)
			}
			if t.PC != 0 && int(t.PC>>11) != len(epc)/2 {
				w.Errorf("the PC %04X of %X tells another length", t.PC, epc)
			}
		}
		if maps.Equal(got, want) {
			return
		}
	}
	w.Fatalf("heard %d of %d tags", len(got), len(want))
}

// hearTime is how long tags are listened for: a round of a reader that sends by
// itself may be over before it has been given the processor.
const hearTime = 20 * time.Second

// forget has what was heard before something was taken away told no more.
func (w *wandTest) forget() {
	w.Helper()
	if err := w.Rest(); err != nil {
		w.Fatalf("Rest() = %v", err)
	}
}

func testHearNothing(w *wandTest) {
	if got := w.hear(3); len(got) != 0 {
		w.Errorf("Hear() of nothing = %v", got)
	}
}

func testHear(w *wandTest) {
	var tags []*uhf.Tag
	for n := range 40 {
		tags = append(tags, w.tag(n, 12))
		if n == 0 || n == 4 || n == 39 {
			w.expect(tags...)
		}
	}
	for _, t := range tags[5:] {
		w.f.Remove(t)
	}
	w.forget()
	w.expect(tags[:5]...)
}

// testRest: a reader that has rested hears what is there by then.
func testRest(w *wandTest) {
	a, b := w.tag(1, 12), w.tag(2, 12)
	for range 2 {
		if err := w.Rest(); err != nil {
			w.Fatalf("Rest() = %v", err)
		}
	}
	w.expect(a, b)
	if err := w.Rest(); err != nil {
		w.Fatalf("Rest() = %v", err)
	}
	w.f.Remove(a)
	w.forget()
	w.expect(b)
}

// testSizes: EPCs of all lengths that libraries have.
func testSizes(w *wandTest) {
	var tags []*uhf.Tag
	for _, size := range []int{2, 4, 12, 16, 24, 30} {
		tags = append(tags, w.tag(size, size))
	}
	w.expect(tags...)
	for _, t := range tags {
		got, err := w.ReadBank(t.EPC(), drivers.BankTID, 0, 6)
		if err != nil || !bytes.Equal(got, t.Bank(drivers.BankTID)) {
			w.Errorf("ReadBank() of the TID of %X = %X, %v; want %X", t.EPC(), got, err, t.Bank(drivers.BankTID))
		}
	}
}

// alive fails on an error that means that the reader is at fault.
func (w *wandTest) alive(what string, err error) {
	w.Helper()
	if errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrGone) {
		w.Fatalf("%s = %v; the reader is well, it is the tag", what, err)
	}
}

func testReadBank(w *wandTest) {
	w.tag(99, 12) // another one, which must not be read
	t := w.tag(1, 16)
	for range 2 { // what was heard before can be read, and heard again
		w.hear(1)
		for bank, ranges := range map[drivers.Bank][][2]int{
			drivers.BankEPC: {{0, 2}, {1, 1}, {0, 10}}, drivers.BankTID: {{0, 6}, {2, 4}}, drivers.BankUser: {{0, 1}, {0, 32}, {31, 1}, {5, 20}},
		} {
			for _, r := range ranges {
				got, err := w.ReadBank(t.EPC(), bank, r[0], r[1])
				if want := t.Bank(bank)[2*r[0] : 2*(r[0]+r[1])]; err != nil || !bytes.Equal(got, want) {
					w.Fatalf("ReadBank(%d, %v) = %X, %v; want %X", bank, r, got, err, want)
				}
			}
		}
	}
	_, err := w.ReadBank(t.EPC(), drivers.BankUser, 31, 2)
	if w.alive("ReadBank() behind the end", err); err == nil {
		w.Error("ReadBank() behind the end gives some")
	}
}

func testAbsentWand(w *wandTest) {
	there := w.tag(1, 12)
	before := there.Bank(drivers.BankUser)
	away := bytes.Repeat([]byte{0xA5}, 12)
	_, err := w.ReadBank(away, drivers.BankTID, 0, 2)
	if w.alive("ReadBank()", err); !errors.Is(err, drivers.ErrNoTag) {
		w.Errorf("ReadBank() of a tag that is not there = %v; want ErrNoTag", err)
	}
	if x, ok := w.Wand.(drivers.BankWriter); ok {
		err := x.WriteBank(away, drivers.BankUser, 0, []byte("none"))
		if w.alive("WriteBank()", err); !errors.Is(err, drivers.ErrNoTag) {
			w.Errorf("WriteBank() to a tag that is not there = %v; want ErrNoTag", err)
		}
	}
	if !bytes.Equal(there.Bank(drivers.BankUser), before) {
		w.Error("the other tag was changed")
	}
}

// testTwins: two tags of one EPC are heard as one, and nothing is read that
// both have sent.
func testTwins(w *wandTest) {
	a := w.tag(1, 12)
	b := uhf.NewTag(2, 0x01C2, a.EPC(), 64)
	w.f.Place(b, uhf.Coupling{})
	w.expect(a)
	_, err := w.ReadBank(a.EPC(), drivers.BankTID, 0, 6)
	if w.alive("ReadBank()", err); err == nil {
		w.Error("ReadBank() of two tags gives one's")
	}
}

// testFlickerWand: tags at the edge are heard some time, and errors are theirs.
func testFlickerWand(w *wandTest) {
	var tags []*uhf.Tag
	for n := range 10 {
		t := w.tag(n, 12)
		w.f.Place(t, uhf.Coupling{Miss: 0.4})
		tags = append(tags, t)
	}
	w.expect(tags...)
	read := 0
	for range 10 {
		for _, t := range tags[:2] {
			got, err := w.ReadBank(t.EPC(), drivers.BankTID, 0, 6)
			w.alive("ReadBank()", err)
			if err == nil && !bytes.Equal(got, t.Bank(drivers.BankTID)) {
				w.Fatalf("ReadBank() = %X; want %X", got, t.Bank(drivers.BankTID))
			}
			if err == nil {
				read++
			}
		}
	}
	if read == 0 {
		w.Error("nothing could be read in 20 tries")
	}
}

func (w *wandTest) writer() drivers.BankWriter {
	x, ok := w.Wand.(drivers.BankWriter)
	if !ok {
		w.Skip("this reader does not write")
	}
	return x
}

func testWriteBank(w *wandTest) {
	x := w.writer()
	t, other := w.tag(1, 12), w.tag(2, 12)
	epc, want, untouched := t.EPC(), t.Bank(drivers.BankUser), other.Bank(drivers.BankUser)
	w.hear(1)
	for _, r := range [][2]int{{0, 1}, {3, 5}, {0, 32}, {31, 1}} {
		fresh := []byte(strings.Repeat(fmt.Sprintf("%d-%d/", r[0], r[1]), 20))[:2*r[1]]
		copy(want[2*r[0]:], fresh)
		if err := x.WriteBank(epc, drivers.BankUser, r[0], fresh); err != nil {
			w.Fatalf("WriteBank(%v) = %v", r, err)
		}
		if got := t.Bank(drivers.BankUser); !bytes.Equal(got, want) {
			w.Fatalf("after WriteBank(%v) the tag has\n%X; want\n%X", r, got, want)
		}
	}
	if !bytes.Equal(other.Bank(drivers.BankUser), untouched) {
		w.Error("WriteBank() changed another tag")
	}
	w.expect(t, other)
}

// testNewEPC: with the AFI, a tag keeps its EPC; with another UII it is heard
// as that.
func testNewEPC(w *wandTest) {
	x := w.writer()
	t := w.tag(1, 12)
	epc, pc := t.EPC(), []byte{byte(t.PC() >> 8), 0x07}
	w.hear(1)
	if err := x.WriteBank(epc, drivers.BankEPC, 1, pc); err != nil || byte(t.PC()) != 0x07 {
		w.Fatalf("WriteBank() of the PC = %v, it is %04X", err, t.PC())
	}
	fresh := slices.Repeat([]byte{0x14, 0x1C}, 8)
	if err := x.WriteBank(epc, drivers.BankEPC, 1, append([]byte{8<<3 | 1, 0xC2}, fresh...)); err != nil || !bytes.Equal(t.EPC(), fresh) {
		w.Fatalf("WriteBank() of another EPC = %v, it is %X", err, t.EPC())
	}
	w.forget()
	w.expect(t)
}

func testLockedBank(w *wandTest) {
	x := w.writer()
	t := w.tag(1, 12)
	t.Lock(drivers.BankUser)
	before := t.Bank(drivers.BankUser)
	w.hear(1)
	err := x.WriteBank(t.EPC(), drivers.BankUser, 0, []byte("new!")) // which the chip refuses
	w.alive("WriteBank() of a locked bank", err)
	if !errors.Is(err, drivers.ErrLocked) || !bytes.Equal(t.Bank(drivers.BankUser), before) {
		w.Errorf("WriteBank() of a locked bank = %v; want ErrLocked", err)
	}
}

// TestLostWandAnswers: of a wand whose answers are lost now and then, what is
// read is right all the same, and belongs to the question. Serve is its far end
// on a field, which loses them; open opens it.
func TestLostWandAnswers(t *testing.T, serve func(device io.ReadWriter, f *uhf.Field) error, open func(t *testing.T, l drivers.Link) drivers.Wand) {
	synctest.Test(t, func(t *testing.T) {
		f := uhf.New(1)
		var tags []*uhf.Tag
		for n := range 3 {
			tags = append(tags, uhf.NewTag(uint32(n), 0x01C2, bytes.Repeat([]byte{byte(n + 1)}, 12), 8))
			f.Place(tags[n], uhf.Coupling{})
		}
		host, device := NewCable()
		ended := make(chan error, 1)
		go func() { ended <- serve(device, f) }()
		w := open(t, host)
		for range 3 {
			if _, err := w.Hear(); err != nil {
				t.Fatalf("Hear() = %v", err)
			}
			for _, tag := range tags {
				got, err := w.ReadBank(tag.EPC(), drivers.BankTID, 0, 6)
				if err != nil || !bytes.Equal(got, tag.Bank(drivers.BankTID)) {
					t.Fatalf("ReadBank() = %X, %v; want %X", got, err, tag.Bank(drivers.BankTID))
				}
			}
		}
		w.Close()
		<-ended
	})
}
