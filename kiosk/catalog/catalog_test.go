package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
type sink struct {
	kiosk.Loader
	n int
}

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
