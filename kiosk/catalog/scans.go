package catalog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	textunicode "golang.org/x/text/encoding/unicode"
)

// Scan is a row of a file in which a handheld collector has kept what it has
// read.
type Scan struct {
	Row  int // the line of the file with which it begins, from 1
	Code string
	At   time.Time // zero: not told
	Why  string    // why there is no Code, or no time although one is written
}

var scanColumns = columns{need: [][]string{{"barcode"}}, names: [][]string{
	{"barcode", "item barcode", "itembarcode", "item", "code", "bar code", "scan", "scan data", "data", "ean", "item id", "id", "number"},
	{"at", "time", "timestamp", "scanned at", "scan time", "datetime", "date time", "read at"},
	{"date", "scan date", "day"},
}}

// Scans reads a collector's file: one code a line, or CSV with or without a
// first row that names its columns, in UTF-8, UTF-16 or Windows-1252. Without
// that row the code is the first cell that is no time. Times without a zone
// are of loc.
func Scans(r io.Reader, loc *time.Location) iter.Seq2[Scan, error] {
	return func(yield func(Scan, error) bool) {
		in := plainText(r)
		f := scanFile{rows: newRows(in), row: csvRow{loc: loc, now: now()}}
		f.rows.any = true
		for {
			row, err := f.rows.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Scan{}, fmt.Errorf("catalog: after line %d: %w", f.rows.n-1, err))
				return
			}
			if f.header(row) {
				continue
			}
			if row.why == "" && strings.Trim(strings.Join(row.cells, ""), " \t\x00\x1a") == "" {
				continue // DOS ends files with 1A
			}
			s := f.scan(row)
			s.Row = row.line
			if !yield(s, nil) {
				return
			}
		}
	}
}

// plainText is what a file says without byte order mark and as 8-bit text.
// Collectors with Windows CE write UTF-16 without a mark, too.
func plainText(r io.Reader) *bufio.Reader {
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(4)
	dec := utf16ByBOM(head)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
	case dec == nil && len(head) == 4 && head[0] != 0 && head[1] == 0 && head[3] == 0:
		dec = textunicode.UTF16(textunicode.LittleEndian, textunicode.IgnoreBOM).NewDecoder()
	case dec == nil && len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0:
		dec = textunicode.UTF16(textunicode.BigEndian, textunicode.IgnoreBOM).NewDecoder()
	}
	if dec != nil {
		in = bufio.NewReaderSize(dec.Reader(in), 64<<10)
	}
	return in
}

// scanFile knows which columns are what.
type scanFile struct {
	rows *rows
	row  csvRow
	seen bool // the first row was looked at
}

// header tells whether a row, the first, names the columns.
func (f *scanFile) header(r row) bool {
	if f.seen {
		return false
	}
	f.seen = true
	at, err := scanColumns.index(r.cells, nil)
	if err != nil || slices.ContainsFunc(r.cells, func(c string) bool { return strings.ContainsAny(c, "0123456789") }) {
		return false
	}
	f.row.at = at
	return true
}

func (f *scanFile) scan(r row) (s Scan) {
	if r.why != "" {
		return Scan{Why: r.why}
	}
	var cells []string
	for _, c := range r.cells {
		cells = append(cells, strings.TrimSpace(strings.Trim(c, "\x00\x1a")))
	}
	code, at, day := "", "", ""
	if f.row.at != nil {
		f.row.cells = cells
		code, at, day = f.row.get("barcode"), f.row.get("at"), f.row.get("date")
	} else {
		code, at, day = f.guess(cells)
	}
	s.Code = code
	if err := valid(code, "code"); err != nil {
		return Scan{Why: err.Error()}
	}
	if at = strings.TrimSpace(day + " " + at); at != "" {
		var ok bool
		if s.At, ok = f.timeOf(at); !ok {
			s.Why = fmt.Sprintf("%.40q is no time (as 2026-11-23 14:30:00)", at)
		}
	}
	return s
}

// guess finds the code and the time among cells that nobody has named.
func (f *scanFile) guess(cells []string) (code, at, day string) {
	for _, c := range cells {
		var whole time.Time
		isWhole := false
		if strings.ContainsAny(c, "-/:") { // 20261102 may be a barcode as well
			whole, isWhole = f.timeOf(c)
		}
		switch {
		case c == "":
		case isWhole:
			if whole.Hour()+whole.Minute()+whole.Second() == 0 && !strings.Contains(c, ":") {
				day = c
			} else if at == "" {
				at = c
			}
		case clockTime(c) && at == "":
			at = c
		case code == "":
			code = c
		}
	}
	if day == "" && clockTime(at) {
		at = "" // of which day, nobody knows
	}
	return code, at, day
}

func clockTime(s string) bool {
	for _, form := range []string{"15:04:05", "15:04"} {
		if _, err := time.Parse(form, s); err == nil {
			return true
		}
	}
	return false
}

func (f *scanFile) timeOf(s string) (time.Time, bool) {
	r := csvRow{cells: []string{s}, at: map[string]int{"t": 0}, loc: f.row.loc}
	t, _, err := r.time("t")
	return t, err == nil && !t.IsZero()
}
