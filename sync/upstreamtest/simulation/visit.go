package simulation

import (
	"context"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// visits has one patron after the other come to a kiosk.
func (s *station) visits() {
	l := s.world.lot(s.name + " visits")
	for s.rest(l, s.plan.visits.from, s.plan.visits.to) {
		v := &visit{station: s, lot: l, m: s.at.Load()}
		if v.m == nil {
			continue // a dark screen
		}
		s.count("visit")
		if l.chance(0.55) {
			v.borrow()
		} else {
			v.giveBack()
		}
	}
}

// visit is one patron at a kiosk.
type visit struct {
	*station
	lot lot
	m   *machine
	sc  kiosk.Screen // as last seen
	all []*hand
	old []kiosk.ID // lines that were there before: what lay there and was returned elsewhere meanwhile, the kiosk takes for read twice
}

// hand is a book that a patron has put down, and where it was before.
type hand struct {
	*book
	from place
	who  kiosk.Card
	laid bool

	tries int // to put it back on the pad
}

func (v *visit) borrow() {
	p := v.somebody()
	if p == nil {
		return
	}
	defer v.leave(p)
	defer v.home()
	card := p.Card
	if !v.lot.chance(0.15) && !v.wait(90*time.Second, v.welcome) {
		return
	}
	v.note(v.name+" visit", "%s comes to borrow", p.Card)
	v.look()
	for i := range v.sc.Lines {
		v.old = append(v.old, v.sc.Lines[i].ID)
	}
	var books []*hand
	for range 1 + v.lot.IntN(4) {
		if v.lot.chance(0.25) {
			books = v.take(books, v.holdings(p.Card))
		} else {
			books = v.take(books, v.pick(v.lot, shelf, limbo))
		}
	}
	if v.lot.chance(0.15) && len(books) > 0 && v.sc.View == kiosk.ViewWelcome {
		v.lay(books[0])
	}
	v.send(kiosk.CardRead{Card: p.Card})
	if v.wait(15*time.Second, func() bool { return v.sc.View == kiosk.ViewItems && v.sc.Card == p.Card }) {
		v.scan(books)
	} else {
		card = anybody // what was put down goes to the next who comes
	}
	for _, h := range books {
		v.borrowed(h, card)
	}
}

func (v *visit) giveBack() {
	if !v.wait(90*time.Second, v.welcome) {
		return
	}
	v.note(v.name+" visit", "somebody comes to return")
	defer v.home()
	var books []*hand
	for range 1 + v.lot.IntN(3) {
		books = v.take(books, v.pick(v.lot, patron, patron, limbo))
	}
	v.send(kiosk.StartReturn{})
	if v.wait(5*time.Second, func() bool { return v.sc.View == kiosk.ViewItems && v.sc.Mode == kiosk.Returning }) {
		v.scan(books)
	}
	for _, h := range books {
		v.returned(h)
	}
}

// scan puts books down, waits for what comes of it unless the patron is in a
// hurry, and finishes, or just goes.
func (v *visit) scan(books []*hand) {
	for _, h := range books {
		v.lay(h)
		if v.lot.chance(0.1) {
			v.scanOne(h) // read twice
		}
		if v.lot.chance(0.1) && h.chip != nil { // looked into
			v.liftOff(h.book)
			if v.lot.chance(0.7) {
				time.Sleep(v.lot.between(100*time.Millisecond, 3*time.Second))
				v.putDown(h)
			}
		}
	}
	if v.lot.chance(0.15) {
		v.count("left early")
	} else {
		v.wait(20*time.Second, func() bool { return v.renew() && v.putBack() && !v.waiting() })
	}
	v.look()
	if v.lot.chance(0.7) {
		v.send(kiosk.Finish{})
	}
}

func (v *visit) lay(h *hand) {
	h.laid = true
	if h.chip != nil && v.lot.chance(0.9) {
		v.putDown(h)
		return
	}
	v.scanOne(h)
}

// scanOne has the scanner read a book.
func (v *visit) scanOne(h *hand) {
	v.send(kiosk.ItemPlaced{Item: h.Barcode})
	time.Sleep(v.lot.between(100*time.Millisecond, 1500*time.Millisecond))
}

// putDown lays a book on the pad.
func (v *visit) putDown(h *hand) {
	v.putOn(h.book)
	time.Sleep(v.lot.between(50*time.Millisecond, 1500*time.Millisecond))
}

// putBack puts back what is to lie on the pad for a moment longer, but not for
// ever; it tells whether nothing is to.
func (v *visit) putBack() bool {
	none := true
	for _, h := range v.all {
		l := v.line(h)
		if h.chip == nil || l == nil || l.Reason != kiosk.ReasonPutBack || h.tries > 4 {
			continue
		}
		none = false
		if h.tries++; !v.lies(h.chip) && v.lot.chance(0.8) {
			v.count("tag put back")
			v.putDown(h)
		}
	}
	return none
}

// home: the books are taken from the pad. Some forget one there.
func (v *visit) home() {
	for _, h := range v.all {
		if h.chip == nil || !v.lies(h.chip) {
			continue
		}
		if v.lot.chance(0.05) {
			v.count("left on the pad")
			continue
		}
		v.liftOff(h.book)
		time.Sleep(v.lot.between(50*time.Millisecond, 500*time.Millisecond))
	}
}

// renew says yes to what is offered; it tells whether nothing is any more.
func (v *visit) renew() bool {
	none := true
	for i := range v.sc.Lines {
		if l := &v.sc.Lines[i]; l.State == kiosk.LineAction && l.Reason == kiosk.ReasonOnLoanYou {
			v.send(kiosk.RenewLine{Line: l.ID})
			none = false
		}
	}
	return none
}

func (v *visit) waiting() bool {
	for i := range v.sc.Lines {
		if v.sc.Lines[i].State == kiosk.LineWaiting {
			return true
		}
	}
	return false
}

func (v *visit) welcome() bool {
	return v.sc.View == kiosk.ViewWelcome && len(v.sc.Lines) == 0 || v.sc.View == kiosk.ViewReceipt
}

// borrowed says where a book is after somebody wanted to borrow it.
func (v *visit) borrowed(h *hand, card kiosk.Card) {
	defer v.letGo(h.book)
	switch l := v.line(h); {
	case !h.laid:
	case l != nil && (l.State == kiosk.LineLent || l.State == kiosk.LineRenewed):
		v.put(h.book, patron, card)
	case l != nil && l.Kind == kiosk.Checkout && (l.Reason == kiosk.ReasonPutBack || l.Reason == kiosk.ReasonTagStuck): // lent, and the gate will ring
		v.put(h.book, patron, card)
	case l != nil && l.State == kiosk.LineRefused && h.from != limbo, h.from == patron && h.who == card:
		v.put(h.book, h.from, h.who)
	default:
		v.unclear(h, card)
	}
}

// returned says where a book is after somebody wanted to return it. What the
// ILS says is not out is put back on its shelf.
func (v *visit) returned(h *hand) {
	defer v.letGo(h.book)
	switch l := v.line(h); {
	case !h.laid:
	case l != nil && (l.State == kiosk.LineReturned || l.State == kiosk.LineRefused && l.Reason == kiosk.ReasonNotOnLoan):
		v.put(h.book, shelf, "")
	case l != nil && l.State == kiosk.LineRefused:
		v.put(h.book, h.from, h.who)
	default:
		v.unclear(h, h.who)
	}
}

// unclear: nobody was told. Of a book that was in limbo before, with somebody
// else, nothing can be said but by the next who brings it.
func (v *visit) unclear(h *hand, card kiosk.Card) {
	if h.from == limbo && h.who != card {
		card = anybody
	}
	v.put(h.book, limbo, card)
}

// anybody may have a book.
const anybody kiosk.Card = "anybody"

func (v *visit) line(h *hand) *kiosk.Line {
	for i := range v.sc.Lines {
		if v.sc.Lines[i].Item == h.Barcode && !slices.Contains(v.old, v.sc.Lines[i].ID) {
			return &v.sc.Lines[i]
		}
	}
	return nil
}

func (v *visit) take(books []*hand, b *book) []*hand {
	if b == nil {
		return books
	}
	v.liftOff(b) // from where somebody forgot it
	h := &hand{book: b, from: b.place, who: b.who}
	v.all = append(v.all, h)
	return append(books, h)
}

// send gives the kiosk an event, if it is alive.
func (v *visit) send(ev kiosk.Event) {
	v.m.send(ev)
}

func (m *machine) send(ev kiosk.Event) {
	if m.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(m.ctx, time.Second)
	defer cancel()
	_ = m.desk.Send(ctx, ev) // a dead one hears nothing
}

// look looks at the screen; a dead kiosk's stays as it was last seen, though
// it is dark.
func (v *visit) look() bool {
	if v.m.ctx.Err() != nil {
		return false
	}
	v.sc = v.m.desk.Screen()
	return true
}

// wait looks at the screen until it fits; false if it never does.
func (v *visit) wait(most time.Duration, fits func() bool) bool {
	time.Sleep(v.lot.hardly()) // the desk first
	for end := time.Now().Add(most); time.Now().Before(end) && v.look(); {
		if fits() {
			return true
		}
		time.Sleep(v.lot.between(100*time.Millisecond, 300*time.Millisecond))
	}
	return false
}

// somebody comes who is nowhere else.
func (v *visit) somebody() *person {
	v.world.mu.Lock()
	defer v.world.mu.Unlock()
	var free []*person
	for _, p := range v.people {
		if !p.busy {
			free = append(free, p)
		}
	}
	if len(free) == 0 {
		return nil
	}
	p := oneOf(v.lot, free...)
	p.busy = true
	return p
}

func (v *visit) leave(p *person) {
	v.world.mu.Lock()
	defer v.world.mu.Unlock()
	p.busy = false
}

// holdings takes a book that somebody has.
func (v *visit) holdings(card kiosk.Card) *book {
	v.world.mu.Lock()
	defer v.world.mu.Unlock()
	for _, b := range v.books {
		if b.place == patron && b.who == card && !b.busy {
			b.busy = true
			return b
		}
	}
	return nil
}
