package catalog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// quotes is a CSV file in which each line opens a text that the lines behind it
// do not close.
func quotes(lines int) string {
	return "barcode,title\n" + strings.Repeat(`x","`+strings.Repeat(`""`, 300)+"\n", lines)
}

// within is a MARC record of which all fields are the same piece of it.
func within(fields, length int) []byte {
	data := "  " + strings.Repeat("\x1fp", length/2) + "\x1e"
	dir := strings.Repeat(fmt.Sprintf("952%04d00000", len(data)), fields) + "\x1e"
	return []byte("00000nam a22" + fmt.Sprintf("%05d", leaderLen+len(dir)) + "   4500" + dir + data + "\x1d")
}

// pieced is a record with holdings, and as many barcodes that are no one's of
// them.
func pieced(n int) (r record) {
	for range n {
		r.fields = append(r.fields, field{tag: "852", subs: []subfield{{'8', "1"}}}, field{tag: "876", subs: []subfield{{'8', "2"}, {'p', "31"}}})
	}
	return r
}

func readRows(t testing.TB, text string) (refused int) {
	rows := newRows(bufio.NewReader(strings.NewReader(text)))
	for {
		r, err := rows.next()
		if errors.Is(err, io.EOF) {
			return refused
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.why != "" {
			refused++
		}
	}
}

// TestQuotes: lines that are looked at again and again would be written again
// as often.
func TestQuotes(t *testing.T) {
	text := quotes(300)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if got := readRows(t, text); got != 300 {
		t.Errorf("%d rows are refused; want 300", got)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 100*uint64(len(text)) {
		t.Errorf("a file of %d bytes took %d", len(text), took)
	}
}

// TestQuotesScanned: the same of a collector's file, whose rows may have any
// width; a few texts with line breaks are read.
func TestQuotesScanned(t *testing.T) {
	scanned := func(text string) (read, refused int) {
		for s, err := range Scans(strings.NewReader(text), time.UTC) {
			if err != nil {
				t.Fatal(err)
			}
			if read++; s.Why != "" {
				refused++
			}
		}
		return read, refused
	}
	text := strings.Repeat("x\",\"\n", 2000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if read, refused := scanned(text); read != 2000 || refused != 2000 {
		t.Errorf("%d of %d rows are refused; want all 2000", refused, read)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 600*uint64(len(text)) {
		t.Errorf("a file of %d bytes took %d", len(text), took)
	}
	for texts, want := range map[int]int{1: 1, maxTexts: 1, maxTexts + 1: 2} {
		if read, _ := scanned("31" + strings.Repeat(`,"a`+"\n"+`b"`, texts) + "\n"); read != want {
			t.Errorf("a row with %d texts of two lines is read as %d; want %d", texts, read, want)
		}
	}
}

func TestWithin(t *testing.T) {
	if rec, err := parse2709(within(100, 4000)); err == nil || !strings.Contains(err.Error(), `"952" lies within others`) {
		t.Errorf("fields within others: %d, %v", len(rec.fields), err)
	}
	if rec, err := parse2709(within(1, 4000)); err != nil || len(rec.fields) != 1 {
		t.Errorf("one field: %d, %v", len(rec.fields), err)
	}
}

// TestPieces: each barcode goes to the first holding that it may be of.
func TestPieces(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		number := func() string { return []string{"", "1", "2", "3", "2.1", "3.7"}[r.IntN(6)] }
		var rec record
		for i := range r.IntN(12) {
			if r.IntN(3) == 0 {
				rec.fields = append(rec.fields, field{tag: "852", subs: []subfield{{'8', number()}, {'c', "shelf " + strconv.Itoa(i)}}})
			} else {
				rec.fields = append(rec.fields, field{tag: []string{"876", "877", "878"}[r.IntN(3)], subs: []subfield{{'8', number()}, {'p', strconv.Itoa(i)}}})
			}
		}
		var want []string
		given := map[string]bool{}
		for _, f := range rec.all("852") {
			for _, p := range rec.all("876", "877", "878") {
				a, b := link(f), link(p)
				if code := p.one('p'); !given[code] && (a == b || a == "" || b == "") {
					given[code] = true
					want = append(want, f.one('c')+" "+code)
				}
			}
		}
		var got []string
		for _, it := range rec.standard() {
			got = append(got, it.Location+" "+string(it.Barcode))
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d, %+v: %q; want %q", seed, rec.fields, got, want)
		}
	}
}

// BenchmarkHostile reads what would take long if it were read with less care.
func BenchmarkHostile(b *testing.B) {
	b.Run("quotes", func(b *testing.B) {
		text := quotes(1000)
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			readRows(b, text)
		}
	})
	b.Run("scanned", func(b *testing.B) {
		text := strings.Repeat("x\",\"\n", 1000)
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			for _, err := range Scans(strings.NewReader(text), time.UTC) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("within", func(b *testing.B) {
		raw := within(8000, 9900)
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if _, err := newISO2709(bufio.NewReader(bytes.NewReader(raw))).next(); err == nil {
				b.Fatal("it was read")
			}
		}
	})
	b.Run("pieces", func(b *testing.B) {
		rec := pieced(100_000)
		for b.Loop() {
			if list := rec.standard(); len(list) > 0 {
				b.Fatal(list[0])
			}
		}
	})
}
