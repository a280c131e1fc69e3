package kiosk

// Refusal is a row of the catalogue of refusals: what follows from a reason.
// The screen has words for each reason in each language, for adults and for
// children, and for who does not read yet two pictures: why, and what next.
type Refusal struct {
	Reason  Reason
	Next    Next    // what the patron does now: nobody is left with a no
	Picture Picture // what it is about
}

// Next is what a patron does after a refusal.
type Next string

// The next steps.
const (
	NextAgain Next = "again"   // the same once more
	NextLabel Next = "label"   // the library's label under the scanner
	NextCard  Next = "card"    // the card
	NextDesk  Next = "desk"    // to the desk, with it
	NextOther Next = "another" // leave it: another book
	NextBring Next = "bring"   // bring a book back
	NextRenew Next = "renew"   // keep it longer?
	NextPad   Next = "pad"     // onto the pad
	NextOff   Next = "off"     // off the pad
	NextFewer Next = "fewer"   // fewer at once on the pad
	NextCount Next = "count"   // count once more
	NextGo    Next = "go"      // nothing: go on
)

// Picture is what a refusal is about.
type Picture string

// The pictures.
const (
	PictureCode     Picture = "code"     // a label that can't be used
	PictureShop     Picture = "shop"     // the book trade's code
	PictureCard     Picture = "card"     // a card that is not good
	PictureKey      Picture = "key"      // the secret numbers
	PictureCoin     Picture = "coin"     // something to pay
	PictureStack    Picture = "stack"    // too many
	PictureDate     Picture = "date"     // a day in the calendar
	PictureAway     Picture = "away"     // the library's system is away
	PictureUnknown  Picture = "unknown"  // a book that nobody knows
	PictureStays    Picture = "stays"    // a book that stays in the house
	PictureSomebody Picture = "somebody" // a book in somebody's hands
	PictureWaiting  Picture = "waiting"  // somebody who waits for it
	PictureYours    Picture = "yours"    // a book that one has
	PictureHome     Picture = "home"     // a book that was at home here
	PictureTool     Picture = "tool"     // the desk is in trouble
	PictureChip     Picture = "chip"     // the tag in the book
	PictureTwins    Picture = "twins"    // two with one name
	PictureParts    Picture = "parts"    // a piece is missing
	PictureDone     Picture = "done"     // it is well
)

// refusals are the catalogue.
var refusals = []Refusal{
	{ReasonUnreadable, NextLabel, PictureCode},
	{ReasonCheckDigit, NextAgain, PictureCode},
	{ReasonForeign, NextLabel, PictureCode},
	{ReasonISBNUnknown, NextLabel, PictureShop},
	{ReasonISBNMany, NextLabel, PictureShop},

	{ReasonUnknownCard, NextCard, PictureCard},
	{ReasonCardExpired, NextDesk, PictureCard},
	{ReasonCardLost, NextDesk, PictureCard},
	{ReasonCardBlocked, NextDesk, PictureCard},
	{ReasonCardUnchecked, NextDesk, PictureAway},
	{ReasonFees, NextDesk, PictureCoin},
	{ReasonTooMany, NextBring, PictureStack},
	{ReasonOverdue, NextBring, PictureDate},
	{ReasonWrongPIN, NextAgain, PictureKey},
	{ReasonPINTries, NextCard, PictureKey},
	{ReasonPINOffline, NextDesk, PictureAway},
	{ReasonCardInReturns, NextLabel, PictureCard},

	{ReasonUnknownItem, NextDesk, PictureUnknown},
	{ReasonNotForLoan, NextOther, PictureStays},
	{ReasonOnLoanOther, NextDesk, PictureSomebody},
	{ReasonOnLoanYou, NextRenew, PictureYours},
	{ReasonOnHold, NextDesk, PictureWaiting},
	{ReasonNotOnLoan, NextDesk, PictureHome},
	{ReasonNoRenewal, NextBring, PictureDate},
	{ReasonFeeRequired, NextDesk, PictureCoin},
	{ReasonWaitsForCard, NextCard, PictureYours},

	{ReasonNotStored, NextDesk, PictureTool},
	{ReasonNotKept, NextDesk, PictureTool},
	{ReasonDueEarlier, NextDesk, PictureDate},
	{ReasonClock, NextDesk, PictureDate},
	{ReasonAskStaff, NextDesk, PictureTool},

	{ReasonPartsMissing, NextPad, PictureParts},
	{ReasonPutBack, NextPad, PictureChip},
	{ReasonTagStuck, NextDesk, PictureChip},
	{ReasonTagDamaged, NextLabel, PictureChip},
	{ReasonTagForeign, NextOff, PictureUnknown},
	{ReasonTagBlank, NextDesk, PictureChip},
	{ReasonTagTwice, NextDesk, PictureTwins},
	{ReasonPadFull, NextFewer, PictureStack},
	{ReasonTagMended, NextGo, PictureDone},
	{ReasonCount, NextCount, PictureStack},
}

// Refusals lists the catalogue.
func Refusals() []Refusal { return append([]Refusal(nil), refusals...) }

// RefusalOf finds the row of a reason. One that is not in the catalogue is as
// ReasonAskStaff: whatever it is, there is somebody who helps.
func RefusalOf(r Reason) Refusal {
	for _, row := range refusals {
		if row.Reason == r {
			return row
		}
	}
	return RefusalOf(ReasonAskStaff)
}
