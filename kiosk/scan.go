package kiosk

import "errors"

// waits tells whether what is scanned now belongs to whoever comes next: after
// another card, and after Finish, when the next one may be at the desk already.
func (s *Session) waits() bool { return s.nextCard || s.closing && s.attended() }

// scan takes what a scanner read, or keeps it for the next session.
func (s *step) scan(ev Event) {
	if s.waits() {
		s.queue = append(s.queue, ev)
		return
	}
	switch ev := ev.(type) {
	case CardRead:
		s.cardRead(ev)
	case ItemPlaced:
		s.forget(ReasonCheckDigit) // it was this one, most likely
		s.place(Line{Item: ev.Item})
	case EitherRead:
		s.scan(s.either(ev))
	case ISBNRead:
		s.place(Line{ISBN: ev.ISBN})
	case Unreadable:
		s.unreadable(ev)
	case TagPlaced:
		s.tagPlaced(ev)
	case TagUnread:
		s.strange(ev)
	}
}

// tag takes what the pad tells. A tag that lay there before is nobody's; one
// of a line that is known goes on with it, whatever waits.
func (s *step) tag(ev Event) {
	var lies laid
	old := false
	switch ev := ev.(type) {
	case TagRemoved:
		s.tagRemoved(ev.Tag)
		return
	case TagPlaced:
		lies, old = laid{id: ev.Tag, item: ev.Item, part: ev.Part, parts: ev.Parts}, ev.Old && s.lineOf(ev.Item) == nil
	case TagUnread:
		lies, old = laid{id: ev.Tag}, ev.Old
	}
	l, t := s.tagged(lies.id)
	if l != nil && t.known && !s.recognised(l, t, lies) {
		l = nil
	}
	switch {
	case l != nil:
		s.tagBack(l, t)
	case old:
		s.lieThere(lies)
	default:
		s.scan(ev)
	}
}

// either tells what a number is that may be a card's and a copy's. With somebody
// at the desk it is that of a copy, if there is one; all else is a card: one that
// was taken for a book would leave the next patron's books on this card.
func (s *step) either(ev EitherRead) Event {
	somebody := s.attended() || s.view == ViewPIN || s.view == ViewIdentifying
	if ev.Copy && somebody && s.card != Card(ev.Code) {
		return ItemPlaced{Barcode(ev.Code)}
	}
	return CardRead{Card(ev.Code)}
}

func (s *step) cardRead(ev CardRead) {
	switch s.view {
	case ViewWelcome, ViewPIN, ViewCard:
		if s.view == ViewPIN && s.card == ev.Card {
			s.touch()
			return
		}
		s.begin(ev.Card)
	case ViewReceipt:
		s.reset()
		s.begin(ev.Card)
	default:
		if s.view == ViewFind && !s.attended() {
			s.finding = nil
			s.begin(ev.Card)
			return
		}
		s.anotherCard(ev)
	}
}

// anotherCard is the same one again, or ends the session that is open.
func (s *step) anotherCard(ev CardRead) {
	if s.card == ev.Card && !s.closing {
		s.touch()
		return
	}
	s.queue = append(s.queue, ev)
	s.nextCard, s.closing = true, s.attended()
}

// begin finds out whose card it is; where a PIN is asked for, that comes
// first, so that a card alone tells nothing of its owner.
func (s *step) begin(c Card) {
	s.card, s.pins, s.notice, s.visit = c, 0, Notice{}, s.newID()
	if s.rules.PIN {
		s.show(ViewPIN)
		return
	}
	s.show(ViewIdentifying)
	s.do(Identify{Card: c})
}

func (s *step) pinEntered(pin string) {
	if s.view != ViewPIN || pin == "" {
		return
	}
	s.notice = Notice{}
	s.show(ViewIdentifying)
	s.do(Identify{Card: s.card, PIN: pin})
}

func (s *step) identified(ev Identified) {
	if s.view != ViewIdentifying || ev.Card != s.card {
		return
	}
	p, why := s.who(ev)
	if why == "" && (s.want == ViewAccount || s.want == ViewFind) {
		why = s.rules.knows(p)
	} else if why == "" {
		why = s.rules.admits(p, s.now)
	}
	if why == ReasonWrongPIN && s.pins+1 < maxPINs && !s.nextCard {
		s.pins++
		s.show(ViewPIN)
		s.tell(why, "")
		return
	}
	if why == ReasonWrongPIN && !s.nextCard {
		why = ReasonPINTries
	}
	if why != "" {
		s.turnAway(why)
		return
	}
	s.patron, s.loans, s.untold, s.id, s.mode = p, ev.Loans, ev.Untold, s.newID(), Borrowing
	switch s.want {
	case ViewAccount:
		s.openAccount()
	case ViewFind:
		s.want = ""
		s.show(ViewFind)
		s.askHold()
	default:
		s.finding = nil
		s.show(ViewItems)
		s.startHeld()
	}
	s.closing = s.nextCard
}

// who makes sense of the answer to Identify: a patron, or why there is none.
func (s *step) who(ev Identified) (Patron, Reason) {
	if ev.Err == nil {
		p := ev.Patron
		if p.Card == "" {
			p.Card = ev.Card
		}
		return p, ""
	}
	e, ok := errors.AsType[*Error](ev.Err)
	switch {
	case ok && e.Code == CodeRefused && e.Reason != "":
		return Patron{}, e.Reason
	case ok && (e.Code == CodeOffline || e.Code == CodeUnsure):
		if s.rules.UnknownCards {
			return Patron{Card: ev.Card, Local: true}, ""
		}
		return Patron{}, ReasonUnknownCard
	}
	return Patron{}, ReasonAskStaff
}

// turnAway goes back to welcome with a reason; books that wait go on waiting.
func (s *step) turnAway(why Reason) {
	lines, next, find, visit := s.lines, s.nextCard, s.finding, s.visit
	if next || s.want != ViewFind {
		find = nil
	}
	if !next { // else the books belong to the card that is sent away
		s.lines = nil
	}
	s.reset()
	if !next {
		s.lines = lines
	}
	s.show(ViewWelcome)
	if find != nil {
		s.finding, s.visit = find, visit
		s.show(ViewFind)
	}
	s.tell(why, "")
}

func (s *step) startReturn() {
	if s.attended() {
		return
	}
	switch s.view {
	case ViewIdentifying:
		return
	case ViewReceipt:
		s.reset()
	}
	s.card, s.patron, s.want, s.notice, s.finding = "", Patron{}, "", Notice{}, nil
	s.mode, s.id = Returning, s.newID()
	s.visit = s.id
	s.show(ViewItems)
	s.startHeld()
}

// place puts an item on the screen; the same one again is the same line.
func (s *step) place(l Line) {
	switch s.view {
	case ViewReceipt:
		s.reset()
	case ViewCard: // a book is to be borrowed, after all
		s.want, s.finding = "", nil
		s.show(ViewWelcome)
	case ViewAccount:
		s.startBorrow()
	case ViewFind:
		if !s.leaveFind() {
			return
		}
	case ViewPIN, ViewIdentifying:
		s.want, s.finding = "", nil
	}
	s.touch()
	if old := s.same(l); old != nil {
		old.Times++
		if old.State != LineRefused || old.open {
			return
		}
		l.tags, l.Parts = old.untouched(), old.Parts
		s.drop(old.ID) // another try
	}
	if len(s.lines) >= maxLines {
		s.tell(ReasonAskStaff, string(l.Item))
		return
	}
	l.ID, l.Times, l.State, l.Title = s.newID(), 1, LineWaiting, ""
	s.claim(&l)
	s.lines = append(s.lines, l)
	p := &s.lines[len(s.lines)-1]
	switch s.view {
	case ViewItems:
		s.start(p)
		return
	case ViewAccount: // to whom nothing is lent
		p.refuse(s.rules.admits(s.patron, s.now), "")
		return
	}
	p.State, p.Reason = LineAction, ReasonWaitsForCard
	s.touch()
	s.do(Look{Line: p.ID, Item: p.Item, ISBN: p.ISBN})
}

func (s *step) same(l Line) *Line {
	if l.Item != "" {
		return s.lineOf(l.Item)
	}
	for i := range s.lines {
		if s.lines[i].ISBN == l.ISBN {
			return &s.lines[i]
		}
	}
	return nil
}

// unreadable gets a line among the others, or a notice where there are none.
func (s *step) unreadable(ev Unreadable) {
	if s.view != ViewItems {
		s.tell(ev.Reason, ev.Code)
		return
	}
	s.touch()
	if l := s.lineOf(Barcode(ev.Code)); l != nil && ev.Code != "" {
		l.Times++
		return
	}
	if len(s.lines) >= maxLines {
		s.tell(ev.Reason, ev.Code)
		return
	}
	l := Line{ID: s.newID(), Item: Barcode(ev.Code), Times: 1}
	l.refuse(ev.Reason, "")
	s.lines = append(s.lines, l)
}
