package catalog

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// csvRow is one row with the places of its columns.
type csvRow struct {
	cells []string
	notes []string // remarks about the row
	at    map[string]int
	loc   *time.Location
	now   time.Time
}

var now = time.Now

// get is a cell, "" where the row or the file lacks it.
func (r *csvRow) get(name string) string {
	i, ok := r.at[name]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

func (r *csvRow) text(name string) string { return clean(r.get(name), maxText) }

// flag reads yes or no: empty where the file says nothing, and other where it
// says something else.
func (r *csvRow) flag(name string, empty, other bool) bool {
	switch strings.ToLower(r.get(name)) {
	case "":
		return empty
	case "1", "y", "yes", "true", "t", "x", "active", "enabled":
		return true
	case "0", "n", "no", "false", "f", "inactive", "disabled":
		return false
	}
	return other
}

// statuses are the words of exports for the states of a copy; anything else
// is StatusOther.
var statuses = map[string]kiosk.ItemStatus{
	"": kiosk.StatusAvailable, "available": kiosk.StatusAvailable, "reshelving": kiosk.StatusAvailable, "in": kiosk.StatusAvailable, "0": kiosk.StatusAvailable,
	"checked out": kiosk.StatusOnLoan, "on loan": kiosk.StatusOnLoan, "loaned": kiosk.StatusOnLoan, "out": kiosk.StatusOnLoan, "overdue": kiosk.StatusOnLoan,
	"on holds shelf": kiosk.StatusOnHold, "on hold shelf": kiosk.StatusOnHold, "on hold": kiosk.StatusOnHold, "hold": kiosk.StatusOnHold,
	"in transit": kiosk.StatusInTransit, "lost": kiosk.StatusLost, "lost and paid": kiosk.StatusLost, "long overdue": kiosk.StatusLost, "missing": kiosk.StatusMissing,
	"withdrawn": kiosk.StatusWithdrawn, "discard weed": kiosk.StatusWithdrawn, "discard": kiosk.StatusWithdrawn, "weeded": kiosk.StatusWithdrawn, "deleted": kiosk.StatusWithdrawn,
}

func statusOf(word string) kiosk.ItemStatus {
	if s, ok := statuses[word]; ok {
		return s
	}
	if s, ok := statuses[plainName(word)]; ok {
		return s
	}
	return kiosk.StatusOther
}

func (r *csvRow) item() (kiosk.Item, error) {
	i := kiosk.Item{
		Barcode: kiosk.Barcode(r.get("barcode")), Title: clean(r.get("title"), maxTitle), Author: r.text("author"),
		ISBN: r.isbn(), Subjects: subjects(strings.FieldsFunc(r.get("subjects"), func(c rune) bool { return c == ';' || c == '|' })),
		CallNumber: r.text("call_number"), Scheme: scheme(r.get("call_number_scheme")),
		Location: r.text("location"), Library: r.text("library"), Type: r.text("item_type"),
		Reference: r.flag("reference", false, false), Year: r.year(),
		NoLoan: !r.flag("circulates", true, true) || r.flag("not_for_loan", false, true), // there numbers are reasons
	}
	i.Status = statusOf(r.get("status"))
	return i, valid(string(i.Barcode), "barcode")
}

func (r *csvRow) isbn() string {
	s := r.get("isbn")
	isbn := ISBN(s)
	if s != "" && isbn == "" {
		r.notes = append(r.notes, noISBN(s))
	}
	return isbn
}

// year is that of publication; a cell that has none is noted.
func (r *csvRow) year() int {
	s := r.get("year")
	y := kiosk.YearIn(s)
	if s != "" && y == 0 {
		r.notes = append(r.notes, fmt.Sprintf("%.40q has no year of publication and was left out", s))
	}
	return y
}

func noISBN(s string) string { return fmt.Sprintf("%.40q is no ISBN and was left out", s) }

// all is all that is wrong, in one line.
func all(errs ...error) error {
	var why []string
	for _, err := range errs {
		if err != nil {
			why = append(why, err.Error())
		}
	}
	if why == nil {
		return nil
	}
	return errors.New(strings.Join(why, "; "))
}

// patron reads a patron. A date at which the card expires is the last day it
// is good; a time is the first moment it is not.
func (r *csvRow) patron() (kiosk.Patron, error) {
	p := kiosk.Patron{
		Card: kiosk.Card(r.get("barcode")), FamilyName: r.text("family_name"), FirstName: r.text("first_name"),
		Category: r.text("category"), Library: r.text("library"), Language: r.text("language"),
	}
	switch {
	case !r.flag("active", true, true):
		p.Blocked, p.BlockText = kiosk.ReasonCardBlocked, "inactive in the list of patrons"
	case r.barred():
		p.Blocked, p.BlockText = kiosk.ReasonCardBlocked, "barred in the list of patrons"
	}
	var e1, e2 error
	p.Born, _, e1 = r.time("birth_date")
	expires, dateOnly, e2 := r.time("expires")
	if dateOnly {
		expires = expires.AddDate(0, 0, 1)
	}
	p.Expires = expires
	return p, all(valid(string(p.Card), "card"), e1, e2)
}

// barred reads a flag, or the last day of a bar; any other word is one.
func (r *csvRow) barred() bool {
	if until, dateOnly, err := r.time("barred"); err == nil && dateOnly {
		return r.now.Before(until.AddDate(0, 0, 1))
	}
	return r.flag("barred", false, true)
}

// loan reads a loan. A date at which it is due is due at the day's last
// second. What has come back is right and not for the mirror.
func (r *csvRow) loan() (kiosk.Loan, error) {
	l := kiosk.Loan{Item: kiosk.Barcode(r.get("item_barcode")), Patron: kiosk.Card(r.get("patron_barcode"))}
	var e1, e2 error
	var dateOnly bool
	l.At, _, e1 = r.time("out_at")
	if l.Due, dateOnly, e2 = r.time("due_at"); dateOnly {
		l.Due = l.Due.AddDate(0, 0, 1).Add(-time.Second)
	}
	if err := all(valid(string(l.Item), "item barcode"), valid(string(l.Patron), "card"), e1, e2); err != nil {
		return l, err
	}
	if back := r.get("in_at"); back != "" && !never(back) {
		return l, errSkip
	}
	return l, nil
}

// forms of times, with and without zone; PostgreSQL writes "-04".
var forms = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999-0700",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "20060102 150405",
}

var dateForms = []string{time.DateOnly, "20060102", "2006/01/02"}

// never tells the dates by which databases say that there is none.
func never(s string) bool { return strings.HasPrefix(s, "0000-00-00") || s == "infinity" }

// time reads a time or a date; zero for an empty cell.
func (r *csvRow) time(name string) (t time.Time, dateOnly bool, err error) {
	s := r.get(name)
	if s == "" || never(s) {
		return t, false, nil
	}
	loc := r.loc
	if loc == nil {
		loc = time.Local
	}
	for _, f := range dateForms {
		if len(s) != len(f) {
			continue
		}
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
