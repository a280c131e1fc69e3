package catalog

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestDamagedMARC: a record that is damaged is reported, and the next is read.
func TestDamagedMARC(t *testing.T) {
	raw := shared(t, "marc/jazz_1k.mrc")
	first := bytes.IndexByte(raw, endRecord) + 1
	second := first + bytes.IndexByte(raw[first:], endRecord) + 1
	bad := bytes.Clone(raw[:first])
	copy(bad[12:17], "99999")
	file := append(append(bad, raw[first:second]...), raw[:first/2]...)
	r := newISO2709Reader(file)
	_, e1 := r.next()
	rec, e2 := r.next()
	_, e3 := r.next()
	_, e4 := r.next()
	if e1 == nil || e2 != nil || rec.title() == "" || e3 == nil || !errors.Is(e4, io.EOF) {
		t.Errorf("errors %v, %v, %v, %v; want a bad record, a good one, half a one, the end", e1, e2, e3, e4)
	}
}

func TestHoldings(t *testing.T) {
	sub := func(tag string, ind byte, kv ...string) field {
		f := field{tag: tag, ind1: ind}
		for i := 0; i < len(kv); i += 2 {
			f.subs = append(f.subs, subfield{kv[i][0], kv[i+1]})
		}
		return f
	}
	title := sub("245", '1', "a", "Dune :", "b", "a novel /", "c", "Frank Herbert.")
	rec := func(f ...field) record {
		return record{fields: append([]field{title, sub("100", '1', "a", "Herbert, Frank."), sub("082", '0', "a", "813/.54")}, f...)}
	}
	tests := []struct {
		rec  record
		want kiosk.Item
	}{
		{rec(sub("852", '1', "b", "L", "c", "FIC", "h", "813.54", "i", "HER", "p", "31")), kiosk.Item{Barcode: "31", Library: "L", Location: "FIC", CallNumber: "813.54 HER", Scheme: "ddc"}},
		{rec(sub("952", ' ', "b", "CPL", "c", "ADULT", "o", "F HER", "p", "32", "y", "BK")), kiosk.Item{Barcode: "32", Library: "CPL", Location: "ADULT", CallNumber: "F HER", Type: "BK"}},
		{rec(sub("852", '8', "b", "L", "h", "X"), sub("876", ' ', "p", "33")), kiosk.Item{Barcode: "33", Library: "L", CallNumber: "X", Scheme: "local"}},
		{rec(sub("952", ' ', "p", "35", "7", "1", "q", "2026-12-01", "o", "F", "2", "z")), kiosk.Item{Barcode: "35", CallNumber: "F", Scheme: "local", NoLoan: true, Status: kiosk.StatusOnLoan}},
		{rec(sub("952", ' ', "p", "36", "0", "1", "1", "1", "7", "0")), kiosk.Item{Barcode: "36", CallNumber: "813.54", Scheme: "ddc", Status: kiosk.StatusWithdrawn}},
		{rec(sub("852", '1', "p", "37", "p", "38", "b", "L", "b", "M", "k", "REF", "h", "813", "m", "v. 2")), kiosk.Item{Barcode: "37", Library: "L M", CallNumber: "REF 813 v. 2", Scheme: "ddc"}},
		{rec(sub("949", ' ', "i", "34")), kiosk.Item{Barcode: "34", CallNumber: "813.54", Scheme: "ddc"}},
	}
	for _, tt := range tests {
		tt.want.Title, tt.want.Author = "Dune : a novel", "Herbert, Frank"
		if tt.want.Status == "" {
			tt.want.Status = kiosk.StatusAvailable
		}
		got := tt.rec.copies(nil)
		if len(got) != 1 || got[0] != tt.want {
			t.Errorf("copies = %+v; want %+v", got, tt.want)
		}
	}
	// Two 852 without barcodes, and the pieces that name them.
	linked := rec(sub("852", '1', "8", "1", "b", "A"), sub("852", '1', "8", "2", "b", "B"),
		sub("876", ' ', "8", "2.1", "p", "41"), sub("876", ' ', "8", "1.1", "p", "42"), sub("876", ' ', "p", "43"))
	var got []string
	for _, it := range linked.copies(nil) {
		got = append(got, it.Library+string(it.Barcode))
	}
	if want := []string{"A42", "A43", "B41"}; !reflect.DeepEqual(got, want) {
		t.Errorf("linked pieces = %v; want %v", got, want)
	}
	own := rec(sub("852", '1', "p", "51"), sub("997", ' ', "x", "52", "s", "Shelf", "c", "813", "d", "HER"))
	if got := own.copies([]Holdings{{Tag: "997", Barcode: "x", Location: "s", CallNumber: "cd"}}); len(got) != 1 || got[0].Barcode != "52" ||
		got[0].Location != "Shelf" || got[0].CallNumber != "813 HER" || got[0].Title != "Dune : a novel" {
		t.Errorf("the library's own field = %+v", got)
	}
	empty := rec()
	if got := empty.copies(nil); len(got) != 0 {
		t.Errorf("a record without holdings has copies %+v", got)
	}
}

func TestISBN(t *testing.T) {
	for in, want := range map[string]string{
		"0306406152": "9780306406157", "0-306-40615-2 (pbk.)": "9780306406157", "978-0-306-40615-7": "9780306406157", "080442957X": "9780804429573",
		"0306406153": "", "9780306406158": "", "": "", "ISBN": "", "1234567890123": "", "2130354467 :": "9782130354468",
	} {
		if got := ISBN(in); got != want {
			t.Errorf("ISBN(%q) = %q; want %q", in, got, want)
		}
	}
}

func newISO2709Reader(raw []byte) recordReader {
	_, in, err := sniff(bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	return newISO2709(in)
}

func TestTitles(t *testing.T) {
	for want, subs := range map[string][]subfield{
		"Dune : a novel":             {{'a', "Dune :"}, {'b', "a novel /"}, {'c', "F. H."}},
		"Kind of blue : the best":    {{'a', "Kind of blue"}, {'h', "[sound recording] :"}, {'b', "the best /"}},
		"Kind of blue":               {{'a', "Kind of blue"}, {'h', "[sound recording] /"}, {'c', "Miles Davis."}},
		"Faust. Part 1, The tragedy": {{'a', "Faust."}, {'n', "Part 1,"}, {'p', "The tragedy."}},
		"The story of J. R.":         {{'a', "The story of J. R."}},
		"Wait ...":                   {{'a', "Wait ..."}},
		"Two lines":                  {{'a', " Two\n\x1blines ;"}},
		strings.Repeat("é", 500):     {{'a', strings.Repeat("e\u0301", 600)}},
		strings.Repeat("x", 999):     {{'a', strings.Repeat("x", 999) + "é"}},
		"":                           {{'c', "nobody"}},
	} {
		rec := record{fields: []field{{tag: "245", subs: subs}}}
		if got := rec.title(); got != want {
			t.Errorf("title of %.60q = %q; want %q", subs, got, want)
		}
	}
}

// TestEncodings: what a record says of itself, and what it is.
func TestEncodings(t *testing.T) {
	says := func(coding byte, title string) []byte {
		raw := write2709([]field{{tag: "001", text: "7"}, {tag: "245", ind1: '1', subs: []subfield{{'a', title}}}})
		raw[9] = coding
		return raw
	}
	for name, tt := range map[string]struct {
		raw   []byte
		want  string
		notes int
	}{
		"UTF-8":                   {says('a', "Café 日本"), "Café 日本", 0},
		"UTF-8 that says MARC-8":  {says(' ', "Café 日本"), "Café 日本", 1},
		"MARC-8":                  {says(' ', "Caf\xe2e \x1b$1!0!\x1b(B"), "Café 一", 0},
		"MARC-8 in ASCII alone":   {says(' ', "\x1b(NMIR\x1b(B"), "мир", 0},
		"MARC-8 that says UTF-8":  {says('a', "Caf\xe2e"), "Caf\uFFFDe", 1},
		"MARC-8 with a lost sign": {says(' ', "Caf\xe2e\xaf"), "Café\uFFFD", 1},
	} {
		rec, err := parse2709(tt.raw)
		if got := rec.title(); err != nil || got != tt.want || len(rec.remarks()) != tt.notes {
			t.Errorf("%s: %q, %q, %v; want %q and %d notes", name, got, rec.remarks(), err, tt.want, tt.notes)
		}
	}
}

const slim = `<record xmlns="http://www.loc.gov/MARC21/slim"><leader/><controlfield tag="001">7</controlfield>` +
	`<datafield tag="020" ind1=" " ind2=" "><subfield code="a">123</subfield></datafield>` +
	`<datafield tag="245" ind1="1" ind2="0"><subfield code="a">Café &amp; more /</subfield></datafield>` +
	`<datafield tag="852" ind1="1" ind2=" "><subfield code="p">31</subfield></datafield></record>`

func TestMARCXMLForms(t *testing.T) {
	latin := func(s string) string { return strings.ReplaceAll(s, "é", "\xe9") }
	for name, raw := range map[string]string{
		"bare":         slim,
		"BOM":          "\ufeff" + slim,
		"Latin-1":      latin(`<?xml version="1.0" encoding="ISO-8859-1"?>` + slim),
		"OAI":          `<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords><record><header/><metadata>` + slim + `</metadata></record></ListRecords></OAI-PMH>`,
		"prefix":       `<m:collection xmlns:m="info:lc/xmlns/marcxchange-v2">` + strings.NewReplacer("</", "</m:", "<", "<m:", ` xmlns="http://www.loc.gov/MARC21/slim"`, "").Replace(slim) + `</m:collection>`,
		"UTF-16":       "\xfe\xff" + utf16be(`<?xml version="1.0" encoding="UTF-16"?>`+slim),
		"no namespace": `<collection>` + strings.ReplaceAll(slim, ` xmlns="http://www.loc.gov/MARC21/slim"`, "") + `</collection>`,
	} {
		var m kiosktest.Memory
		var notes []Note
		rep, err := ImportItems(t.Context(), strings.NewReader(raw), Options{Noted: func(n Note) { notes = append(notes, n) }}, &m)
		it, _ := m.Item(t.Context(), "31")
		if err != nil || rep.New != 1 || it.Title != "Café & more" || len(notes) != 1 || notes[0].Key != "7" {
			t.Errorf("%s: %+v, %v; %+v, notes %v", name, rep, err, it, notes)
		}
	}
}

func utf16be(s string) string {
	var b strings.Builder
	for _, r := range s { // all in the basic plane
		b.Write([]byte{byte(r >> 8), byte(r)})
	}
	return b.String()
}

// TestHostileXML: a file that wants all memory ends with an error.
func TestHostileXML(t *testing.T) {
	for name, raw := range map[string]io.Reader{
		"entities":      strings.NewReader(`<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><record><controlfield tag="001">&b;</controlfield></record>`),
		"endless text":  io.MultiReader(strings.NewReader("<record><controlfield tag='001'>"), &endless{"text "}),
		"endless depth": io.MultiReader(strings.NewReader("<a>"), &endless{"<a>"}),
		"deep record":   io.MultiReader(strings.NewReader("<record>"), &endless{"<a>"}),
		"endless tag":   io.MultiReader(strings.NewReader("<a "), &endless{"b='c' "}),
		"endless note":  io.MultiReader(strings.NewReader("<!-- "), &endless{"x"}),
	} {
		if rep, err := ImportItems(t.Context(), raw, Options{}, &sink{}); !errors.Is(err, errBroken) {
			t.Errorf("%s: %+v, %v; want it to be broken", name, rep, err)
		}
	}
}

// endless repeats a text for ever.
type endless struct{ text string }

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.text) <= len(p) {
		n += copy(p[n:], e.text)
	}
	return n, nil
}

// TestYear finds the year of publication by the coded dates of 008, or as it
// is written.
func TestYear(t *testing.T) {
	coded := func(dates string) field {
		return field{tag: "008", text: "981012" + dates + "nyu           000 0 eng d"}
	}
	written := func(tag, text string) field { return field{tag: tag, subs: []subfield{{'a', "London :"}, {'c', text}}} }
	for name, c := range map[string]struct {
		fields []field
		want   int
	}{
		"one":                   {[]field{coded("s1998    ")}, 1998},
		"printed and copyright": {[]field{coded("t19991998")}, 1999},
		"reprint":               {[]field{coded("r20031923")}, 2003},
		"over years":            {[]field{coded("m19902005")}, 2005},
		"over years, open":      {[]field{coded("m19909999")}, 1990},
		"a journal":             {[]field{coded("c19909999"), written("260", "1990-")}, 0},
		"not coded":             {[]field{coded("nuuuuuuuu"), written("264", "[2004?]")}, 2004},
		"a decade":              {[]field{coded("s199u    "), written("260", "c1997.")}, 1997},
		"the first of two":      {[]field{written("260", "1997"), written("264", "2001")}, 1997},
		"none written":          {[]field{written("264", "[date of publication not identified]"), written("264", "©2011")}, 2011},
		"short":                 {[]field{{tag: "008", text: "981012s199"}}, 0},
		"nothing":               {nil, 0},
	} {
		r := record{fields: c.fields}
		if got := r.year(); got != c.want {
			t.Errorf("%s: %d; want %d", name, got, c.want)
		}
	}
}
