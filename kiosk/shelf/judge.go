package shelf

import (
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Finding is what a scan says of a book beside its place.
type Finding string

// The findings, the most urgent first.
const (
	Unknown       Finding = "unknown"        // the catalogue has no such number
	TagDiffers    Finding = "tag differs"    // tag and label name two books
	Double        Finding = "double"         // two books have the same number
	Wanted        Finding = "wanted"         // somebody waits for it, or a list has it: take it along
	OnLoan        Finding = "on loan"        // the library's system has it on loan: return it, or leave it
	Withdrawn     Finding = "withdrawn"      // it is no book of the library any more
	FoundLost     Finding = "lost"           // it was given up, and here it is
	FoundMissing  Finding = "missing"        // the same
	InTransit     Finding = "in transit"     // it should be on its way to another library
	WrongLibrary  Finding = "wrong library"  // it belongs to another one
	WrongLocation Finding = "wrong location" // it belongs to another part of the library
	OutsideRange  Finding = "outside range"  // it belongs to this part, and not to the range that is walked
	Unsecured     Finding = "not secured"    // its tag would let it pass the gates
	NoTag         Finding = "no tag"         // it was scanned by its label where books have tags
	Weed          Finding = "weed"           // by the library's rule it may go
	Misplaceable  Finding = "no order"       // its call number fits no scheme, so it has no place
	NotForLoan    Finding = "not for loan"   // good to know, no more
)

// urgent is the order of the findings.
var urgent = []Finding{Unknown, TagDiffers, Double, Wanted, OnLoan, Withdrawn, FoundLost, FoundMissing, InTransit, WrongLibrary,
	WrongLocation, OutsideRange, Unsecured, NoTag, Weed, Misplaceable, NotForLoan}

// Takes tells whether a finding means that the book comes off the shelf.
func (f Finding) Takes() bool {
	return f != "" && f != NoTag && f != Misplaceable && f != NotForLoan && f != Unsecured
}

// Facts are what is known of a book when it is met.
type Facts struct {
	Item   kiosk.Item
	Known  bool // the catalogue has it
	OnLoan bool
	Wanted bool
	Double bool // the same number was met on another book
	Fits   bool // its call number fits its scheme
	Inside bool // its key belongs to the range

	ByTag    bool           // its number was read from a tag
	TagItem  kiosk.Barcode  // what the tag on it says, where both were read
	Security kiosk.Security // of its tag; Leave: not known

	LastLoan time.Time // zero: not known
	Year     int       // in which it was published; 0: not known
	Copies   int       // the library's copies of the title; 0: not known
}

// Policy is what a library wants to be told.
type Policy struct {
	Range  kiosk.ShelfRange
	Tagged bool // every book has a tag
	Weed   Weeding
}

// Weeding is the rule for books that may go: all of it that is set has to
// hold, and of what it asks something has to be known. The zero Weeding finds
// none.
type Weeding struct {
	Unlent time.Duration // not lent for so long
	Years  int           // published so many years ago
	Copies int           // of so many copies or more
}

// Holds tells whether a book may go, on a day.
func (w Weeding) Holds(f Facts, now time.Time) bool {
	if w == (Weeding{}) || f.OnLoan || f.Wanted {
		return false
	}
	return (w.Unlent == 0 || !f.LastLoan.IsZero() && now.Sub(f.LastLoan) >= w.Unlent) &&
		(w.Years == 0 || f.Year > 0 && now.Year()-f.Year >= w.Years) &&
		(w.Copies == 0 || f.Copies >= w.Copies)
}

// Judge says what a scan means, the most urgent first. It is quick: it looks
// at what is given, and at nothing else.
func Judge(f Facts, p Policy, now time.Time) []Finding {
	it, status := f.Item, f.Item.Status
	place := func(want, is string) bool { return f.Known && want != "" && is != want }
	library, location := place(p.Range.Library, it.Library), place(p.Range.Location, it.Location)
	is := map[Finding]bool{
		Unknown:       !f.Known,
		TagDiffers:    f.TagItem != "" && f.TagItem != it.Barcode,
		Double:        f.Double,
		Wanted:        f.Wanted || status == kiosk.StatusOnHold,
		OnLoan:        f.OnLoan || status == kiosk.StatusOnLoan,
		Withdrawn:     status == kiosk.StatusWithdrawn,
		FoundLost:     status == kiosk.StatusLost,
		FoundMissing:  status == kiosk.StatusMissing,
		InTransit:     status == kiosk.StatusInTransit,
		WrongLibrary:  library,
		WrongLocation: location && !library,
		OutsideRange:  f.Known && !library && !location && !f.Inside,
		Unsecured:     f.Security == kiosk.Released && !f.OnLoan,
		NoTag:         p.Tagged && !f.ByTag && f.TagItem == "",
		Weed:          p.Weed.Holds(f, now),
		Misplaceable:  f.Known && !f.Fits,
		NotForLoan:    it.NoLoan,
	}
	var list []Finding
	for _, x := range urgent {
		if is[x] {
			list = append(list, x)
		}
	}
	return list
}

// Tone is how a scan sounds and looks.
type Tone string

// The tones.
const (
	Good      Tone = "good"      // go on
	Elsewhere Tone = "elsewhere" // it belongs to another place on these shelves
	Take      Tone = "take"      // off the shelf with it
	Twice     Tone = "twice"     // nothing new
	Sought    Tone = "sought"    // it was missing, and is looked for once more: here it is
)

// ToneOf is the tone of an answer.
func ToneOf(s State, found []Finding) Tone {
	switch {
	case slices.ContainsFunc(found, Finding.Takes):
		return Take
	case s == OutOfOrder || s == Ahead || s == Foreign:
		return Elsewhere
	case s == Again:
		return Twice
	}
	return Good
}
