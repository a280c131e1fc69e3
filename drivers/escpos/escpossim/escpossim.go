// Package escpossim is the far end of package escpos: a receipt printer that
// takes ESC/POS byte by byte, and keeps what it printed as paper to be looked
// at. What is no command that it knows it notes, as a real one would print it.
package escpossim

import (
	"image"
	"io"
	"slices"
	"strings"
	"sync"
)

// Options are the habits of real printers.
type Options struct {
	Dots        int  // in a line; 0 means 576
	Columns     int  // letters in a line; 0 means 48
	Mute        bool // it answers no question
	NoNearEnd   bool // it has no sensor for the near end
	CoverClosed bool // the cover's bit is set while it is closed (HS-K33)
	Chatter     bool // a byte of automatic status back comes before each answer
	Buffer      int  // bytes that it takes while it can't print; 0 means 4096
}

// Line is one printed line: a picture or text.
type Line struct {
	Text    string
	Align   int // 0 left, 1 middle, 2 right
	Bold    bool
	Big     bool
	Picture *image.Gray // rows of one or more pictures, put together
}

// Slip is what came out between two cuts.
type Slip struct {
	Lines []Line
	Cut   string // full, partial, old; empty: not cut yet
}

// Printer is a printer. The methods may be called by several goroutines.
type Printer struct {
	Options
	// CutOff is told of each slip that is cut off; set before Serve. nil: nobody.
	CutOff func(Slip)

	mu      sync.Mutex
	parser  parser
	waiting []byte // taken and not printed yet
	state   State
	rest    int    // lines until the roll ends; below 0: it is long
	slips   []Slip // the last one is under the knife still
	unknown [][]byte
}

// State is how the printer is.
type State struct{ NoPaper, LowPaper, Open, Broken bool }

func (s State) stopped() bool { return s.NoPaper || s.Open || s.Broken }

// New makes a printer with paper in it.
func New(o Options) *Printer {
	def := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	def(&o.Dots, 576)
	def(&o.Columns, 48)
	def(&o.Buffer, 4096)
	p := &Printer{Options: o, slips: make([]Slip, 1), rest: -1}
	p.parser.printer = p
	return p
}

// Set changes how it is; what waited is printed when nothing is in the way.
func (p *Printer) Set(s State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
	p.print()
}

// RunOut has the roll end when so many lines are printed.
func (p *Printer) RunOut(lines int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = lines
}

// printed takes a line off the roll.
func (p *Printer) printed() {
	if p.rest > 0 {
		p.rest--
	}
	if p.rest == 0 {
		p.state.NoPaper, p.rest = true, -1
	}
}

// Is tells how it is.
func (p *Printer) Is() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Slips gives what was printed and cut off, oldest first.
func (p *Printer) Slips() []Slip {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.slips[:len(p.slips)-1])
}

// Hanging is what hangs out of it, not cut off.
func (p *Printer) Hanging() Slip {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.slips[len(p.slips)-1]
	last.Lines = slices.Clone(last.Lines)
	return last
}

// TearOff takes away what was printed.
func (p *Printer) TearOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slips = make([]Slip, 1)
}

// Unknown gives the commands that it did not know.
func (p *Printer) Unknown() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.unknown)
}

// Waiting is how many bytes it holds that are not printed.
func (p *Printer) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}

// Serve takes bytes from rw and answers until that fails.
func (p *Printer) Serve(rw io.ReadWriter) error {
	buf := make([]byte, 512)
	for {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		if _, err := rw.Write(p.take(buf[:n])); err != nil {
			return err
		}
	}
}

// take puts bytes into the buffer. While it can't print and the buffer is full
// they are lost, as on a line without handshake, but for what is obeyed at
// once.
func (p *Printer) take(b []byte) (answers []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range b {
		if p.waiting = append(p.waiting, c); len(p.waiting) > p.Buffer+3 && p.state.stopped() {
			p.waiting = slices.Delete(p.waiting, p.Buffer, p.Buffer+1)
		}
		answers = append(answers, p.atOnce()...)
	}
	p.print()
	return answers
}

// atOnce obeys what is obeyed in real time, wherever it stands: DLE EOT n, DLE
// ENQ n. The bytes are taken out of the buffer; within a picture that breaks
// it, as in real printers.
func (p *Printer) atOnce() (answer []byte) {
	n := len(p.waiting)
	if n < 3 || p.waiting[n-3] != 0x10 {
		return nil
	}
	arg := p.waiting[n-1]
	switch p.waiting[n-2] {
	case 0x04:
		if arg < 1 || arg > 4 {
			return nil
		}
		p.waiting = p.waiting[:n-3]
		return p.status(arg)
	case 0x05:
		if arg != 1 && arg != 2 {
			return nil
		}
		p.waiting = p.waiting[:n-3]
		if arg == 2 {
			p.waiting = p.waiting[:0]
			p.parser = parser{printer: p}
		}
	}
	return nil
}

// status is the answer to DLE EOT n.
func (p *Printer) status(n byte) []byte {
	if p.Mute {
		return nil
	}
	b, s := byte(0x12), p.state
	set := func(on bool, bits byte) {
		if on {
			b |= bits
		}
	}
	switch n {
	case 1:
		set(s.stopped(), 0x08)
	case 2:
		set(s.Open != p.CoverClosed, 0x04)
		set(s.NoPaper, 0x20)
		set(s.Broken, 0x40)
	case 3:
		set(s.Broken, 0x08)
	case 4:
		set((s.LowPaper || s.NoPaper) && !p.NoNearEnd, 0x0C)
		set(s.NoPaper, 0x60)
	}
	if p.Chatter {
		return []byte{0x10, 0x00, 0x00, 0x0F, b}
	}
	return []byte{b}
}

// print prints what waits, as long as nothing is in the way.
func (p *Printer) print() {
	for len(p.waiting) > 0 && !p.state.stopped() {
		n := p.parser.one(p.waiting)
		if n == 0 {
			return // the rest of it must come
		}
		p.waiting = p.waiting[n:]
	}
}

func (p *Printer) last() *Slip { return &p.slips[len(p.slips)-1] }

// String is what can be read on a slip; a picture is "[picture]".
func (s Slip) String() string {
	var lines []string
	for _, l := range s.Lines {
		text := l.Text
		if l.Picture != nil {
			text = "[picture]"
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}
