package scene

import (
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestEveryViewHasAScene: what the desk can show is among the scenes, and each
// scene is complete.
func TestEveryViewHasAScene(t *testing.T) {
	now := time.Now()
	views := map[kiosk.View]bool{}
	for _, name := range Names() {
		sc, ok := At(name, now)
		if !ok || !sc.Now.Equal(now) || sc.Mode == "" || (sc.View == kiosk.ViewWelcome) != (sc.Visit == "") {
			t.Errorf("At(%s) = %+v, %v", name, sc, ok)
		}
		views[sc.View] = true
	}
	for _, v := range []kiosk.View{kiosk.ViewWelcome, kiosk.ViewIdentifying, kiosk.ViewPIN, kiosk.ViewItems, kiosk.ViewReceipt} {
		if !views[v] {
			t.Errorf("no scene of view %s", v)
		}
	}
	if _, ok := At("nowhere", now); ok || !slices.IsSorted(Names()) {
		t.Error("a scene of no name, or names out of order")
	}
}
