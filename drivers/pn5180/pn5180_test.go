package pn5180

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/pn5180/pn5180sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

var lines = Config{Busy: pn5180sim.Busy, Select: pn5180sim.Select, Reset: pn5180sim.Reset, Tries: 1}

func TestPad(t *testing.T) {
	drivertest.TestPad(t, func(t *testing.T, f *field.Field) drivers.Pad {
		p, err := Open(pn5180sim.New(f, pn5180sim.Options{}), lines)
		if err != nil {
			t.Fatal(err)
		}
		return p
	})
}

// bubble runs a test by a clock that costs nothing, with true airtime.
func bubble(t *testing.T, o pn5180sim.Options, test func(t *testing.T, f *field.Field, c *pn5180sim.Chip)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := field.New(1)
		f.Wait = time.Sleep
		test(t, f, pn5180sim.New(f, o))
	})
}

// TestAirtime: an inventory costs little more than the air.
func TestAirtime(t *testing.T) {
	bubble(t, pn5180sim.Options{}, func(t *testing.T, f *field.Field, c *pn5180sim.Chip) {
		p, err := Open(c, lines)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 20 {
			f.Place(field.NewTag(drivertest.NewUID(n), 28, 4), field.Coupling{})
		}
		before, begin := f.Airtime(), time.Now()
		tags, err := p.Inventory()
		if air, took := f.Airtime()-before, time.Since(begin); err != nil || len(tags) != 20 || took > air*13/10 {
			t.Errorf("Inventory() = %d tags, %v, in %v with %v of air", len(tags), err, took, air)
		}
	})
}

// TestOption: a tag of TI answers a write behind another end of frame.
func TestOption(t *testing.T) {
	bubble(t, pn5180sim.Options{}, func(t *testing.T, f *field.Field, c *pn5180sim.Chip) {
		p, err := Open(c, lines)
		if err != nil {
			t.Fatal(err)
		}
		tag := field.NewTag(drivers.UID{0xE0, iso15693.TI, 1, 2, 3, 4, 5, 6}, 64, 4)
		f.Place(tag, field.Coupling{})
		if err := p.Write(tag.UID, 1, drivers.Blocks{Size: 4, Data: []byte("TI!!")}); err != nil || string(tag.Memory[4:8]) != "TI!!" {
			t.Errorf("Write() = %v, the tag has %q", err, tag.Memory[4:8])
		}
	})
}

// TestTrouble: no chip, a BUSY that stays high and a field that breaks down
// are errors that have the device opened again, within a second.
func TestTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		o    pn5180sim.Options
		text string
	}{
		"no chip": {pn5180sim.Options{NoChip: true}, "wires"}, "stuck": {pn5180sim.Options{Stuck: true}, "BUSY"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, c.o, func(t *testing.T, f *field.Field, chip *pn5180sim.Chip) {
				begin := time.Now()
				if _, err := Open(chip, lines); !errors.Is(err, drivers.ErrSilent) || !strings.Contains(err.Error(), c.text) || time.Since(begin) > 2*time.Second {
					t.Errorf("Open() = %v after %v; want ErrSilent with %q", err, time.Since(begin), c.text)
				}
			})
		})
	}
	bubble(t, pn5180sim.Options{BrownOut: 5}, func(t *testing.T, f *field.Field, c *pn5180sim.Chip) {
		p, err := Open(c, lines)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Inventory(); !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Inventory() over a brown-out = %v; want ErrSilent", err)
		}
		if p, err = Open(c, lines); err != nil {
			t.Fatalf("Open() after it = %v", err)
		}
		if _, err := p.Inventory(); err != nil {
			t.Errorf("Inventory() after it = %v", err)
		}
	})
	bubble(t, pn5180sim.Options{Old: true}, func(t *testing.T, f *field.Field, c *pn5180sim.Chip) {
		p, err := Open(c, lines)
		if err != nil || !strings.Contains(p.Identity(), "3.5 (older") {
			t.Errorf("Identity() = %q, %v; want a warning", p.Identity(), err)
		}
	})
}

func TestCheck(t *testing.T) {
	for c, ok := range map[Config]bool{lines: true, {Busy: "A", Select: "B", Reset: "A", Tries: 1}: false, {Busy: "A", Select: "B", Tries: 1}: false, {Busy: "A", Select: "B", Reset: "C"}: false} {
		if err := c.Check(); (err == nil) != ok {
			t.Errorf("Check(%+v) = %v", c, err)
		}
	}
}

// recorder notes the transactions with a chip.
type recorder struct {
	drivers.Bus
	frames []string
	mute   bool // the chip does not tell that it has sent
}

func (r *recorder) Transfer(w, rd []byte) error {
	err := r.Bus.Transfer(w, rd)
	if r.mute && len(r.frames) > 0 && r.frames[len(r.frames)-1] == "0402" && len(rd) > 0 {
		rd[0] &^= 0x02
	}
	if rd != nil {
		w = rd
	}
	r.frames = append(r.frames, strings.ToUpper(hex.EncodeToString(w)))
	return err
}

// TestSteps: an inventory of one slot in the steps of the chip's libraries.
func TestSteps(t *testing.T) {
	f := field.New(1)
	f.Place(field.NewTag(drivers.UID{0xE0, 4, 1, 8, 0x0A, 0x0B, 0x0C, 0x0D}, 28, 4), field.Coupling{})
	r := &recorder{Bus: pn5180sim.New(f, pn5180sim.Options{})}
	p, err := Open(r, lines)
	if err != nil {
		t.Fatal(err)
	}
	r.frames = nil
	got, err := p.Send([]byte{0x26, 1, 0})
	if want := []byte{0, 0, 0x0D, 0x0C, 0x0B, 0x0A, 8, 1, 4, 0xE0}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("Send() = %x, %v; want %x", got, err, want)
	}
	want := "0200F8FFFFFF 0003FFFF0F00 010003000000 041D 00000001 0900260100 0402"
	if all := strings.Join(r.frames, " "); !strings.HasPrefix(all, want) || !strings.HasSuffix(all, "0413 0A000000 0A00 00000D0C0B0A080104E0") {
		t.Errorf("transactions %s; want %s ... 0A00", all, want)
	}
}

// TestSession: each transaction of the published conversation is one of ours,
// and in that order but for the clearing of interrupts, which comes after the
// chip has gone idle. Its chip tells an answer without telling that the request
// was sent.
func TestSession(t *testing.T) {
	var all struct {
		Sessions []struct {
			Device string
			Steps  [][3]string
		}
	}
	drivertest.PublishedJSON(t, "sessions.json", &all)
	f := field.New(1)
	tag := field.NewTag(drivers.UID{0xE0, 4, 1, 8, 0x0A, 0x0B, 0x0C, 0x0D}, 28, 4)
	tag.DSFID = 0x3E
	f.Place(tag, field.Coupling{})
	r := &recorder{Bus: pn5180sim.New(f, pn5180sim.Options{}), mute: true}
	p, err := Open(r, lines)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Send([]byte{0x26, 1, 0}); err != nil {
		t.Fatal(err)
	}
	const clear, idle = "0003FFFF0F00", "0200F8FFFFFF"
	var want []string
	for _, s := range all.Sessions {
		for _, step := range s.Steps {
			switch {
			case s.Device != "pn5180":
			case step[0] == clear:
			case step[0] == idle:
				want = append(want, idle, clear)
			default:
				want = append(want, step[0], step[1])
			}
		}
	}
	if len(want) == 0 {
		t.Fatal("there is no session of such a chip")
	}
	at := 0
	for _, frame := range r.frames {
		for at < len(want) && want[at] == "" {
			at++
		}
		if at < len(want) && frame == want[at] {
			at++
		}
	}
	if at < len(want) {
		t.Errorf("%s is not among the transactions %v", want[at], r.frames)
	}
}

// liar answers every read with bytes of a fuzzer's.
type liar struct{ data []byte }

func (l *liar) Transfer(_, r []byte) error {
	n := copy(r, l.data)
	l.data = l.data[n:]
	return nil
}
func (l *liar) Pin(string) (drivers.Pin, error)       { return l, nil }
func (l *liar) I2C() bool                             { return false }
func (l *liar) Close() error                          { return nil }
func (l *liar) Out(bool) error                        { return nil }
func (l *liar) Wait(high bool, d time.Duration) error { return nil }

// FuzzReceived: whatever the chip says of an answer, it is bounded.
func FuzzReceived(f *testing.F) {
	f.Add([]byte{0x0A, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 0xE0})
	f.Add([]byte{0xFF, 0x01, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		l := &liar{b}
		c := &chip{bus: l, busy: l, sel: l, rst: l}
		if got, err := c.received(); err == nil && (len(got) == 0 || len(got) > maxRX) {
			t.Errorf("received() = %d bytes", len(got))
		}
	})
}
