package kiosk

// Advice is what a patron is told of an entry that has called for a person,
// days later and perhaps at the desk: the book is with them, or is back. The
// pages have words for each in each language.
type Advice string

// The advices.
const (
	AdviceReturned Advice = "returned"  // the book is back, and nobody is asked for it again
	AdviceShowBook Advice = "show-book" // bring it along some time: the library must look at it
	AdviceIfYours  Advice = "if-yours"  // the library is not sure who has it
	AdviceBring    Advice = "bring"     // bring it to the desk soon: somebody waits for it, or it must not go out
	AdviceShowCard Advice = "show-card" // the card must be put right
	AdviceAccount  Advice = "account"   // something on the account must be put right
	AdviceLimit    Advice = "limit"     // there is one more than may be out
	AdviceNewDate  Advice = "new-date"  // it is due earlier than was said
	AdviceOldDate  Advice = "old-date"  // it was not renewed
	AdviceAskDate  Advice = "ask-date"  // what was said of the date is not to be relied on
	AdviceAskStaff Advice = "ask-staff" // anything else
)
