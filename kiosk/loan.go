package kiosk

import "time"

// Loan is one item out to one patron.
type Loan struct {
	Item   Barcode
	Patron Card
	At     time.Time // when it was lent
	Due    time.Time // zero means unknown
}
