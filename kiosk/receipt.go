package kiosk

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Delivery is a way to hand a receipt over.
type Delivery string

// The ways. What is on the screen, with its code to scan, is always there.
const (
	Print Delivery = "print"
	Mail  Delivery = "mail"
)

// Receipts are what the library has decided of them.
type Receipts struct {
	Printer bool      // there is a printer
	Print   bool      // and it may be used
	Always  bool      // print each without being asked
	Mail    bool      // there is a mail server
	Name    NameStyle // of the patron; NameNone is the default
	Titles  bool      // name what was lent; without, only its number and date
	Card    bool      // the last four digits of the card
}

// Receipt is what a session came to, with no more of the patron than the
// library allows. It is complete in itself.
type Receipt struct {
	Visit    ID
	Mode     Mode
	Patron   string // as the library wants it; may be empty
	Card     string // the last digits, after a mark that there are more; may be empty
	Language string // in which it is wanted, BCP 47, or empty
	At       time.Time
	Lines    []Line // first what came to an end, then what needs a look
}

// Done lists what was lent, renewed or returned.
func (r Receipt) Done() (ls []Line) {
	for _, l := range r.Lines {
		if l.succeeded() {
			ls = append(ls, l)
		}
	}
	return ls
}

// Unfinished lists what was not, or needs staff.
func (r Receipt) Unfinished() (ls []Line) {
	for _, l := range r.Lines {
		if !l.succeeded() {
			ls = append(ls, l)
		}
	}
	return ls
}

// Handed is how the handing over of a receipt stands.
type Handed string

// The states.
const (
	NotOffered Handed = ""
	Offered    Handed = "offered"
	Working    Handed = "working"
	HandedOver Handed = "done"
	NoPaper    Handed = "no-paper" // the printer has none, or its cover is open
	Failed     Handed = "failed"
)

// ErrNoPaper says that a printer wants a hand: paper, or its cover closed.
var ErrNoPaper = errors.New("printer has no paper, or its cover is open")

// Slip is how the receipt of a session stands.
type Slip struct {
	Print, Mail Handed
	Titles      bool   // the library lets it name what was lent
	Address     string // to which it is mailed, for showing: most of it is hidden
}

// Deliver has a receipt handed over: Delivered. What it takes is bounded by
// the desk, and nobody waits for it.
type Deliver struct {
	How     Delivery
	Receipt Receipt
	Address string // of mail
}

// AskReceipt asks for the receipt in one of the ways, in the language of the
// screen.
type AskReceipt struct {
	How      Delivery
	Language string
}

// Delivered answers Deliver. Err is nil when it is printed or sent.
type Delivered struct {
	Visit ID
	How   Delivery
	Err   error
}

func (Deliver) effect()   {}
func (AskReceipt) event() {}
func (Delivered) event()  {}

// offer says on the receipt's view which ways there are; one is taken by
// itself where the library wants it.
func (s *step) offer() {
	r := s.rules.Receipts
	s.slip = Slip{Titles: r.Titles}
	if r.Print {
		s.slip.Print = Offered
	}
	if s.address = ""; r.Mail && s.mode == Borrowing && mailable(s.patron.Email) {
		s.slip.Mail, s.slip.Address, s.address = Offered, hide(s.patron.Email), s.patron.Email
	}
	if r.Print && r.Always {
		s.deliver(Print)
	}
}

func (s *step) askReceipt(ev AskReceipt) {
	if s.view != ViewReceipt {
		return
	}
	s.touch()
	if ev.Language != "" {
		s.speaks = ev.Language
	}
	s.deliver(ev.How)
}

// state is where a way's state is kept.
func (s *step) state(how Delivery) *Handed {
	if how == Mail {
		return &s.slip.Mail
	}
	return &s.slip.Print
}

func (s *step) deliver(how Delivery) {
	st := s.state(how)
	if *st != Offered && *st != NoPaper && *st != Failed {
		return // it is under way, or theirs already
	}
	*st = Working
	d := Deliver{How: how, Receipt: s.receipt()}
	if how == Mail {
		d.Address = s.address
	}
	s.do(d)
}

func (s *step) delivered(ev Delivered) {
	if ev.Visit != s.visit || s.view != ViewReceipt {
		return // whoever it was for has gone
	}
	switch st := s.state(ev.How); {
	case *st != Working:
	case errors.Is(ev.Err, ErrNoPaper):
		*st = NoPaper
	case ev.Err != nil:
		*st = Failed
	default:
		*st = HandedOver
	}
}

// receipt makes the session's.
func (s *step) receipt() Receipt {
	rules := s.rules.Receipts
	r := Receipt{Visit: s.visit, Mode: s.mode, At: s.now, Language: s.speaks}
	if r.Language == "" {
		r.Language = s.patron.Language
	}
	r.Lines = s.lines
	if s.mode == Borrowing {
		return rules.Of(r, s.patron)
	}
	return rules.Of(r, Patron{})
}

// Of is a receipt with no more of a patron, and of what was lent, than the
// library allows.
func (rules Receipts) Of(r Receipt, p Patron) Receipt {
	if r.Patron, r.Card = "", ""; rules.Name != "" {
		r.Patron = rules.Name.show(p)
	}
	if rules.Card {
		r.Card = lastDigits(string(p.Card))
	}
	r.Lines = receiptLines(r.Lines, rules.Titles)
	return r
}

// Receipt is what a screen shows as a receipt, with nothing of the patron, for
// the code that is scanned from it.
func (s Screen) Receipt() Receipt {
	return Receipt{Visit: s.Visit, Mode: s.Mode, Language: s.Language, At: s.Now, Lines: receiptLines(s.Lines, s.Slip.Titles)}
}

func receiptLines(from []Line, titles bool) (lines []Line) {
	for _, l := range from {
		l.Text, l.tags, l.entry, l.found = "", nil, nil, nil // for staff, and for the session
		if !titles {
			l.Title = ""
		}
		lines = append(lines, l)
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return rankOf(a) - rankOf(b) })
	return lines
}

func rankOf(l Line) int {
	if l.succeeded() {
		return 0
	}
	return 1
}

// lastDigits gives the last four characters of a number, never most of it.
func lastDigits(number string) string {
	r := []rune(number)
	if len(r) < 8 {
		return ""
	}
	return "…" + string(r[len(r)-4:])
}

// maxAddress is the longest mail address (RFC 5321, 4.5.3.1.3).
const maxAddress = 254

// mailable tells whether an address can be written to: nothing in it may end
// a line of the protocol, or be taken for more than one.
func mailable(address string) bool {
	local, domain, ok := strings.Cut(address, "@")
	return ok && local != "" && strings.Contains(domain, ".") && len(address) <= maxAddress &&
		!strings.ContainsFunc(address, func(r rune) bool {
			return r <= ' ' || r == 0x7F || strings.ContainsRune(`,;:<>()[]"\`, r)
		}) && strings.Count(address, "@") == 1
}

// hide shows enough of an address for its owner.
func hide(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	first := []rune(local)[:1]
	return string(first) + "•••@" + domain
}
