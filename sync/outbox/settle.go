package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// task is the work on one entry. Several are under way at once, and none of
// them touches what is Run's own: what Run must know is in the task when it
// ends.
type task struct {
	*Worker
	kiosk.Queued
	retry time.Duration // until the next try, if this one is fruitless
	early time.Duration // until the other kiosks have told what they had to
	last  bool          // nothing that is queued says what became of its loan
	wasIn bool          // the ILS has said that the item is out to nobody
	place chan struct{} // for its first question: in the order of the queue

	events chan<- *task // takes nil when the lines are short of questions

	end   end
	err   error     // of the link or of the ledger
	heard time.Time // when the ILS answered last; zero: it did not
	sent  time.Time // when the entry was told; zero: it was not
}

// settle works on the entry: looks it up, decides, tells it if need be, and
// writes down what came of it.
func (t *task) settle(ctx context.Context) {
	if sendsUnseen {
		t.leave(t.place)
		t.place = nil
		t.tell(ctx, kiosk.Standing{})
		return
	}
	st, err := t.look(ctx)
	if e, ok := errors.AsType[*kiosk.Error](err); ok && e.Code == kiosk.CodeInvalid && e.Reason == "" {
		t.postpone(ctx, doubt, err) // a page for maintenance, say: it is no word on the entry
		return
	}
	if err != nil {
		t.unanswered(ctx, err)
		return
	}
	m := Meanwhile{Early: t.early > 0, WasIn: t.wasIn, Undoes: t.undoes()}
	switch v := Decide(t.Entry, st, m); v.Do {
	case Send:
		t.tell(ctx, st)
	case Undo:
		t.undo(ctx, v, st)
	case Defer:
		t.wasIn, t.retry = true, min(t.early, lastRetry)
		t.postpone(ctx, later, nil)
	default:
		t.conclude(ctx, v)
	}
}

// ask has one question under way, when one of the lines is free. One that tells
// what was looked up goes before others.
func (t *task) ask(ctx context.Context, tells bool, do func(ctx context.Context) error) error {
	place := t.place
	if t.place = nil; place == nil {
		place = t.lines.enter(tells)
	}
	defer t.leave(place)
	select {
	case <-place:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil { // also where both have come: select takes any
		return &kiosk.Error{Code: kiosk.CodeOffline, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, t.Deadline)
	defer cancel()
	err := do(ctx)
	if c := kiosk.CodeOf(err); c == "" || c == kiosk.CodeRefused || c == kiosk.CodeInvalid {
		t.heard = t.now()
	}
	return err
}

// leave gives a place back, and calls for more entries if there are lines for
// them. It does so in the way in which the task will tell that it has ended: of
// two channels Run would take any.
func (t *task) leave(place chan struct{}) {
	if t.lines.leave(place) {
		t.events <- nil
	}
}

func (t *task) look(ctx context.Context) (st kiosk.Standing, err error) {
	err = t.ask(ctx, false, func(ctx context.Context) error {
		st, err = t.up.Look(ctx, t.Item, t.Patron)
		return err
	})
	return st, err
}

// tell puts the entry to the ILS, after a mark on disk that this may have
// happened.
//
// With the mark of a return goes the due date of the loan that it ends: by that
// the loan is known again, if it must be looked up.
func (t *task) tell(ctx context.Context, st kiosk.Standing) {
	fresh := t.State != kiosk.Unsure
	if fresh {
		mark := kiosk.Outcome{State: kiosk.Unsure}
		if t.Kind == kiosk.Checkin && st.Status == kiosk.StatusOnLoan {
			mark.Due = st.Due
		}
		if !t.write(ctx, mark) {
			return
		}
	}
	var a kiosk.Answer
	err := t.ask(ctx, true, func(ctx context.Context) (err error) {
		a, err = t.up.Tell(ctx, t.Entry)
		t.sent = t.now()
		return err
	})
	if err != nil {
		if fresh && kiosk.CodeOf(err) == kiosk.CodeOffline && !t.write(ctx, kiosk.Outcome{State: kiosk.Offline}) {
			return // it was not told after all; the mark would have it looked up for nothing
		}
		t.unanswered(ctx, err)
		return
	}
	g := granting{entry: t.Entry, due: a.Due, before: st, route: a.Route}
	if t.Kind.Lends() && (a.Due.IsZero() || held(facts{Standing: st})) {
		g.after = t.afterwards(ctx)
		if g.due.IsZero() {
			g.due = g.after.Due
		}
	}
	v := granted(g)
	v.Text = join(v.Text, a.Words())
	t.conclude(ctx, v)
}

// undoWithin is how old a question may be whose loan is taken back. After that
// the book may have been to another desk, where the loan was found as it is.
const undoWithin = 3 * time.Minute

// undoes tells whether the loan of a question that was cut off may be taken
// back. Nothing was shown of it and no tag released: the patron may have left
// without the book, and must not owe it. With the book they come to the gate.
// An item without a tag is lent all the same, for nothing stops it; and so is
// one that the patron has been promised since.
//
// Where the library's system does not tell when a loan began, as by SIP2, one
// that the same patron had from another desk before is not known from it, and is
// taken back too: the simulation counts how often. It is for a pad to tell, by a
// tag that was released already when it was put down; none is asked yet.
func (t *task) undoes() bool {
	u, ok := t.up.(kiosk.Undoer)
	age := t.Date().Sub(t.At)
	return ok && u.Undoes() && t.last && len(t.Tags) > 0 && !t.Doubt && age >= 0 && age <= undoWithin
}

// undo takes a loan back. Where the ILS does not, after all, the loan stands.
// An answer that is lost shows in the next look.
func (t *task) undo(ctx context.Context, v Verdict, st kiosk.Standing) {
	err := t.ask(ctx, true, func(ctx context.Context) error {
		defer func() { t.sent = t.now() }()
		return t.up.(kiosk.Undoer).Undo(ctx, t.Entry)
	})
	switch kiosk.CodeOf(err) {
	case "":
		v.Do = Dismiss
		t.conclude(ctx, v)
	case kiosk.CodeRefused, kiosk.CodeInvalid:
		t.conclude(ctx, Decide(t.Entry, st, Meanwhile{}))
	default:
		t.unanswered(ctx, err)
	}
}

// afterwards looks at what was just granted: for its due date, where the answer
// does not tell it (Koha's to what is told with no-block), and for who waits.
// Zero where nothing is told.
func (t *task) afterwards(ctx context.Context) kiosk.Standing {
	st, err := t.look(ctx)
	if err != nil || st.Mine == kiosk.No {
		return kiosk.Standing{}
	}
	return st
}

// unanswered makes of a question that got no yes what its class says.
func (t *task) unanswered(ctx context.Context, err error) {
	e, ok := errors.AsType[*kiosk.Error](err)
	if !ok {
		e = &kiosk.Error{Code: kiosk.CodeInternal, Err: err}
	}
	switch e.Code {
	case kiosk.CodeRefused, kiosk.CodeInvalid:
		t.conclude(ctx, refused(t.Entry, e))
	case kiosk.CodeOffline:
		t.postpone(ctx, gone, err)
	case kiosk.CodeUnsure:
		t.postpone(ctx, doubt, err)
	default:
		t.postpone(ctx, later, fmt.Errorf("outbox: %s of %s: %w", t.Kind, t.Item, err))
	}
}

// states are those of verdicts that end the work on an entry.
var states = map[Action]kiosk.State{
	Settle: kiosk.Settled, Differ: kiosk.Differs, Dismiss: kiosk.Dismissed, Except: kiosk.Exception,
}

func (t *task) conclude(ctx context.Context, v Verdict) {
	s, ok := states[v.Do]
	if !ok {
		t.end = later
		return
	}
	t.write(ctx, kiosk.Outcome{State: s, Due: v.Due, Reason: v.Reason, Text: v.Text})
}

// write writes an outcome down, also when the worker is being stopped: the
// answer has come and would otherwise have to be asked for again.
func (t *task) write(ctx context.Context, o kiosk.Outcome) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTime)
	defer cancel()
	o.Entry, o.At = t.ID, t.Date()
	if err := t.box.Conclude(ctx, o); err != nil {
		t.end, t.err = broken, fmt.Errorf("outbox: %s is %s: %w", o.Entry, o.State, err)
		return false
	}
	return true
}

// postpone notes a fruitless try, and how the work ends by it.
func (t *task) postpone(ctx context.Context, how end, why error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerTime)
	defer cancel()
	at := t.Now().Add(t.retry)
	t.end, t.err = how, why
	if err := t.box.Postpone(ctx, t.ID, at.Round(time.Millisecond)); err != nil && how != gone {
		t.end, t.err = broken, fmt.Errorf("outbox: postpone %s: %w", t.ID, err)
	}
}
