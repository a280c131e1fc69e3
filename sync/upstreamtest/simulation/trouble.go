package simulation

import (
	"slices"
	"time"
)

// troubles befall a kiosk, one after the other, as long as people come.
func (s *station) troubles() {
	l := s.world.lot(s.name + " troubles")
	for s.rest(l, s.plan.weather.trouble/10, 2*s.plan.weather.trouble) {
		last := l.between(2*time.Second, 6*time.Minute)
		what := l.IntN(6)
		if s.plan.outage > 0 {
			what = 3 + what/2 // the lines have their own
		}
		switch what {
		case 0, 1:
			s.line(lineRefused, "line refused", last)
		case 2:
			s.line(lineSilent, "line silent", last)
		case 3:
			s.count("disk full")
			s.note(s.name, "disk full for %v", last)
			s.disk.full.Store(true)
			time.Sleep(last)
			s.disk.full.Store(false)
		case 4:
			if m := s.at.Load(); m != nil {
				m.die("power cut", "")
			}
		case 5:
			if m := s.at.Load(); m != nil {
				s.count("restart")
				s.note(s.name, "is stopped")
				m.cancel()
			}
		}
	}
}

func (s *station) line(state lineState, what string, last time.Duration) {
	s.count(what)
	s.note(s.name, "%s for %v", what, last)
	s.net.set(state)
	time.Sleep(last)
	s.net.set(lineUp)
	s.note(s.name, "the line is back")
}

// jumps set the machine's clock.
func (s *station) jumps() {
	l := s.world.lot(s.name + " jumps")
	for s.rest(l, s.plan.weather.trouble, 6*s.plan.weather.trouble) {
		wrong := l.between(-5*time.Hour, 5*time.Hour)
		if l.chance(0.5) {
			wrong = l.hardly() // it is put right
		}
		s.count("clock jump")
		s.note(s.name, "the clock jumps to %v off", wrong)
		s.mislead(wrong)
	}
}

// mislead sets the machine's clock while it runs.
func (s *station) mislead(wrong time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wrong.Abs() > clocksDiffer {
		s.boots[len(s.boots)-1].misled = true
	}
	s.wrong.Store(int64(wrong))
}

// misled tells whether the clock was set wrong in the run of the machine in
// which something was recorded.
func (s *station) misled(at time.Time) bool {
	i := s.bootAt(at)
	return i >= 0 && s.boots[i].misled
}

// bootAt is the number of the run of the machine at a time; -1 before the first.
func (s *station) bootAt(at time.Time) int {
	for i, b := range slices.Backward(s.boots) {
		if !at.Before(b.since) {
			return i
		}
	}
	return -1
}

// cutShort tells whether the machine ended so soon after something was recorded
// that the ILS may not have told it the time.
func (s *station) cutShort(at time.Time) bool {
	i := s.bootAt(at)
	return i >= 0 && i+1 < len(s.boots) && s.boots[i].ended.Sub(at).Abs() < 15*time.Second
}
