package escpossim

import (
	"encoding/binary"
	"image"
	"slices"

	"golang.org/x/text/encoding/charmap"
)

// pages are the code pages by the numbers that Epson gives them.
var pages = map[byte]*charmap.Charmap{
	0: charmap.CodePage437, 2: charmap.CodePage850, 16: charmap.Windows1252, 17: charmap.CodePage866,
	18: charmap.CodePage852, 19: charmap.CodePage858,
}

// parser reads commands and puts what they print on paper.
type parser struct {
	printer   *Printer
	page      byte
	align     int
	bold, big bool
	line      []rune // under the head
}

// lengths are those of commands with two bytes of a name, in all.
var lengths = map[[2]byte]int{
	{0x1B, 0x40}: 2, {0x1B, 0x74}: 3, {0x1B, 0x61}: 3, {0x1B, 0x45}: 3, {0x1D, 0x21}: 3, {0x1B, 0x64}: 3,
	{0x1D, 0x56}: 3, {0x1B, 0x6D}: 2, {0x1B, 0x69}: 2, {0x1D, 0x76}: 8, {0x10, 0x04}: 3, {0x10, 0x05}: 3,
}

// one carries one command out, and gives its length; 0 when more must come.
func (p *parser) one(b []byte) int {
	switch c := b[0]; {
	case c == '\n':
		p.print()
		return 1
	case c >= 0x20 && c != 0x7F:
		p.letter(c)
		return 1
	case c != 0x1B && c != 0x1D && c != 0x10:
		p.strange(b[:1])
		return 1
	case len(b) < 2:
		return 0
	}
	n, ok := lengths[[2]byte(b)]
	if !ok {
		p.strange(b[:2])
		return 2
	}
	if len(b) < n {
		return 0
	}
	if b[1] == 0x76 {
		return p.picture(b)
	}
	p.obey(b[:n])
	return n
}

func (p *parser) obey(b []byte) {
	switch [2]byte(b) {
	case [2]byte{0x1B, 0x40}:
		*p = parser{printer: p.printer}
	case [2]byte{0x1B, 0x74}:
		if p.page = b[2]; pages[b[2]] == nil {
			p.strange(b)
		}
	case [2]byte{0x1B, 0x61}:
		if p.align = int(b[2]); b[2] > 2 || len(p.line) > 0 { // it counts at the beginning of a line only
			p.strange(b)
		}
	case [2]byte{0x1B, 0x45}:
		p.bold = b[2]&1 != 0
	case [2]byte{0x1D, 0x21}:
		if p.big = b[2] == 0x11; b[2] != 0x11 && b[2] != 0 {
			p.strange(b)
		}
	case [2]byte{0x1B, 0x64}:
		p.flush()
		for range b[2] {
			p.put(Line{})
		}
	case [2]byte{0x1B, 0x6D}, [2]byte{0x1B, 0x69}:
		p.cut("old")
	case [2]byte{0x1D, 0x56}:
		switch b[2] {
		case 0, '0':
			p.cut("full")
		case 1, '1':
			p.cut("partial")
		default:
			p.strange(b)
		}
	}
}

func (p *parser) letter(c byte) {
	page := pages[p.page]
	if page == nil {
		page = charmap.CodePage437
	}
	columns := p.printer.Columns
	if p.big {
		columns /= 2
	}
	if len(p.line) == columns {
		p.print()
	}
	p.line = append(p.line, page.DecodeByte(c))
}

// print prints the line under the head, also an empty one.
func (p *parser) print() {
	p.put(Line{Text: string(p.line), Align: p.align, Bold: p.bold, Big: p.big})
	p.line = nil
}

func (p *parser) flush() {
	if len(p.line) > 0 {
		p.print()
	}
}

func (p *parser) put(l Line) {
	s := p.printer.last()
	s.Lines = append(s.Lines, l)
	p.printer.printed()
}

func (p *parser) cut(how string) {
	p.flush()
	p.printer.last().Cut = how
	if p.printer.CutOff != nil {
		p.printer.CutOff(*p.printer.last())
	}
	p.printer.slips = append(p.printer.slips, Slip{})
}

// maxUnknown is how many strange commands are kept.
const maxUnknown = 100

func (p *parser) strange(b []byte) {
	if len(p.printer.unknown) < maxUnknown {
		p.printer.unknown = append(p.printer.unknown, slices.Clone(b))
	}
}

// maxRows is how many rows a picture may have in one command.
const maxRows = 2048

// picture takes GS v 0 m xL xH yL yH and its dots. Rows that follow a picture
// belong to it.
func (p *parser) picture(b []byte) int {
	wide, high := int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:]))
	if b[2] != '0' || b[3] != 0 || wide == 0 || high == 0 || high > maxRows || wide*8 > p.printer.Dots+7 {
		p.strange(b[:8])
		return 8
	}
	n := 8 + wide*high
	if len(b) < n {
		return 0
	}
	p.flush()
	var old *image.Gray
	s := p.printer.last()
	if k := len(s.Lines); k > 0 && s.Lines[k-1].Picture != nil {
		old = s.Lines[k-1].Picture
		s.Lines = s.Lines[:k-1]
	}
	p.put(Line{Picture: below(old, b[8:n], wide, high, p.printer.Dots)})
	return n
}

// below makes a picture of old and rows of dots under it.
func below(old *image.Gray, dots []byte, wide, high, paper int) *image.Gray {
	top := 0
	if old != nil {
		top = old.Rect.Dy()
	}
	img := image.NewGray(image.Rect(0, 0, paper, top+high))
	for i := range img.Pix {
		img.Pix[i] = 0xFF
	}
	if old != nil {
		copy(img.Pix, old.Pix)
	}
	for y := range high {
		for x := range min(wide*8, paper) {
			if dots[y*wide+x/8]&(0x80>>(x%8)) != 0 {
				img.Pix[(top+y)*img.Stride+x] = 0
			}
		}
	}
	return img
}
