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

// leave gives a place back, or up if it was not had yet. It tells whether the
// lines are short of questions now.
func (l *lines) leave(place chan struct{}) (short bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch i := slices.Index(l.waiting, place); {
	case i >= 0:
		l.waiting = slices.Delete(l.waiting, i, i+1)
	case len(l.waiting) == 0:
		l.taken--
	default:
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
	}
	return l.runShort()
}

// short tells whether the lines would soon be idle: for each that is busy
// another question should wait.
func (l *lines) short() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runShort()
}

func (l *lines) runShort() bool { return len(l.waiting) < l.most }
