package kiosk

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestAnotherCardEndsTheSession(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	b.send(CardRead{"c2"})            // while the book is being worked on
	b.send(ItemPlaced{book2.Barcode}) // belongs to c2
	b.view(ViewItems)
	if sc := b.s.Screen(); sc.Card != "c1" || len(sc.Lines) != 1 {
		t.Fatalf("screen = %+v; want c1 with one line until that is done", sc)
	}
	b.store()
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Due: due}})
	b.conclude()
	b.view(ViewIdentifying)
	b.find(book2, nil)
	b.send(Identified{Card: take[Identify](b).Card, Patron: Patron{Card: "c2"}})
	b.find(book2, nil)
	if e := b.store(); e.Patron != "c2" || e.Item != book2.Barcode {
		t.Fatalf("recorded %+v; want the second book for c2", e)
	}
}

func TestThreeCardsKeepTheirOrder(t *testing.T) {
	b := newBench(t, Rules{})
	for i, c := range []Card{"c1", "c2", "c3"} {
		b.send(CardRead{c})
		b.send(ItemPlaced{Barcode(fmt.Sprint("item", i))})
	}
	for i, c := range []Card{"c1", "c2", "c3"} {
		id := take[Identify](b)
		if id.Card != c {
			t.Fatalf("identifies %s; want %s", id.Card, c)
		}
		b.send(Identified{Card: c, Patron: Patron{Card: c}})
		take[Look](b) // before the card
		b.find(Item{Barcode: Barcode(fmt.Sprint("item", i))}, nil)
		e := b.store()
		if e.Patron != c || e.Item != Barcode(fmt.Sprint("item", i)) {
			t.Fatalf("recorded %+v; want item%d for %s", e, i, c)
		}
		b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{}})
		b.conclude()
	}
}

func TestCardTrouble(t *testing.T) {
	tests := []struct {
		name  string
		rules Rules
		id    Identified
		why   Reason
	}{
		{"unknown", Rules{}, Identified{Err: &Error{Code: CodeRefused, Reason: ReasonUnknownCard}}, ReasonUnknownCard},
		{"unknown here, nobody to ask", Rules{}, Identified{Err: &Error{Code: CodeOffline}}, ReasonUnknownCard},
		{"broken", Rules{}, Identified{Err: errors.New("?")}, ReasonAskStaff},
		{"blocked", Rules{}, Identified{Patron: Patron{Blocked: ReasonFees}}, ReasonFees},
		{"expired", Rules{}, Identified{Patron: Patron{Expires: noon}}, ReasonCardExpired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.rules)
			b.send(ItemPlaced{book.Barcode})
			take[Look](b)
			b.send(CardRead{"c1"})
			tt.id.Card = take[Identify](b).Card
			b.send(tt.id)
			b.view(ViewWelcome)
			if n := b.s.Screen().Notice.Reason; n != tt.why {
				t.Errorf("notice = %q; want %q", n, tt.why)
			}
			b.only(LineAction, ReasonWaitsForCard) // the book still waits
			b.now = b.now.Add(10 * time.Second)
			b.send(Tick{})
			if n := b.s.Screen().Notice.Reason; n != "" {
				t.Errorf("notice %q does not go away", n)
			}
		})
	}
}

func TestPIN(t *testing.T) {
	b := newBench(t, Rules{PIN: true})
	b.send(CardRead{"c1"})
	b.view(ViewPIN)
	wrong := &Error{Code: CodeRefused, Reason: ReasonWrongPIN}
	for i := range maxPINs {
		b.view(ViewPIN)
		b.send(PINEntered{"0000"})
		id := take[Identify](b)
		if id.PIN != "0000" {
			t.Fatalf("try %d: identifies with PIN %q", i, id.PIN)
		}
		b.send(Identified{Card: "c1", Err: wrong})
	}
	b.view(ViewWelcome)

	b.send(CardRead{"c1"})
	b.send(PINEntered{"1234"})
	take[Identify](b)
	b.send(Identified{Card: "c1", Patron: Patron{Card: "c1", PINChecked: true}})
	b.view(ViewItems)
}

func TestPINNotChecked(t *testing.T) {
	for _, tt := range []struct {
		allow, local bool
		want         View
	}{{false, true, ViewWelcome}, {true, true, ViewItems}, {true, false, ViewPIN}} {
		b := newBench(t, Rules{PIN: true, PINOffline: tt.allow})
		b.send(CardRead{"c1"})
		b.send(PINEntered{"1234"})
		take[Identify](b)
		b.send(Identified{Card: "c1", Patron: Patron{Card: "c1", Local: tt.local}})
		b.view(tt.want)
	}
}

// TestTrust: with the ILS away, what is known of a patron is trusted for a
// time, then for a few loans, then not at all.
func TestTrust(t *testing.T) {
	trust := Trust{Full: time.Hour, Usual: 24 * time.Hour, Few: 7 * 24 * time.Hour, UsualItems: 3, Items: 2}
	plain := trust
	plain.UsualItems = 0
	for _, tt := range []struct {
		name  string
		rules Rules
		age   time.Duration // 0: nobody knows
		local bool
		had   int // lent before, and not told yet
		lent  int // of 4; -1: not let in
	}{
		{"fresh", Rules{Trust: trust}, 59 * time.Minute, true, 5, 4}, {"today's", Rules{Trust: trust}, time.Hour, true, 0, 3},
		{"today's, one before", Rules{Trust: trust}, 23 * time.Hour, true, 1, 2}, {"today's, no bound", Rules{Trust: plain}, 23 * time.Hour, true, 5, 4},
		{"yesterday's", Rules{Trust: trust}, 24 * time.Hour, true, 0, 2}, {"yesterday's, in the next session", Rules{Trust: trust}, 25 * time.Hour, true, 2, 0},
		{"old", Rules{Trust: trust}, 7 * 24 * time.Hour, true, 0, -1}, {"nobody knows", Rules{Trust: trust}, 0, true, 0, 2}, {"next year's", Rules{Trust: trust}, -365 * 24 * time.Hour, true, 0, 2},
		{"old, by the ILS", Rules{Trust: trust}, 8 * 24 * time.Hour, false, 0, 4}, {"no bounds", Rules{}, 1000 * time.Hour, true, 9, 4},
	} {
		b := newBench(t, tt.rules)
		b.send(LinkChanged{Up: false})
		b.send(CardRead{"c1"})
		take[Identify](b)
		p := Patron{Card: "c1", FirstName: "Ada", Local: tt.local}
		if tt.age != 0 {
			p.Seen = b.now.Add(-tt.age)
		}
		b.send(Identified{Card: "c1", Patron: p, Loans: tt.had, Untold: tt.had})
		if tt.lent < 0 {
			b.view(ViewWelcome)
			if n := b.s.Screen().Notice; n.Reason != ReasonCardUnchecked {
				t.Errorf("%s: notice %+v", tt.name, n)
			}
			continue
		}
		lent := 0
		for n := range 4 {
			b.send(ItemPlaced{Barcode(fmt.Sprint("3000000000000", n))})
			b.find(Item{Barcode: Barcode(fmt.Sprint("3000000000000", n)), Title: "Dune"}, nil)
			if n < tt.lent {
				b.store()
				lent++
			}
		}
		for _, l := range b.s.Screen().Lines {
			if l.State == LineLent {
				lent--
			} else if l.Reason != ReasonCardUnchecked {
				t.Errorf("%s: line %+v", tt.name, l)
			}
		}
		if lent != 0 || len(b.open) != 0 {
			t.Errorf("%s: %d more lent than shown, effects left %+v", tt.name, lent, b.open)
		}
	}
}

func TestNameStyles(t *testing.T) {
	p := Patron{FirstName: "Zoë", FamilyName: "Ng"}
	for style, want := range map[NameStyle]string{"": "Zoë", NameFirst: "Zoë", NameInitials: "Z.N.", NameFull: "Zoë Ng", NameNone: ""} {
		if got := style.show(p); got != want {
			t.Errorf("%q shows %q; want %q", style, got, want)
		}
	}
	// An ILS that speaks SIP2 tells one name, in either order.
	for name, want := range map[string]string{"Lin, Ada": "Ada", "Ada Lin": "Ada", "Ada": "Ada", "": "", ",": ""} {
		if got := NameFirst.show(Patron{FamilyName: name}); got != want {
			t.Errorf("the first name of %q shows as %q; want %q", name, got, want)
		}
	}
	if got := NameInitials.show(Patron{FamilyName: "Lin, Ada"}); got != "A.L." {
		t.Errorf("initials of one name = %q", got)
	}
}

// TestPINOfTheNext: while one card's PIN is checked another card is read. The
// PIN that is typed next is not sent with the first card.
func TestPINOfTheNext(t *testing.T) {
	b := newBench(t, Rules{PIN: true})
	b.send(CardRead{"A"})
	b.send(PINEntered{"1"})
	take[Identify](b)
	b.send(CardRead{"B"})
	b.send(Identified{Card: "A", Err: &Error{Code: CodeRefused, Reason: ReasonWrongPIN}})
	b.view(ViewPIN)
	b.send(PINEntered{"2"})
	if i := take[Identify](b); i.Card != "B" {
		t.Errorf("a PIN goes with card %q; want B", i.Card)
	}
}

// TestEither: a number that is a card's and a copy's means what fits who is at
// the desk.
func TestEither(t *testing.T) {
	copyOf := func(code string) EitherRead { return EitherRead{Code: code, Copy: true} }
	b := newBench(t, Rules{PIN: true})
	b.send(copyOf("7"))
	b.view(ViewPIN)
	b.send(copyOf("7")) // once more: the same card
	b.view(ViewPIN)
	b.send(PINEntered{"1"})
	b.send(copyOf("9")) // a book, while the ILS thinks
	b.view(ViewIdentifying)
	b.send(Identified{Card: take[Identify](b).Card, Patron: Patron{Card: "7", PINChecked: true}})
	if l := b.only(LineWaiting, ""); l.Item != "9" || b.s.card != "7" {
		t.Errorf("%+v for %s; want book 9 for 7", l, b.s.card)
	}
	b.send(copyOf("7")) // a sign of life, and no loan of book 7
	b.only(LineWaiting, "")
	b.send(EitherRead{Code: "8"}) // no such copy: another card, and what comes then is its
	b.send(copyOf("10"))
	if !b.s.closing || len(b.s.queue) != 2 {
		t.Errorf("closing %v with %+v; want the next card and its book waiting", b.s.closing, b.s.queue)
	}
	b.find(Item{}, nil) // it waits no longer for a title
	b.find(Item{Barcode: "9"}, nil)
	b.store()
	b.grant()
	b.send(PINEntered{"2"})
	if id := take[Identify](b); id.Card != "8" {
		t.Errorf("after the session %s is asked for; want 8", id.Card)
	}
	if l := b.only(LineAction, ReasonWaitsForCard); l.Item != "10" {
		t.Errorf("%s waits; want book 10", l.Item)
	}
}
