package outbox

import "testing"

// TestLines: places are had in the order in which they were asked for, also
// when one in the middle gives up; but who is to be told goes before who is to
// be looked up. That there are few who wait is said once, until somebody looks.
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
	told := l.enter(true)
	if l.leave(second) {
		t.Error("two wait for the line, and it counts as short of questions")
	}
	if !l.leave(first) || !has(told) || has(third) {
		t.Error("the place is free, and who is to be told does not have it alone; or nobody hears that one waits")
	}
	if l.leave(told) || !has(third) {
		t.Error("the place is free, and the third does not have it; or what was said is said again")
	}
	if !l.short() || !l.leave(third) {
		t.Error("somebody has looked, and it is not said again that the lines are short of questions")
	}
	if l.taken != 0 || len(l.tells)+len(l.looks) != 0 {
		t.Errorf("all have left: %d taken, %d waiting", l.taken, len(l.tells)+len(l.looks))
	}
}
