package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Verdict is what a scan says, in a few words.
func (v walkView) Verdict(x inventory.Said) string {
	switch {
	case x.Shelf != "":
		return v.T("staff.inv.shelf", "shelf", x.Shelf)
	case x.Why != "" || x.Code != "":
		return v.T("staff.inv.nocode")
	case x.Tone == shelf.Sought:
		return v.T("staff.inv.sought")
	case v.told(x, 0):
		return v.finding(x.Found[0], x.Weed)
	}
	return v.T("staff.inv.state." + slug(string(x.State)))
}

// told tells whether a finding is the one that Verdict tells.
func (v walkView) told(x inventory.Said, i int) bool {
	return i == 0 && len(x.Found) > 0 && x.Tone != shelf.Sought && (x.Found[0].Takes() || x.State == shelf.InPlace)
}

// Rest are the findings beside the one that Verdict tells.
func (v walkView) Rest(x inventory.Said) (words []string) {
	if x.Sought && x.Tone != shelf.Sought {
		words = append(words, v.T("staff.inv.sought"))
	}
	if x.Tone == shelf.Sought && (x.State == shelf.OutOfOrder || x.State == shelf.Ahead) {
		words = append(words, v.T("staff.inv.state."+slug(string(x.State))))
	}
	for i, f := range x.Found {
		if !v.told(x, i) {
			words = append(words, v.finding(f, x.Weed))
		}
	}
	return words
}

// finding is one in words, with why a book may go.
func (l *language) finding(f shelf.Finding, w *inventory.Weeded) string {
	text := l.T("staff.inv.found." + slug(string(f)))
	if f != shelf.Weed || w == nil {
		return text
	}
	var why []string
	if w.Year > 0 {
		why = append(why, l.T("staff.inv.weed.year", "year", strconv.Itoa(w.Year)))
	}
	if !w.LastLoan.IsZero() {
		why = append(why, l.T("staff.inv.weed.loan", "year", strconv.Itoa(w.LastLoan.Year())))
	}
	if w.Copies > 0 {
		why = append(why, l.T("staff.inv.weed.copies", "n", l.Number(w.Copies)))
	}
	if why == nil {
		return text
	}
	return text + " (" + strings.Join(why, l.T("staff.inv.weed.and")) + ")"
}

// Where is a place in words; empty if there is nothing to say.
func (v shelfView) Where(p inventory.Place) string { return where(v.language, p) }

// Where is shelfView's.
func (v walkView) Where(p inventory.Place) string { return where(v.language, p) }

func where(l *language, p inventory.Place) string {
	name := func(b *inventory.Book) string {
		if b.CallNumber != "" {
			return b.CallNumber
		}
		return string(b.Item)
	}
	text := ""
	switch {
	case p.After != nil && p.Before != nil:
		text = l.T("staff.inv.between", "left", name(p.After), "right", name(p.Before))
	case p.After != nil:
		text = l.T("staff.inv.after", "left", name(p.After))
	case p.Before != nil:
		text = l.T("staff.inv.before", "right", name(p.Before))
	}
	if p.Shelf != "" {
		text = strings.TrimSpace(text + " " + l.T("staff.inv.onshelf", "shelf", p.Shelf))
	}
	return text
}

// Words are the findings of a row.
func (v shelfView) Words(x inventory.Row) string {
	var words []string
	for _, f := range x.Found {
		w := v.finding(f, x.Weed)
		if f == shelf.Wanted && len(x.Wanted) > 0 {
			w += " (" + strings.Join(x.Wanted, ", ") + ")"
		}
		words = append(words, w)
	}
	if len(words) == 0 {
		return v.T("staff.inv.state.foreign")
	}
	return strings.Join(words, ", ")
}

// Condition is a note in words, where it is one of those that a touch notes.
func (l *language) Condition(note string) string {
	if slices.Contains(walkView{}.Conditions(), note) {
		return l.T("staff.inv.note." + note)
	}
	return note
}
