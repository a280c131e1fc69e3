package catalog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
	textunicode "golang.org/x/text/encoding/unicode"
)

// utf16ByBOM gives the decoder that a byte order mark asks for, nil for none.
func utf16ByBOM(head []byte) *encoding.Decoder {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return textunicode.UTF16(textunicode.LittleEndian, textunicode.UseBOM).NewDecoder()
	}
	return nil
}

// columns lead from the names that files use to ours. The first of a list is
// ours; the others are what exports of other systems say, the surest first.
// Of each list in need one must be there: without it, it is another file.
type columns struct {
	names [][]string
	need  [][]string
}

var (
	itemColumns = columns{need: [][]string{{"barcode"}, {"title"}}, names: [][]string{
		{"barcode", "item barcode", "copy barcode", "itembarcode", "barcode number", "copy id"},
		{"title", "biblio title", "title proper", "book title"}, {"author", "creator", "main author"}, {"isbn", "isbn13", "isbn 13", "isbn10", "isbn 10"},
		{"subjects", "subject", "subject headings", "subject heading", "topic", "topics", "keywords"},
		{"call_number", "callnumber", "itemcallnumber", "item call number", "shelfmark", "call no"},
		{"call_number_scheme", "scheme", "cn_source", "classification scheme"},
		{"location", "shelving location", "copy location", "shelf", "sublocation", "ccode"},
		{"library", "homebranch", "home branch", "home library", "owning library", "branch", "site"},
		{"item_type", "itype", "itemtype", "circulation type", "circ type", "material type", "type"},
		{"circulates", "circulate", "loanable"}, {"reference", "ref"}, {"not_for_loan", "notforloan"},
		{"year", "publication year", "publicationyear", "pub year", "year of publication", "copyrightdate", "copyright date", "date of publication", "publication date", "pubdate"},
		{"status", "item status", "copy status", "circulation status"},
	}}
	patronColumns = columns{need: [][]string{{"barcode"}, {"family_name", "first_name"}}, names: [][]string{
		{"barcode", "patron barcode", "card", "cardnumber", "card number", "library card", "borrower barcode", "identifier"},
		{"family_name", "surname", "last name", "lastname", "familyname"},
		{"first_name", "firstname", "given name", "givenname"},
		{"category", "categorycode", "patron category", "patron type", "profile", "grade"}, {"library", "branchcode", "home library", "branch", "site"},
		{"birth_date", "dateofbirth", "date of birth", "birthdate", "dob"},
		{"expires", "dateexpiry", "expiry", "expiry date", "expire date", "expiration date", "card expires"},
		{"active", "enabled", "enableduser"}, {"barred", "debarred", "blocked"}, {"language", "lang"},
	}}
	loanColumns = columns{need: [][]string{{"patron_barcode"}, {"item_barcode"}, {"due_at"}}, names: [][]string{
		{"patron_barcode", "cardnumber", "card number", "card", "borrower barcode", "patron"}, {"item_barcode", "copy barcode", "itembarcode", "barcode", "item"},
		{"out_at", "issuedate", "checked out", "checkout date", "checkout time", "loan date", "at"}, {"due_at", "date_due", "due date", "due"},
		{"in_at", "returndate", "return date", "returned", "checkin date", "checkin time"},
	}}
)

// Column is a column of a CSV file.
type Column struct {
	Name   string   // ours
	Others []string // what exports of other systems say
	Needed bool     // a file must have it, or another that is needed in its place
}

// Columns lists the columns that are known of a list: "items", "patrons" or
// "loans".
func Columns(list string) []Column {
	c := map[string]columns{"items": itemColumns, "patrons": patronColumns, "loans": loanColumns}[list]
	var all []Column
	for _, names := range c.names {
		needed := slices.ContainsFunc(c.need, func(n []string) bool { return slices.Contains(n, names[0]) })
		all = append(all, Column{Name: names[0], Others: names[1:], Needed: needed})
	}
	return all
}

// index finds our columns in a header; own adds names, which go before ours.
func (c columns) index(header []string, own map[string]string) (map[string]int, error) {
	place := map[string]int{}
	for i := len(header) - 1; i >= 0; i-- { // the first of two counts
		place[plainName(header[i])] = i
	}
	at := map[string]int{}
	for _, list := range c.names {
		for i := len(list) - 1; i >= 0; i-- {
			if p, ok := place[plainName(list[i])]; ok {
				at[list[0]] = p
			}
		}
	}
	for theirs, ours := range own {
		if p, ok := place[plainName(theirs)]; ok {
			at[ours] = p
		}
	}
	for _, n := range c.need {
		if !slices.ContainsFunc(n, func(name string) bool { _, ok := at[name]; return ok }) {
			return nil, fmt.Errorf("the first row has no column %s: is it another list? It has %.300q", strings.Join(n, " or "), header)
		}
	}
	return at, nil
}

// plainName makes "Item Barcode", "item_barcode" and "item-barcode" one.
func plainName(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), " ")
}

// csv reads rows.
func (im *importer[T]) csv(ctx context.Context, in *bufio.Reader, cols columns, value func(*csvRow) (T, error)) error {
	rows := newRows(in)
	header, err := rows.next()
	if err == nil && header.why != "" {
		err = errors.New(header.why)
	}
	if err != nil {
		return fmt.Errorf("catalog: the first row: %w", err)
	}
	at, err := cols.index(header.cells, im.Columns)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	c := csvRow{at: at, loc: im.Location, now: now()}
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return im.flush(ctx, true)
		}
		if err != nil {
			return im.stop(ctx, fmt.Errorf("catalog: after %d rows: %w", im.report.Rows, err))
		}
		im.report.Rows++
		c.cells, c.notes = row.cells, row.notes
		if row.why != "" {
			im.refuse(c.get(cols.need[0][0]), row.why)
		} else {
			v, err := value(&c)
			im.take(v, err, c.notes)
		}
		if err := im.flush(ctx, false); err != nil {
			return err
		}
	}
}
