package kiosk

import (
	"context"
	"errors"
	"time"
)

// Card is the number of a patron's card: same limits as Barcode.
type Card string

// Patron is the person a card stands for.
type Patron struct {
	Card       Card
	FamilyName string
	FirstName  string
	Category   string // patron category, the library's own code
	Library    string // home library
	Language   string // BCP 47 tag, or empty
	Email      string // for the receipt, while the session lasts: no mirror keeps it
	Born       time.Time
	Expires    time.Time // first moment at which the card is no longer good; zero means never
	Blocked    Reason    // why nothing may be lent; empty means it may
	BlockText  string    // the ILS's own words for Blocked; for staff
	PINChecked bool      // the ILS has accepted the PIN that came with the question
	Local      bool      // known from the mirror only: the ILS was not reached
	Seen       time.Time // when the ILS or a list last said this; zero means nobody knows
}

// Over is what is known of a patron when p was told in passing and old was
// known: what p does not tell stays. Names are of one source.
func (p Patron) Over(old Patron) Patron {
	if p.FirstName == "" && old.FirstName != "" || p.FamilyName == "" {
		p.FirstName, p.FamilyName = old.FirstName, old.FamilyName
	}
	for _, f := range []struct{ to, from *string }{
		{&p.Category, &old.Category}, {&p.Library, &old.Library}, {&p.Language, &old.Language},
	} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	for _, f := range []struct{ to, from *time.Time }{{&p.Born, &old.Born}, {&p.Expires, &old.Expires}} {
		if f.to.IsZero() {
			*f.to = *f.from
		}
	}
	return p
}

// Refused is what is known of a patron once the ILS has said no to the card,
// or to lending to it, over what was known; false if the no is for another
// reason: that too much is out, or for the item. A card that was reported lost
// and replaced is unknown there, and must not pass for good when nobody can be
// asked.
func (p Patron) Refused(err error, at time.Time) (Patron, bool) {
	no, _ := errors.AsType[*Error](err)
	if p.Card == "" || no == nil || no.Code != CodeRefused {
		return p, false
	}
	switch no.Reason {
	case ReasonUnknownCard, ReasonCardLost, ReasonCardBlocked, ReasonCardExpired, ReasonFees:
		p.Blocked, p.BlockText, p.Seen = no.Reason, no.Text, at
		return p, true
	}
	return p, false
}

// LearnRefused keeps a no to a card that the mirror knows.
func LearnRefused(ctx context.Context, m Mirror, c Card, no error, at time.Time) error {
	if _, of := (Patron{Card: c}).Refused(no, at); !of {
		return nil
	}
	known, err := m.Patron(ctx, c)
	if errors.Is(err, ErrUnknown) {
		return nil // and stays so
	}
	if err != nil {
		return err
	}
	known, _ = known.Refused(no, at)
	return m.LearnPatron(ctx, known)
}
