package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// directory is what the mirror and the library's system know, for staff.
type directory struct{ *Daemon }

var _ web.Directory = directory{}

// Find implements web.Directory.
func (d directory) Find(ctx context.Context, text string, most int) ([]kiosk.Patron, []kiosk.Item, error) {
	ps, e1 := d.store.FindPatrons(ctx, text, most)
	is, e2 := d.store.FindItems(ctx, text, most)
	return ps, is, errors.Join(e1, e2)
}

// asks tells whether it makes sense to ask the library's system.
func (d directory) asks() bool { return d.worker != nil && d.worker.Status().Up }

// Patron implements web.Directory.
func (d directory) Patron(ctx context.Context, card kiosk.Card) (f web.PatronFacts, err error) {
	if d.asks() {
		ask, cancel := context.WithTimeout(ctx, d.Config.Upstream.Deadline)
		f.Patron, err = d.upstream.Identify(ask, card, "")
		cancel()
		f.Asked = err == nil
	}
	known, err := d.store.Patron(ctx, card)
	switch {
	case err == nil && f.Asked:
		f.Patron = f.Patron.Over(known)
	case err == nil:
		f.Patron = known
	case !f.Asked || !errors.Is(err, kiosk.ErrUnknown):
		return f, err
	}
	if f.Card == "" {
		f.Card = card
	}
	loans, err := d.store.Loans(ctx, f.Card)
	for _, l := range loans {
		i, err := d.store.Item(ctx, l.Item)
		if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
			return f, err
		}
		f.Loans = append(f.Loans, web.LoanFacts{Loan: l, Title: i.Title})
	}
	return f, err
}

// Item implements web.Directory.
func (d directory) Item(ctx context.Context, b kiosk.Barcode) (f web.ItemFacts, err error) {
	f.Item, err = d.store.Item(ctx, b)
	unknown := errors.Is(err, kiosk.ErrUnknown)
	if err != nil && !unknown {
		return f, err
	}
	loan, err := d.store.Loan(ctx, b)
	if f.Lent = err == nil; f.Lent {
		f.Loan = loan
	} else if !errors.Is(err, kiosk.ErrUnknown) {
		return f, err
	}
	if d.asks() {
		ask, cancel := context.WithTimeout(ctx, d.Config.Upstream.Deadline)
		defer cancel()
		if f.Now, err = d.upstream.Look(ask, b, f.Loan.Patron); err == nil {
			f.Asked = true
			f.Barcode = b
			if f.Title == "" {
				f.Title = f.Now.Title
			}
			unknown = unknown && !f.Now.Known
		}
	}
	if unknown {
		return f, fmt.Errorf("item %s: %w", b, kiosk.ErrUnknown)
	}
	return f, nil
}

// Lend implements web.Directory: an entry of its own, decided by staff, that
// the library's system is told of as of one that has happened.
func (d directory) Lend(ctx context.Context, card kiosk.Card, b kiosk.Barcode, by kiosk.Act) (kiosk.ID, error) {
	p, err := d.Patron(ctx, card)
	if err != nil {
		return "", err
	}
	i, err := d.Item(ctx, b)
	if err != nil {
		return "", err
	}
	if i.Lent {
		reason := kiosk.ReasonOnLoanOther
		if i.Loan.Patron == p.Card {
			reason = kiosk.ReasonOnLoanYou
		}
		return "", &kiosk.Error{Code: kiosk.CodeRefused, Reason: reason}
	}
	e := kiosk.Entry{ID: newID(), Kind: kiosk.Checkout, Item: b, Patron: p.Card, State: kiosk.Offline, Title: i.Title,
		Text: "lent by staff: " + by.Note, Tags: d.tagsOf(ctx, b)}
	return e.ID, d.recordBy(ctx, e, d.Config.Rules().Due(i.Type, d.clock.Now()), by)
}

// recordBy dates an entry, records it, and has it told.
func (d directory) recordBy(ctx context.Context, e kiosk.Entry, due time.Time, by kiosk.Act) error {
	e.At, e.Doubt, e.Up = d.clock.Stamp(d.clock.Now())
	e.Due, by.At = due, d.clock.Now()
	if err := d.store.RecordBy(ctx, e, by); err != nil {
		return err
	}
	if d.worker != nil {
		d.worker.Wake()
	}
	return nil
}

// tagsOf gives the tags of an item that lie on the pad now, so that they are
// released with the loan. With a patron at the desk, or without a pad, there
// are none; the gate then has to be told by hand.
func (d directory) tagsOf(ctx context.Context, b kiosk.Barcode) (tags []kiosk.TagID) {
	if !d.pads.ready() {
		return nil
	}
	found, err := d.staff.Look(ctx)
	defer d.staff.Done(ctx) //nolint:errcheck // the lease ends by itself
	if err != nil {
		d.Log.Info("staff: the pad was not read for a loan", "err", err)
	}
	for _, f := range found {
		if f.Contents.Item == string(b) {
			tags = append(tags, f.UID)
		}
	}
	return tags
}

// TakeBack implements web.Directory.
func (d directory) TakeBack(ctx context.Context, id kiosk.ID, by kiosk.Act) error {
	for r, err := range d.store.Entries(ctx, sqlite.Filter{ID: id, Open: true}) {
		if err != nil {
			return err
		}
		e := kiosk.Entry{ID: newID(), Kind: kiosk.Checkin, Item: r.Item, Patron: r.Patron, State: kiosk.Offline, Title: r.Title,
			Text: "taken back by staff", Tags: d.tagsOf(ctx, r.Item)}
		return d.recordBy(ctx, e, time.Time{}, by)
	}
	return fmt.Errorf("entry %s: %w", id, kiosk.ErrUnknown)
}
