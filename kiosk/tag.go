package kiosk

import (
	"context"
	"time"
)

// TagID names an RFID tag: the 16 digits of its UID, as "E004015012345678", or
// of a UHF tag its EPC, as "EPC:141CC04FC70BADB5".
type TagID string

// Security is what the gates at the door should find on a tag.
type Security string

// The values of Security.
const (
	Leave    Security = ""         // as it is
	Released Security = "released" // lent: the gate stays silent
	Secured  Security = "secured"  // in stock: the gate alarms
)

// Stage is an entry's state, with the due date that was promised by then.
type Stage struct {
	State State // empty before it is recorded
	Due   time.Time
}

// lends tells whether a checkout at this stage lets the item go. A question
// that was cut off holds, so that the outbox looks after it, but nobody was
// promised anything.
func (s Stage) lends() bool {
	return s.State.Holds() && (s.State == Granted || s.State == Settled || s.State == Differs || !s.Due.IsZero())
}

// Wants tells what becomes of the tags of an entry that goes from one stage to
// another. out says whether the item is on loan after that, by all the ledger
// knows.
//
// A checkout releases once it holds, and not before; one that is taken back
// secures. A return secures first: before the ILS is asked, and also where it
// is decided here. If nothing comes of it the loan stands, and its tag must be
// released again. One that was refused because there is no loan secures too what
// is read only then.
func Wants(k Kind, before, after Stage, out bool) Security {
	switch {
	case k == Checkout && !before.lends() && after.lends():
		return Released
	case k == Checkout && before.lends() && !after.lends() && !out:
		return Secured
	case k == Checkin && before.State == "" && (after.State == Asked || after.State.Holds()):
		return Secured
	case k == Checkin && before.State == "" && after.State == Denied && !out:
		return Secured
	case k == Checkin && before.State != "" && (after.State == Denied || after.State == Dismissed) && out:
		return Released
	}
	return Leave
}

// Work is a tag on the work list: its security is not yet known to be what an
// entry wants it to be. It stays there, over restarts, until it has been
// written and read back, a later entry wants something else, or staff clears
// it.
type Work struct {
	Tag   TagID
	Want  Security
	Entry ID // that wants it
	Item  Barcode
	Title string
	Since time.Time
}

// Securer writes what gates look for on tags. Implementations are safe for use
// by several goroutines.
type Securer interface {
	// Secure writes it to one tag, by its UID, and reads it back. ErrLifted
	// when the tag is not on a pad, or was taken away meanwhile: it may be
	// written or not. Any other error means that it can't be written.
	Secure(ctx context.Context, tag TagID, want Security) error
}
