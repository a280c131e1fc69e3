package desk

import (
	"context"
	"errors"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// findTitles looks into the catalogue, unless somebody has typed on meanwhile.
// What is looked for goes into no log.
func (d *Desk) findTitles(ctx context.Context, e kiosk.FindTitles, n uint64) kiosk.Event {
	if d.sought.Load() != n {
		return nil
	}
	ev := kiosk.TitlesFound{Text: e.Text, Page: e.Page, Err: errors.ErrUnsupported}
	if h, ok := d.Upstream.(kiosk.Holder); ok {
		ev.Holds = h.Holds()
	}
	if f, ok := d.Mirror.(kiosk.Finder); ok {
		ev.Findings, ev.Err = f.Find(ctx, e.Text, e.Page)
	}
	if ev.Err != nil && ctx.Err() == nil {
		d.Log.Error("desk: the catalogue can't be searched", "err", ev.Err)
	}
	return ev
}

// askHold puts a reservation to upstream.
func (d *Desk) askHold(ctx context.Context, e kiosk.AskHold) kiosk.Event {
	ev := kiosk.HoldAnswered{Card: e.Card, Item: e.Item, Err: &kiosk.Error{Code: kiosk.CodeOffline}}
	if h, ok := d.Upstream.(kiosk.Holder); ok {
		ask, cancel := context.WithTimeout(ctx, d.Deadline)
		ev.Placed, ev.Err = h.PlaceHold(ask, e.Card, e.Item)
		cancel()
		d.watchLink(ctx, ev.Err)
	}
	return ev
}
