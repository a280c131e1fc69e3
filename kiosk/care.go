package kiosk

import (
	"slices"
	"time"
)

// Care is what staff should know of whoever stands at the desk: that somebody
// calls for help, and that somebody does not get on. It names nobody, and it
// outlives a visit: who can't even begin one needs it most.
type Care struct {
	Help  time.Time // since when somebody calls for help; zero: nobody does
	Seen  time.Time // since when somebody of the staff is on the way; zero: nobody is
	Stuck time.Time // since when tries have failed in a row; zero: they have not
	Why   Reason    // of the last of them
	Kind  bool      // the screen says that staff know: the one who tried in vain is there
}

func (c Care) same(o Care) bool {
	return c.Help.Equal(o.Help) && c.Seen.Equal(o.Seen) && c.Stuck.Equal(o.Stuck) && c.Why == o.Why && c.Kind == o.Kind
}

// Calls tells whether somebody calls for help.
func (c Care) Calls() bool { return !c.Help.IsZero() }

// Comes tells whether somebody of the staff is on the way.
func (c Care) Comes() bool { return !c.Seen.IsZero() }

// IsStuck tells whether somebody does not get on.
func (c Care) IsStuck() bool { return !c.Stuck.IsZero() }

// mostTries is how many tries may fail in a row until staff are told; tries
// further apart than tryGap are not in a row: they are another's, most likely.
const (
	mostTries = 3
	tryGap    = 5 * time.Minute
)

// tries are those that have failed, with none between that worked.
type tries struct {
	n    int
	last time.Time
}

// failed counts one more.
func (t tries) failed(now time.Time) tries {
	if now.Sub(t.last) > tryGap || now.Before(t.last) {
		t.n = 0
	}
	return tries{t.n + 1, now}
}

// quietReasons are told to a patron and are no refusals.
var quietReasons = []Reason{"", ReasonTagMended, ReasonWaitsForCard, ReasonCardInReturns, ReasonPutBack, ReasonCount}

// tried compares what the patron tried from one state of the session to the
// next: how many tries failed and why, and whether one worked.
func tried(before, now *Session) (failed int, why Reason, worked bool) {
	for i := range now.lines {
		l, old := &now.lines[i], before.was(i, now.lines[i].ID)
		switch {
		case l.succeeded() && !old.succeeded():
			worked = true
		case l.State == LineRefused && !slices.Contains(quietReasons, l.Reason) &&
			(old.State != LineRefused || old.Reason != l.Reason || l.Times > old.Times):
			failed, why = failed+1, l.Reason
		}
	}
	if n := now.notice; n != before.notice && !slices.Contains(quietReasons, n.Reason) {
		failed, why = failed+1, n.Reason
	}
	if before.view == ViewIdentifying && now.attended() { // the card is good
		worked = true
	}
	return failed, why, worked
}

// was finds a line by its place now, or by its ID where lines have gone; the
// zero line where it is new.
func (s *Session) was(i int, id ID) *Line {
	if i < len(s.lines) && s.lines[i].ID == id {
		return &s.lines[i]
	}
	if l := s.line(id); l != nil {
		return l
	}
	return &Line{}
}

// mind keeps what staff should know, after a step.
func (s *step) mind(before *Session) {
	failed, why, worked := tried(before, s.Session)
	if worked {
		s.tries, s.care.Stuck, s.care.Why = tries{}, time.Time{}, ""
	}
	for range failed {
		s.tries = s.tries.failed(s.now)
	}
	if failed == 0 || s.tries.n < mostTries {
		return
	}
	if s.care.Why = why; !s.care.IsStuck() {
		s.care.Stuck = s.now
	}
}

// help is the patron's call, and the end of it.
func (s *step) help(ev Event) {
	switch ev.(type) {
	case CallHelp:
		s.call()
	case DropHelp:
		s.care.Help, s.care.Seen = time.Time{}, time.Time{}
	case PressHelp:
		if s.care.Calls() {
			s.care.Help, s.care.Seen = time.Time{}, time.Time{}
			return
		}
		s.call()
	case ComeHelp:
		if s.care.Calls() && !s.care.Comes() {
			s.care.Seen = s.now
		}
		return // it is no touch of the patron's
	case EndCare:
		s.care, s.tries = Care{}, tries{}
		return
	}
	if s.view != ViewWelcome && s.view != ViewIdentifying {
		covered := s.covered
		s.touch()
		s.covered = covered // whoever calls need not be the patron whose account it is
	}
}

func (s *step) call() {
	if !s.care.Calls() {
		s.care.Help = s.now
	}
}

// cares is what the screen says of it. The welcome view speaks to whoever
// comes: there the kind word stands only beside what has just failed.
func (s Session) cares() Care {
	c := s.care
	c.Kind = c.IsStuck() && (s.view != ViewWelcome || s.notice.Reason != "")
	return c
}
