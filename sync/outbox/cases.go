package outbox

import (
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// oneCase is a line of the table: of entries of a kind, of which the ILS has
// heard so much, and for which it is so, this is done.
type oneCase struct {
	kind  kiosk.Kind
	heard heard
	when  func(facts) bool
	do    Action
	why   kiosk.Reason
	words string       // for staff
	tell  kiosk.Advice // for the patron
}

// cases is what to do with each kind of entry, once the ILS has said how its
// item stands. The first line that fits holds; the last of each kind fits all.
//
// The calls: a look is item information, and patron information where the item
// may be out; Send is the message of the kind (checkout, checkin, renew), with
// no-block and the entry's own dates where the ILS heeds them. What an ILS says
// of the patron (a card that is barred, expired, merged or re-issued, a limit,
// fees) and of the item (a hold) shows only then: a no goes by [refusals], a
// yes by [grants].
var cases = []oneCase{
	{kiosk.Checkout, unspoken, mineUndone, Undo, "", "interrupted before anything was promised: the ILS has taken the loan back", ""},
	{kiosk.Checkout, unspoken, mine, Settle, "", "", ""},
	{kiosk.Checkout, unspoken, unclear, Except, kiosk.ReasonAskStaff, "interrupted, and the ILS does not tell who has it", kiosk.AdviceShowBook},
	{kiosk.Checkout, unspoken, always, Dismiss, "", "interrupted before anything was promised", ""},
	{kiosk.Checkout, ever, unknownItem, Except, kiosk.ReasonUnknownItem, "the ILS does not know the item", kiosk.AdviceShowBook},
	{kiosk.Checkout, ever, mineEarlier, Differ, kiosk.ReasonDueEarlier, "", kiosk.AdviceNewDate},
	{kiosk.Checkout, ever, mine, Settle, "", "", ""}, // replayed: told before and not heard of, or told by somebody else
	{kiosk.Checkout, ever, anothersSince, Except, kiosk.ReasonOnLoanOther, "the ILS has lent it to another patron since: it has come back in between, not here", kiosk.AdviceIfYours},
	{kiosk.Checkout, ever, anothersBefore, Except, kiosk.ReasonOnLoanOther, "by the ILS it never came back from another patron, from before it was lent here", kiosk.AdviceIfYours},
	{kiosk.Checkout, ever, anothers, Except, kiosk.ReasonOnLoanOther, "the ILS has it out to another patron", kiosk.AdviceIfYours},
	{kiosk.Checkout, ever, out, Except, kiosk.ReasonAskStaff, "it is out, and the ILS does not tell to whom", kiosk.AdviceShowBook},
	{kiosk.Checkout, maybe, unclear, Except, kiosk.ReasonAskStaff, "the ILS does not tell who has it", kiosk.AdviceShowBook},
	{kiosk.Checkout, ever, doubtful, Except, kiosk.ReasonClock, "lent when the kiosk's clock was wrong: its due date is not to be relied on", kiosk.AdviceAskDate},
	{kiosk.Checkout, ever, held, Send, "", "", ""},      // for this patron or another: see grants
	{kiosk.Checkout, ever, lost, Send, "", "", ""},      // it is found
	{kiosk.Checkout, ever, withdrawn, Send, "", "", ""}, // refused, if that matters there
	{kiosk.Checkout, ever, always, Send, "", "", ""},    // in the house, and nobody's: a return not told, say

	{kiosk.Checkin, ever, unknownItem, Except, kiosk.ReasonUnknownItem, "the ILS does not know the item", kiosk.AdviceReturned},
	{kiosk.Checkin, never, inHouseEarly, Defer, "", "by the ILS it is not out: perhaps another kiosk has lent it, and could not tell yet", ""},
	{kiosk.Checkin, never, inHouse, Send, "", "", ""}, // returned elsewhere meanwhile, or never lent: who waits for it is found so
	{kiosk.Checkin, ever, inHouse, Settle, "", "", ""},
	{kiosk.Checkin, ever, before, Send, "", "", ""}, // whoever it is out to
	{kiosk.Checkin, never, outSinceLooked, Except, kiosk.ReasonOnLoanOther, "returned here; the ILS did not have it out then, and has now: was it lent before it came back, or again?", kiosk.AdviceReturned},
	{kiosk.Checkin, ever, anothersSince, Settle, "", "the ILS has lent it to another patron since", ""},
	{kiosk.Checkin, maybe, mineAnew, Except, kiosk.ReasonAskStaff, "returned here, and the ILS has it out to the same patron until another day: still, or again since?", kiosk.AdviceReturned},
	{kiosk.Checkin, ever, mine, Send, "", "", ""},
	{kiosk.Checkin, ever, anothers, Except, kiosk.ReasonOnLoanOther, "returned here, but the ILS has it out to another patron than was thought", kiosk.AdviceReturned},
	{kiosk.Checkin, never, always, Send, "", "", ""},
	{kiosk.Checkin, ever, nobodys, Settle, "", "", ""},
	{kiosk.Checkin, ever, outSinceAsked, Except, kiosk.ReasonAskStaff, "returned here, and the ILS has it out: still, or again since? It does not tell to whom", kiosk.AdviceReturned},
	{kiosk.Checkin, ever, always, Send, "", "", ""}, // lost or missing: to hear twice that it is back harms nobody

	// No patron is told of what stood on the shelf: the advice is for nobody.
	{kiosk.Seen, ever, unknownItem, Except, kiosk.ReasonUnknownItem, "the ILS does not know the item", kiosk.AdviceAskStaff},
	{kiosk.Seen, ever, out, Except, kiosk.ReasonOnLoanOther, "seen on the shelf, and the ILS has it out: return it, if that is right", kiosk.AdviceAskStaff},
	{kiosk.Seen, ever, always, Send, "", "", ""}, // also what is lost or missing there; to hear it twice harms nobody

	{kiosk.Renew, unspoken, longer, Settle, "", "", ""},
	{kiosk.Renew, unspoken, always, Dismiss, "", "interrupted before anything was promised", ""},
	{kiosk.Renew, ever, unknownItem, Except, kiosk.ReasonUnknownItem, "the ILS does not know the item", kiosk.AdviceShowBook},
	{kiosk.Renew, ever, inHouse, Except, kiosk.ReasonNotOnLoan, "renewed here, but the ILS does not have it out", kiosk.AdviceIfYours},
	{kiosk.Renew, ever, anothers, Except, kiosk.ReasonOnLoanOther, "renewed here, but the ILS has it out to another patron", kiosk.AdviceIfYours},
	{kiosk.Renew, ever, nobodys, Except, kiosk.ReasonNotOnLoan, "renewed here, but the ILS does not have it out", kiosk.AdviceIfYours},
	{kiosk.Renew, ever, asPromised, Settle, "", "", ""},
	{kiosk.Renew, ever, doubtful, Except, kiosk.ReasonClock, "renewed when the kiosk's clock was wrong: its due date is not to be relied on", kiosk.AdviceAskDate},
	{kiosk.Renew, never, always, Send, "", "", ""},
	{kiosk.Renew, ever, whoseUnknown, Except, kiosk.ReasonAskStaff, "the ILS does not tell who has it: was it renewed?", kiosk.AdviceAskDate},
	{kiosk.Renew, ever, whenUnknown, Except, kiosk.ReasonAskStaff, "the ILS does not tell when it is due, or it is not known what that was before: was it renewed?", kiosk.AdviceAskDate},
	{kiosk.Renew, ever, longer, Differ, kiosk.ReasonDueEarlier, "", kiosk.AdviceNewDate},
	{kiosk.Renew, ever, always, Send, "", "", ""},
}

// refusal is a line of the table of what comes of a no.
type refusal struct {
	kind  kiosk.Kind // empty: any
	why   kiosk.Reason
	do    Action
	words string       // for staff, behind the ILS's own
	tell  kiosk.Advice // for the patron
}

// refusals is what to do when an entry was told and the ILS says no. The first
// two noes say that it is done already. Any other is an exception: nothing was
// changed there, and a person must see to it. An ILS that ignores no-block
// says these of what happened long ago as if somebody stood there asking.
var refusals = []refusal{
	{kiosk.Checkout, kiosk.ReasonOnLoanYou, Settle, "", ""}, // told twice, or lent by somebody else
	{kiosk.Checkin, kiosk.ReasonNotOnLoan, Settle, "", ""},  // told twice, or returned elsewhere

	{kiosk.Checkout, kiosk.ReasonUnknownCard, Except, "the card may have been merged, re-issued or deleted: enter it for the patron's new one", kiosk.AdviceShowCard},
	{kiosk.Checkout, kiosk.ReasonCardExpired, Except, "renew the card, and tell it again", kiosk.AdviceShowCard},
	{kiosk.Checkout, kiosk.ReasonCardLost, Except, "the card was reported lost: find out who has used it", kiosk.AdviceShowCard},
	{kiosk.Checkout, kiosk.ReasonCardBlocked, Except, "lift the block and tell it again, or enter it by hand: the patron has the book", kiosk.AdviceAccount},
	{kiosk.Checkout, kiosk.ReasonFees, Except, "settle or waive the fees and tell it again, or enter it by hand: the patron has the book", kiosk.AdviceAccount},
	{kiosk.Checkout, kiosk.ReasonOverdue, Except, "tell it again when the overdue books are back, or enter it by hand: the patron has the book", kiosk.AdviceAccount},
	{kiosk.Checkout, kiosk.ReasonTooMany, Except, "over the limit: enter it by hand, or tell it again when a book is back", kiosk.AdviceLimit},
	{kiosk.Checkout, kiosk.ReasonOnHold, Except, "the patron has a book that waits for another: enter it by hand, or ask for it back", kiosk.AdviceBring},
	{kiosk.Checkout, kiosk.ReasonOnLoanOther, Except, "the book is with the patron of this kiosk: return it for the other, and tell it again", kiosk.AdviceIfYours},
	{kiosk.Checkout, kiosk.ReasonUnknownItem, Except, "enter the item in the catalogue, and tell it again", kiosk.AdviceShowBook},
	{kiosk.Checkout, kiosk.ReasonNotForLoan, Except, "withdrawn, or not for loan: enter it by hand, or ask for the book back", kiosk.AdviceBring},
	{kiosk.Checkout, kiosk.ReasonFeeRequired, Except, "lending it costs a fee: enter it by hand", kiosk.AdviceAccount},
	{kiosk.Checkout, "", Except, "the patron has the book: put right what is in the way and tell it again, or enter it by hand", kiosk.AdviceShowBook},

	{kiosk.Checkin, kiosk.ReasonUnknownItem, Except, "enter the item in the catalogue, and tell it again", kiosk.AdviceReturned},
	{kiosk.Checkin, "", Except, "the book is here: return it by hand", kiosk.AdviceReturned},

	{kiosk.Seen, kiosk.ReasonNotOnLoan, Settle, "", ""}, // as it should be
	{kiosk.Seen, kiosk.ReasonOnHold, Differ, "somebody waits for it: take it off the shelf", kiosk.AdviceAskStaff},
	{kiosk.Seen, "", Except, "it stands on the shelf: see to it by hand", kiosk.AdviceAskStaff},

	{kiosk.Renew, kiosk.ReasonUnknownCard, Except, "the card may have been merged, re-issued or deleted: renew it for the patron's new one", kiosk.AdviceShowCard},
	{kiosk.Renew, kiosk.ReasonCardExpired, Except, "renew the card, and tell it again", kiosk.AdviceShowCard},
	{kiosk.Renew, kiosk.ReasonCardLost, Except, "the card was reported lost: find out who has used it", kiosk.AdviceShowCard},
	{kiosk.Renew, kiosk.ReasonNotOnLoan, Except, "lend it by hand if the patron still has it", kiosk.AdviceIfYours},
	{kiosk.Renew, kiosk.ReasonOnLoanOther, Except, "find out who has it", kiosk.AdviceIfYours},
	{kiosk.Renew, kiosk.ReasonUnknownItem, Except, "enter the item in the catalogue, and tell it again", kiosk.AdviceShowBook},
	{kiosk.Renew, "", Except, "tell the patron that the due date before stands, or enter the new one by hand", kiosk.AdviceOldDate}, // a hold, too often, a block, fees
}

// grant is a line of the table of what comes of a yes.
type grant struct {
	kind  kiosk.Kind // empty: any
	when  func(granting) bool
	do    Action
	why   kiosk.Reason
	words string       // for staff, before how the due dates differ
	tell  kiosk.Advice // for the patron
}

// granting is what a grant is told by: an entry, the due date that the ILS has
// set, and how the item stood before and stands after.
type granting struct {
	entry         kiosk.Entry
	due           time.Time
	before, after kiosk.Standing
	route         kiosk.Route // where the ILS wants it to go
}

// grants is what to do when an entry was told and the ILS says yes. The first
// line that fits holds. A day more than was promised harms nobody: an ILS that
// ignores no-block counts from the day on which it is told, and one with closed
// days moves to an open one. A day less would have the patron pay for what the
// kiosk has said. And no-block takes a book from the hold shelf without a word
// to who waits for it.
var grants = []grant{
	{kiosk.Seen, awaited, Differ, kiosk.ReasonOnHold, "somebody waits for it: take it off the shelf", kiosk.AdviceAskStaff},
	{kiosk.Seen, yes, Settle, "", "", ""},
	{kiosk.Checkin, yes, Settle, "", "", ""},
	{kiosk.Checkout, stillAwaited, Differ, kiosk.ReasonOnHold, "lent, but it lay on the hold shelf for another patron, who still waits: tell them, or ask for it back", kiosk.AdviceBring},
	{"", dueEarlier, Differ, kiosk.ReasonDueEarlier, "", kiosk.AdviceNewDate},
	{"", yes, Settle, "", "", ""}, // as promised, or a day more
}

// The conditions of grants. Of a hold that was the patron's own, one less is
// left after the loan.
func yes(granting) bool { return true }
func awaited(g granting) bool {
	return g.route.For == kiosk.ForHold || g.route.For == kiosk.ForHoldElsewhere || g.route.For == kiosk.ForTransfer
}
func dueEarlier(g granting) bool { return earlier(g.due, g.entry.Due) }
func stillAwaited(g granting) bool {
	stays := g.before.Holds > 0 && g.after.Known && g.after.Holds >= g.before.Holds
	return g.before.Status == kiosk.StatusOnHold && (stays || g.before.Others)
}

// Advise is what the patron is told of an entry that calls for a person for
// this reason.
func Advise(k kiosk.Kind, why kiosk.Reason) kiosk.Advice {
	for _, c := range cases {
		if c.kind == k && c.why == why && c.tell != "" {
			return c.tell
		}
	}
	for _, g := range grants {
		if (g.kind == k || g.kind == "") && g.why == why && g.tell != "" {
			return g.tell
		}
	}
	if r, ok := refusalOf(k, why); ok && r.tell != "" {
		return r.tell
	}
	return kiosk.AdviceAskStaff
}

// refusalOf finds the line for a no; that without a reason is for all.
func refusalOf(k kiosk.Kind, why kiosk.Reason) (refusal, bool) {
	for _, r := range refusals {
		if r.kind == k && (r.why == why || r.why == "") {
			return r, true
		}
	}
	return refusal{}, false
}
