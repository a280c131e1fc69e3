package outbox

import (
	"cmp"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Action is what is to be done with an entry.
type Action string

// The actions.
const (
	Wait    Action = "wait"    // it is not the worker's
	Send    Action = "send"    // tell the ILS
	Defer   Action = "defer"   // tell it later: another kiosk may have to tell something first
	Settle  Action = "settle"  // it has taken effect, or need not
	Differ  Action = "differ"  // it has taken effect, otherwise than was promised: a person must see to it
	Dismiss Action = "dismiss" // nothing was promised and nothing has happened
	Except  Action = "except"  // it has not taken effect: a person must see to it
)

// Verdict is an action and why.
type Verdict struct {
	Do     Action
	Due    time.Time    // Settle and Differ: the ILS's due date, if it gave one
	Reason kiosk.Reason // Except and Differ
	Text   string       // for staff
}

// heard tells whether the ILS has heard of an entry.
type heard int

const (
	ever     heard = iota // in a case: whatever it has heard
	never                 // certainly not
	maybe                 // it may have, and it was promised or is done
	unspoken              // it may have, and nobody was promised anything: a process ended between question and answer
)

// Meanwhile is what is known besides.
type Meanwhile struct {
	// Early says that the ILS has been back for so short a time that other
	// kiosks may still have to tell what happened before the entry.
	Early bool
	// WasIn says that the ILS had the item out to nobody, when it was asked
	// before.
	WasIn bool
}

// facts are what a case is told by.
type facts struct {
	kiosk.Entry
	kiosk.Standing
	Meanwhile
}

// oneCase is a line of the table: of entries of a kind, of which the ILS has
// heard so much, and for which it is so, this is done.
type oneCase struct {
	kind  kiosk.Kind
	heard heard
	when  func(facts) bool
	do    Action
	why   kiosk.Reason
	words string // for staff
}

// cases is what to do with each kind of entry, once the ILS has said how its
// item stands. The first line that fits holds; the last of each kind fits all.
//
// A look is item information, and patron information where the item may be out;
// Send is the message of the kind (checkout, checkin, renew), with no-block and
// the entry's own dates where the ILS heeds them. What an ILS says of the
// patron (a card that is barred, expired, merged or re-issued, a limit, fees)
// and of the item (a hold) shows only then, and stands in [refusals]. What it
// grants otherwise than promised (a closed day) stands in [granted].
var cases = []oneCase{
	{kiosk.Checkout, unspoken, mine, Settle, "", ""},
	{kiosk.Checkout, unspoken, unclear, Except, kiosk.ReasonAskStaff, "interrupted, and the ILS does not tell who has it"},
	{kiosk.Checkout, unspoken, always, Dismiss, "", "interrupted before anything was promised"},
	{kiosk.Checkout, ever, unknownItem, Except, kiosk.ReasonUnknownItem, "the ILS does not know the item"},
	{kiosk.Checkout, ever, mineEarlier, Differ, kiosk.ReasonDueEarlier, ""},
	{kiosk.Checkout, ever, mine, Settle, "", ""}, // told before and not heard of, or told by somebody else
	{kiosk.Checkout, ever, anothersSince, Except, kiosk.ReasonOnLoanOther, "the ILS has lent it to another patron since: it has come back in between, not here"},
	{kiosk.Checkout, ever, anothersBefore, Except, kiosk.ReasonOnLoanOther, "by the ILS it never came back from another patron, from before it was lent here"},
	{kiosk.Checkout, ever, anothers, Except, kiosk.ReasonOnLoanOther, "the ILS has it out to another patron"},
	{kiosk.Checkout, ever, out, Except, kiosk.ReasonAskStaff, "it is out, and the ILS does not tell to whom"},
	{kiosk.Checkout, maybe, unclear, Except, kiosk.ReasonAskStaff, "the ILS does not tell who has it"},
	{kiosk.Checkout, ever, doubtful, Except, kiosk.ReasonClock, "lent when the kiosk's clock was wrong: its due date is not to be relied on"},
	{kiosk.Checkout, ever, always, Send, "", ""}, // in the house, held, in transit, lost or withdrawn, and nobody's

	{kiosk.Checkin, ever, unknownItem, Except, kiosk.ReasonUnknownItem, "the ILS does not know the item"},
	{kiosk.Checkin, never, inHouseEarly, Defer, "", "by the ILS it is not out: perhaps another kiosk has lent it, and could not tell yet"},
	{kiosk.Checkin, never, inHouse, Send, "", ""}, // returned elsewhere meanwhile, or never lent: who waits for it is found so
	{kiosk.Checkin, ever, inHouse, Settle, "", ""},
	{kiosk.Checkin, ever, before, Send, "", ""}, // whoever it is out to
	{kiosk.Checkin, never, outSinceLooked, Except, kiosk.ReasonOnLoanOther, "returned here; the ILS did not have it out then, and has now: was it lent before it came back, or again?"},
	{kiosk.Checkin, ever, anothersSince, Settle, "", "the ILS has lent it to another patron since"},
	{kiosk.Checkin, maybe, mineAnew, Except, kiosk.ReasonAskStaff, "returned here, and the ILS has it out to the same patron until another day: still, or again since?"},
	{kiosk.Checkin, ever, mine, Send, "", ""},
	{kiosk.Checkin, ever, anothers, Except, kiosk.ReasonOnLoanOther, "returned here, but the ILS has it out to another patron than was thought"},
	{kiosk.Checkin, never, always, Send, "", ""},
	{kiosk.Checkin, ever, nobodys, Settle, "", ""},
	{kiosk.Checkin, ever, outSinceAsked, Except, kiosk.ReasonAskStaff, "returned here, and the ILS has it out: still, or again since? It does not tell to whom"},
	{kiosk.Checkin, ever, always, Send, "", ""}, // lost or missing: to hear twice that it is back harms nobody

	{kiosk.Renew, unspoken, longer, Settle, "", ""},
	{kiosk.Renew, unspoken, always, Dismiss, "", "interrupted before anything was promised"},
	{kiosk.Renew, ever, unknownItem, Except, kiosk.ReasonUnknownItem, "the ILS does not know the item"},
	{kiosk.Renew, ever, inHouse, Except, kiosk.ReasonNotOnLoan, "renewed here, but the ILS does not have it out"},
	{kiosk.Renew, ever, anothers, Except, kiosk.ReasonOnLoanOther, "renewed here, but the ILS has it out to another patron"},
	{kiosk.Renew, ever, nobodys, Except, kiosk.ReasonNotOnLoan, "renewed here, but the ILS does not have it out"},
	{kiosk.Renew, ever, asPromised, Settle, "", ""},
	{kiosk.Renew, ever, doubtful, Except, kiosk.ReasonClock, "renewed when the kiosk's clock was wrong: its due date is not to be relied on"},
	{kiosk.Renew, never, always, Send, "", ""},
	{kiosk.Renew, ever, whoseUnknown, Except, kiosk.ReasonAskStaff, "the ILS does not tell who has it: was it renewed?"},
	{kiosk.Renew, ever, whenUnknown, Except, kiosk.ReasonAskStaff, "the ILS does not tell when it is due, or it is not known what that was before: was it renewed?"},
	{kiosk.Renew, ever, longer, Differ, kiosk.ReasonDueEarlier, ""},
	{kiosk.Renew, ever, always, Send, "", ""},
}

// The conditions of cases.
func always(facts) bool        { return true }
func unknownItem(f facts) bool { return !f.Known }
func mine(f facts) bool        { return f.Mine == kiosk.Yes }
func mineEarlier(f facts) bool { return mine(f) && earlier(f.Standing.Due, f.Entry.Due) }
func anothers(f facts) bool    { return f.Status == kiosk.StatusOnLoan && f.Mine == kiosk.No }
func out(f facts) bool         { return f.Status == kiosk.StatusOnLoan }
func doubtful(f facts) bool    { return f.Doubt }

// anothersSince and before: where the ILS tells when a loan began. Its clock is
// not the kiosk's: what lies within the time by which clocks may differ says
// nothing, and neither does the time of a clock that was in doubt. Of the
// card's own loan a later beginning says nothing either: it may be the one that
// this kiosk was late to tell.
func anothersSince(f facts) bool {
	return anothers(f) && f.told() && f.Since.After(f.At.Add(clocksDiffer))
}
func before(f facts) bool         { return out(f) && f.told() && f.Since.Before(f.At.Add(-clocksDiffer)) }
func anothersBefore(f facts) bool { return anothers(f) && before(f) }
func (f facts) told() bool        { return !f.Doubt && !f.Since.IsZero() }

// clocksDiffer is by how much the clocks of the kiosk and the ILS may differ;
// kiosk.Clock takes no more for right.
const clocksDiffer = 5 * time.Minute

// mineAnew: the loan that a return ends is known by its due date, which was
// looked up before the return was told and kept with it.
func mineAnew(f facts) bool {
	return mine(f) && out(f) && !f.Entry.Due.IsZero() && !f.Standing.Due.IsZero() && !f.Entry.Due.Equal(f.Standing.Due)
}

// inHouse: the copy is out to nobody.
func inHouse(f facts) bool {
	switch f.Status {
	case kiosk.StatusAvailable, kiosk.StatusOnHold, kiosk.StatusInTransit:
		return f.Mine != kiosk.Yes
	}
	return false
}

// After an outage a copy may have come back to one kiosk that another has lent.
// Which of the two tells of it first is chance, and the return of what is not
// out must not be lost: the loan told after it would be the patron's for ever.
func inHouseEarly(f facts) bool   { return inHouse(f) && f.Early }
func outSinceLooked(f facts) bool { return out(f) && f.WasIn }

// nobodys: the card does not have it, and nobody else does: lost, say.
func nobodys(f facts) bool { return f.Mine == kiosk.No && f.Status != kiosk.StatusOnLoan }

// unclear: what is lost, or in a state of the ILS's own, may still be out to
// the card.
func unclear(f facts) bool { return f.Known && whoseUnknown(f) && !inHouse(f) }

func whoseUnknown(f facts) bool { return f.Mine == kiosk.Unknown }

// outSinceAsked: the same where the ILS does not tell who has a copy; there a
// loan without a due date is another.
func outSinceAsked(f facts) bool {
	return out(f) && (f.Entry.Due.IsZero() || !f.Entry.Due.Equal(f.Standing.Due))
}

// A renewal that took effect is told by the due date: the promise is kept, or
// the loan has grown since. Days are compared and not hours, for many a due
// date is known to the day only; so the renewal of a loan of hours is not
// recognised.
func asPromised(f facts) bool {
	return mine(f) && !f.Entry.Due.IsZero() && !f.Standing.Due.IsZero() && !earlier(f.Standing.Due, f.Entry.Due)
}
func whenUnknown(f facts) bool { return f.Standing.Due.IsZero() || f.WasDue.IsZero() }
func longer(f facts) bool {
	return mine(f) && !f.WasDue.IsZero() && earlier(f.WasDue.In(f.Standing.Due.Location()), f.Standing.Due)
}

// refusal is a line of the table of what comes of a no.
type refusal struct {
	kind  kiosk.Kind // empty: any
	why   kiosk.Reason
	do    Action
	words string // for staff, behind the ILS's own; the patron's are those of the reason on the screen
}

// refusals is what to do when an entry was told and the ILS says no. The first
// two noes say that it is done already. Any other is an exception: nothing was
// changed there, and a person must see to it. An ILS that ignores no-block
// says these of what happened long ago as if somebody stood there asking.
var refusals = []refusal{
	{kiosk.Checkout, kiosk.ReasonOnLoanYou, Settle, ""}, // told twice, or lent by somebody else
	{kiosk.Checkin, kiosk.ReasonNotOnLoan, Settle, ""},  // told twice, or returned elsewhere

	{"", kiosk.ReasonUnknownCard, Except, "the card may have been merged, re-issued or deleted: enter it for the patron's new one"},
	{"", kiosk.ReasonCardExpired, Except, "renew the card, and tell it again"},
	{"", kiosk.ReasonCardLost, Except, "the card was reported lost: find out who has used it"},
	{"", kiosk.ReasonCardBlocked, Except, "lift the block and tell it again, or enter it by hand: the patron has the book"},
	{"", kiosk.ReasonFees, Except, "settle or waive the fees and tell it again, or enter it by hand: the patron has the book"},
	{"", kiosk.ReasonOverdue, Except, "tell it again when the overdue books are back, or enter it by hand: the patron has the book"},
	{kiosk.Checkout, kiosk.ReasonTooMany, Except, "over the limit: enter it by hand, or tell it again when a book is back"},
	{"", kiosk.ReasonOnHold, Except, "the patron has a book that waits for another: enter it by hand, or ask for it back"},
	{"", kiosk.ReasonOnLoanOther, Except, "the book is with the patron of this kiosk: return it for the other, and tell it again"},
	{"", kiosk.ReasonUnknownItem, Except, "enter the item in the catalogue, and tell it again"},
	{"", kiosk.ReasonNotForLoan, Except, "withdrawn, or not for loan: enter it by hand, or ask for the book back"},
	{kiosk.Checkout, kiosk.ReasonFeeRequired, Except, "lending it costs a fee: enter it by hand"},
	{kiosk.Renew, kiosk.ReasonNoRenewal, Except, "tell the patron that the due date before stands, or enter the new one by hand"},
	{kiosk.Renew, kiosk.ReasonNotOnLoan, Except, "lend it by hand if the patron still has it"},
}

// Decide says what is to be done with an entry, given what the ILS has just
// said of its item.
func Decide(e kiosk.Entry, st kiosk.Standing, m Meanwhile) Verdict {
	h := maybe
	switch {
	case e.State == kiosk.Offline:
		h = never
	case e.State != kiosk.Unsure:
		return Verdict{Do: Wait} // Asked is the desk's, others are not queued
	case e.Due.IsZero() && e.Kind != kiosk.Checkin:
		h = unspoken
	}
	f := facts{e, st, m}
	for _, c := range cases {
		if c.kind == e.Kind && (c.heard == ever || c.heard == h) && c.when(f) {
			return c.verdict(f)
		}
	}
	return Verdict{Do: Except, Reason: kiosk.ReasonAskStaff, Text: "an entry of kind " + string(e.Kind)}
}

func (c oneCase) verdict(f facts) Verdict {
	v := Verdict{Do: c.do, Reason: c.why, Text: c.words}
	if (c.do == Settle || c.do == Differ) && c.kind != kiosk.Checkin {
		v.Due = f.Standing.Due
		if v.Text == "" {
			v.Text = compare(f.Entry.Due, v.Due)
		}
	}
	return v
}

// granted is what comes of a yes. A day more than was promised harms nobody: an
// ILS that does not know no-block counts from the day on which it is told, and
// one with closed days moves to an open one. A day less would have the patron
// pay for what the kiosk has said.
func granted(e kiosk.Entry, a kiosk.Answer) Verdict {
	v := Verdict{Do: Settle, Due: a.Due, Text: compare(e.Due, a.Due)}
	if e.Kind != kiosk.Checkin && earlier(a.Due, e.Due) {
		v.Do, v.Reason = Differ, kiosk.ReasonDueEarlier
	}
	return v
}

// refused is what comes of a no.
func refused(e kiosk.Entry, no *kiosk.Error) Verdict {
	v := Verdict{Do: Except, Reason: cmp.Or(no.Reason, kiosk.ReasonAskStaff), Text: cmp.Or(no.Text, no.Error())}
	for _, r := range refusals {
		if no.Code == kiosk.CodeRefused && (r.kind == e.Kind || r.kind == "") && r.why == no.Reason {
			v.Do = r.do
			if r.words != "" {
				v.Text += "; " + r.words
			}
		}
	}
	return v
}

// compare says that the ILS's due date is another day than was promised, if so.
func compare(promised, due time.Time) string {
	if due.IsZero() || promised.IsZero() || day(due, due) == day(promised, due) {
		return ""
	}
	return fmt.Sprintf("promised until %s, due %s by the ILS",
		promised.In(due.Location()).Format(time.DateOnly), due.Format(time.DateOnly))
}

// earlier tells whether a due date is an earlier day than another; false if
// one of them is not known.
func earlier(due, than time.Time) bool {
	return !due.IsZero() && !than.IsZero() && day(due, due) < day(than, due)
}

// day numbers the calendar days in the zone of in.
func day(t, in time.Time) int64 {
	y, m, d := t.In(in.Location()).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}
