package typeset

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// read gives the text of each page of a document of ours, and fails if its
// table of objects is wrong.
func read(t *testing.T, b []byte) (pages []string) {
	t.Helper()
	streams := map[string][]byte{}
	starts := regexp.MustCompile(`(?m)^(\d{10}) 00000 n $`).FindAllSubmatch(b, -1)
	objects := map[string]string{}
	for i, m := range starts {
		at, _ := strconv.Atoi(string(m[1]))
		name := fmt.Sprintf("%d 0 obj\n", i+1)
		if !bytes.HasPrefix(b[at:], []byte(name)) {
			t.Fatalf("object %d does not begin at %d", i+1, at)
		}
		id := fmt.Sprintf("%d 0 R", i+1)
		body := b[at:]
		objects[id] = string(body[:bytes.Index(body, []byte("endobj"))])
		if m := regexp.MustCompile(`(?s)/Length (\d+) >>\nstream\n`).FindSubmatchIndex(body[:min(len(body), 200)]); m != nil {
			n, _ := strconv.Atoi(string(body[m[2]:m[3]]))
			z, err := zlib.NewReader(bytes.NewReader(body[m[1] : m[1]+n]))
			if err != nil {
				t.Fatal(err)
			}
			if streams[id], err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
	}
	fonts := map[string]map[string]string{}
	for _, o := range objects {
		if !strings.Contains(o, "/Type /Page ") {
			continue
		}
		for _, m := range regexp.MustCompile(`/(F\d+) (\d+ 0 R)`).FindAllStringSubmatch(o, -1) {
			cmap := regexp.MustCompile(`/ToUnicode (\d+ 0 R)`).FindStringSubmatch(objects[m[2]])[1]
			fonts[m[1]] = map[string]string{}
			for _, c := range regexp.MustCompile(`<(..)> <([0-9a-f]+)>\nendbfchar`).FindAllStringSubmatch(string(streams[cmap]), -1) {
				raw, _ := hex.DecodeString(c[2])
				var u []uint16
				for i := 0; i+1 < len(raw); i += 2 {
					u = append(u, uint16(raw[i])<<8|uint16(raw[i+1]))
				}
				fonts[m[1]][c[1]] = string(utf16.Decode(u))
			}
		}
	}
	for i := range starts {
		o := objects[fmt.Sprintf("%d 0 R", i+1)]
		if !strings.Contains(o, "/Type /Page ") {
			continue
		}
		var text strings.Builder
		for line := range strings.Lines(string(streams[regexp.MustCompile(`/Contents (\d+ 0 R)`).FindStringSubmatch(o)[1]])) {
			if line == "ET\n" {
				text.WriteByte('\n')
			}
			if m := shown.FindStringSubmatch(line); m != nil {
				text.WriteString(fonts[m[1]][m[3]])
				if m[2] == "-" {
					t.Fatalf("text stands below the page: %s", line)
				}
			}
		}
		pages = append(pages, text.String())
	}
	return pages
}

// shown is a letter: its font, whether it stands below the page, its code.
var shown = regexp.MustCompile(`^/(F\d+) \d+ Tf 1 0 0 1 \S+ (-?)\S+ Tm <(..)> Tj`)

func list(rows int, right bool) Sheet {
	s := Sheet{Title: "Books to pull", Lang: "en", Lead: []string{"Maple Street Library, 3 March 2026"}, Right: right, Page: func(n, of int) string { return fmt.Sprintf("Page %d of %d", n, of) }}
	t := Table{Title: "MAIN / Stacks", Head: []string{"Call number", "Title", "Why"}, Wide: []int{2, 5, 2}, Tick: true}
	titles := []string{"Le Petit Prince et les autres livres que l’on aime relire avant de dormir, en édition illustrée", "Trả trước thứ Hai", "Дванадцять місяців. Їжак", "西游记 图书馆", "كتاب الأدغال", "emoji 😀 (never a box)"}
	for i := range rows {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("%d.%d A", 500+i/10, i%10), titles[i%len(titles)], "hold"})
	}
	s.Parts = []Table{t, {Title: "Elsewhere", None: "Nothing", Head: []string{"a"}, Wide: []int{1}}}
	return s
}

// TestSheet: every row is there once, headings and numbers are on each page,
// and text in any script can be found again.
func TestSheet(t *testing.T) {
	var b bytes.Buffer
	if err := setter(t).WriteSheet(&b, list(120, false)); err != nil {
		t.Fatal(err)
	}
	pages := read(t, b.Bytes())
	if len(pages) < 3 {
		t.Fatalf("%d pages; want several", len(pages))
	}
	for i, p := range pages {
		if !strings.Contains(p, "Call number\n") || !strings.Contains(p, fmt.Sprintf("Page %d of %d", i+1, len(pages))) {
			t.Errorf("page %d has no heading or number:\n%s", i+1, p)
		}
	}
	all := strings.Join(pages, "")
	for i := range 120 {
		if n := strings.Count(all, fmt.Sprintf("%d.%d A\n", 500+i/10, i%10)); n != 1 {
			t.Errorf("row %d is there %d times", i, n)
		}
	}
	for _, want := range []string{"Books to pull", "Trả trước thứ Hai", "Дванадцять місяців. Їжак", "西游记 图书馆", "illustrée", "Nothing"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not found", want)
		}
	}
	var right bytes.Buffer
	if err := setter(t).WriteSheet(&right, list(3, true)); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 400_000 {
		t.Errorf("it has %d bytes", b.Len())
	}
	if dir := os.Getenv("CARREL_LOOK"); dir != "" {
		os.WriteFile(filepath.Join(dir, "sheet.pdf"), b.Bytes(), 0o644)
		var b bytes.Buffer
		setter(t).WriteSheet(&b, list(12, true))
		os.WriteFile(filepath.Join(dir, "sheet-right.pdf"), b.Bytes(), 0o644)
	}
}

// whole writes a sheet that has the texts in every place, and wants a document
// that can be read, on as many pages as it says, with each row once and none
// below the foot.
func whole(t *testing.T, s *Setter, title, cell string, rows int, right bool) {
	t.Helper()
	sh := Sheet{Title: title, Lang: "en", Lead: []string{cell, title}, Right: right, Page: func(n, of int) string { return fmt.Sprintf("p%dof%d", n, of) }}
	table := Table{Title: cell, None: title, Head: []string{"n", title, cell}, Wide: []int{2, 5, 1}, Tick: right}
	for i := range rows {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("row%d.", i), cell, title})
	}
	sh.Parts = []Table{table}
	var b bytes.Buffer
	if err := s.WriteSheet(&b, sh); err != nil {
		t.Fatal(err)
	}
	pages := read(t, b.Bytes())
	all := strings.Join(pages, "")
	for i, p := range pages {
		if !strings.Contains(p, fmt.Sprintf("p%dof%d", i+1, len(pages))) {
			t.Errorf("page %d of %d is not numbered", i+1, len(pages))
		}
	}
	for i := range rows {
		if row := fmt.Sprintf("row%d.\n", i); !strings.Contains(all, row) {
			t.Errorf("row %d is lost", i)
		}
	}
}

// TestLongSheet: many rows, and cells that are higher than a page.
func TestLongSheet(t *testing.T) {
	s := setter(t)
	whole(t, s, "\u202e\u2067(\\)<<>>endobj\x00\xff", strings.Repeat("\n", 400), 40, false)
	whole(t, s, strings.Repeat("ﷺ", 500), strings.Repeat("a\u2028", 300), 12, true)
	whole(t, s, strings.Repeat("W", 1000), "%PDF-1.7 stream", 90, false)
}

// FuzzSheet has texts of any kind, as long as many of them can be tried.
func FuzzSheet(f *testing.F) {
	for _, text := range texts {
		f.Add(text, text, 3, true)
	}
	f.Add("\u202e\u2067(\\)<<>>endobj\x00\xff", "a\u2028", 4, false)
	f.Add("", "", 0, false)
	s := setter(f)
	f.Fuzz(func(t *testing.T, title, cell string, rows int, right bool) {
		const long = 24 // bytes
		whole(t, s, title[:min(len(title), long)], cell[:min(len(cell), long)], max(0, min(rows, 2)), right)
	})
}

// TestReadByPoppler: another program reads it, Arabic in the order in which it
// is spoken.
func TestReadByPoppler(t *testing.T) {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("no pdftotext here (Debian: poppler-utils)")
	}
	for _, right := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "x.pdf")
		var b bytes.Buffer
		if err := setter(t).WriteSheet(&b, list(12, right)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("pdftotext", "-layout", file, "-").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, want := range []string{"Call number", "500.1 A", "Trả trước thứ Hai", "西游记 图书馆", "كتاب", "Page 1 of 1"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("right %t: %q is not read:\n%s", right, want, out)
			}
		}
	}
}
