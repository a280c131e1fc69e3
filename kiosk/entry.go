package kiosk

import "time"

// ID names an entry or a session for ever: a UUID of version 7, so that IDs
// sort in the order they were made.
type ID string

// Kind is what happened to an item.
type Kind string

// The kinds of entries.
const (
	Checkout Kind = "checkout"
	Checkin  Kind = "checkin"
	Renew    Kind = "renew"
	Seen     Kind = "seen" // in an inventory, on the shelf: no loan is changed
)

// Lends tells whether an entry of this kind is about a loan that a patron has,
// or gets.
func (k Kind) Lends() bool { return k == Checkout || k == Renew }

// State is how far an entry has come. An entry is written once, its states
// are added behind it; the newest counts.
type State string

// The states of an entry.
const (
	Asked     State = "asked"     // on disk, the ILS is about to be asked; nothing has been promised
	Granted   State = "granted"   // the ILS said yes
	Denied    State = "refused"   // the ILS or a local rule said no: nothing happened
	Offline   State = "offline"   // decided here, the ILS has certainly not heard of it
	Unsure    State = "unsure"    // decided here, the ILS may have heard of it: look before asking again
	Settled   State = "settled"   // decided here, confirmed by the ILS later
	Exception State = "exception" // decided here, refused by the ILS later: a person must settle it
	Differs   State = "differs"   // decided here, granted by the ILS later with less than was promised: a person must see to it
	Dismissed State = "dismissed" // was never promised to the patron and the ILS has nothing of it, or staff closed the exception
)

// Queued tells whether an entry in this state waits in the outbox.
func (s State) Queued() bool { return s == Asked || s == Offline || s == Unsure }

// Holds tells whether an entry in this state took effect: the item counts as
// lent, returned or renewed.
func (s State) Holds() bool {
	return s == Granted || s == Offline || s == Unsure || s == Settled || s == Differs
}

// Calls tells whether an entry in this state calls for a person.
func (s State) Calls() bool { return s == Exception || s == Differs }

// Entry is one line of the ledger: something that happened to one item at
// this kiosk.
type Entry struct {
	ID      ID
	Session ID
	Kind    Kind
	Item    Barcode
	Patron  Card      // for a checkin: who had it as far as known, or empty
	At      time.Time // when it happened, by the desk's clock
	Doubt   bool      // the clock was not to be trusted at At, and At was not put right since
	Up      Uptime    // when it happened, by the time that the machine had been running; empty if At is sure
	Due     time.Time // the due date that was promised; zero means none yet
	WasDue  time.Time // renew: the due date before, to recognise a renewal that took effect; zero means unknown
	State   State     // Asked, or Offline, or a refusal that was decided here
	Title   string    // as shown, so that an item unknown to the mirror has a name
	Text    string    // the ILS's words, for staff
	Tags    []TagID   // the item's RFID tags that lie on the pad; more may be attached later
}

// Outcome is a later state of an entry.
type Outcome struct {
	Entry  ID
	State  State
	At     time.Time
	Due    time.Time // zero leaves the due date as it was
	Reason Reason    // why refused or excepted
	Text   string    // the ILS's words, or a note of staff
}
