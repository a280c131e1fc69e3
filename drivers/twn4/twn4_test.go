package twn4

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
	"github.com/carrel-kiosk/carrel/drivers/twn4/twn4sim"
)

// options are those of a configuration that says only these.
func options(change func(*Config)) *Config {
	c := Driver.NewConfig().(*Config)
	if change != nil {
		change(c)
	}
	return c
}

// plug puts a reader at the far end of a line, within a bubble.
func plug(r *twn4sim.Reader) drivers.Link {
	host, device := drivertest.NewCable()
	go r.Serve(device)
	return host
}

// read opens a reader and gives what is scanned, while the hand does something
// with the cards.
func read(t *testing.T, l drivers.Link, c *Config, hand func()) (texts []string, err error) {
	t.Helper()
	a, err := Driver.Open(l, c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = a.(drivers.Scanner).Scans(ctx, func(sc drivers.Scan) {
			if age := time.Since(sc.At); age != 0 {
				t.Errorf("%q is of %v ago", sc.Text, age)
			}
			texts = append(texts, sc.Text)
		})
	}()
	hand()
	cancel()
	<-ended
	return texts, err
}

var (
	classic = twn4sim.Card{Type: twn4sim.ISO14443A, ID: []byte{0xDE, 0xAD, 0xBE, 0xEF}}
	desfire = twn4sim.Card{Type: twn4sim.ISO14443A, ID: []byte{4, 1, 2, 3, 4, 5, 6}}
	icode   = twn4sim.Card{Type: twn4sim.ISO15693, ID: []byte{0xE0, 4, 1, 0x50, 0x2D, 0x42, 0x10, 0xE3}}
	phone   = twn4sim.Card{Type: twn4sim.ISO14443A}
)

const refused = "\x00no card: a random UID, as of a phone"

// TestCards: a card that is laid on is read once, for as long as it lies there.
func TestCards(t *testing.T) {
	for name, o := range map[string]twn4sim.Options{
		"plain": {}, "flickering": {Flicker: true}, "CR and LF": {LF: true}, "slow": {Think: 300 * time.Millisecond},
		"lost": {LoseEvery: 5}, "damaged": {DamageEvery: 3}, "late": {LateEvery: 9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := twn4sim.New(o)
				r.Lay(classic, classic) // somebody left it there
				texts, err := read(t, plug(r), options(nil), func() {
					for _, cards := range [][]twn4sim.Card{nil, {desfire}, nil, {desfire}, nil, {phone}, {icode}} {
						time.Sleep(20 * time.Second)
						r.Lay(cards...)
					}
					time.Sleep(20 * time.Second)
				})
				if o.Flicker { // the first look may have missed what was there
					texts = slices.DeleteFunc(texts, func(s string) bool { return s == "DEADBEEF" })
				}
				if want := []string{"04010203040506", "04010203040506", refused}; !slices.Equal(texts, want) || err != nil {
					t.Errorf("scans = %q, %v; want %q", texts, err, want)
				}
			})
		})
	}
}

// TestTwo: two cards, of which the reader tells one at a time, are one scan each.
func TestTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := twn4sim.New(twn4sim.Options{})
		texts, err := read(t, plug(r), options(nil), func() {
			time.Sleep(time.Second)
			r.Lay(desfire, classic)
			time.Sleep(10 * time.Second)
		})
		if slices.Sort(texts); !slices.Equal(texts, []string{"04010203040506", "DEADBEEF"}) || err != nil {
			t.Errorf("scans = %q, %v", texts, err)
		}
	})
}

func TestVicinity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := twn4sim.New(twn4sim.Options{})
		c := options(func(c *Config) { c.Vicinity, c.Number, c.Reversed = true, "hex-lower", true })
		texts, err := read(t, plug(r), c, func() {
			for _, card := range []twn4sim.Card{icode, classic} {
				r.Lay(card)
				time.Sleep(5 * time.Second)
			}
		})
		if !slices.Equal(texts, []string{"e310422d500104e0", "efbeadde"}) || err != nil {
			t.Errorf("scans = %q, %v", texts, err)
		}
	})
}

// TestSilent: a reader that says nothing is an error soon, when it is opened
// and later; one with another app in it says so.
func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, err := Driver.Open(drivertest.Silent{}, options(nil))
		if !errors.Is(err, drivers.ErrSilent) || !strings.Contains(err.Error(), "Simple Protocol") || time.Since(begin) > 5*time.Second {
			t.Errorf("Open() on a silent line = %v after %v; want ErrSilent", err, time.Since(begin))
		}
		r := twn4sim.New(twn4sim.Options{})
		_, err = read(t, plug(r), options(nil), func() {
			time.Sleep(time.Second)
			r.Mute()
			time.Sleep(5 * time.Second)
		})
		if !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Scans() of a reader that falls silent = %v; want ErrSilent", err)
		}
	})
}

func play(t *testing.T, tape string) drivers.Link {
	t.Helper()
	tp, err := drivertest.ReadTape(strings.NewReader(tape))
	if err != nil {
		t.Fatal(err)
	}
	return drivertest.Playback(t, tp)
}

const (
	opening = `> "0004FF\r"
		< "001B54574E342F42312E30362F43505253332E31312F505253312E3034\r"
		> "05020000000005000000\r"
		< "00\r"
		` + nothing
	nothing = `> "050020\r"
		< "0000\r"
		`
	vicinity = `"0001824008E00401502D4210E3\r"` // as the maker's document has it
	again    = "> \"050020\\r\"\n<" + vicinity + "\n"
)

// TestTapes: the bytes on the line, and what the line does to them.
func TestTapes(t *testing.T) {
	for name, look := range map[string]string{
		"a card":           `> "050020\r"` + "\n<" + vicinity,
		"another digit":    `> "050020\r"` + "\n< \"0001824008E00401502D4210E2\\r\"\n> \"050020\\r\"\n<" + vicinity,
		"lower case":       "> \"050020\\r\"\n< \"0001824008e00401502d4210e3\\r\"",
		"in pieces":        "> \"050020\\r\"\n< \"0001824008E0\"\n= 400ms\n< \"0401502D4210\"\n= 400ms\n< \"E3\\r\"",
		"noise before":     "< \"0000\\r00\\xff?\"\n> \"050020\\r\"\n<" + vicinity,
		"no end":           "> \"050020\\r\"\n< \"0001824008E00401\"\n= 1100ms\n> \"050020\\r\"\n<" + vicinity,
		"half":             "> \"050020\\r\"\n< \"0001824008E0040\\r\"\n> \"050020\\r\"\n<" + vicinity,
		"noise":            "> \"050020\\r\"\n< \"00?1824008E00401502D4210E3\\r\"\n> \"050020\\r\"\n<" + vicinity,
		"misunderstood":    "> \"050020\\r\"\n< \"05\\r\"\n> \"050020\\r\"\n<" + vicinity,
		"another's answer": "> \"050020\\r\"\n= 1050ms\n< \"0000\\r\"\n> \"050020\\r\"\n<" + vicinity,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := options(func(c *Config) { c.Vicinity = true })
				texts, err := read(t, play(t, opening+look+"\n"+again+nothing+"!"), c, func() { time.Sleep(10 * time.Second) })
				if !slices.Equal(texts, []string{"E00401502D4210E3"}) || !errors.Is(err, drivers.ErrGone) {
					t.Errorf("scans = %q, %v", texts, err)
				}
			})
		})
	}
}

// TestFound: an answer to a search fits to the last byte, or is none.
func TestFound(t *testing.T) {
	for _, tt := range []struct {
		b    []byte
		want string // nothing, an ID in hexadecimal, or wrong
	}{
		{[]byte{0}, "nothing"},
		{[]byte{1, 0x80, 32, 4, 0xDE, 0xAD, 0xBE, 0xEF}, "DEADBEEF"},
		{[]byte{1, 0x49, 26, 4, 1, 2, 3, 0x40}, "01020340"}, // not whole bytes
		{[]byte{1, 0x80, 32, 4, 0xDE, 0xAD, 0xBE}, "wrong"},
		{[]byte{1, 0x80, 32, 5, 0xDE, 0xAD, 0xBE, 0xEF}, "wrong"},
		{[]byte{1, 0x80, 56, 4, 0xDE, 0xAD, 0xBE, 0xEF}, "wrong"},
		{[]byte{1, 0x80, 0, 0}, "wrong"},
		{[]byte{2, 0x80, 32, 4, 0xDE, 0xAD, 0xBE, 0xEF}, "wrong"},
		{[]byte{0, 0}, "wrong"},
		{nil, "wrong"},
	} {
		tg, ok, err := found(tt.b)
		got := fmt.Sprintf("%X", tg.id)
		switch {
		case err != nil:
			got = "wrong"
		case !ok:
			got = "nothing"
		}
		if got != tt.want {
			t.Errorf("found(%X) = %s, %v; want %s", tt.b, got, err, tt.want)
		}
	}
}

// TestRefused: what the reader refuses, and nonsense, is an error that says it.
func TestRefused(t *testing.T) {
	for answer, want := range map[string]string{
		"01": "error 1, unknown function", "09": "error 9", "xyz": `answer "xyz"`, "0": `answer "0"`,
		strings.Repeat("0", 5000): "silent",
	} {
		synctest.Test(t, func(t *testing.T) {
			tape := strings.Repeat("> \"0004FF\\r\"\n< \""+answer+"\\r\"\n", 3)
			if len(answer) > 1000 {
				tape = strings.ReplaceAll(tape, "\\r\"\n>", "\"\n>")
				tape = strings.TrimSuffix(tape, "\\r\"\n") + "\"\n"
			}
			if _, err := Driver.Open(play(t, tape), options(nil)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Open() with %.10q = %v; want %q", answer, err, want)
			}
		})
	}
}

// TestStandard: the standard app sends IDs by itself.
func TestStandard(t *testing.T) {
	for name, tt := range map[string]struct {
		tape string
		want []string
	}{
		"cards":                  {"= 1s\n< \"04010203040506\\r\"\n= 3s\n< \"04010203040506\\r\\n\"\n< \"deadbeef\\r\"", []string{"04010203040506", "04010203040506", "DEADBEEF"}},
		"kept from before":       {"< \"DEADBEEF\\r\"\n= 1s\n< \"04010203040506\\r\"", []string{"04010203040506"}},
		"in pieces":              {"= 1s\n< \"DEAD\"\n= 200ms\n< \"BE\"\n= 200ms\n< \"EF\\r\"", []string{"DEADBEEF"}},
		"half is not one":        {"= 1s\n< \"040102\"\n= 300ms\n< \"03040506\\r\"\n< \"DEADBEEF\\r\"", []string{"DEADBEEF"}},
		"a phone":                {"= 1s\n< \"08112233\\r\"\n= 1s\n< \"08112244\\r\"\n= 1s\n< \"08112255\\r\"\n= 3s\n< \"08112255\\r\"", []string{refused, refused}},
		"a book":                 {"= 1s\n< \"E00401502D4210E3\\r\"", nil},
		"no UID":                 {"= 1s\n< \"TWN4/B1.06\\r\"\n< \"DEADBEE\\r\"\n< \"DEAD\\x00EEF\\r\"", []string{"\x00TWN4/B1.06", "\x00DEADBEE", "\x00DEAD\x00EEF"}},
		"a line without end":     {"= 1s\n< \"" + strings.Repeat("0", 5000) + "04010203\\r\"\n< \"DEADBEEF\\r\"", []string{"DEADBEEF"}},
		"too long and too short": {"= 1s\n< \"DEAD\\r\"\n< \"" + strings.Repeat("DE", 11) + "\\r\"", []string{"\x00no card: the UID's length", "\x00no card: the UID's length"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := options(func(c *Config) { c.Mode = "standard" })
				texts, err := read(t, play(t, tt.tape+"\n!"), c, func() { time.Sleep(time.Minute) })
				if !slices.Equal(texts, tt.want) || !errors.Is(err, drivers.ErrGone) {
					t.Errorf("scans = %q, %v; want %q", texts, err, tt.want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := options(func(c *Config) { c.Mode, c.Vicinity = "standard", true })
		texts, _ := read(t, play(t, "= 1s\n< \"E00401502D4210E3\\r\"\n!"), c, func() { time.Sleep(time.Minute) })
		if !slices.Equal(texts, []string{"E00401502D4210E3"}) {
			t.Errorf("with vicinity, scans = %q", texts)
		}
	})
}

// TestFlakyLine: in whatever pieces a line brings it, the cards are the same.
func TestFlakyLine(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			r := twn4sim.New(twn4sim.Options{})
			l := &drivertest.Flaky{Link: plug(r), Rand: rand.New(rand.NewPCG(seed, 1)), Parity: 0.001}
			texts, err := read(t, l, options(nil), func() {
				for range 5 {
					time.Sleep(5 * time.Second)
					r.Lay(desfire)
					time.Sleep(5 * time.Second)
					r.Lay()
				}
			})
			if want := slices.Repeat([]string{"04010203040506"}, 5); !slices.Equal(texts, want) || err != nil {
				t.Errorf("seed %d: scans = %q, %v", seed, texts, err)
			}
		})
	}
}

// TestEnds: the end is no error, is not waited for, and closes the line; a
// reader can be opened again.
func TestEnds(t *testing.T) {
	for _, mode := range []string{"simple", "standard"} {
		synctest.Test(t, func(t *testing.T) {
			r := twn4sim.New(twn4sim.Options{})
			for range 3 {
				begin := time.Now()
				l := plug(r)
				if _, err := read(t, l, options(func(c *Config) { c.Mode = mode }), func() { time.Sleep(time.Second) }); err != nil || time.Since(begin) > 2*time.Second {
					t.Errorf("%s: Scans() = %v after %v; want nil after a second", mode, err, time.Since(begin))
				}
				if _, err := l.Read(make([]byte, 1)); !errors.Is(err, drivers.ErrGone) {
					t.Errorf("%s: the line is open", mode)
				}
			}
		})
	}
}

// TestPort: a real serial line, pulled out and put in.
func TestPort(t *testing.T) {
	r := twn4sim.New(twn4sim.Options{})
	for range 2 {
		p, err := port.Open("")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- r.Serve(p) }()
		l, err := link.Open(t.Context(), link.Config{Path: p.Path, Baud: 9600, DataBits: 8})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(l, *options(nil))
		if err != nil {
			t.Fatal(err)
		}
		if id := s.(drivers.Named).Identity(); id != "ELATEC TWN4 TWN4/B1.06/CPRS3.11/PRS1.04" {
			t.Errorf("Identity() = %q", id)
		}
		scans, ended := make(chan drivers.Scan, 10), make(chan error, 1)
		go func() { ended <- s.Scans(t.Context(), func(sc drivers.Scan) { scans <- sc }) }()
		r.Lay(classic)
		if sc := <-scans; sc.Text != "DEADBEEF" {
			t.Errorf("scan = %q", sc.Text)
		}
		r.Lay()
		p.Close()
		if err := <-ended; !errors.Is(err, drivers.ErrGone) {
			t.Errorf("Scans() of an unplugged reader = %v; want ErrGone", err)
		}
		<-served
	}
}

func TestCheck(t *testing.T) {
	if err := options(nil).Check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for key, change := range map[string]func(*Config){
		"mode":   func(c *Config) { c.Mode = "keyboard" },
		"number": func(c *Config) { c.Number = "x" },
		"reply":  func(c *Config) { c.Reply = drivers.Duration(time.Minute) },
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

func FuzzDecode(f *testing.F) {
	f.Add("0001824008E00401502D4210E3", "\r")
	f.Add("0000", "\r\n")
	f.Add("05", "\n")
	f.Fuzz(func(t *testing.T, text, end string) {
		l := line{got: []byte(text + end + "00\r")}
		for {
			cut, ok := l.cut()
			if !ok {
				break
			}
			b, err := decode(cut)
			if err != nil {
				continue
			}
			if back := fmt.Sprintf("00%X", b); !strings.EqualFold(back, cut) {
				t.Errorf("decode(%q) = %X", cut, b)
			}
			if tg, ok, _ := found(b); ok && !bytes.Equal(slices.Concat([]byte{1, tg.kind, b[2], byte(len(tg.id))}, tg.id), b) {
				t.Errorf("found(%X) = %+v", b, tg)
			}
		}
		s := standard{format: options(nil).format()}
		if got := s.scan(text).Text; got != "" && got[0] != 0 && !strings.EqualFold(got, text) {
			t.Errorf("%q is scanned as %q", text, got)
		}
	})
}
