package daemon

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/station"
)

// TestSameNumbers: in a small school pupils and books are counted from 1, each.
func TestSameNumbers(t *testing.T) {
	c := newCounterOf(t, "[0-9]{1,5}", "[0-9]{1,5}")
	var patrons []kiosk.Patron
	for i, card := range []kiosk.Card{"7", "8"} {
		p := kiosktest.Patron(i)
		p.Card, p.Expires = card, time.Time{}
		patrons = append(patrons, p)
	}
	if _, err := c.store.PutPatrons(t.Context(), patrons); err != nil {
		t.Fatal(err)
	}
	if _, err := c.store.PutItems(t.Context(), []kiosk.Item{{Barcode: "7", Title: "Seven"}, {Barcode: "9", Title: "Nine"}}); err != nil {
		t.Fatal(err)
	}
	c.until("the scanner works", func() bool { return c.devices.status()[0].Working })

	c.atDesk("pupil 8", "8", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewItems && sc.Card == "8" })
	for n, book := range []kiosk.Barcode{"9", "7"} { // there is a pupil 7
		c.atDesk("book "+string(book), string(book), func(sc kiosk.Screen) bool {
			return sc.Card == "8" && len(sc.Lines) == n+1 && sc.Lines[n].Item == book && sc.Lines[n].State == kiosk.LineLent
		})
	}
	c.atDesk("an unknown number ends the session", "10", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewWelcome })
	c.atDesk("pupil 7", "7", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewItems && sc.Card == "7" && len(sc.Lines) == 0 })
}

// TestWhose: a number that may be a card's is a copy's if there is one; where
// that can't be told, nobody's.
func TestWhose(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutItems(t.Context(), []kiosk.Item{{Barcode: "7", Title: "Seven"}}); err != nil {
		t.Fatal(err)
	}
	ds := newDevices(&Daemon{Options: Options{Log: slog.New(slog.DiscardHandler)}, store: store})
	is := func(code string, want kiosk.Event, step station.Step) {
		t.Helper()
		ev := kiosk.EitherRead{Code: code}
		if got := ds.whose(t.Context(), ev); got != want {
			t.Errorf("%s is %+v; want %+v", code, got, want)
		}
		if got := codeOf(t.Context(), store, ev); got != step {
			t.Errorf("%s is at the station %+v; want %+v", code, got, step)
		}
	}
	is("7", kiosk.EitherRead{Code: "7", Copy: true}, station.Scanned{Item: "7"})
	is("8", kiosk.EitherRead{Code: "8"}, station.Misread{Code: "…"})
	store.Close()
	is("7", kiosk.Unreadable{Code: "7", Reason: kiosk.ReasonUnreadable}, station.Misread{Code: "…"})
}
