package kiosk

import (
	"context"
	"errors"
	"slices"
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

// ofCard are the reasons that the ILS may have against a card. Of something that
// was to be lent they may be a guess at free text, and the item's.
var ofCard = []Reason{ReasonUnknownCard, ReasonCardLost, ReasonCardBlocked, ReasonCardExpired, ReasonFees}

func againstCard(err error) (no *Error, is bool) {
	no, _ = errors.AsType[*Error](err)
	return no, no != nil && no.Code == CodeRefused && slices.Contains(ofCard, no.Reason)
}

// LearnRefused keeps a no to a card that the mirror knows. One that was reported
// lost and replaced is unknown to the ILS, and must not pass for good when
// nobody can be asked.
func LearnRefused(ctx context.Context, m Mirror, c Card, err error, at time.Time) error {
	no, is := againstCard(err)
	if !is || c == "" {
		return nil
	}
	p, err := m.Patron(ctx, c)
	if errors.Is(err, ErrUnknown) {
		return nil // and stays so
	}
	if err != nil {
		return err
	}
	p.Blocked, p.BlockText, p.Seen = no.Reason, no.Text, at
	return m.LearnPatron(ctx, p)
}

// LearnWhy asks for the card when a loan was refused for what may be its fault,
// and keeps what the ILS says of it: that the loan was refused says too little.
// No answer is no error.
func LearnWhy(ctx context.Context, m Mirror, up Upstream, c Card, err error, at time.Time) error {
	if _, is := againstCard(err); !is || c == "" {
		return nil
	}
	p, err := up.Identify(ctx, c, "")
	if err != nil {
		return LearnRefused(ctx, m, c, err, at)
	}
	return m.LearnPatron(ctx, p)
}
