package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Foresight tells what would come of a queue if it were told now, and tells
// nothing. It is asked of one entry after the other, in their order: what
// stands behind another of its item is judged by what that one will have made
// of it.
type Foresight struct {
	up      kiosk.Upstream
	now     time.Time
	items   map[kiosk.Barcode]made
	patrons map[kiosk.Card]*kiosk.Error // why they may not borrow; nil: they may
	desks   map[kiosk.Barcode]bool      // something of the desk's is under way
}

// made is what an entry before will have made of an item.
type made struct {
	kiosk.Standing
	who kiosk.Card
}

// Foresee begins with an ILS, at a time of its clock.
func Foresee(up kiosk.Upstream, now time.Time) *Foresight {
	return &Foresight{up: up, now: now, items: map[kiosk.Barcode]made{}, patrons: map[kiosk.Card]*kiosk.Error{}, desks: map[kiosk.Barcode]bool{}}
}

// Next is what would come of the next entry of the queue. An error says that
// the ILS can't be asked.
func (f *Foresight) Next(ctx context.Context, e kiosk.Entry) (Verdict, error) {
	st, err := f.standing(ctx, e)
	if err != nil {
		return Verdict{}, err
	}
	if f.desks[e.Item] {
		return Verdict{Do: Wait}, nil
	}
	v := Decide(e, st, Meanwhile{})
	if v.Do == Wait {
		f.desks[e.Item] = true
	}
	if v.Do != Send {
		return v, nil
	}
	if e.Kind.Lends() {
		no, err := f.bars(ctx, e.Patron)
		switch {
		case err != nil:
			return Verdict{}, err
		case no != nil:
			return refused(e, no), nil
		}
	}
	f.items[e.Item] = become(e)
	return v, nil
}

// standing is how an item will stand when the entry is told.
func (f *Foresight) standing(ctx context.Context, e kiosk.Entry) (kiosk.Standing, error) {
	m, ok := f.items[e.Item]
	if !ok {
		return f.up.Look(ctx, e.Item, e.Patron)
	}
	switch {
	case m.Status != kiosk.StatusOnLoan:
		m.Mine = kiosk.No
	case e.Patron == "":
	case e.Patron == m.who:
		m.Mine = kiosk.Yes
	default:
		m.Mine = kiosk.No
	}
	return m.Standing, nil
}

// become is what an entry makes of its item.
func become(e kiosk.Entry) made {
	if !e.Kind.Lends() {
		return made{Standing: kiosk.Standing{Known: true, Status: kiosk.StatusAvailable}}
	}
	return made{kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Due: e.Due}, e.Patron}
}

// bars is why the ILS will not lend to a card, as far as it says so now.
func (f *Foresight) bars(ctx context.Context, c kiosk.Card) (no *kiosk.Error, err error) {
	if no, ok := f.patrons[c]; ok {
		return no, nil
	}
	p, err := f.up.Identify(ctx, c, "")
	refusal, _ := errors.AsType[*kiosk.Error](err)
	switch {
	case refusal != nil && refusal.Code == kiosk.CodeRefused:
		no = refusal
	case err != nil:
		return nil, err
	case p.Blocked != "":
		no = &kiosk.Error{Code: kiosk.CodeRefused, Reason: p.Blocked, Text: p.BlockText}
	case !p.Expires.IsZero() && !f.now.Before(p.Expires):
		no = &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonCardExpired}
	}
	if h, ok := f.up.(heeder); ok && h.HeedsNoBlock() && no != nil && overridden[no.Reason] {
		no = nil
	}
	f.patrons[c] = no
	return no, nil
}

// heeder is an Upstream that knows whether the ILS lends by no-block what it
// would refuse to who stands there asking.
type heeder interface{ HeedsNoBlock() bool }

// overridden is what no-block overrides, where it is heeded; Koha refuses a
// card that is barred all the same.
var overridden = map[kiosk.Reason]bool{
	kiosk.ReasonCardExpired: true, kiosk.ReasonFees: true, kiosk.ReasonOverdue: true, kiosk.ReasonTooMany: true,
}
