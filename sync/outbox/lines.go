package outbox

import (
	"slices"
	"sync"
)

// spare is how many questions for each line should wait while it is busy: one
// to be asked next, and one while the next entries are begun.
const spare = 2

// lines are places for the questions under way. Who comes first has the first
// that is free, but for who is to be told: what was looked up grows old.
type lines struct {
	most int

	mu      sync.Mutex
	taken   int
	tells   []chan struct{} // who waits to be told
	looks   []chan struct{} // who waits to be looked up
	shouted bool            // that the lines are short, since somebody looked
}

// enter asks for a place: it is had once the channel is closed. It is given
// back with leave.
func (l *lines) enter(tells bool) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	place := make(chan struct{})
	switch {
	case l.taken < l.most:
		l.taken++
		close(place)
	case tells:
		l.tells = append(l.tells, place)
	default:
		l.looks = append(l.looks, place)
	}
	return place
}

// leave gives a place back, or up if it was not had yet. It tells whether the
// lines are short of questions now, and nobody has said so since short.
func (l *lines) leave(place chan struct{}) (shout bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !without(&l.tells, place) && !without(&l.looks, place) && !next(&l.tells) && !next(&l.looks) {
		l.taken--
	}
	shout = l.runShort() && !l.shouted
	l.shouted = l.shouted || shout
	return shout
}

// without takes one who waits out of a queue.
func without(queue *[]chan struct{}, place chan struct{}) bool {
	i := slices.Index(*queue, place)
	if i >= 0 {
		*queue = slices.Delete(*queue, i, i+1)
	}
	return i >= 0
}

// next lets in the first who waits.
func next(queue *[]chan struct{}) bool {
	if len(*queue) == 0 {
		return false
	}
	close((*queue)[0])
	*queue = slices.Delete(*queue, 0, 1)
	return true
}

// short tells whether the lines would soon be idle.
func (l *lines) short() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shouted = false
	return l.runShort()
}

func (l *lines) runShort() bool { return len(l.tells)+len(l.looks) < spare*l.most }
