package rfid3m

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
	"github.com/carrel-kiosk/carrel/drivers/rfid3m/rfid3msim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// plug puts a simulated reader at the far end of a serial port.
func plug(t *testing.T, f *field.Field, o rfid3msim.Options) drivers.Link {
	t.Helper()
	return drivertest.Plug(t, link.Config{Baud: 19200, DataBits: 8}, func(rw io.ReadWriter) error { return rfid3msim.Serve(rw, f, o) })
}

func wire(f *field.Field, o rfid3msim.Options) drivers.Link {
	return drivertest.Wire(func(rw io.ReadWriter) error { return rfid3msim.Serve(rw, f, o) })
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
	for name, o := range map[string]rfid3msim.Options{
		"plain": {}, "marked": {End: rfid3msim.Marked, Terse: true}, "fewer": {End: rfid3msim.Fewer, Twice: true},
		"unfounded": {End: rfid3msim.Unfounded, Telling: true}, "old": {NoDSFID: true},
	} {
		t.Run(name, func(t *testing.T) {
			drivertest.TestPad(t, func(t *testing.T, f *field.Field) drivers.Pad { return open(t, plug(t, f, o), 2*time.Second) })
		})
	}
}

// TestBadLine: bytes that come one by one, answers that are lost, late and
// broken.
func TestBadLine(t *testing.T) {
	for name, o := range map[string]rfid3msim.Options{
		"lost": {LoseEvery: 4}, "late": {LateEvery: 3}, "broken": {BreakEvery: 4}, "no greeting": {NoGreeting: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := field.New(1)
				for n := range 5 {
					tag := field.NewTag(drivertest.NewUID(n), 28, 4)
					tag.AFI, tag.Memory[0] = byte(n), byte(n)
					f.Place(tag, field.Coupling{})
				}
				l := &drivertest.Flaky{Link: wire(f, o), Rand: rand.New(rand.NewPCG(1, 1))}
				p := open(t, l, 150*time.Millisecond)
				defer p.Close()
				for range 2 {
					if tags, err := p.Inventory(); err != nil || len(tags) != 5 {
						t.Fatalf("Inventory() = %v, %v; want 5 tags", tags, err)
					}
					for n := range 5 {
						if b, err := p.Read(drivertest.NewUID(n), 0, 9); err != nil || b.N() != 9 || b.Data[0] != byte(n) {
							t.Fatalf("Read() of tag %d = %x, %v", n, b.Data, err)
						}
						if afi, err := p.AFI(drivertest.NewUID(n)); err != nil || afi != byte(n) {
							t.Fatalf("AFI() of tag %d = %02X, %v", n, afi, err)
						}
					}
				}
			})
		})
	}
}

// TestLockOnce: a lock whose answer is lost is not asked for again.
func TestLockOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := field.New(1)
		tag := field.NewTag(drivertest.NewUID(1), 28, 4)
		f.Place(tag, field.Coupling{})
		p := open(t, wire(f, rfid3msim.Options{LoseEvery: 3}), 150*time.Millisecond)
		defer p.Close()
		p.Inventory() // behind the greeting and this, the third answer
		if err := p.Lock(tag.UID, 3); !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Lock() = %v; want ErrSilent", err)
		}
		if got, err := p.Locked(tag.UID, 2, 3); err != nil || !slices.Equal(got, []bool{false, true, false}) {
			t.Errorf("Locked() = %v, %v; want the second", got, err)
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

// Questions on tapes.
var (
	hello   = frame{startUp, greeting}.encode()
	helloed = frame{startUp, append(greeting[:3:3], 0x0A, 5, 2, 0x1B)}.encode()
	version = frame{start, []byte{cmdVersion}}.encode()
	told    = frame{start, []byte{cmdVersion, 0, 0x0A, 3, 2, 6}}.encode()
	listing = frame{start, []byte{cmdInventory, 0, tellUID | tellDSFID}}.encode()
	none    = frame{start, []byte{cmdInventory, 0, 0, 7, 0}}.encode()
)

func host(b []byte) drivertest.Step { return drivertest.Step{Kind: drivertest.Host, Data: b} }
func device(b ...[]byte) drivertest.Step {
	return drivertest.Step{Kind: drivertest.Device, Data: slices.Concat(b...)}
}
func quiet(d time.Duration) drivertest.Step { return drivertest.Step{Kind: drivertest.Quiet, Wait: d} }
func addressed(n int, said ...byte) frame {
	uid := drivertest.NewUID(n)
	return frame{start, slices.Concat(said[:1], uid[:], said[1:])}
}
func answered(n int, cmd byte, b ...byte) frame {
	return addressed(n, append([]byte{cmd}, b...)...).status()
}

// status puts 00 behind the command.
func (f frame) status() frame { return frame{f.start, slices.Insert(slices.Clone(f.said), 1, 0)} }

// one is an answer to an inventory, of one tag.
func one(n int) []byte {
	uid := drivertest.NewUID(n)
	return frame{start, append([]byte{cmdInventory, 0, 0, 7, 1, 0x3E}, uid[:]...)}.encode()
}

// play opens a pad on a tape, of which the greeting need not be told, and waits
// a second for each answer.
func play(t *testing.T, tape ...drivertest.Step) *Pad {
	t.Helper()
	tape = append(drivertest.Tape{host(hello), device(helloed)}, tape...)
	return open(t, drivertest.Playback(t, tape), time.Second)
}

// TestWrongSpeed: what comes at another speed is noise, and another device
// sends texts.
func TestWrongSpeed(t *testing.T) {
	for name, noise := range map[string][]byte{
		"noise": {0xD6, 0xFF, 0x00, 0xE0, 0xD5, 0x00}, "a scanner": []byte("31234000010064\r"),
		"short": {0xD5, 0, 9, 4}, "long": {0xD6, 8, 0, 1}, "another start": frame{start, helloed[3:10]}.encode(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tape := drivertest.Tape{host(hello), device(noise), host(version), device(noise), host(hello), device(noise)}
				if _, err := Open(drivertest.Playback(t, tape), Config{Reply: drivers.Duration(time.Second)}); !errors.Is(err, drivers.ErrSilent) {
					t.Errorf("Open() = %v; want ErrSilent", err)
				}
			})
		})
	}
}

// TestRubbish: the beginning of a frame that never ends does not swallow the
// answer behind it.
func TestRubbish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, begin := play(t, host(listing), device([]byte{0xD6, 8, 0}, one(1))), time.Now()
		if tags, err := p.Inventory(); err != nil || len(tags) != 1 || tags[0].DSFID != 0x3E || time.Since(begin) >= time.Second {
			t.Errorf("Inventory() = %v, %v after %v; want one tag at once", tags, err, time.Since(begin))
		}
	})
}

// TestBroken: an answer with a wrong CRC is asked for again, soon, and when
// nothing of it is under way.
func TestBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := one(1)
		bad[12] ^= 1
		p, begin := play(t, host(listing), device(bad), host(version), device(told), host(listing), device(one(1))), time.Now()
		if tags, err := p.Inventory(); err != nil || len(tags) != 1 || tags[0].UID != drivertest.NewUID(1) || time.Since(begin) >= time.Second {
			t.Errorf("Inventory() = %v, %v after %v; want one tag soon", tags, err, time.Since(begin))
		}
		if got, want := p.Identity(), "3M RFID pad, version 3.2.6"; got != want {
			t.Errorf("Identity() = %q; want %q", got, want)
		}
	})
}

// TestLate: answers to the question before are dropped: of another command, of
// another tag, and, after a silence, of the same command.
func TestLate(t *testing.T) {
	uid := drivertest.NewUID(1)
	ask, right := addressed(1, cmdAFI).encode(), answered(1, cmdAFI, 0xC2).encode()
	refused := frame{start, []byte{cmdAFI, 0x06}}.encode()
	for name, tape := range map[string][]drivertest.Step{
		"another command": {host(ask), device(one(1), right)},
		"another tag":     {host(ask), device(answered(2, cmdAFI, 0x07).encode(), right)},
		"after a silence": {host(ask), quiet(1500 * time.Millisecond), host(version), device(answered(1, cmdAFI, 0x07).encode(), told), host(ask), device(right)},
		"a refusal":       {host(ask), quiet(1500 * time.Millisecond), host(version), device(refused, told), host(ask), device(right)},
		"while busy": {host(ask), quiet(1500 * time.Millisecond), host(version), device(refused), quiet(1500 * time.Millisecond),
			host(hello), device(helloed), host(ask), device(right)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if afi, err := play(t, tape...).AFI(uid); err != nil || afi != 0xC2 {
					t.Errorf("AFI() = %02X, %v; want C2", afi, err)
				}
			})
		})
	}
}

// TestLateAnswer: an answer that never came while its question was given up is
// waited for before the next question.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock := addressed(1, cmdLock, 2).encode()
		p := play(t, host(lock), quiet(1500*time.Millisecond), host(version), device(one(1), told), host(listing), device(none))
		if err := p.Lock(drivertest.NewUID(1), 2); !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Lock() = %v; want ErrSilent", err)
		}
		if tags, err := p.Inventory(); err != nil || len(tags) != 0 {
			t.Errorf("Inventory() = %v, %v; want none", tags, err)
		}
	})
}

// TestDead: a reader that dies is silent soon.
func TestDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, begin := play(t, host(listing), host(version), host(hello)), time.Now()
		if _, err := p.Inventory(); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > 3*time.Second {
			t.Errorf("Inventory() = %v after %v; want ErrSilent", err, time.Since(begin))
		}
	})
}

func TestInit(t *testing.T) {
	init := []byte{cmdInit, 4, 1, 0, 2, 0, 3, 0, 4, 0}
	for status, want := range map[byte]error{0: nil, 2: drivers.ErrUnsupported} {
		synctest.Test(t, func(t *testing.T) {
			tape := drivertest.Tape{host(hello), device(helloed), host(frame{start, init}.encode()), device(frame{start, []byte{cmdInit, status}}.encode())}
			if _, err := Open(drivertest.Playback(t, tape), Config{Init: "04 01 00 02 00 03 00 04 00"}); !errors.Is(err, want) {
				t.Errorf("Open() = %v; want %v", err, want)
			}
		})
	}
	for text, ok := range map[string]bool{"": true, "0401": true, "04 0": false, "init": false, strings.Repeat("00", 33): false} {
		if err := (Config{Init: text}).Check(); (err == nil) != ok {
			t.Errorf("Check() of init %q = %v", text, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for status, want := range map[byte]error{
		0x02: drivers.ErrUnsupported, 0x06: drivers.ErrNoTag, 0x0F: drivers.ErrAir, 0x11: drivers.ErrNoBlock, 0x12: drivers.ErrLocked,
		0x15: drivers.ErrAir, 0x16: drivers.ErrNotWritten, 0x31: drivers.ErrUnsupported, 0xFE: drivers.ErrAir,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := play(t, host(addressed(1, cmdWriteAFI, 0xC2).encode()), device(frame{start, []byte{cmdWriteAFI, status}}.encode()))
			if err := p.WriteAFI(drivertest.NewUID(1), 0xC2); !errors.Is(err, want) {
				t.Errorf("status %02X is %v; want %v", status, err, want)
			}
		})
	}
}

// TestInfo: the sizes of the memory in both orders, and a mask that has less.
func TestInfo(t *testing.T) {
	for said, want := range map[string]drivers.Info{
		"\x0F\x3E\x07\x03\x1B\x00\x02": {DSFID: 0x3E, AFI: 7, IC: 2, Blocks: 28, Size: 4},
		"\x0F\x3E\x07\x1B\x03\x02":     {DSFID: 0x3E, AFI: 7, IC: 2, Blocks: 28, Size: 4},
		"\x0F\x3E\x07\x07\x1F\x02":     {DSFID: 0x3E, AFI: 7, IC: 2, Blocks: 32, Size: 8},
		"\x06\x07\x03\x03":             {AFI: 7, Blocks: 4, Size: 4},
		"\x00":                         {},
	} {
		if got, err := info([]byte(said)); err != nil || got != want {
			t.Errorf("info(% X) = %+v, %v; want %+v", said, got, err, want)
		}
	}
	if _, err := info([]byte{0x0F, 0x3E, 7, 3}); !errors.Is(err, drivers.ErrAir) {
		t.Errorf("info() that is cut = %v; want ErrAir", err)
	}
}

// TestBlocks: what is not the blocks that were asked for is nothing, and a
// number above 255 is not another block.
func TestBlocks(t *testing.T) {
	for said, want := range map[string]error{
		"\x02\x05\x00abcd\x06\x02efgh": nil, "\x02\x05\x00abcd\x06\x11efgh": nil,
		"\x01\x05\x12abcd": drivers.ErrLocked, "\x00": drivers.ErrNoBlock,
		"\x01\x04\x00abcd": drivers.ErrAir, "\x02\x05\x00abcd\x05\x00efgh": drivers.ErrAir,
		"\x02\x05\x00abcd\x06\x00efg": drivers.ErrAir, "\x01\x05\x00abcdefgh": drivers.ErrAir, "\x03\x05\x00abcd": drivers.ErrAir,
	} {
		m, err := blocks([]byte(said), 5, 2, 4)
		if !errors.Is(err, want) || (err == nil) != (m.N() > 0) || err == nil && string(m.Data[:4]) != "abcd" {
			t.Errorf("blocks(%q) = %+v, %v; want %v", said, m, err, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		p, uid := play(t), drivertest.NewUID(1)
		_, read := p.Read(uid, 256, 1)
		wrote := p.Write(uid, 255, drivers.Blocks{Size: 4, Data: make([]byte, 8)})
		if lock := p.Lock(uid, 256); !errors.Is(read, drivers.ErrNoBlock) || !errors.Is(wrote, drivers.ErrNoBlock) || !errors.Is(lock, drivers.ErrNoBlock) {
			t.Errorf("blocks above 255: %v, %v, %v; want ErrNoBlock", read, wrote, lock)
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
func TestFrames(t *testing.T) {
	drivertest.TestFrames(t, "3m-frames.txt", decode, frame.encode)
	for _, p := range drivertest.PublishedFrames(t, "3m-frames.txt") {
		b := p.Data
		b[len(b)-1] ^= 0x10
		if _, _, err := decode(b); err == nil {
			t.Errorf("decode(%X) takes a wrong CRC", b)
		}
	}
}

// TestSession replays the conversation of the test data, but for its read with
// options, which this driver does not use.
func TestSession(t *testing.T) {
	var all struct {
		Sessions []struct {
			Device string
			Steps  [][3]string
		}
	}
	drivertest.PublishedJSON(t, "sessions.json", &all)
	var tape []drivertest.Step
	for _, s := range all.Sessions {
		if s.Device != "3m" {
			continue
		}
		for _, step := range s.Steps[1:] {
			if said := unhex(t, step[0]); said[3] != cmdRead || len(said) == 16 {
				tape = append(tape, host(said), device(unhex(t, step[1])))
			}
		}
	}
	a, b := drivers.UID(unhex(t, "E00401080A0B0C0D")), drivers.UID(unhex(t, "E0040150A05F02B7"))
	synctest.Test(t, func(t *testing.T) {
		p := play(t, tape...)
		p.tell = tellUID
		if tags, err := p.Inventory(); err != nil || !slices.Equal(tags, []drivers.Tag{{UID: a}, {UID: b}}) {
			t.Errorf("Inventory() = %v, %v; want both tags", tags, err)
		}
		want := unhex(t, "1101013130303030303030353600000000000098A4444B37313835303000000000000000")
		if got, err := p.Read(a, 0, 9); err != nil || got.Size != 4 || !bytes.Equal(got.Data, want) {
			t.Errorf("Read() = %x, %v; want %x", got.Data, err, want)
		}
		if _, err := p.Read(b, 0, 9); !errors.Is(err, drivers.ErrNoTag) {
			t.Errorf("Read() = %v; want ErrNoTag", err)
		}
		if err := p.WriteAFI(a, 0xC2); !errors.Is(err, drivers.ErrNotWritten) {
			t.Errorf("WriteAFI() = %v; want ErrNotWritten", err)
		}
		if err := p.WriteAFI(a, 0xC2); err != nil {
			t.Errorf("WriteAFI() = %v", err)
		}
		if afi, err := p.AFI(a); err != nil || afi != 0xC2 {
			t.Errorf("AFI() = %02X, %v; want C2", afi, err)
		}
		if tags, err := p.Inventory(); err != nil || len(tags) != 0 {
			t.Errorf("Inventory() = %v, %v; want none", tags, err)
		}
	})
}

// TestSplit: every frame cut at every place, with rubbish before and the next
// one behind.
func TestSplit(t *testing.T) {
	b := slices.Concat([]byte{0x00, 0xD6, 0x00, 0x02}, frame{start, []byte{0x0A, 0, 0xD6, 0xD5}}.encode(), helloed)
	for cut := range b {
		got := drivertest.Decoded(decode, b[:cut], b[cut:])
		if len(got) != 2 || got[0].start != start || got[1].start != startUp {
			t.Fatalf("cut at %d: %+v; want both frames", cut, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(one(1))
	f.Add(answered(1, cmdRead, 2, 0, 0, 1, 2, 3, 4, 1, 0x11, 0, 0, 0, 0).encode())
	f.Add([]byte{0xD6, 0x00, 0xD5, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, n, err := decode(b)
		if n > len(b) || err != nil && !errors.Is(err, link.ErrPart) && n == 0 {
			t.Fatalf("decode(%x) takes %d bytes with %v", b, n, err)
		}
		if err != nil {
			return
		}
		again := fr.encode()
		if !bytes.Equal(again, b[n-len(again):n]) {
			t.Errorf("%x comes back as %x", b[:n], again)
		}
		if m, err := blocks(fr.said, int(fr.said[0]), 16, 0); err == nil && (m.N() == 0 || m.N() != len(m.locked) || m.N()*m.Size != len(m.Data)) {
			t.Errorf("blocks(%x) = %+v", fr.said, m)
		}
		if list, err := tags(fr.said); err == nil && len(list) > int(fr.said[2]) {
			t.Errorf("tags(%x) = %v", fr.said, list)
		}
		info(fr.said)
	})
}
