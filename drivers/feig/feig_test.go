package feig

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/feig/feigsim"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// plug puts a simulated reader at the far end of a serial port.
func plug(t *testing.T, f *field.Field, o feigsim.Options) drivers.Link {
	t.Helper()
	return drivertest.Plug(t, link.Config{Baud: 38400, DataBits: 8, Parity: "even"}, func(rw io.ReadWriter) error { return feigsim.Serve(rw, f, o) })
}

// wire puts one at the far end of a network.
func wire(t *testing.T, f *field.Field, o feigsim.Options) drivers.Link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = feigsim.Serve(c, f, o)
			c.Close()
		}
		ended <- err
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return dial(t, link.Config{Path: "tcp://" + l.Addr().String()})
}

func dial(t *testing.T, c link.Config) drivers.Link {
	t.Helper()
	l, err := link.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t *testing.T, l drivers.Link, c Config) *Pad {
	t.Helper()
	p, err := Open(l, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPad(t *testing.T) {
	quick := drivers.Duration(2 * time.Second)
	for _, c := range []struct {
		name   string
		wire   func(*testing.T, *field.Field, feigsim.Options) drivers.Link
		reader feigsim.Options
		config Config
	}{
		{"serial", plug, feigsim.Options{}, Config{Reply: quick}},
		{"network, one tag at once", wire, feigsim.Options{PerAnswer: 1}, Config{Reply: quick}},
		{"advanced, order of the memory", wire, feigsim.Options{Advanced: true, MemoryOrder: true}, Config{Reply: quick, Frames: "advanced", MemoryOrder: true}},
		{"new tags alone, in parts", plug, feigsim.Options{OnlyNew: true, PerAnswer: 3}, Config{Reply: quick}},
		{"selected", plug, feigsim.Options{OnlyNew: true}, Config{Reply: quick, Mode: "selected"}},
		{"strict, small buffers, no custom commands", plug, feigsim.Options{Strict: true, Buffer: 40, NoCustom: true}, Config{Reply: quick}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			drivertest.TestPad(t, func(t *testing.T, f *field.Field) drivers.Pad { return open(t, c.wire(t, f, c.reader), c.config) })
		})
	}
}

// some puts tags into a field whose memories differ.
func some(f *field.Field, n int) (tags []*field.Tag) {
	for i := range n {
		tag := field.NewTag(drivertest.NewUID(i), 28, 4)
		for at := range tag.Memory {
			tag.Memory[at] = byte(16*i + at)
		}
		tag.AFI, tag.DSFID = byte(i), byte(0x10+i)
		f.Place(tag, field.Coupling{})
		tags = append(tags, tag)
	}
	return tags
}

// pipe is a line whose time is that of the bubble.
type pipe struct {
	net.Conn
	patience time.Duration
}

func (p *pipe) Patience(d time.Duration) error { p.patience = d; return nil }

func (p *pipe) Read(b []byte) (int, error) {
	p.SetReadDeadline(time.Now().Add(p.patience))
	n, err := p.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = drivers.ErrSilent
	}
	return n, err
}

// eager is an end of a line that keeps what is sent until it is read.
type eager struct {
	io.Reader
	out chan<- []byte
}

func (e eager) Write(b []byte) (int, error) { e.out <- slices.Clone(b); return len(b), nil }

func newPipe(f *field.Field, o feigsim.Options) *pipe {
	near, far := net.Pipe()
	out := make(chan []byte, 100)
	go func() { defer close(out); feigsim.Serve(eager{far, out}, f, o) }()
	go func() {
		for b := range out {
			far.Write(b) // fails when near is closed
		}
	}()
	return &pipe{Conn: near}
}

// TestPieces: bytes that come in pieces, and answers that are lost or come
// only after the next question was put. No answer is taken for another's.
func TestPieces(t *testing.T) {
	for name, o := range map[string]feigsim.Options{
		"lost": {LoseEvery: 5}, "late": {LateEvery: 5}, "lost and late": {LoseEvery: 17, LateEvery: 11, OnlyNew: true, PerAnswer: 2},
	} {
		for _, mode := range []string{"addressed", "selected"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := field.New(1)
					placed := some(f, 5)
					l := &drivertest.Flaky{Link: newPipe(f, o), Rand: rand.New(rand.NewPCG(1, 1))}
					p := open(t, l, Config{Mode: mode, Frames: "standard"})
					defer p.Close()
					for round := range 10 {
						stir(t, p, placed, round)
					}
				})
			})
		}
	}
}

// stir has each tag do something that no other does.
func stir(t *testing.T, p *Pad, placed []*field.Tag, round int) {
	t.Helper()
	tags, err := p.Inventory()
	if err != nil || len(tags) != len(placed) {
		t.Fatalf("Inventory() = %v, %v; want %d tags", tags, err, len(placed))
	}
	for i, tag := range placed {
		if b, err := p.Read(tag.UID, round, 9); err != nil || !bytes.Equal(b.Data, tag.Memory[4*round:4*round+36]) {
			t.Fatalf("Read() = %x, %v; want %x", b.Data, err, tag.Memory[4*round:4*round+36])
		}
		if err := p.WriteAFI(tag.UID, byte(0x10*round+i)); err != nil {
			t.Fatalf("WriteAFI() = %v", err)
		}
	}
	for i, tag := range placed {
		if afi, err := p.AFI(tag.UID); err != nil || afi != byte(0x10*round+i) || tag.AFI != afi {
			t.Fatalf("AFI() = %02X, %v; want %02X", afi, err, 0x10*round+i)
		}
	}
}

// TestSelected: before another tag is selected the field is off, so that none
// stays selected that does not hear of it; one is not selected twice, but is
// when something went wrong or the field was off.
func TestSelected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := drivertest.NewUID(1), drivertest.NewUID(2)
		fine, none := frame{cmd: cmdISO, data: []byte{0}}.text(), frame{cmd: cmdISO, data: []byte{1}}.text()
		choose := func(uid drivers.UID) drivertest.Tape {
			f := frame{adr: anyone, cmd: cmdISO, data: slices.Concat([]byte{0x25, 0x01}, uid[:])}
			return drivertest.Tape{host("05FF698901"), device("06006900F6FA"), host(f.text()), device(fine)}
		}
		write := host(frame{adr: anyone, cmd: cmdISO, data: []byte{0x27, 0x02, 0xC2}}.text())
		off := drivertest.Tape{host("06FF6A006D16"), device(frame{cmd: cmdField, data: []byte{0}}.text())}
		tape := slices.Concat(hello(),
			choose(one), drivertest.Tape{write, device(fine), write, device(fine)},
			choose(two), drivertest.Tape{write, device(none)},
			choose(two), drivertest.Tape{write, device(fine)}, off,
			choose(two), drivertest.Tape{write, device(fine)})
		p := open(t, drivertest.Playback(t, tape), Config{Mode: "selected"})
		for i, uid := range []drivers.UID{one, one, two, two, two} {
			if err := p.WriteAFI(uid, 0xC2); (err == nil) != (i != 2) {
				t.Errorf("WriteAFI() number %d = %v", i, err)
			}
			if i == 3 {
				if err := p.Radio(false); err != nil {
					t.Errorf("Radio() = %v", err)
				}
			}
		}
	})
}

// TestAdvanced: a model that knows advanced frames alone is found, and told
// apart from a silent one, by those.
func TestAdvanced(t *testing.T) {
	for frames, found := range map[string]bool{"auto": true, "": true, "advanced": true, "standard": false} {
		synctest.Test(t, func(t *testing.T) {
			f := field.New(1)
			some(f, 60) // an answer of more than 255 bytes
			l := newPipe(f, feigsim.Options{Advanced: true, PerAnswer: 60})
			defer l.Close()
			p, err := Open(l, Config{Frames: frames})
			if (err == nil) != found || !found && !errors.Is(err, drivers.ErrSilent) {
				t.Fatalf("Open() with frames = %q: %v", frames, err)
			}
			if found {
				if tags, err := p.Inventory(); err != nil || len(tags) != 60 {
					t.Errorf("Inventory() = %d tags, %v; want 60", len(tags), err)
				}
			}
		})
	}
}

// TestFull: readers that list some tags only say that there are more.
func TestFull(t *testing.T) {
	f := field.New(1)
	some(f, 6)
	p := open(t, plug(t, f, feigsim.Options{AtMost: 4, PerAnswer: 3}), Config{})
	defer p.Close()
	if tags, err := p.Inventory(); !errors.Is(err, drivers.ErrFull) || len(tags) != 4 || tags[0].DSFID < 0x10 {
		t.Errorf("Inventory() = %v, %v; want 4 tags with their DSFID and ErrFull", tags, err)
	}
}

func TestScanMode(t *testing.T) {
	l := plug(t, field.New(1), feigsim.Options{ScanMode: true})
	defer l.Close()
	if _, err := Open(l, Config{}); err == nil || !strings.Contains(err.Error(), "scan mode") {
		t.Errorf("Open() of a reader in scan mode = %v", err)
	}
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if _, err := Open(drivertest.Silent{}, Config{Reply: drivers.Duration(time.Second)}); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > 3*time.Second {
			t.Errorf("Open() on a silent line = %v after %v; want ErrSilent", err, time.Since(begin))
		}
	})
}

// TestWrongSpeed: what comes at another speed is noise, and another device
// sends texts.
func TestWrongSpeed(t *testing.T) {
	for name, noise := range map[string]string{"noise": "\xF0\xFF\x00\xE0\x02\xFF", "a scanner": "31234000010064\r", "long": "\x02\xFF\xFF\x00", "short": "\x06\x00"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tape := drivertest.Tape{host("06FF52000F6E"), {Kind: drivertest.Device, Data: []byte(noise)}, host(frame{true, anyone, cmdDetect, []byte{0}}.text()), {Kind: drivertest.Device, Data: []byte(noise)}}
				begin := time.Now()
				if _, err := Open(drivertest.Playback(t, tape), Config{}); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > 4*time.Second {
					t.Errorf("Open() = %v after %v; want ErrSilent", err, time.Since(begin))
				}
			})
		})
	}
}
