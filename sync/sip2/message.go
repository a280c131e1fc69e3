package sip2

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Message is one message of either side.
type Message struct {
	ID     string  // two digits
	Fixed  string  // the fixed fields, as long as lengths says, or shorter if the sender was brief
	Fields []Field // in the order sent
	Seq    byte    // '0' to '9'; 0 means none was sent
	Sum    Sum     // of a parsed message
}

// Field is one variable field.
type Field struct{ ID, Value string }

// Sum is what a message's checksum is worth.
type Sum int

// The checksums.
const (
	SumNone  Sum = iota // there was none
	SumGood             // over the bytes
	SumLoose            // over code points or Latin-1, as some servers count
	SumBad
)

// MaxMessage bounds a message in bytes: a patron's list of 1,000 items fits.
const MaxMessage = 64 << 10

// lengths are the characters of the fixed fields by message id (SIP2 2.12,
// section "Messages").
var lengths = map[string]int{
	"01": 1 + 18, "09": 1 + 18 + 18, "10": 1 + 1 + 1 + 1 + 18, "11": 1 + 1 + 18 + 18, "12": 1 + 1 + 1 + 1 + 18,
	"15": 1 + 18, "16": 1 + 1 + 18, "17": 18, "18": 2 + 2 + 2 + 18, "19": 18, "20": 1 + 18,
	"23": 3 + 18, "24": 14 + 3 + 18, "25": 18, "26": 14 + 3 + 18, "29": 1 + 1 + 18 + 18, "30": 1 + 1 + 1 + 1 + 18,
	"35": 18, "36": 1 + 18, "37": 18 + 2 + 2 + 3, "38": 1 + 18, "63": 3 + 18 + 10, "64": 14 + 3 + 18 + 6*4,
	"65": 18, "66": 1 + 4 + 4 + 18, "93": 1 + 1, "94": 1, "96": 0, "97": 0,
	"98": 1 + 1 + 1 + 1 + 1 + 1 + 3 + 3 + 18 + 4, "99": 1 + 3 + 4,
}

// Part is n characters of the fixed fields from character i, or what of them
// was sent.
func (m Message) Part(i, n int) string {
	from, to, char := len(m.Fixed), len(m.Fixed), 0
	for at := range m.Fixed {
		switch char {
		case i:
			from = at
		case i + n:
			to = at
		}
		char++
	}
	return m.Fixed[from:to]
}

// Get is the first field of that id, and whether there is one.
func (m Message) Get(id string) (string, bool) {
	for _, f := range m.Fields {
		if f.ID == id {
			return f.Value, true
		}
	}
	return "", false
}

// Value is the first field of that id, or "".
func (m Message) Value(id string) string { v, _ := m.Get(id); return v }

// All are the values of a repeated field, in order.
func (m Message) All(id string) (all []string) {
	for _, f := range m.Fields {
		if f.ID == id {
			all = append(all, f.Value)
		}
	}
	return all
}

// Text are the values of a field of free text, as one. SIPServer and Koha
// write the delimiter as an HTML entity.
func (m Message) Text(id string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.Join(m.All(id), " "), "&#124;", "|"))
}

// With adds a field.
func (m Message) With(id, value string) Message {
	m.Fields = append(slices.Clip(m.Fields), Field{id, value})
	return m
}

// endingPlain is m with a field last that is empty, or ends in an ASCII letter
// or digit, if there is one: SIPServer and Koha strip all else off the end of
// a message, be it a PIN's last character.
func (m Message) endingPlain() Message {
	for i, f := range slices.Backward(m.Fields) {
		if n := len(f.Value); n == 0 || alphanumeric(f.Value[n-1]) {
			m.Fields = append(slices.Delete(slices.Clone(m.Fields), i, i+1), f)
			break
		}
	}
	return m
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// Charset is how text is written. Reading takes UTF-8 whatever is set, if the
// bytes are valid as such.
type Charset string

// The charsets; "" is UTF8.
const (
	UTF8   Charset = "utf-8"
	Latin1 Charset = "latin-1" // ISO 8859-1
	CP850  Charset = "cp850"   // what the standard names
)

func (c Charset) table() *charmap.Charmap {
	switch c {
	case CP850:
		return charmap.CodePage850
	case Latin1:
		return charmap.ISO8859_1
	}
	return nil
}

func (c Charset) decode(b []byte) string {
	s := string(b)
	if plain(s) {
		return s
	}
	if !utf8.Valid(b) {
		t := c.table()
		if t == nil {
			t = charmap.ISO8859_1
		}
		out, err := t.NewDecoder().Bytes(b)
		if err != nil {
			out = bytes.ToValidUTF8(b, []byte("\uFFFD"))
		}
		s = string(out)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// plain tells whether text is the same in every charset, and needs no care.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// encode writes text; what the charset lacks becomes '?'.
func (c Charset) encode(s string) []byte {
	t := c.table()
	if t == nil {
		return []byte(s)
	}
	var b []byte
	for _, r := range s {
		x, ok := t.EncodeRune(r)
		if !ok {
			x = '?'
		}
		b = append(b, x)
	}
	return b
}

// ErrSyntax is what can't be parsed; the error shows what of the bytes is
// nobody's.
var ErrSyntax = errors.New("not a SIP2 message")

func syntax(raw []byte, why string) error {
	return fmt.Errorf("%w: %s in \"%s\"", ErrSyntax, why, masked(raw))
}

// Parse reads one message, without or with the CR and LF around it.
func Parse(raw []byte, c Charset) (Message, error) {
	line := bytes.Trim(raw, "\r\n")
	if len(line) > MaxMessage {
		return Message{}, syntax(line, "too long a message")
	}
	if len(line) < 2 {
		return Message{}, syntax(line, "no message id")
	}
	m := Message{ID: string(line[:2])}
	n, ok := lengths[m.ID]
	if !ok {
		return Message{}, syntax(line, "an unknown message id")
	}
	rest := line[2:]
	rest, m.Seq, m.Sum = trailer(line, rest, n)
	fixed := rest
	if len(rest) > n {
		fixed = rest[:n]
	}
	if i := bytes.IndexByte(fixed, '|'); i >= 0 { // shorter than the standard says
		fixed = rest[:i]
	}
	m.Fixed, rest = c.decode(fixed), rest[len(fixed):]
	if utf8.RuneCountInString(m.Fixed) != len(fixed) {
		return Message{}, syntax(line, "text in the fixed fields")
	}
	for first, more := true, true; more; first = false {
		var seg []byte
		seg, rest, more = bytes.Cut(rest, []byte{'|'})
		switch {
		case len(seg) == 0:
			continue
		case !isField(seg) && first: // longer than the standard says (fsip2: "94100")
			continue
		case !isField(seg) && (!more || m.Sum == SumBad): // cut off, or damaged
			return Message{}, syntax(line, "text without a field id")
		case !isField(seg): // a delimiter within a text
			continue
		}
		if m.Fields == nil {
			m.Fields = make([]Field, 0, bytes.Count(rest, []byte{'|'})+2)
		}
		m.Fields = append(m.Fields, Field{string(seg[:2]), c.decode(seg[2:])})
	}
	return m, nil
}

func isField(seg []byte) bool { return len(seg) >= 2 && fieldID(seg[:2]) }

func fieldID[T string | []byte](b T) bool {
	return 'A' <= b[0] && b[0] <= 'Z' && ('A' <= b[1] && b[1] <= 'Z' || '0' <= b[1] && b[1] <= '9')
}

// trailer cuts AY<n>AZ<hhhh> off the end. A naked AY<n> (fsip2) counts as a
// sequence number, and AZ alone as a checksum (96 and 97). The fixed fields,
// of that length, are never cut into, though they may end in such letters.
func trailer(line, rest []byte, fixed int) ([]byte, byte, Sum) {
	sum, seq := SumNone, byte(0)
	whole := func(cut int) bool { return len(rest)-cut >= fixed || len(rest) < fixed }
	if n := len(rest); n >= 6 && whole(6) && string(rest[n-6:n-4]) == "AZ" && hex4(rest[n-4:]) {
		sum = judge(line[:len(line)-4], string(rest[n-4:]))
		rest = rest[:n-6]
	}
	if n := len(rest); n >= 3 && whole(3) && string(rest[n-3:n-1]) == "AY" && '0' <= rest[n-1] && rest[n-1] <= '9' {
		seq = rest[n-1]
		rest = rest[:n-3]
	}
	return rest, seq, sum
}

func hex4(b []byte) bool {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// checksum is the two's complement of the low 16 bits of the sum of the bytes.
func checksum(b []byte) string {
	var sum uint16
	for _, c := range b {
		sum += uint16(c)
	}
	return hex(-sum)
}

// hex writes the four digits of a checksum.
func hex(sum uint16) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[sum>>12], digits[sum>>8&15], digits[sum>>4&15], digits[sum&15]})
}

// judge compares with the sum over bytes, then over code points, which is the
// same as over Latin-1 (a common fault of servers that count before encoding).
func judge(b []byte, got string) Sum {
	if strings.EqualFold(checksum(b), got) {
		return SumGood
	}
	if utf8.Valid(b) {
		var sum uint16
		for _, r := range string(b) {
			sum += uint16(r)
		}
		if strings.EqualFold(hex(-sum), got) {
			return SumLoose
		}
	}
	return SumBad
}

// ErrField is a value that can't be sent: it would end its field or the
// message, or become another field.
var ErrField = errors.New("value can't be sent by SIP2")

// identifiers are the fields that must arrive as they are or not at all.
var identifiers = map[string]bool{"AA": true, "AB": true, "AD": true, "AC": true, "AO": true, "CN": true, "CO": true, "CP": true, "AP": true}

// Encode writes a message with its CR. Values are cut at 255 characters;
// identifiers that don't fit are errors. With sum, Seq must be set, but for
// 96 and 97.
func (m Message) Encode(c Charset, sum bool) ([]byte, error) {
	n, ok := lengths[m.ID]
	if !ok || utf8.RuneCountInString(m.Fixed) != n {
		return nil, fmt.Errorf("sip2: message %q with %d characters of fixed fields; want %d", m.ID, utf8.RuneCountInString(m.Fixed), n)
	}
	if strings.ContainsFunc(m.Fixed, func(r rune) bool { return r < ' ' || r > '~' || r == '|' }) {
		return nil, fmt.Errorf("%w: fixed fields %q", ErrField, m.Fixed)
	}
	b := append(append(make([]byte, 0, 256), m.ID...), m.Fixed...)
	for _, f := range m.Fields {
		v, err := f.fit(c)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, f.ID...), v...), '|')
	}
	if sum {
		if m.Seq != 0 {
			b = append(b, 'A', 'Y', m.Seq)
		}
		b = append(b, 'A', 'Z')
		b = append(b, checksum(b)...)
	}
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("%w: a message of %d bytes", ErrField, len(b))
	}
	return append(b, '\r'), nil
}

// fit gives the bytes of a value that can become nothing but this field.
func (f Field) fit(c Charset) ([]byte, error) {
	if len(f.ID) != 2 || !fieldID(f.ID) {
		return nil, fmt.Errorf("%w: field id %q", ErrField, f.ID)
	}
	if len(f.Value) <= 255 && plain(f.Value) && strings.IndexByte(f.Value, '|') < 0 {
		return []byte(f.Value), nil
	}
	bad := func(r rune) bool { return r == '|' || unicode.IsControl(r) || r == utf8.RuneError }
	v := f.Value
	if strings.ContainsFunc(v, bad) {
		if identifiers[f.ID] {
			return nil, fmt.Errorf("%w: %s holds a delimiter or a control character", ErrField, f.ID)
		}
		v = strings.Map(func(r rune) rune {
			if bad(r) {
				return ' '
			}
			return r
		}, v)
	}
	if utf8.RuneCountInString(v) > 255 {
		if identifiers[f.ID] {
			return nil, fmt.Errorf("%w: %s of %d characters", ErrField, f.ID, utf8.RuneCountInString(v))
		}
		v = string([]rune(v)[:255])
	}
	out := c.encode(v)
	if identifiers[f.ID] && c.decode(out) != v {
		return nil, fmt.Errorf("%w: %s holds a letter that %s lacks", ErrField, f.ID, c)
	}
	return out, nil
}
