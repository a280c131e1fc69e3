package upstreamtest

import (
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// time: who tells the time tells it after a probe, within its own bounds.
func (s *suite) time() {
	t, ok := s.up.(kiosk.TimeTeller)
	if !ok {
		s.Skip("it does not tell the time")
	}
	before := time.Now()
	if err := s.up.Probe(s.ctx(patience)); err != nil {
		s.Fatal(err)
	}
	r, ok := t.Time()
	off := r.Time.Sub(r.At).Abs()
	if !ok || off > r.Within || r.Within > time.Since(before)+time.Second || r.At.Before(before) || r.At.After(time.Now()) {
		s.Errorf("Time() = %+v, %v: %v off; want at most what it says", r, ok, off)
	}
}
