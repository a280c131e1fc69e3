package feig

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

func (f frame) text() string { return hex.EncodeToString(f.encode()) }

func step(k drivertest.Kind, text string) drivertest.Step {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err) // in our own source
	}
	return drivertest.Step{Kind: k, Data: b}
}

func host(text string) drivertest.Step   { return step(drivertest.Host, text) }
func device(text string) drivertest.Step { return step(drivertest.Device, text) }
func wait(d time.Duration) drivertest.Step {
	return drivertest.Step{Kind: drivertest.Quiet, Wait: d}
}

// hello is what is said when a reader is opened.
func hello() drivertest.Tape {
	return drivertest.Tape{
		host("06FF52000F6E"), device("06005200FCA8"),
		host("05FF65E5CB"), device("0D006500030300444C0008D2CB"),
		host("06FF6600CDBF"), device("11006600030300444C0008010001008932"),
		host("07FFB001001C56"), device("0600B0015C63"),
	}
}

const oneTag = "1100B00001033EE0040150A05F02B7AF6D" // an inventory's answer

// TestLateAnswer: an answer that comes after its time is not that of the
// question put again.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tape := append(hello(),
			host("05FF698901"), device("06006900F6FA"),
			host("07FFB001001C56"), // its answer comes 2 s later
			host("06FF52000F6E"), wait(500*time.Millisecond), device(oneTag), device("06005200FCA8"),
			host("05FF698901"), device("06006900F6FA"),
			host("07FFB001001C56"), device("0600B0015C63"))
		p := open(t, drivertest.Playback(t, tape), Config{})
		if tags, err := p.Inventory(); err != nil || len(tags) != 0 {
			t.Errorf("Inventory() = %v, %v; want none", tags, err)
		}
	})
}

// TestDamage: an answer with a broken CRC is none; one behind noise is.
func TestDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tape := append(hello(),
			host("05FF698901"), device("06006900F6FB"),
			host("06FF52000F6E"), device("06005200FCA8"),
			host("05FF698901"), device("FB"), device("06006900F6FA"),
			host("07FFB001001C56"), device("0200"), device(oneTag))
		p := open(t, drivertest.Playback(t, tape), Config{})
		if tags, err := p.Inventory(); err != nil || len(tags) != 1 || tags[0].DSFID != 0x3E {
			t.Errorf("Inventory() = %v, %v; want one", tags, err)
		}
	})
}

// TestDead: a reader that dies is given up soon, and tried again when asked.
func TestDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := host("06FF52000F6E"), host("05FF65E5CB")
		p := open(t, drivertest.Playback(t, append(hello(), host("05FF698901"), a, b, a, b, a)), Config{})
		for range 2 {
			begin := time.Now()
			if _, err := p.Inventory(); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > tries*1510*time.Millisecond {
				t.Errorf("Inventory() = %v after %v; want ErrSilent", err, time.Since(begin))
			}
		}
	})
}

// TestSetEAS: a model without custom commands gets the request over the air;
// the frame is the one of the manual.
func TestSetEAS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		uid, _ := drivers.ParseUID("E004010809B9CB12")
		air := "15FFBF020018021F22A20412CBB909080104E01FB7"
		tape := append(hello(),
			host("10FFB104A201E004010809B9CB128274"), device(frame{cmd: cmdCustom, data: []byte{statusUnknown}}.text()),
			host(air), device(frame{cmd: cmdTransparent, data: []byte{0, 0, 0x78, 0xF0}}.text()),
			host(air), device(frame{cmd: cmdTransparent, data: []byte{0, 1, iso15693.CodeLocked, 0, 0}}.text()))
		p := open(t, drivertest.Playback(t, tape), Config{})
		if err := p.WriteEAS(uid, true); err != nil {
			t.Errorf("WriteEAS() = %v", err)
		}
		if err := p.WriteEAS(uid, true); !errors.Is(err, drivers.ErrLocked) {
			t.Errorf("WriteEAS() of a locked one = %v; want ErrLocked", err)
		}
	})
}

// TestLockOnce: what can't be undone is not said again after silence.
func TestLockOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		uid := drivertest.NewUID(1)
		lock := frame{adr: anyone, cmd: cmdISO, data: slices.Concat([]byte{isoLock, addressed}, uid[:], []byte{5, 1})}
		p := open(t, drivertest.Playback(t, append(hello(), host(lock.text()))), Config{})
		if err := p.Lock(uid, 5); !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Lock() = %v; want ErrSilent", err)
		}
	})
}

func TestIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tape, begin := hello(), time.Now()
		p := open(t, drivertest.Playback(t, slices.Clone(tape)), Config{})
		if pauses := time.Since(begin); pauses != 3*idle {
			t.Errorf("four questions are put in %v; want %v, as readers need a pause", pauses, 3*idle)
		}
		if got, want := p.Identity(), "FEIG MR101-A, firmware 3.3"; got != want {
			t.Errorf("Identity() = %q; want %q", got, want)
		}
		tape[3] = device("0D 00 65 00 03 03 00 44 53 0D 30 33 09") // as published, a reader of cards
		p = open(t, drivertest.Playback(t, tape), Config{})
		if got := p.Identity(); !strings.HasPrefix(got, "FEIG CPR40, ") || !strings.HasSuffix(got, "does not read ISO 15693") {
			t.Errorf("Identity() of a reader of cards = %q", got)
		}
	})
}

// TestStatus: the class of each status.
func TestStatus(t *testing.T) {
	for _, c := range []struct {
		a    answer
		want error
	}{
		{answer{0x00, nil}, nil}, {answer{0x01, nil}, drivers.ErrNoTag}, {answer{0x02, nil}, drivers.ErrAir},
		{answer{0x03, []byte{2}}, drivers.ErrNotWritten}, {answer{0x04, nil}, drivers.ErrNoBlock}, {answer{0x0B, nil}, iso15693.ErrCollision},
		{answer{0x16, nil}, drivers.ErrLocked}, {answer{0x80, nil}, drivers.ErrUnsupported}, {answer{0x83, []byte{1}}, drivers.ErrAir},
		{answer{0x84, nil}, drivers.ErrAir}, {answer{0x84, []byte{0}}, nil}, {answer{0x93, []byte{0}}, drivers.ErrFull},
		{answer{0x95, []byte{0x12, 2}}, drivers.ErrLocked}, {answer{0x95, []byte{0x0F}}, drivers.ErrLocked},
		{answer{0x95, []byte{0x10}}, drivers.ErrNoBlock}, {answer{0x95, []byte{0xA0}}, drivers.ErrNotWritten}, {answer{0x95, nil}, drivers.ErrAir},
	} {
		if _, err := c.a.ok(); !errors.Is(err, c.want) {
			t.Errorf("status %02X %x is %v; want %v", c.a.status, c.a.data, err, c.want)
		}
	}
	for status := range 256 {
		if _, err := (answer{byte(status), nil}).ok(); (err == nil) != (status == 0) || errors.Is(err, drivers.ErrSilent) {
			t.Errorf("status %02X is %v", status, err)
		}
	}
}

// TestSets: cards of other kinds in an inventory, one that hides the rest, and
// answers that are cut.
func TestSets(t *testing.T) {
	book, card, long, b := "033EE0040150A05F02B7", "04000000000011223344", "04040000112233445566778899", "05001122334455667788"
	for _, c := range []struct {
		data string
		n    int
		want error
	}{
		{"", 0, nil}, {"00", 0, nil}, {"01" + book, 1, nil}, {"02" + book + book, 1, nil}, {"04" + card + long + b + book, 1, nil},
		{"03" + book + "87" + book, 1, drivers.ErrUnsupported}, {"02" + book, 1, drivers.ErrAir}, {"01" + book[:18], 0, drivers.ErrAir}, {"0104", 0, drivers.ErrAir},
	} {
		var list []drivers.Tag
		if err := sets(host(c.data).Data, &list); !errors.Is(err, c.want) || len(list) != c.n {
			t.Errorf("%s: %d tags, %v; want %d, %v", c.data, len(list), err, c.n, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	c := Config{}
	if err := drivers.SetDefaults(&c); err != nil || c.Check() != nil || c.Reply != drivers.Duration(1500*time.Millisecond) {
		t.Errorf("the defaults are %+v, %v, %v", c, err, c.Check())
	}
	for _, c := range []Config{{Frames: "long"}, {Mode: "all"}} {
		if c.Check() == nil {
			t.Errorf("Check() of %+v finds nothing", c)
		}
	}
}

// TestFrames: published frames, and computed ones.
func TestFrames(t *testing.T) { drivertest.TestFrames(t, "feig-frames.txt", decode, frame.encode) }

// TestSession: a whole day of a pad, as it should go.
func TestSession(t *testing.T) {
	var file struct {
		Sessions []struct {
			Device, Name string
			TagMemory    string `json:"tag_memory"`
			Steps        [][]string
		}
	}
	drivertest.PublishedJSON(t, "sessions.json", &file)
	played := 0
	for _, s := range file.Sessions {
		if s.Device != "feig" {
			continue
		}
		played++
		memory, err := hex.DecodeString(s.TagMemory)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(s.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, drivertest.Playback(t, recorded(s.Steps)), Config{})
				day(t, p, memory)
			})
		})
	}
	if played == 0 {
		t.Error("there is no session of such a reader")
	}
}

// recorded makes a tape of steps, with what the driver says besides: it asks
// for an inventory once when it opens the reader, resets the field before each
// inventory, and asks for a sign of life after silence.
func recorded(steps [][]string) (tape drivertest.Tape) {
	const reset, inventory = "05FF698901", "07FFB001001C56"
	for i, s := range steps {
		if s[0] == inventory && steps[i-1][0] != reset {
			tape = append(tape, host(reset), device("06006900F6FA"))
		}
		tape = append(tape, host(s[0]))
		if s[1] == "" {
			tape = append(tape, host("06FF52000F6E"), host("05FF65E5CB"))
			continue
		}
		tape = append(tape, device(s[1]))
		if i == 2 {
			tape = append(tape, host(inventory), device("0600B0015C63"))
		}
	}
	return tape
}

// day does what the session has.
func day(t *testing.T, p *Pad, memory []byte) {
	one, two := drivers.UID{0xE0, 4, 1, 8, 0x0A, 0x0B, 0x0C, 0x0D}, drivers.UID{0xE0, 4, 1, 0x50, 0xA0, 0x5F, 2, 0xB7}
	tags, err := p.Inventory()
	if want := []drivers.Tag{{UID: one, DSFID: 0x3E}, {UID: two, DSFID: 0x3E}}; err != nil || !slices.Equal(tags, want) {
		t.Errorf("Inventory() = %v, %v; want %v", tags, err, want)
	}
	if b, err := p.Read(one, 0, 9); err != nil || b.Size != 4 || b.N() != 9 || !bytes.HasPrefix(b.Data, memory[:min(len(memory), 36)]) {
		t.Errorf("Read() = %x, %v; want %x", b.Data, err, memory)
	}
	want := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%s = %v; want %v", what, got, want)
		}
	}
	want("WriteAFI() of a book that moved", p.WriteAFI(one, 0xC2), drivers.ErrNoTag)
	want("WriteAFI()", p.WriteAFI(one, 0xC2), nil)
	if afi, err := p.AFI(one); err != nil || afi != 0xC2 {
		t.Errorf("AFI() = %02X, %v; want C2", afi, err)
	}
	want("WriteAFI() of a locked one", p.WriteAFI(two, 0xC2), drivers.ErrLocked)
	if tags, err := p.Inventory(); err != nil || len(tags) != 0 {
		t.Errorf("Inventory() of an empty pad = %v, %v", tags, err)
	}
	if _, err := p.Inventory(); err == nil || errors.Is(err, drivers.ErrSilent) || !strings.Contains(fmt.Sprint(err), "scan mode") {
		t.Errorf("Inventory() in scan mode = %v", err)
	}
	_, err = p.Inventory()
	want("Inventory() of a silent reader", err, drivers.ErrSilent)
}

// TestSplit: frames cut at every place, glued together, with rubbish before.
func TestSplit(t *testing.T) {
	b := slices.Concat([]byte{0x00, 0x04, 0x01}, frame{cmd: 0xB0, data: []byte{0, 2, 5}}.encode(), frame{long: true, cmd: 0x65, data: make([]byte, 300)}.encode(), frame{cmd: 0x69}.encode())
	for cut := range b {
		got := drivertest.Decoded(decode, b[:cut], b[cut:])
		if len(got) != 3 || got[0].cmd != 0xB0 || len(got[1].data) != 300 || got[2].cmd != 0x69 {
			t.Fatalf("cut at %d: %+v; want all frames", cut, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(frame{cmd: 0xB0, data: []byte{0, 2, 4, 0, 1, 2, 3, 4, 0, 5, 6, 7, 8}}.encode())
	f.Add(frame{long: true, cmd: 0xB0, data: []byte{0x94, 1, 3, 0, 0xE0, 4, 1, 2, 3, 4, 5, 6}}.encode())
	f.Add([]byte{0x02, 0xFF, 0xFF, 0x06})
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, n, err := decode(b)
		if n > len(b) || err != nil && (n == 0) != errors.Is(err, link.ErrPart) {
			t.Fatalf("decode(%x) takes %d bytes with %v", b, n, err)
		}
		if at := behind(b); at > 0 {
			if _, _, err := decode(b[at:]); err != nil {
				t.Errorf("behind(%x) = %d, where there is %v", b, at, err)
			}
		}
		if err == nil && !bytes.Equal(fr.encode(), b[:n]) {
			t.Errorf("%x comes back as %x", b[:n], fr.encode())
		}
		// what is in a frame, with a CRC that fits or not
		var list []drivers.Tag
		sets(b, &list)
		p := Pad{}
		if got, locks, err := p.blocks(b); err == nil && (got.N() != len(locks) || got.N() != int(b[0])) {
			t.Errorf("blocks(%x) = %d blocks, %d locks", b, got.N(), len(locks))
		}
		if len(b) > 0 {
			answer{b[0], b[1:]}.ok()
		}
	})
}
