package simulation

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// OutageDay is one run of a day on which all kiosks are cut off for hours,
// while the library's own desk goes on. It must not be called from within a
// bubble.
func OutageDay(t *testing.T, seed uint64) Result { return inBubble(t, seed, outageDay) }

// morning is how long lines work before the outage, and evening after it.
const (
	morning = 15 * time.Minute
	evening = 30 * time.Minute
)

// outageDay is a library of middle size: many people share three kiosks, and
// each book comes by often enough to be at more than one of them.
func outageDay(lot) plan {
	return plan{
		people: 400, books: 1200, out: 600, tagged: 0.2, kiosks: 3, outage: 5 * time.Hour, open: morning + 5*time.Hour + evening,
		visits: span{time.Second, 45 * time.Second}, staff: span{5 * time.Second, time.Minute},
		weather: weather{mishaps: 0.02, slow: 0.05, stalls: 0.002, crashes: 0.0005, pads: 0.02, clocks: 0.2, trouble: time.Hour},
	}
}

// blackout cuts the lines of all kiosks, if such a day is planned.
func (w *world) blackout() {
	if w.plan.outage == 0 {
		return
	}
	time.Sleep(morning)
	w.note("world", "no kiosk reaches the ILS any more")
	w.dark.from = time.Now()
	for _, s := range w.stations {
		s.net.set(oneOf(s.world.lot(s.name+" blackout"), lineRefused, lineSilent))
	}
	time.Sleep(w.plan.outage)
	w.dark.to = time.Now()
	for _, s := range w.stations {
		s.net.set(lineUp)
	}
	w.note("world", "the lines are back")
}

// Outage tells what became of a day's outage. Counted is what the kiosks
// recorded while they were cut off, unless a field says otherwise.
type Outage struct {
	Lasted   time.Duration
	Kiosks   int
	Loans    int
	Returns  int
	Renewals int
	Patrons  int // who borrowed or renewed
	Items    int
	Shared   int // items that came to more than one kiosk
	AtDesk   int // what the library's own desk did meanwhile with items that came to kiosks
	States   map[kiosk.State]int
	Reasons  map[kiosk.Reason]int // of the exceptions
	Drained  time.Duration        // from the lines' return to the last that was settled
}

// figures counts the outage.
func (w *world) figures() *Outage {
	o := &Outage{Lasted: w.plan.outage, Kiosks: len(w.stations), States: map[kiosk.State]int{}, Reasons: map[kiosk.Reason]int{}}
	patrons, items := map[kiosk.Card]bool{}, map[kiosk.Barcode]map[string]bool{}
	for _, s := range w.stations {
		for _, e := range s.disk.mem.Entries() {
			l := s.disk.lives[e.ID]
			if l.recorded.Before(w.dark.from) || l.recorded.After(w.dark.to) {
				continue
			}
			switch e.Kind {
			case kiosk.Checkout:
				o.Loans++
			case kiosk.Checkin:
				o.Returns++
			case kiosk.Renew:
				o.Renewals++
			}
			if e.Patron != "" && e.Kind != kiosk.Checkin {
				patrons[e.Patron] = true
			}
			if items[e.Item] == nil {
				items[e.Item] = map[string]bool{}
			}
			items[e.Item][s.name] = true
			if o.States[e.State]++; e.State == kiosk.Exception {
				o.Reasons[l.reason]++
			}
			o.Drained = max(o.Drained, l.last.Sub(w.dark.to))
		}
	}
	o.Patrons, o.Items = len(patrons), len(items)
	for _, at := range items {
		if len(at) > 1 {
			o.Shared++
		}
	}
	for _, f := range w.effects {
		if f.by == "staff" && items[f.Item] != nil && f.at.After(w.dark.from) && f.at.Before(w.dark.to) {
			o.AtDesk++
		}
	}
	return o
}

// Write writes the figures, a line each.
func (o *Outage) Write(w io.Writer) error {
	n := o.Loans + o.Returns + o.Renewals
	_, err := fmt.Fprintf(w, "%d kiosks cut off for %v: %d loans, %d returns, %d renewals; %d patrons, %d items, %d of them at more than one kiosk; %d times the desk did something with one\n",
		o.Kiosks, o.Lasted, o.Loans, o.Returns, o.Renewals, o.Patrons, o.Items, o.Shared, o.AtDesk)
	if err == nil {
		_, err = fmt.Fprintf(w, "the last of %d is settled %v after the lines are back\n", n, o.Drained.Round(time.Second))
	}
	for _, s := range slices.Sorted(maps.Keys(o.States)) {
		if err == nil {
			_, err = fmt.Fprintf(w, "%6d %s\n", o.States[s], s)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(o.Reasons)) {
		if err == nil {
			_, err = fmt.Fprintf(w, "%6d of the exceptions: %s\n", o.Reasons[r], r)
		}
	}
	return err
}
