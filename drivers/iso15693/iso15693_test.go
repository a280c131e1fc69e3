package iso15693_test

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

func uid(t testing.TB, s string) drivers.UID {
	t.Helper()
	u, err := drivers.ParseUID(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestRequests: frames with their CRC as computed from ISO/IEC 15693-3; the
// first two were captured from a reader and a tag.
func TestRequests(t *testing.T) {
	u, ti := uid(t, "E004010809B9CB12"), uid(t, "E007A4000B3F7265")
	for want, req := range map[string][]byte{
		"2220" + "65723F0B00A407E0" + "00" + "4B5D":    {0x22, 0x20, 0x65, 0x72, 0x3F, 0x0B, 0x00, 0xA4, 0x07, 0xE0, 0},
		"0000" + "65723F0B00A407E0" + "EA7A":           append([]byte{0, 0}, iso15693.Reversed(ti)...),
		"2223" + "12CBB909080104E0" + "0008" + "C042":  iso15693.Read(u, 0, 9),
		"222B" + "12CBB909080104E0" + "F627":           iso15693.Info(u),
		"2202" + "12CBB909080104E0" + "F8E2":           iso15693.StayQuiet(u),
		"2225" + "12CBB909080104E0" + "23FC":           iso15693.Select(u),
		"2227" + "12CBB909080104E0" + "C2" + "4D5E":    iso15693.WriteAFI(u, 0xC2),
		"2221" + "12CBB909080104E0" + "0011010131981D": iso15693.WriteBlock(u, 0, []byte{0x11, 1, 1, 0x31}),
		"22A204" + "12CBB909080104E0" + "15C1":         iso15693.SetEAS(u, true),
		"22A304" + "12CBB909080104E0" + "32ED":         iso15693.SetEAS(u, false),
	} {
		crc := iso15693.CRC(req)
		got := append(append([]byte{}, req...), byte(crc), byte(crc>>8))
		if b, _ := hex.DecodeString(want); string(got) != string(b) {
			t.Errorf("%X; want %s", got, want)
		}
	}
	if req := iso15693.WriteAFI(ti, 7); req[0] != 0x62 {
		t.Errorf("a write to TI's tag has flags %02X; want the option flag", req[0])
	}
}

// TestFrames: every frame of the test data has our CRC. One that is a request
// we make is made so, and an answer is read for what stands beside it.
func TestFrames(t *testing.T) {
	u, ti := uid(t, "E004010809B9CB12"), uid(t, "E007A4000B3F7265")
	ours := map[string]bool{}
	for _, req := range [][]byte{
		iso15693.Read(u, 0, 9), iso15693.Info(u), iso15693.StayQuiet(u), iso15693.Select(u), iso15693.WriteAFI(u, 0xC2), iso15693.WriteAFI(u, 7),
		iso15693.WriteBlock(u, 0, []byte{0x11, 1, 1, 0x31}), iso15693.SetEAS(u, true), iso15693.SetEAS(u, false),
	} {
		ours[string(req)] = false
	}
	n := 0
	for line := range strings.Lines(string(drivertest.Published(t, "iso15693-air.txt"))) {
		text, _, ok := strings.Cut(line, ";")
		if !ok || strings.HasPrefix(text, "#") {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil || len(b) < 3 {
			t.Fatalf("%q: %v", text, err)
		}
		body, end := b[:len(b)-2], b[len(b)-2:]
		if crc := iso15693.CRC(body); byte(crc) != end[0] || byte(crc>>8) != end[1] {
			t.Errorf("CRC(%X) = %04X; want %X, low byte first", body, crc, end)
		}
		if _, ok := ours[string(body)]; ok {
			ours[string(body)] = true
		}
		switch {
		case len(body) == 10 && body[0] == 0 && iso15693.UID(body[2:]) != ti:
			t.Errorf("UID of %X = %v; want %v", body, iso15693.UID(body[2:]), ti)
		case len(body) == 2 && body[0] == 1:
			if _, err := iso15693.Answer(body); !errors.Is(err, drivers.ErrLocked) {
				t.Errorf("Answer(%X) = %v; want ErrLocked", body, err)
			}
		case len(body) == 1 && body[0] == 0:
			if data, err := iso15693.Answer(body); err != nil || len(data) != 0 {
				t.Errorf("Answer(00) = %X, %v", data, err)
			}
		}
		n++
	}
	if n < 20 {
		t.Errorf("found %d frames", n)
	}
	for req, found := range ours {
		if !found {
			t.Errorf("%X, which we send, is not among the frames", req)
		}
	}
}

// TestAirtime compares with figures that were computed apart from ours.
func TestAirtime(t *testing.T) {
	var figures struct {
		Commands map[string]float64            `json:"commands_ms"`
		Read     map[string]map[string]float64 `json:"read_multiple_ms"`
		Slots    map[string]map[string]float64 `json:"inventory16_ms"`
	}
	drivertest.PublishedJSON(t, "airtime.json", &figures)
	near := func(what string, got time.Duration, ms float64) {
		t.Helper()
		if d := got.Seconds()*1000 - ms; d < -0.006 || d > 0.006 || ms == 0 {
			t.Errorf("%s takes %v; want %.2f ms", what, got, ms)
		}
	}
	u := uid(t, "E004010809B9CB12")
	long := func(req []byte) time.Duration { return iso15693.Exchange(len(req), 1) }
	c := figures.Commands
	near("inventory of one slot", iso15693.Exchange(3, 10), c["inventory 1 slot, 1 tag"])
	near("system information", iso15693.Exchange(len(iso15693.Info(u)), 15), c["get system information"])
	near("select", long(iso15693.Select(u)), c["select"])
	near("stay quiet", iso15693.Down(len(iso15693.StayQuiet(u)))+iso15693.Gap, c["stay quiet (no answer)"])
	near("write of a block", long(iso15693.WriteBlock(u, 0, make([]byte, 4))), c["write single block: least"])
	near("write of the AFI", long(iso15693.WriteAFI(u, 7)), c["write AFI: least"])
	near("EAS", long(iso15693.SetEAS(u, true)), c["NXP EAS set/reset: least"])
	for blocks, ms := range figures.Read {
		n, _ := strconv.Atoi(blocks)
		near("read of "+blocks, iso15693.Exchange(len(iso15693.Read(u, 0, n)), 1+4*n), ms["addressed"])
	}
	for answers, ms := range figures.Slots["100%"] {
		k, _ := strconv.Atoi(answers)
		near("16 slots with "+answers, iso15693.Down(3)+time.Duration(k)*iso15693.Reply(10)+
			time.Duration(16-k)*iso15693.Unanswered()+15*iso15693.NextSlot(), ms)
	}
}

func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		want error
	}{
		{nil, drivers.ErrAir}, {[]byte{1}, drivers.ErrAir}, {[]byte{1, 0x12}, drivers.ErrLocked}, {[]byte{1, 0x0F}, drivers.ErrLocked},
		{[]byte{1, 0x10}, drivers.ErrNoBlock}, {[]byte{1, 0x01}, drivers.ErrUnsupported}, {[]byte{1, 0x13}, drivers.ErrNotWritten},
		{[]byte{0}, nil}, {[]byte{0, 1, 2}, nil},
	} {
		got, err := iso15693.Answer(c.in)
		if !errors.Is(err, c.want) || err == nil && len(got) != len(c.in)-1 {
			t.Errorf("Answer(%x) = %x, %v; want %v", c.in, got, err, c.want)
		}
	}
}

// TestParseInfo: an SLIX2's answer (SL2S2602, 9.5.12), and cut ones.
func TestParseInfo(t *testing.T) {
	b, _ := hex.DecodeString("0F12CBB909080104E03E074F0301")
	i, u, err := iso15693.ParseInfo(b)
	if want := (drivers.Info{DSFID: 0x3E, AFI: 7, IC: 1, Blocks: 80, Size: 4}); err != nil || i != want || u != uid(t, "E004010809B9CB12") {
		t.Errorf("ParseInfo() = %+v, %v, %v; want %+v", i, u, err, want)
	}
	for n := range len(b) {
		if _, _, err := iso15693.ParseInfo(b[:n]); !errors.Is(err, drivers.ErrAir) {
			t.Errorf("ParseInfo() of %d bytes = %v; want ErrAir", n, err)
		}
	}
}

// noise answers every slot damaged.
type noise struct{ sent int }

func (n *noise) Send([]byte) ([]byte, error) { n.sent++; return nil, drivers.ErrAir }
func (n *noise) Slot() ([]byte, error)       { n.sent++; return nil, drivers.ErrAir }

// TestInventoryEnds: noise looks like collisions without end.
func TestInventoryEnds(t *testing.T) {
	n := &noise{}
	if got, err := iso15693.Inventory(n); len(got) != 0 || err != nil || n.sent > 5000 {
		t.Errorf("Inventory() of noise = %v, %v after %d slots", got, err, n.sent)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0, 0x0F, 1, 2, 3, 4, 5, 6, 7, 0xE0, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		if data, err := iso15693.Answer(b); err == nil {
			iso15693.ParseInfo(data)
		}
	})
}
