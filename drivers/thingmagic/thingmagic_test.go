package thingmagic

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
	"github.com/carrel-kiosk/carrel/drivers/thingmagic/thingmagicsim"
)

// plug puts a simulated module at the far end of a serial port.
func plug(t *testing.T, f *uhf.Field, o thingmagicsim.Options) drivers.Link {
	t.Helper()
	return drivertest.Plug(t, link.Config{Baud: 115200, DataBits: 8}, func(rw io.ReadWriter) error { return thingmagicsim.Serve(rw, f, o) })
}

// config is the one that a driver has that is told nothing.
func config(t *testing.T) Config {
	t.Helper()
	var c Config
	if err := drivers.SetDefaults(&c); err != nil {
		t.Fatal(err)
	}
	c.Reply, c.Round = drivers.Duration(2*time.Second), drivers.Duration(30*time.Millisecond)
	return c
}

func open(t *testing.T, l drivers.Link, c Config) *Wand {
	t.Helper()
	w, err := Open(l, c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWand(t *testing.T) {
	for name, o := range map[string]thingmagicsim.Options{"running": {}, "in its boot loader": {Boot: true}} {
		t.Run(name, func(t *testing.T) {
			drivertest.TestWand(t, func(t *testing.T, f *uhf.Field) drivers.Wand { return open(t, plug(t, f, o), config(t)) })
		})
	}
}

// TestLeftReading: a module that the program before has left reading is
// stopped.
func TestLeftReading(t *testing.T) {
	f := uhf.New(1)
	tag := uhf.NewTag(1, 0x01C2, bytes.Repeat([]byte{7}, 12), 8)
	f.Place(tag, uhf.Coupling{})
	l := plug(t, f, thingmagicsim.Options{})
	for range 2 {
		w := open(t, l, config(t))
		list, err := w.Hear()
		for end := time.Now().Add(20 * time.Second); err == nil && len(list) == 0 && time.Now().Before(end); {
			list, err = w.Hear() // the other end may not have been given the processor yet
		}
		if err != nil || len(list) != 1 || list[0].PC != tag.PC() || list[0].RSSI >= 0 || list[0].RSSI < -90 {
			t.Fatalf("Hear() = %+v, %v; want the tag, with its PC and strength", list, err)
		}
	}
	l.Close()
}

// TestLostAnswers: one of four answers is lost; what is read is right all the
// same, and belongs to the question.
func TestLostAnswers(t *testing.T) {
	drivertest.TestLostWandAnswers(t,
		func(device io.ReadWriter, f *uhf.Field) error {
			return thingmagicsim.Serve(device, f, thingmagicsim.Options{LoseEvery: 4})
		},
		func(t *testing.T, l drivers.Link) drivers.Wand { return open(t, l, config(t)) })
}

// TestSession is a conversation of the logs of SparkFun's library: the module
// is found and set up, reads continuously, and its user memory is read. That
// of the set-up is in another order there.
func TestSession(t *testing.T) {
	tape, err := drivertest.ReadTape(strings.NewReader(`
> FF 03 2F 00 00 02 5E 86
> FF 00 03 1D 0C
< FF 14 03 00 00 14 12 08 00 30 00 00 02 20 15 03 10 01 03 01 47 00 00 00 10 EB FF
> FF 00 0C 1D 03
< FF 01 0C 00 00 52 63 03
> FF 01 97 08 4B B5
< FF 00 97 00 00 77 9E
> FF 02 93 00 05 51 7D
< FF 00 93 00 00 37 1A
> FF 02 91 01 01 70 3B
< FF 00 91 00 00 17 58
> FF 02 92 0A 8C 4B D5
< FF 00 92 00 00 27 3B
> FF 03 9A 01 0C 00 A3 5D
< FF 00 9A 00 00 A6 33
> FF 10 2F 00 00 01 22 00 00 05 07 22 10 00 1B 03 E8 01 FF DD 2B
< FF 04 2F 00 00 01 22 00 00 6D C3
< FF 1E 22 00 00 10 00 1B 01 FF 01 01 D6 11 0E 08 30 00 00 00 08 00 00 05 00 00 0F 00 30 08 00 CC DD B7 15 73 1A
< FF 1E 22 00 00 10 00 1B 01 FF 01 01 D6 11 0E 08 30 00 00 00 27 00 00 05 00 00 0F 00 30 08 00 CC DD B7 15 9F 20
< FF 00 22 04 00 84 E0
= 1s
> FF 03 2F 00 00 02 5E 86
< FF 01 2F 00 00 02 30 E6
`))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := config(t)
		c.Power = 27
		w := open(t, drivertest.Playback(t, tape), c)
		if got, want := w.Identity(), "ThingMagic module, hardware 30000002, firmware 1.3.1.71 of 20150310"; got != want {
			t.Errorf("Identity() = %q; want %q", got, want)
		}
		list, err := w.Hear()
		if err != nil || len(list) != 1 || !bytes.Equal(list[0].EPC, []byte{0xCC, 0xDD}) || list[0].PC != 0x0800 || list[0].RSSI != -42 {
			t.Errorf("Hear() = %+v, %v; want CCDD at -42 dBm", list, err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
}

// TestRead is the reading of user memory in those logs: 32 words of a tag, and
// behind its end. The log asks for all there is, within a second.
func TestRead(t *testing.T) {
	f, err := filter([]byte{0x59, 0x6F, 0x59, 0x6F})
	if err != nil {
		t.Fatal(err)
	}
	got := question(opRead, append([]byte{0x03, 0xE8, 0x11, 0, 0, byte(drivers.BankUser), 0, 0, 0, 0, 0}, f...)...)
	if want := unhex(t, "FF 14 28 03 E8 11 00 00 03 00 00 00 00 00 00 00 00 00 20 59 6F 59 6F 53 8F"); !bytes.Equal(got, want) {
		t.Errorf("the question is\n%X; want\n%X", got, want)
	}
	a, _, err := decode(unhex(t, "FF 00 28 04 23 25 89"))
	if err != nil || !errors.Is(errorOf(a.status), drivers.ErrNoBlock) {
		t.Errorf("behind the end: %v, %v; want ErrNoBlock", err, errorOf(a.status))
	}
}

// TestQuiet: a module that reads and gives no sign of life is missing; one that
// is too hot says so.
func TestQuiet(t *testing.T) {
	for name, last := range map[string]answer{"silent": {}, "hot": {op: opTags, status: statusHot}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host, device := drivertest.NewCable()
				w := &Wand{line: line{Frames: link.Frames[answer]{Link: host, Decode: decode}, reply: time.Second}, round: 100 * time.Millisecond, reading: true, sign: time.Now()}
				if last.op != 0 {
					device.Write(last.encode())
				}
				var err error
				for n := 0; err == nil && n < 100; n++ {
					_, err = w.Hear()
				}
				if !errors.Is(err, drivers.ErrSilent) || strings.Contains(err.Error(), "hot") != (name == "hot") {
					t.Errorf("Hear() = %v", err)
				}
			})
		})
	}
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		c := config(t)
		c.Reply = drivers.Duration(time.Second)
		if _, err := Open(drivertest.Silent{}, c); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > 4*time.Second {
			t.Errorf("Open() on a silent line = %v after %v; want ErrSilent", err, time.Since(begin))
		}
	})
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]Config{
		"region": {Region: "moon", Power: 20}, "power": {Region: "eu", Power: 31}, "round": {Region: "eu", Power: 20, Round: drivers.Duration(time.Hour)},
	} {
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%+v: %v; want something about its %s", c, err, name)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFrames: published frames, and computed ones, of the family.
func TestFrames(t *testing.T) {
	own := map[string][]byte{
		"get version": question(opVersion), "boot firmware": question(opBoot), "start continuous": question(opMulti, begin...),
		"stop continuous": question(opMulti, stop...), "set region 08": question(opRegion, regions["eu"]), "read power 10.00": question(opPower, 0x03, 0xE8),
	}
	host, records := 0, 0
	for _, p := range drivertest.PublishedFrames(t, "thingmagic-frames.txt") {
		b := p.Data
		for what, frame := range own {
			if strings.Contains(p.Note, what) {
				if host++; !bytes.Equal(frame, b) {
					t.Errorf("%s is %X; want %X", what, frame, b)
				}
			}
		}
		if strings.Contains(p.Note, "module:") {
			records++
			a, n, err := decode(b)
			tag, ok := tagOf(a.data)
			if err != nil || n != len(b) || !bytes.Equal(a.encode(), b) || !ok || tag.RSSI != -60 || tag.PC != 0x3000 || hex.EncodeToString(tag.EPC) != "000000000000000000001545" {
				t.Errorf("decode(%X) = %+v, %v; a tag %+v", b, a, err, tag)
			}
		}
	}
	if host != len(own) || records != 1 {
		t.Errorf("%d frames of the host and %d records; want %d and 1", host, records, len(own))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(answer{opTags, 0, []byte{0x10, 0, 0x1B, 0, 2, 1, 0xC4, 0, 0x30, 8, 0, 0xCC, 0xDD, 0xB7, 0x15}}.encode())
	f.Add([]byte{0xFF, 0xFF, 0, 0xFF, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if tag, ok := tagOf(b); ok && (len(tag.EPC) < 2 || len(tag.EPC) > maxEPC || len(tag.EPC)%2 != 0) {
			t.Errorf("tagOf(%x) has an EPC of %d bytes", b, len(tag.EPC))
		}
		a, n, err := decode(b)
		if n > len(b) || err != nil && !errors.Is(err, link.ErrPart) && n == 0 {
			t.Fatalf("decode(%x) takes %d bytes with %v", b, n, err)
		}
		if err != nil {
			return
		}
		errorOf(a.status) //nolint:errcheck // it must not panic
		if again, k, err := decode(a.encode()); err != nil || k != len(a.encode()) || !bytes.Equal(again.data, a.data) || again.op != a.op || again.status != a.status {
			t.Errorf("%+v comes back as %+v, %v", a, again, err)
		}
	})
}
