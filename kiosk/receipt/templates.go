package receipt

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"
)

//go:embed templates/*.txt
var ours embed.FS

// Kinds are the templates there are.
var Kinds = []string{"paper", "mail", "code"}

// Templates are those of a library.
type Templates struct {
	own, ours map[string]*template.Template
}

// Bounds, in bytes.
const (
	maxTemplate = 64 << 10
	maxOutput   = 256 << 10
)

// Load reads the library's templates from a folder, which need not be there.
// The error names each that can't be used; the Templates are good all the same.
func Load(folder string) (*Templates, error) {
	t := &Templates{own: map[string]*template.Template{}, ours: map[string]*template.Template{}}
	var errs []error
	for _, kind := range Kinds {
		b, err := ours.ReadFile("templates/" + kind + ".txt")
		if err == nil {
			t.ours[kind], err = template.New(kind).Parse(string(b))
		}
		if err != nil {
			panic(err) // it is part of the program
		}
		own, err := load(kind, filepath.Join(folder, kind+".txt"))
		if err != nil {
			errs = append(errs, err)
		} else if own != nil {
			t.own[kind] = own
		}
	}
	return t, errors.Join(errs...)
}

// load reads one template and tries it; nil if there is none.
func load(kind, file string) (*template.Template, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.Size() > maxTemplate:
		return nil, fmt.Errorf("%s: must be at most %d bytes", file, maxTemplate)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t, err := template.New(kind + ".txt").Parse(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if _, err := run(t, Doc{Done: []Item{{}}, Unfinished: []Item{{}}}); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}

// run executes a template, within bounds.
func run(t *template.Template, d Doc) (string, error) {
	var b bounded
	if err := t.Execute(&b, d); err != nil {
		return "", err
	}
	return b.String(), nil
}

// bounded is a text that does not grow for ever.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("more than %d bytes come out of it", maxOutput)
	}
	return b.Builder.Write(p)
}

// text runs the library's template, or ours where that fails.
func (t *Templates) text(kind string, d Doc) string {
	if own := t.own[kind]; own != nil {
		if s, err := run(own, d); err == nil {
			return s
		}
	}
	s, err := run(t.ours[kind], d)
	if err != nil {
		panic(err) // our own template
	}
	return s
}

// Line is one line of paper.
type Line struct {
	Text        string
	Big, Bold   bool
	Center, End bool
	Rule        bool
}

// safe keeps a text from outside from being taken for the marks of a line.
func safe(text string) string {
	if text != "" && strings.ContainsRune("#*=>-.", rune(text[0])) {
		return "\u2060" + text // a joiner that nobody sees
	}
	return text
}

// Paper gives the lines for a printer.
func (t *Templates) Paper(d Doc) (lines []Line) {
	d.Library, d.Patron, d.Card = safe(d.Library), safe(d.Patron), safe(d.Card)
	for _, list := range [][]string{d.Head, d.Foot} {
		for i := range list {
			list[i] = safe(list[i])
		}
	}
	for _, list := range [][]Item{d.Done, d.Unfinished} {
		for i := range list {
			list[i].Title = safe(list[i].Title)
		}
	}
	for text := range strings.SplitSeq(t.text("paper", d), "\n") {
		text = strings.TrimSpace(text)
		mark, rest, ok := strings.Cut(text, " ")
		switch {
		case text == "":
		case text == ".":
			lines = append(lines, Line{})
		case text == "---":
			lines = append(lines, Line{Rule: true})
		case ok && mark == "#":
			lines = append(lines, Line{Text: rest, Big: true, Bold: true, Center: true})
		case ok && mark == "*":
			lines = append(lines, Line{Text: rest, Bold: true})
		case ok && mark == "=":
			lines = append(lines, Line{Text: rest, Center: true})
		case ok && mark == ">":
			lines = append(lines, Line{Text: rest, End: true})
		case len(text) == 1 && strings.Contains("#*=>", text): // nothing stood behind the mark
		default:
			lines = append(lines, Line{Text: text})
		}
	}
	return lines
}

// Mail gives subject and body.
func (t *Templates) Mail(d Doc) (subject, body string) {
	subject, body, _ = strings.Cut(strings.TrimSpace(t.text("mail", d)), "\n")
	return clean(subject), strings.TrimSpace(body) + "\n"
}

// maxCode is how much a code holds, in bytes, that phones still read from a
// screen: QR version 25 at the lowest correction holds 1273.
const maxCode = 1000

// Code gives the text for a phone. Titles are cut until it fits, and then
// those that have no room are counted.
func (t *Templates) Code(d Doc) string {
	for _, longest := range []int{80, 50, 30, 20, 12} {
		short := d
		short.Done, short.Unfinished = cut(d.Done, longest), cut(d.Unfinished, longest)
		if s := tidy(t.text("code", short)); len(s) <= maxCode {
			return s
		}
		d.Unfinished = short.Unfinished
	}
	done := cut(d.Done, 12)
	without := func(more int) string {
		d.Done = done[:len(done)-more]
		return tidy(t.text("code", d))
	}
	if more := sort.Search(len(done)+1, func(more int) bool { return len(without(more)) <= maxCode-8 }); more <= len(done) {
		return fmt.Sprintf("%s\n+ %d", without(more), more)
	}
	s := []rune(tidy(t.text("code", d)))
	return strings.ToValidUTF8(string(s)[:min(len(string(s)), maxCode)], "")
}

// cut makes the titles at most so long.
func cut(items []Item, longest int) []Item {
	list := make([]Item, len(items))
	for i, it := range items {
		if r := []rune(it.Title); len(r) > longest {
			it.Title = strings.TrimSpace(string(r[:longest-1])) + "…"
		}
		list[i] = it
	}
	return list
}

// tidy takes out the lines that came out empty.
func tidy(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
