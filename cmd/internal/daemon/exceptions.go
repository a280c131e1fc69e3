package daemon

import (
	"context"
	"fmt"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
	"github.com/carrel-kiosk/carrel/sync/outbox"
)

// exceptions are those of the ledger, as the pages for staff see them.
type exceptions struct{ *Daemon }

var _ web.Exceptions = exceptions{}

// List implements web.Exceptions.
func (x exceptions) List(ctx context.Context) ([]web.Exception, error) {
	rows, err := x.store.Exceptions(ctx)
	var list []web.Exception
	for _, r := range rows {
		list = append(list, web.Exception{ID: r.ID, Kind: r.Kind, Item: r.Item, Title: r.Title, Card: r.Patron, At: r.At, Due: r.Promised,
			Advice: outbox.Advise(r.Kind, r.Reason), Says: r.Text})
	}
	return list, err
}

// Look implements web.Exceptions.
func (x exceptions) Look(ctx context.Context, id kiosk.ID) (kiosk.Standing, error) {
	if x.upstream == nil { // it had one when these came about
		return kiosk.Standing{}, &kiosk.Error{Code: kiosk.CodeOffline, Text: "this kiosk has no upstream"}
	}
	for r, err := range x.store.Entries(ctx, sqlite.Filter{ID: id}) {
		if err != nil {
			return kiosk.Standing{}, err
		}
		return x.upstream.Look(ctx, r.Item, r.Patron)
	}
	return kiosk.Standing{}, fmt.Errorf("entry %s: %w", id, kiosk.ErrUnknown)
}

// Resolve implements web.Exceptions.
func (x exceptions) Resolve(ctx context.Context, id kiosk.ID, how, note string) error {
	return x.Daemon.Resolve(ctx, id, control.Resolution{How: how, Note: note})
}
