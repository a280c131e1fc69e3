package device

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/hidscan"
)

func TestTyped(t *testing.T) {
	got, err := typed("0aB9")
	want := "[[0 0 39 0 0 0 0 0] [0 0 0 0 0 0 0 0] [0 0 4 0 0 0 0 0] [0 0 0 0 0 0 0 0] [2 0 5 0 0 0 0 0] [0 0 0 0 0 0 0 0] [0 0 38 0 0 0 0 0] [0 0 0 0 0 0 0 0] " +
		"[0 0 40 0 0 0 0 0] [0 0 0 0 0 0 0 0]]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("typed() = %v, %v; want %s", got, err, want)
	}
	if _, err := typed("a b"); err == nil {
		t.Error("a space is typed")
	}
}

func TestRead(t *testing.T) {
	long := strings.Repeat("x", 60)
	got := read(long)
	if len(got) != 2 || got[0][1] != 56 || got[0][63] != 1 || got[1][1] != 4 || got[1][63] != 0 || string(got[1][5:9]) != "xxxx" {
		t.Errorf("read() of 60 characters = %v", got)
	}
	for _, r := range got {
		if len(r) != 64 || r[0] != 2 || string(r[2:5]) != "]C0" {
			t.Errorf("report % x", r)
		}
	}
}

// TestFrame: a bridge's status comes before each packet, and none of the bytes
// is lost, whatever the host reads at once.
func TestFrame(t *testing.T) {
	frame := FTDI("").Frame
	sent := make([]byte, 300)
	for i := range sent {
		sent[i] = byte(i)
	}
	for _, most := range []int{3, 63, 64, 65, 66, 67, 512, 4096} {
		var got []byte
		for data := sent; len(data) > 0; {
			transfer, taken := frame(data, most)
			if len(transfer) > most || taken == 0 {
				t.Fatalf("at most %d: a transfer of %d, %d taken", most, len(transfer), taken)
			}
			data = data[taken:]
			for len(transfer) > 0 {
				packet := transfer[:min(64, len(transfer))]
				transfer = transfer[len(packet):]
				if packet[0] != 0x01 || packet[1] != 0x60 {
					t.Fatalf("at most %d: packet % x has no status", most, packet)
				}
				got = append(got, packet[2:]...)
			}
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("at most %d: % x came", most, got)
		}
	}
}

// tape is a device that has said its reports when they are asked for.
type tape struct {
	drivers.Reports
	page    uint16
	reports [][]byte
}

func (p *tape) ReadReport(b []byte, _ time.Duration) (int, error) {
	if len(p.reports) == 0 {
		return 0, drivers.ErrGone
	}
	n := copy(b, p.reports[0])
	p.reports = p.reports[1:]
	return n, nil
}
func (p *tape) Close() error      { return nil }
func (p *tape) UsagePage() uint16 { return p.page }

// TestUnderstood: the driver reads the code that the scanner was shown.
func TestUnderstood(t *testing.T) {
	const code = "30000000000017"
	keys, err := typed(code)
	if err != nil {
		t.Fatal(err)
	}
	for mode, dev := range map[string]*tape{"keyboard": {page: 1, reports: keys}, "pos": {page: 0x8C, reports: read(code)}} {
		s, err := hidscan.Open(dev, hidscan.Config{Mode: mode, Layout: "us", Unended: "drop", Form: "auto", Enable: "auto", Idle: drivers.Duration(100 * time.Millisecond)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := s.Scans(t.Context(), func(s drivers.Scan) { got = append(got, s.Text) }); !errors.Is(err, drivers.ErrGone) {
			t.Errorf("%s: Scans() = %v", mode, err)
		}
		if len(got) != 1 || got[0] != code {
			t.Errorf("%s: the driver reads %q; want %q", mode, got, code)
		}
	}
}

// TestLine: what the host writes is read here; what is written while nobody is
// plugged in goes nowhere.
func TestLine(t *testing.T) {
	d := ACM("L1")
	l := NewLine(d)
	if n, err := l.Write([]byte("lost")); n != 4 || err != nil {
		t.Errorf("Write() = %d, %v", n, err)
	}
	d.Wrote(bulkOut, []byte("abc"))
	for _, want := range []string{"ab", "c"} {
		b := make([]byte, 2)
		if n, err := l.Read(b); err != nil || string(b[:n]) != want {
			t.Errorf("Read() = %q, %v; want %q", b[:n], err, want)
		}
	}
}
