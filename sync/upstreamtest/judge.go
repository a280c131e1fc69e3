package upstreamtest

import (
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Did is what came of being told something.
type Did string

// What can come of it.
const (
	DidCheckout Did = "checkout"
	DidRenewal  Did = "renewal"
	DidCheckin  Did = "checkin"
	DidRefuse   Did = "refused"
)

// Effect is one thing the ILS was told, and what it did.
type Effect struct {
	N       int           `json:"n"` // counted from 1
	Did     Did           `json:"did"`
	Told    kiosk.Kind    `json:"told"`
	Item    kiosk.Barcode `json:"item"`
	Patron  kiosk.Card    `json:"patron,omitempty"` // who has it now, or had it until now
	When    time.Time     `json:"when"`             // when it happened, as told
	At      time.Time     `json:"at"`               // when it was told, by the clock of the ILS
	Due     time.Time     `json:"due,omitzero"`
	NoBlock bool          `json:"no_block,omitempty"` // told as something that already happened
	Cancel  bool          `json:"cancel,omitempty"`   // undoes a return, or a loan
	Text    string        `json:"text,omitempty"`     // words of a refusal
}

// Do carries out what it is told, or refuses with CodeRefused. It does not
// know an entry that it has seen before: checked out again by the same
// patron, an item is renewed. CodeInternal means that the journal could not
// be written; nothing was done then.
//
// With noBlock it has already happened, and only an unknown card or item, a
// barred card, and an item that somebody else has are refused, as by Koha.
func (s *ILS) Do(e kiosk.Entry, noBlock bool) (kiosk.Answer, error) {
	return s.wait(s.do(e, noBlock, false))
}

// Cancel undoes: a checkout the return before it, so that the loan is what it
// was; a checkin the loan.
func (s *ILS) Cancel(e kiosk.Entry) (kiosk.Answer, error) { return s.wait(s.do(e, false, true)) }

func (s *ILS) wait(a kiosk.Answer, stalled <-chan struct{}, err error) (kiosk.Answer, error) {
	if stalled != nil {
		<-stalled
	}
	return a, err
}

func (s *ILS) do(e kiosk.Entry, noBlock, cancel bool) (kiosk.Answer, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := Effect{
		N: len(s.history) + 1, Told: e.Kind, Item: e.Item, Patron: e.Patron,
		When: e.At, At: s.rules.Now(), NoBlock: noBlock, Cancel: cancel,
	}
	heeded := noBlock && !s.rules.IgnoreNoBlock
	if s.rules.DueIsLoanDate && e.Kind != kiosk.Checkin {
		if heeded = heeded && !e.Due.IsZero(); heeded {
			f.When = e.Due
		}
	}
	refused := s.judge(&f, e, heeded)
	if refused != nil {
		f.Did, f.Text = DidRefuse, refused.Text
	}
	if err := s.write(f); err != nil {
		return kiosk.Answer{}, s.stalled, &kiosk.Error{Code: kiosk.CodeInternal, Err: err}
	}
	s.apply(f)
	if refused != nil {
		return kiosk.Answer{Time: f.At}, s.stalled, refused
	}
	a := s.answer(f)
	if heeded && s.rules.DueIsLoanDate {
		a.Due = time.Time{}
	}
	return a, s.stalled, nil
}

// judge decides, and fills in what will be done.
func (s *ILS) judge(f *Effect, e kiosk.Entry, noBlock bool) *kiosk.Error {
	c := s.copies[e.Item]
	if f.Cancel && c != nil && e.Kind != kiosk.Checkin {
		return judgeCancel(f, c)
	}
	if e.Kind == kiosk.Checkin {
		return judgeCheckin(f, c)
	}
	who := s.people[e.Patron]
	if who == nil {
		return no(kiosk.ReasonUnknownCard, "Invalid Patron")
	}
	if c == nil {
		return no(kiosk.ReasonUnknownItem, "Invalid Item")
	}
	if err := s.bars(who); err != nil && (!noBlock || who.Blocked != "") {
		return err
	}
	switch {
	case c.loan != nil && c.loan.Patron == e.Patron:
		return s.judgeRenewal(f, c, e, noBlock)
	case e.Kind == kiosk.Renew:
		return no(kiosk.ReasonNotOnLoan, "Item not checked out to "+who.FirstName+" "+who.FamilyName)
	case c.loan != nil:
		return no(kiosk.ReasonOnLoanOther, "Item checked out to another patron")
	}
	f.Did, f.Due = DidCheckout, s.due(e, f.At, noBlock)
	if noBlock {
		return nil
	}
	return s.judgeCheckout(c, e.Patron)
}

func judgeCheckin(f *Effect, c *holding) *kiosk.Error {
	switch {
	case c == nil:
		return no(kiosk.ReasonUnknownItem, "Invalid Item")
	case c.loan == nil:
		return no(kiosk.ReasonNotOnLoan, "Item not checked out")
	}
	f.Did, f.Patron = DidCheckin, c.loan.Patron
	return nil
}

// judgeCancel: only the patron's own return can be undone, once, and while the
// copy has not gone to somebody else.
func judgeCancel(f *Effect, c *holding) *kiosk.Error {
	if c.loan != nil || c.was == nil || c.was.Patron != f.Patron {
		return no(kiosk.ReasonAskStaff, "Nothing to cancel")
	}
	f.Did, f.When, f.Due = DidCheckout, c.was.At, c.was.Due
	return nil
}

func (s *ILS) judgeCheckout(c *holding, card kiosk.Card) *kiosk.Error {
	switch {
	case c.NoLoan || c.Reference:
		return no(kiosk.ReasonNotForLoan, "Issue failed : NOT_FOR_LOAN")
	case c.Status == kiosk.StatusWithdrawn:
		return no(kiosk.ReasonNotForLoan, "Issue failed : WTHDRAWN")
	case len(c.holds) > 0 && c.holds[0] != card:
		return no(kiosk.ReasonOnHold, "Item is on hold for another patron.")
	case s.rules.MaxLoans > 0 && len(s.lent[card]) >= s.rules.MaxLoans:
		return no(kiosk.ReasonTooMany, "Item cannot be issued: TOO_MANY")
	}
	return nil
}

func (s *ILS) judgeRenewal(f *Effect, c *holding, e kiosk.Entry, noBlock bool) *kiosk.Error {
	f.Did, f.Due = DidRenewal, c.loan.Due.AddDate(0, 0, s.rules.Days)
	if noBlock {
		if !e.Due.IsZero() {
			f.Due = s.due(e, f.At, true)
		}
		return nil
	}
	switch {
	case len(c.holds) > 0:
		return no(kiosk.ReasonOnHold, "Item unavailable due to outstanding holds")
	case c.renewals >= s.rules.MaxRenewals:
		return no(kiosk.ReasonNoRenewal, "Item has reached maximum renewals")
	}
	return nil
}

// due is what the patron was promised where that is past, or a minute before
// the midnight that ends the last day, counted from the day of the loan.
func (s *ILS) due(e kiosk.Entry, now time.Time, noBlock bool) time.Time {
	switch {
	case !noBlock || e.Due.IsZero():
	case s.rules.DueIsLoanDate:
		now = e.Due
	default:
		return e.Due
	}
	y, m, d := now.In(s.rules.Location).Date()
	return time.Date(y, m, d+s.rules.Days, 23, 59, 0, 0, s.rules.Location)
}

// bars tells why nothing is lent to somebody, or nil.
func (s *ILS) bars(p *person) *kiosk.Error {
	now := s.rules.Now()
	switch {
	case p.Blocked != "":
		text := p.BlockText
		if text == "" {
			text = "Patron blocked"
		}
		return no(p.Blocked, text)
	case !p.Expires.IsZero() && !now.Before(p.Expires):
		return no(kiosk.ReasonCardExpired, "Patron expired on "+p.Expires.In(s.rules.Location).Format("01/02/2006"))
	case p.owes > s.rules.MaxOwed:
		return no(kiosk.ReasonFees, fmt.Sprintf("Patron has fines - You owe %d.%02d.", p.owes/100, p.owes%100))
	}
	return nil
}

func (s *ILS) answer(f Effect) kiosk.Answer {
	c := s.copies[f.Item]
	a := kiosk.Answer{Due: f.Due, Title: c.Title, Time: f.At, Renewed: f.Did == DidRenewal}
	if a.Renewed && f.Told == kiosk.Checkout {
		a.Text = "Item already checked out to you: renewing item."
	}
	if f.Did == DidCheckin && c.shelf {
		a.Alert, a.Text, a.Route.For = true, "Item is on hold, please return to circulation desk", kiosk.ForHold
	}
	return a
}

// apply makes an effect true.
func (s *ILS) apply(f Effect) {
	s.history = append(s.history, f)
	close(s.changed)
	s.changed = make(chan struct{})
	c := s.copies[f.Item]
	if c == nil {
		return
	}
	switch f.Did {
	case DidCheckout:
		s.lend(c, &kiosk.Loan{Item: f.Item, Patron: f.Patron, At: f.When, Due: f.Due})
		c.renewals, c.shelf = 0, false
		if f.Cancel {
			c.renewals = c.wasRenewals
		}
		c.was = nil
		s.unwant(c, f.Patron)
	case DidRenewal:
		if c.loan != nil {
			c.loan.Due = f.Due
			c.renewals++
		}
	case DidCheckin:
		c.was, c.wasRenewals = c.loan, c.renewals
		if f.Cancel {
			c.was = nil
		}
		s.lend(c, nil)
		c.shelf = len(c.holds) > 0
	}
}

func no(r kiosk.Reason, text string) *kiosk.Error {
	return &kiosk.Error{Code: kiosk.CodeRefused, Reason: r, Text: text}
}
