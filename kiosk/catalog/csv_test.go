package catalog

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

const head = "barcode,title,isbn,status,circulates\n"

// TestCSVYear: a year is read as it is written, and one that is none is noted.
func TestCSVYear(t *testing.T) {
	var m kiosktest.Memory
	rep, _ := run(t, ImportItems, []byte("barcode,title,copyrightdate\n31,One,c1998\n32,Two,19--\n33,Three,\n"), &m)
	for b, want := range map[kiosk.Barcode]int{"31": 1998, "32": 0, "33": 0} {
		if i, err := m.Item(t.Context(), b); err != nil || i.Year != want {
			t.Errorf("%s is of %d, %v; want %d", b, i.Year, err, want)
		}
	}
	if rep.Noted != 1 {
		t.Errorf("%d notes; want 1", rep.Noted)
	}
}

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
		"CR":        []byte(strings.ReplaceAll(head+row, "\n", "\r")),
		"sep":       []byte("sep=;\r\nbarcode;title,;isbn;status;circulates\r\n" + `31;"Zoë; or, the ""end""";0306406152;ON_HOLD_SHELF;false` + "\r\n"),
		"blank":     []byte("\n\n" + head + "\n" + row + "\n\n"),
		"1252":      []byte(head + strings.ReplaceAll(row, "ë", "\xeb")),
		"Excel":     []byte(strings.TrimSuffix(head, "\n") + ",,\n" + strings.TrimSuffix(row, "\n") + ",,\n"),
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

// TestRows: what a quote that is out of place costs, and what it does not.
func TestRows(t *testing.T) {
	for in, want := range map[string][]string{
		"a,b,c\n1,\"two\nlines\",3\n4,5,6\n":                 {"a|b|c", "1|two\nlines|3", "4|5|6"},
		"a,b,c\n1,\"open,3\n4,5,6\n7,8,9\n":                  {"a|b|c", "!", "4|5|6", "7|8|9"},
		"a,b,c\n1,\"open,3\n4,\"5\",6\n7,8,9\n":              {"a|b|c", "!", "4|5|6", "7|8|9"},
		"a,b,c\n1,\"open\nin side\n,3\n4,5,6\n":              {"a|b|c", "!", "!", "!", "4|5|6"},
		"a,b,c\n1,\"Big\" Ben,3\n4,5\"11,6\n":                {"a|b|c", "1|\"Big\" Ben|3", "4|5\"11|6"},
		"a,b,c\n1,\"x\" ,\"\"\n":                             {"a|b|c", "1|x|"},
		"a,b,c\n1,two words\nbroken off,3\n4,5,6\n":          {"a|b|c", "1|two words ?", "!", "4|5|6"},
		"a,b,c\n1,2,3,4\n5,6,7,,\n8,9":                       {"a|b|c", "!", "5|6|7||", "!"},
		"a,b\n" + strings.Repeat("x", maxLine+9) + ",2\n3,4": {"a|b", "!", "3|4"},
		"a\n" + strings.Repeat("\"", 2*maxLine) + "\n3":      {"a", "!", "3"},
	} {
		rows, got := newRows(bufio.NewReader(strings.NewReader(in))), []string(nil)
		for {
			r, err := rows.next()
			if errors.Is(err, io.EOF) {
				break
			}
			text := strings.Join(r.cells, "|")
			if len(r.notes) > 0 {
				text += " ?"
			}
			if r.why != "" {
				text = "!"
			}
			if got = append(got, text); err != nil || len(got) > 20 {
				t.Fatalf("%.60q: %q, %v", in, got, err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%.60q = %q; want %q", in, got, want)
		}
	}
}

// TestOwnColumns: a name that the library gives goes before those we know, and
// of those the surest one.
func TestOwnColumns(t *testing.T) {
	var m kiosktest.Memory
	raw := "Nr;Item;Copy-Barcode;Strichcode;Titel\n9;8;7;31;Momo\n"
	o := Options{Columns: map[string]string{"strichcode": "barcode", "TITEL": "title"}}
	if _, err := ImportItems(t.Context(), strings.NewReader(raw), o, &m); err != nil {
		t.Fatal(err)
	}
	if it, err := m.Item(t.Context(), "31"); err != nil || it.Title != "Momo" {
		t.Errorf("%+v, %v", it, err)
	}
	raw = "identifier,Last Name,CARD NUMBER\n5,Lin,21\n"
	run(t, ImportPatrons, []byte(raw), &m)
	if p, err := m.Patron(t.Context(), "21"); err != nil || p.FamilyName != "Lin" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPatronRows(t *testing.T) {
	defer func(was func() time.Time) { now = was }(now)
	now = func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	const head = "card,surname,expires,active,debarred,dob\n"
	day := func(y, m, d, h int) time.Time { return time.Date(y, time.Month(m), d, h, 0, 0, 0, time.UTC) }
	for row, want := range map[string]kiosk.Patron{
		"1,Lin,2026-12-31,1,,2015-02-28":         {Expires: day(2027, 1, 1, 0), Born: day(2015, 2, 28, 0)},
		"1,Lin,2026-12-31 10:00:00-05,yes,0,":    {Expires: day(2026, 12, 31, 15)},
		"1,Lin,,0,,":                             {Blocked: kiosk.ReasonCardBlocked},
		"1,Lin,,inactive,,":                      {Blocked: kiosk.ReasonCardBlocked},
		"1,Lin,infinity,,fines,":                 {Blocked: kiosk.ReasonCardBlocked},
		"1,Lin,,,9999-12-31,":                    {Blocked: kiosk.ReasonCardBlocked},
		"1,Lin,,,2026-11-23,":                    {Blocked: kiosk.ReasonCardBlocked},
		"1,Lin,,,2026-11-22,":                    {},
		"1,Lin,0000-00-00,true,false,0000-00-00": {},
	} {
		var m kiosktest.Memory
		run(t, ImportPatrons, []byte(head+row+"\n"), &m)
		got, err := m.Patron(t.Context(), "1")
		if err != nil || !got.Expires.Equal(want.Expires) || !got.Born.Equal(want.Born) || got.Blocked != want.Blocked || got.FamilyName != "Lin" {
			t.Errorf("%s = %+v, %v; want %+v", row, got, err, want)
		}
	}
}

// TestLocation: a time without a zone is the library's.
func TestLocation(t *testing.T) {
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("this system has no time zones: ", err)
	}
	var m kiosktest.Memory
	raw := "patron_barcode,item_barcode,out_at,due_at,in_at\n" +
		"1,a,2026-07-01 10:00:00,2026-07-22,\n1,b,2026-07-01 10:00:00.25-04,2026-07-22T12:00:00Z,0000-00-00 00:00:00\n1,c,,,2026-07-02\n"
	rep, err := ImportLoans(t.Context(), strings.NewReader(raw), Options{Location: ny}, &m)
	if err != nil || rep.New != 2 || rep.Skipped != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	for item, due := range map[kiosk.Barcode]time.Time{
		"a": time.Date(2026, 7, 23, 3, 59, 59, 0, time.UTC), "b": time.Date(2026, 7, 22, 12, 0, 0, 0, time.UTC),
	} {
		l, err := m.Loan(t.Context(), item)
		if at := l.At.Truncate(time.Second); err != nil || !l.Due.Equal(due) || !at.Equal(time.Date(2026, 7, 1, 14, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v, %v; want it due at %v", item, l, err, due)
		}
	}
}

// TestNotes: a row that is taken may need a word.
func TestNotes(t *testing.T) {
	var notes []string
	o := Options{Noted: func(n Note) { notes = append(notes, n.Key+": "+n.Text) }}
	raw := head + "31,T,9.78E+12,,\n32,T\n33,Caf\xe9,,,\n34,Caf\xe9,,,\n"
	rep, err := ImportItems(t.Context(), strings.NewReader(raw), o, &sink{})
	if err != nil || rep.New != 4 || rep.Noted != 3 || len(notes) != 3 || !strings.Contains(notes[0], "no ISBN") ||
		!strings.HasPrefix(notes[1], "32: has 2 cells") || !strings.Contains(notes[2], "Windows-1252") {
		t.Errorf("%+v, %v, %q", rep, err, notes)
	}
}

// FuzzRows: what encoding/csv writes, rows reads.
func FuzzRows(f *testing.F) {
	f.Add("a\"b", "c\nd", "e,f", " g", true)
	f.Fuzz(func(t *testing.T, a, b, c, d string, crlf bool) {
		cells := []string{"x" + a, "x" + b, "x" + c, "x" + d}
		var out strings.Builder
		w := csv.NewWriter(&out)
		w.UseCRLF = crlf
		_ = w.WriteAll([][]string{{"h1", "h2", "h3", "h4"}, cells, {"1", "2", "3", "4"}})
		if whole := strings.Join(cells, ""); len(whole) > 1000 || strings.Contains(whole, "\r") || strings.ToValidUTF8(whole, "") != whole ||
			strings.Contains(whole, "\n\n") || slices.ContainsFunc(strings.Split(whole, "\n"), blank) {
			return // line ends and blank lines within a cell are not kept as they are
		}
		r := newRows(bufio.NewReader(strings.NewReader(out.String())))
		_, e1 := r.next()
		got, e2 := r.next()
		if e1 != nil || e2 != nil || got.why != "" || !slices.Equal(got.cells, cells) {
			t.Fatalf("%q = %q %s, %v %v", out.String(), got.cells, got.why, e1, e2)
		}
		if last, err := r.next(); err != nil || !slices.Equal(last.cells, []string{"1", "2", "3", "4"}) {
			t.Errorf("%q: then %q %s, %v", out.String(), last.cells, last.why, err)
		}
	})
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
