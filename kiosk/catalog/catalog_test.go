package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

func shared(t *testing.T, path string) []byte {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "testdata")
	if _, err := os.Stat(dir); err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal("the test data beside the checkout is missing")
		}
		t.Skip("needs the test data in ../shared, which is not here")
	}
	raw, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

type load func(context.Context, io.Reader, Options, kiosk.Loader) (Report, error)

// run imports and collects what was refused.
func run(t *testing.T, f load, raw []byte, into kiosk.Loader) (Report, []Refused) {
	t.Helper()
	var refused []Refused
	rep, err := f(t.Context(), bytes.NewReader(raw), Options{Location: time.UTC, Refused: func(r Refused) { refused = append(refused, r) }}, into)
	if err != nil {
		t.Fatalf("import: %v (%+v)", err, rep)
	}
	return rep, refused
}

func TestConcerto(t *testing.T) {
	var m kiosktest.Memory
	for _, tt := range []struct {
		file string
		f    load
		n    int
	}{{"items.csv", ImportItems, 4825}, {"patrons.csv", ImportPatrons, 333}, {"loans.csv", ImportLoans, 486}} {
		raw := shared(t, "concerto/"+tt.file)
		rep, refused := run(t, tt.f, raw, &m)
		if rep.Rows != tt.n || rep.New+rep.Skipped != tt.n || len(refused) != 0 || rep.Format != "csv" {
			t.Errorf("%s: %+v, refused %v; want %d rows taken", tt.file, rep, refused, tt.n)
		}
		again, _ := run(t, tt.f, raw, &m)
		if again.New+again.Changed != 0 || again.Same != rep.New {
			t.Errorf("%s a second time: %+v; want everything the same", tt.file, again)
		}
	}
	it, err := m.Item(t.Context(), "CONC4000037")
	if err != nil || it.Title != "Le concerto" || it.ISBN != "9782130354468" || it.Scheme != "lcc" || it.Status != kiosk.StatusLost || it.Library != "RPLS-WEPL" {
		t.Errorf("item = %+v, %v", it, err)
	}
	p, err := m.Patron(t.Context(), "99999355250")
	if want := time.Date(2026, 10, 29, 0, 0, 0, 0, time.UTC); err != nil || p.FirstName != "Gregory" || !p.Expires.Equal(want) {
		t.Errorf("patron = %+v, %v; want him to expire at the end of %v", p, err, want)
	}
	l, err := m.Loan(t.Context(), "CONC4000037")
	if err != nil || l.Patron != "99999355250" || !l.Due.Equal(time.Date(2020, 5, 23, 6, 59, 59, 0, time.UTC)) {
		t.Errorf("loan = %+v, %v", l, err)
	}
}

// TestConcertoXML: the copies in the MARCXML are those of the CSV.
func TestConcertoXML(t *testing.T) {
	var csv, marc kiosktest.Memory
	run(t, ImportItems, shared(t, "concerto/items.csv"), &csv)
	rep, refused := run(t, ImportItems, shared(t, "concerto/catalogue.marcxml"), &marc)
	// Two copies more than the CSV: 852 fields that came with their records.
	if rep.Rows != 293 || rep.New != 4827 || len(refused) != 0 || rep.Format != "marcxml" {
		t.Errorf("%+v, refused %v; want 293 records with 4,827 copies", rep, refused)
	}
	same := 0
	for n := 36; n < 500; n++ {
		b := kiosk.Barcode(fmt.Sprintf("CONC4%06d", n))
		c, err := csv.Item(t.Context(), b)
		if err != nil {
			continue
		}
		m, err := marc.Item(t.Context(), b)
		if err != nil || m.CallNumber != c.CallNumber || m.Library != c.Library || m.Location != c.Location {
			t.Fatalf("%s: MARC %+v, %v; CSV %+v", b, m, err, c)
		}
		if m.Title != strings.TrimSuffix(c.Title, ".") || m.ISBN != c.ISBN { // the CSV keeps the full stop of 245
			t.Errorf("%s: MARC %q %s; CSV %q %s", b, m.Title, m.ISBN, c.Title, c.ISBN)
		}
		same++
	}
	if same < 60 {
		t.Errorf("only %d items were compared", same)
	}
}

// TestJazz reads 1,000 binary records in MARC-8.
func TestJazz(t *testing.T) {
	r := newISO2709Reader(shared(t, "marc/jazz_1k.mrc"))
	n, lost, marks := 0, 0, 0
	titles := map[string]bool{}
	for {
		rec, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("record %d: %v", n+1, err)
		}
		n++
		lost += rec.lost
		for _, f := range rec.fields {
			for _, s := range f.subs {
				if strings.ContainsRune(s.text, '\uFFFD') {
					t.Errorf("record %d, field %s: %q", n, f.tag, s.text)
				}
				if strings.ContainsAny(s.text, "áéíóúñüöäèçåøôêÆæŁł") {
					marks++
				}
			}
		}
		titles[rec.title()] = true
		if rec.title() == "" {
			t.Errorf("record %d has no title", n)
		}
	}
	if n != 1000 || lost != 0 || marks < 50 || !titles["Friendly fire"] {
		t.Errorf("%d records, %d characters lost, %d texts with marks", n, lost, marks)
	}
	var m kiosktest.Memory
	if rep, _ := run(t, ImportItems, shared(t, "marc/jazz_1k.mrc"), &m); rep.Rows != 1000 || rep.Format != "marc21" {
		t.Errorf("report = %+v", rep)
	}
}

func newISO2709Reader(raw []byte) recordReader {
	_, in, err := sniff(bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	return newISO2709(in)
}

const head = "barcode,title,isbn,status,circulates\n"

func TestCSVForms(t *testing.T) {
	want := kiosk.Item{Barcode: "31", Title: "Zoë; or, the \"end\"", ISBN: "9780306406157", Status: kiosk.StatusOnHold, NoLoan: true}
	row := `31,"Zoë; or, the ""end""",0-306-40615-2 (pbk.),On holds shelf,0` + "\n"
	utf16le := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(head + row)) {
		utf16le = append(utf16le, byte(u), byte(u>>8))
	}
	for name, raw := range map[string][]byte{
		"plain":     []byte(head + row),
		"BOM, CRLF": []byte("\ufeff" + strings.ReplaceAll(head+row, "\n", "\r\n")),
		"UTF-16":    utf16le,
		"semicolon": []byte("Barcode;Title;ISBN;Status;Circulates\n" + `31;"Zoë; or, the ""end""";9780306406157;on hold shelf;no` + "\n"),
		"tabs":      []byte("item barcode\ttitle\tisbn\titem status\tcirculates\n31\tZoë; or, the \"end\"\t9780306406157\thold\tN\n"),
		"no end":    []byte(strings.TrimSuffix(head+row, "\n")),
	} {
		var m kiosktest.Memory
		rep, refused := run(t, ImportItems, raw, &m)
		got, err := m.Item(t.Context(), "31")
		if err != nil || got != want || len(refused) > 0 || rep.New != 1 {
			t.Errorf("%s: %+v, %v, %+v %v; want %+v", name, got, err, rep, refused, want)
		}
	}
}

func TestBadRows(t *testing.T) {
	var m kiosktest.Memory
	raw := head + "31,Good,,,\n,No barcode,,,\n3.1E+13,Rounded,,,\n32,A|B,,,\n3|3,Pipe,,,\n31,Twice,,,\n" +
		strings.Repeat("9", 65) + ",Long,,,\n34,too,many,cells,here,now\n\x1b35,Control,,,\n36\n37," + strings.Repeat("é", 2000) + ",,,\n"
	rep, refused := run(t, ImportItems, []byte(raw), &m)
	var rows []int
	for _, r := range refused {
		rows = append(rows, r.Row)
		if r.Why == "" {
			t.Errorf("%+v has no reason", r)
		}
	}
	if want := []int{2, 3, 5, 6, 7, 8, 9}; !reflect.DeepEqual(rows, want) || rep.New != 4 || rep.Refused != len(want) {
		t.Errorf("refused %v of %+v; want rows %v", refused, rep, want)
	}
	if it, err := m.Item(t.Context(), "37"); err != nil || len(it.Title) > maxTitle || !strings.HasSuffix(it.Title, "é") {
		t.Errorf("a title of 4,000 bytes is kept with %d: %v", len(it.Title), err)
	}
	rep, refused = run(t, ImportPatrons, []byte("card,surname,expires,active\n21,Lin,31.12.2026,1\n22,Ng,2026-12-31,0\n"), &m)
	if rep.New != 1 || len(refused) != 1 || !strings.Contains(refused[0].Why, "is no date") {
		t.Errorf("patrons: %+v, %v", rep, refused)
	}
	if p, _ := m.Patron(t.Context(), "22"); p.Blocked != kiosk.ReasonCardBlocked {
		t.Errorf("an inactive patron = %+v", p)
	}
	rep, _ = run(t, ImportLoans, []byte("patron_barcode,item_barcode,due_at,in_at\n22,31,2026-12-31,\n22,36,2026-12-31,2026-12-01\n"), &m)
	if rep.New != 1 || rep.Skipped != 1 {
		t.Errorf("loans: %+v; want one open, one closed", rep)
	}
}

func TestFilesThatAreNoLists(t *testing.T) {
	for name, raw := range map[string]string{
		"empty": "", "blank": " \n\n", "zip": "PK\x03\x04xxxx", "binary": "\x00\x01\x02", "no barcode column": "title,author\nx,y\n",
		"XML that breaks off":      "<collection><record><leader>x</leader>",
		"no end of record in MARC": "00100nam a2200025 a 4500" + strings.Repeat("x", 300_000),
	} {
		var m kiosktest.Memory
		if rep, err := ImportItems(t.Context(), strings.NewReader(raw), Options{}, &m); err == nil && rep.Refused == 0 {
			t.Errorf("%s: %+v, no error", name, rep)
		}
	}
	if _, err := ImportPatrons(t.Context(), strings.NewReader("<collection/>"), Options{}, &sink{}); err == nil {
		t.Error("patrons from XML are taken")
	}
}

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
		{rec(sub("949", ' ', "i", "34")), kiosk.Item{Barcode: "34", CallNumber: "813.54", Scheme: "ddc"}},
	}
	for _, tt := range tests {
		tt.want.Title, tt.want.Author, tt.want.Status = "Dune : a novel", "Herbert, Frank", kiosk.StatusAvailable
		got := tt.rec.copies()
		if len(got) != 1 || got[0] != tt.want {
			t.Errorf("copies = %+v; want %+v", got, tt.want)
		}
	}
	if got := rec().copies(); len(got) != 0 {
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

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var b strings.Builder
	b.WriteString(head)
	for i := range 5000 {
		fmt.Fprintf(&b, "%d,T,,,\n", i+1)
	}
	var m kiosktest.Memory
	o := Options{Progress: func(_ int64, rows int) {
		if rows >= 2000 {
			cancel()
		}
	}}
	rep, err := ImportItems(ctx, strings.NewReader(b.String()), o, &m)
	if !errors.Is(err, context.Canceled) || rep.New != 2000 {
		t.Errorf("cancelled import: %+v, %v; want 2,000 rows and Canceled", rep, err)
	}
}

// sink is a mirror that counts.
type sink struct{ n int }

func (s *sink) PutItems(_ context.Context, i []kiosk.Item) (kiosk.Change, error) {
	s.n += len(i)
	return kiosk.Change{New: len(i)}, nil
}
func (s *sink) PutPatrons(_ context.Context, p []kiosk.Patron) (kiosk.Change, error) {
	return kiosk.Change{New: len(p)}, nil
}
func (s *sink) PutLoans(_ context.Context, l []kiosk.Loan) (kiosk.Change, error) {
	return kiosk.Change{New: len(l)}, nil
}

func fuzz(f *testing.F, load load, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		rows := 0
		rep, err := load(t.Context(), bytes.NewReader(raw), Options{Refused: func(r Refused) {
			if rows++; r.Why == "" || r.Row < 1 {
				t.Errorf("%+v", r)
			}
		}}, checked{t})
		if err == nil && rows != rep.Refused {
			t.Errorf("%d refusals told, %+v", rows, rep)
		}
	})
}

// checked is a mirror that looks at what it is given.
type checked struct{ t *testing.T }

func (c checked) PutItems(_ context.Context, items []kiosk.Item) (kiosk.Change, error) {
	for _, i := range items {
		if err := valid(string(i.Barcode), "barcode"); err != nil || len(i.Title) > maxTitle || strings.ContainsAny(i.Title, "\n\x00\x1b") {
			c.t.Errorf("%+v: %v", i, err)
		}
	}
	return kiosk.Change{New: len(items)}, nil
}
func (c checked) PutPatrons(_ context.Context, p []kiosk.Patron) (kiosk.Change, error) {
	return kiosk.Change{New: len(p)}, nil
}
func (c checked) PutLoans(_ context.Context, l []kiosk.Loan) (kiosk.Change, error) {
	return kiosk.Change{New: len(l)}, nil
}

func FuzzItems(f *testing.F) {
	fuzz(f, ImportItems, head+"31,T,,,\n", "<record><datafield tag='852'><subfield code='p'>3</subfield></datafield></record>",
		"00058nam a2200037 a 4500852000900000\x1e  \x1fp31234\x1e\x1d", "\xff\xfeb\x00", "barcode;title\n\"3;")
}

func FuzzPatrons(f *testing.F) { fuzz(f, ImportPatrons, "barcode,expires\n21,2026-01-01\n") }

func BenchmarkCSV(b *testing.B) {
	var t strings.Builder
	t.WriteString(head)
	for i := range 10_000 {
		fmt.Fprintf(&t, "3%013d,The book of many titles no. %d,9780306406157,available,1\n", i, i)
	}
	for b.Loop() {
		if _, err := ImportItems(b.Context(), strings.NewReader(t.String()), Options{}, &sink{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "rows/s")
}
