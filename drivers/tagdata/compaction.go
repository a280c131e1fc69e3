package tagdata

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Compaction schemes of ISO/IEC 15962, the bits 6 to 4 of a precursor.
const (
	application = iota // what the standard of the application says: ISIL packing, or bytes as they are
	integer            // 2 to 19 digits without a leading zero, big endian
	numeric            // two digits a byte, F behind an odd one
	bits5              // 41 to 5F, padded with 0
	bits6              // 20 to 5F, padded with 1 and zeros
	bits7              // 00 to 7E, padded with 1s
	octets             // ISO 8859-1
	utf8Text
)

var errValue = errors.New("the value is not of the kind its element says")

// packed tells whether scheme 0 of an element is ISIL packing.
func packed(oid int) bool { return oid == 3 || oid == 11 }

// expand gives the text of an element's data.
func expand(oid, scheme int, data []byte) (string, error) {
	switch scheme {
	case application:
		if packed(oid) {
			return unpackISIL(data), nil
		}
		return strings.ToUpper(hex.EncodeToString(data)), nil
	case integer:
		return expandInteger(data)
	case numeric:
		s := hex.EncodeToString(data)
		s = strings.TrimSuffix(s, "f")
		return s, when(digits(s) && len(s) > 0)
	case bits5:
		v := dropLast(cut(data, 5), 0)
		return moved(v, func(c byte) byte { return c | 0x40 }), when(!slices.Contains(v, 0x40))
	case bits6:
		v := cut(data, 6)
		if len(data)%3 == 0 {
			v = dropLast(v, 0x20) // six bits of padding
		}
		return moved(v, func(c byte) byte { return c | ^c&0x20<<1 }), nil
	case bits7:
		v := dropLast(cut(data, 7), 0x7F)
		return moved(v, func(c byte) byte { return c }), nil
	case octets:
		return latin(data), nil
	}
	return string(data), when(utf8.Valid(data))
}

func when(ok bool) error {
	if ok {
		return nil
	}
	return errValue
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

func expandInteger(data []byte) (string, error) {
	var v uint64
	for _, c := range data {
		if v>>56 != 0 {
			return "", errValue
		}
		v = v<<8 | uint64(c)
	}
	s := strconv.FormatUint(v, 10)
	return s, when(len(s) >= 2 && len(s) <= 19)
}

// dropLast drops padding that is as long as a value.
func dropLast(v []byte, padding byte) []byte {
	if n := len(v); n > 0 && v[n-1] == padding {
		return v[:n-1]
	}
	return v
}

// moved makes text of values, in their place.
func moved(v []byte, move func(byte) byte) string {
	for i := range v {
		v[i] = move(v[i])
	}
	return string(v)
}

// compact gives the shortest data that expand makes the same text of; of
// equals, the scheme that comes first. Owners are packed as ISIL wherever
// they can be, as the standard wants it.
func compact(oid int, text string) (scheme int, data []byte, err error) {
	scheme = -1
	for s := application; s <= utf8Text; s++ {
		b, ok := compactAs(oid, s, text)
		if !ok || scheme >= 0 && len(b) >= len(data) {
			continue
		}
		if back, err := expand(oid, s, b); err != nil || back != text {
			continue
		}
		if s == application {
			return s, b, nil
		}
		scheme, data = s, b
	}
	if scheme < 0 {
		return 0, nil, fmt.Errorf("%q can't be written", text)
	}
	return scheme, data, nil
}

// compactAs gives the data of one scheme, if the scheme can hold the text.
func compactAs(oid, scheme int, text string) ([]byte, bool) {
	switch scheme {
	case application:
		if !packed(oid) {
			return nil, false
		}
		return packISIL(text)
	case integer:
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil || len(text) < 2 || len(text) > 19 || !digits(text) || text[0] == '0' {
			return nil, false
		}
		var b []byte
		for ; v > 0; v >>= 8 {
			b = append([]byte{byte(v)}, b...)
		}
		return b, true
	case numeric:
		if len(text) < 2 || !digits(text) {
			return nil, false
		}
		b, err := hex.DecodeString(text + "f"[:len(text)%2])
		return b, err == nil
	case bits5:
		return narrow(text, 5, 0x41, 0x5F, 0)
	case bits6:
		return narrow(text, 6, 0x20, 0x5F, 0x80)
	case bits7:
		return narrow(text, 7, 0x00, 0x7E, 0xFF)
	case octets:
		var b []byte
		for _, r := range text {
			if r > 0xFF {
				return nil, false
			}
			b = append(b, byte(r))
		}
		return b, utf8.ValidString(text)
	}
	return []byte(text), utf8.ValidString(text)
}

// narrow packs the low bits of characters from low to high.
func narrow(text string, width int, low, high, padding byte) ([]byte, bool) {
	var w bitWriter
	for i := range len(text) {
		if text[i] < low || text[i] > high {
			return nil, false
		}
		w.put(int(text[i]), width)
	}
	return w.bytes(padding), true
}

// bitWriter packs values, most significant bit first.
type bitWriter struct {
	b    []byte
	free int // bits of the last byte
}

func (w *bitWriter) put(v, width int) {
	for i := width - 1; i >= 0; i-- {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		w.free--
		w.b[len(w.b)-1] |= byte(v>>i&1) << w.free
	}
}

// bytes fills the last byte with the first bits of padding.
func (w *bitWriter) bytes(padding byte) []byte {
	if w.free > 0 {
		w.b[len(w.b)-1] |= padding >> (8 - w.free)
	}
	return w.b
}

// bitsAt gives width bits (at most 8) from bit at on, if there are so many.
func bitsAt(b []byte, at, width int) (v int, ok bool) {
	if at+width > 8*len(b) {
		return 0, false
	}
	for i := at; i < at+width; i++ {
		v = v<<1 | int(b[i/8]>>(7-i%8)&1)
	}
	return v, true
}

// cut gives all whole values of width bits.
func cut(b []byte, width int) []byte {
	v := make([]byte, 0, 8*len(b)/width)
	for at := 0; ; at += width {
		x, ok := bitsAt(b, at, width)
		if !ok {
			return v
		}
		v = append(v, byte(x))
	}
}
