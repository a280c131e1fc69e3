package desk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk/desk"
)

func TestAlive(t *testing.T) {
	c := desk.Config{}
	s := &shelf{states: nil, stall: time.Minute}
	c.Ledger, c.Mirror = s, s
	run(t, c, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		before := d.Screen().Seq
		if err := d.Alive(ctx); err != nil {
			t.Errorf("Alive() = %v", err)
		}
		if seq := d.Screen().Seq; seq != before {
			t.Errorf("a sign of life has changed the screen: %d, was %d", seq, before)
		}
	})
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	dead := desk.New(c) // nobody runs it
	if err := dead.Alive(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Alive() of a desk that does not run = %v; want %v", err, context.DeadlineExceeded)
	}
}
