package typeset

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/shaping"
)

// Units are how many of a PDF's lengths make a point, 1/72 inch.
const Units = 10

// A4 in units.
const (
	PageWidth  = 5950
	PageHeight = 8420
)

// PDF is a document (ISO 32000-1). Its letters are outlines of the fonts of the
// screen, as fonts of type 3, with the characters that they stand for: it looks
// the same everywhere, in every script, and can be searched and read out. The
// libraries for PDF that there are in Go neither shape text nor take fonts that
// vary in weight.
type PDF struct {
	set   *Setter
	title string
	lang  string
	pages []*bytes.Buffer
	fonts []*type3
	open  map[*font.Face]int // the newest of fonts of a face
	used  map[letter]place
}

// letter is a glyph that stands for a text.
type letter struct {
	face *font.Face
	gid  font.GID
	text string
}

// place is where a letter stands in the fonts of a document.
type place struct{ font, code int }

// type3 are up to 255 letters of a face, from 1 on. The first, which is never
// written, is an m as wide as most: readers guess by it how large letters are
// (poppler, TextOutputDev.cc), and by that where words end.
type type3 struct {
	face    *font.Face
	letters []letter
	widths  []float32
}

// NewPDF begins a document in a language (BCP 47).
func (s *Setter) NewPDF(title, lang string) *PDF {
	return &PDF{set: s, title: title, lang: lang, open: map[*font.Face]int{}, used: map[letter]place{}}
}

// Page begins a page.
func (p *PDF) Page() { p.pages = append(p.pages, &bytes.Buffer{}) }

// Pages is how many there are.
func (p *PDF) Pages() int { return len(p.pages) }

// Height is how high Text would be.
func (p *PDF) Height(text string, width int, st Style) int {
	p.set.mu.Lock()
	defer p.set.mu.Unlock()
	lines, _ := p.set.lines(text, width, st)
	return max(1, len(lines)) * leading(st)
}

// Text writes on a page, from x and y at its upper left, and gives its height.
func (p *PDF) Text(page, x, y, width int, text string, st Style) int {
	p.set.mu.Lock()
	defer p.set.mu.Unlock()
	lines, runes := p.set.lines(text, width, st)
	out := p.pages[page]
	out.WriteString("BT\n")
	for n, line := range lines {
		ordered, at := arrange(line, width, st)
		pen := float32(x) + float32(at)/64
		base := float32(PageHeight - y - n*leading(st) - st.Size*17/16)
		var dots bytes.Buffer // drawn after the line: between letters they would part words for who reads
		for _, run := range ordered {
			speak := speakers(run.Glyphs)
			for i, g := range run.Glyphs {
				text := ""
				if from, n := g.TextIndex(), g.RunesCount(); speak[from] == i && from+n <= len(runes) {
					text = string(runes[from : from+n])
				}
				where := p.letter(letter{run.Face, g.GlyphID, text})
				to := out
				if text == "" {
					to = &dots
				}
				fmt.Fprintf(to, "/F%d %d Tf 1 0 0 1 %.1f %.1f Tm <%02x> Tj\n", where.font, st.Size, pen+float32(g.XOffset)/64, base+float32(g.YOffset)/64, where.code)
				pen += float32(g.Advance) / 64
			}
		}
		out.Write(dots.Bytes())
	}
	out.WriteString("ET\n")
	return max(1, len(lines)) * leading(st)
}

// speakers are, by the place in the text at which their cluster begins, the
// glyphs that stand for its text: of several the widest, which is the letter and
// not its dots.
func speakers(glyphs []shaping.Glyph) map[int]int {
	list := map[int]int{}
	for i, g := range glyphs {
		if at, ok := list[g.TextIndex()]; !ok || g.Advance > glyphs[at].Advance {
			list[g.TextIndex()] = i
		}
	}
	return list
}

// Line draws one, across the page from x to x2.
func (p *PDF) Line(page, x, x2, y int) {
	fmt.Fprintf(p.pages[page], "5 w %d %d m %d %d l S\n", x, PageHeight-y, x2, PageHeight-y)
}

// Box draws one to tick.
func (p *PDF) Box(page, x, y, side int) {
	fmt.Fprintf(p.pages[page], "8 w %d %d %d %d re S\n", x, PageHeight-y-side, side, side)
}

// letter finds the place of one, or makes it.
func (p *PDF) letter(l letter) place {
	if at, ok := p.used[l]; ok {
		return at
	}
	n, ok := p.open[l.face]
	if !ok || len(p.fonts[n].letters) == 256 {
		n, p.fonts = len(p.fonts), append(p.fonts, &type3{face: l.face, letters: make([]letter, 1), widths: []float32{0.6 * float32(l.face.Upem())}})
		p.open[l.face] = n
	}
	f := p.fonts[n]
	at := place{n, len(f.letters)}
	f.letters, f.widths = append(f.letters, l), append(f.widths, l.face.HorizontalAdvance(l.gid))
	p.used[l] = at
	return at
}

// outline is what draws a letter.
func (l letter) outline(width float32) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%.0f 0 d0\n", width)
	if l.face == nil {
		return b.Bytes()
	}
	o, ok := l.face.GlyphData(l.gid).(font.GlyphOutline)
	if !ok || len(o.Segments) == 0 {
		return b.Bytes()
	}
	var at opentype.SegmentPoint
	for _, s := range o.Segments {
		a := s.Args
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			fmt.Fprintf(&b, "%.0f %.0f m\n", a[0].X, a[0].Y)
			at = a[0]
		case opentype.SegmentOpLineTo:
			fmt.Fprintf(&b, "%.0f %.0f l\n", a[0].X, a[0].Y)
			at = a[0]
		case opentype.SegmentOpQuadTo: // as a cubic one
			fmt.Fprintf(&b, "%.0f %.0f %.0f %.0f %.0f %.0f c\n", (at.X+2*a[0].X)/3, (at.Y+2*a[0].Y)/3, (a[1].X+2*a[0].X)/3, (a[1].Y+2*a[0].Y)/3, a[1].X, a[1].Y)
			at = a[1]
		case opentype.SegmentOpCubeTo:
			fmt.Fprintf(&b, "%.0f %.0f %.0f %.0f %.0f %.0f c\n", a[0].X, a[0].Y, a[1].X, a[1].Y, a[2].X, a[2].Y)
			at = a[2]
		}
	}
	b.WriteString("f\n")
	return b.Bytes()
}

// WriteTo writes the document.
func (p *PDF) WriteTo(w io.Writer) (int64, error) {
	f := &pdfFile{}
	f.b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	catalog, tree, info := f.reserve(), f.reserve(), f.reserve()
	var fonts strings.Builder
	for i, t := range p.fonts {
		fmt.Fprintf(&fonts, "/F%d %d 0 R ", i, t.write(f))
	}
	var kids strings.Builder
	for _, page := range p.pages {
		content := f.stream("", append([]byte(fmt.Sprintf("%g 0 0 %g 0 0 cm\n", 1.0/Units, 1.0/Units)), page.Bytes()...))
		n := f.object(fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R /Resources << /Font << %s>> >> >>", tree, PageWidth/Units, PageHeight/Units, content, fonts.String()))
		fmt.Fprintf(&kids, "%d 0 R ", n)
	}
	f.put(tree, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(p.pages), kids.String()))
	f.put(catalog, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /Lang (%s) /ViewerPreferences << /DisplayDocTitle true >> >>", tree, strings.Map(plainTag, p.lang)))
	f.put(info, fmt.Sprintf("<< /Title <feff%s> /Producer (Carrel) >>", utf16Hex(p.title)))
	f.end(catalog, info)
	n, err := w.Write(f.b.Bytes())
	return int64(n), err
}

// plainTag leaves of a tag what may stand in a PDF's string.
func plainTag(r rune) rune {
	if r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
		return r
	}
	return -1
}

func utf16Hex(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return hex.EncodeToString(b)
}

// glyphName is a name that readers take for no character's, as they may those
// with digits.
func glyphName(i int) string {
	if i == 0 {
		return "m"
	}
	return "zz" + string(rune('a'+i/26)) + string(rune('a'+i%26))
}

// write writes a font.
func (t *type3) write(f *pdfFile) int {
	var names, procs, widths, cmap strings.Builder
	for i, l := range t.letters {
		fmt.Fprintf(&names, "/%s ", glyphName(i))
		fmt.Fprintf(&procs, "/%s %d 0 R ", glyphName(i), f.stream("", l.outline(t.widths[i])))
		fmt.Fprintf(&widths, "%.0f ", t.widths[i])
		if l.text != "" {
			fmt.Fprintf(&cmap, "1 beginbfchar\n<%02x> <%s>\nendbfchar\n", i, utf16Hex(l.text))
		}
	}
	unicode := f.stream("", []byte("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"+
		"1 begincodespacerange\n<00> <ff>\nendcodespacerange\n"+cmap.String()+"endcmap CMapName currentdict /CMap defineresource pop end end\n"))
	k := 1 / float64(t.face.Upem())
	return f.object(fmt.Sprintf("<< /Type /Font /Subtype /Type3 /FontBBox [0 0 0 0] /FontMatrix [%g 0 0 %g 0 0] /FirstChar 0 /LastChar %d /Widths [%s] "+
		"/Encoding << /Type /Encoding /Differences [0 %s] >> /CharProcs << %s>> /Resources << >> /ToUnicode %d 0 R >>",
		k, k, len(t.letters)-1, widths.String(), names.String(), procs.String(), unicode))
}

// pdfFile is a file as it grows: objects, and where each begins.
type pdfFile struct {
	b  bytes.Buffer
	at []int
}

func (f *pdfFile) reserve() int {
	f.at = append(f.at, 0)
	return len(f.at)
}

func (f *pdfFile) put(n int, text string) {
	f.at[n-1] = f.b.Len()
	fmt.Fprintf(&f.b, "%d 0 obj\n%s\nendobj\n", n, text)
}

func (f *pdfFile) object(text string) int {
	n := f.reserve()
	f.put(n, text)
	return n
}

func (f *pdfFile) stream(dict string, data []byte) int {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(data) //nolint:errcheck // into memory
	w.Close()
	return f.object(fmt.Sprintf("<< %s/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", dict, z.Len(), z.Bytes()))
}

// end writes the table of where objects begin.
func (f *pdfFile) end(catalog, info int) {
	start := f.b.Len()
	fmt.Fprintf(&f.b, "xref\n0 %d\n0000000000 65535 f \n", len(f.at)+1)
	for _, at := range f.at {
		fmt.Fprintf(&f.b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&f.b, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(f.at)+1, catalog, info, start)
}
