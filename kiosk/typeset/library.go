package typeset

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"

	"github.com/carrel-kiosk/carrel/kiosk/web/static/fonts"
)

// library finds the font for a character.
type library struct {
	files []*fontFile
}

// fontFile is one file, and the characters that it is for.
type fontFile struct {
	name   string
	ranges [][2]rune
	tried  bool
	font   *font.Font // nil: not unpacked, or damaged
	faces  map[bool]*font.Face
}

// rule is one rule of fonts.css.
var rule = regexp.MustCompile(`font-family: "([^"]+)".*src: url\(([^)]+)\).*unicode-range: ([^;]+);`)

func newLibrary() (*library, error) {
	css, err := fonts.FS.ReadFile("fonts.css")
	if err != nil {
		return nil, err
	}
	l := &library{}
	for _, m := range rule.FindAllStringSubmatch(string(css), -1) {
		if m[1] == "Noto Sans Mono" {
			continue
		}
		f := &fontFile{name: m[2], faces: map[bool]*font.Face{}}
		for part := range strings.SplitSeq(m[3], ",") {
			low, high, ok := strings.Cut(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(part)), "U+"), "-")
			if !ok {
				high = low
			}
			a, e1 := strconv.ParseUint(low, 16, 32)
			b, e2 := strconv.ParseUint(high, 16, 32)
			if e1 != nil || e2 != nil {
				return nil, fmt.Errorf("typeset: fonts.css: %q", part)
			}
			f.ranges = append(f.ranges, [2]rune{rune(a), rune(b)})
		}
		l.files = append(l.files, f)
	}
	if len(l.files) == 0 {
		return nil, fmt.Errorf("typeset: fonts.css names no fonts")
	}
	return l, nil
}

func (f *fontFile) covers(r rune) bool {
	for _, x := range f.ranges {
		if x[0] <= r && r <= x[1] {
			return true
		}
	}
	return false
}

// face is the font in a weight; nil if the file can't be read.
func (f *fontFile) face(bold bool) *font.Face {
	if !f.tried {
		f.tried = true
		if b, err := fonts.FS.ReadFile(f.name); err == nil {
			f.font = parse(b)
		}
	}
	if f.font == nil {
		return nil
	}
	if f.faces[bold] == nil {
		weight := float32(450) // a thermal head prints thin
		if bold {
			weight = 750
		}
		face := font.NewFace(f.font)
		face.SetVariations([]font.Variation{{Tag: opentype.MustNewTag("wght"), Value: weight}})
		f.faces[bold] = face
	}
	return f.faces[bold]
}

// parse reads a font; nil if it is damaged.
func parse(file []byte) *font.Font {
	otf, err := unpack(file)
	if err != nil {
		return nil
	}
	face, err := font.ParseTTF(bytes.NewReader(otf))
	if err != nil {
		return nil
	}
	return face.Font
}

// find gives the face that has a character. Where several files claim it, as
// accents, the first that really has it.
func (l *library) find(r rune, bold bool) *font.Face {
	for _, f := range l.files {
		if !f.covers(r) {
			continue
		}
		if face := f.face(bold); face != nil {
			if _, ok := face.NominalGlyph(r); ok {
				return face
			}
		}
	}
	return nil
}

// known puts question marks for what no font has, and spaces for line ends and
// other controls.
func (l *library) known(text []rune) []rune {
	for i, r := range text {
		switch {
		case unicode.IsControl(r):
			text[i] = ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r), unicode.IsSpace(r):
		case l.find(r, false) == nil:
			text[i] = '?'
		}
	}
	return text
}

// weighted is the library in one weight.
type weighted struct {
	*library
	bold bool
}

func (l *library) weight(bold bool) weighted { return weighted{l, bold} }

// ResolveFace implements shaping.Fontmap.
func (w weighted) ResolveFace(r rune) *font.Face {
	if f := w.find(r, w.bold); f != nil {
		return f
	}
	return w.find('?', w.bold)
}
