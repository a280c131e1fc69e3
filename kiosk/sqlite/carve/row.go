package carve

import (
	"database/sql/driver"
	"encoding/binary"
	"math"
)

// Table is what the rows of a table look like.
type Table struct {
	Columns int  // of a row, without a rowid that is a column
	Rowid   bool // false: WITHOUT ROWID
	// Row is given what has the shape of a row: int64, float64, string, []byte
	// or nil, which it may keep. A row may be given more than once.
	Row func(rowid int64, values []driver.Value)
}

// Rows finds rows in all pages.
func (f *File) Rows(tables ...Table) {
	f.versions(func(page []byte) {
		for at := range page {
			for _, t := range tables {
				f.row(page, at, t)
			}
		}
	})
}

// row gives the row that begins at a place of a page, if one does.
func (f *File) row(page []byte, at int, t Table) {
	length, n := varint(page[at:])
	if n == 0 || length <= int64(t.Columns) || length > longest {
		return
	}
	at += n
	var rowid int64
	if t.Rowid {
		if rowid, n = varint(page[at:]); n == 0 || rowid <= 0 {
			return
		}
		at += n
	}
	local := f.local(int(length), t.Rowid)
	if at+local > len(page) {
		return
	}
	rec := page[at : at+local]
	types, head, ok := header(rec, int(length), t.Columns)
	if !ok {
		return
	}
	if local < int(length) {
		if at+local+4 > len(page) {
			return
		}
		if rec, ok = f.overflow(rec, int(length), binary.BigEndian.Uint32(page[at+local:])); !ok {
			return
		}
	}
	t.Row(rowid, values(rec[head:], types))
}

// local is how much of a row is on its own page (section 1.6).
func (f *File) local(length int, rowid bool) int {
	most := (f.size-12)*64/255 - 23
	if rowid {
		most = f.size - 35
	}
	if length <= most {
		return length
	}
	least := (f.size-12)*32/255 - 23
	if k := least + (length-least)%(f.size-4); k <= most {
		return k
	}
	return least
}

// overflow gathers a row that is longer than its page has room for.
func (f *File) overflow(begin []byte, length int, next uint32) ([]byte, bool) {
	rec := append(make([]byte, 0, length), begin...)
	page := make([]byte, f.size)
	for len(rec) < length {
		if f.page(next, page) != nil {
			return nil, false
		}
		rec = append(rec, page[4:4+min(f.size-4, length-len(rec))]...)
		next = binary.BigEndian.Uint32(page)
	}
	return rec, true
}

// header reads the types of a row's columns, and tells whether they make up
// exactly the row's length.
func header(rec []byte, length, columns int) (types []int64, head int, ok bool) {
	h, n := varint(rec)
	if n == 0 || h <= int64(columns) || h > int64(len(rec)) || h > int64(n+9*columns) {
		return nil, 0, false
	}
	head = int(h)
	sum, count := head, 0
	for at := n; at < head; count++ {
		t, n := varint(rec[at:head])
		if n == 0 || t < 0 || t == 10 || t == 11 || t > 2*longest || count == columns {
			return nil, 0, false
		}
		sum, at = sum+size(t), at+n
	}
	if count != columns || sum != length {
		return nil, 0, false
	}
	types = make([]int64, 0, columns)
	for at := n; at < head; {
		t, n := varint(rec[at:head])
		types, at = append(types, t), at+n
	}
	return types, head, true
}

// size is that of a value (section 2.1), bytes.
func size(t int64) int {
	switch {
	case t >= 12:
		return int(t-12) / 2
	case t >= 8:
		return 0
	}
	return [8]int{0, 1, 2, 3, 4, 6, 8, 8}[t]
}

func values(body []byte, types []int64) []driver.Value {
	out := make([]driver.Value, len(types))
	for i, t := range types {
		b := body[:size(t)]
		body = body[len(b):]
		switch {
		case t == 0:
		case t == 7:
			out[i] = math.Float64frombits(binary.BigEndian.Uint64(b))
		case t < 7:
			out[i] = integer(b)
		case t < 12:
			out[i] = t - 8
		case t%2 == 0:
			out[i] = append([]byte{}, b...)
		default:
			out[i] = string(b)
		}
	}
	return out
}

// integer is a number in two's complement, the highest byte first.
func integer(b []byte) int64 {
	n := int64(int8(b[0]))
	for _, c := range b[1:] {
		n = n<<8 | int64(c)
	}
	return n
}

// varint reads a number of one to nine bytes; n is 0 where there is none.
func varint(b []byte) (v int64, n int) {
	for i, c := range b {
		if i == 8 {
			return v<<8 | int64(c), 9
		}
		v = v<<7 | int64(c&0x7f)
		if c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
