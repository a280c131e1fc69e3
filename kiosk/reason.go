package kiosk

// Reason is why something was refused, or what the patron must do. The screen
// has words for each in each language; the words never come from here.
type Reason string

// The reasons.
const (
	ReasonUnreadable    Reason = "unreadable"     // the code is neither card nor item
	ReasonCheckDigit    Reason = "check-digit"    // looks like ours but its check digit is wrong: scan again
	ReasonForeign       Reason = "foreign-code"   // a command or code of another system
	ReasonISBNUnknown   Reason = "isbn-unknown"   // the book trade's code, and no copy here has it
	ReasonISBNMany      Reason = "isbn-many"      // the book trade's code of several copies: scan the library's label
	ReasonUnknownCard   Reason = "unknown-card"   // nobody has this card
	ReasonCardExpired   Reason = "card-expired"   //
	ReasonCardLost      Reason = "card-lost"      // the card was reported lost
	ReasonCardBlocked   Reason = "card-blocked"   // the ILS refuses loans to this card
	ReasonFees          Reason = "fees"           // too much is owed
	ReasonTooMany       Reason = "too-many"       // the limit of loans is reached
	ReasonOverdue       Reason = "overdue"        // too many are overdue
	ReasonWrongPIN      Reason = "wrong-pin"      //
	ReasonPINTries      Reason = "pin-tries"      // wrong too often: the card again, or staff
	ReasonPINOffline    Reason = "pin-offline"    // a PIN is wanted and can't be checked now
	ReasonCardUnchecked Reason = "card-unchecked" // the ILS is away, and what is known of the patron is too old
	ReasonUnknownItem   Reason = "unknown-item"   // not in the catalogue
	ReasonNotForLoan    Reason = "not-for-loan"   // reference, withdrawn, or does not circulate
	ReasonOnLoanOther   Reason = "on-loan-other"  // out to somebody else
	ReasonOnLoanYou     Reason = "on-loan-you"    // this patron has it already: renew?
	ReasonOnHold        Reason = "on-hold"        // wanted by another patron
	ReasonNotOnLoan     Reason = "not-on-loan"    // a return or renewal of something that was not out
	ReasonNoRenewal     Reason = "no-renewal"     // can't be renewed again
	ReasonFeeRequired   Reason = "fee-required"   // lending it costs a fee
	ReasonNotStored     Reason = "not-stored"     // the kiosk's disk refused: nothing was lent
	ReasonNotKept       Reason = "not-kept"       // the ILS has done it, and the kiosk's disk refuses to note it: show it to staff
	ReasonDueEarlier    Reason = "due-earlier"    // the ILS has set an earlier due date than was promised
	ReasonClock         Reason = "clock"          // the kiosk's clock was wrong, and what was promised by it is not to be relied on
	ReasonAskStaff      Reason = "ask-staff"      // anything else
	ReasonWaitsForCard  Reason = "waits-for-card" // a book before a card: now the card
	ReasonPartsMissing  Reason = "parts-missing"  // a set: other parts of it are not on the pad
	ReasonPutBack       Reason = "put-back"       // lifted before its tag was written: put it back for a moment
	ReasonTagStuck      Reason = "tag-stuck"      // its tag can't be written: the loan stands, the gate may alarm
	ReasonTagDamaged    Reason = "tag-damaged"    // a tag that can't be read
	ReasonTagForeign    Reason = "tag-foreign"    // a tag of somebody else
	ReasonTagBlank      Reason = "tag-blank"      // a tag with nothing on it
	ReasonTagTwice      Reason = "tag-twice"      // two tags say that they are the same thing
	ReasonPadFull       Reason = "pad-full"       // more tags than the reader can list: fewer at once
	ReasonTagMended     Reason = "tag-mended"     // what was left over from before is done now
	ReasonCount         Reason = "count"          // the patron counts other than the pad
	ReasonCardInReturns Reason = "card-unneeded"  // kept for screens: a return needs no card
)
