package upstreamtest

import (
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Rules are the library's.
type Rules struct {
	Days          int              // a loan lasts so many, and a renewal adds them; 0 means 14
	MaxLoans      int              // of one patron; 0 means no limit
	MaxRenewals   int              // of one loan; 0 means 2, -1 none
	MaxOwed       int64            // hundredths of the currency; who owes more gets nothing; 0 means 1000
	IgnoreNoBlock bool             // judge what already happened like a question, as most servers do
	DueIsLoanDate bool             // of what already happened, the due date is taken for the date of the loan, and none is told, as by Koha
	Location      *time.Location   // of due dates; nil means time.Local
	Now           func() time.Time // nil means time.Now
}

func (r Rules) filled() Rules {
	if r.Days <= 0 {
		r.Days = 14
	}
	if r.MaxRenewals == 0 {
		r.MaxRenewals = 2
	}
	if r.MaxOwed == 0 {
		r.MaxOwed = 1000
	}
	if r.Location == nil {
		r.Location = time.Local
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	return r
}

// ILS is a library system. Its methods are safe for use by several
// goroutines; a question is judged and carried out in one piece.
type ILS struct {
	// Away takes the server in front of this ILS off the network, so that
	// nobody can connect and whoever was connected is cut off, and brings it
	// back. Whoever starts that server sets it, for example to Proxy.Away; Test
	// needs it.
	Away func(away bool)

	rules Rules

	mu      sync.Mutex
	users   map[string]string // passwords by name
	copies  map[kiosk.Barcode]*holding
	people  map[kiosk.Card]*person
	lent    held // who has what out
	wanted  held // who waits for what
	history []Effect
	changed chan struct{} // closed at the next effect
	journal *os.File      // nil keeps the history in memory only
	stalled chan struct{} // while not nil, Do acts and then waits for it to close
}

// holding is one copy and where it is.
type holding struct {
	kiosk.Item
	loan     *kiosk.Loan
	renewals int
	holds    []kiosk.Card // first come first
	shelf    bool         // it waits on the hold shelf for the first of holds

	was         *kiosk.Loan // which its return ended, for Cancel
	wasRenewals int
}

// held are copies by the cards that have to do with them.
type held map[kiosk.Card]map[*holding]bool

func (h held) add(card kiosk.Card, c *holding) {
	if h[card] == nil {
		h[card] = map[*holding]bool{}
	}
	h[card][c] = true
}

func (h held) remove(card kiosk.Card, c *holding) {
	if delete(h[card], c); len(h[card]) == 0 {
		delete(h, card)
	}
}

type person struct {
	kiosk.Patron
	pin  string
	owes int64 // hundredths of the currency
}

// New is a library with nothing in it.
func New(r Rules) *ILS {
	return &ILS{
		rules: r.filled(), users: map[string]string{}, changed: make(chan struct{}),
		copies: map[kiosk.Barcode]*holding{}, people: map[kiosk.Card]*person{},
		lent: held{}, wanted: held{},
	}
}

// AddUser lets a terminal sign in. Without any user, every terminal may.
func (s *ILS) AddUser(name, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[name] = password
}

// AddItems puts copies into the catalogue, or replaces them; loans stay.
func (s *ILS) AddItems(items ...kiosk.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range items {
		if c := s.copies[i.Barcode]; c != nil {
			c.Item = i
			continue
		}
		s.copies[i.Barcode] = &holding{Item: i}
	}
}

// AddPatron lets somebody in, or replaces what is known of them. A patron
// without a pin has none: every one is wrong.
func (s *ILS) AddPatron(p kiosk.Patron, pin string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[p.Card] = &person{Patron: p, pin: pin}
}

// AddLoan has an item out already; it is no effect and not in the history.
func (s *ILS) AddLoan(l kiosk.Loan) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.copies[l.Item]
	if c == nil || s.people[l.Patron] == nil {
		return kiosk.ErrUnknown
	}
	s.lend(c, &l)
	c.renewals = 0
	return nil
}

// lend notes who has a copy out; nil ends its loan.
func (s *ILS) lend(c *holding, l *kiosk.Loan) {
	if c.loan != nil {
		s.lent.remove(c.loan.Patron, c)
	}
	if c.loan = l; l != nil {
		s.lent.add(l.Patron, c)
	}
}

// AddHold has a patron wait for an item. What is in the house goes to the
// hold shelf if nobody waited before.
func (s *ILS) AddHold(b kiosk.Barcode, card kiosk.Card) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.copies[b]
	if c == nil || s.people[card] == nil {
		return kiosk.ErrUnknown
	}
	s.want(c, card)
	return nil
}

// want has a card wait behind those that do.
func (s *ILS) want(c *holding, card kiosk.Card) {
	s.wanted.add(card, c)
	c.holds = append(c.holds, card)
	c.shelf = c.shelf || c.loan == nil
}

// unwant has it wait no more.
func (s *ILS) unwant(c *holding, card kiosk.Card) {
	s.wanted.remove(card, c)
	c.holds = slices.DeleteFunc(c.holds, func(h kiosk.Card) bool { return h == card })
}

// PlaceHold has a patron wait for an item, as a patron asks for it: who is
// barred, has it already or waits already is refused. The place is that in the
// queue.
func (s *ILS) PlaceHold(card kiosk.Card, b kiosk.Barcode, pickup string) (kiosk.Placed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, c := s.people[card], s.copies[b]
	switch {
	case who == nil:
		return kiosk.Placed{}, no(kiosk.ReasonUnknownCard, "Invalid cardnumber")
	case c == nil:
		return kiosk.Placed{}, no(kiosk.ReasonUnknownItem, "No such item.")
	case c.Reference || c.NoLoan:
		return kiosk.Placed{}, no(kiosk.ReasonNotForLoan, "Item is not for loan")
	case c.loan != nil && c.loan.Patron == card:
		return kiosk.Placed{}, no(kiosk.ReasonOnLoanYou, "Item already checked out to you")
	}
	if err := s.bars(who); err != nil {
		return kiosk.Placed{}, err
	}
	if !slices.Contains(c.holds, card) {
		s.want(c, card)
	}
	return kiosk.Placed{Place: slices.Index(c.holds, card) + 1, Pickup: pickup}, nil
}

// SetOwed notes what a patron owes, in hundredths of the currency.
func (s *ILS) SetOwed(card kiosk.Card, owes int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[card]
	if p == nil {
		return kiosk.ErrUnknown
	}
	p.owes = owes
	return nil
}

// Login tells whether a terminal may sign in.
func (s *ILS) Login(user, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	want, ok := s.users[user]
	return len(s.users) == 0 || ok && want == password
}

// Patron tells who a card belongs to and what they have, oldest first. An
// empty pin is not looked at; with a wrong one the patron comes back beside
// the refusal.
func (s *ILS) Patron(card kiosk.Card, pin string) (kiosk.Patron, []kiosk.Loan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.people[card]
	if who == nil {
		return kiosk.Patron{}, nil, no(kiosk.ReasonUnknownCard, "Invalid cardnumber")
	}
	p := who.Patron
	if err := s.bars(who); err != nil {
		p.Blocked, p.BlockText = err.Reason, err.Text
	}
	loans := s.loans(card)
	if pin != "" && pin != who.pin {
		return p, loans, no(kiosk.ReasonWrongPIN, "Invalid password")
	}
	p.PINChecked = pin != ""
	return p, loans, nil
}

// Item tells what a barcode stands for, where the copy is, and who has it;
// kiosk.ErrUnknown if there is none. Standing.Mine is for the caller to say.
func (s *ILS) Item(b kiosk.Barcode) (kiosk.Item, kiosk.Standing, kiosk.Card, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.copies[b]
	if c == nil {
		return kiosk.Item{}, kiosk.Standing{}, "", kiosk.ErrUnknown
	}
	st := kiosk.Standing{Known: true, Title: c.Title, Status: c.status(), Holds: len(c.holds)}
	it := c.Item
	it.Status = st.Status
	if c.loan == nil {
		return it, st, "", nil
	}
	st.Due = c.loan.Due
	return it, st, c.loan.Patron, nil
}

// Waits lists what a card waits for, in the order of the barcodes, and what it
// owes in hundredths of the currency.
func (s *ILS) Waits(card kiosk.Card) (ready, waiting []kiosk.Barcode, owed int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.wanted[card] {
		if c.shelf && c.holds[0] == card {
			ready = append(ready, c.Barcode)
		} else {
			waiting = append(waiting, c.Barcode)
		}
	}
	slices.Sort(ready)
	slices.Sort(waiting)
	if p := s.people[card]; p != nil {
		owed = p.owes
	}
	return ready, waiting, owed
}

func (c *holding) status() kiosk.ItemStatus {
	switch {
	case c.loan != nil:
		return kiosk.StatusOnLoan
	case c.shelf:
		return kiosk.StatusOnHold
	case c.Status == "" || c.Status == kiosk.StatusOnLoan:
		return kiosk.StatusAvailable
	}
	return c.Status
}

// Loans lists what is out, oldest first.
func (s *ILS) Loans() []kiosk.Loan {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []kiosk.Loan
	for _, c := range s.copies {
		if c.loan != nil {
			out = append(out, *c.loan)
		}
	}
	return oldestFirst(out)
}

// loans lists what a card has.
func (s *ILS) loans(card kiosk.Card) []kiosk.Loan {
	var out []kiosk.Loan
	for c := range s.lent[card] {
		out = append(out, *c.loan)
	}
	return oldestFirst(out)
}

func oldestFirst(loans []kiosk.Loan) []kiosk.Loan {
	slices.SortFunc(loans, func(a, b kiosk.Loan) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(string(a.Item), string(b.Item))
	})
	return loans
}
