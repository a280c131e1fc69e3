package desk_test

import (
	"context"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
)

// TestAgain: who waits for a newer screen gets the same one once more; Seen is
// shown what changes, and nothing twice.
func TestAgain(t *testing.T) {
	s := newShelf()
	var seen []kiosk.View
	run(t, desk.Config{Ledger: s, Mirror: s, Seen: func(sc kiosk.Screen) { seen = append(seen, sc.View) }}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		was := d.Screen()
		d.Again()
		next, err := d.Next(ctx, was.Seq)
		if err != nil || next.Seq != was.Seq+1 || next.View != was.View {
			t.Errorf("%+v, %v", next, err)
		}
		if err := d.Send(ctx, kiosk.StartReturn{}); err != nil {
			t.Fatal(err)
		}
		if next, err = d.Next(ctx, next.Seq); err != nil || next.View != kiosk.ViewItems {
			t.Errorf("%+v, %v", next, err)
		}
	})
	if len(seen) == 0 || seen[len(seen)-1] != kiosk.ViewItems {
		t.Errorf("seen %v", seen)
	}
}
