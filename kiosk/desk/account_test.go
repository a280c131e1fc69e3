package desk_test

import (
	"context"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
)

// books are an ILS that knows accounts, or is silent.
type books struct {
	ils
	silent bool
}

func (b *books) Account(ctx context.Context, c kiosk.Card) (kiosk.Account, error) {
	if b.silent {
		<-ctx.Done()
		return kiosk.Account{}, &kiosk.Error{Code: kiosk.CodeOffline, Err: ctx.Err()}
	}
	return kiosk.Account{Owed: "2.00 EUR", Loans: []kiosk.Borrowed{{Item: "later", Title: "Later", Due: time.Unix(9e9, 0)}, {Item: book.Barcode}},
		Holds: []kiosk.Hold{{Title: "Emma"}, {Item: book.Barcode, Ready: true}}}, nil
}

// aged is a mirror with one loan, of three days ago.
type aged struct {
	*shelf
	since time.Time
}

func (m aged) Fresh(context.Context, kiosk.List) (kiosk.Freshness, error) {
	return kiosk.Freshness{Since: m.since}, nil
}
func (m aged) Loans(context.Context, kiosk.Card) ([]kiosk.Loan, error) {
	return []kiosk.Loan{{Item: book.Barcode, Patron: reader.Card, Due: m.since}}, nil
}
func (m aged) Loan(context.Context, kiosk.Barcode) (kiosk.Loan, error) {
	return kiosk.Loan{Item: book.Barcode, Patron: reader.Card, Due: m.since}, nil
}

func account(t *testing.T, d *desk.Desk, ctx context.Context) kiosk.Account {
	must(t, d.Send(ctx, kiosk.ShowAccount{}))
	must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
	return *until(t, d, "an account", func(sc kiosk.Screen) bool { return sc.Account != nil }).Account
}

func TestAccountComesFromUpstream(t *testing.T) {
	m := aged{newShelf(), time.Unix(8e9, 0)}
	run(t, desk.Config{Ledger: m, Mirror: m, Upstream: &books{}}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		a := account(t, d, ctx)
		if a.Local || a.Owed != "2.00 EUR" || len(a.Loans) != 2 || len(a.Holds) != 2 {
			t.Fatalf("account %+v; want the ILS's", a)
		}
		if l := a.Loans[0]; l.Title != book.Title || !l.Due.Equal(m.since) {
			t.Errorf("first loan %+v; want the one that is due first, as the mirror has it", l)
		}
		if h := a.Holds[0]; !h.Ready || h.Title != book.Title {
			t.Errorf("first hold %+v; want the one that is ready", h)
		}
	})
}

func TestAccountOfASilentUpstreamIsTheMirrors(t *testing.T) {
	for _, up := range []kiosk.Upstream{&books{silent: true}, &ils{}, nil} {
		m := aged{newShelf(), time.Unix(8e9, 0)}
		run(t, desk.Config{Ledger: m, Mirror: m, Upstream: up, Deadline: 2 * time.Second}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
			start := time.Now()
			a := account(t, d, ctx)
			if !a.Local || !a.Seen.Equal(m.since) || len(a.Loans) != 1 || a.Loans[0].Title != book.Title || a.Loans[0].Renewals != -1 {
				t.Errorf("%T: account %+v; want the mirror's, with its age", up, a)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%T: took %v; want no more than the deadline", up, took)
			}
		})
	}
}
