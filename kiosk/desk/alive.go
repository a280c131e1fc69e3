package desk

import (
	"context"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// pulse asks the desk for a sign of life; it is no event of the session's.
type pulse struct {
	kiosk.Tick
	felt chan<- struct{}
}

// Alive waits until the desk has taken an event, which shows that it still
// takes what patrons do; the error is ctx's.
func (d *Desk) Alive(ctx context.Context) error {
	felt := make(chan struct{})
	if err := d.Send(ctx, pulse{felt: felt}); err != nil {
		return err
	}
	select {
	case <-felt:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
