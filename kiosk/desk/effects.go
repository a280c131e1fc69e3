package desk

import (
	"context"
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// lookTime is how long the desk waits for the mirror. A lookup takes a tenth of
// a millisecond from memory and a few from a card.
const lookTime = 5 * time.Millisecond

// storeTime is how long the desk waits for the ledger. A quick disk is done by
// then, and the browsers need not draw a line that waits; a card takes longer
// and is not waited for.
const storeTime = time.Millisecond

// do sends an effect into its lane; what comes of it returns as an event, most
// often through the inbox, a quick look or store at once.
func (d *Desk) do(e kiosk.Effect) kiosk.Event {
	switch e := e.(type) {
	case kiosk.Look:
		if ev, ok := d.looks.soon(lookTime, func(ctx context.Context) kiosk.Event { return d.look(ctx, e) }); ok {
			return ev
		}
	case kiosk.Identify:
		online := d.online
		d.idents.add(func(ctx context.Context) kiosk.Event { return d.identify(ctx, e, online) })
	case kiosk.Record:
		e.Entry.At, e.Entry.Doubt, e.Entry.Up = d.Clock.Stamp(e.Entry.At)
		if ev, ok := d.stores.soon(storeTime, func(ctx context.Context) kiosk.Event { return d.record(ctx, e.Entry) }); ok {
			return ev
		}
	case kiosk.Conclude:
		e.Outcome.At = d.Clock.Follow(e.Outcome.At)
		d.conclude(e.Outcome)
	case kiosk.Attach:
		at := d.now()
		d.stores.add(func(ctx context.Context) kiosk.Event {
			return kiosk.Attached{Entry: e.Entry, Tag: e.Tag, Err: d.Ledger.Attach(ctx, e.Entry, e.Tag, at)}
		})
	case kiosk.Keep:
		at := d.now()
		d.tags.add(func(ctx context.Context) kiosk.Event { return d.keep(ctx, e, at) })
	case kiosk.Mend:
		at, online := d.now(), d.online
		d.tags.add(func(ctx context.Context) kiosk.Event { return d.mend(ctx, e.Tag, at, online) })
	case kiosk.FetchAccount:
		online := d.online
		d.idents.add(func(ctx context.Context) kiosk.Event { return d.account(ctx, e.Card, online) })
	case kiosk.FindTitles:
		n := d.sought.Add(1)
		d.seeks.add(func(ctx context.Context) kiosk.Event { return d.findTitles(ctx, e, n) })
	case kiosk.AskHold:
		d.idents.add(func(ctx context.Context) kiosk.Event { return d.askHold(ctx, e) })
	case kiosk.Deliver:
		lane := &d.prints
		if e.How == kiosk.Mail {
			lane = &d.mails
		}
		lane.add(func(ctx context.Context) kiosk.Event { return d.deliver(ctx, e) })
	case kiosk.Ask:
		d.asks.add(func(ctx context.Context) kiosk.Event { return d.ask(ctx, e.Entry) })
	}
	return nil
}

// look reads the mirror.
func (d *Desk) look(ctx context.Context, e kiosk.Look) kiosk.Found {
	ctx = context.WithoutCancel(ctx) // nothing here is worth giving up, and each watched query costs a goroutine
	f := kiosk.Found{Line: e.Line}
	if e.Item == "" && e.ISBN != "" {
		f.Items, f.Err = d.Mirror.Copies(ctx, e.ISBN, 2)
		if len(f.Items) != 1 {
			return f
		}
		e.Item = f.Items[0].Barcode
	}
	c, err := d.Mirror.Copy(ctx, e.Item)
	if err != nil {
		f.Err = err
		return f
	}
	if c.Known {
		f.Items = []kiosk.Item{c.Item}
	}
	if f.Loan, f.OnLoan, f.Unsettled = c.Loan, c.OnLoan, c.Unsettled; d.Gates {
		if c.Tagged { // most have none, and need not be asked for them
			f.Tags, f.Err = d.Mirror.Tags(ctx, e.Item)
		}
		f.Pad = d.Pad == nil || d.Pad()
	}
	return f
}

// identify asks upstream, and the mirror if upstream is away.
func (d *Desk) identify(ctx context.Context, e kiosk.Identify, online bool) kiosk.Event {
	ev := kiosk.Identified{Card: e.Card, Err: &kiosk.Error{Code: kiosk.CodeOffline}}
	if d.Upstream != nil && online {
		ask, cancel := context.WithTimeout(ctx, d.Deadline)
		ev.Patron, ev.Err = d.Upstream.Identify(ask, e.Card, e.PIN)
		cancel()
		d.watchLink(ctx, ev.Err)
		d.refusePIN(e, ev.Err)
	}
	switch kiosk.CodeOf(ev.Err) {
	case "":
		if err := d.Mirror.LearnPatron(ctx, ev.Patron); err != nil {
			d.Log.Warn("desk: learn patron", "err", err)
		}
		d.keepPIN(e, ev.Patron)
	case kiosk.CodeOffline, kiosk.CodeUnsure:
		p, err := d.Mirror.Patron(ctx, e.Card)
		switch {
		case err == nil:
			p.Local, p.PINChecked = true, false
			ev.Patron, ev.Err = d.checkPIN(ctx, e, p)
		case !errors.Is(err, kiosk.ErrUnknown):
			ev.Err = err
		}
	}
	if ev.Err != nil {
		d.learnRefused(ctx, e, ev.Err)
		if kiosk.CodeOf(ev.Err) == kiosk.CodeInternal {
			d.Log.Error("desk: identify", "err", ev.Err)
		}
		return ev
	}
	card := ev.Patron.Card
	if card == "" {
		card = e.Card
	}
	loans, err := d.Mirror.Loans(ctx, card)
	if err != nil {
		d.Log.Error("desk: loans", "err", err)
	}
	ev.Loans = len(loans)
	if ev.Patron.Local && ev.Loans > 0 { // else the ILS is there, and says itself what it thinks of the patron
		if ev.Untold, err = d.Mirror.Untold(ctx, card); err != nil {
			d.Log.Error("desk: loans", "err", err)
		}
	}
	return ev
}

// keepPIN remembers a PIN that upstream has accepted, beside the patron's way.
func (d *Desk) keepPIN(e kiosk.Identify, p kiosk.Patron) {
	if d.PINs == nil || e.PIN == "" || !p.PINChecked {
		return
	}
	d.pins.add(func(ctx context.Context) kiosk.Event {
		if err := d.PINs.KeepPIN(ctx, e.Card, e.PIN); err != nil && ctx.Err() == nil {
			d.Log.Warn("desk: a PIN was not kept", "err", err)
		}
		return nil
	})
}

// refusePIN forgets a PIN that upstream refuses: it may have accepted it before
// the patron has changed it.
func (d *Desk) refusePIN(e kiosk.Identify, err error) {
	no, _ := errors.AsType[*kiosk.Error](err)
	if d.PINs == nil || e.PIN == "" || no == nil || no.Code != kiosk.CodeRefused || no.Reason != kiosk.ReasonWrongPIN {
		return
	}
	d.pins.add(func(ctx context.Context) kiosk.Event {
		if err := d.PINs.RefusePIN(ctx, e.Card, e.PIN); err != nil && ctx.Err() == nil {
			d.Log.Warn("desk: a PIN that is refused was not forgotten", "err", err)
		}
		return nil
	})
}

// checkPIN compares a PIN with the one that upstream has accepted last. Where
// it never did, the PIN stays unchecked.
func (d *Desk) checkPIN(ctx context.Context, e kiosk.Identify, p kiosk.Patron) (kiosk.Patron, error) {
	if d.PINs == nil || e.PIN == "" {
		return p, nil
	}
	ok, err := d.PINs.CheckPIN(ctx, e.Card, e.PIN)
	switch {
	case errors.Is(err, kiosk.ErrUnknown):
	case err != nil:
		d.Log.Error("desk: check PIN", "err", err)
	case !ok:
		return p, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonWrongPIN}
	default:
		p.PINChecked = true
	}
	return p, nil
}

func (d *Desk) record(ctx context.Context, e kiosk.Entry) kiosk.Event {
	if ackEarly {
		go d.Ledger.Record(ctx, e)
		return kiosk.Stored{Entry: e.ID, State: e.State}
	}
	if err := d.Ledger.Record(ctx, e); err != nil {
		return kiosk.NotStored{Entry: e.ID, State: e.State, Err: err}
	}
	return kiosk.Stored{Entry: e.ID, State: e.State}
}

// conclude stores an outcome; one that the disk refuses is kept and tried
// again until the end of the process. After that the entry is found as asked
// and settled by looking. A promise that was made here and not stored was
// taken back on the screen: it is stored as one that never was.
func (d *Desk) conclude(o kiosk.Outcome) {
	d.stores.add(func(ctx context.Context) kiosk.Event {
		if err := d.Ledger.Conclude(ctx, o); err != nil {
			refused := kiosk.NotStored{Entry: o.Entry, State: o.State, Err: err}
			switch o.State {
			case kiosk.Offline:
				o.State, o.Due, o.Reason = kiosk.Dismissed, time.Time{}, kiosk.ReasonNotStored
			case kiosk.Unsure: // the ILS may have it
				o.State, o.Due, o.Reason = kiosk.Exception, time.Time{}, kiosk.ReasonNotStored
			}
			return unkept{NotStored: refused, outcome: o}
		}
		return kiosk.Stored{Entry: o.Entry, State: o.State}
	})
}

// unkept is a NotStored that the lane hands to the desk with its outcome.
type unkept struct {
	kiosk.NotStored
	outcome kiosk.Outcome
}

// storeAgain tries once more what the disk has refused, and if that is
// nothing, whether the disk takes anything.
func (d *Desk) storeAgain() {
	again := d.unkept
	d.unkept = nil
	for _, o := range again {
		d.conclude(o)
	}
	if p, ok := d.Ledger.(prober); ok && d.failing && len(again) == 0 {
		d.stores.add(func(ctx context.Context) kiosk.Event { return probed{err: p.Probe(ctx)} })
	}
}

// prober is a ledger that can tell whether its disk takes writes.
type prober interface{ Probe(context.Context) error }

// probed is the answer of a prober, for the desk alone.
type probed struct {
	kiosk.Tick
	err error
}

// ask puts an entry to upstream. Silence takes the link down: the next patron
// is not kept waiting for it.
func (d *Desk) ask(ctx context.Context, e kiosk.Entry) kiosk.Event {
	ask, cancel := context.WithTimeout(ctx, d.Deadline)
	defer cancel()
	start := time.Now()
	a, err := d.Upstream.Tell(ask, e)
	d.Log.Debug("desk: asked", "kind", e.Kind, "item", e.Item, "took", time.Since(start), "err", err)
	d.watchLink(ctx, err)
	d.learns.add(func(ctx context.Context) kiosk.Event { return d.learn(ctx, e, a, err) })
	return kiosk.Answered{Entry: e.ID, Answer: a, Err: err}
}

// learn keeps what an answer tells of the copy and of the card, beside the
// patron's way: of what goes to the hold shelf, say, offline as well.
func (d *Desk) learn(ctx context.Context, e kiosk.Entry, a kiosk.Answer, answer error) kiosk.Event {
	err := kiosk.Learn(ctx, d.Mirror, e.Item, func(i kiosk.Item) (kiosk.Item, bool) { return i.Told(e, a, answer, d.Clock.Now()) })
	if err != nil && ctx.Err() == nil {
		d.Log.Warn("desk: learn item", "err", err)
	}
	if e.Kind.Lends() {
		ask, cancel := context.WithTimeout(ctx, d.Deadline)
		defer cancel()
		err = kiosk.LearnWhy(ask, d.Mirror, d.Upstream, e.Patron, answer, d.Clock.Now())
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("desk: learn patron", "err", err)
		}
	}
	return nil
}

// learnRefused keeps a no to a card. Where a PIN came with it, the no may be the
// PIN's: some servers call a patron with a wrong one not valid (edge-sip2, by 24).
func (d *Desk) learnRefused(ctx context.Context, e kiosk.Identify, no error) {
	if e.PIN != "" {
		return
	}
	if err := kiosk.LearnRefused(ctx, d.Mirror, e.Card, no, d.Clock.Now()); err != nil && ctx.Err() == nil {
		d.Log.Warn("desk: learn patron", "err", err)
	}
}

// watchLink tells the desk, by way of its own inbox, that upstream is silent.
func (d *Desk) watchLink(ctx context.Context, err error) {
	switch kiosk.CodeOf(err) {
	case kiosk.CodeOffline, kiosk.CodeUnsure:
		d.LinkLost()
		if d.Send(ctx, kiosk.LinkChanged{Up: false}) != nil {
			return // the desk is ending
		}
	}
}
