package web

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// modes is a Memory that may be broken.
type modes struct {
	kept   map[kiosk.Card]string
	broken error
}

func (m modes) Mode(_ context.Context, c kiosk.Card) (string, error) {
	if s, ok := m.kept[c]; ok {
		return s, m.broken
	}
	return "", errors.Join(kiosk.ErrUnknown, m.broken)
}

func (m modes) KeepMode(_ context.Context, c kiosk.Card, mode string) error {
	if mode == "" {
		delete(m.kept, c)
	} else {
		m.kept[c] = mode
	}
	return m.broken
}

// TestMannerOfAPatron: what a patron chose comes with the card, goes with it,
// and is kept only where the library lets it be.
func TestMannerOfAPatron(t *testing.T) {
	kept := modes{kept: map[kiosk.Card]string{"2001": "calm.large"}}
	at := func(card kiosk.Card) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewItems, Visit: "v" + kiosk.ID(card), Card: card}
	}
	h, d := newSite(t, at("2001"), func(c *Config) { c.Memory = kept })
	shows := func(want string) {
		t.Helper()
		if body := get(h, "/").Body.String(); strings.Count(body, fmt.Sprintf(`data-mode="%s"`, want)) != 2 {
			t.Errorf("the page is not %s", want)
		}
	}
	choose := func(mode, view, visit string) {
		t.Helper()
		if w := post(h, "/mode", "mode="+mode+"&view="+view+"&visit="+visit); w.Code != 303 {
			t.Errorf("POST /mode: %d", w.Code)
		}
	}
	shows("calm large")
	d.show(kiosk.Screen{View: kiosk.ViewWelcome})
	shows("standard")
	choose("contrast", "welcome", "") // nobody's
	d.show(at("2002"))
	shows("standard")
	choose("contrast", "items", "v2001") // a finger that comes late
	shows("standard")
	choose("contrast", "items", "v2002")
	shows("standard contrast")
	if kept.kept["2002"] != "standard.contrast" || kept.kept["2001"] != "calm.large" || len(kept.kept) != 2 {
		t.Errorf("kept: %v", kept.kept)
	}
	choose("standard", "items", "v2002") // the library's own needs no keeping
	if _, ok := kept.kept["2002"]; ok {
		t.Errorf("kept: %v", kept.kept)
	}
	shows("standard")

	// Without the library's leave, and with a broken disk, it is the library's own.
	h, _ = newSite(t, at("2001"))
	shows("standard")
	choose("calm", "items", "v2001")
	shows("standard")
	kept.broken = errors.New("disk full")
	h, _ = newSite(t, at("2001"), func(c *Config) { c.Memory = kept })
	shows("standard")
}
