package rl866

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/rl866/rl866sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// plug puts a simulated reader at the far end of a serial port.
func plug(t *testing.T, f *field.Field, o rl866sim.Options) drivers.Link {
	t.Helper()
	return drivertest.Plug(t, link.Config{Baud: 38400, DataBits: 8, Parity: "even"}, func(rw io.ReadWriter) error { return rl866sim.Serve(rw, f, o) })
}

func open(t *testing.T, l drivers.Link, reply time.Duration) *Pad {
	t.Helper()
	p, err := Open(l, Config{Reply: drivers.Duration(reply)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPad(t *testing.T) {
	for name, o := range map[string]rl866sim.Options{
		"plain": {}, "few at once": {PerAnswer: 3}, "chained": {Part: 20}, "sticky": {Sticky: true},
	} {
		t.Run(name, func(t *testing.T) {
			drivertest.TestPad(t, func(t *testing.T, f *field.Field) drivers.Pad { return open(t, plug(t, f, o), 2*time.Second) })
		})
	}
}

// TestPieces: bytes that come one by one, and answers that are lost.
func TestPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := field.New(1)
		for n := range 5 {
			f.Place(field.NewTag(drivertest.NewUID(n), 28, 4), field.Coupling{})
		}
		serve := func(rw io.ReadWriter) error { return rl866sim.Serve(rw, f, rl866sim.Options{LoseEvery: 4}) }
		l := &drivertest.Flaky{Link: drivertest.Wire(serve), Rand: rand.New(rand.NewPCG(1, 1))}
		p := open(t, l, 200*time.Millisecond)
		defer p.Close()
		for range 3 {
			tags, err := p.Inventory()
			if err != nil || len(tags) != 5 {
				t.Fatalf("Inventory() = %v, %v; want 5 tags", tags, err)
			}
			for _, tag := range tags {
				if b, err := p.Read(tag.UID, 0, 9); err != nil || b.N() != 9 {
					t.Fatalf("Read() = %d blocks, %v; want 9", b.N(), err)
				}
			}
		}
	})
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if _, err := Open(drivertest.Silent{}, Config{Reply: drivers.Duration(time.Second)}); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > 2*time.Second {
			t.Errorf("Open() on a silent line = %v after %v; want ErrSilent", err, time.Since(begin))
		}
	})
}

// TestWrongSpeed: what comes at another speed is noise, and another device
// sends texts.
func TestWrongSpeed(t *testing.T) {
	for name, noise := range map[string][]byte{"noise": {0xFA, 0xFF, 0x00, 0xE0, 0xFA, 0x04}, "a scanner": []byte("31234000010064\r"), "short": {0xFA, 5, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tape := drivertest.Tape{}
				sent := frame{rid: anyone, pcb: resync}.encode()
				tape = append(tape, drivertest.Step{Kind: drivertest.Host, Data: sent}, drivertest.Step{Kind: drivertest.Device, Data: noise})
				if _, err := Open(drivertest.Playback(t, tape), Config{Reply: drivers.Duration(time.Second)}); !errors.Is(err, drivers.ErrSilent) {
					t.Errorf("Open() = %v; want ErrSilent", err)
				}
			})
		})
	}
}

// TestLateAnswer: an answer to the question before is dropped.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := frame{1, sequence, []byte{cmdInventory, 0, 0, 0, 9, 0, 0}}.encode()
		right := frame{1, 0, []byte{cmdInventory, 0, 0, 0, 0, 0, 0}}.encode()
		tape := drivertest.Tape{
			{Kind: drivertest.Host, Data: frame{rid: anyone, pcb: resync}.encode()}, {Kind: drivertest.Device, Data: frame{1, resynced, nil}.encode()},
			{Kind: drivertest.Host, Data: frame{rid: anyone, inf: []byte{cmdInventory, 0}}.encode()}, {Kind: drivertest.Device, Data: slices.Concat(late, right)},
		}
		p := open(t, drivertest.Playback(t, tape), time.Second)
		if tags, err := p.Inventory(); err != nil || len(tags) != 0 {
			t.Errorf("Inventory() = %v, %v; want none", tags, err)
		}
	})
}

// still is a line whose next read comes when the process, which stood still, has
// waited too long.
type still struct {
	drivers.Link
	next  bool
	asked int
}

func (s *still) Write(p []byte) (int, error) {
	s.asked++
	return s.Link.Write(p)
}

func (s *still) Read(p []byte) (int, error) {
	if s.next {
		s.next = false
		time.Sleep(time.Minute)
		return 0, drivers.ErrSilent
	}
	return s.Link.Read(p)
}

// TestStoodStill: an answer that has come meanwhile is taken, and not asked for anew.
func TestStoodStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := field.New(1)
		f.Place(field.NewTag(drivertest.NewUID(1), 28, 4), field.Coupling{})
		l := &still{Link: drivertest.Wire(func(rw io.ReadWriter) error { return rl866sim.Serve(rw, f, rl866sim.Options{}) })}
		p := open(t, l, time.Second)
		defer p.Close()
		l.next, l.asked = true, 0
		if tags, err := p.Inventory(); err != nil || len(tags) != 1 || l.asked != 1 {
			t.Errorf("Inventory() = %v, %v after %d questions; want the tag after one", tags, err, l.asked)
		}
	})
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
func TestFrames(t *testing.T) { drivertest.TestFrames(t, "rl866-frames.txt", decode, frame.encode) }

// TestSession replays the conversation of the test data, byte for byte: start,
// two tags, read, AFI, and no tag left connected.
func TestSession(t *testing.T) {
	var all struct {
		Sessions []struct {
			Device string
			Steps  [][3]string
		}
	}
	drivertest.PublishedJSON(t, "sessions.json", &all)
	var tape drivertest.Tape
	for _, s := range all.Sessions {
		for _, step := range s.Steps {
			if s.Device == "rl866" {
				tape = append(tape, drivertest.Step{Kind: drivertest.Host, Data: unhex(t, step[0])}, drivertest.Step{Kind: drivertest.Device, Data: unhex(t, step[1])})
			}
		}
	}
	if len(tape) == 0 {
		t.Fatal("there is no session of such a reader")
	}
	synctest.Test(t, func(t *testing.T) {
		p := open(t, drivertest.Playback(t, tape), time.Second)
		a, b := drivers.UID(unhex(t, "E00401080A0B0C0D")), drivers.UID(unhex(t, "E0040150A05F02B7"))
		if tags, err := p.Inventory(); err != nil || !slices.Equal(tags, []drivers.Tag{{UID: a}, {UID: b}}) {
			t.Errorf("Inventory() = %v, %v; want both tags", tags, err)
		}
		want := unhex(t, "1101013130303030303030353600000000000098A4444B37313835303000000000000000")
		if got, err := p.Read(a, 0, 9); err != nil || got.Size != 4 || !bytes.Equal(got.Data, want) {
			t.Errorf("Read() = %x, %v; want %x", got.Data, err, want)
		}
		if err := p.WriteAFI(a, 0xC2); err != nil {
			t.Errorf("WriteAFI() = %v", err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
}

// TestSplit: every frame cut at every place, with rubbish before and the next
// one behind.
func TestSplit(t *testing.T) {
	b := slices.Concat([]byte{0x00, 0xFA, 0x03}, frame{1, 0x40, []byte{0x34, 0, 0, 0xFA}}.encode(), frame{1, 0, []byte{0x31}}.encode())
	for cut := range b {
		got := drivertest.Decoded(decode, b[:cut], b[cut:])
		if len(got) != 2 || got[0].pcb != 0x40 || got[1].inf[0] != 0x31 {
			t.Fatalf("cut at %d: %+v; want both frames", cut, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(frame{1, 0x40, []byte{0x34, 0, 0, 5, 3, 0, 1}}.encode())
	f.Add([]byte{0xFA, 0x00, 0xFA, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, n, err := decode(b)
		if n > len(b) || err != nil && !errors.Is(err, link.ErrPart) && n == 0 {
			t.Fatalf("decode(%x) takes %d bytes with %v", b, n, err)
		}
		if err != nil {
			return
		}
		if again, k, err := decode(fr.encode()); err != nil || k != len(fr.encode()) || !bytes.Equal(again.inf, fr.inf) || again.pcb != fr.pcb {
			t.Errorf("%+v comes back as %+v, %v", fr, again, err)
		}
		p := Pad{kinds: map[drivers.UID]kind{}}
		if data, err := status(fr.inf); err == nil {
			var list []drivers.Tag
			p.list(data, &list)
			result(data, opRead)
			blocks(data)
		}
	})
}
