package catalog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"golang.org/x/text/unicode/norm"
)

// iso2709 reads binary MARC: a leader of 24 characters that tells the length
// of the record and where its data begin, a directory of 12 characters a
// field, and the fields (ISO 2709; MARC 21 Record Structure).
type iso2709 struct{ in *bufio.Reader }

const (
	leaderLen = 24
	entryLen  = 12
	endRecord = 0x1d
	endField  = 0x1e
	subMark   = 0x1f
	maxRecord = 99_999 // five digits
)

// errBroken says that a file can't be read beyond this place.
var errBroken = errors.New("the rest of the file can't be read")

func newISO2709(in *bufio.Reader) *iso2709 { return &iso2709{in} }

// next reads up to the end of a record, whatever length it claims: where the
// two differ the end that is there counts, and the next record is found.
func (r *iso2709) next() (record, error) {
	raw, err := r.raw()
	if err != nil {
		return record{}, err
	}
	return parse2709(raw)
}

func (r *iso2709) raw() ([]byte, error) {
	var raw []byte
	for {
		part, err := r.in.ReadSlice(endRecord)
		raw = append(raw, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(raw) <= 2*maxRecord:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%w: no end of record within %d bytes", errBroken, len(raw))
		case errors.Is(err, io.EOF) && len(bytes.TrimSpace(raw)) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, errors.New("the file ends in the middle of a record")
		case err != nil:
			return nil, fmt.Errorf("%w: %v", errBroken, err)
		}
		return bytes.TrimLeft(raw, "\r\n \x1a"), nil
	}
}

func parse2709(raw []byte) (record, error) {
	var rec record
	if len(raw) < leaderLen+2 {
		return rec, fmt.Errorf("a record of %d bytes has no leader", len(raw))
	}
	base, err := strconv.Atoi(string(raw[12:17]))
	if err != nil || base < leaderLen+1 || base > len(raw) {
		return rec, fmt.Errorf("the leader %q tells no place where data begin", raw[:leaderLen])
	}
	utf8 := raw[9] == 'a'
	dir := bytes.TrimSuffix(raw[leaderLen:base], []byte{endField})
	for ; len(dir) >= entryLen; dir = dir[entryLen:] {
		length, e1 := strconv.Atoi(string(dir[3:7]))
		start, e2 := strconv.Atoi(string(dir[7:12]))
		if e1 != nil || e2 != nil || length < 0 || start < 0 || base+start+length > len(raw) {
			return rec, fmt.Errorf("field %.3q lies outside its record", dir)
		}
		data := bytes.TrimRight(raw[base+start:base+start+length], "\x1d\x1e")
		rec.fields = append(rec.fields, rec.field(string(dir[:3]), data, utf8))
	}
	return rec, nil
}

func (r *record) field(tag string, data []byte, utf8 bool) field {
	f := field{tag: tag}
	if tag < "010" {
		f.text = r.decode(data, utf8)
		return f
	}
	parts := bytes.Split(data, []byte{subMark})
	if len(parts[0]) > 0 {
		f.ind1 = parts[0][0]
	}
	for _, p := range parts[1:] {
		if len(p) > 0 {
			f.subs = append(f.subs, subfield{p[0], r.decode(p[1:], utf8)})
		}
	}
	return f
}

func (r *record) decode(b []byte, utf8 bool) string {
	if utf8 {
		return norm.NFC.String(string(b))
	}
	s, lost := decodeMARC8(b)
	r.lost += lost
	return s
}
