package outbox

import (
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// The conditions of cases.
func always(facts) bool        { return true }
func unknownItem(f facts) bool { return !f.Known }
func mine(f facts) bool        { return f.Mine == kiosk.Yes }
func mineUndone(f facts) bool  { return mine(f) && out(f) && f.Undoes && !before(f) }
func mineEarlier(f facts) bool { return mine(f) && earlier(f.Standing.Due, f.Entry.Due) }
func anothers(f facts) bool    { return f.Status == kiosk.StatusOnLoan && f.Mine == kiosk.No }
func out(f facts) bool         { return f.Status == kiosk.StatusOnLoan }
func doubtful(f facts) bool    { return f.Doubt }
func held(f facts) bool        { return f.Status == kiosk.StatusOnHold }
func lost(f facts) bool        { return f.Status == kiosk.StatusLost || f.Status == kiosk.StatusMissing }
func withdrawn(f facts) bool   { return f.Status == kiosk.StatusWithdrawn }

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
