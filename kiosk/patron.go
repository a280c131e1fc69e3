package kiosk

import "time"

// Card is the number of a patron's card: same limits as Barcode.
type Card string

// Patron is the person a card stands for.
type Patron struct {
	Card       Card
	FamilyName string
	FirstName  string
	Category   string // patron category, the library's own code
	Library    string // home library
	Language   string // BCP 47 tag, or empty
	Born       time.Time
	Expires    time.Time // first moment at which the card is no longer good; zero means never
	Blocked    Reason    // why nothing may be lent; empty means it may
	BlockText  string    // the ILS's own words for Blocked; for staff
	PINChecked bool      // the ILS has accepted the PIN that came with the question
	Local      bool      // known from the mirror only: the ILS was not reached
	Seen       time.Time
}
