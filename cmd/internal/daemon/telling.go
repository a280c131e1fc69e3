package daemon

import (
	"context"
	"log/slog"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// telling is upstream as the outbox has it: what it says in passing of a copy
// is kept in the mirror, as what it says to the desk is. After an outage that
// is most of what is heard: what goes to the hold shelf, what is lost there.
type telling struct {
	*Upstream
	mirror kiosk.Mirror
	now    func() time.Time
	log    *slog.Logger
}

var _ kiosk.Undoer = telling{}

// Tell implements kiosk.Upstream.
func (t telling) Tell(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
	a, err := t.Upstream.Tell(ctx, e)
	t.learn(ctx, e.Item, func(i kiosk.Item) (kiosk.Item, bool) { return i.Told(e, a, err, t.now()) })
	return a, err
}

// Look implements kiosk.Upstream.
func (t telling) Look(ctx context.Context, b kiosk.Barcode, c kiosk.Card) (kiosk.Standing, error) {
	st, err := t.Upstream.Look(ctx, b, c)
	if err == nil {
		t.learn(ctx, b, func(i kiosk.Item) (kiosk.Item, bool) { return i.Stood(st, t.now()) })
	}
	return st, err
}

// learn never fails what was asked.
func (t telling) learn(ctx context.Context, b kiosk.Barcode, told func(kiosk.Item) (kiosk.Item, bool)) {
	if err := kiosk.Learn(ctx, t.mirror, b, told); err != nil && ctx.Err() == nil {
		t.log.Warn("what the library's system says of a copy is not kept", "item", b, "err", err)
	}
}
