package simulation

import (
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// takenBack: a loan that a kiosk took back was its own, made a moment before for
// that entry. The ledger says that it never was, no screen has said that it was,
// and the ILS has nothing of it. But the same patron may have had the book
// already, from another desk: that the question has made no loan, no kiosk can
// know that was cut off before the answer.
func (w *world) takenBack(a *account) {
	for i, f := range a.undid {
		w.count("taken back")
		p, shown := a.shown[a.ID]
		switch made := w.loanBefore(f); {
		case a.State != kiosk.Dismissed:
			w.fail("%s: %s of %s for %s (entry %s) was taken back, and its ledger says that it is %s", a.name, a.Kind, a.Item, a.Patron, a.ID, a.State)
		case shown:
			w.fail("%s: %s of %s for %s (entry %s) was taken back, and was shown as %s", a.name, a.Kind, a.Item, a.Patron, a.ID, p.state)
		case f.Patron != a.Patron || i >= len(a.took) || made.entry != a.ID:
			w.unless(f.Patron == a.Patron && made.by != a.name, lentBefore,
				"%s: entry %s has taken back the loan of %s to %s by %s %s", a.name, a.ID, a.Item, f.Patron, made.by, made.entry)
		}
	}
}

// lentBefore excuses what is counted and can't be known.
const lentBefore = "taken back, lent elsewhere before"

// another tells whether the last that was done with an item was to take back a
// loan that another desk had made, see takenBack.
func (w *world) another(b kiosk.Barcode) bool {
	f, ok := w.lastOf(b)
	return ok && f.Cancel && w.loanBefore(f).entry != f.entry
}

// lastOf is the last that was done with an item.
func (w *world) lastOf(b kiosk.Barcode) (effect, bool) {
	for _, f := range slices.Backward(w.effects) {
		if f.Item == b && f.Did != upstreamtest.DidRefuse {
			return f, true
		}
	}
	return effect{}, false
}

// loanBefore is the loan that an effect has ended.
func (w *world) loanBefore(f effect) (made effect) {
	for _, g := range w.effects[:f.N-1] {
		if g.Item == f.Item && g.Did == upstreamtest.DidCheckout {
			made = g
		}
	}
	return made
}

// gates: each tag is as the newest word on it wants it, or waits on a work list
// to be; and none is released of what the ILS has out to nobody. When a tag is
// released late, the ILS may not have heard yet of a return at another kiosk;
// and of what comes back by its barcode alone nobody has read the tag.
func (w *world) gates(all []*account, by map[kiosk.ID]*account) {
	for _, b := range w.books {
		c := b.chip
		if c == nil {
			continue
		}
		switch inStep := c.released == (c.word.want == kiosk.Released); {
		case inStep:
		case w.awaits(c, c.word.want):
			w.count("left on a work list")
		default:
			w.unless(c.released && c.known, "returned elsewhere, and not told",
				"%s of %s is to be %s by %s %s, it is released: %v, and is on no work list", c.id, c.item, c.word.want, c.word.by, c.word.entry, c.released)
		}
		_, _, who, _ := w.ils.Item(c.item)
		switch {
		case !c.released || who != "" || w.awaits(c, kiosk.Secured):
		case open(all, c.item):
			w.count("left to staff")
		case w.byBarcode(c, by):
			w.count("excused: returned by its barcode")
		case w.another(c.item):
			w.count("excused: " + lentBefore)
		default:
			w.unless(w.crossed(all, c.item), "crossed", "%s of %s is released, and the ILS has it out to nobody", c.id, c.item)
		}
	}
}

// byBarcode tells whether the last that was done with an item was its return,
// and no pad has read its tag then.
func (w *world) byBarcode(c *chip, by map[kiosk.ID]*account) bool {
	f, ok := w.lastOf(c.item)
	a := by[f.entry]
	return ok && a != nil && a.Kind == kiosk.Checkin && len(a.Tags) == 0
}

// awaits tells whether a tag is on a work list to be so.
func (w *world) awaits(c *chip, want kiosk.Security) bool {
	return slices.ContainsFunc(w.stations, func(s *station) bool { return s.disk.work[c.id].want == want })
}
