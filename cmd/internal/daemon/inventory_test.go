package daemon

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestWalkFollows: a walk that begins before the last one has put down its wand
// takes what is read behind that, and after a while even if that never ends.
func TestWalkFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if _, err := store.PutItems(t.Context(), []kiosk.Item{{Barcode: "A", CallNumber: "500 A", Scheme: "ddc"}, {Barcode: "B", CallNumber: "501 B", Scheme: "ddc"}}); err != nil {
			t.Fatal(err)
		}
		order, err := shelf.NewOrder(shelf.Rules{})
		if err != nil {
			t.Fatal(err)
		}
		v := inventory.New(inventory.Config{Store: store, Order: order, Now: time.Now, NewID: func() kiosk.ID { return "v" },
			Read: func(text string) inventory.Code { return inventory.Code{Item: kiosk.Barcode(text)} }})
		if _, _, err := v.Begin(t.Context(), "", kiosk.ShelfRange{}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		s := &staff{Daemon: &Daemon{inventories: v, Options: Options{Log: slog.New(slog.DiscardHandler)}}, ctx: ctx, until: time.Now().Add(time.Hour), wake: make(chan struct{}, 1)}
		gate := make(chan struct{})
		read := func(item string) *walk {
			w, err := s.walkFor("v")
			if err != nil {
				t.Fatal(err)
			}
			w.listen(func(inventory.Said) { <-gate })
			w.reads <- walkRead{"wand", 16, inventory.Read{Text: item}}
			synctest.Wait()
			return w
		}
		read("A") // it is written, and held up where it is said
		s.stop()
		s.walk = nil // as at the end of the lease
		read("B")
		gate <- struct{}{}
		synctest.Wait()
		var got []string
		for line, err := range store.Lines(t.Context(), "v") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(line.Kind)+string(line.Item))
		}
		start := string(kiosk.ShelfStart)
		if want := []string{start, string(kiosk.ShelfScan) + "A", start, string(kiosk.ShelfScan) + "B"}; !slices.Equal(got, want) {
			t.Errorf("the log has %q; want %q", got, want)
		}
		s.stop()
		s.walk = nil
		w := read("A")
		if len(w.reads) != 1 {
			t.Error("it does not wait for the walk before")
		}
		time.Sleep(2*walkTime + time.Second)
		if synctest.Wait(); len(w.reads) != 0 {
			t.Error("it waits for ever")
		}
		stop()
		close(gate)
		s.benches.Wait()
	})
}
