package outbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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
	Undo    Action = "undo"    // take it back: nobody was promised it
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
	// Undoes says that the ILS can take a loan back, and that this one may be: it
	// was asked for a moment ago, of an item whose tag still has the gate ring.
	Undoes bool
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

// Decide says what is to be done with an entry, given what the ILS has just
// said of its item.
func Decide(e kiosk.Entry, st kiosk.Standing, m Meanwhile) Verdict {
	h := maybe
	switch {
	case e.State == kiosk.Offline:
		h = never
	case e.State != kiosk.Unsure:
		return Verdict{Do: Wait} // Asked is the desk's, others are not queued
	case e.Due.IsZero() && e.Kind.Lends():
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
	if (c.do == Settle || c.do == Differ) && c.kind.Lends() {
		v.Due = f.Standing.Due
		if v.Text == "" {
			v.Text = compare(f.Entry.Due, v.Due)
		}
	}
	return v
}

// granted is what comes of a yes.
func granted(e granting) Verdict {
	v := Verdict{Due: e.due}
	for _, g := range grants {
		if (g.kind == e.entry.Kind || g.kind == "") && g.when(e) {
			v.Do, v.Reason, v.Text = g.do, g.why, g.words
			break
		}
	}
	v.Text = join(v.Text, compare(e.entry.Due, e.due))
	return v
}

// refused is what comes of a no.
func refused(e kiosk.Entry, no *kiosk.Error) Verdict {
	v := Verdict{Do: Except, Reason: cmp.Or(no.Reason, kiosk.ReasonAskStaff), Text: cmp.Or(no.Text, no.Error())}
	if r, ok := refusalOf(e.Kind, no.Reason); ok && no.Code == kiosk.CodeRefused {
		v.Do, v.Text = r.do, join(v.Text, r.words)
	}
	return v
}

// join puts words for staff behind others.
func join(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), "; ")
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
