package desk

import (
	"context"
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// deliverTime is the longest that a receipt may take on its way. After that
// nothing of it is left here.
const deliverTime = 30 * time.Second

var errNoDelivery = errors.New("there is nothing to hand receipts over with")

// deliver hands a receipt over. It is tried once: a patron who has gone does
// not come back for it, and nobody else is to find it.
func (d *Desk) deliver(ctx context.Context, e kiosk.Deliver) kiosk.Event {
	ev := kiosk.Delivered{Visit: e.Receipt.Visit, How: e.How, Err: errNoDelivery}
	if d.Deliver != nil {
		ctx, cancel := context.WithTimeout(ctx, deliverTime)
		defer cancel()
		ev.Err = d.Deliver(ctx, e)
	}
	if ev.Err != nil && ctx.Err() == nil {
		d.Log.Warn("desk: a receipt was not handed over", "how", e.How, "err", ev.Err)
	}
	return ev
}
