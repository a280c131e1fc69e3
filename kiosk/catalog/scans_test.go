package catalog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"
)

// told writes scans in a short form.
func told(t testing.TB, r io.Reader) string {
	t.Helper()
	var list []string
	for s, err := range Scans(r, time.UTC) {
		if err != nil {
			t.Fatal(err)
		}
		one := s.Code
		if !s.At.IsZero() {
			one += "@" + s.At.UTC().Format("02T15:04:05")
		}
		if s.Why != "" {
			one += "!"
		}
		list = append(list, one)
	}
	return strings.Join(list, " ")
}

// TestScansLines: a row is named by the line of the file in which whoever looks for it
// finds it.
func TestScansLines(t *testing.T) {
	const file = "\ufeffsep=;\n\nbarcode;time\r\nA1;\n \n\"A\n2\";\nA\x01;\n\"A3;\nA4;noon\n"
	var got []string
	for s, err := range Scans(strings.NewReader(file), time.UTC) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s %t", s.Row, s.Code, s.Why != ""))
	}
	if want := "[4 A1 false 6  true 8  true 9  true 10 A4 true]"; fmt.Sprint(got) != want {
		t.Errorf("%v; want %s", got, want)
	}
}

func TestScans(t *testing.T) {
	wide := func(order unicode.Endianness, bom unicode.BOMPolicy, text string) string {
		s, err := unicode.UTF16(order, bom).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const codes = "31234000010064\r\n31234000010072\r\n"
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "", ""},
		{"one a line", codes, "31234000010064 31234000010072"},
		{"no end of line", "A1\nA2", "A1 A2"},
		{"old Macintosh", "A1\rA2\r", "A1 A2"},
		{"blank lines and spaces", "\n\n A1 \n\t\n\nA2\n\n", "A1 A2"},
		{"quotes", "\"A1\"\n\"A 2\"\n", "A1 A 2"},
		{"a quote that is not closed", "\"A1\nA2\n", "! A2"},
		{"byte order mark", "\ufeff" + codes, "31234000010064 31234000010072"},
		{"UTF-16 LE", wide(unicode.LittleEndian, unicode.UseBOM, codes), "31234000010064 31234000010072"},
		{"UTF-16 BE", wide(unicode.BigEndian, unicode.UseBOM, codes), "31234000010064 31234000010072"},
		{"UTF-16 LE without a mark", wide(unicode.LittleEndian, unicode.IgnoreBOM, codes), "31234000010064 31234000010072"},
		{"UTF-16 BE without a mark", wide(unicode.BigEndian, unicode.IgnoreBOM, codes), "31234000010064 31234000010072"},
		{"header", "Barcode,Time\nA1,2026-11-02 09:15:00\nA2,\n", "A1@02T09:15:00 A2"},
		{"header in another order", "scanned at;item barcode\n2026-11-02T09:15:00Z;A1\n", "A1@02T09:15:00"},
		{"date and time apart", "code,date,time\nA1,2026-11-02,09:15:00\n", "A1@02T09:15:00"},
		{"no header", "A1,2026-11-02 09:15:00\nA2,2026-11-02 09:15:01\n", "A1@02T09:15:00 A2@02T09:15:01"},
		{"no header, time first", "2026-11-02 09:15:00,A1\n", "A1@02T09:15:00"},
		{"no header, date, time, how many", "A1,2026-11-02,09:15:00,1\n", "A1@02T09:15:00"},
		{"a time of no day", "A1,09:15:00\n", "A1"},
		{"a number that could be a day", "20261102\n", "20261102"},
		{"a time that is none", "barcode,time\nA1,noon\n", "A1!"},
		{"a code that is none", "A1\nA\x012\n" + strings.Repeat("9", 80) + "\n3.1234E+13\nA3\n", "A1 ! ! ! A3"},
		{"end of file of DOS", "A1\r\n\x1a", "A1"},
		{"a line without end", strings.Repeat("x", 200_000) + "\nA1\n", "! A1"},
	} {
		if got := told(t, strings.NewReader(tt.file)); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
}

// TestScansOfAMillion: a file of any length is read row by row.
func TestScansOfAMillion(t *testing.T) {
	const n = 1_000_000
	r, w := io.Pipe()
	go func() {
		var b bytes.Buffer
		for i := range n {
			if fmt.Fprintf(&b, "3123%010d\r\n", i); b.Len() > 1<<16 {
				w.Write(b.Bytes()) //nolint:errcheck // the reader sees to the end
				b.Reset()
			}
		}
		w.Write(b.Bytes()) //nolint:errcheck // the reader sees to the end
		w.Close()
	}()
	rows := 0
	for s, err := range Scans(r, time.UTC) {
		if want := fmt.Sprintf("3123%010d", rows); err != nil || s.Code != want || s.Why != "" {
			t.Fatalf("row %d is %+v, %v; want %s", rows, s, err, want)
		}
		rows++
	}
	if rows != n {
		t.Errorf("%d rows; want %d", rows, n)
	}
}

func FuzzScans(f *testing.F) {
	f.Add([]byte("barcode,time\nA1,2026-11-02 09:15:00\n"))
	f.Add([]byte("\xff\xfeA\x001\x00\n\x00"))
	f.Add([]byte("\"A1\n\"\"A2,\r\r\n\x1a"))
	f.Fuzz(func(t *testing.T, file []byte) {
		n := 0
		for s, err := range Scans(bytes.NewReader(file), time.UTC) {
			if err != nil {
				return
			}
			was := n
			if n = s.Row; n <= was || s.Code == "" == (s.Why == "") && s.Code == "" {
				t.Errorf("row %d is %+v", n, s)
			}
			if s.Code != "" && valid(s.Code, "code") != nil {
				t.Errorf("code %q is none", s.Code)
			}
		}
	})
}
