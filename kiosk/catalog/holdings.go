package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Holdings says where MARC records have their copies: a field for each copy,
// and the codes of its subfields. Several codes, as "hi", are joined by a
// space; an empty one means that there is none.
type Holdings struct {
	Tag        string
	Barcode    string
	Library    string
	Location   string
	CallNumber string
	Type       string
}

var (
	// holdings852 is the MARC 21 Format for Holdings Data.
	holdings852 = Holdings{Tag: "852", Barcode: "p", Library: "b", Location: "c", CallNumber: "khim"}
	// holdings952 is Koha's: http://wiki.koha-community.org/wiki/Holdings_data_fields_(9xx)
	holdings952 = Holdings{Tag: "952", Barcode: "p", Library: "b", Location: "c", CallNumber: "o", Type: "y"}
	// holdings949 is a custom of several systems.
	holdings949 = Holdings{Tag: "949", Barcode: "bi", Library: "m", Location: "l", CallNumber: "a", Type: "t"}
)

// copies are the record's items. What a record tells of their status is what
// its last export knew; only Koha's has any.
func (r *record) copies(own []Holdings) (list []kiosk.Item) {
	if len(own) > 0 {
		for _, h := range own {
			list = append(list, r.items(h)...)
		}
	} else {
		list = append(r.standard(), r.koha()...)
		if len(list) == 0 {
			list = r.items(holdings949)
		}
	}
	if len(list) == 0 {
		return nil
	}
	title, author, isbn, about := r.title(), r.author(), r.isbn(), r.subjects()
	number, scheme := r.callNumber()
	year := r.year()
	for i := range list {
		it := &list[i]
		it.Title, it.Author, it.ISBN, it.Subjects, it.Year = title, author, isbn, about, year
		if it.CallNumber == "" {
			it.CallNumber, it.Scheme = number, scheme
		}
	}
	return list
}

// items are the copies of one tag, those that have a barcode.
func (r *record) items(h Holdings) (list []kiosk.Item) {
	for _, f := range r.all(h.Tag) {
		if it := h.item(f); it.Barcode != "" {
			list = append(list, it)
		}
	}
	return list
}

// item is the copy in a field. Of a barcode that is repeated the first counts.
func (h Holdings) item(f field) kiosk.Item {
	it := kiosk.Item{
		Library: clean(f.get(h.Library), maxText), Location: clean(f.get(h.Location), maxText),
		CallNumber: clean(f.get(h.CallNumber), maxText), Type: clean(f.get(h.Type), maxText), Status: kiosk.StatusAvailable,
	}
	for i := 0; i < len(h.Barcode) && it.Barcode == ""; i++ {
		it.Barcode = kiosk.Barcode(f.one(h.Barcode[i]))
	}
	if h.Tag == "852" {
		it.Scheme = schemes852[f.ind1]
	}
	return it
}

// schemes852 are the values of the first indicator of 852.
var schemes852 = map[byte]string{'0': "lcc", '1': "ddc", '2': "nlm", '3': "udc", '8': "local"}

// scheme is the name of a classification in our words: Koha's cn_source, and
// what other exports say.
func scheme(s string) string {
	switch plainName(s) {
	case "":
		return ""
	case "ddc", "dewey", "dewey decimal":
		return "ddc"
	case "lcc", "lc", "library of congress":
		return "lcc"
	case "udc":
		return "udc"
	case "nlm":
		return "nlm"
	}
	return "local"
}

// standard are the copies in 852. Of one without a barcode the barcodes are in
// 876 to 878, which name their 852 by the number in $8 (before a full stop);
// without a number they belong to the first such 852.
func (r *record) standard() (list []kiosk.Item) {
	pieces := newPieces(r.all("876", "877", "878"))
	for _, f := range r.all("852") {
		it := holdings852.item(f)
		if it.Barcode != "" {
			list = append(list, it)
			continue
		}
		for _, it.Barcode = range pieces.take(link(f)) {
			list = append(list, it)
		}
	}
	return list
}

// pieces are barcodes that wait for their 852, in order, by its number. A
// record may have a hundred thousand.
type pieces map[string][]piece

type piece struct {
	place   int
	barcode kiosk.Barcode
}

func newPieces(fields []field) pieces {
	p := pieces{}
	for i, f := range fields {
		if b := f.one('p'); b != "" {
			p[link(f)] = append(p[link(f)], piece{i, kiosk.Barcode(b)})
		}
	}
	return p
}

// take gives the pieces of a number and those without one; of no number, all.
func (p pieces) take(number string) (barcodes []kiosk.Barcode) {
	numbers := []string{number, ""}
	if number == "" {
		numbers = slices.Collect(maps.Keys(p))
	}
	var list []piece
	for _, n := range numbers {
		list = append(list, p[n]...)
		delete(p, n)
	}
	slices.SortFunc(list, func(a, b piece) int { return a.place - b.place })
	for _, x := range list {
		barcodes = append(barcodes, x.barcode)
	}
	return barcodes
}

// link is the number of a field, as 1 of "1" and "1.1" (MARC 21, $8).
func link(f field) string {
	number, _, _ := strings.Cut(f.one('8'), ".")
	return number
}

// koha are the copies in 952: $0 withdrawn, $1 lost, $7 not for loan, $q the
// date a copy on loan is due, $2 the class scheme. 0 means no.
func (r *record) koha() (list []kiosk.Item) {
	for _, f := range r.all("952") {
		it := holdings952.item(f)
		if it.Barcode == "" {
			continue
		}
		yes := func(code byte) bool { s := f.one(code); return s != "" && s != "0" }
		it.Scheme, it.NoLoan = scheme(f.one('2')), yes('7')
		switch {
		case yes('0'):
			it.Status = kiosk.StatusWithdrawn
		case yes('1'):
			it.Status = kiosk.StatusLost
		case yes('q'):
			it.Status = kiosk.StatusOnLoan
		}
		list = append(list, it)
	}
	return list
}
