package daemon

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
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
