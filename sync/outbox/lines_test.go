package outbox

import "testing"

// TestLines: places are had in the order in which they were asked for, also
// when one in the middle gives up.
func TestLines(t *testing.T) {
	l := &lines{most: 1}
	first, second, third := l.enter(false), l.enter(false), l.enter(false)
	has := func(place chan struct{}) bool {
		select {
		case <-place:
			return true
		default:
			return false
		}
	}
	if !has(first) || has(second) || has(third) {
		t.Fatal("of one place, not the first has it alone")
	}
	l.leave(second)
	l.leave(first)
	if !has(third) {
		t.Error("the place is free, and the third does not have it")
	}
	l.leave(third)
	if l.taken != 0 || len(l.tells)+len(l.looks) != 0 {
		t.Errorf("all have left: %d taken, %d waiting", l.taken, len(l.tells)+len(l.looks))
	}
}
