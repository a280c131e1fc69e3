package kiosk

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"
)

// Barcode is what identifies one copy: the text of its label, with check
// digit, without start, stop and symbology characters. At most MaxCode bytes
// of printable text without '|'.
type Barcode string

// MaxCode is the longest card or item number taken from anywhere, in bytes.
// Library labels have 5 to 20; SIP2 fields end at 255.
const MaxCode = 64

// Item is one copy of a title as the mirror knows it.
type Item struct {
	Barcode    Barcode
	Title      string
	Author     string
	ISBN       string // 13 digits, or empty
	CallNumber string
	Scheme     string     // class scheme of CallNumber: "ddc", "lcc", "udc", "nlm", "local", or empty
	Subjects   string     // what it is about: headings, "; " between two; empty where nobody told
	Location   string     // shelving location
	Library    string     // institution that owns it
	Type       string     // item type, the library's own code
	Year       int        // in which it was published; 0: nobody told
	Status     ItemStatus // of a list empty: in the house, and more it does not tell
	Reference  bool       // to be used in the library only
	NoLoan     bool       // does not circulate
	Seen       time.Time  // when this was learned; zero means at the last import
}

// Headings are the subjects, each by itself.
func (i Item) Headings() (list []string) {
	for h := range strings.SplitSeq(i.Subjects, ";") {
		if h = strings.TrimSpace(h); h != "" {
			list = append(list, h)
		}
	}
	return list
}

// Over is what is known of a copy when a list has told i and old was known. What
// was learned to wait for somebody, or to be on its way, does so until a list
// that can't tell has it in the house and changed since: then it was lent or
// returned, or somebody else has taken it in hand.
func (i Item) Over(old Item) Item {
	if i.Status != "" {
		return i
	}
	i.Status = StatusAvailable
	if away := old.Status == StatusOnHold || old.Status == StatusInTransit; away && !i.Seen.After(old.Seen.Add(tolerance)) {
		i.Status, i.Seen = old.Status, old.Seen
	}
	return i
}

// Told is what is known of a copy once the ILS has answered to an entry of it,
// over what was known; false if the answer says nothing of it. What is lent is
// free of what was known to be in its way, and that it is out the loans tell. A
// copy that no list has stays unknown: an answer has its title, but neither a
// place nor whether it may be lent, and it may be another library's.
func (i Item) Told(e Entry, a Answer, err error, at time.Time) (Item, bool) {
	no, _ := errors.AsType[*Error](err)
	switch {
	case i.Barcode == "":
		return i, false
	case err == nil && e.Kind.Lends():
		i.Status = StatusAvailable
	case err == nil && e.Kind == Checkin:
		i.Status = a.whereabouts()
	case no != nil && no.Reason == ReasonOnHold && e.Kind != Renew:
		i.Status = StatusOnHold
	default:
		return i, false
	}
	i.Title, i.Seen = cmp.Or(i.Title, a.Title), at
	return i, i.Status != ""
}

// Stood is what is known of a copy once the ILS has told how it stands, over
// what was known; false if that says nothing new. That a copy may be lent it
// does not say: Koha has what is withdrawn as available.
func (i Item) Stood(st Standing, at time.Time) (Item, bool) {
	switch st.Status {
	case StatusOnHold, StatusInTransit, StatusLost, StatusMissing, StatusWithdrawn:
	default:
		return i, false
	}
	if i.Barcode == "" || !st.Known || st.Status == i.Status {
		return i, false
	}
	i.Status, i.Title, i.Seen = st.Status, cmp.Or(i.Title, st.Title), at
	return i, true
}

// Learn keeps what the ILS has told of a copy, as Told or Stood make it of what
// was known.
func Learn(ctx context.Context, m Mirror, b Barcode, told func(Item) (Item, bool)) error {
	known, err := m.Item(ctx, b)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return err
	}
	if item, ok := told(known); ok {
		return m.LearnItem(ctx, item)
	}
	return nil
}

// whereabouts is where a copy is that has come back; empty if staff are to look
// at it first. That is over before anybody says so.
func (a Answer) whereabouts() ItemStatus {
	switch {
	case a.Route.For == ForHold:
		return StatusOnHold
	case a.Route.For == ForHoldElsewhere, a.Route.For == ForOtherLibrary, a.Route.For == ForTransfer:
		return StatusInTransit
	case a.Alert:
		return ""
	}
	return StatusAvailable
}

// AtDesk is of an item what a desk shows and decides by.
func (i Item) AtDesk() Item {
	return Item{Barcode: i.Barcode, Title: i.Title, Type: i.Type, Status: i.Status, Reference: i.Reference, NoLoan: i.NoLoan}
}

// Copy is what the ledger and the mirror know of one copy, together.
type Copy struct {
	Item      Item // as AtDesk leaves it: to read the rest of it takes as long again
	Known     bool // the mirror has the item; else Item is zero
	Loan      Loan
	OnLoan    bool // somebody has it; else Loan is zero
	Unsettled bool // the outbox holds an entry of it
	Tagged    bool // an entry of it has tags; which of them are its own now, the mirror's Tags says
}

// ItemStatus is where a copy is, as far as the mirror knows.
type ItemStatus string

// The states that matter at a desk; everything else is StatusOther.
const (
	StatusAvailable ItemStatus = "available"
	StatusOnLoan    ItemStatus = "on loan"
	StatusOnHold    ItemStatus = "on hold shelf"
	StatusInTransit ItemStatus = "in transit"
	StatusLost      ItemStatus = "lost"
	StatusMissing   ItemStatus = "missing"
	StatusWithdrawn ItemStatus = "withdrawn"
	StatusOther     ItemStatus = "other"
)
