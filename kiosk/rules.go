package kiosk

import (
	"strings"
	"time"
)

// Rules are what the library has decided for its desk. They hold where the
// ILS can't be asked, and for the desk's own manners.
type Rules struct {
	Location *time.Location // the library's zone; nil means time.Local

	// PIN says whether a card needs one. PINOffline lets a patron in without
	// a check while the ILS is away; by default such a card is refused.
	PIN        bool
	PINOffline bool

	// Trust is how old what the mirror says of a patron may be while the ILS is
	// away. The zero Trust has no bounds, as where there is no ILS.
	Trust Trust

	// UnknownCards and UnknownItems let what the mirror does not know pass
	// while the ILS is away.
	UnknownCards bool
	UnknownItems bool

	// AnyParts lends a set of which parts are missing; Count has the patron
	// count what lies on the pad.
	AnyParts bool
	Count    bool

	LoanDays int            // 0 means 21
	TypeDays map[string]int // by item type, in place of LoanDays
	MaxLoans int            // open loans a patron may have, when decided here; 0 means no limit

	Name     NameStyle // what of a patron's name the screen shows
	Children []string  // patron categories whose patrons are spoken to as children

	Receipts Receipts

	Idle      time.Duration // a session without a sign of life ends; 0 means 60 s
	Warn      time.Duration // the countdown shows so long before; 0 means 20 s
	Cover     time.Duration // the account without a touch is covered; 0 means 15 s
	Receipt   time.Duration // the receipt stays; 0 means 15 s
	Notice    time.Duration // a notice stays; 0 means 8 s
	AwaitCard time.Duration // books put down before a card wait; 0 means 60 s
}

// Trust decays with the age of a fact: up to Full it is trusted in full, as if
// the ILS had said it just now; up to Usual for as many loans as are usual; up
// to Few for a few; then for none. Loans count from the first that the ILS has
// not heard of yet, in whichever session it was made; returns are always taken.
// What is known since nobody knows when, or by now will only be known, is
// trusted with a few.
type Trust struct {
	Full, Usual, Few time.Duration // with Usual 0 there are no bounds
	UsualItems       int           // up to Usual; 0: what the other rules allow
	Items            int           // up to Few
}

// allows tells how many items may be lent to a patron before the ILS has heard
// of them; -1 means that nothing is in the way.
func (t Trust) allows(p Patron, now time.Time) int {
	age := now.Sub(p.Seen)
	switch {
	case t.Usual <= 0 || !p.Local:
		return -1
	case p.Seen.IsZero(), age < -tolerance: // seen by a clock that was ahead
		return t.Items
	case age < t.Full || age < t.Usual && t.UsualItems == 0:
		return -1
	case age < t.Usual:
		return t.UsualItems
	case age < t.Few:
		return t.Items
	}
	return 0
}

// NameStyle is what of a patron's name a shared screen shows.
type NameStyle string

// The styles; the empty one is NameFirst.
const (
	NameFirst    NameStyle = "first"
	NameInitials NameStyle = "initials"
	NameFull     NameStyle = "full"
	NameNone     NameStyle = "none"
)

// filled gives every zero its meaning.
func (r Rules) filled() Rules {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&r.Idle, 60*time.Second)
	def(&r.Warn, 20*time.Second)
	def(&r.Cover, 15*time.Second)
	def(&r.Receipt, 15*time.Second)
	def(&r.Notice, 8*time.Second)
	def(&r.AwaitCard, 60*time.Second)
	r.Warn = min(r.Warn, r.Idle)
	if r.LoanDays <= 0 {
		r.LoanDays = 21
	}
	if r.Location == nil {
		r.Location = time.Local
	}
	return r
}

// Due is the due date of a loan made here at now: the last second of the
// day, so that "due on Monday" includes Monday.
func (r Rules) Due(itemType string, now time.Time) time.Time {
	days := r.LoanDays
	if d, ok := r.TypeDays[itemType]; ok {
		days = d
	}
	y, m, d := now.In(r.Location).Date()
	return EndOfDay(y, m, d+days, r.Location)
}

// admits tells why a patron may not borrow, or "".
func (r Rules) admits(p Patron, now time.Time) Reason {
	switch {
	case p.Blocked != "":
		return p.Blocked
	case !p.Expires.IsZero() && !now.Before(p.Expires):
		return ReasonCardExpired
	case r.PIN && !p.PINChecked && !p.Local:
		return ReasonWrongPIN
	case r.PIN && !p.PINChecked && !r.PINOffline:
		return ReasonPINOffline
	case r.Trust.allows(p, now) == 0:
		return ReasonCardUnchecked
	}
	return ""
}

// knows tells why a patron may not see the own account, or "". One to whom
// nothing is lent may: it says why.
func (r Rules) knows(p Patron) Reason {
	switch {
	case r.PIN && !p.PINChecked && !p.Local:
		return ReasonWrongPIN
	case r.PIN && !p.PINChecked && !r.PINOffline:
		return ReasonPINOffline
	}
	return ""
}

// lends decides a checkout without the ILS: why not, or "". loans is how many
// the patron has with this session's.
func (r Rules) lends(p Patron, f Found, loans int) Reason {
	if len(f.Items) == 0 {
		if r.UnknownItems {
			return ""
		}
		return ReasonUnknownItem
	}
	it := f.Items[0]
	switch {
	case it.NoLoan || it.Reference || it.Status == StatusWithdrawn:
		return ReasonNotForLoan
	case f.OnLoan && f.Loan.Patron != p.Card:
		return ReasonOnLoanOther
	case it.Status == StatusOnHold:
		return ReasonOnHold
	case r.MaxLoans > 0 && loans >= r.MaxLoans:
		return ReasonTooMany
	}
	return ""
}

// takes decides a return without the ILS. What the mirror does not think on
// loan is taken too: the book is here, and the mirror may be old.
func (r Rules) takes(f Found) Reason {
	if len(f.Items) == 0 && !r.UnknownItems {
		return ReasonUnknownItem
	}
	return ""
}

// renews decides a renewal without the ILS: not what is overdue already, for
// only the ILS knows what that has cost.
func (r Rules) renews(f Found, now time.Time) Reason {
	switch {
	case !f.OnLoan:
		return ReasonNotOnLoan
	case !f.Loan.Due.IsZero() && now.After(f.Loan.Due):
		return ReasonNoRenewal
	case len(f.Items) > 0 && f.Items[0].Status == StatusOnHold:
		return ReasonOnHold
	}
	return ""
}

// show gives as much of a name as the style allows.
func (n NameStyle) show(p Patron) string {
	first, family := p.FirstName, p.FamilyName
	if first == "" {
		first, family = split(family)
	}
	switch n {
	case NameNone:
		return ""
	case NameInitials:
		return initial(first) + initial(family)
	case NameFull:
		if family == "" {
			return first
		}
		return first + " " + family
	}
	return first
}

// split parts a name that came as one: "Lin, Ada" or "Ada Lin".
func split(name string) (first, family string) {
	if family, first, ok := strings.Cut(name, ","); ok {
		return strings.TrimSpace(first), strings.TrimSpace(family)
	}
	first, family, _ = strings.Cut(strings.TrimSpace(name), " ")
	return first, strings.TrimSpace(family)
}

func initial(name string) string {
	for _, r := range name {
		return string(r) + "."
	}
	return ""
}
