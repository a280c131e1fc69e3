package simulation

import (
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest/seeds"
)

// TestSimulationOutageDay: after five hours without the ILS everything is
// settled or with staff, and nothing took effect twice.
func TestSimulationOutageDay(t *testing.T) {
	seed, _ := seeds.One()
	r := OutageDay(t, seed)
	var text strings.Builder
	if err := r.Outage.Write(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d\n%s%s", seed, &text, r.Tally)
	fail(t, r)
	o := r.Outage
	if n := o.Loans + o.Returns + o.Renewals; o.Lasted != 5*time.Hour || o.Kiosks != 3 || n < 2000 || o.Patrons < 200 || o.Shared < 200 || o.AtDesk < 50 {
		t.Errorf("the day was too quiet: %+v", o)
	}
	if o.States[kiosk.Exception] == 0 {
		t.Error("nothing came to staff: there were no conflicts")
	}
}
