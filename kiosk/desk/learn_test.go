package desk_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestLearnsItems: what the ILS tells of a copy at the desk is in the mirror
// afterwards, for when nobody can be asked.
func TestLearnsItems(t *testing.T) {
	var m kiosktest.Memory
	if _, err := m.PutItems(t.Context(), []kiosk.Item{book}); err != nil {
		t.Fatal(err)
	}
	up := &ils{tell: func(_ context.Context, e kiosk.Entry) (kiosk.Answer, error) {
		if e.Item == book.Barcode {
			return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonOnHold}
		}
		return kiosk.Answer{Title: "Emma"}, nil
	}}
	run(t, desk.Config{Ledger: &m, Mirror: &m, Upstream: up}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		for n, b := range []kiosk.Barcode{book.Barcode, "31234000010072"} {
			must(t, d.Send(ctx, kiosk.ItemPlaced{Item: b}))
			until(t, d, "an answer", func(sc kiosk.Screen) bool {
				return len(sc.Lines) == n+1 && (sc.Lines[n].State == kiosk.LineLent || sc.Lines[n].State == kiosk.LineRefused)
			})
		}
		synctest.Wait()
		want := kiosk.Item{Barcode: book.Barcode, Title: book.Title, Status: kiosk.StatusOnHold}
		got, err := m.Item(ctx, want.Barcode)
		if want.Seen = got.Seen; err != nil || got != want || time.Since(got.Seen).Abs() > time.Minute {
			t.Errorf("the mirror has %+v, %v; want %+v, of now", got, err, want)
		}
		if got, err := m.Item(ctx, "31234000010072"); !errors.Is(err, kiosk.ErrUnknown) {
			t.Errorf("of a copy that no list has the mirror has %+v, %v; want it unknown", got, err)
		}
	})
}
