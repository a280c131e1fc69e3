package desk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// freshness is a mirror that knows how fresh its lists are.
type freshness interface {
	Fresh(ctx context.Context, l kiosk.List) (kiosk.Freshness, error)
}

// account asks upstream what a card has, and the mirror if upstream is away.
func (d *Desk) account(ctx context.Context, card kiosk.Card, online bool) kiosk.Event {
	ev := kiosk.AccountFetched{Card: card, Err: &kiosk.Error{Code: kiosk.CodeOffline}}
	if up, ok := d.Upstream.(kiosk.Accountant); ok && online {
		ask, cancel := context.WithTimeout(ctx, d.Deadline)
		ev.Account, ev.Err = up.Account(ask, card)
		cancel()
		d.watchLink(ctx, ev.Err)
	}
	if ev.Err != nil {
		var err error
		if ev.Account, err = d.mirrored(ctx, card); err != nil {
			d.Log.Error("desk: account", "err", err)
		}
		return ev
	}
	d.fillIn(ctx, card, &ev.Account)
	return ev
}

// mirrored is the account as far as the mirror knows it.
func (d *Desk) mirrored(ctx context.Context, card kiosk.Card) (kiosk.Account, error) {
	a := kiosk.Account{Local: true}
	p, err := d.Mirror.Patron(ctx, card)
	switch {
	case err == nil:
		a.Blocked = p.Blocked
	case !errors.Is(err, kiosk.ErrUnknown):
		return a, err
	}
	if m, ok := d.Mirror.(freshness); ok {
		f, err := m.Fresh(ctx, kiosk.OpenLoans)
		if err != nil {
			return a, err
		}
		a.Seen = f.Since
	}
	loans, err := d.Mirror.Loans(ctx, card)
	for _, l := range loans {
		a.Loans = append(a.Loans, kiosk.Borrowed{Item: l.Item, Due: l.Due, Renewals: -1})
	}
	d.fillIn(ctx, card, &a)
	return a, err
}

// fillIn adds titles and due dates from the mirror where they are missing, and
// puts first what the patron must see to first.
func (d *Desk) fillIn(ctx context.Context, card kiosk.Card, a *kiosk.Account) {
	title := func(old string, b kiosk.Barcode) string {
		if old != "" || b == "" {
			return old
		}
		it, _ := d.Mirror.Item(ctx, b)
		return it.Title
	}
	for i := range a.Loans {
		b := &a.Loans[i]
		b.Title = title(b.Title, b.Item)
		if b.Due.IsZero() {
			if l, err := d.Mirror.Loan(ctx, b.Item); err == nil && l.Patron == card {
				b.Due = l.Due
			}
		}
	}
	for i := range a.Holds {
		a.Holds[i].Title = title(a.Holds[i].Title, a.Holds[i].Item)
	}
	slices.SortStableFunc(a.Loans, func(x, y kiosk.Borrowed) int {
		return cmp.Or(last(x.Due).Compare(last(y.Due)), strings.Compare(x.Title, y.Title))
	})
	slices.SortStableFunc(a.Holds, func(x, y kiosk.Hold) int {
		switch {
		case x.Ready == y.Ready:
			return 0
		case x.Ready:
			return -1
		}
		return 1
	})
}

// last sorts what is not known behind everything that is.
func last(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return t
}
