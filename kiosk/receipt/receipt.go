// Package receipt puts a kiosk.Receipt into words: for paper, for mail and for
// a code that a phone reads. It decides nothing about patrons: what a
// kiosk.Receipt does not hold is on none of them.
//
// The words around the titles are the screen's, in its languages. How they
// stand is a text/template each: paper.txt, mail.txt and code.txt, of which the
// library may put its own into the folder receipts of the kiosk's data. One
// that can't be used is a fault, and ours is used in its place.
package receipt

import (
	"strings"
	"time"
	"unicode"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Words are one language of the screen.
type Words interface {
	T(key string, pairs ...string) string
	N(key string, n int, pairs ...string) string
	Date(t, now time.Time) string
	// Reason says why something was refused, and what to do.
	Reason(r kiosk.Reason) string
	// RightToLeft tells which way the language runs.
	RightToLeft() bool
}

// Doc is what a template is given.
type Doc struct {
	Library string
	Head    []string // lines of the library's own below its name
	Foot    []string // and at the end
	Patron  string   // as the library allows; may be empty
	Card    string   // the last digits; may be empty
	Date    string   // of the receipt, in words
	Time    string   // as 14:05
	Heading string   // over Done: Borrowed, Returned
	Done    []Item
	Look    string // over Unfinished
	// Unfinished is what was not lent or taken back, or needs staff.
	Unfinished []Item
	Bye        string
	Subject    string // of a mail
	Right      bool   // the language runs from right to left
}

// Item is one thing that was lent, returned or renewed.
type Item struct {
	Title string // or its number
	State string // as Lent, Renewed
	Due   string // in words; empty for a return
	Why   string // of what was refused, and what to do
}

// Place is where a receipt is made.
type Place struct {
	Library    string
	Zone       *time.Location
	Head, Foot string // lines of the library's own
	NoDates    bool   // until when something is lent is not told
}

// New puts a receipt into words.
func New(r kiosk.Receipt, p Place, w Words) Doc {
	at := r.At.In(p.Zone)
	d := Doc{
		Library: clean(p.Library), Patron: clean(r.Patron), Card: clean(r.Card), Right: w.RightToLeft(),
		Date: w.Date(at, time.Time{}), Time: at.Format("15:04"),
		Heading: w.T("receipt.paper.lent"), Look: w.T("receipt.paper.look"), Bye: w.T("receipt.paper.bye"),
		Subject: w.T("receipt.paper.subject", "library", clean(p.Library)),
	}
	for _, l := range kiosk.SlipLines(p.Head) {
		d.Head = append(d.Head, clean(l))
	}
	for _, l := range kiosk.SlipLines(p.Foot) {
		d.Foot = append(d.Foot, clean(l))
	}
	if r.Mode == kiosk.Returning {
		d.Heading = w.T("receipt.paper.returned")
	}
	for _, l := range r.Done() {
		d.Done = append(d.Done, item(l, at, p, w))
	}
	for _, l := range r.Unfinished() {
		d.Unfinished = append(d.Unfinished, item(l, at, p, w))
	}
	return d
}

func item(l kiosk.Line, at time.Time, p Place, w Words) Item {
	i := Item{Title: clean(l.Title), State: w.T("state." + string(l.State)), Why: w.Reason(l.Reason)}
	switch {
	case i.Title != "":
	case l.Item != "":
		i.Title = w.T("line.item", "barcode", clean(string(l.Item)))
	default:
		i.Title = w.T("line.unknown")
	}
	if !l.Due.IsZero() && !p.NoDates && l.Kind != kiosk.Checkin {
		i.Due = w.T("line.due", "date", w.Date(l.Due.In(p.Zone), at))
	}
	return i
}

// maxTitle is the longest text taken from outside, in characters.
const maxTitle = 300

// clean makes one line of a text from outside.
func clean(text string) string {
	runes := []rune(strings.ToValidUTF8(text, ""))
	runes = runes[:min(len(runes), maxTitle)]
	for i, r := range runes {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			runes[i] = ' '
		}
	}
	return strings.TrimSpace(string(runes))
}
