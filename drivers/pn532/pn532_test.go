package pn532

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/pn532/pn532sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
)

// options are those of a configuration that says only these.
func options(change func(*Config)) *Config {
	c := Driver.NewConfig().(*Config)
	if change != nil {
		change(c)
	}
	return c
}

// lines are the lines that a chip can be on. What they give is opened within a
// bubble; a serial line ends when it is closed.
var lines = map[string]func(*pn532sim.Chip) any{
	"serial": func(c *pn532sim.Chip) any {
		host, device := drivertest.NewCable()
		go c.Serve(device)
		return drivers.Link(host)
	},
	"SPI": func(c *pn532sim.Chip) any { return c.Bus(false) },
	"I2C": func(c *pn532sim.Chip) any { return c.Bus(true) },
}

// everywhere runs a test for each line.
func everywhere(t *testing.T, test func(t *testing.T, line func(*pn532sim.Chip) any)) {
	t.Helper()
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, line) })
		})
	}
}

// read opens a chip and gives what is scanned, while the hand does something
// with the cards.
func read(t *testing.T, dev any, c *Config, hand func()) (texts []string, err error) {
	t.Helper()
	a, err := Driver.Open(dev, c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = a.(drivers.Scanner).Scans(ctx, func(sc drivers.Scan) { texts = append(texts, sc.Text) })
	}()
	hand()
	cancel()
	<-ended
	return texts, err
}

var (
	classic = pn532sim.Card{UID: []byte{0xDE, 0xAD, 0xBE, 0xEF}}
	desfire = pn532sim.Card{UID: []byte{4, 1, 2, 3, 4, 5, 6}, ATS: []byte{6, 0x75, 0x77, 0x81, 0x02, 0x80}}
	triple  = pn532sim.Card{UID: []byte{4, 9, 8, 7, 6, 5, 4, 3, 2, 1}, ATS: append([]byte{100}, make([]byte, 99)...)}
	phone   = pn532sim.Card{ATS: []byte{5, 0x78, 0x80, 0x70, 0x02}}
)

// TestCards: a card that is laid on is read once, for as long as it lies there.
func TestCards(t *testing.T) {
	everywhere(t, func(t *testing.T, line func(*pn532sim.Chip) any) {
		c := pn532sim.New(pn532sim.Options{})
		c.Lay(classic) // somebody left it there
		texts, err := read(t, line(c), options(nil), func() {
			for _, cards := range [][]pn532sim.Card{{desfire}, nil, {desfire}, nil, {desfire, classic}, nil, {phone}, nil, {triple, triple}} {
				time.Sleep(5 * time.Second)
				c.Lay(cards...)
			}
			time.Sleep(5 * time.Second)
		})
		want := []string{"04010203040506", "04010203040506", "04010203040506", "DEADBEEF", "\x00no card: a random UID, as of a phone", "04090807060504030201"}
		if !slices.Equal(texts, want) || err != nil {
			t.Errorf("scans = %q, %v; want %q", texts, err, want)
		}
	})
}

func TestNumber(t *testing.T) {
	everywhere(t, func(t *testing.T, line func(*pn532sim.Chip) any) {
		c := pn532sim.New(pn532sim.Options{})
		conf := options(func(c *Config) {
			c.Number, c.Bytes, c.Reversed, c.Digits, c.Prefix = "decimal", "first 4", true, 11, "S"
		})
		texts, err := read(t, line(c), conf, func() {
			c.Lay(desfire)
			time.Sleep(time.Second)
		})
		if !slices.Equal(texts, []string{"S00050462980"}) || err != nil {
			t.Errorf("scans = %q, %v", texts, err)
		}
	})
}

// TestTrouble: what goes wrong on the way is put right.
func TestTrouble(t *testing.T) {
	for name, o := range map[string]pn532sim.Options{
		"slow": {Think: 300 * time.Millisecond}, "lost": {LoseEvery: 3}, "damaged": {DamageEvery: 2},
		"late": {LateEvery: 7}, "extended": {Extended: true}, "busy": {Busy: true}, "lost and damaged": {LoseEvery: 5, DamageEvery: 3},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, line func(*pn532sim.Chip) any) {
				c := pn532sim.New(o)
				texts, err := read(t, line(c), options(nil), func() {
					for _, cards := range [][]pn532sim.Card{{desfire}, nil, {classic}} {
						c.Lay(cards...)
						time.Sleep(20 * time.Second)
					}
				})
				if want := []string{"04010203040506", "DEADBEEF"}; !slices.Equal(texts, want) || err != nil {
					t.Errorf("scans = %q, %v; want %q", texts, err, want)
				}
			})
		})
	}
}

// TestSilent: a chip that says nothing is an error soon, when it is opened and
// later.
func TestSilent(t *testing.T) {
	everywhere(t, func(t *testing.T, line func(*pn532sim.Chip) any) {
		begin := time.Now()
		c := pn532sim.New(pn532sim.Options{})
		c.Mute()
		if _, err := Driver.Open(line(c), options(nil)); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > 2*time.Second {
			t.Errorf("Open() = %v after %v; want ErrSilent", err, time.Since(begin))
		}
		c = pn532sim.New(pn532sim.Options{})
		_, err := read(t, line(c), options(nil), func() {
			time.Sleep(time.Second)
			c.Mute()
			time.Sleep(2 * time.Second)
		})
		if !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Scans() of a chip that falls silent = %v; want ErrSilent", err)
		}
	})
}

func TestNoChip(t *testing.T) {
	for name, want := range map[string]string{"SPI": "silent", "I2C": "remote I/O error"} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			_, err := Driver.Open(lines[name](pn532sim.New(pn532sim.Options{NoChip: true})), options(nil))
			if err == nil || !strings.Contains(err.Error(), want) || time.Since(begin) > 2*time.Second {
				t.Errorf("%s: Open() = %v after %v; want %q", name, err, time.Since(begin), want)
			}
		})
	}
}

// TestReset: a chip that hangs is freed by its line.
func TestReset(t *testing.T) {
	for _, name := range []string{"SPI", "I2C"} {
		synctest.Test(t, func(t *testing.T) {
			bus := lines[name](pn532sim.New(pn532sim.Options{Hung: true}))
			if _, err := Driver.Open(bus, options(nil)); err == nil {
				t.Errorf("%s: Open() of a chip that hangs succeeds", name)
			}
			a, err := Driver.Open(bus, options(func(c *Config) { c.Reset = pn532sim.Reset }))
			if err != nil {
				t.Fatalf("%s: Open() with its reset = %v", name, err)
			}
			if id := a.(drivers.Named).Identity(); id != "PN532, firmware 1.6" {
				t.Errorf("%s: Identity() = %q", name, id)
			}
			if _, err := Driver.Open(bus, options(func(c *Config) { c.Reset = "GPIO99" })); err == nil {
				t.Errorf("%s: Open() with a line that there is not succeeds", name)
			}
		})
	}
}

// exchange is a tape of a command and its answer, each frame in hexadecimal.
func exchange(command, answer string) string {
	return "> " + command + "\n< 00 00 FF 00 FF 00\n= 2ms\n< " + answer + "\n"
}

var opening = "> 55 55 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n" +
	exchange("00 00 FF 05 FB D4 14 01 14 01 02 00", "00 00 FF 02 FE D5 15 16 00") +
	exchange("00 00 FF 02 FE D4 02 2A 00", "00 00 FF 06 FA D5 03 32 01 06 07 E8 00") +
	exchange("00 00 FF 06 FA D4 32 05 FF 01 02 F3 00", "00 00 FF 02 FE D5 33 F8 00")

const (
	fieldOn  = "> 00 00 FF 04 FC D4 32 01 01 F8 00\n< 00 00 FF 00 FF 00 00 00 FF 02 FE D5 33 F8 00\n"
	fieldOff = "> 00 00 FF 04 FC D4 32 01 00 F9 00\n< 00 00 FF 00 FF 00 00 00 FF 02 FE D5 33 F8 00\n"
	listed   = "> 00 00 FF 04 FC D4 4A 02 00 E0 00\n"
	nothing  = "< 00 00 FF 03 FD D5 4B 00 E0 00\n"
	deadbeef = "< 00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 DE AD BE EF 96 00\n"
	acked    = "< 00 00 FF 00 FF 00\n"
	empty    = fieldOn + listed + acked + nothing + fieldOff
)

// TestTapes: the bytes on a serial line, by the published frames.
func TestTapes(t *testing.T) {
	for name, look := range map[string]string{
		"a card":            fieldOn + listed + acked + deadbeef + fieldOff,
		"noise around":      fieldOn + listed + "< 00 FF 12 00 FF\n" + acked + "< 55 00\n" + deadbeef + fieldOff,
		"in pieces":         fieldOn + listed + "< 00 00 FF 00\n= 5ms\n< FF 00 00 00 FF 0C F4 D5 4B 01\n= 5ms\n< 01 00 04 08 04 DE AD BE EF 96\n" + fieldOff,
		"old answers first": fieldOn + listed + nothing + nothing + acked + deadbeef + fieldOff,
		"another's answer":  fieldOn + listed + acked + "< 00 00 FF 02 FE D5 33 F8 00\n" + deadbeef + fieldOff,
		"a damaged answer": fieldOn + listed + acked + "< 00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 DE AD BE EE 96 00\n" +
			"> 00 00 FF FF 00 00\n" + deadbeef + fieldOff,
		"no ACK":    fieldOn + listed + "> 55 55 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n> 00 00 FF 00 FF 00\n" + listed + acked + deadbeef + fieldOff,
		"no answer": fieldOn + listed + acked + "> 55 55 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n> 00 00 FF 00 FF 00\n< 00 00 FF 40 C0 D5\n" + listed + acked + deadbeef + fieldOff,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tape, err := drivertest.ReadTape(strings.NewReader(opening + empty + look + empty + "!\n"))
				if err != nil {
					t.Fatal(err)
				}
				texts, err := read(t, drivertest.Playback(t, tape), options(nil), func() { time.Sleep(10 * time.Second) })
				if !slices.Equal(texts, []string{"DEADBEEF"}) || !errors.Is(err, drivers.ErrGone) {
					t.Errorf("scans = %q, %v", texts, err)
				}
			})
		})
	}
}

// TestUnknown: a chip that does not know a command is no such chip.
func TestUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tape, err := drivertest.ReadTape(strings.NewReader("> 55 55 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n" +
			exchange("00 00 FF 05 FB D4 14 01 14 01 02 00", "00 00 FF 01 FF 7F 81 00")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Driver.Open(drivertest.Playback(t, tape), options(nil)); !errors.Is(err, errSyntax) {
			t.Errorf("Open() = %v; want errSyntax", err)
		}
	})
}

// TestPort: a real serial line, pulled out and put in.
func TestPort(t *testing.T) {
	c := pn532sim.New(pn532sim.Options{})
	for range 2 {
		p, err := port.Open("")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- c.Serve(p) }()
		l, err := link.Open(t.Context(), link.Config{Path: p.Path, Baud: 115200, DataBits: 8})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(l, *options(nil))
		if err != nil {
			t.Fatal(err)
		}
		scans, ended := make(chan drivers.Scan, 10), make(chan error, 1)
		go func() { ended <- s.Scans(t.Context(), func(sc drivers.Scan) { scans <- sc }) }()
		c.Lay(classic)
		if sc := <-scans; sc.Text != "DEADBEEF" {
			t.Errorf("scan = %q", sc.Text)
		}
		c.Lay()
		p.Close()
		if err := <-ended; !errors.Is(err, drivers.ErrGone) {
			t.Errorf("Scans() of an unplugged reader = %v; want ErrGone", err)
		}
		if err := <-served; err == io.EOF {
			t.Errorf("Serve() = %v", err)
		}
	}
}

// TestEnds: the end is no error, leaves the field off, and what was opened
// closed, to be opened again.
func TestEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, line func(*pn532sim.Chip) any) {
		c := pn532sim.New(pn532sim.Options{})
		for range 3 {
			begin := time.Now()
			if _, err := read(t, line(c), options(nil), func() { time.Sleep(time.Second) }); err != nil || time.Since(begin) > 1500*time.Millisecond {
				t.Errorf("Scans() = %v after %v; want nil after a second", err, time.Since(begin))
			}
			if c.Field() {
				t.Error("the field is on")
			}
		}
	})
}

// TestList: cards with and without ATS, and what does not fit.
func TestList(t *testing.T) {
	for _, tt := range []struct {
		b  []byte
		ok bool
	}{
		{[]byte{0}, true},
		{[]byte{1, 1, 3, 0x44, 0x20, 4, 1, 2, 3, 4}, true}, // the chip could not get an ATS
		{[]byte{1, 1, 3, 0x44, 0x20, 4, 1, 2, 3, 4, 3, 0x75, 0x77}, true},
		{[]byte{1, 1, 0, 4, 8, 4, 1, 2, 3, 4, 5}, false},
		{[]byte{1, 1, 0, 4, 8, 5, 1, 2, 3, 4}, false},
		{[]byte{1, 2, 0, 4, 8, 4, 1, 2, 3, 4}, false},
		{[]byte{2, 1, 0, 4, 8, 4, 1, 2, 3, 4}, false},
		{[]byte{2, 1, 3, 0x44, 0x20, 4, 1, 2, 3, 4, 2, 0, 4, 8, 4, 5, 6, 7, 8}, false}, // an ATS that is the next card
		{nil, false},
	} {
		if uids, err := list(tt.b); (err == nil) != tt.ok {
			t.Errorf("list(%X) = %X, %v; want ok: %v", tt.b, uids, err, tt.ok)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := options(nil).Check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for key, change := range map[string]func(*Config){
		"number": func(c *Config) { c.Number = "x" },
		"reply":  func(c *Config) { c.Reply = 1 },
	} {
		c := options(change)
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("Check() of a wrong %s = %v", key, err)
		}
		if _, err := Open(drivertest.Silent{}, *c); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("Open() with a wrong %s = %v", key, err)
		}
	}
}
