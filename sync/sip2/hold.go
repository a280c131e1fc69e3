package sip2

import (
	"context"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var _ kiosk.Holder = (*Upstream)(nil)

// holdMessage is the place of 15 in BX, the list of messages that a server takes.
const holdMessage = 13

// Holds implements kiosk.Holder: the server has said at the last login that it
// takes 15, and is not known to refuse it all the same. Until it has said
// something, it does not.
func (u *Upstream) Holds() bool {
	h := u.Habits().Hold
	return u.takesHolds.Load() && h != Refused && h != Unanswered
}

// PlaceHold implements kiosk.Holder by 15 with mode +, for any copy of the title
// (hold type 2), to wait where the kiosk stands. It is never sent again by
// itself.
func (u *Upstream) PlaceHold(ctx context.Context, c kiosk.Card, item kiosk.Barcode) (p kiosk.Placed, err error) {
	if c == "" || item == "" {
		return p, &kiosk.Error{Code: kiosk.CodeInvalid, Text: "a reservation without card or item"}
	}
	m := u.base("15", "+"+u.now())
	if u.Location != "" {
		m = m.With("BS", u.Location)
	}
	m = m.With("BY", "2").With("AA", string(c)).With("AB", string(item)).With("AC", u.TerminalPassword).With("BO", "N")
	err = u.with(ctx, func(l *line) error {
		if !l.supports(holdMessage) {
			return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "the server takes no reservations"}
		}
		a, err := l.ask(ctx, m, "16")
		if err != nil {
			return err
		}
		p, err = u.placed(a)
		return err
	})
	return p, err
}

// placed reads a 16. A place of 0 in the queue is none that was told: Koha says
// so of every reservation.
func (u *Upstream) placed(a Message) (kiosk.Placed, error) {
	text := a.Text("AF")
	if a.Part(0, 1) != "1" {
		return kiosk.Placed{}, u.refusal(kiosk.Checkout, a, text)
	}
	p := kiosk.Placed{Pickup: a.Text("BS"), Text: text}
	if n, err := strconv.Atoi(strings.TrimSpace(a.Value("BR"))); err == nil && n > 0 {
		p.Place = n
	}
	return p, nil
}
