// Package catalog reads lists of a library's items, patrons and loans into
// the mirror: CSV, binary MARC 21 (ISO 2709, in UTF-8 or MARC-8) and MARCXML.
// The format is told by the content. Files are streamed; a bad row is
// reported and never ends an import; the same file twice changes nothing.
package catalog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Options say how to read.
type Options struct {
	Location *time.Location // of dates without a zone; nil means time.Local
	// Columns adds names of CSV columns: a name in the file, to the name that
	// this package knows, as "Strichcode" to "barcode".
	Columns map[string]string
	// Progress is called now and then; nil means never.
	Progress func(bytes int64, rows int)
	// Refused is called for each row that was not taken; nil means never.
	Refused func(Refused)
}

// Refused is a row or record that was not taken.
type Refused struct {
	Row int    // counted from 1; of a CSV file without its header
	Key string // its barcode or card, if it has one
	Why string
}

// Report is what came of an import.
type Report struct {
	Format string // csv, marc21, marcxml
	Rows   int    // rows or records read
	kiosk.Change
	Refused int // rows that were not taken, each with a reason
	Skipped int // right, and not for the mirror: closed loans, records without a copy
}

const (
	batch    = 1000    // rows given to the mirror at once
	maxTitle = 1000    // bytes
	maxText  = 200     // bytes of other texts
	maxRow   = 1 << 20 // bytes of one CSV row
)

// ImportItems reads copies.
func ImportItems(ctx context.Context, r io.Reader, o Options, into kiosk.Loader) (Report, error) {
	im := &importer[kiosk.Item]{Options: o, put: into.PutItems, key: func(i kiosk.Item) string { return string(i.Barcode) }}
	format, in, err := sniff(im.count(r))
	if err != nil {
		return Report{}, err
	}
	switch im.report.Format = format; format {
	case "marc21":
		err = im.records(ctx, newISO2709(in))
	case "marcxml":
		err = im.records(ctx, newMARCXML(in))
	default:
		err = im.csv(ctx, in, itemColumns, func(row csvRow) (kiosk.Item, error) { return row.item() })
	}
	return im.report, err
}

// ImportPatrons reads patrons from CSV.
func ImportPatrons(ctx context.Context, r io.Reader, o Options, into kiosk.Loader) (Report, error) {
	im := &importer[kiosk.Patron]{Options: o, put: into.PutPatrons, key: func(p kiosk.Patron) string { return string(p.Card) }}
	return im.onlyCSV(ctx, r, "patrons", patronColumns, func(row csvRow) (kiosk.Patron, error) { return row.patron() })
}

// ImportLoans reads open loans from CSV; closed ones are skipped.
func ImportLoans(ctx context.Context, r io.Reader, o Options, into kiosk.Loader) (Report, error) {
	im := &importer[kiosk.Loan]{Options: o, put: into.PutLoans, key: func(l kiosk.Loan) string { return string(l.Item) }}
	return im.onlyCSV(ctx, r, "loans", loanColumns, func(row csvRow) (kiosk.Loan, error) { return row.loan() })
}

// errSkip says that a row is right and not for the mirror.
var errSkip = errors.New("not for the mirror")

// importer collects rows of one kind and gives them to the mirror in batches.
type importer[T any] struct {
	Options
	put    func(context.Context, []T) (kiosk.Change, error)
	key    func(T) string
	rows   []T
	seen   map[uint64]bool // hashes of the keys taken
	seed   maphash.Seed
	read   int64
	report Report
}

func (im *importer[T]) onlyCSV(ctx context.Context, r io.Reader, what string, cols columns, make func(csvRow) (T, error)) (Report, error) {
	format, in, err := sniff(im.count(r))
	if err != nil {
		return Report{}, err
	}
	if im.report.Format = format; format != "csv" {
		return im.report, fmt.Errorf("catalog: %s can be read from CSV only; this is %s", what, format)
	}
	return im.report, errors.Join(im.csv(ctx, in, cols, make))
}

// count counts what was read, for the progress.
func (im *importer[T]) count(r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		im.read += int64(n)
		return n, err
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// take takes a row, or the reason why not.
func (im *importer[T]) take(row int, v T, err error) {
	switch {
	case errors.Is(err, errSkip):
		im.report.Skipped++
	case err != nil:
		im.refuse(row, im.key(v), err.Error())
	case im.twice(v):
		im.refuse(row, im.key(v), "is in the file a second time; the first counts")
	default:
		im.rows = append(im.rows, v)
	}
}

// twice tells whether a key has come before. Hashes are kept in place of keys:
// a million of them take 40 MB less, and two keys of one hash are not met in
// any library.
func (im *importer[T]) twice(v T) bool {
	if im.seen == nil {
		im.seen, im.seed = map[uint64]bool{}, maphash.MakeSeed()
	}
	h := maphash.String(im.seed, im.key(v))
	if im.seen[h] {
		return true
	}
	im.seen[h] = true
	return false
}

func (im *importer[T]) refuse(row int, key, why string) {
	im.report.Refused++
	if im.Options.Refused != nil {
		im.Options.Refused(Refused{Row: row, Key: clean(key, maxText), Why: why})
	}
}

// flush gives a full batch, or at the end what is left, to the mirror.
func (im *importer[T]) flush(ctx context.Context, end bool) error {
	if len(im.rows) < batch && !end {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(im.rows) > 0 {
		c, err := im.put(ctx, im.rows)
		if err != nil {
			return fmt.Errorf("catalog: after %d rows: %w", im.report.Rows, err)
		}
		im.report.New += c.New
		im.report.Changed += c.Changed
		im.report.Same += c.Same
		im.rows = im.rows[:0]
	}
	if im.Progress != nil {
		im.Progress(im.read, im.report.Rows)
	}
	return nil
}

// records reads MARC: a record has any number of copies.
func (im *importer[T]) records(ctx context.Context, r recordReader) error {
	for {
		rec, err := r.next()
		if errors.Is(err, io.EOF) {
			return im.flush(ctx, true)
		}
		im.report.Rows++
		if err != nil {
			im.refuse(im.report.Rows, "", err.Error())
			if errors.Is(err, errBroken) {
				return errors.Join(im.flush(ctx, true), err)
			}
			continue
		}
		copies := rec.copies()
		if len(copies) == 0 {
			im.report.Skipped++
		}
		for _, c := range copies {
			im.take(im.report.Rows, any(c).(T), valid(string(c.Barcode), "barcode"))
		}
		if rec.lost > 0 {
			im.refuse(im.report.Rows, rec.control("001"), fmt.Sprintf("taken, but %d characters are in a script that is not decoded (East Asian MARC-8)", rec.lost))
		}
		if err := im.flush(ctx, false); err != nil {
			return err
		}
	}
}

// sniff tells the format by the first bytes, and gives a reader of UTF-8.
func sniff(r io.Reader) (format string, in *bufio.Reader, err error) {
	in = bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil, err
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return "", nil, errors.New("catalog: this is a zip archive (OneRoster?); unpack it and import its CSV files")
	}
	if dec := byBOM(head); dec != nil {
		in = bufio.NewReaderSize(dec.Reader(in), 64<<10)
		head, _ = in.Peek(4096)
	}
	head = bytes.TrimLeft(head, "\ufeff \t\r\n")
	switch {
	case len(head) == 0:
		return "", nil, errors.New("catalog: the file is empty")
	case len(head) >= 24 && digits(head[:5]) && head[10] == '2' && head[11] == '2':
		return "marc21", in, nil
	case head[0] == '<':
		return "marcxml", in, nil
	case bytes.IndexByte(head, 0) >= 0:
		return "", nil, errors.New("catalog: neither CSV, MARC 21 nor MARCXML: the file holds zero bytes")
	}
	return "csv", in, nil
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// clean makes a text fit for a screen: one line, no control characters,
// composed, at most max bytes.
func clean(s string, max int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = norm.NFC.String(s)
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return strings.TrimSpace(s[:max])
}

// valid tells what is wrong with a barcode or a card number.
func valid(code, what string) error {
	switch {
	case code == "":
		return fmt.Errorf("has no %s", what)
	case len(code) > kiosk.MaxCode:
		return fmt.Errorf("%s of %d bytes; at most %d are taken", what, len(code), kiosk.MaxCode)
	case scientific(code):
		return fmt.Errorf("%s %s: a spreadsheet has rounded it; export the column as text", what, code)
	}
	for _, r := range code {
		if !unicode.IsPrint(r) || r == '|' || r == utf8.RuneError {
			return fmt.Errorf("%s holds %q", what, r)
		}
	}
	return nil
}

// scientific recognises 1.23E+13, what spreadsheets make of long numbers.
func scientific(code string) bool {
	mant, exp, ok := strings.Cut(strings.ToUpper(code), "E+")
	return ok && mant != "" && exp != "" && strings.Trim(mant, "0123456789.,") == "" && digits([]byte(exp))
}
