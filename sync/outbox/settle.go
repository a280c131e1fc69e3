package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// settle works on one entry. The error is that of the link or of the ledger,
// for ends gone and broken.
func (w *Worker) settle(ctx context.Context, q kiosk.Queued) (end, error) {
	var st kiosk.Standing
	if Looks(q) {
		var err error
		if st, err = w.look(ctx, q.Entry); err != nil {
			return w.unanswered(ctx, q, err)
		}
	}
	v := Decide(q, st)
	if v.Do == Send {
		return w.tell(ctx, q, st)
	}
	o := kiosk.Outcome{Entry: q.ID, Due: v.Due, Reason: v.Reason, Text: v.Text}
	switch v.Do {
	case Settle:
		o.State = kiosk.Settled
	case Dismiss:
		o.State = kiosk.Dismissed
	case Except:
		o.State = kiosk.Exception
	default:
		return later, nil
	}
	return w.conclude(ctx, o)
}

func (w *Worker) look(ctx context.Context, e kiosk.Entry) (kiosk.Standing, error) {
	ctx, cancel := context.WithTimeout(ctx, w.Deadline)
	defer cancel()
	st, err := w.up.Look(ctx, e.Item, e.Patron)
	if err == nil {
		w.heard = w.now()
	}
	return st, err
}

// tell puts an entry to the ILS, after a mark on disk that this may have
// happened, and writes down what came of it.
//
// With the mark of a return goes the due date of the loan that it ends: by that
// the loan is known again, if it must be looked up.
func (w *Worker) tell(ctx context.Context, q kiosk.Queued, st kiosk.Standing) (end, error) {
	if q.State != kiosk.Unsure {
		mark := kiosk.Outcome{Entry: q.ID, State: kiosk.Unsure}
		if q.Kind == kiosk.Checkin && st.Status == kiosk.StatusOnLoan {
			mark.Due = st.Due
		}
		if end, err := w.conclude(ctx, mark); end != done {
			return end, err
		}
	}
	tctx, cancel := context.WithTimeout(ctx, w.Deadline)
	defer cancel()
	a, err := w.up.Tell(tctx, q.Entry)
	w.sent[q.ID] = w.now()
	if err != nil {
		return w.unanswered(ctx, q, err)
	}
	w.heard = w.now()
	v := settle(q.Entry, a.Due)
	return w.conclude(ctx, kiosk.Outcome{
		Entry: q.ID, State: kiosk.Settled, Due: v.Due, Text: note(v.Text, a),
	})
}

// note gathers what staff should know of a yes.
func note(text string, a kiosk.Answer) string {
	words := []string{text, a.Text, a.DueText}
	if a.Renewed && a.Text == "" {
		words = append(words, "renewed")
	}
	if a.Alert && a.Text == "" {
		words = append(words, "staff must look at it")
	}
	var out []string
	for _, s := range words {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, "; ")
}

// unanswered makes of a question that got no yes what its class says.
func (w *Worker) unanswered(ctx context.Context, q kiosk.Queued, err error) (end, error) {
	e, ok := errors.AsType[*kiosk.Error](err)
	if !ok {
		e = &kiosk.Error{Code: kiosk.CodeInternal, Err: err}
	}
	switch e.Code {
	case kiosk.CodeRefused, kiosk.CodeInvalid:
		w.heard = w.now()
		return w.conclude(ctx, refusal(q.Entry, e))
	case kiosk.CodeOffline:
		return w.postpone(ctx, q, gone, err)
	case kiosk.CodeUnsure:
		w.heard = time.Time{}
		return w.postpone(ctx, q, doubt, err)
	}
	w.trouble(fmt.Errorf("outbox: %s of %s: %w", q.Kind, q.Item, err))
	return w.postpone(ctx, q, later, err)
}

// refusal is what a no comes to: some say that it is done already.
func refusal(e kiosk.Entry, no *kiosk.Error) kiosk.Outcome {
	o := kiosk.Outcome{Entry: e.ID, State: kiosk.Exception, Reason: no.Reason, Text: no.Text}
	if o.Text == "" {
		o.Text = no.Error()
	}
	switch {
	case no.Code == kiosk.CodeRefused && e.Kind == kiosk.Checkin && no.Reason == kiosk.ReasonNotOnLoan,
		no.Code == kiosk.CodeRefused && e.Kind == kiosk.Checkout && no.Reason == kiosk.ReasonOnLoanYou:
		o.State = kiosk.Settled
	case o.Reason == "":
		o.Reason = kiosk.ReasonAskStaff
	}
	return o
}

// conclude writes an outcome down, also when the worker is being stopped: the
// answer has come and would otherwise have to be asked for again.
func (w *Worker) conclude(ctx context.Context, o kiosk.Outcome) (end, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTime)
	defer cancel()
	o.At = w.Now()
	if err := w.box.Conclude(ctx, o); err != nil {
		return broken, fmt.Errorf("outbox: %s is %s: %w", o.Entry, o.State, err)
	}
	return done, nil
}

// postpone notes a fruitless try, and gives how the work on q ends.
func (w *Worker) postpone(ctx context.Context, q kiosk.Queued, how end, why error) (end, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerTime)
	defer cancel()
	at := w.Now().Add(w.backoff(firstRetry, lastRetry, q.Attempts))
	if err := w.box.Postpone(ctx, q.ID, at.Round(time.Millisecond)); err != nil && how != gone {
		return broken, fmt.Errorf("outbox: postpone %s: %w", q.ID, err)
	}
	return how, why
}
