package catalog

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	textunicode "golang.org/x/text/encoding/unicode"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// byBOM gives the decoder that a byte order mark asks for, nil for none.
func byBOM(head []byte) *encoding.Decoder {
	switch {
	case strings.HasPrefix(string(head), "\xff\xfe"), strings.HasPrefix(string(head), "\xfe\xff"):
		return textunicode.UTF16(textunicode.LittleEndian, textunicode.UseBOM).NewDecoder()
	case strings.HasPrefix(string(head), "\xef\xbb\xbf"):
		return textunicode.UTF8BOM.NewDecoder()
	}
	return nil
}

// columns lead from the names that files use to ours. The first of a list is
// ours; the others are what exports of other systems say. need are those
// without which a file makes no sense.
type columns struct {
	names [][]string
	need  []string
}

var (
	itemColumns = columns{need: []string{"barcode"}, names: [][]string{
		{"barcode", "item barcode", "item_barcode", "copy barcode", "itembarcode"}, {"title", "biblio title"}, {"author", "creator"},
		{"isbn", "isbn13"}, {"call_number", "call number", "callnumber", "itemcallnumber", "shelfmark"},
		{"call_number_scheme", "scheme", "cn_source"}, {"location", "shelving location", "shelf"},
		{"library", "homebranch", "home library", "branch", "site"}, {"item_type", "itype", "item type", "type", "circulation type"},
		{"circulates", "loanable"}, {"reference", "ref"}, {"not_for_loan", "notforloan"}, {"status", "item status"},
	}}
	patronColumns = columns{need: []string{"barcode"}, names: [][]string{
		{"barcode", "card", "cardnumber", "card number", "patron_barcode", "patron barcode", "identifier"},
		{"family_name", "surname", "last name", "last_name", "lastname", "familyname"},
		{"first_name", "firstname", "first name", "given name", "givenname"},
		{"category", "categorycode", "patron category", "grade", "patron type"}, {"library", "branchcode", "home library", "site"},
		{"birth_date", "dateofbirth", "date of birth", "dob"}, {"expires", "dateexpiry", "expiry", "expiration date"},
		{"active", "enabled"}, {"barred", "debarred", "blocked"}, {"language", "lang"},
	}}
	loanColumns = columns{need: []string{"patron_barcode", "item_barcode"}, names: [][]string{
		{"patron_barcode", "card", "cardnumber", "patron", "patron barcode"}, {"item_barcode", "barcode", "item", "item barcode"},
		{"out_at", "issuedate", "checked out", "checkout date", "at"}, {"due_at", "date_due", "due", "due date"},
		{"in_at", "returndate", "returned", "checkin date"},
	}}
)

// index finds our columns in a header; own adds names.
func (c columns) index(header []string, own map[string]string) (map[string]int, error) {
	ours := map[string]string{}
	for _, list := range c.names {
		for _, n := range list {
			ours[n] = list[0]
		}
	}
	for theirs, name := range own {
		ours[strings.ToLower(theirs)] = name
	}
	at := map[string]int{}
	for i, h := range header {
		name, ok := ours[strings.ToLower(strings.TrimSpace(strings.Trim(h, "\ufeff\"")))]
		if _, taken := at[name]; ok && !taken {
			at[name] = i
		}
	}
	for _, n := range c.need {
		if _, ok := at[n]; !ok {
			return nil, fmt.Errorf("catalog: the first row has no column %q; it has %.300q", n, header)
		}
	}
	return at, nil
}

// delimiter is the one of , ; and TAB that the header has most.
func delimiter(in *bufio.Reader) rune {
	head, _ := in.Peek(4096)
	line, _, _ := strings.Cut(string(head), "\n")
	best, n := ',', 0
	for _, d := range []rune{',', ';', '\t'} {
		if c := strings.Count(line, string(d)); c > n {
			best, n = d, c
		}
	}
	return best
}

// csv reads rows.
func (im *importer[T]) csv(ctx context.Context, in *bufio.Reader, cols columns, make func(csvRow) (T, error)) error {
	sep := delimiter(in)
	r := csv.NewReader(&bounded{r: in})
	r.Comma, r.FieldsPerRecord, r.ReuseRecord, r.LazyQuotes = sep, -1, true, true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("catalog: the first row: %w", err)
	}
	at, err := cols.index(header, im.Columns)
	if err != nil {
		return err
	}
	width := len(header)
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return im.flush(ctx, true)
		}
		if _, bad := errors.AsType[*csv.ParseError](err); err != nil && !bad {
			return errors.Join(im.flush(ctx, true), fmt.Errorf("catalog: after %d rows: %w", im.report.Rows, err))
		}
		im.report.Rows++
		switch {
		case err != nil:
			im.refuse(im.report.Rows, "", err.Error())
		case len(cells) > width && len(cells) != 1:
			im.refuse(im.report.Rows, cells[0], fmt.Sprintf("has %d cells where the first row has %d: a separator inside a text without quotes?", len(cells), width))
		default:
			v, err := make(csvRow{cells: cells, at: at, loc: im.Location})
			im.take(im.report.Rows, v, err)
		}
		if err := im.flush(ctx, false); err != nil {
			return err
		}
	}
}

// bounded refuses a file without line ends: a quote that is never closed
// would otherwise take the rest of the file into memory.
type bounded struct {
	r    io.Reader
	line int
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	for _, c := range p[:n] {
		if b.line++; c == '\n' || c == '\r' {
			b.line = 0
		}
	}
	if b.line > maxRow {
		return 0, fmt.Errorf("a line of more than %d bytes", maxRow)
	}
	return n, err
}

// csvRow is one row with the places of its columns.
type csvRow struct {
	cells []string
	at    map[string]int
	loc   *time.Location
}

// get is a cell, "" where the row or the file lacks it.
func (r csvRow) get(name string) string {
	i, ok := r.at[name]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

func (r csvRow) text(name string) string { return clean(r.get(name), maxText) }

// yes reads a flag; def holds where the file says nothing.
func (r csvRow) yes(name string, def bool) bool {
	switch strings.ToLower(r.get(name)) {
	case "1", "y", "yes", "true", "t", "x":
		return true
	case "0", "n", "no", "false", "f":
		return false
	}
	return def
}

// statuses are the words of exports for the states of a copy.
var statuses = map[string]kiosk.ItemStatus{
	"": kiosk.StatusAvailable, "available": kiosk.StatusAvailable, "reshelving": kiosk.StatusAvailable, "0": kiosk.StatusAvailable,
	"checked out": kiosk.StatusOnLoan, "on loan": kiosk.StatusOnLoan, "out": kiosk.StatusOnLoan,
	"on holds shelf": kiosk.StatusOnHold, "on hold shelf": kiosk.StatusOnHold, "hold": kiosk.StatusOnHold,
	"in transit": kiosk.StatusInTransit, "lost": kiosk.StatusLost, "missing": kiosk.StatusMissing,
	"withdrawn": kiosk.StatusWithdrawn, "discard/weed": kiosk.StatusWithdrawn, "discard": kiosk.StatusWithdrawn, "weeded": kiosk.StatusWithdrawn,
}

func (r csvRow) item() (kiosk.Item, error) {
	i := kiosk.Item{
		Barcode: kiosk.Barcode(r.get("barcode")), Title: clean(r.get("title"), maxTitle), Author: r.text("author"),
		ISBN: ISBN(r.get("isbn")), CallNumber: r.text("call_number"), Scheme: strings.ToLower(r.text("call_number_scheme")),
		Location: r.text("location"), Library: r.text("library"), Type: r.text("item_type"),
		Reference: r.yes("reference", false), NoLoan: !r.yes("circulates", true) || r.yes("not_for_loan", false),
	}
	var ok bool
	if i.Status, ok = statuses[strings.ReplaceAll(strings.ToLower(r.get("status")), "_", " ")]; !ok {
		i.Status = kiosk.StatusOther
	}
	return i, valid(string(i.Barcode), "barcode")
}

func (r csvRow) patron() (kiosk.Patron, error) {
	p := kiosk.Patron{
		Card: kiosk.Card(r.get("barcode")), FamilyName: r.text("family_name"), FirstName: r.text("first_name"),
		Category: r.text("category"), Library: r.text("library"), Language: r.text("language"),
	}
	if !r.yes("active", true) || r.yes("barred", false) {
		p.Blocked, p.BlockText = kiosk.ReasonCardBlocked, "inactive or barred in the list of patrons"
	}
	var e1, e2 error
	p.Born, _, e1 = r.time("birth_date")
	expires, dateOnly, e2 := r.time("expires")
	if !expires.IsZero() && dateOnly { // good to the end of that day
		expires = expires.AddDate(0, 0, 1)
	}
	p.Expires = expires
	return p, errors.Join(valid(string(p.Card), "card"), e1, e2)
}

func (r csvRow) loan() (kiosk.Loan, error) {
	l := kiosk.Loan{Item: kiosk.Barcode(r.get("item_barcode")), Patron: kiosk.Card(r.get("patron_barcode"))}
	var e1, e2 error
	l.At, _, e1 = r.time("out_at")
	var dateOnly bool
	if l.Due, dateOnly, e2 = r.time("due_at"); dateOnly { // due on that day
		l.Due = l.Due.AddDate(0, 0, 1).Add(-time.Second)
	}
	if err := errors.Join(valid(string(l.Item), "item"), valid(string(l.Patron), "card"), e1, e2); err != nil {
		return l, err
	}
	if r.get("in_at") != "" {
		return l, errSkip
	}
	return l, nil
}

// forms of times, with and without zone; databases write "-04".
var forms = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999-0700",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "20060102 150405",
}

var dateForms = []string{time.DateOnly, "20060102", "2006/01/02"}

// time reads a time or a date; zero for an empty cell.
func (r csvRow) time(name string) (t time.Time, dateOnly bool, err error) {
	s := r.get(name)
	if s == "" {
		return t, false, nil
	}
	loc := r.loc
	if loc == nil {
		loc = time.Local
	}
	for _, f := range dateForms {
		if t, err := time.ParseInLocation(f, s, loc); err == nil {
			return t, true, nil
		}
	}
	for _, f := range forms {
		if t, err := time.ParseInLocation(f, s, loc); err == nil {
			return t, false, nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%s: %.40q is no date (as 2026-11-23 or 2026-11-23 14:30:00-05)", name, s)
}
