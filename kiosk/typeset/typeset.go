// Package typeset draws text without a browser, in the fonts of the screen:
// any script that they have, joined and ordered as it is written (Arabic, from
// right to left), broken into lines. It is for what a printer has no letters
// for, and for the preview of paper.
//
// Shaping, the order of directions and the breaking of lines are
// github.com/go-text/typesetting's, a port of HarfBuzz. The fonts are unpacked
// from WOFF2 when their first character is wanted.
package typeset

import (
	"image"
	"sync"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Align is where a line stands.
type Align int

// The alignments.
const (
	Start Align = iota
	Center
	End
)

// Style is how text is set.
type Style struct {
	Size  int   // of letters, in dots from line to line of the em square
	Bold  bool  //
	Align Align //
	Right bool  // the text as a whole runs from right to left
}

// maxText is the longest text that is drawn, in characters.
const maxText = 4000

// Setter sets text. It may be used by several goroutines.
type Setter struct {
	mu    sync.Mutex
	fonts *library
	seg   shaping.Segmenter
	shape shaping.HarfbuzzShaper
	wrap  shaping.LineWrapper
}

// New makes one with the fonts of the screen.
func New() (*Setter, error) {
	l, err := newLibrary()
	return &Setter{fonts: l}, err
}

// Draw gives text in black on white, as wide as told and as high as it needs.
// A character that no font has is a question mark.
func (s *Setter) Draw(text string, width int, st Style) *image.Gray {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines, _ := s.lines(text, width, st)
	ink := image.NewAlpha(image.Rect(0, 0, width, max(1, len(lines))*leading(st))) // the pen is slow on a Gray
	var pen vector.Rasterizer
	for n, line := range lines {
		drawLine(&pen, ink, line, n*leading(st)+st.Size*17/16, st)
	}
	for i := range ink.Pix {
		ink.Pix[i] = 0xFF - ink.Pix[i]
	}
	return &image.Gray{Pix: ink.Pix, Stride: ink.Stride, Rect: ink.Rect}
}

// leading is from line to line: Arabic reaches deep below its line.
func leading(st Style) int { return st.Size * 3 / 2 }

// lines shapes a text and breaks it; it gives the characters, too, as they
// are shaped. The lock is held.
func (s *Setter) lines(text string, width int, st Style) (lines []shaping.Line, runes []rune) {
	runes = s.fonts.known([]rune(text))
	runes = runes[:min(len(runes), maxText)]
	dir := di.DirectionLTR
	if st.Right {
		dir = di.DirectionRTL
	}
	var runs []shaping.Output
	if len(runes) == 0 {
		runes = []rune{' '}
	}
	for _, in := range s.seg.Split(shaping.Input{Text: runes, RunEnd: len(runes), Direction: dir, Size: fixed.I(st.Size),
		Script: language.Latin, Language: language.NewLanguage("en")}, s.fonts.weight(st.Bold)) {
		runs = append(runs, s.shape.Shape(in))
	}
	lines, _ = s.wrap.WrapParagraph(shaping.WrapConfig{Direction: dir}, width, runes, shaping.NewSliceIterator(runs))
	return lines, runes
}

// drawLine draws the runs of a line from left to right. Only the part of the
// picture that its letters may reach is gone through: a pen over the whole of
// it for each line would make a long text's time grow with its square.
func drawLine(pen *vector.Rasterizer, ink *image.Alpha, line shaping.Line, baseline int, st Style) {
	ordered, x := arrange(line, ink.Rect.Dx(), st)
	band := image.Rect(0, baseline-2*st.Size, ink.Rect.Dx(), baseline+2*st.Size).Intersect(ink.Rect)
	pen.Reset(band.Dx(), band.Dy())
	for _, run := range ordered {
		for _, g := range run.Glyphs {
			if o, ok := run.Face.GlyphData(g.GlyphID).(font.GlyphOutline); ok {
				trace(pen, o, run, float32(x+g.XOffset)/64, float32(fixed.I(baseline-band.Min.Y)-g.YOffset)/64)
			}
			x += g.Advance
		}
	}
	pen.Draw(ink, band, image.Opaque, image.Point{})
}

// arrange gives the runs of a line from left to right, and where it begins.
func arrange(line shaping.Line, width int, st Style) (ordered []shaping.Output, x fixed.Int26_6) {
	ordered = make([]shaping.Output, len(line))
	wide := fixed.Int26_6(0)
	for i := range line {
		ordered[line[i].VisualIndex] = line[i]
		wide += line[i].Advance
	}
	free := fixed.I(width) - wide
	switch {
	case st.Align == Center:
		x = free / 2
	case (st.Align == End) != st.Right:
		x = free
	}
	return ordered, x
}

// trace moves the pen along an outline whose origin is at x, y.
func trace(pen *vector.Rasterizer, o font.GlyphOutline, run shaping.Output, x, y float32) {
	scale := float32(run.Size) / 64 / float32(run.Face.Upem())
	at := func(p opentype.SegmentPoint) (float32, float32) { return x + p.X*scale, y - p.Y*scale }
	for _, s := range o.Segments {
		ax, ay := at(s.Args[0])
		bx, by := at(s.Args[1])
		cx, cy := at(s.Args[2])
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			pen.ClosePath()
			pen.MoveTo(ax, ay)
		case opentype.SegmentOpLineTo:
			pen.LineTo(ax, ay)
		case opentype.SegmentOpQuadTo:
			pen.QuadTo(ax, ay, bx, by)
		case opentype.SegmentOpCubeTo:
			pen.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	pen.ClosePath()
}
