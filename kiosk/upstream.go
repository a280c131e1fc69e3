package kiosk

import (
	"context"
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
	SortBin string    // checkin: where it goes
	Time    time.Time // the ILS's clock; zero if not told
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
}

// Tri is yes, no or unknown.
type Tri int

// The three.
const (
	Unknown Tri = iota
	No
	Yes
)
