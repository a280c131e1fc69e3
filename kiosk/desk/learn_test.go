package desk_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestLearnsItems: what the ILS tells of a copy at the desk is in the mirror
// afterwards, for when nobody can be asked.
func TestLearnsItems(t *testing.T) {
	var m kiosktest.Memory
	if _, err := m.PutItems(t.Context(), []kiosk.Item{book}); err != nil {
		t.Fatal(err)
	}
	up := &ils{tell: func(_ context.Context, e kiosk.Entry) (kiosk.Answer, error) {
		if e.Item == book.Barcode {
			return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonOnHold}
		}
		return kiosk.Answer{Title: "Emma"}, nil
	}}
	run(t, desk.Config{Ledger: &m, Mirror: &m, Upstream: up}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		for n, b := range []kiosk.Barcode{book.Barcode, "31234000010072"} {
			must(t, d.Send(ctx, kiosk.ItemPlaced{Item: b}))
			until(t, d, "an answer", func(sc kiosk.Screen) bool {
				return len(sc.Lines) == n+1 && (sc.Lines[n].State == kiosk.LineLent || sc.Lines[n].State == kiosk.LineRefused)
			})
		}
		synctest.Wait()
		want := kiosk.Item{Barcode: book.Barcode, Title: book.Title, Status: kiosk.StatusOnHold}
		got, err := m.Item(ctx, want.Barcode)
		if want.Seen = got.Seen; err != nil || got != want || time.Since(got.Seen).Abs() > time.Minute {
			t.Errorf("the mirror has %+v, %v; want %+v, of now", got, err, want)
		}
		if got, err := m.Item(ctx, "31234000010072"); !errors.Is(err, kiosk.ErrUnknown) {
			t.Errorf("of a copy that no list has the mirror has %+v, %v; want it unknown", got, err)
		}
	})
}

// TestLearnsCards: a card that the ILS does not know any more, or does not lend
// to, is refused as well when nobody can be asked; so is one of which it says
// so only when something is to be lent, until it says otherwise.
func TestLearnsCards(t *testing.T) {
	var m kiosktest.Memory
	said := &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonUnknownCard, Text: "Patron does not exist"}
	var identify, tell error
	var against kiosk.Reason
	up := &ils{
		identify: func(_ context.Context, c kiosk.Card) (kiosk.Patron, error) {
			return kiosk.Patron{Card: c, FirstName: "Ada", Blocked: against}, identify
		},
		tell: func(context.Context, kiosk.Entry) (kiosk.Answer, error) { return kiosk.Answer{}, tell },
	}
	if _, err := m.PutPatrons(t.Context(), []kiosk.Patron{reader}); err != nil {
		t.Fatal(err)
	}
	run(t, desk.Config{Ledger: &m, Mirror: &m, Upstream: up, Rules: kiosk.Rules{UnknownItems: true}}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		welcome := func() {
			must(t, d.Send(ctx, kiosk.Finish{}))
			until(t, d, "the welcome view", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewWelcome })
		}
		read := func(what string, fits func(kiosk.Screen) bool) {
			t.Helper()
			must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
			until(t, d, what, fits)
			synctest.Wait()
		}
		no := func(why kiosk.Reason) func(kiosk.Screen) bool {
			return func(sc kiosk.Screen) bool { return sc.Notice.Reason == why }
		}
		in := func(sc kiosk.Screen) bool {
			return sc.View == kiosk.ViewItems && sc.Patron != "" && sc.Notice.Reason == ""
		}
		away := func(why kiosk.Reason) {
			t.Helper()
			welcome()
			must(t, d.Send(ctx, kiosk.LinkChanged{Up: false}))
			read("the same no offline", no(why))
			if p, err := m.Patron(ctx, reader.Card); err != nil || p.FamilyName != reader.FamilyName || p.Blocked != why {
				t.Errorf("the mirror has %+v, %v", p, err)
			}
			welcome()
			must(t, d.Send(ctx, kiosk.LinkChanged{Up: true}))
		}
		identify = said
		read("a no", no(said.Reason))
		away(said.Reason)

		identify, tell = nil, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonFees, Text: "DEBT"}
		read("the patron", in)
		against = kiosk.ReasonCardExpired // since the patron came
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		until(t, d, "a no", state(kiosk.LineRefused))
		synctest.Wait()
		against = ""
		away(kiosk.ReasonCardExpired)

		for _, why := range []kiosk.Reason{kiosk.ReasonTooMany, kiosk.ReasonCardBlocked} {
			tell = &kiosk.Error{Code: kiosk.CodeRefused, Reason: why, Text: "Item is blocked from circulation"}
			read("the patron again", in)
			must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
			until(t, d, "another no", state(kiosk.LineRefused))
			synctest.Wait()
			if p, err := m.Patron(ctx, reader.Card); err != nil || p.Blocked != "" {
				t.Errorf("%s, said of a loan, bars the card: %+v, %v", why, p, err)
			}
			welcome()
		}
	})
}
