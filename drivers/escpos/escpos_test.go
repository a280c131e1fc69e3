package escpos

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/escpos/escpossim"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
)

var update = flag.Bool("update", false, "write the golden files anew")

func config(set ...func(*Config)) Config {
	c := *Driver.NewConfig().(*Config)
	for _, s := range set {
		s(&c)
	}
	return c
}

// plug opens a simulated printer on a pty.
func plug(t *testing.T, sim *escpossim.Printer, c Config) drivertest.PrinterRig {
	t.Helper()
	p, err := port.Open("")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- sim.Serve(p) }()
	pull := func() {
		if p == nil {
			return
		}
		p.Close()
		<-ended
		p = nil
	}
	t.Cleanup(pull)
	l, err := link.Open(t.Context(), link.Config{Path: p.Path, Baud: 115200, DataBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	dev, err := Open(l, c)
	if err != nil {
		t.Fatal(err)
	}
	return drivertest.PrinterRig{Printer: dev, RunOut: sim.RunOut, Unplug: pull,
		Set: func(s drivers.PrinterState) {
			sim.Set(escpossim.State{NoPaper: s.NoPaper, LowPaper: s.LowPaper, Open: s.Open, Broken: s.Broken})
		},
		Slips: func() (list []string) {
			for _, s := range sim.Slips() {
				list = append(list, s.String())
			}
			return list
		},
		Hanging: func() string { return sim.Hanging().String() },
	}
}

// TestConforms: every kind of printer keeps what package drivers promises.
func TestConforms(t *testing.T) {
	for name, tt := range map[string]struct {
		sim  escpossim.Options
		conf Config
	}{
		"80 mm": {escpossim.Options{}, config()},
		"58 mm": {escpossim.Options{Dots: 384, Columns: 32, NoNearEnd: true}, config(func(c *Config) { c.Paper = 58 })},
		"HS-K33": {escpossim.Options{CoverClosed: true, Chatter: true},
			config(func(c *Config) { c.Cover, c.Cut, c.Page = "closed", "old", "cp437" })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits most of the time
			drivertest.TestPrinter(t, func(t *testing.T) drivertest.PrinterRig {
				sim := escpossim.New(tt.sim)
				t.Cleanup(func() {
					if u := sim.Unknown(); len(u) > 0 {
						t.Errorf("the printer did not know %x", u)
					}
				})
				return plug(t, sim, tt.conf)
			})
		})
	}
}

// TestMute: a printer that never answers prints, unless it must not.
func TestMute(t *testing.T) {
	r := plug(t, escpossim.New(escpossim.Options{Mute: true}), config(func(c *Config) { c.Reply = drivers.Duration(50 * time.Millisecond) }))
	if s, err := r.State(); err != nil || s.Known {
		t.Errorf("State() = %+v, %v; want that it is not known", s, err)
	}
	if err := r.Print(t.Context(), drivers.Slip{Lines: []drivers.SlipLine{{Text: "hello"}}}); err != nil {
		t.Errorf("Print() = %v", err)
	}
	r = plug(t, escpossim.New(escpossim.Options{Mute: true}), config(func(c *Config) {
		c.Reply, c.Unknown = drivers.Duration(50*time.Millisecond), "refuse"
	}))
	if err := r.Print(t.Context(), drivers.Slip{}); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("Print() with unknown = refuse: %v; want ErrSilent", err)
	}
}

// TestAnswers: every byte that a printer may answer, as the manuals have them.
func TestAnswers(t *testing.T) {
	p := &Printer{conf: config()}
	for _, tt := range []struct {
		n, b byte
		want drivers.PrinterState
	}{
		{1, 0x12, drivers.PrinterState{}},
		{1, 0x1A, drivers.PrinterState{Offline: true}},
		{1, 0x92, drivers.PrinterState{}}, // HS-K33: not taken away yet
		{2, 0x16, drivers.PrinterState{Open: true}},
		{2, 0x32, drivers.PrinterState{NoPaper: true}},
		{2, 0x52, drivers.PrinterState{Broken: true}},
		{3, 0x1A, drivers.PrinterState{Broken: true}},
		{3, 0x32, drivers.PrinterState{Broken: true}},
		{3, 0x52, drivers.PrinterState{}}, // recovers by itself
		{4, 0x12, drivers.PrinterState{}},
		{4, 0x1E, drivers.PrinterState{LowPaper: true}},
		{4, 0x72, drivers.PrinterState{NoPaper: true}},
		{4, 0x7E, drivers.PrinterState{NoPaper: true, LowPaper: true}},
		{4, 0x32, drivers.PrinterState{}}, // one of two bits
	} {
		var s drivers.PrinterState
		if p.read(tt.n, tt.b, &s); s != tt.want {
			t.Errorf("answer %02X to question %d = %+v; want %+v", tt.b, tt.n, s, tt.want)
		}
	}
	for b, want := range map[byte]bool{0x12: true, 0x92: true, 0x7E: true, 0x00: false, 0x10: false, 0x02: false, 0xFF: false, 0x0F: false} {
		if genuine(b) != want {
			t.Errorf("genuine(%02X) = %v; want %v", b, !want, want)
		}
	}
}

// samples are slips whose bytes are kept.
func samples() map[string]drivers.Slip {
	dots := image.NewGray(image.Rect(0, 0, 20, 3))
	for i := range dots.Pix {
		dots.Pix[i] = byte(0xFF * (i % 2))
	}
	return map[string]drivers.Slip{
		"text": {Lines: []drivers.SlipLine{{Text: "Maple Street Library", Bold: true, Align: drivers.AlignCenter}, {},
			{Text: "Le Petit Prince – œuvre de Saint-Exupéry, 5 €"}, {Text: "Due 4 January", Align: drivers.AlignEnd}}},
		"big":     {Lines: []drivers.SlipLine{{Text: "A title that is too long for one line of big letters", Big: true}}},
		"picture": {Lines: []drivers.SlipLine{{Picture: dots, Align: drivers.AlignCenter}, {Rule: true}}},
		"plain":   {Lines: []drivers.SlipLine{{Text: "Dvořák, Ōe, Łódź, Нет, 图"}}},
	}
}

// TestGolden: the bytes of slips on both kinds of paper stay what they are.
func TestGolden(t *testing.T) {
	for name, slip := range samples() {
		for _, paper := range []int{58, 80} {
			got, err := encode(slip, config(func(c *Config) { c.Paper = paper }))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", fmt.Sprintf("%s-%d.hex", name, paper))
			if *update {
				os.WriteFile(file, []byte(dump(got)), 0o644)
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if dump(got) != string(want) {
				t.Errorf("%s on %d mm:\n%s\nwant\n%s", name, paper, dump(got), want)
			}
		}
	}
}

// dump writes bytes in lines of 32.
func dump(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		n := min(32, len(b))
		fmt.Fprintln(&out, hex.EncodeToString(b[:n]))
		b = b[n:]
	}
	return out.String()
}

// TestAutoDraws: the printer's own letters where it has them, pictures where
// it has not; and each always where so configured.
func TestAutoDraws(t *testing.T) {
	for _, tt := range []struct {
		mode  string
		draws int
	}{{"auto", 2}, {"raster", 4}, {"codepage", 0}} {
		n := 0
		s := drivers.Slip{Draw: func(drivers.SlipLine, int) (image.Image, error) {
			n++
			return image.NewGray(image.Rect(0, 0, 8, 8)), nil
		}}
		for _, text := range []string{"Ivy & Bean", "Über “uns” — l’été", "كتاب", "Їжак"} {
			s.Lines = append(s.Lines, drivers.SlipLine{Text: text})
		}
		if _, err := encode(s, config(func(c *Config) { c.Text = tt.mode })); err != nil || n != tt.draws {
			t.Errorf("text = %s draws %d lines, %v; want %d", tt.mode, n, err, tt.draws)
		}
	}
}

// TestHarmless: no picture holds a command that is obeyed at once.
func TestHarmless(t *testing.T) {
	rows := image.NewGray(image.Rect(0, 0, 576, 200))
	for y := range 200 {
		for x := range 576 {
			bits := []byte{0x10, 0x05, 0x02, 0x10, 0x04, 0x01, 0x10, 0x10, 0x14}[(x/8+y)%9]
			rows.SetGray(x, y, color.Gray{Y: 0xFF * (1 - bits>>(7-x%8)&1)})
		}
	}
	sim := escpossim.New(escpossim.Options{})
	r := plug(t, sim, config())
	if err := r.Print(t.Context(), drivers.Slip{Lines: []drivers.SlipLine{{Picture: rows}, {Text: "whole"}}}); err != nil {
		t.Fatal(err)
	}
	slips := sim.Slips()
	if len(slips) != 1 || !strings.HasPrefix(slips[0].String(), "[picture]\nwhole") || slips[0].Lines[0].Picture.Rect.Dy() != 200 {
		t.Errorf("printed %v", r.Slips())
	}
}

// paced is a line on which the printer asks for pauses.
type paced struct {
	drivertest.Silent
	up    bool
	since time.Time
	got   bytes.Buffer
	most  int // in one portion
}

func (p *paced) Write(b []byte) (int, error) { p.most = max(p.most, len(b)); return p.got.Write(b) }
func (p *paced) Clear() (bool, bool, error) {
	return p.up && time.Since(p.since) > 3*time.Second, false, nil
}

// TestHandshake: it waits while the printer asks for a pause, and not for
// ever.
func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &paced{up: true, since: time.Now().Add(-time.Hour)}
		p, err := Open(l, config())
		if err != nil {
			t.Fatal(err)
		}
		l.since = time.Now().Add(2 * time.Second) // busy for five
		begin := time.Now()
		if err := p.Print(context.Background(), drivers.Slip{Lines: []drivers.SlipLine{{Text: strings.Repeat("x", 500)}}}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 5*time.Second || took > 8*time.Second || l.most > portion {
			t.Errorf("took %v with up to %d bytes at once; want some 5 s and %d", took, l.most, portion)
		}
		l.up = false
		if err := p.Print(context.Background(), drivers.Slip{}); !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Print() on a line that never clears = %v; want ErrSilent", err)
		}
		if !bytes.HasSuffix(l.got.Bytes(), clearError) {
			t.Error("the printer was not told to forget what it has")
		}
	})
}

func TestCheck(t *testing.T) {
	bad := config(func(c *Config) {
		c.Paper, c.Columns, c.Dots, c.Text, c.Page, c.Number, c.Cut = 70, 3, 9, "x", "cp1", 999, "y"
		c.Feed, c.Cover, c.Unknown, c.Handshake, c.Reply, c.Busy = -1, "z", "w", "xon", 1, 1
	}).Check()
	for _, key := range []string{"paper", "columns", "dots", "text", "page", "page_number", "cut", "feed", "cover_bit", "unknown", "handshake", "reply", "busy"} {
		if bad == nil || !strings.Contains(bad.Error(), key+": ") {
			t.Errorf("Check() says nothing of %s", key)
		}
	}
}

// FuzzText: whatever a title holds, the printer gets text, and no command
// that was not meant; nothing is lost but what can't be printed.
func FuzzText(f *testing.F) {
	f.Add("Charlotte's Web", true, 1)
	f.Add("\x1b@\x10\x05\x02", false, 2)
	f.Add("é́ق图\U0001F600\xff", true, 0)
	f.Fuzz(func(t *testing.T, text string, big bool, align int) {
		sim := escpossim.New(escpossim.Options{})
		s := drivers.Slip{Lines: []drivers.SlipLine{{Text: text, Big: big, Align: drivers.Align(align)}, {Text: "the end"}}}
		data, err := encode(s, config())
		if err != nil {
			t.Fatal(err)
		}
		sim.Serve(&oneWay{bytes.NewReader(data)})
		slips := sim.Slips()
		if len(slips) != 1 || len(sim.Unknown()) > 0 || !strings.Contains(slips[0].String(), "the end") {
			t.Errorf("%q printed %v, unknown %x", text, slips, sim.Unknown())
		}
	})
}

type oneWay struct{ io.Reader }

func (oneWay) Write(b []byte) (int, error) { return len(b), nil }

// FuzzSim: no byte breaks the simulated printer.
func FuzzSim(f *testing.F) {
	for _, s := range samples() {
		data, _ := encode(s, config())
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sim := escpossim.New(escpossim.Options{})
		sim.Serve(&oneWay{bytes.NewReader(data)})
		sim.Set(escpossim.State{NoPaper: true})
		sim.Serve(&oneWay{bytes.NewReader(data[:min(len(data), 4000)])})
	})
}

// TestWidePicture: a picture that is wider than the paper is made to fit.
func TestWidePicture(t *testing.T) {
	img := image.NewGray(image.Rect(5, 7, 485, 127)) // black
	for x := range 240 {
		for y := range 120 {
			img.SetGray(5+x, 7+y, color.Gray{Y: 0xFF})
		}
	}
	got := narrowed(img, 384)
	if b := got.Bounds(); b.Dx() != 384 || b.Dy() != 96 || dark(got.At(10, 50)) || !dark(got.At(380, 95)) || dark(got.At(190, 0)) || !dark(got.At(193, 0)) {
		t.Errorf("narrowed to %v", b)
	}
	if got := narrowed(img, 576); got != image.Image(img) {
		t.Error("a picture that fits is changed")
	}
	if _, err := encode(drivers.Slip{Lines: []drivers.SlipLine{{Picture: img}}}, Config{Paper: 58, Text: "raster", Cut: "none"}); err != nil {
		t.Error(err)
	}
}
