package daemon

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestNobody: what waits for an empty desk waits from the card to the end of
// the receipt.
func TestNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &kiosktest.Memory{}
		if _, err := m.PutPatrons(t.Context(), []kiosk.Patron{kiosktest.Patron(1)}); err != nil {
			t.Fatal(err)
		}
		d := &Daemon{desk: desk.New(desk.Config{Ledger: m, Mirror: m, NewID: newID, Log: slog.New(slog.DiscardHandler)})}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.desk.Run(ctx) }()
		if err := d.nobody(ctx); err != nil {
			t.Fatal(err)
		}
		if err := d.desk.Send(ctx, kiosk.CardRead{Card: kiosktest.Card(1)}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if v := d.desk.Screen().View; v == kiosk.ViewWelcome {
			t.Fatalf("after a card the screen shows %s", v)
		}
		begun := time.Now()
		if err := d.nobody(ctx); err != nil || time.Since(begun) < 30*time.Second {
			t.Errorf("nobody() after %v, %v; want the session to end first", time.Since(begun), err)
		}
		cancel()
		<-ended
	})
}
