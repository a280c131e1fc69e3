package catalog

import (
	"fmt"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// record is one bibliographic record with its holdings.
type record struct {
	fields []field
	lost   int      // characters that could not be decoded
	notes  []string // other remarks
}

type field struct {
	tag  string
	ind1 byte
	text string // of a control field
	subs []subfield
}

type subfield struct {
	code byte
	text string
}

// control is the text of a control field.
func (r *record) control(tag string) string {
	for _, f := range r.fields {
		if f.tag == tag {
			return strings.TrimSpace(f.text)
		}
	}
	return ""
}

// all are the fields with one of the tags, in order.
func (r *record) all(tags ...string) (list []field) {
	for _, f := range r.fields {
		for _, t := range tags {
			if f.tag == t {
				list = append(list, f)
			}
		}
	}
	return list
}

// get joins the subfields with one of the codes, in order.
func (f *field) get(codes string) string {
	var parts []string
	for _, s := range f.subs {
		if text := strings.TrimSpace(s.text); text != "" && strings.IndexByte(codes, s.code) >= 0 {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// one is the first subfield with the code.
func (f *field) one(code byte) string {
	for _, s := range f.subs {
		if s.code == code {
			return strings.TrimSpace(s.text)
		}
	}
	return ""
}

// original is a field in its own script, empty where there is none: the 880
// that it names, and that names it (MARC 21, $6 Linkage: "880-01" in the field,
// "245-01/$1" in the other).
func (r *record) original(f field) field {
	n, ok := strings.CutPrefix(f.one('6'), "880-")
	if !ok || len(n) < 2 || n[:2] == "00" {
		return field{}
	}
	for _, o := range r.all("880") {
		if strings.HasPrefix(o.one('6'), f.tag+"-"+n[:2]) {
			return o
		}
	}
	return field{}
}

// originals are all fields in their own script, by what they would be in Latin
// letters; those that have no such counterpart too.
func (r *record) originals() (list []field) {
	for _, o := range r.all("880") {
		if tag, _, ok := strings.Cut(o.one('6'), "-"); ok {
			o.tag = tag
			list = append(list, o)
		}
	}
	return list
}

func (r *record) first(codes string, tags ...string) string {
	for _, f := range r.all(tags...) {
		if s := f.get(codes); s != "" {
			return s
		}
	}
	return ""
}

// isbd cuts the punctuation that stands between parts of a description
// (ISBD, area 0.3) from the end: a full stop goes too, but not that of an
// initial and not three of them.
func isbd(s string) string {
	s = strings.TrimRight(s, " /:;,=")
	if strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "..") {
		if i := strings.LastIndexByte(s[:len(s)-1], ' '); len(s)-i > 3 {
			s = s[:len(s)-1]
		}
	}
	return strings.TrimSpace(s)
}

// title is 245, as in the original script and as in Latin letters.
func (r *record) title() string {
	fields := r.all("245")
	if len(fields) == 0 {
		return ""
	}
	o := r.original(fields[0])
	return both(o.title(), fields[0].title(), maxTitle)
}

// title is a 245 with its remainder and part. The medium, $h, is left out, but
// the mark at its end belongs between what stands around it.
func (f *field) title() string {
	var b strings.Builder
	for _, s := range f.subs {
		text := strings.TrimSpace(s.text)
		switch {
		case text == "":
		case strings.IndexByte("abnp", s.code) >= 0:
			b.WriteString(" " + text)
		case s.code == 'h' && strings.IndexByte(":;=", text[len(text)-1]) >= 0:
			b.WriteString(" " + text[len(text)-1:])
		}
	}
	return isbd(b.String())
}

// author is who is named first, as in the original script and as in Latin
// letters.
func (r *record) author() string {
	for _, f := range r.all("100", "110", "111", "700", "710") {
		if name := isbd(f.get("abcdq")); name != "" {
			o := r.original(f)
			return both(isbd(o.get("abcdq")), name, maxText)
		}
	}
	return ""
}

// both are a text in its own script and in Latin letters, as far as there is
// room for the second.
func both(original, latin string, room int) string {
	original, latin = clean(original, room), clean(latin, room)
	switch {
	case original == "" || original == latin:
		return latin
	case latin == "" || len(original)+len(between)+len(latin) > room:
		return original
	}
	return original + between + latin
}

// between stands between two scripts.
const between = " · "

// isbn is the first of 020 that is one. Where there are only others, they are
// noted.
func (r *record) isbn() string {
	var bad []string
	for _, f := range r.all("020") {
		a := f.one('a')
		if s := ISBN(a); s != "" {
			return s
		}
		if a != "" {
			bad = append(bad, noISBN(a))
		}
	}
	r.notes = append(r.notes, bad...)
	return ""
}

// year is that of publication, by the coded dates of 008, or as it is written
// (MARC 21, 008/06-14, 264 and 260 $c). Of what came out over years it is the
// last; of what still comes out, as journals do, there is none.
func (r *record) year() int {
	if f := r.control("008"); len(f) >= 15 {
		first, second := kiosk.YearIn(f[7:11]), kiosk.YearIn(f[11:15])
		switch f[6] {
		case 'c', 'u':
			return 0
		case 'd', 'i', 'k', 'm', 'q':
			first = max(first, second)
		}
		if first > 0 {
			return first
		}
	}
	for _, f := range r.all("264", "260") {
		if y := kiosk.YearIn(f.get("c")); y > 0 {
			return y
		}
	}
	return 0
}

// callNumber is the record's own, for copies that bring none. The slash that
// shows where a Dewey number may be cut is not part of it.
func (r *record) callNumber() (number, scheme string) {
	for _, c := range []struct{ tag, scheme string }{{"082", "ddc"}, {"092", "ddc"}, {"050", "lcc"}, {"090", "lcc"}, {"060", "nlm"}, {"080", "udc"}} {
		s := r.first("ab", c.tag)
		if s == "" {
			continue
		}
		if c.scheme == "ddc" {
			s = strings.NewReplacer("/", "", "'", "").Replace(s)
		}
		return clean(s, maxText), c.scheme
	}
	return "", ""
}

// remarks are all notes about the record.
func (r *record) remarks() []string {
	if r.lost == 0 {
		return r.notes
	}
	return append(r.notes, fmt.Sprintf("%d characters of the record can't be decoded and stand as \uFFFD", r.lost))
}

// ISBN makes 13 digits of an ISBN as people write it: hyphens, a remark
// behind, 10 characters. It gives "" if the check digit is wrong (ISO 2108).
func ISBN(s string) string {
	var d []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9', (c == 'X' || c == 'x') && len(d) == 9:
			d = append(d, c)
		case c == '-':
		case c == ' ' && len(d) != 10 && len(d) != 13:
		default:
			i = len(s)
		}
	}
	switch len(d) {
	case 10:
		sum := 0
		for i, c := range d {
			v := int(c - '0')
			if c == 'X' || c == 'x' {
				v = 10
			}
			sum += v * (10 - i)
		}
		if sum%11 != 0 {
			return ""
		}
		d = append([]byte("978"), d[:9]...)
		return string(append(d, ean(d)))
	case 13:
		if (string(d[:3]) == "978" || string(d[:3]) == "979") && ean(d[:12]) == d[12] {
			return string(d)
		}
	}
	return ""
}

// ean is the check digit of 12 digits.
func ean(d []byte) byte {
	sum := 0
	for i, c := range d {
		sum += int(c-'0') * (1 + 2*(i%2))
	}
	return byte('0' + (10-sum%10)%10)
}
