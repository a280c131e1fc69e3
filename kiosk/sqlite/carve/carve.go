// Package carve reads what is left of a damaged SQLite database and its log,
// without SQLite, which gives up where a page leads nowhere.
//
// It follows no pointer from page to page but those of rows that are longer
// than one: it looks at every place of every page, also of older versions in
// the log, for what has the shape of a row, and leaves it to the caller to tell
// a row by a sum that it carries. That suits tables to which rows are added and
// never changed: any version of a row is the row.
//
// Source: https://www.sqlite.org/fileformat2.html, sections 1.3 (header), 1.6
// (cells and overflow), 2.1 (records) and 4 (the log).
package carve

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File is a database and its log, open for reading. It must be closed.
type File struct {
	Log   Log
	db    *os.File
	wal   *os.File // nil: there is none
	size  int      // of a page, bytes
	pages uint32   // in the database file alone
	newer map[uint32]int64
}

// longest is the most that a row may have, in bytes: a longer one is none of ours.
const longest = 1 << 16

// Open opens a database at path and the log beside it. Where neither says how
// long its pages are, they have size bytes.
func Open(path string, size int) (_ *File, err error) {
	f := &File{newer: map[uint32]int64{}}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if f.db, err = os.Open(path); err != nil {
		return nil, err
	}
	if f.wal, err = os.Open(path + "-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var agree bool
	f.size, agree = pageSize(f.db, f.wal, size)
	info, err := f.db.Stat()
	if err != nil {
		return nil, err
	}
	f.pages = uint32((info.Size() + int64(f.size) - 1) / int64(f.size))
	if f.wal == nil {
		return f, nil
	}
	if f.Log, err = readLog(f.wal, f.size); err != nil {
		return nil, fmt.Errorf("%s-wal: %w", path, err)
	}
	f.Log.Cut = f.Log.Cut || !agree
	for _, fr := range f.Log.frames {
		if fr.good {
			f.newer[fr.page] = fr.at
		}
	}
	return f, nil
}

// pageSize is how long pages are: as the database and its log say, and where
// they differ or say nothing, as is usual.
func pageSize(db, wal *os.File, usual int) (size int, agree bool) {
	said := func(from *os.File, at int, intro string, read func([]byte) uint32) int {
		head := make([]byte, 20)
		if from == nil {
			return 0
		}
		if _, err := from.ReadAt(head, 0); err != nil || string(head[:len(intro)]) != intro {
			return 0
		}
		n := int(read(head[at:]))
		if n == 1 { // so the database writes what does not fit
			n = 65536
		}
		if n < 512 || n > 65536 || n&(n-1) != 0 {
			return 0
		}
		return n
	}
	a := said(db, 16, "SQLite format 3\x00", func(b []byte) uint32 { return uint32(binary.BigEndian.Uint16(b)) })
	b := said(wal, 8, "\x37\x7f\x06", binary.BigEndian.Uint32)
	switch {
	case a == b || b == 0:
		return cmp.Or(a, usual), true
	case a == 0:
		return b, true
	}
	return usual, false
}

// Close closes the files.
func (f *File) Close() error {
	var errs []error
	for _, o := range []*os.File{f.db, f.wal} {
		if o != nil {
			errs = append(errs, o.Close())
		}
	}
	return errors.Join(errs...)
}

// read fills a page; what the file lacks of it is zero.
func read(from *os.File, at int64, page []byte) error {
	n, err := from.ReadAt(page, at)
	clear(page[n:])
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// page is the newest version of a page that is as it was written.
func (f *File) page(n uint32, to []byte) error {
	if at, ok := f.newer[n]; ok {
		return read(f.wal, at, to)
	}
	if n == 0 || n > f.pages {
		return fmt.Errorf("there is no page %d", n)
	}
	return read(f.db, int64(n-1)*int64(f.size), to)
}

// last is the highest number of a page.
func (f *File) last() uint32 {
	n := f.pages
	for p := range f.newer {
		n = max(n, p)
	}
	return n
}

// WriteTo writes a database without a log: each page in its newest version
// that is as it was written. SQLite may read it as far as it goes.
func (f *File) WriteTo(w io.Writer) (n int64, err error) {
	page := make([]byte, f.size)
	for p := uint32(1); p <= f.last(); p++ {
		if err := f.page(p, page); err != nil {
			clear(page) // it is in no file: the log had it
		}
		k, err := w.Write(page)
		if n += int64(k); err != nil {
			return n, err
		}
	}
	return n, nil
}

// versions calls see for each page, in every version that there is. What can't
// be read is passed over.
func (f *File) versions(see func(page []byte)) {
	page := make([]byte, f.size)
	for p := range f.pages {
		if read(f.db, int64(p)*int64(f.size), page) == nil {
			see(page)
		}
	}
	for _, fr := range f.Log.frames {
		if read(f.wal, fr.at, page) == nil {
			see(page)
		}
	}
}
