package chafonuhf

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
	"github.com/carrel-kiosk/carrel/drivers/chafonuhf/chafonuhfsim"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
)

// plug puts a simulated reader at the far end of a serial port.
func plug(t *testing.T, f *uhf.Field, o chafonuhfsim.Options) drivers.Link {
	t.Helper()
	return drivertest.Plug(t, link.Config{Baud: 57600, DataBits: 8}, func(rw io.ReadWriter) error { return chafonuhfsim.Serve(rw, f, o) })
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
	for name, o := range map[string]chafonuhfsim.Options{"UHFReader288": {}, "UHFReader18": {Old: true}, "few at once": {PerAnswer: 1}} {
		t.Run(name, func(t *testing.T) {
			drivertest.TestWand(t, func(t *testing.T, f *uhf.Field) drivers.Wand {
				return open(t, plug(t, f, o), Config{Reply: drivers.Duration(2 * time.Second)})
			})
		})
	}
}

// TestLostAnswers: one of three answers is lost; what is read is right all the
// same, and belongs to the question.
func TestLostAnswers(t *testing.T) {
	drivertest.TestLostWandAnswers(t,
		func(device io.ReadWriter, f *uhf.Field) error {
			return chafonuhfsim.Serve(device, f, chafonuhfsim.Options{LoseEvery: 3, PerAnswer: 1})
		},
		func(t *testing.T, l drivers.Link) drivers.Wand {
			return open(t, l, Config{Round: drivers.Duration(100 * time.Millisecond)})
		})
}

// TestSession is a conversation by the published frames: who are you, one tag,
// nobody.
func TestSession(t *testing.T) {
	tape, err := drivertest.ReadTape(strings.NewReader(`
> 04 FF 21 19 95
< 11 00 21 00 00 16 0C 03 4E 00 1E 0A 01 00 00 00 E6 51
> 05 FF 2F 14 7B 42
< 05 00 2F 00 8D CD
> 0D FF 01 04 00 01 00 00 00 00 80 03 FA 0C
< 15 00 01 03 01 01 0C 30 39 60 63 03 C7 43 80 00 1A 05 59 40 F9 3E
< 07 00 01 01 01 00 1E 4B
`))
	if err != nil {
		t.Fatal(err)
	}
	for i := range tape { // the CRCs of what the host says are computed, and not published
		if tape[i].Kind == drivertest.Host {
			tape[i].Data = sealed(tape[i].Data[:len(tape[i].Data)-2])
		}
	}
	tape[3].Data = sealed(tape[3].Data[:len(tape[3].Data)-2])
	synctest.Test(t, func(t *testing.T) {
		w := open(t, drivertest.Playback(t, tape), Config{Power: 20})
		if got, want := w.Identity(), "Chafon UHFReader288, firmware 0.22, 20 dBm"; got != want {
			t.Errorf("Identity() = %q; want %q", got, want)
		}
		list, err := w.Hear()
		if err != nil || len(list) != 1 || hex.EncodeToString(list[0].EPC) != "3039606303c74380001a0559" {
			t.Errorf("Hear() = %v, %v; want one tag", list, err)
		}
	})
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if _, err := Open(drivertest.Silent{}, Config{Reply: drivers.Duration(time.Second)}); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > 4*time.Second {
			t.Errorf("Open() on a silent line = %v after %v; want ErrSilent", err, time.Since(begin))
		}
	})
}

func TestCheck(t *testing.T) {
	for _, c := range []Config{{Power: 31}, {Power: -1}, {Round: drivers.Duration(time.Minute)}, {Round: drivers.Duration(time.Millisecond)}} {
		if err := c.Check(); err == nil {
			t.Errorf("%+v is taken", c)
		}
		if _, err := Open(drivertest.Silent{}, c); err == nil || errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Open with %+v: %v", c, err)
		}
	}
}

// TestFrames: published frames of the family, and one with a wrong CRC.
func TestFrames(t *testing.T) {
	seen, tags := 0, 0
	for _, p := range drivertest.PublishedFrames(t, "chafon-uhf-frames.txt") {
		a, n, err := decode(p.Data)
		if (err == nil) != p.Good || p.Good && (n != len(p.Data) || !bytes.Equal(a.encode(), p.Data)) {
			t.Errorf("decode(%X) = %+v, %d, %v", p.Data, a, n, err)
		}
		if seen++; err != nil || a.cmd != cmdInventory {
			continue
		}
		w := Wand{info: info{kind: 0x0C}}
		if strings.Contains(p.Note, "UHFReader18") || len(a.data) > 2 && a.data[1] == 0x0C {
			w.kind = reader18
		}
		var list []drivers.UHFTag
		if err := w.list(a.data, &list); err != nil {
			t.Errorf("%X: %v", p.Data, err)
		}
		tags += len(list)
	}
	if seen != 12 || tags != 10 {
		t.Errorf("%d frames with %d tags; want 12 with 10", seen, tags)
	}
}

// TestSplit: a frame cut at every place, with rubbish before it.
func TestSplit(t *testing.T) {
	want := answer{0, cmdRead, 0, []byte{0xE2, 0x80}}
	b := append([]byte{0x00, 0x05, 0x01}, want.encode()...)
	for cut := range b {
		l := &drivertest.Tape{{Kind: drivertest.Device, Data: b[cut:]}}
		if cut > 0 {
			l = &drivertest.Tape{{Kind: drivertest.Device, Data: b[:cut]}, {Kind: drivertest.Device, Data: b[cut:]}}
		}
		synctest.Test(t, func(t *testing.T) {
			r := link.Frames[answer]{Link: drivertest.Playback(t, *l), Decode: decode}
			if a, err := r.Next(time.Now().Add(time.Second)); err != nil || !bytes.Equal(a.data, want.data) {
				t.Errorf("cut at %d: %+v, %v", cut, a, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(answer{0, cmdInventory, more, []byte{1, 1, 2, 0x14, 0x1C, 0x6B}}.encode())
	f.Add([]byte{0x05, 0, 1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, n, err := decode(b)
		if n > len(b) || err != nil && !errors.Is(err, link.ErrPart) && n == 0 {
			t.Fatalf("decode(%x) takes %d bytes with %v", b, n, err)
		}
		for _, kind := range []byte{reader18, 0x0C} {
			w := Wand{info: info{kind: kind}}
			var list []drivers.UHFTag
			w.list(b, &list) //nolint:errcheck // it must not panic
			for _, t2 := range list {
				if len(t2.EPC) == 0 || len(t2.EPC) > maxEPC {
					t.Errorf("an EPC of %d bytes", len(t2.EPC))
				}
			}
		}
		if err != nil {
			return
		}
		infoOf(a)
		errorOf(a) //nolint:errcheck // it must not panic
		if again, k, err := decode(a.encode()); err != nil || k != len(a.encode()) || !bytes.Equal(again.data, a.data) || again.status != a.status {
			t.Errorf("%+v comes back as %+v, %v", a, again, err)
		}
	})
}
