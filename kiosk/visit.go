package kiosk

import "time"

// showAccount leads to the account: at once for whoever is at the desk, else by
// the card.
func (s *step) showAccount() {
	switch {
	case s.view == ViewItems && s.mode == Borrowing && !s.closing:
		s.openAccount()
		return
	case s.view == ViewFind && s.attended() && !s.closing:
		s.finding = nil
		s.openAccount()
		return
	case s.view == ViewReceipt:
		s.reset()
	case s.view != ViewWelcome || len(s.lines) > 0:
		return
	}
	s.want, s.visit, s.notice = ViewAccount, s.newID(), Notice{}
	s.show(ViewCard)
}

func (s *step) openAccount() {
	s.account = nil
	s.show(ViewAccount)
	s.do(FetchAccount{Card: s.patron.Card})
}

// accountFetched gives each loan a line, by which it can be renewed.
func (s *step) accountFetched(ev AccountFetched) {
	if s.view != ViewAccount || s.account != nil || ev.Card != s.patron.Card {
		return
	}
	a := ev.Account
	s.account = &a
	for _, b := range a.Loans {
		if b.Item == "" || s.lineOf(b.Item) != nil || len(s.lines) >= maxLines {
			continue
		}
		s.lines = append(s.lines, Line{ID: s.newID(), Item: b.Item, Title: b.Title, Kind: Renew, State: LineAction, Reason: ReasonOnLoanYou,
			Due: b.Due, Times: 1, Listed: true, Renewals: b.Renewals, stage: offered})
	}
}

// startBorrow goes from the account to the books.
func (s *step) startBorrow() bool {
	if s.view == ViewFind && s.attended() && !s.closing {
		return s.leaveFind()
	}
	if s.view != ViewAccount || s.closing {
		return false
	}
	if why := s.rules.admits(s.patron, s.now); why != "" {
		s.touch()
		s.tell(why, "")
		return false
	}
	s.unlist()
	s.account = nil
	s.show(ViewItems)
	return true
}

// unlist drops what was only listed.
func (s *step) unlist() {
	s.dropAll(func(l *Line) bool { return l.Listed && l.stage == offered })
}

// renewAll renews everything that offers it. One that is refused is in the way
// of no other.
func (s *step) renewAll() {
	if s.view != ViewAccount && s.view != ViewItems {
		return
	}
	for i := range s.lines {
		if l := &s.lines[i]; l.stage == offered && l.Renewals != 0 {
			s.renew(l)
		}
	}
	s.touch()
}

// renew asks for a renewal. What is only known from a list is looked for first.
func (s *step) renew(l *Line) {
	l.Kind = Renew
	if l.Listed {
		l.stage, l.State, l.Reason = looking, LineWaiting, ""
		s.do(Look{Line: l.ID, Item: l.Item})
		return
	}
	s.enter(l)
}

// attended tells whether somebody's session is open: books, the account, or the
// catalogue by whoever has shown a card.
func (s *Session) attended() bool {
	return s.view == ViewItems || s.view == ViewAccount || s.view == ViewFind && s.patron.Card != ""
}

// covers tells from when on the account is covered: who walks by sees nothing.
func (s *Session) covers() (at time.Time) {
	if s.view == ViewAccount && !s.covered {
		at = s.coverAt
	}
	return at
}
