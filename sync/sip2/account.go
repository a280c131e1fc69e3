package sip2

import (
	"context"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var _ kiosk.Accountant = (*Upstream)(nil)

// The lists of a 63, by their place in the summary, with the field of a 64 that
// each fills and the place of its count (SIP2 2.00, "patron information").
var (
	heldList    = list{place: 0, field: "AS", count: 0}
	chargedList = list{place: 2, field: "AU", count: 2}
	waitingList = list{place: 5, field: "CD", count: 5}
)

type list struct {
	place, count int
	field        string
}

// reserve is what is left of the time for an account when no more details are
// asked for: an account without titles is more than none.
const reserve = 200 * time.Millisecond

// Account implements kiosk.Accountant: a 63 for each list, as one summary at a
// time is all that may be asked for, and a 17 for each item as long as there is
// time. How often a loan can be renewed the protocol does not tell.
func (u *Upstream) Account(ctx context.Context, card kiosk.Card) (a kiosk.Account, err error) {
	listed := false
	err = u.with(ctx, func(l *line) error {
		a = kiosk.Account{Seen: u.clock()}
		if !l.supports(7) {
			return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "the server tells nothing of accounts"}
		}
		err := u.account(ctx, l, card, &a)
		if listed = err == nil; listed {
			err = u.detail(ctx, l, &a)
		}
		return asOffline(err)
	})
	if listed { // what fails after that costs a title and the line
		err = nil
	}
	return a, err
}

func (u *Upstream) account(ctx context.Context, l *line, card kiosk.Card, a *kiosk.Account) error {
	m, loans, err := u.listed(ctx, l, card, chargedList)
	if err != nil {
		return err
	}
	p, err := u.patron(m, card, "")
	if err != nil {
		return err
	}
	a.Blocked, a.Owed, a.Message = p.Blocked, owed(m), messageOf(m.Text("AF"))
	for _, what := range loans {
		b := kiosk.Borrowed{Renewals: -1}
		b.Item, b.Title = named(what)
		a.Loans = append(a.Loans, b)
	}
	for _, which := range []list{heldList, waitingList} {
		if n := strings.TrimSpace(m.Part(14+3+18+4*which.count, 4)); n == "0000" {
			continue
		}
		_, holds, err := u.listed(ctx, l, card, which)
		if err != nil {
			return err
		}
		for _, what := range holds {
			h := kiosk.Hold{Ready: which == heldList}
			h.Item, h.Title = named(what)
			a.Holds = append(a.Holds, h)
		}
	}
	return nil
}

// listed asks for one list.
func (u *Upstream) listed(ctx context.Context, l *line, card kiosk.Card, which list) (Message, []string, error) {
	summary := []byte(strings.Repeat(" ", 10))
	summary[which.place] = 'Y'
	m := u.base("63", "001"+u.now()+string(summary)).With("AA", string(card)).With("AC", u.TerminalPassword)
	a, err := l.ask(ctx, m, "64")
	if err != nil {
		return a, nil, err
	}
	var all []string
	for _, s := range a.All(which.field) {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return a, all, nil
}

// named tells a barcode from a title: servers put either into their lists.
func named(s string) (kiosk.Barcode, string) {
	if barcodes([]string{s}) {
		return kiosk.Barcode(s), ""
	}
	return "", s
}

// owed is what is owed with its currency, or "".
func owed(m Message) string {
	if !fee(m) {
		return ""
	}
	return strings.TrimSpace(m.Text("BV") + " " + m.Text("BH"))
}

// kohaGreets begins what Koha says of a patron (C4::SIP::ILS::Patron): the
// note that the library has written for the patron follows, and behind " -- "
// what is in the way, which is told by its reasons.
const kohaGreets = "Greetings from Koha."

// messageOf is the library's message to the patron, where it can be told from
// all else that a server says there.
func messageOf(text string) string {
	rest, ok := strings.CutPrefix(text, kohaGreets)
	note, _, _ := strings.Cut(rest, " -- ")
	if note = strings.TrimSpace(note); !ok || reasonOf(note) != kiosk.ReasonAskStaff {
		return ""
	}
	return note
}

// onShelf is the circulation status of what waits on the hold shelf.
const onShelf = "08"

// waitsAt is where a ready hold waits, if it is said and is not here: AP of an
// 18 of the hold shelf's status. Some servers put a code there, some a name.
func (u *Upstream) waitsAt(m Message) string {
	if m.Part(0, 2) != onShelf {
		return ""
	}
	at := strings.TrimSpace(m.Value("AP"))
	if strings.EqualFold(at, u.Institution) || strings.EqualFold(at, u.Location) {
		return ""
	}
	return at
}

// detail asks for titles and due dates, as long as there is time.
func (u *Upstream) detail(ctx context.Context, l *line, a *kiosk.Account) (err error) {
	ask := func(b kiosk.Barcode, tell func(kiosk.Standing, Message)) {
		if end, bounded := ctx.Deadline(); b == "" || err != nil || bounded && time.Until(end) < reserve {
			return
		}
		var m Message
		m, err = l.ask(ctx, u.base("17", u.now()).With("AB", string(b)).With("AC", u.TerminalPassword), "18")
		if err == nil {
			tell(u.standing(m), m)
		}
	}
	if !l.supports(10) {
		return nil
	}
	for i := range a.Loans {
		b := &a.Loans[i]
		ask(b.Item, func(st kiosk.Standing, _ Message) { b.Title, b.Due = st.Title, st.Due })
	}
	for i := range a.Holds {
		h := &a.Holds[i]
		ask(h.Item, func(st kiosk.Standing, m Message) {
			if h.Title = st.Title; h.Ready {
				h.At = u.waitsAt(m)
			}
		})
	}
	return err
}
