package catalog

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// Bounds of an archive. A district's roster with all classes has some 20 MB,
// and CSV is packed to a tenth.
const (
	maxArchive   = 128 << 20 // bytes, packed
	maxDirectory = 1 << 20   // bytes of the list of files and what is looked at to find it
	maxFiles     = 1000
	maxTable     = 512 << 20 // bytes of one table, unpacked
	minTable     = 1 << 20   // bytes to which the smallest may unpack
	maxRatio     = 100       // times its packed size
	maxRows      = 2_000_000 // of one table
)

// archive is a zip archive with CSV tables. It is read where it is: nothing of
// it is unpacked to files, and the names in it lead nowhere.
type archive struct {
	zip  *zip.Reader
	size int64
	file *os.File // a copy, nil if there is none
}

// isZip tells the first bytes of an archive, also of an empty one.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// openArchive opens what r gives, of which in has the beginning. What can't be
// read from any place, as what comes over a socket, is copied to a file in dir,
// which has no name any more while it is read.
func openArchive(r io.Reader, in io.Reader, dir string) (*archive, error) {
	a := &archive{}
	at, ok := r.(io.ReaderAt)
	if s, seeks := r.(io.Seeker); ok && seeks {
		size, err := s.Seek(0, io.SeekEnd)
		a.size, ok = size, err == nil
	} else {
		ok = false
	}
	if !ok {
		if err := a.copy(in, dir); err != nil {
			return nil, err
		}
		at = a.file
	}
	if err := a.open(at); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *archive) copy(in io.Reader, dir string) error {
	f, err := os.CreateTemp(dir, "archive-*")
	if err != nil {
		return err
	}
	os.Remove(f.Name())
	a.file = f
	if a.size, err = io.Copy(f, io.LimitReader(in, maxArchive+1)); err != nil {
		a.close()
	}
	return err
}

func (a *archive) close() {
	if a.file != nil {
		a.file.Close()
	}
}

// open reads the list of files.
func (a *archive) open(at io.ReaderAt) error {
	if a.size > maxArchive {
		return fmt.Errorf("the archive has more than %d MB: export users, orgs, roles and demographics alone", maxArchive>>20)
	}
	b := &budget{ReaderAt: at, left: maxDirectory}
	z, err := zip.NewReader(b, a.size)
	switch {
	case b.left < 0 || err == nil && len(z.File) > maxFiles:
		return fmt.Errorf("the archive has more than %d files: this is no roster", maxFiles)
	case errors.Is(err, zip.ErrInsecurePath): // only if asked for; names lead nowhere
	case err != nil:
		return damaged(err)
	}
	a.zip, b.left = z, 1<<62
	return nil
}

// damaged says what to do about an archive that is not as it was written.
func damaged(err error) error {
	return fmt.Errorf("the archive is damaged or cut off: export or fetch it once more (%w)", err)
}

// budget bounds how much is read.
type budget struct {
	io.ReaderAt
	left int64
}

var errBudget = errors.New("more than may be read")

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errBudget
	}
	return b.ReaderAt.ReadAt(p, off)
}

// find gives the table of a name, nil if there is none. It may lie in a folder,
// as where a folder was packed; what macOS adds is passed over.
func (a *archive) find(name string) (*zip.File, error) {
	var found *zip.File
	for _, f := range a.zip.File {
		p := strings.ReplaceAll(f.Name, `\`, "/")
		if !strings.EqualFold(path.Base(p), name) || slices.Contains(strings.Split(p, "/"), "__MACOSX") || strings.HasSuffix(p, "/") {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("the archive has %s twice, as %.100q and %.100q: leave one of them", name, found.Name, f.Name)
		}
		found = f
	}
	return found, nil
}

// workbook tells a file of a spreadsheet, which is a zip archive too.
func (a *archive) workbook() bool {
	return slices.ContainsFunc(a.zip.File, func(f *zip.File) bool {
		return f.Name == "xl/workbook.xml" || f.Name == "content.xml"
	})
}

// names lists what is in the archive, for a message.
func (a *archive) names() string {
	var names []string
	for _, f := range a.zip.File[:min(len(a.zip.File), 20)] {
		names = append(names, fmt.Sprintf("%.60q", f.Name))
	}
	if names == nil {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// unpack opens a file in the archive.
func (a *archive) unpack(f *zip.File) (*unpacked, error) {
	switch {
	case f.Flags&1 != 0:
		return nil, errors.New("it is encrypted: ask for an archive without a password")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return nil, fmt.Errorf("it is packed by method %d, which is not read: unpack it and pack it as an ordinary zip archive", f.Method)
	}
	r, err := f.Open()
	if err != nil {
		return nil, damaged(err)
	}
	packed := min(f.CompressedSize64, uint64(a.size))
	return &unpacked{ReadCloser: r, most: int64(min(maxTable, max(minTable, packed*maxRatio)))}, nil
}

// unpacked is a file of the archive: it may not be more than most bytes.
type unpacked struct {
	io.ReadCloser
	read, most int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if u.read += int64(n); u.read > u.most {
		return 0, fmt.Errorf("it unpacks to more than %d bytes, a hundred times what it is packed: this is no roster", u.most)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = damaged(err)
	}
	return n, err
}

// sheet is a CSV file in an archive.
type sheet struct {
	name string
	cols columns
	own  map[string]string // names of columns, as Options.Columns
	file *zip.File
	head []string // its first row
}

// each reads a table row by row. Why says that a row can't be read; done is
// the part of the table that was, of 1.
func (a *archive) each(ctx context.Context, t *sheet, row func(c *csvRow, why string, done float64) error) (err error) {
	defer func() {
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%s: %w", t.name, err)
		}
	}()
	u, err := a.unpack(t.file)
	if err != nil {
		return err
	}
	defer u.Close()
	rows, c, err := t.begin(u)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		r, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d rows: %w", n, err)
		}
		if n == maxRows {
			return fmt.Errorf("it has more than %d rows: this is no roster", maxRows)
		}
		if n%batch == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		c.cells, c.notes = r.cells, r.notes
		if err := row(c, r.why, min(1, float64(u.read)/float64(max(1, t.file.UncompressedSize64)))); err != nil {
			return err
		}
	}
}

// begin reads the first row.
func (t *sheet) begin(u io.Reader) (*rows, *csvRow, error) {
	format, in, err := formatOf(u)
	if err == nil && format != "csv" {
		err = fmt.Errorf("it is %s, not CSV", format)
	}
	if err != nil {
		return nil, nil, err
	}
	return t.header(in)
}

func (t *sheet) header(in *bufio.Reader) (*rows, *csvRow, error) {
	rows := newRows(in)
	first, err := rows.next()
	if err == nil && first.why != "" {
		err = errors.New(first.why)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the first row: %w", err)
	}
	t.head = slices.Clone(first.cells)
	at, err := t.cols.index(t.head, t.own)
	return rows, &csvRow{at: at}, err
}
