package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
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

// Stands is the place where a book was met: what was not walked beside it is no
// end of the shelves.
func (v shelfView) Stands(p inventory.Place) string {
	switch {
	case p.After != nil && p.Before == nil:
		return onShelf(v.language, v.T("staff.inv.stands.after", "left", name(p.After)), p)
	case p.After == nil && p.Before != nil:
		return onShelf(v.language, v.T("staff.inv.stands.before", "right", name(p.Before)), p)
	}
	return where(v.language, p)
}

// name is what a book is called at its place.
func name(b *inventory.Book) string { return cmp.Or(b.CallNumber, string(b.Item)) }

func where(l *language, p inventory.Place) string {
	text := ""
	switch {
	case p.After != nil && p.Before != nil:
		text = l.T("staff.inv.between", "left", name(p.After), "right", name(p.Before))
	case p.After != nil:
		text = l.T("staff.inv.after", "left", name(p.After))
	case p.Before != nil:
		text = l.T("staff.inv.before", "right", name(p.Before))
	}
	return onShelf(l, text, p)
}

// onShelf adds the shelf to a place, if it is known.
func onShelf(l *language, text string, p inventory.Place) string {
	if p.Shelf == "" {
		return text
	}
	return strings.TrimSpace(text + " " + l.T("staff.inv.onshelf", "shelf", p.Shelf))
}

// Words are the findings of a row.
func (v shelfView) Words(x inventory.Row) string {
	var words []string
	for _, f := range x.Found {
		w := v.finding(f, x.Weed)
		if f == shelf.Wanted && len(x.Wanted) > 0 {
			w += " (" + strings.Join(x.Wanted, ", ") + ")"
		}
		if (f == shelf.WrongLibrary || f == shelf.WrongLocation) && x.Location != "" {
			w += " (" + isolate(x.Location, v.Dir == "rtl") + ")"
		}
		words = append(words, w)
	}
	if len(words) == 0 {
		words = []string{v.T("staff.inv.state.foreign")}
	}
	return strings.Join(words, ", ")
}

// way is how a book has to go, to be drawn: in percent of the range.
type way struct {
	From, To, Middle, Head int
	Words                  string
}

// Way is how the book of a row has to go; nil if that is not known.
func (v shelfView) Way(x inventory.Row) *way {
	w := x.Way
	if w == nil || w.Of < 1 {
		return nil
	}
	d := way{From: w.From * 100 / w.Of, To: w.To * 100 / w.Of, Head: 4, Words: v.T("staff.inv.way.back", "n", v.Number(w.From-w.To))}
	if w.To >= w.From {
		d.Head, d.Words = -4, v.T("staff.inv.way.on", "n", v.Number(w.To-w.From))
	}
	d.Middle = (d.From + d.To) / 2
	return &d
}

// Tone is how it sounds what two neighbours come to; empty: nobody has asked.
func (v shelfView) Tone() string {
	switch {
	case v.Pair != nil && v.Pair.Ordered:
		return "good"
	case v.Left != "":
		return "bad"
	}
	return ""
}

// Whys are why nothing, or not all, can be said of two neighbours.
func (v shelfView) Whys() (words []string) {
	for _, w := range v.Pair.Whys {
		words = append(words, v.wrong(w))
	}
	return words
}

// Range is a part of the shelves in words.
func (v shelfView) Range(r kiosk.ShelfRange) string { return rangeIn(v.language, r) }

// Range is shelfView's.
func (v walkView) Range(r kiosk.ShelfRange) string { return rangeIn(v.language, r) }

func rangeIn(l *language, r kiosk.ShelfRange) string {
	words := cmp.Or(strings.Trim(r.Library+" / "+r.Location, " /"), l.T("staff.inv.everywhere"))
	if r.From == "" && r.To == "" {
		return words
	}
	return words + ", " + l.T("staff.inv.range", "from", cmp.Or(r.From, "…"), "to", cmp.Or(r.To, "…"))
}

// Condition is a note in words, where it is one of those that a touch notes.
func (l *language) Condition(note string) string {
	if slices.Contains(walkView{}.Conditions(), note) {
		return l.T("staff.inv.note." + note)
	}
	return note
}
