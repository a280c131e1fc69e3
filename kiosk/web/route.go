package web

import (
	"cmp"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// dest is where a returned item goes, by the name of its words and picture.
// What the ILS said nothing of, and what was taken back without it, goes where
// most books go: on the cart, from which staff shelve.
func (l line) dest() string {
	switch l.Route.For {
	case kiosk.ForHold:
		return "hold"
	case kiosk.ForHoldElsewhere, kiosk.ForTransfer, kiosk.ForOtherLibrary:
		return "travel"
	}
	switch {
	case l.Alert || l.Route.For != "":
		return "staff"
	case l.bin() != "":
		return "bin"
	}
	return "cart"
}

// bin and to are the ILS's words, as much of them as belongs in a sentence.
func (l line) bin() string { return shortened(clean(l.Route.Bin), 12) }

func (l line) to() string { return shortened(clean(l.Route.To), 60) }

// shortened is a text of at most n characters.
func shortened(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// Way says where a returned item goes.
func (l line) Way() string {
	d := l.dest()
	if d == "travel" && l.to() != "" {
		return l.v.T("route.travel.to", "to", l.to())
	}
	return l.v.T("route."+d, "bin", l.bin())
}

// place is Way in a word or two.
func (l line) place() string { return l.v.T("route."+l.dest()+".label", "bin", l.bin()) }

// wayIcon is the picture of Way.
func (l line) wayIcon() string {
	return cmp.Or(map[string]string{"hold": "shelf", "travel": "truck", "staff": "hand", "bin": "bin"}[l.dest()], "cart")
}
