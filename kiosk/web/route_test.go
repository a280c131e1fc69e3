package web

import (
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestEachReturnGoesSomewhere(t *testing.T) {
	ls, err := languages([]string{"en"})
	if err != nil {
		t.Fatal(err)
	}
	v := view{language: ls[0]}
	for _, c := range []struct {
		alert            bool
		route            kiosk.Route
		says, chip, icon string
	}{
		{false, kiosk.Route{}, "Thank you! Please put it on the returns cart.", "Cart", "cart"},
		{false, kiosk.Route{Bin: "3"}, "Thank you! Please put it in bin 3.", "Bin 3", "bin"},
		{true, kiosk.Route{}, "It is back. Please hand this one to staff.", "Staff", "hand"},
		{true, kiosk.Route{For: kiosk.ForStaff, Bin: "3"}, "It is back. Please hand this one to staff.", "Staff", "hand"},
		{true, kiosk.Route{For: kiosk.ForHold, To: "Desk"}, "Somebody is waiting for this one. Please put it on the hold shelf.", "Hold shelf", "shelf"},
		{true, kiosk.Route{For: kiosk.ForTransfer}, "This one travels on to another library. Please put it in the transfer box.", "Transfer", "truck"},
		{true, kiosk.Route{For: kiosk.ForHoldElsewhere, To: "North\x00side"}, "This one travels on to Northside. Please put it in the transfer box.", "Transfer", "truck"},
		{false, kiosk.Route{Bin: strings.Repeat("é", 40)}, "Thank you! Please put it in bin " + strings.Repeat("é", 12) + "….", "Bin " + strings.Repeat("é", 12) + "…", "bin"},
	} {
		l := line{Line: &kiosk.Line{State: kiosk.LineReturned, Alert: c.alert, Route: c.route}, v: &v}
		if got := l.Head(); got != c.says {
			t.Errorf("%+v: says %q; want %q", c.route, got, c.says)
		}
		if l.Label() != c.chip || l.Icon() != c.icon {
			t.Errorf("%+v: label %q, icon %q; want %q, %q", c.route, l.Label(), l.Icon(), c.chip, c.icon)
		}
	}
}
