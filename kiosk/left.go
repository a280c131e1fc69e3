package kiosk

import "slices"

// laid is a tag on the pad that belongs to nobody: it lay there before, or
// whoever put it down has gone.
type laid struct {
	id          TagID
	item        Barcode // empty where the tag is no copy's of ours
	part, parts int
	stuck       bool // what the work list has of it can't be done
}

// lies tells whether a tag is one that belongs to nobody.
func (s *Session) lies(id TagID) bool {
	return slices.ContainsFunc(s.left, func(l laid) bool { return l.id == id })
}

// lieThere takes note of a tag that lay there before; what the work list has
// of it is done all the same.
func (s *step) lieThere(l laid) {
	if !s.lies(l.id) {
		s.left = append(s.left, l)
	}
	s.do(Mend{Tag: l.id})
}

// liftedLeft forgets a tag that has been taken away.
func (s *step) liftedLeft(id TagID) {
	s.left = slices.DeleteFunc(s.left, func(l laid) bool { return l.id == id })
}

// leave notes the tags of a line that stay on the pad.
func (s *step) leave(l *Line) {
	for _, t := range l.tags {
		if !t.here || s.lies(t.id) {
			continue
		}
		left := laid{id: t.id, item: l.Item, part: t.part, parts: l.Parts}
		if l.Reason == ReasonTagTwice {
			left.item = ""
		}
		s.left = append(s.left, left)
	}
}

// claim gives a line the tags of its item that lie on the pad and are
// nobody's: who scans the barcode has the book in hand, or before them.
func (s *step) claim(l *Line) {
	if l.Item == "" {
		return
	}
	for _, left := range slices.Clone(s.left) {
		if left.item != l.Item || l.tag(left.id) != nil || slices.ContainsFunc(l.tags, func(t tag) bool { return t.here && t.part == left.part }) {
			continue
		}
		l.tags, l.Parts = append(l.tags, tag{id: left.id, part: left.part, here: true}), max(l.Parts, left.parts)
		s.liftedLeft(left.id)
	}
	l.count()
}

// mendLeft looks once more whether the work list has something of what lies on
// the pad: a loan that was cut off is settled some time after, and its tag may
// have lain there all the while.
func (s *step) mendLeft() {
	for _, l := range s.left {
		if !l.stuck {
			s.do(Mend{Tag: l.id})
		}
	}
}

// notMended: it is not tried again until it has been lifted.
func (s *step) notMended(id TagID) {
	for i := range s.left {
		if s.left[i].id == id {
			s.left[i].stuck = true
		}
	}
}
