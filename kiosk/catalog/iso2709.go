package catalog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// iso2709 reads binary MARC: a leader of 24 characters that tells the length
// of the record and where its data begin, a directory of 12 characters a
// field, and the fields (ISO 2709; MARC 21 Record Structure).
type iso2709 struct {
	in  *bufio.Reader
	raw []byte // of the last record
}

const (
	leaderLen = 24
	entryLen  = 12
	endRecord = 0x1d
	endField  = 0x1e
	subMark   = 0x1f
	escape    = 0x1b
	maxRecord = 99_999 // bytes; the length has five digits
)

func newISO2709(in *bufio.Reader) *iso2709 { return &iso2709{in: in} }

// next reads up to the end of a record, whatever length it claims: where the
// two differ the end that is there counts, and the next record is found.
func (r *iso2709) next() (record, error) {
	raw, err := r.bytes()
	if err != nil {
		return record{}, err
	}
	return parse2709(raw)
}

func (r *iso2709) bytes() ([]byte, error) {
	r.raw = r.raw[:0]
	for {
		part, err := r.in.ReadSlice(endRecord)
		r.raw = append(r.raw, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(r.raw) <= 2*maxRecord: // some write longer ones
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%w: no end of record within %d bytes", errBroken, len(r.raw))
		case errors.Is(err, io.EOF) && len(bytes.Trim(r.raw, "\r\n \t\x00\x1a")) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, errors.New("the file ends in the middle of a record")
		case err != nil:
			return nil, fmt.Errorf("%w: %w", errBroken, err)
		}
		return bytes.TrimLeft(r.raw, "\r\n \t\x00\x1a"), nil
	}
}

// parse2709 reads a record. A field must end where the directory says that it
// ends: a record whose lengths are wrong would give other fields' text. Fields
// that lie in one another would let a small record take gigabytes.
func parse2709(raw []byte) (record, error) {
	var rec record
	if len(raw) < leaderLen+2 {
		return rec, fmt.Errorf("a record of %d bytes has no leader", len(raw))
	}
	base, err := number(raw[12:17])
	if err != nil || base < leaderLen+1 || base > len(raw) {
		return rec, fmt.Errorf("the leader %q tells no place where data begin", raw[:leaderLen])
	}
	decode := rec.decoder(raw)
	dir := bytes.TrimSuffix(raw[leaderLen:base], []byte{endField})
	for room := len(raw) - base; len(dir) >= entryLen; dir = dir[entryLen:] {
		length, e1 := number(dir[3:7])
		start, e2 := number(dir[7:12])
		end := base + start + length
		if e1 != nil || e2 != nil || length < 1 || end > len(raw) {
			return record{}, fmt.Errorf("field %.3q lies outside its record", dir)
		}
		if raw[end-1] != endField {
			return record{}, fmt.Errorf("field %.3q does not end where the directory of the record says", dir)
		}
		if room -= length; room < 0 {
			return record{}, fmt.Errorf("field %.3q lies within others", dir)
		}
		rec.fields = append(rec.fields, newField(string(dir[:3]), raw[base+start:end-1], decode))
	}
	return rec, nil
}

// number reads digits, and nothing but digits.
func number(b []byte) (int, error) {
	if !digits(b) {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(string(b))
}

func newField(tag string, data []byte, decode func([]byte) string) field {
	f := field{tag: tag}
	if tag < "010" {
		f.text = decode(data)
		return f
	}
	head, data, found := bytes.Cut(data, []byte{subMark})
	if len(head) > 0 {
		f.ind1 = head[0]
	}
	for found {
		var sub []byte
		sub, data, found = bytes.Cut(data, []byte{subMark})
		if len(sub) > 0 {
			f.subs = append(f.subs, subfield{sub[0], decode(sub[1:])})
		}
	}
	return f
}

// decoder tells how a record's text is read: as UTF-8 if leader position 9
// says so, and else as MARC-8. A record that has other characters than ASCII,
// no escapes, and is UTF-8 all through is UTF-8 whatever it says: in MARC-8 a
// mark stands before an ASCII letter, which UTF-8 can't have.
func (r *record) decoder(raw []byte) func([]byte) string {
	is, says := utf8.Valid(raw), raw[9] == 'a'
	switch {
	case says && !is:
		r.notes = append(r.notes, "says that it is UTF-8 and is not; what can't be read stands as \uFFFD")
	case !says && is && !ascii7(raw) && bytes.IndexByte(raw, escape) < 0:
		says = true
		r.notes = append(r.notes, "says that it is MARC-8, and was read as the UTF-8 it is")
	}
	if says {
		return func(b []byte) string { return norm.NFC.String(string(b)) }
	}
	return func(b []byte) string {
		s, lost := decodeMARC8(b)
		r.lost += lost
		return s
	}
}

func ascii7(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
