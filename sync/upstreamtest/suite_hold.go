package upstreamtest

import (
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// hold: an upstream that takes reservations takes one, says the place in the
// queue as far as it is told, and passes a refusal on.
func (s *suite) hold() {
	up, ok := s.up.(kiosk.Holder)
	if !ok {
		s.Skip("this upstream takes no reservations")
	}
	ctx := s.ctx(patience)
	if err := s.up.Probe(ctx); err != nil {
		s.Fatal(err)
	}
	if !up.Holds() {
		s.Skip("this upstream takes no reservations")
	}
	p, err := up.PlaceHold(ctx, "C2", "B7") // out to C3, and C1 waits
	if err != nil || p.Place != 2 {
		s.Errorf("PlaceHold(C2, B7) = %+v, %v; want the second place", p, err)
	}
	if _, waiting, _ := s.ils.Waits("C2"); !slices.Contains(waiting, "B7") {
		s.Errorf("C2 waits for %v; want B7 among them", waiting)
	}
	for _, c := range []struct {
		card kiosk.Card
		item kiosk.Barcode
	}{{"NOBODY", "B1"}, {"BARRED", "B1"}, {"C1", "NOTHING"}, {"C1", "B6"}, {"C2", "B4"}} {
		if p, err := up.PlaceHold(ctx, c.card, c.item); kiosk.CodeOf(err) != kiosk.CodeRefused {
			s.Errorf("PlaceHold(%s, %s) = %+v, %v; want a refusal", c.card, c.item, p, err)
		}
	}
	s.ils.Away(true)
	_, err = up.PlaceHold(s.ctx(impatience), "C1", "B1")
	if code := kiosk.CodeOf(err); code != kiosk.CodeOffline && code != kiosk.CodeUnsure {
		s.Errorf("PlaceHold while the ILS is away: %v", err)
	}
	if ready, waiting, _ := s.ils.Waits("C1"); slices.Contains(append(ready, waiting...), "B1") {
		s.Error("C1 waits for what it could not have asked for")
	}
	s.ils.Away(false)
}
