package drivertest

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers"
)

// A PrinterRig is a printer under test with a hand at it and an eye on its
// paper.
type PrinterRig struct {
	drivers.Printer
	// Set has it run out of paper, or opens its cover; with the zero state all
	// is well again.
	Set func(drivers.PrinterState)
	// RunOut has it run out of paper when so many lines are printed.
	RunOut func(lines int)
	// Slips gives the text of what was cut off, oldest first; a picture is a
	// line of "[picture]".
	Slips func() []string
	// Hanging is the text of what was printed and not cut off.
	Hanging func() string
	// Unplug pulls the cable out.
	Unplug func()
}

// TestPrinter tests what package drivers promises of every Printer. open gives
// a new one that has paper.
func TestPrinter(t *testing.T, open func(t *testing.T) PrinterRig) {
	for name, test := range map[string]func(*testing.T, PrinterRig){
		"prints": testPrints, "wraps": testWraps, "pictures": testPictures, "faults": testPrinterFaults,
		"forgets": testForgets, "hostile": testHostileText, "unplugged": testPrinterGone,
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			t.Cleanup(func() { r.Close() })
			test(t, r)
		})
	}
}

func text(lines ...string) (s drivers.Slip) {
	for _, l := range lines {
		s.Lines = append(s.Lines, drivers.SlipLine{Text: l})
	}
	return s
}

func mustPrint(t *testing.T, r PrinterRig, s drivers.Slip) string {
	t.Helper()
	before := len(r.Slips())
	if err := r.Print(t.Context(), s); err != nil {
		t.Fatalf("Print() = %v", err)
	}
	slips := r.Slips()
	if len(slips) != before+1 {
		t.Fatalf("%d slips were cut off; want 1", len(slips)-before)
	}
	return slips[before]
}

// testPrints: each slip is cut off with all of its lines in order, however
// they are set.
func testPrints(t *testing.T, r PrinterRig) {
	for _, want := range [][]string{{"Maple Street Library", "", "Charlotte's Web", "Due Mon 4 January"}, {"Second slip"}} {
		got := mustPrint(t, r, text(want...))
		if !strings.HasPrefix(got, strings.Join(want, "\n")) {
			t.Errorf("printed %q; want %q", got, want)
		}
	}
	s := drivers.Slip{Lines: []drivers.SlipLine{
		{Text: "Title", Bold: true, Big: true, Align: drivers.AlignCenter}, {Rule: true}, {Text: "end", Align: drivers.AlignEnd}, {Text: "after"},
	}}
	if got := mustPrint(t, r, s); !strings.HasPrefix(got, "Title\n[picture]\nend\nafter") {
		t.Errorf("printed %q", got)
	}
	if st, err := r.State(); err != nil || st.Err() != nil {
		t.Errorf("State() = %+v, %v; want that all is well", st, err)
	}
	if left := strings.TrimSpace(r.Hanging()); left != "" {
		t.Errorf("%q hangs out after a cut", left)
	}
}

// testWraps: a line longer than the paper goes on below itself, between words;
// nothing of it is lost.
func testWraps(t *testing.T, r PrinterRig) {
	words := strings.Repeat("every word counts ", 20)
	got := mustPrint(t, r, text(words, strings.Repeat("x", 300)))
	flat := strings.Join(strings.Fields(got), " ")
	if !strings.HasPrefix(flat, strings.TrimSpace(words)) || strings.Count(flat, "x") != 300 {
		t.Errorf("printed %q", got)
	}
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "ord ") || strings.HasPrefix(line, "ounts") {
			t.Errorf("a word was broken: %q", got)
		}
	}
}

// testPictures: a picture is printed, and what is drawn in place of text; one
// that is too wide is an error and nothing is printed.
func testPictures(t *testing.T, r PrinterRig) {
	img := image.NewGray(image.Rect(0, 0, 200, 333)) // black, and several bands of it
	got := mustPrint(t, r, drivers.Slip{Lines: []drivers.SlipLine{{Text: "before"}, {Picture: img, Align: drivers.AlignCenter}, {Text: "after"}}})
	if !strings.HasPrefix(got, "before\n[picture]\nafter") {
		t.Errorf("printed %q", got)
	}
	drawn := 0
	s := text("Latin", "كتاب", "图书馆")
	s.Draw = func(l drivers.SlipLine, dots int) (image.Image, error) {
		drawn++
		if dots < 100 || l.Text == "" {
			t.Errorf("draws %q on %d dots", l.Text, dots)
		}
		img := image.NewGray(image.Rect(0, 0, dots, 24))
		img.Set(1, 1, color.White)
		return img, nil
	}
	if got := mustPrint(t, r, s); drawn < 2 || !strings.Contains(got, "[picture]") {
		t.Errorf("printed %q with %d lines drawn", got, drawn)
	}
	before := len(r.Slips())
	wide := image.NewGray(image.Rect(0, 0, 5000, 10))
	if err := r.Print(t.Context(), drivers.Slip{Lines: []drivers.SlipLine{{Text: "no"}, {Picture: wide}}}); err == nil {
		t.Error("Print() takes a picture of 5000 dots")
	}
	if got := r.Hanging(); len(r.Slips()) != before || strings.Contains(got, "no") {
		t.Errorf("of a slip that can't be printed came out: %q", got)
	}
}

// testPrinterFaults: what is wrong is told before and after, each by its
// error, and when it is mended the printer prints again.
func testPrinterFaults(t *testing.T, r PrinterRig) {
	for _, tt := range []struct {
		state drivers.PrinterState
		want  error
	}{
		{drivers.PrinterState{NoPaper: true}, drivers.ErrNoPaper},
		{drivers.PrinterState{Open: true}, drivers.ErrCover},
		{drivers.PrinterState{Broken: true}, drivers.ErrBroken},
	} {
		r.Set(tt.state)
		if s, err := r.State(); err != nil || !errors.Is(s.Err(), tt.want) {
			t.Errorf("State() = %+v, %v; want %v", s, err, tt.want)
		}
		if err := r.Print(t.Context(), text("somebody's book")); !errors.Is(err, tt.want) {
			t.Errorf("Print() = %v; want %v", err, tt.want)
		}
		r.Set(drivers.PrinterState{})
		if s, err := r.State(); err != nil || s.Err() != nil {
			t.Errorf("State() after it was mended = %+v, %v", s, err)
		}
		if got := mustPrint(t, r, text("another's")); !strings.HasPrefix(got, "another's") {
			t.Errorf("after %v printed %q; want nothing of the slip that failed", tt.want, got)
		}
	}
	r.Set(drivers.PrinterState{LowPaper: true})
	if s, err := r.State(); err != nil || s.Err() != nil {
		t.Errorf("State() with little paper = %+v, %v; want that it prints", s, err)
	}
	mustPrint(t, r, text("still enough"))
}

// testForgets: what runs out of paper while it prints is told, and the rest is
// thrown away: it does not come out when paper is put in.
func testForgets(t *testing.T, r PrinterRig) {
	r.RunOut(3)
	if err := r.Print(t.Context(), text("one", "two", "three", "secret", "more")); !errors.Is(err, drivers.ErrNoPaper) {
		t.Errorf("Print() onto the end of the roll = %v; want ErrNoPaper", err)
	}
	if got := r.Hanging(); !strings.HasPrefix(got, "one\ntwo\nthree") || strings.Contains(got, "secret") {
		t.Errorf("hanging out: %q; want three lines", got)
	}
	r.Set(drivers.PrinterState{})
	if got := mustPrint(t, r, text("another's")); strings.Contains(got, "secret") || !strings.Contains(got, "another's") {
		t.Errorf("with a new roll it printed %q", got)
	}
}

// testHostileText: bytes within a title are no commands.
func testHostileText(t *testing.T, r PrinterRig) {
	got := mustPrint(t, r, text("\x1b@\x1dV\x00\x10\x05\x02cut?\n\n\x07", "e\u0301\u202e\u200d😀", "next"))
	if !strings.Contains(got, "@V") || !strings.Contains(got, "cut?") || !strings.Contains(got, "next") {
		t.Errorf("printed %q", got)
	}
}

func testPrinterGone(t *testing.T, r PrinterRig) {
	r.Unplug()
	if err := r.Print(t.Context(), text("x")); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Print() without a cable = %v; want ErrGone", err)
	}
	if _, err := r.State(); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("State() without a cable = %v; want ErrGone", err)
	}
}
