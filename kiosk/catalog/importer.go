package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// batch is how many rows the mirror is given at once, unless Options say more.
const batch = 1000

// errSkip says that a row is right and not for the mirror.
var errSkip = errors.New("not for the mirror")

// importer collects rows of one kind and gives them to the mirror in batches.
type importer[T any] struct {
	Options
	put    func(context.Context, []T) (kiosk.Change, error)
	key    func(T) string
	rows   []T
	seen   *keys // of the rows taken
	read   int64 // bytes
	told   int   // rows, at the last progress
	again  int   // rows refused because their key has come before
	report Report
}

func (im *importer[T]) onlyCSV(ctx context.Context, r io.Reader, what string, cols columns, row func(*csvRow) (T, error)) (Report, error) {
	format, in, err := sniff(im.count(r))
	if err != nil {
		return Report{}, err
	}
	if format == "zip" {
		return Report{}, errArchive
	}
	if im.report.Format = format; format != "csv" {
		return im.report, fmt.Errorf("catalog: %s can be read from CSV only; this is %s", what, format)
	}
	err = im.csv(ctx, in, cols, row)
	return im.report, err
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

// take takes a row, or the reason why not, and what is to be said of it.
func (im *importer[T]) take(v T, err error, notes []string) {
	switch {
	case errors.Is(err, errSkip):
		im.report.Skipped++
	case err != nil:
		im.refuse(im.key(v), err.Error())
	case im.twice(v):
		im.again++
		im.refuse(im.key(v), "is in the file a second time; the first counts")
	default:
		im.rows = append(im.rows, v)
		im.note(im.key(v), notes)
	}
}

// twice tells whether a key has come before.
func (im *importer[T]) twice(v T) bool {
	if im.seen == nil {
		im.seen = newKeys()
	}
	return im.seen.add(im.key(v))
}

func (im *importer[T]) refuse(key, why string) {
	im.report.Refused++
	if im.Refused != nil {
		im.Refused(Refused{Row: im.report.Rows, Key: clean(key, maxText), Why: why})
	}
}

func (im *importer[T]) note(key string, texts []string) {
	im.report.Noted += len(texts)
	if im.Noted == nil {
		return
	}
	for _, text := range texts {
		im.Noted(Note{Row: im.report.Rows, Key: clean(key, maxText), Text: text})
	}
}

// flush gives full batches, and at the end what is left, to the mirror. It
// looks at ctx and tells the progress once in a batch of rows read.
func (im *importer[T]) flush(ctx context.Context, end bool) error {
	full := cmp.Or(im.Batch, batch)
	if len(im.rows) < full && im.report.Rows-im.told < batch && !end {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for rest := im.rows; len(rest) >= full || len(rest) > 0 && end; {
		n := min(len(rest), full)
		slices.SortFunc(rest[:n], func(a, b T) int { return strings.Compare(im.key(a), im.key(b)) }) // as the mirror's index
		c, err := im.put(ctx, rest[:n])
		if err != nil {
			return fmt.Errorf("catalog: near row %d: %w", im.report.Rows, err)
		}
		im.report.New += c.New
		im.report.Changed += c.Changed
		im.report.Same += c.Same
		rest = rest[n:]
		im.rows = im.rows[:copy(im.rows, rest)]
		rest = im.rows
	}
	im.told = im.report.Rows
	if im.Progress != nil {
		im.Progress(im.read, im.report.Rows)
	}
	return nil
}

// stop gives what was read to the mirror, and then err, which ended the file.
func (im *importer[T]) stop(ctx context.Context, err error) error {
	return errors.Join(im.flush(ctx, true), err)
}

// recordReader reads MARC records.
type recordReader interface {
	// next gives io.EOF at the end; errBroken, wrapped, when nothing more can
	// be read.
	next() (record, error)
}

// importRecords reads MARC: a record has any number of copies.
func importRecords(ctx context.Context, im *importer[kiosk.Item], r recordReader) error {
	for {
		rec, err := r.next()
		if errors.Is(err, io.EOF) && im.report.Rows == 0 {
			return errors.New("catalog: there is no MARC record in this file")
		}
		if errors.Is(err, io.EOF) {
			return im.flush(ctx, true)
		}
		if errors.Is(err, errBroken) {
			return im.stop(ctx, fmt.Errorf("catalog: after %d records: %w", im.report.Rows, err))
		}
		im.report.Rows++
		if err != nil {
			im.refuse("", err.Error())
		} else {
			takeCopies(im, &rec)
		}
		if err := im.flush(ctx, false); err != nil {
			return err
		}
	}
}

// takeCopies takes the copies of a record, and says what is to be said of it.
func takeCopies(im *importer[kiosk.Item], rec *record) {
	items := rec.copies(im.Holdings)
	if len(items) == 0 {
		im.report.Skipped++
	}
	for _, it := range items {
		im.take(it, valid(string(it.Barcode), "barcode"), nil)
	}
	im.note(rec.control("001"), rec.remarks())
}
