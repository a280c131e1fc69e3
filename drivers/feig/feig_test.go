package feig

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/feig/feigsim"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
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

// shared reads a file of the test data.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "testdata", "devices", name))
	if err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal(err)
		}
		t.Skipf("the test data is not here: %v", err)
	}
	return raw
}

// TestFrames: published frames, and computed ones, by "hex ; ok|bad # note".
func TestFrames(t *testing.T) {
	good, bad := 0, 0
	for sc := bufio.NewScanner(bytes.NewReader(shared(t, "feig-frames.txt"))); sc.Scan(); {
		text, rest, ok := strings.Cut(sc.Text(), ";")
		if !ok || strings.HasPrefix(text, "#") {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.HasPrefix(strings.TrimSpace(rest), "ok")
		f, n, err := decode(b)
		if (err == nil) != want || want && n != len(b) {
			t.Errorf("decode(%X) = %v, %d; want ok: %v", b, err, n, want)
		}
		if err == nil && !bytes.Equal(f.encode(), b) {
			t.Errorf("%X is written as %X", b, f.encode())
		}
		if want {
			good++
		} else {
			bad++
		}
	}
	t.Logf("%d good frames, %d bad ones", good, bad)
}

// TestSession: a whole day of a pad, as it should go.
func TestSession(t *testing.T) {
	var file struct {
		Sessions []struct {
			Device, Name string
			TagMemory    string `json:"tag_memory"`
			Steps        [][]string
		}
	}
	if err := json.Unmarshal(shared(t, "sessions.json"), &file); err != nil {
		t.Fatal(err)
	}
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
		var got []frame
		var have []byte
		for _, part := range [][]byte{b[:cut], b[cut:]} {
			have = append(have, part...)
			for {
				f, n, err := decode(have)
				have = have[n:]
				if errors.Is(err, errPart) {
					break
				}
				if err == nil {
					got = append(got, f)
				}
			}
		}
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
		if n > len(b) || err != nil && (n == 0) != errors.Is(err, errPart) {
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
