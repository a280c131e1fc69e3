package catalog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// rows splits a CSV file (RFC 4180). What spreadsheets and people make of the
// format is read as it was meant where that is certain: a row may lack cells
// at its end, a quote inside a cell stands for itself, and text that is not
// UTF-8 is Windows-1252. A quote that is never closed costs one row.
type rows struct {
	in    *bufio.Reader
	sep   byte
	eol   byte   // '\n', or '\r' in files of old Macintoshes
	width int    // cells of the first row; 0 before it
	any   bool   // rows may have any width
	ahead []line // given back by a row that was none
	latin bool   // a row that is not UTF-8 has come
	n     int    // lines that were read
	cells []string
}

// line is a line of the file.
type line struct {
	text  string
	long  bool // it was longer than maxLine and the rest of it is gone
	cut   bool // the file ends in it, without the end of a line
	again bool // it was given back: it may be the inside of a cell
	latin bool // it was not UTF-8
	n     int  // of the file, from 1
}

const (
	maxLine  = 64 << 10 // bytes of a line, and of a row of several lines
	maxLines = 100      // of one row
	maxTexts = 8        // with a line break, of a row of any width
)

// newRows finds the separator: the one of , ; and TAB that the first line has
// most, or the one that a line "sep=;" names, as Excel writes it.
func newRows(in *bufio.Reader) *rows {
	r := &rows{in: in, sep: ',', eol: '\n'}
	head, _ := in.Peek(4096)
	text := string(head)
	if !strings.Contains(text, "\n") && strings.Contains(text, "\r") {
		r.eol = '\r'
	}
	text = strings.TrimLeft(text, "\r\n")
	first, _, _ := strings.Cut(text, string(r.eol))
	if sep, ok := strings.CutPrefix(strings.ToLower(strings.TrimRight(first, "\r")), "sep="); ok && len(sep) == 1 {
		r.sep = sep[0]
		_, _ = r.line()
		return r
	}
	most := 0
	for _, sep := range []byte{',', ';', '\t'} {
		if n := strings.Count(first, string(rune(sep))); n > most {
			r.sep, most = sep, n
		}
	}
	return r
}

// line reads a line that is not blank. Its end is not part of it.
func (r *rows) line() (line, error) {
	if len(r.ahead) > 0 {
		l := r.ahead[0]
		r.ahead = r.ahead[1:]
		return l, nil
	}
	for {
		l, err := r.readLine()
		if err != nil || strings.TrimSpace(l.text) != "" || l.long {
			return l, err
		}
	}
}

func (r *rows) readLine() (line, error) {
	r.n++
	l := line{n: r.n}
	var raw []byte
	for {
		part, err := r.in.ReadSlice(r.eol)
		if room := maxLine - len(raw); len(part) > room {
			part, l.long = part[:room], true
		}
		raw = append(raw, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(raw) > 0:
			l.cut = true
		case err != nil:
			return line{}, err
		}
		l.text, l.latin = textOf(bytes.TrimRight(raw, "\r\n"))
		return l, nil
	}
}

// row is what rows gives: the cells, which hold until the next row, or why
// they can't be had, and remarks.
type row struct {
	cells []string
	why   string
	notes []string
	line  int // of the file, from 1, with which it begins
}

// next reads a row; io.EOF at the end.
func (r *rows) next() (row, error) {
	l, err := r.line()
	if err != nil {
		return row{}, err
	}
	if l.long {
		return row{line: l.n, why: fmt.Sprintf("a line of more than %d bytes", maxLine)}, nil
	}
	out := row{line: l.n}
	if l.latin && !r.latin {
		r.latin = true
		out.notes = append(out.notes, "is not UTF-8; it and others like it were read as Windows-1252")
	}
	cells, state := r.split(l.text)
	if state == open {
		if cells, err = r.more(l.text, cells); err != nil {
			return row{}, err
		}
		if cells == nil {
			return row{line: l.n, why: "a quote is opened and not closed"}, nil
		}
	}
	out.cells = cells
	r.judge(l, &out)
	return out, nil
}

// judge compares a row with the first one.
func (r *rows) judge(l line, out *row) {
	n := len(out.cells)
	switch {
	case r.any:
	case r.width == 0:
		r.width = n
	case n > r.width && strings.Trim(strings.Join(out.cells[r.width:], ""), " ") != "":
		out.why = fmt.Sprintf("has %d cells where the first row has %d: a separator inside a text without quotes?", n, r.width)
	case n < r.width && l.cut:
		out.why = fmt.Sprintf("has %d cells where the first row has %d, and the file ends here: was it cut off?", n, r.width)
	case n < r.width && (l.again || strings.ContainsAny(strings.TrimSpace(out.cells[0]), " \t")):
		out.why = fmt.Sprintf("has %d cells where the first row has %d: the end of a text with a line break and without quotes?", n, r.width)
	case n < r.width:
		out.notes = append(out.notes, fmt.Sprintf("has %d cells where the first row has %d; the others were taken as empty", n, r.width))
	}
}

// more reads the lines of a row with a line break in a cell: text, of which the
// cells are given and the last is open. If no row comes of it, the lines are
// given back, and it tells nil: the first one was bad. No line is looked at more
// often than it has to be: a file of quotes would take minutes.
func (r *rows) more(text string, cells []string) ([]string, error) {
	var taken []line
	before := func(cells []string) []string { return cells[:len(cells)-1] }
	done, last := slices.Clone(before(cells)), []byte(text[len(text)-len(cells[len(cells)-1])-1:])
	texts := 1
	for size := len(text); len(taken) < maxLines && size < maxLine; {
		l, err := r.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		taken, size, last = append(taken, l), size+1+len(l.text), append(append(last, '\n'), l.text...)
		if l.long {
			break
		}
		if end, _ := closing(l.text, 0); end < 0 {
			continue
		}
		cells, state := r.split(string(last))
		if state == whole && (r.width == 0 || len(done)+len(cells) == r.width) {
			return append(done, cells...), nil
		}
		done = append(done, before(cells)...)
		if texts++; state != open || r.width > 0 && len(done) >= r.width || r.any && texts > maxTexts {
			break
		}
		last = append(append(last[:0], '"'), cells[len(cells)-1]...)
	}
	for i := range taken {
		taken[i].again = true
	}
	r.ahead = append(taken, r.ahead...)
	return nil, nil
}

// textOf gives the text of a line, which is read as Windows-1252 where it is not
// UTF-8: that is what Excel writes in Europe and America.
func textOf(raw []byte) (text string, latin bool) {
	if utf8.Valid(raw) {
		return string(raw), false
	}
	raw, _ = charmap.Windows1252.NewDecoder().Bytes(raw) // no byte is an error
	return string(raw), true
}

// state is how a line ended.
type state int

const (
	whole state = iota
	open        // inside a quoted cell
	loose       // with text behind a closing quote
)

// split cuts a row into its cells, which hold until the next call.
func (r *rows) split(s string) (cells []string, how state) {
	r.cells = r.cells[:0]
	for {
		cell, rest, state := cut(s, r.sep)
		how = max(how, state)
		r.cells = append(r.cells, cell)
		if rest < 0 {
			return r.cells, how
		}
		s = s[rest:]
	}
}

// cut takes the first cell of s; rest is where the next begins, -1 for none.
func cut(s string, sep byte) (cell string, rest int, how state) {
	if strings.HasPrefix(s, `"`) {
		end, doubled := closing(s, 1)
		if end < 0 {
			return s[1:], -1, open
		}
		after := end + 1
		for after < len(s) && s[after] == ' ' {
			after++
		}
		if after == len(s) || s[after] == sep {
			cell = s[1:end]
			if doubled {
				cell = strings.ReplaceAll(cell, `""`, `"`)
			}
			if after == len(s) {
				return cell, -1, whole
			}
			return cell, after + 1, whole
		}
		how = loose
	}
	if i := strings.IndexByte(s, sep); i >= 0 {
		return s[:i], i + 1, how
	}
	return s, -1, how
}

// closing finds the quote that closes one that stands before the given place,
// and whether there are doubled ones between.
func closing(s string, from int) (at int, doubled bool) {
	for at = from; ; at += 2 {
		i := strings.IndexByte(s[at:], '"')
		if i < 0 {
			return -1, doubled
		}
		at += i
		if at+1 == len(s) || s[at+1] != '"' {
			return at, doubled
		}
		doubled = true
	}
}
