package outbox

import (
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Action is what is to be done with an entry.
type Action string

// The actions.
const (
	Wait    Action = "wait"    // it is not the worker's
	Send    Action = "send"    // tell the ILS: it has certainly not taken effect
	Settle  Action = "settle"  // it has taken effect
	Dismiss Action = "dismiss" // nothing was promised and nothing has happened
	Except  Action = "except"  // a person must see to it
)

// Verdict is an action and why.
type Verdict struct {
	Do     Action
	Due    time.Time    // Settle: the ILS's due date, if it gave one
	Reason kiosk.Reason // Except
	Text   string       // for staff
}

// Looks tells whether an entry is looked up before anything is done: it may
// have been told, an earlier one may have done what it would do, or it is a
// return, which would end whatever loan there is now.
func Looks(q kiosk.Queued) bool {
	return q.State == kiosk.Unsure || q.State == kiosk.Offline && (again(q) || q.Kind == kiosk.Checkin)
}

// again: a checkout of what the patron may have by an earlier entry. A second
// loan to the same patron would be a renewal.
func again(q kiosk.Queued) bool { return q.Again && q.Kind == kiosk.Checkout }

// Decide says what is to be done with an entry, given what the ILS has just
// said of its item. Where [Looks] says no, st does not matter.
func Decide(q kiosk.Queued, st kiosk.Standing) Verdict {
	e := q.Entry
	switch {
	case e.State == kiosk.Offline && again(q):
		return decideCheckout(e, st)
	case e.State == kiosk.Offline && e.Kind == kiosk.Checkin:
		return decideFirstCheckin(st)
	case e.State == kiosk.Offline:
		return Verdict{Do: Send}
	case e.State != kiosk.Unsure:
		return Verdict{Do: Wait} // Asked is the desk's, others are not queued
	case e.Kind == kiosk.Checkin:
		return decideCheckin(e, st)
	}
	v := decideRenew(e, st)
	if e.Kind == kiosk.Checkout {
		v = decideCheckout(e, st)
	}
	if !e.Due.IsZero() || v.Do == Settle || e.Kind == kiosk.Checkout && !sure(st) {
		return v
	}
	return Verdict{Do: Dismiss, Text: "interrupted before anything was promised"}
}

// Foresee says what would become of an entry if it were worked on now, as far
// as a look at its item tells: the ILS's rules for patrons do not show in it.
func Foresee(q kiosk.Queued, st kiosk.Standing) Verdict {
	if Looks(q) || q.State != kiosk.Offline {
		return Decide(q, st)
	}
	q.State = kiosk.Unsure
	if v := Decide(q, st); v.Do == Except {
		return v
	}
	return Verdict{Do: Send}
}

// sure tells whether the ILS has said clearly who has the item, or that nobody
// has. What is lost, or in a state of the ILS's own, may still be out.
func sure(st kiosk.Standing) bool {
	return !st.Known || st.Mine != kiosk.Unknown || here(st.Status)
}

func except(r kiosk.Reason, text string) Verdict { return Verdict{Do: Except, Reason: r, Text: text} }

func decideCheckout(e kiosk.Entry, st kiosk.Standing) Verdict {
	switch {
	case !st.Known:
		return except(kiosk.ReasonUnknownItem, "the ILS does not know the item")
	case st.Mine == kiosk.Yes:
		return settle(e, st.Due)
	case !sure(st):
		return except(kiosk.ReasonAskStaff, "it is "+string(st.Status)+", and the ILS does not tell whose")
	case st.Status != kiosk.StatusOnLoan:
		return Verdict{Do: Send}
	}
	return except(kiosk.ReasonOnLoanOther, "the ILS has it out to another patron")
}

// decideFirstCheckin: the copy was here, and the ILS has not heard of it. It
// hears it unless it has the copy out to another patron than was known here: a
// return would end that loan. Of what is in nobody's hands it hears as well,
// for a return finds who waits for it.
func decideFirstCheckin(st kiosk.Standing) Verdict {
	switch {
	case !st.Known:
		return except(kiosk.ReasonUnknownItem, "the ILS does not know the item")
	case st.Status == kiosk.StatusOnLoan && st.Mine == kiosk.No:
		return except(kiosk.ReasonOnLoanOther, "returned here, but the ILS has it out to another patron than was thought")
	}
	return Verdict{Do: Send}
}

// decideCheckin: the ILS may have heard of it. If it did, who has the copy now
// has lent it since. Where the ILS does not tell who that is, the loan is known
// by its due date, which was looked up before the return was told. What is
// lost, missing or withdrawn may still be out to somebody, and hearing twice of
// its return harms nobody.
func decideCheckin(e kiosk.Entry, st kiosk.Standing) Verdict {
	switch {
	case !st.Known:
		return except(kiosk.ReasonUnknownItem, "the ILS does not know the item")
	case st.Mine == kiosk.Yes:
		return Verdict{Do: Send}
	case st.Mine == kiosk.No && st.Status != kiosk.StatusOnLoan, here(st.Status):
		return Verdict{Do: Settle}
	case st.Mine == kiosk.No:
		return except(kiosk.ReasonOnLoanOther, "returned here, but the ILS has it out to another patron than was thought")
	case st.Status == kiosk.StatusOnLoan && (e.Due.IsZero() || !e.Due.Equal(st.Due)):
		return except(kiosk.ReasonAskStaff, "returned here, and the ILS has it out: still, or again since? It does not tell to whom")
	}
	return Verdict{Do: Send}
}

// here tells whether a copy in this state is out to nobody.
func here(s kiosk.ItemStatus) bool {
	return s == kiosk.StatusAvailable || s == kiosk.StatusOnHold || s == kiosk.StatusInTransit
}

// decideRenew tells a renewal that took effect by the due date: the promise
// is kept, or the loan has grown since. Days are compared and not hours, for
// many a due date is known to the day only; so the renewal of a loan of hours
// is not recognised.
func decideRenew(e kiosk.Entry, st kiosk.Standing) Verdict {
	switch {
	case !st.Known:
		return except(kiosk.ReasonUnknownItem, "the ILS does not know the item")
	case st.Mine != kiosk.Yes && st.Status != kiosk.StatusOnLoan:
		return except(kiosk.ReasonNotOnLoan, "renewed here, but the ILS does not have it out")
	case st.Mine == kiosk.No:
		return except(kiosk.ReasonOnLoanOther, "renewed here, but the ILS has it out to another patron")
	case st.Mine == kiosk.Unknown:
		return except(kiosk.ReasonAskStaff, "it is out, and the ILS does not tell to whom")
	case st.Due.IsZero():
		return except(kiosk.ReasonAskStaff, "the ILS does not tell when it is due: was it renewed?")
	case !e.Due.IsZero() && day(st.Due, st.Due) >= day(e.Due, st.Due):
		return settle(e, st.Due)
	case e.WasDue.IsZero():
		return except(kiosk.ReasonAskStaff, "due "+st.Due.Format(time.DateOnly)+" by the ILS, and it is not known what it was before: was it renewed?")
	case day(st.Due, st.Due) > day(e.WasDue, st.Due):
		return settle(e, st.Due)
	}
	return Verdict{Do: Send}
}

// settle keeps the ILS's due date, and says so where it is another day than
// was promised.
func settle(e kiosk.Entry, due time.Time) Verdict {
	v := Verdict{Do: Settle, Due: due}
	if !due.IsZero() && !e.Due.IsZero() && day(due, due) != day(e.Due, due) {
		v.Text = fmt.Sprintf("promised until %s, due %s by the ILS",
			e.Due.In(due.Location()).Format(time.DateOnly), due.Format(time.DateOnly))
	}
	return v
}

// day numbers the calendar days in the zone of in.
func day(t, in time.Time) int64 {
	y, m, d := t.In(in.Location()).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}
