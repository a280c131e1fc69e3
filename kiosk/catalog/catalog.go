// Package catalog reads lists of a library's items, patrons and loans into
// the mirror: CSV (RFC 4180 and what spreadsheets make of it), binary MARC 21
// (ISO 2709, in UTF-8 or MARC-8), MARCXML, and of patrons a school's roster: a
// zip archive with the CSV files of OneRoster 1.1 or 1.2 (1EdTech) or of
// Microsoft School Data Sync v2.1. The format is told by the
// content. Files are streamed, in as much memory as a batch takes and some 80
// bits for each barcode, by which a second one is found; a roster takes some 50
// bytes more for each user who has roles or a birthday in another table than the
// users'. A bad row is reported and never ends an import; the same file twice
// changes nothing.
package catalog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Options say how to read.
type Options struct {
	Location *time.Location // of times without a zone; nil means time.Local
	// Columns adds names of CSV columns: a name in the file, to the name that
	// this package knows, as "Strichcode" to "barcode".
	Columns map[string]string
	// Holdings says where MARC records have their copies; empty means 852 (with
	// 876 to 878), 952 as Koha has it, and 949 where there is neither.
	Holdings []Holdings
	// Card says where a roster has the card numbers: a column of users.csv, or
	// "userIds:TYPE" for the identifiers of that type. Empty means "identifier",
	// if every student who is there has one.
	Card string
	// Dir is the folder for a copy of an archive that can be read from its
	// beginning only; empty means that of temporary files.
	Dir string
	// Whole says that the file has all loans that are open: those of the mirror
	// that it lacks are ended, if every row could be taken.
	Whole bool
	// Batch is how many rows the mirror is given at once; 0 means 1,000, which
	// do not hold up a desk at work. A mirror that nobody else uses takes a big
	// list quicker in batches of more.
	Batch int
	// Progress is called now and then; nil means never.
	Progress func(bytes int64, rows int)
	// Refused is called for each row that was not taken; nil means never.
	Refused func(Refused)
	// Noted is called for what a person should know of a row that was taken,
	// as an ISBN that is none; nil means never.
	Noted func(Note)
}

// Refused is a row or record that was not taken.
type Refused struct {
	Row int    // counted from 1; of a CSV file without its header
	Key string // its barcode or card, if it has one
	Why string
}

// Note is a remark about a row or record that was taken.
type Note struct {
	Row  int
	Key  string
	Text string
}

// Report is what came of an import.
type Report struct {
	Format string // csv, marc21, marcxml, oneroster, sds
	Rows   int    // rows or records read
	kiosk.Change
	Refused int // rows that were not taken, each with a reason
	Skipped int // right, and not for the mirror: closed loans, records without a copy, guardians
	Noted   int // remarks about rows that were taken
	Ended   int // loans that a whole list lacks
}

// ImportItems reads copies from CSV or MARC.
func ImportItems(ctx context.Context, r io.Reader, o Options, into kiosk.Loader) (Report, error) {
	im := &importer[kiosk.Item]{Options: o, put: into.PutItems, key: func(i kiosk.Item) string { return string(i.Barcode) }}
	format, in, err := sniff(im.count(r))
	if err != nil {
		return Report{}, err
	}
	switch im.report.Format = format; format {
	case "marc21":
		err = importRecords(ctx, im, newISO2709(in))
	case "marcxml":
		err = importRecords(ctx, im, newMARCXML(in))
	case "zip":
		err = errArchive
	default:
		err = im.csv(ctx, in, itemColumns, (*csvRow).item)
	}
	return im.report, err
}

// errArchive says what to do with an archive in which no list is looked for.
var errArchive = errors.New("catalog: this is a zip archive: unpack it and import what is in it (an Excel workbook is one too: save it as CSV)")

// ImportPatrons reads patrons from CSV or a roster.
func ImportPatrons(ctx context.Context, r io.Reader, o Options, into kiosk.Loader) (Report, error) {
	im := &importer[kiosk.Patron]{Options: o, put: into.PutPatrons, key: func(p kiosk.Patron) string { return string(p.Card) }}
	format, in, err := sniff(im.count(r))
	if err != nil {
		return Report{}, err
	}
	im.report.Format = format
	switch {
	case format == "zip":
		if err = importRoster(ctx, im, r, in); err != nil {
			err = fmt.Errorf("catalog: %w", err)
		}
	case format != "csv":
		err = fmt.Errorf("catalog: patrons can be read from CSV and from a roster only; this is %s", format)
	case o.Card != "":
		err = fmt.Errorf("catalog: where the card numbers are can be said of a roster only; this is CSV: call its column %q barcode", o.Card)
	default:
		err = im.csv(ctx, in, patronColumns, (*csvRow).patron)
	}
	return im.report, err
}

// ErrNotWhole says that a list of all loans has rows that can't be taken: what
// could be was, and nothing is ended.
var ErrNotWhole = errors.New("catalog: rows of this list were not taken: no loan is ended by it")

// ImportLoans reads open loans from CSV; closed ones are skipped.
func ImportLoans(ctx context.Context, r io.Reader, o Options, into kiosk.Loader) (Report, error) {
	im := &importer[kiosk.Loan]{Options: o, put: into.PutLoans, key: func(l kiosk.Loan) string { return string(l.Item) }}
	if !o.Whole {
		return im.onlyCSV(ctx, r, "loans", loanColumns, (*csvRow).loan)
	}
	list, err := into.ListLoans(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("catalog: %w", err)
	}
	im.put = list.Put
	rep, err := im.onlyCSV(ctx, r, "loans", loanColumns, (*csvRow).loan)
	switch {
	case err != nil:
	case rep.Rows == 0:
		err = errors.New("catalog: the list has no loan at all: none is ended by it")
	case rep.Refused > im.again:
		err = ErrNotWhole
	default:
		if rep.Ended, err = list.End(ctx); err != nil {
			err = fmt.Errorf("catalog: %w", err)
		}
	}
	return rep, err
}

// errBroken says that a file can't be read beyond this place.
var errBroken = errors.New("the rest of the file can't be read")

// sniff tells the format by the first bytes, and gives a reader of UTF-8.
func sniff(r io.Reader) (format string, in *bufio.Reader, err error) {
	if format, in, err = formatOf(r); err != nil {
		err = fmt.Errorf("catalog: %w", err)
	}
	return format, in, err
}

func formatOf(r io.Reader) (format string, in *bufio.Reader, err error) {
	in = bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil, err
	}
	if isZip(head) {
		return "zip", in, nil
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
		head = head[3:]
	} else if dec := utf16ByBOM(head); dec != nil {
		in = bufio.NewReaderSize(dec.Reader(in), 64<<10)
		if head, err = in.Peek(4096); err != nil && !errors.Is(err, io.EOF) {
			return "", nil, err
		}
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) == 0:
		return "", nil, errors.New("the file is empty")
	case len(head) >= leaderLen && digits(head[:5]) && head[10] == '2' && head[11] == '2':
		return "marc21", in, nil
	case head[0] == '<':
		return "marcxml", in, nil
	case bytes.IndexByte(head, 0) >= 0:
		return "", nil, errors.New("neither CSV, MARC 21 nor MARCXML: the file holds zero bytes")
	}
	return "csv", in, nil
}
