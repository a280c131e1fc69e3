package escpos

import (
	"bytes"
	"fmt"
	"image"
	"image/color"

	"github.com/carrel-kiosk/carrel/drivers"
)

// The commands.
var (
	initialise = []byte{0x1B, 0x40}
	clearError = []byte{0x10, 0x05, 0x02} // and forget what is in the buffer
)

// cuts are the commands of the knives, by the option cut.
var cuts = map[string][]byte{
	"partial": {0x1D, 0x56, 0x01},
	"full":    {0x1D, 0x56, 0x00},
	"old":     {0x1B, 0x6D}, // HS-K33, and printers before GS V
	"none":    nil,
}

// encode makes all bytes of a slip after the initialisation.
func encode(s drivers.Slip, c Config) ([]byte, error) {
	e := &encoder{Config: c, page: pages[c.Page], draw: s.Draw}
	if e.Text != "raster" {
		e.bytes(0x1B, 0x74, byte(e.number()))
	}
	for i, l := range s.Lines {
		if err := e.line(l); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	e.bytes(0x1B, 0x64, byte(c.Feed))
	e.out.Write(cuts[c.Cut])
	return e.out.Bytes(), nil
}

type encoder struct {
	Config
	page page
	draw func(drivers.SlipLine, int) (image.Image, error)
	out  bytes.Buffer
}

func (e *encoder) bytes(b ...byte) { e.out.Write(b) }

func (e *encoder) line(l drivers.SlipLine) error {
	switch {
	case l.Picture != nil:
		return e.picture(narrowed(l.Picture, e.dots()), l)
	case l.Rule:
		return e.picture(rule(e.dots()), l)
	case l.Text == "":
		e.bytes('\n')
		return nil
	case e.drawn(l.Text):
		img, err := e.draw(l, e.dots())
		if err != nil {
			return err
		}
		return e.picture(img, l)
	}
	e.text(l)
	return nil
}

// drawn tells whether a text is printed as a picture.
func (e *encoder) drawn(text string) bool {
	if e.draw == nil || e.Text == "codepage" {
		return false
	}
	return e.Text == "raster" || !e.page.has(text)
}

// text prints with the printer's own letters.
func (e *encoder) text(l drivers.SlipLine) {
	e.bytes(0x1B, 0x61, side(l))
	e.bytes(0x1B, 0x45, bit(l.Bold), 0x1D, 0x21, bit(l.Big)*0x11)
	columns := e.columns()
	if l.Big {
		columns /= 2
	}
	for _, part := range wrap(e.page.encode(l.Text), columns) {
		e.out.Write(part)
		e.bytes('\n')
	}
	e.bytes(0x1B, 0x45, 0, 0x1D, 0x21, 0, 0x1B, 0x61, 0)
}

// side is the alignment as ESC a counts it: left, middle, right.
func side(l drivers.SlipLine) byte {
	switch {
	case l.Align == drivers.AlignCenter:
		return 1
	case (l.Align == drivers.AlignEnd) != l.Right:
		return 2
	}
	return 0
}

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// wrap breaks a text into lines of at most so many bytes, between words where
// it can.
func wrap(text []byte, columns int) (lines [][]byte) {
	for len(text) > columns {
		at := bytes.LastIndexByte(text[:columns+1], ' ')
		if at <= 0 {
			at = columns
		}
		lines = append(lines, bytes.TrimRight(text[:at], " "))
		text = bytes.TrimLeft(text[at:], " ")
	}
	return append(lines, text)
}

// band is how many rows go into one command: some printers take no more.
const band = 96

// picture prints an image dot by dot, at most as wide as the paper. Its place
// is made of white dots: not every printer aligns pictures.
func (e *encoder) picture(img image.Image, l drivers.SlipLine) error {
	b := img.Bounds()
	left := 0
	switch free := e.dots() - b.Dx(); {
	case free < 0:
		return fmt.Errorf("a picture %d dots wide does not fit on %d", b.Dx(), e.dots())
	case side(l) == 1:
		left = free / 2
	case side(l) == 2:
		left = free
	}
	wide := (left + b.Dx() + 7) / 8
	for top := b.Min.Y; top < b.Max.Y; top += band {
		high := min(band, b.Max.Y-top)
		e.bytes(0x1D, 0x76, 0x30, 0, byte(wide), byte(wide>>8), byte(high), byte(high>>8))
		data := make([]byte, wide*high)
		for y := range high {
			for x := range b.Dx() {
				if dark(img.At(b.Min.X+x, top+y)) {
					at := left + x
					data[y*wide+at/8] |= 0x80 >> (at % 8)
				}
			}
		}
		e.out.Write(harmless(data))
	}
	return nil
}

func dark(c color.Color) bool { return light(c) < 0x8000 }

// light is how much of its white paper a colour leaves, 0 to 0xFFFF.
func light(c color.Color) int {
	r, g, b, a := c.RGBA()
	white := 0xFFFF - a
	return int((299*(r+white) + 587*(g+white) + 114*(b+white)) / 1000)
}

// harmless changes one dot of what within a picture a printer would take for a
// command that it obeys at once: DLE EOT answers, DLE ENQ throws away, DLE DC4
// opens drawers.
func harmless(data []byte) []byte {
	for i := 1; i < len(data); i++ {
		if b := data[i]; data[i-1] == 0x10 && (b == 0x04 || b == 0x05 || b == 0x14) {
			data[i] ^= 0x08
		}
	}
	if n := len(data); n > 0 && data[n-1] == 0x10 { // what follows is not known here
		data[n-1] = 0x18
	}
	return data
}

// widest is how many times as wide as the paper a picture may be to be made
// smaller; one that is wider yet is refused.
const widest = 4

// narrowed is a picture that fits on the paper: one that is wider is made
// smaller, each dot the mean of those in its place.
func narrowed(img image.Image, dots int) image.Image {
	b := img.Bounds()
	if b.Dx() <= dots || b.Dx() > widest*dots {
		return img
	}
	to := image.NewGray(image.Rect(0, 0, dots, max(1, b.Dy()*dots/b.Dx())))
	high := to.Rect.Dy()
	for y := range high {
		for x := range dots {
			sum, n := 0, 0
			for v := y * b.Dy() / high; v < max((y+1)*b.Dy()/high, y*b.Dy()/high+1); v++ {
				for u := x * b.Dx() / dots; u < (x+1)*b.Dx()/dots; u++ {
					sum, n = sum+light(img.At(b.Min.X+u, b.Min.Y+v)), n+1
				}
			}
			to.Pix[y*to.Stride+x] = byte(sum / n >> 8)
		}
	}
	return to
}

// rule is a line across the paper with some air above and below.
func rule(dots int) image.Image {
	img := image.NewGray(image.Rect(0, 0, dots, 14))
	for i := range img.Pix {
		img.Pix[i] = 0xFF
	}
	for x := range dots {
		img.Pix[6*img.Stride+x], img.Pix[7*img.Stride+x] = 0, 0
	}
	return img
}
