package kiosk

import "slices"

// remember gives an entry that came about by a barcode alone the tags that its
// item is known to have: on the work list they wait to be released or secured
// as those of any other. Where a pad works the patron is asked to put the item
// on it for a moment; a loan whose tag stays secured ends at the gate, and a
// return whose tag stays released has the book walk out unseen.
func (s *step) remember(l *Line) {
	if len(l.tags) > 0 {
		return
	}
	found := l.knows()
	for i, id := range found.Tags {
		if other, _ := s.tagged(id); other != nil || s.lies(id) {
			continue // it says something else by now
		}
		if found.Pad {
			l.tags = append(l.tags, tag{id: id, part: i + 1, busy: true, known: true})
		}
		s.do(Attach{Entry: l.ID, Tag: id})
	}
}

// recognised tells whether a tag that was only remembered is what it was
// thought to be, now that it has been read. One that is not is the line's no
// more.
func (s *step) recognised(l *Line, t *tag, read laid) bool {
	if t.known = false; read.item == l.Item {
		t.part, l.Parts = read.part, max(l.Parts, read.parts)
		return true
	}
	l.tags = slices.DeleteFunc(l.tags, func(o tag) bool { return o.id == read.id })
	if l.stage == keeping || l.stage == lifted {
		s.keep(l)
	}
	return false
}

// replaced forgets the tags that were only remembered: the item has another by
// now. What the work list has of them is for staff.
func (l *Line) replaced() {
	var tags []tag
	for _, t := range l.tags {
		if !t.known || t.here || t.kept {
			tags = append(tags, t)
		}
	}
	l.tags = tags
}
