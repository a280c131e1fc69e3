package daemon

import (
	"context"
	"log/slog"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// telling is upstream as the outbox has it: what it says in passing of a copy
// or a card is kept in the mirror, as what it says to the desk is. After an
// outage that is most of what is heard: what goes to the hold shelf, what is
// lost there, which cards are not good any more.
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
	if e.Kind.Lends() {
		t.kept(ctx, "card", string(e.Patron), kiosk.LearnWhy(ctx, t.mirror, t.Upstream, e.Patron, err, t.now()))
	}
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
	t.kept(ctx, "item", string(b), kiosk.Learn(ctx, t.mirror, b, told))
}

func (t telling) kept(ctx context.Context, what, which string, err error) {
	if err != nil && ctx.Err() == nil {
		t.log.Warn("what the library's system says is not kept", what, which, "err", err)
	}
}
