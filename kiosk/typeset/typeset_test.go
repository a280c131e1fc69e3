package typeset

import (
	"image"
	"image/png"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk/web/static/fonts"
)

func setter(t testing.TB) *Setter {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFontsUnpack: every font that comes with the program can be read, and has
// characters that fonts.css says; of some it claims more than there are.
func TestFontsUnpack(t *testing.T) {
	l := setter(t).fonts
	files, _ := fs.Glob(fonts.FS, "*.woff2")
	if len(l.files) < 80 || len(l.files) > len(files) {
		t.Errorf("the library has %d files of %d", len(l.files), len(files))
	}
	for _, f := range l.files {
		face := f.face(false)
		if face == nil {
			t.Errorf("%s can't be read", f.name)
			continue
		}
		has, all := 0, 0
		for _, r := range f.ranges {
			for c := r[0]; c <= r[1]; c++ {
				all++
				if _, ok := face.NominalGlyph(c); ok {
					has++
				}
			}
		}
		if has < 5 {
			t.Errorf("%s has %d of the %d characters that it is for", f.name, has, all)
		}
	}
}

// ink is how many dots are black, and where the first and last columns of them
// are.
func ink(img *image.Gray) (n, left, right int) {
	left = img.Rect.Dx()
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if img.GrayAt(x, y).Y < 128 {
				n, left, right = n+1, min(left, x), max(right, x)
			}
		}
	}
	return n, left, right
}

func TestDraw(t *testing.T) {
	s := setter(t)
	if dir := os.Getenv("CARREL_LOOK"); dir != "" {
		for name, st := range looks {
			f, _ := os.Create(dir + "/" + name + ".png")
			png.Encode(f, s.Draw(texts[name], 576, st))
			f.Close()
		}
	}
	one := s.Draw("Maple", 576, Style{Size: 26})
	n, left, right := ink(one)
	if n < 200 || left > 10 || right > 150 || one.Rect.Dx() != 576 {
		t.Errorf("Maple has %d dots from %d to %d of %v", n, left, right, one.Rect)
	}
	if bold, _, _ := ink(s.Draw("Maple", 576, Style{Size: 26, Bold: true})); bold < n*11/10 {
		t.Errorf("bold has %d dots, plain %d", bold, n)
	}
	if _, l, r := ink(s.Draw("Maple", 576, Style{Size: 26, Align: End})); l < 450 || r < 565 {
		t.Errorf("at the end it stands from %d to %d", l, r)
	}
	if _, l, r := ink(s.Draw("Maple", 576, Style{Size: 26, Align: Center})); l < 200 || r > 376 || l+r < 560 || l+r > 592 {
		t.Errorf("centred it stands from %d to %d", l, r)
	}
	if _, l, _ := ink(s.Draw("كتاب", 576, Style{Size: 26, Right: true})); l < 450 {
		t.Errorf("Arabic begins at %d; want it at the right", l)
	}
	lines := s.Draw("Le Petit Prince et les autres livres que l’on aime relire avant de dormir", 384, Style{Size: 26})
	if h := lines.Rect.Dy(); h < 2*39 {
		t.Errorf("a long line is %d dots high; want several lines", h)
	}
	if n, _, _ := ink(s.Draw("", 100, Style{Size: 26})); n != 0 {
		t.Errorf("nothing has %d dots", n)
	}
}

var texts = map[string]string{"arabic": "عاد 3 كتب: Charlotte's Web، مستحق الاثنين 4 يناير", "chinese": "《夏洛的网》应于1月4日（星期一）归还，谢谢！",
	"vietnamese": "Trả trước thứ Hai, ngày 4 tháng 1 – Đừng quên!", "ukrainian": "Повернути до понеділка, 4 січня. Їжак", "mixed": "Dune \u2068كتاب الأدغال\u2069 図書館 😀 שלום"}

var looks = map[string]Style{"arabic": {Size: 26, Right: true}, "chinese": {Size: 26, Bold: true}, "vietnamese": {Size: 26}, "ukrainian": {Size: 44, Bold: true}, "mixed": {Size: 26}}

// TestArabicJoins: letters take the shapes that they have within a word, which
// are narrower than those that stand alone.
func TestArabicJoins(t *testing.T) {
	s := setter(t)
	width := func(text string) int { _, l, r := ink(s.Draw(text, 576, Style{Size: 26, Right: true})); return r - l }
	if joined, apart := width("ككك"), width("ك\u200cك\u200cك"); joined >= apart {
		t.Errorf("joined it is %d wide, apart %d", joined, apart)
	}
	if a, b := s.Draw("123 كتاب", 576, Style{Size: 26, Right: true}), s.Draw("كتاب 123", 576, Style{Size: 26, Right: true}); string(a.Pix) == string(b.Pix) {
		t.Error("number before and after the word look the same")
	}
}

// TestNoBoxes: what no font has is a question mark, and never a box.
func TestNoBoxes(t *testing.T) {
	s := setter(t)
	got, want := s.Draw("a😀b", 200, Style{Size: 26}), s.Draw("a?b", 200, Style{Size: 26})
	if string(got.Pix) != string(want.Pix) {
		t.Error("an emoji is not drawn as a question mark")
	}
	for _, text := range texts {
		for _, r := range text {
			if s.fonts.find(r, false) == nil && r < 0x1F000 && (r < 0x590 || r > 0x5FF) && r != 0x2068 && r != 0x2069 {
				t.Errorf("no font has %q", r)
			}
		}
	}
}

// FuzzDraw: any text in any style is drawn within its width.
func FuzzDraw(f *testing.F) {
	for _, text := range texts {
		f.Add(text, true, false, 1)
	}
	f.Add("\u202e\u2067a\u0301\u0301\u0301\u200d\x00\n\xff", true, true, 2)
	f.Add(strings.Repeat("W", maxText), false, false, 0) // hundreds of lines
	s := setter(f)
	f.Fuzz(func(t *testing.T, text string, bold, right bool, align int) {
		if img := s.Draw(text, 120, Style{Size: 20, Bold: bold, Right: right, Align: Align(align)}); img.Rect.Dx() != 120 {
			t.Errorf("%q is %d wide", text, img.Rect.Dx())
		}
	})
}

// FuzzUnpack: no file breaks the unpacking.
func FuzzUnpack(f *testing.F) {
	for _, name := range []string{"noto-sans-vietnamese-wght-normal.woff2", "noto-sans-greek-ext-wght-normal.woff2"} {
		b, err := fonts.FS.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { unpack(b) })
}

// FuzzGlyphs: nor do outlines that were packed badly.
func FuzzGlyphs(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x01\x03abcdefghijk"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if outlines, offsets, left, err := glyphs(b); err == nil && (len(offsets) != 4*len(left)+4 || len(outlines)%4 != 0) {
			t.Errorf("%d offsets for %d glyphs in %d bytes", len(offsets)/4, len(left), len(outlines))
		}
	})
}
