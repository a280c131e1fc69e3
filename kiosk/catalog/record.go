package catalog

import (
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// record is one bibliographic record with its holdings.
type record struct {
	fields []field
	lost   int // characters that could not be decoded
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

type recordReader interface {
	// next gives io.EOF at the end; errBroken, wrapped, when nothing more can
	// be read.
	next() (record, error)
}

func (r record) control(tag string) string {
	for _, f := range r.fields {
		if f.tag == tag {
			return strings.TrimSpace(f.text)
		}
	}
	return ""
}

// all are the fields with one of the tags, in order.
func (r record) all(tags ...string) (list []field) {
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
func (f field) get(codes string) string {
	var parts []string
	for _, s := range f.subs {
		if strings.IndexByte(codes, s.code) >= 0 && strings.TrimSpace(s.text) != "" {
			parts = append(parts, strings.TrimSpace(s.text))
		}
	}
	return strings.Join(parts, " ")
}

func (r record) first(codes string, tags ...string) string {
	for _, f := range r.all(tags...) {
		if s := f.get(codes); s != "" {
			return s
		}
	}
	return ""
}

// isbd cuts the punctuation that stands between parts of a description.
func isbd(s string) string {
	s = strings.TrimRight(s, " /:;,=")
	if strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "..") {
		if i := strings.LastIndexByte(s[:len(s)-1], ' '); len(s)-i > 3 { // not an initial
			s = s[:len(s)-1]
		}
	}
	return strings.TrimSpace(s)
}

// title is 245 with its remainder and part.
func (r record) title() string {
	for _, f := range r.all("245") {
		return clean(isbd(f.get("abnp")), maxTitle)
	}
	return ""
}

func (r record) author() string {
	return clean(isbd(r.first("abcdq", "100", "110", "111", "700", "710")), maxText)
}

// isbn is the first of 020 that is one.
func (r record) isbn() string {
	for _, f := range r.all("020") {
		if s := ISBN(f.get("a")); s != "" {
			return s
		}
	}
	return ""
}

// schemes are the class schemes of 852's first indicator (MARC 21 Holdings).
var schemes = map[byte]string{'0': "lcc", '1': "ddc", '2': "nlm", '3': "udc", '8': "local"}

// callNumber is the record's own, for copies that bring none.
func (r record) callNumber() (number, scheme string) {
	for _, c := range []struct{ tag, scheme string }{{"082", "ddc"}, {"092", "ddc"}, {"050", "lcc"}, {"090", "lcc"}, {"060", "nlm"}, {"080", "udc"}} {
		if s := r.first("ab", c.tag); s != "" {
			return clean(strings.ReplaceAll(s, "/", ""), maxText), c.scheme
		}
	}
	return "", ""
}

// copies are the record's items: 852 (MARC 21 holdings), 952 (Koha) and 949
// with a barcode. 876 to 878 bring the barcodes of an 852 that has none.
func (r record) copies() (list []kiosk.Item) {
	number, scheme := r.callNumber()
	add := func(barcode, lib, loc, call, callScheme, kind string) {
		if barcode == "" {
			return
		}
		if call == "" {
			call, callScheme = number, scheme
		}
		list = append(list, kiosk.Item{
			Barcode: kiosk.Barcode(strings.TrimSpace(barcode)), Title: r.title(), Author: r.author(), ISBN: r.isbn(),
			CallNumber: clean(call, maxText), Scheme: callScheme, Location: clean(loc, maxText), Library: clean(lib, maxText),
			Type: clean(kind, maxText), Status: kiosk.StatusAvailable,
		})
	}
	for _, f := range r.all("852") {
		scheme := schemes[f.ind1]
		if f.get("p") == "" {
			for _, b := range r.all("876", "877", "878") {
				add(b.get("p"), f.get("b"), f.get("c"), f.get("khim"), scheme, "")
			}
			continue
		}
		add(f.get("p"), f.get("b"), f.get("c"), f.get("khim"), scheme, "")
	}
	for _, f := range r.all("952") { // Koha: barcode p, home b, shelf c, call number o, item type y, scheme 2
		add(f.get("p"), f.get("b"), f.get("c"), f.get("o"), f.get("2"), f.get("y"))
	}
	if len(list) == 0 {
		for _, f := range r.all("949") { // by custom: barcode b or i, call number a
			add(strings.TrimSpace(f.get("b")+f.get("i")), f.get("m"), f.get("l"), f.get("a"), "", f.get("t"))
		}
	}
	return list
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
