// Package demo is what kioskd -demo and kiosksim show: a sample school library
// of real books and invented people.
package demo

import (
	"embed"
	"encoding/csv"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

//go:embed *.csv
var files embed.FS

// The sample library, a school's from kindergarten to grade 12. Its labels
// are those most libraries in North America use: 14 digits, 2 for a patron or
// 3 for an item, four for the library, eight that count, and a check digit
// (mod 10). The lists lie beside this file and say where they are from.
const (
	Name        = "Maple Street School Library"
	Institution = "MAPLE" // in kiosk.Item and kiosk.Patron

	LoanDays = 14
	MaxLoans = 12   // one patron has as many
	MaxOwed  = 1000 // hundredths of the currency; one patron owes more
)

// Library is all that the sample library knows on one day.
type Library struct {
	Items   []kiosk.Item
	Patrons []kiosk.Patron
	Loans   []kiosk.Loan
	Holds   []Hold

	PINs  map[kiosk.Card]string // of those who have one: grade 6 and above, and staff
	Parts map[kiosk.Barcode]int // pieces with a tag of their own, where there are several
	Owed  map[kiosk.Card]int64  // hundredths of the currency
	Notes map[string]string     // by card or barcode: what a demonstration can show with it
}

// Hold is a patron who waits for an item.
type Hold struct {
	Item   kiosk.Barcode
	Patron kiosk.Card
}

// Load is the library as it stands at now: loans, ages and the end of cards
// are counted from there, so that the sample never ages.
func Load(now time.Time) (Library, error) {
	return load(files, now)
}

func load(lists fs.FS, now time.Time) (Library, error) {
	r := reader{lists: lists, now: now, lib: Library{
		PINs: map[kiosk.Card]string{}, Owed: map[kiosk.Card]int64{}, Notes: map[string]string{},
		Parts: map[kiosk.Barcode]int{},
	}}
	r.each("books.csv", r.book)
	r.each("equipment.csv", r.equipment)
	r.each("people.csv", r.patron)
	r.each("loans.csv", r.loan)
	r.each("holds.csv", r.hold)
	if r.err != nil {
		return Library{}, r.err
	}
	r.lib.place()
	return r.lib, nil
}

// place puts every copy where its loan or hold says it is.
func (l *Library) place() {
	where := map[kiosk.Barcode]kiosk.ItemStatus{}
	for _, h := range l.Holds {
		where[h.Item] = kiosk.StatusOnHold
	}
	for _, o := range l.Loans {
		where[o.Item] = kiosk.StatusOnLoan
	}
	for i := range l.Items {
		if s, ok := where[l.Items[i].Barcode]; ok {
			l.Items[i].Status = s
		}
	}
}

// reader fills lib from the lists; the first thing wrong stays in err.
type reader struct {
	lists fs.FS
	now   time.Time
	lib   Library
	err   error
}

// row is one line of a list, by the names in its first line.
type row map[string]string

// each calls take for every line of a list until something is wrong.
func (r *reader) each(name string, take func(row) error) {
	if r.err != nil {
		return
	}
	f, err := r.lists.Open(name)
	if err != nil {
		r.err = fmt.Errorf("demo: %w", err)
		return
	}
	defer f.Close()
	c := csv.NewReader(f)
	c.Comment = '#'
	lines, err := c.ReadAll()
	if err != nil || len(lines) == 0 {
		r.err = fmt.Errorf("demo: %s: empty or unreadable: %v", name, err)
		return
	}
	for _, line := range lines[1:] {
		w := row{}
		for i, key := range lines[0] {
			w[key] = line[i]
		}
		if err := take(w); err != nil {
			r.err = fmt.Errorf("demo: %s: %q: %w", name, line[0], err)
			return
		}
	}
}

func (r *reader) book(w row) error {
	r.note(w["barcode"], w["note"])
	r.lib.Items = append(r.lib.Items, kiosk.Item{
		Barcode: kiosk.Barcode(w["barcode"]), Title: w["title"], Author: w["author"], ISBN: w["isbn"],
		CallNumber: w["call_number"], Scheme: w["scheme"], Subjects: w["subjects"], Location: w["location"], Library: Institution,
		Type: w["type"], Status: kiosk.ItemStatus(w["status"]), Reference: w["reference"] == "yes",
	})
	return nil
}

func (r *reader) equipment(w row) error {
	if w["parts"] != "" {
		n, err := strconv.Atoi(w["parts"])
		if err != nil {
			return err
		}
		r.lib.Parts[kiosk.Barcode(w["barcode"])] = n
	}
	r.lib.Items = append(r.lib.Items, kiosk.Item{
		Barcode: kiosk.Barcode(w["barcode"]), Title: w["title"], CallNumber: w["call_number"], Scheme: "local",
		Location: "Equipment", Library: Institution, Type: "equipment", Status: kiosk.StatusAvailable,
	})
	return nil
}

func (r *reader) patron(w row) (err error) {
	p := kiosk.Patron{
		Card: kiosk.Card(w["card"]), FamilyName: w["family_name"], FirstName: w["first_name"],
		Category: w["category"], Library: Institution, Language: w["language"],
		Blocked: kiosk.Reason(w["blocked"]), BlockText: w["block_text"],
	}
	if w["grade"] != "" {
		if p.Born, err = born(w["grade"], w["birthday"], r.now); err != nil {
			return err
		}
	}
	if w["expires"] != "" {
		if p.Expires, err = r.day(w["expires"]); err != nil {
			return err
		}
	}
	if w["pin"] != "" {
		r.lib.PINs[p.Card] = w["pin"]
	}
	if w["owes"] != "" {
		if r.lib.Owed[p.Card], err = strconv.ParseInt(w["owes"], 10, 32); err != nil {
			return err
		}
	}
	r.note(w["card"], w["note"])
	r.lib.Patrons = append(r.lib.Patrons, p)
	return nil
}

func (r *reader) loan(w row) error {
	out, err := r.day("-" + w["lent"])
	if err != nil {
		return err
	}
	due, err := r.day(w["due"])
	if err != nil {
		return err
	}
	r.lib.Loans = append(r.lib.Loans, kiosk.Loan{
		Item: kiosk.Barcode(w["item"]), Patron: kiosk.Card(w["patron"]),
		At: out.Add(10 * time.Hour), Due: due.AddDate(0, 0, 1).Add(-time.Second),
	})
	return nil
}

func (r *reader) hold(w row) error {
	r.lib.Holds = append(r.lib.Holds, Hold{kiosk.Barcode(w["item"]), kiosk.Card(w["patron"])})
	return nil
}

func (r *reader) note(number, text string) {
	if text != "" {
		r.lib.Notes[number] = text
	}
}

// day is the beginning of the day that is so many days from now.
func (r *reader) day(days string) (time.Time, error) {
	n, err := strconv.ParseInt(days, 10, 16)
	if err != nil {
		return time.Time{}, err
	}
	y, m, d := r.now.Date()
	return time.Date(y, m, d+int(n), 0, 0, 0, 0, r.now.Location()), nil
}

// born is when a child of this grade was born whose birthday is month-day: a
// school year begins in September, with 5 year old children in grade 0.
func born(grade, birthday string, now time.Time) (time.Time, error) {
	g, err := strconv.ParseInt(grade, 10, 8)
	if err != nil {
		return time.Time{}, err
	}
	b, err := time.Parse("01-02", birthday)
	if err != nil {
		return time.Time{}, err
	}
	year := now.Year() - 5 - int(g)
	if now.Month() < time.September {
		year--
	}
	if b.Month() >= time.September {
		year--
	}
	return time.Date(year, b.Month(), b.Day(), 0, 0, 0, 0, now.Location()), nil
}
