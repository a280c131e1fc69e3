package catalog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// checked is a mirror that looks at what it is given.
type checked struct {
	kiosk.Loader
	t *testing.T
}

func (c checked) PutItems(_ context.Context, items []kiosk.Item) (kiosk.Change, error) {
	for _, i := range items {
		c.code(string(i.Barcode))
		c.text(i.Title, maxTitle)
		for _, s := range []string{i.Author, i.CallNumber, i.Location, i.Library, i.Type} {
			c.text(s, maxText)
		}
		c.text(i.Subjects, maxAbout)
		if got := strings.Join(i.Headings(), "; "); got != i.Subjects {
			c.t.Errorf("the subjects %q are the headings %q", i.Subjects, got)
		}
		if i.ISBN != "" && ISBN(i.ISBN) != i.ISBN {
			c.t.Errorf("ISBN %q", i.ISBN)
		}
	}
	return c.count(len(items))
}

func (c checked) PutPatrons(_ context.Context, patrons []kiosk.Patron) (kiosk.Change, error) {
	for _, p := range patrons {
		c.code(string(p.Card))
		c.text(p.FirstName, maxText)
		c.text(p.FamilyName, maxText)
		c.text(p.Category, maxText)
		c.text(p.Library, maxText)
	}
	return c.count(len(patrons))
}

func (c checked) PutLoans(_ context.Context, loans []kiosk.Loan) (kiosk.Change, error) {
	for _, l := range loans {
		c.code(string(l.Item))
		c.code(string(l.Patron))
	}
	return c.count(len(loans))
}

func (c checked) count(n int) (kiosk.Change, error) {
	if n == 0 || n > batch {
		c.t.Errorf("a batch of %d rows", n)
	}
	return kiosk.Change{New: n}, nil
}

func (c checked) code(s string) {
	if err := valid(s, "code"); err != nil || strings.TrimSpace(s) != s {
		c.t.Errorf("the code %q was given to the mirror: %v", s, err)
	}
}

func (c checked) text(s string, most int) {
	if len(s) > most || strings.ToValidUTF8(s, "") != s || strings.ContainsAny(s, "\n\r\t\x00\x1b\u202e\u0085") {
		c.t.Errorf("the text %q was given to the mirror", s)
	}
}

// fuzz imports anything: nothing panics, what is wrong is told, and the counts
// agree.
func fuzz(f *testing.F, load load, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { fuzzOne(t, load, raw, "") })
}

func fuzzOne(t *testing.T, load load, raw []byte, card string) {
	refused, noted := 0, 0
	rep, err := load(t.Context(), bytes.NewReader(raw), Options{
		Card: card,
		Refused: func(r Refused) {
			if refused++; r.Why == "" || r.Row < 1 {
				t.Errorf("%+v", r)
			}
		},
		Noted: func(n Note) {
			if noted++; n.Text == "" || n.Row < 1 {
				t.Errorf("%+v", n)
			}
		},
	}, checked{t: t})
	if refused != rep.Refused || noted != rep.Noted {
		t.Errorf("%d refused and %d noted; the report says %+v", refused, noted, rep)
	}
	if err == nil && (rep.Format == "csv" || rep.Format == "oneroster" || rep.Format == "sds") && rep.New+rep.Refused+rep.Skipped != rep.Rows {
		t.Errorf("%+v: a row is missing", rep)
	}
}

func FuzzItems(f *testing.F) {
	fuzz(f, ImportItems, head+"31,T,,,\n", "\xff\xfeb\x00", "barcode;title\n\"3;", "barcode\ttitle\n1\t\"2\n3\"\n\"4", "sep=|\nbarcode|title\r\n1|2", "barcode,title,subject\n1,2,a; b.;A|;; c\n", quotes(20))
}

func FuzzPatrons(f *testing.F) {
	fuzz(f, ImportPatrons, "barcode,expires\n21,2026-01-01\n", "card;dob;active;barred\n1;20150228;no;2020-01-01\n")
}

func FuzzLoans(f *testing.F) {
	fuzz(f, ImportLoans, "patron_barcode,item_barcode,out_at,due_at,in_at\n1,2,2020-05-14 08:39:13.070326-04,2020-05-23,\n")
}

func FuzzMARCXML(f *testing.F) {
	fuzz(f, ImportItems, "<record><datafield tag='852'><subfield code='p'>3</subfield></datafield></record>",
		`<?xml version="1.0" encoding="latin1"?><a:collection xmlns:a="http://www.loc.gov/MARC21/slim"><a:record><a:leader/></a:record></a:collection>`,
		`<record><datafield tag="650"><subfield code="a">A; B.</subfield><subfield code="x"> : </subfield></datafield><datafield tag="653"><subfield code="a">a, b</subfield></datafield><datafield tag="852"><subfield code="p">3</subfield></datafield></record>`,
		`<!DOCTYPE x [<!ENTITY a "b">]><OAI xmlns="o"><record><record xmlns="http://www.loc.gov/MARC21/slim">&a;</record></record></OAI>`)
}

// FuzzISO2709: what is read and written again is read the same.
func FuzzISO2709(f *testing.F) {
	f.Add(write2709([]field{{tag: "001", text: "7"}, {tag: "245", ind1: '1', subs: []subfield{{'a', "Dune :"}, {'b', "Roman /"}}}, {tag: "852", ind1: '1', subs: []subfield{{'p', "31"}}}}))
	f.Add(within(300, 900))
	f.Add(bytes.Replace(write2709([]field{{tag: "245", ind1: '1', subs: []subfield{{'a', "caf\xe2e \x1b(Nw"}}}}), []byte("nam a"), []byte("nam  "), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := newISO2709(bufio.NewReader(bytes.NewReader(raw)))
		for {
			rec, err := r.next()
			if errors.Is(err, io.EOF) || errors.Is(err, errBroken) {
				return
			}
			if err != nil || !plainRecord(rec) {
				continue
			}
			again, err := parse2709(write2709(rec.fields))
			if err != nil || !reflect.DeepEqual(again.fields, rec.fields) {
				t.Fatalf("%+v is written and read as %+v, %v", rec.fields, again.fields, err)
			}
		}
	})
}

// plainRecord tells what a directory can hold and what has one spelling.
func plainRecord(rec record) bool {
	length := 0
	for _, f := range rec.fields {
		length += entryLen + len(f.text)
		n := len(f.text)
		for _, s := range f.subs {
			n += 2 + len(s.text)
			if s.code >= 0x80 || strings.ContainsAny(s.text, "\x1d\x1e\x1f") {
				return false
			}
		}
		length += n
		if n > 9000 || f.ind1 == 0 && f.tag >= "010" || f.ind1 >= 0x80 || f.ind1 == subMark || strings.ContainsAny(f.tag+f.text, "\x1d\x1e\x1f") {
			return false
		}
	}
	return length < 90_000
}

// write2709 makes a record in UTF-8.
func write2709(fields []field) []byte {
	var dir, data bytes.Buffer
	for _, f := range fields {
		start := data.Len()
		data.WriteString(f.text)
		if f.tag >= "010" {
			data.WriteByte(f.ind1)
		}
		for _, s := range f.subs {
			data.Write([]byte{subMark, s.code})
			data.WriteString(s.text)
		}
		data.WriteByte(endField)
		fmt.Fprintf(&dir, "%s%04d%05d", f.tag, data.Len()-start, start)
	}
	dir.WriteByte(endField)
	data.WriteByte(endRecord)
	base := leaderLen + dir.Len()
	return append(fmt.Appendf(nil, "%05dnam a22%05d a 4500%s", base+data.Len(), base, dir.Bytes()), data.Bytes()...)
}
