package kiosk

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Upstream is the library's system (the ILS) as the desk sees it. Every error
// is an *Error: CodeOffline if the question certainly had no effect,
// CodeUnsure if it may have had one. Implementations are safe for use by
// several goroutines, keep their connection themselves, and never repeat a
// Tell on their own.
type Upstream interface {
	// Identify asks who a card belongs to. pin is checked if it is not empty:
	// a wrong one is a refusal with ReasonWrongPIN. An unknown card is a
	// refusal with ReasonUnknownCard. A patron who may not borrow comes back
	// with Blocked set and no error.
	Identify(ctx context.Context, c Card, pin string) (Patron, error)

	// Tell has the ILS carry out a checkout, checkin or renewal. A no is an
	// error with CodeRefused. An entry in State Offline or Unsure has already
	// happened: it is told with its own times, and with no-block where the
	// protocol has that.
	Tell(ctx context.Context, e Entry) (Answer, error)

	// Look asks what the ILS knows of an item, and whether card has it.
	Look(ctx context.Context, b Barcode, card Card) (Standing, error)

	// Probe finds out whether the ILS can be reached, connecting if need be.
	Probe(ctx context.Context) error
}

// TimeTeller is an Upstream that tells the time.
type TimeTeller interface {
	// Time is the ILS's clock as the last probe has read it; false if none has.
	Time() (Reading, bool)
}

// Answer is a yes.
type Answer struct {
	Due     time.Time // zero means none was given, or none that could be read
	DueText string    // the ILS's own words for the due date if Due is zero
	Renewed bool      // a checkout of what the patron already had
	Title   string    // empty if none was given
	Text    string    // screen messages, for staff
	Alert   bool      // checkin: staff must look (hold, transfer)
	Route   Route     // checkin: where it goes
	Time    time.Time // the ILS's clock; zero if not told
}

// Route is where an item goes that has come back. Whom it is for, it does not
// say: that is between the patron and the library.
type Route struct {
	For Purpose
	To  string // the library or shelf, in the ILS's words; empty: not told
	Bin string // of a sorter; empty: not told
}

// Purpose is why an item does not simply go back to its place.
type Purpose string

// The purposes.
const (
	ForHold          Purpose = "hold"              // somebody waits for it here
	ForHoldElsewhere Purpose = "hold elsewhere"    // somebody waits for it at another library
	ForOtherLibrary  Purpose = "interlibrary loan" // it is another system's
	ForTransfer      Purpose = "transfer"          // its place is at another library
	ForStaff         Purpose = "staff must look"   // for another reason
)

// String is the route in words for staff, "" if nothing is known.
func (r Route) String() string {
	var words []string
	for _, w := range []struct{ before, what string }{{"", string(r.For)}, {"to ", r.To}, {"bin ", r.Bin}} {
		if w.what != "" {
			words = append(words, w.before+w.what)
		}
	}
	return strings.Join(words, ", ")
}

// Words is what staff should know of a yes.
func (a Answer) Words() string {
	words := []string{a.Text, a.DueText, a.Route.String()}
	if a.Renewed && a.Text == "" {
		words = append(words, "renewed")
	}
	if a.Alert && a.Text == "" && a.Route.For == "" {
		words = append(words, string(ForStaff))
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), "; ")
}

// Standing is what the ILS says of an item.
type Standing struct {
	Known  bool // there is such an item
	Title  string
	Status ItemStatus
	Since  time.Time // when the loan began; zero means not told
	Due    time.Time // zero means not told
	Mine   Tri       // whether the card that was asked about has it
	Holds  int       // holds on it, -1 unknown
	Others bool      // it waits on the hold shelf, and certainly not for the card that was asked about
}

// Tri is yes, no or unknown.
type Tri int

// The three.
const (
	Unknown Tri = iota
	No
	Yes
)

// Undoer is an Upstream that may take back a loan it has granted, as if it had
// never been.
type Undoer interface {
	// Undoes tells whether it is known to do so.
	Undoes() bool
	// Undo takes back a checkout. Its errors are those of Upstream.Tell; a
	// refusal means that the loan stands.
	Undo(ctx context.Context, e Entry) error
}
