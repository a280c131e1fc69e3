package outbox

import (
	"slices"
	"sync"
)

// lines are places for the questions under way. Who comes first has the first
// that is free.
type lines struct {
	most int

	mu      sync.Mutex
	taken   int
	waiting []chan struct{}
}

// enter asks for a place: it is had once the channel is closed. It is given
// back with leave.
func (l *lines) enter() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	place := make(chan struct{})
	if l.taken < l.most {
		l.taken++
		close(place)
	} else {
		l.waiting = append(l.waiting, place)
	}
	return place
}

// leave gives a place back, or up if it was not had yet.
func (l *lines) leave(place chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, place); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		return
	}
	if len(l.waiting) == 0 {
		l.taken--
		return
	}
	close(l.waiting[0])
	l.waiting = l.waiting[1:]
}
