package kiosk

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// Holder is an Upstream that takes reservations.
type Holder interface {
	// Holds tells whether it is known to do so.
	Holds() bool
	// PlaceHold has a card wait for any copy of the title of which item is
	// one. Errors are as of Tell; with CodeUnsure it may wait already.
	PlaceHold(ctx context.Context, c Card, item Barcode) (Placed, error)
}

// Placed is the yes to a reservation.
type Placed struct {
	Place  int    // in the queue, from 1; 0 means not told
	Pickup string // where it will wait, in the ILS's words; "" is not told
	Text   string // screen messages, for staff
}

// Finding is what the find view shows. A Screen's is never changed.
type Finding struct {
	Text   string // as it was typed; nobody but the screen is told
	Page   int    // of what is shown, from 0
	page   int    // the one that was asked for
	Busy   bool   // what is shown is of before: the answer is on its way
	Failed bool   // the catalogue can't be read
	Findings
	Open  Barcode // of the first copy of the title that is shown alone; empty: the list
	alone *Title  // the title itself: the list behind it may be another by now
	Holds bool    // the ILS takes reservations
	Hold  Holding // how that of the open title stands
}

// Holding is how a reservation stands.
type Holding struct {
	State  HoldState
	Reason Reason // of HoldRefused
	Placed        // of HoldPlaced
}

// HoldState is what became of a reservation.
type HoldState string

// The states; the empty one is that nobody has asked.
const (
	HoldAsking  HoldState = "asking"
	HoldPlaced  HoldState = "placed"
	HoldRefused HoldState = "refused"
	HoldOffline HoldState = "offline" // the ILS is away: nothing was reserved
	HoldUnsure  HoldState = "unsure"  // no answer came: it may be reserved
)

// Stands tells whether it is not to be asked for again: it is reserved, or may
// be.
func (h HoldState) Stands() bool { return h == HoldAsking || h == HoldPlaced || h == HoldUnsure }

// Title is the one that is open, or nil.
func (f *Finding) Title() *Title {
	if f == nil || f.Open == "" {
		return nil
	}
	if f.alone != nil && f.alone.key() == f.Open {
		return f.alone
	}
	for i := range f.Titles {
		if t := &f.Titles[i]; t.key() == f.Open {
			return t
		}
	}
	return nil
}

// key names a title among others.
func (t Title) key() Barcode { return t.Copies[0].Barcode }

// lendable is a copy that may be waited for; "" if all stay here.
func (t Title) lendable() Barcode {
	for _, c := range t.Copies {
		if !c.Reference && !c.NoLoan {
			return c.Barcode
		}
	}
	return ""
}

// Lendable tells whether a copy may leave the library.
func (t Title) Lendable() bool { return t.lendable() != "" }

// startFind opens the catalogue, for nobody or for whoever is in the account.
func (s *step) startFind() {
	switch {
	case s.view == ViewAccount && !s.closing:
		s.unlist()
		s.account = nil
	case s.view == ViewReceipt:
		s.reset()
		s.visit = s.newID()
	case s.view == ViewWelcome && len(s.lines) == 0:
		s.visit = s.newID()
	default:
		return
	}
	s.want, s.notice, s.finding = "", Notice{}, &Finding{}
	s.show(ViewFind)
}

// refind changes what the view shows; what was shown before stays as it was.
func (s *step) refind(change func(f *Finding)) {
	f := *s.finding
	change(&f)
	s.finding = &f
}

func (s *step) finds() bool { return s.view == ViewFind && s.finding != nil && !s.closing }

// search looks for what was typed.
func (s *step) search(ev Search) {
	if !s.finds() {
		return
	}
	s.touch()
	text := []rune(ev.Text)
	text = text[:min(len(text), maxQuery)]
	s.refind(func(f *Finding) {
		f.Text, f.page, f.Open, f.Hold, f.Busy = string(text), max(ev.Page, 0), "", Holding{}, len(text) > 0
		if !f.Busy {
			f.Page, f.Findings = 0, Findings{}
		}
	})
	if len(text) > 0 {
		s.do(FindTitles{Text: s.finding.Text, Page: s.finding.page})
	}
}

// titlesFound keeps the answer, also while the card is asked for, unless
// something else was typed since.
func (s *step) titlesFound(ev TitlesFound) {
	if f := s.finding; f == nil || !f.Busy || f.Text != ev.Text || f.page != ev.Page {
		return
	}
	s.refind(func(f *Finding) {
		f.Busy, f.Failed, f.Page, f.Findings, f.Holds = false, ev.Err != nil, ev.Page, ev.Findings, ev.Holds
	})
}

// openTitle shows one title alone, or all again.
func (s *step) openTitle(item Barcode) {
	if !s.finds() {
		return
	}
	s.touch()
	s.refind(func(f *Finding) {
		f.Open, f.alone = item, nil
		if f.alone = f.Title(); f.alone == nil {
			f.Open = ""
		}
		f.Hold = s.holding(f.alone)
	})
}

// holding is how the reservation of a title stands, by whichever copy it was
// asked for.
func (s *Session) holding(t *Title) Holding {
	if t != nil {
		for _, c := range t.Copies {
			if h, ok := s.holds[c.Barcode]; ok {
				return h
			}
		}
	}
	return Holding{}
}

// holdStands keeps how a reservation stands for as long as its patron is here,
// unless it may be tried again, and shows it where its title is open.
func (s *step) holdStands(item Barcode, h Holding) {
	s.holds = maps.Clone(s.holds)
	switch {
	case !h.State.Stands():
		delete(s.holds, item)
	case s.holds == nil:
		s.holds = map[Barcode]Holding{item: h}
	default:
		s.holds[item] = h
	}
	if s.opened(item) {
		s.refind(func(f *Finding) { f.Hold = h })
	}
}

// opened tells whether the title that an item is a copy of is shown alone.
func (s *Session) opened(item Barcode) bool {
	t := s.finding.Title()
	return t != nil && slices.ContainsFunc(t.Copies, func(c Whereabouts) bool { return c.Barcode == item })
}

// placeHold reserves the open title: at once for who is at the desk, else by
// the card.
func (s *step) placeHold(item Barcode) {
	if !s.finds() || s.finding.Open != item || s.finding.Title() == nil || !s.finding.Holds {
		return
	}
	s.touch()
	switch {
	case s.finding.Hold.State.Stands():
	case !s.online || s.attended():
		s.askHold()
	default:
		s.want, s.notice = ViewFind, Notice{}
		s.show(ViewCard)
	}
}

// askHold puts the reservation to the ILS. It is nobody's loan: while the ILS
// is away nothing is kept of it.
func (s *step) askHold() {
	t := s.finding.Title()
	if t == nil {
		return
	}
	switch item := t.lendable(); {
	case !s.online:
		s.refind(func(f *Finding) { f.Hold = Holding{State: HoldOffline} })
	case item == "":
		s.refind(func(f *Finding) { f.Hold = Holding{State: HoldRefused, Reason: ReasonNotForLoan} })
	case !s.holding(t).State.Stands():
		s.do(AskHold{Card: s.patron.Card, Item: item})
		s.holdStands(item, Holding{State: HoldAsking})
	}
}

// asksHold tells whether the ILS is being asked for a reservation.
func (s *Session) asksHold() bool {
	for _, h := range s.holds {
		if h.State == HoldAsking {
			return true
		}
	}
	return false
}

// holdAnswered: the ILS has spoken, or has not. Who has gone on to other titles
// finds the answer with its own.
func (s *step) holdAnswered(ev HoldAnswered) {
	if s.holds[ev.Item].State != HoldAsking || ev.Card != s.patron.Card {
		return
	}
	h := Holding{State: HoldPlaced, Placed: ev.Placed}
	if e, ok := errors.AsType[*Error](ev.Err); ok && e.Code == CodeOffline {
		h.State = HoldOffline
	} else if ok && e.Code == CodeRefused {
		h.State, h.Reason = HoldRefused, e.Reason
		if h.Reason == "" {
			h.Reason = ReasonAskStaff
		}
	} else if ok && e.Code == CodeUnsure {
		h.State = HoldUnsure
	} else if ev.Err != nil {
		h.State, h.Reason = HoldRefused, ReasonAskStaff
	}
	s.holdStands(ev.Item, h)
	if s.view != ViewFind || !s.now.Before(s.endsAt) {
		return
	}
	s.touch()
	if h.State != HoldPlaced && len(s.queue) == 0 && s.opened(ev.Item) {
		s.closing = false // who has finished believes that it is reserved
	}
}

// backToFind goes from the question for the card to where it came from.
func (s *step) backToFind() bool {
	if s.want != ViewFind || s.finding == nil {
		return false
	}
	s.want, s.card, s.notice = "", "", Notice{}
	s.show(ViewFind)
	return true
}

// leaveFind goes from the catalogue to the books; false if nothing is lent to
// who is at the desk.
func (s *step) leaveFind() bool {
	if !s.attended() {
		s.finding, s.visit = nil, ""
		s.show(ViewWelcome)
		return true
	}
	if why := s.rules.admits(s.patron, s.now); why != "" {
		s.touch()
		s.tell(why, "")
		return false
	}
	s.finding = nil
	s.show(ViewItems)
	return true
}
