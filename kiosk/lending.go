package kiosk

import "errors"

// startHeld begins the work on the books that waited for a card or for the
// word that they are returns.
func (s *step) startHeld() {
	for i := range s.lines {
		if s.lines[i].stage == held {
			s.start(&s.lines[i])
		}
	}
}

func (s *step) start(l *Line) {
	l.stage, l.State, l.Reason = looking, LineWaiting, ""
	l.Kind = Checkout
	if s.mode == Returning {
		l.Kind = Checkin
	}
	if !s.whole(l) {
		s.gather(l)
		return
	}
	s.do(Look{Line: l.ID, Item: l.Item, ISBN: l.ISBN})
}

// found is what the mirror knows: the line gets its title, and what happens
// to the item is decided.
func (s *step) found(f Found) {
	l := s.line(f.Line)
	if l == nil || (l.stage != held && l.stage != looking && l.stage != gathering) {
		return
	}
	if l.ISBN != "" && l.Item == "" && !s.copyOf(l, f) {
		return
	}
	if len(f.Items) > 0 {
		l.Title = f.Items[0].Title
	}
	if l.stage != looking {
		return
	}
	if !s.whole(l) { // a part came, or went, meanwhile
		s.gather(l)
		return
	}
	if f.Err != nil {
		l.refuse(ReasonAskStaff, f.Err.Error())
		return
	}
	if l.Listed && !f.OnLoan { // the mirror does not know what the ILS has just told
		f.OnLoan, f.Loan = true, Loan{Item: l.Item, Patron: s.patron.Card, Due: l.Due}
	}
	l.found = &f
	if l.Kind == Checkout && f.OnLoan && f.Loan.Patron == s.patron.Card && !unpromised(f) {
		l.stage, l.State, l.Reason, l.Due = offered, LineAction, ReasonOnLoanYou, f.Loan.Due
		for _, t := range l.tags {
			s.do(Mend{Tag: t.id}) // it may not have been released when it was lent
		}
		return
	}
	s.enter(l)
}

// unpromised tells a loan that was cut off between question and answer: it may
// exist, but nobody was told, and it may yet come to nothing. The patron who
// scans the book again gets a promise of its own; the outbox looks before it
// tells the ILS of a second loan to the same patron.
func unpromised(f Found) bool { return f.Unsettled && f.Loan.Due.IsZero() }

// copyOf leads from an ISBN to the one copy that has it. An ISBN names a
// title; which of several copies is in the hand it can't tell.
func (s *step) copyOf(l *Line, f Found) bool {
	switch {
	case f.Err != nil:
		l.refuse(ReasonAskStaff, f.Err.Error())
	case len(f.Items) == 0:
		l.refuse(ReasonISBNUnknown, "")
	case len(f.Items) > 1:
		l.Title = f.Items[0].Title
		l.refuse(ReasonISBNMany, "")
	default:
		if other := s.lineOf(f.Items[0].Barcode); other != nil {
			other.Times++
			s.drop(l.ID)
			return false
		}
		l.Item = f.Items[0].Barcode
		s.claim(l)
		return true
	}
	return false
}

// enter makes the entry of a line: asked first where the ILS can be asked,
// decided here where it can't. What waits in the outbox for this item must
// reach the ILS before anything else about it.
func (s *step) enter(l *Line) {
	found := l.knows()
	e := Entry{
		ID: l.ID, Session: s.id, Kind: l.Kind, Item: l.Item, Patron: s.patron.Card,
		At: s.now, State: Asked, Title: l.Title, Tags: l.tagIDs(),
	}
	switch l.Kind {
	case Checkin:
		e.Patron = found.Loan.Patron
	case Renew:
		e.WasDue = found.Loan.Due
	}
	if !s.online || found.Unsettled {
		why := s.decide(l)
		if why != "" {
			l.refuse(why, "")
			return
		}
		e.State, e.Due, l.Local = Offline, l.Due, true
		if l.Kind == Checkin && len(l.tags) > 0 {
			e.State = Asked // it counts when its tags are secured
		}
	}
	l.entry, l.stage, l.State = &e, recording, LineWaiting
	s.do(Record{Entry: e})
}

// decide is the local answer to a line: why not, or "" with the due date set.
func (s *step) decide(l *Line) Reason {
	var why Reason
	found := l.knows()
	switch l.Kind {
	case Checkin:
		return s.rules.takes(found)
	case Renew:
		if why = s.rules.admits(s.patron, s.now); why == "" {
			why = s.rules.renews(found, s.now)
		}
	default:
		why = s.rules.lends(s.patron, found, s.loans+s.lent(l.ID))
		if n := s.rules.Trust.allows(s.patron, s.now); why == "" && n >= 0 && s.untold+s.lent(l.ID) >= n {
			why = ReasonCardUnchecked
		}
	}
	if why == "" {
		var kind string
		if len(found.Items) > 0 {
			kind = found.Items[0].Type
		}
		l.Due = s.rules.Due(kind, s.now)
	}
	return why
}

// lent counts what this session has lent or is about to, but for one line.
func (s *Session) lent(but ID) (n int) {
	for i := range s.lines {
		l := &s.lines[i]
		if l.ID != but && l.Kind == Checkout && (l.State == LineLent || l.stage == lifted || l.Reason == ReasonTagStuck || l.working() && l.stage != looking) {
			n++
		}
	}
	return n
}

func (s *step) renewLine(id ID) {
	l := s.line(id)
	if !s.attended() || l == nil || l.stage != offered {
		return
	}
	s.touch()
	s.renew(l)
}

// dropLine takes back what has not begun.
func (s *step) dropLine(id ID) {
	if l := s.line(id); l != nil && !l.working() && !l.succeeded() && !l.open && l.stage != lifted && s.view != ViewReceipt {
		s.leave(l)
		s.drop(id)
		s.touch()
	}
}

// stored: it is on disk. An asked entry is now put to the ILS; what is
// concluded is now true and may be shown.
func (s *step) stored(ev Stored) {
	l := s.line(ev.Entry)
	if l == nil {
		return
	}
	l.open = ev.State == Asked
	switch {
	case ev.State == Asked && l.stage == recording && l.own().Kind == Checkin && len(l.tags) > 0:
		s.keep(l)
	case ev.State == Asked && l.stage == recording:
		l.stage = asking
		s.do(Ask{Entry: l.own()})
	case ev.State.Holds():
		l.stands(ev.State)
		if l.Kind != Renew {
			s.remember(l)
		}
		if len(l.tags) > 0 && l.Kind != Renew {
			s.keep(l) // those of a return are secured already, but for one that came late
			return
		}
		l.succeed()
	case l.stage == concluding && l.Kind == Renew && l.Reason == ReasonNotOnLoan && !l.Listed:
		s.lendInstead(l)
	case l.stage == concluding:
		l.stands(ev.State)
		l.refuse(l.Reason, l.Text)
	}
}

// lendInstead makes a checkout of a renewal that the ILS refused because the
// item is not on loan: it came back elsewhere, and the mirror did not know.
func (s *step) lendInstead(l *Line) {
	l.ID, l.entry, l.tags = s.newID(), nil, l.untouched()
	s.start(l)
}

// notStored: the disk has refused. Nothing was lent or returned, and the line
// says so; but what the ILS has agreed to has happened, and the desk goes on
// trying to store it.
func (s *step) notStored(ev NotStored) {
	l := s.line(ev.Entry)
	if l == nil || (l.stage != recording && l.stage != concluding) {
		return
	}
	switch ev.State {
	case Granted:
		l.stage, l.State, l.Reason, l.Text = done, LineAction, ReasonNotKept, ev.Err.Error()
	case Denied:
		l.refuse(l.Reason, l.Text)
	default:
		l.refuse(ReasonNotStored, ev.Err.Error())
	}
}

// answered: the ILS has spoken, or has not.
func (s *step) answered(ev Answered) {
	l := s.line(ev.Entry)
	if l == nil || l.stage != asking {
		return
	}
	o := Outcome{Entry: ev.Entry, At: s.now}
	if ev.Err == nil {
		s.granted(l, ev.Answer)
		o.State, o.Due, o.Text = Granted, l.Due, ev.Answer.Words()
	} else {
		s.unanswered(l, &o, ev.Err)
	}
	l.stage = concluding
	s.do(Conclude{Outcome: o})
}

func (s *step) granted(l *Line, a Answer) {
	l.Due, l.Alert, l.Route, l.Text, l.renewed = a.Due, a.Alert, a.Route, a.Text, a.Renewed
	if l.Title == "" {
		l.Title = a.Title
	}
}

// unanswered fills in the outcome of a question that got no yes: a no stands;
// silence is decided here.
func (s *step) unanswered(l *Line, o *Outcome, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Code: CodeUnsure, Text: err.Error()}
	}
	o.Text, l.Text = e.Text, e.Text
	o.State = Offline
	switch e.Code {
	case CodeOffline:
	case CodeUnsure:
		o.State = Unsure
	default:
		o.State, o.Reason = Denied, e.Reason
		if o.Reason == "" {
			o.Reason = ReasonAskStaff
		}
		l.Reason = o.Reason
		return
	}
	why := s.decide(l)
	switch {
	case why == "":
		l.Local, o.Due = true, l.Due
	case o.State == Unsure: // told no here, but the ILS may have said yes
		o.State, o.Reason, l.Reason = Exception, why, why
	default:
		o.State, o.Reason, l.Reason = Dismissed, why, why
	}
}
