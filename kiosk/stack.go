package kiosk

import (
	"errors"
	"slices"
	"time"
)

// ErrLifted says that a tag was no longer on the pad.
var ErrLifted = errors.New("the tag is not on the pad")

// keepAgain is the pause before a tag that lies on the pad and did not answer
// is written again.
const keepAgain = time.Second

// tag is a tag of a line.
type tag struct {
	id   TagID
	part int
	here bool // on the pad
	busy bool // Keep or Attach is under way
	kept bool // written as the work list has it
	// known: nobody has read it; the ledger knows it of the item
	known bool
	// stuck: it can't be written, or the ledger could not be told of it
	stuck bool
}

// tagged finds the line of a tag.
func (s *Session) tagged(id TagID) (*Line, *tag) {
	for i := range s.lines {
		if t := s.lines[i].tag(id); t != nil {
			return &s.lines[i], t
		}
	}
	return nil, nil
}

func (l *Line) tag(id TagID) *tag {
	i := slices.IndexFunc(l.tags, func(t tag) bool { return t.id == id })
	if i < 0 {
		return nil
	}
	return &l.tags[i]
}

// untouched are the line's tags as if nothing had been done with them.
func (l *Line) untouched() (list []tag) {
	for _, t := range l.tags {
		list = append(list, tag{id: t.id, part: t.part, here: t.here})
	}
	return list
}

func (l *Line) tagIDs() (ids []TagID) {
	for _, t := range l.tags {
		ids = append(ids, t.id)
	}
	return ids
}

// notOut tells whether it was to be returned, and the ILS has it out to nobody:
// it goes to the shelf, and its tag must be secured all the same.
func (l *Line) notOut() bool {
	return l.own().Kind == Checkin && l.State == LineRefused && l.Reason == ReasonNotOnLoan
}

// onPad tells whether a tag of the line lies on the pad.
func (l *Line) onPad() bool { return slices.ContainsFunc(l.tags, func(t tag) bool { return t.here }) }

// count notes how many parts of a set lie on the pad.
func (l *Line) count() {
	parts := map[int]bool{}
	for _, t := range l.tags {
		if t.here {
			parts[t.part] = true
		}
	}
	l.Have = len(parts)
}

// whole tells whether all parts of a set lie on the pad.
func (s *step) whole(l *Line) bool {
	l.count()
	return l.Parts < 2 || l.Have >= l.Parts || s.rules.AnyParts
}

// gather waits for the other parts of a set.
func (s *step) gather(l *Line) {
	l.stage, l.State, l.Reason = gathering, LineAction, ReasonPartsMissing
	if l.Title == "" {
		s.do(Look{Line: l.ID, Item: l.Item})
	}
}

// tagPlaced takes a tag that has come to lie on the pad and was not on a line.
func (s *step) tagPlaced(ev TagPlaced) {
	t := tag{id: ev.Tag, part: ev.Part, here: true}
	l := s.lineOf(ev.Item)
	if l == nil {
		s.place(Line{Item: ev.Item, Parts: ev.Parts, tags: []tag{t}, byTag: true})
		if l := s.lineOf(ev.Item); l != nil && l.stage == held {
			s.do(Mend{Tag: ev.Tag})
		}
		return
	}
	s.touch()
	if slices.ContainsFunc(l.tags, func(o tag) bool { return o.here && o.part == t.part }) {
		s.strange(TagUnread{Tag: ev.Tag, Code: string(ev.Item), Reason: ReasonTagTwice})
		return
	}
	l.replaced()
	late := l.entry != nil && l.Kind != Renew && (l.State != LineRefused || l.notOut())
	t.busy = late
	l.tags, l.Parts = append(l.tags, t), max(l.Parts, ev.Parts)
	l.count()
	switch {
	case l.stage == held:
		s.do(Mend{Tag: ev.Tag})
	case l.stage == looking:
	case l.stage == gathering:
		if s.whole(l) {
			s.start(l)
		}
	case l.stage == offered, l.Kind == Renew:
		s.do(Mend{Tag: ev.Tag})
	case late:
		if l.succeeded() { // not any more: its tag is not what it should be yet
			l.stage, l.State = keeping, LineWaiting
		}
		s.do(Attach{Entry: l.ID, Tag: ev.Tag})
	}
}

// tagBack takes a tag that lies on the pad again.
func (s *step) tagBack(l *Line, t *tag) {
	t.here = true
	l.count()
	s.touch()
	switch {
	case l.stage == lifted:
		s.keep(l)
	case l.stage == gathering && s.whole(l):
		s.start(l)
	}
}

// strange gives a tag that names no copy of ours a line of its own.
func (s *step) strange(ev TagUnread) {
	if s.view == ViewReceipt || s.view == ViewCard || s.view == ViewAccount || s.view == ViewFind || len(s.lines) >= maxLines {
		s.tell(ev.Reason, ev.Code)
		return
	}
	l := Line{ID: s.newID(), Text: ev.Code, Times: 1, byTag: true, tags: []tag{{id: ev.Tag, here: true}}}
	l.refuse(ev.Reason, ev.Code)
	s.lines = append(s.lines, l)
	s.touch()
}

// tagRemoved takes a tag off. What nobody has begun with goes with it.
func (s *step) tagRemoved(id TagID) {
	s.liftedLeft(id)
	s.queue = slices.DeleteFunc(s.queue, func(ev Event) bool {
		switch ev := ev.(type) {
		case TagPlaced:
			return ev.Tag == id
		case TagUnread:
			return ev.Tag == id
		}
		return false
	})
	l, t := s.tagged(id)
	if l == nil {
		return
	}
	t.here = false
	l.count()
	strange := l.Item == "" || l.Reason == ReasonTagTwice
	if (l.stage == held || l.stage == gathering || strange) && l.byTag && !l.onPad() {
		s.drop(l.ID)
	}
	s.touch()
}

// want is what the line's entry wants of its tags.
func (l *Line) want() Security {
	if l.own().Kind == Checkin {
		return Secured
	}
	return Released
}

// keep has the tags of a line written that are not yet as its entry wants.
func (s *step) keep(l *Line) {
	l.stage, l.State, l.Reason = keeping, LineWaiting, ""
	for i := range l.tags {
		if t := &l.tags[i]; t.here && !t.kept && !t.busy && !t.stuck {
			t.busy = true
			s.do(Keep{Entry: l.ID, Tag: t.id, Want: l.want()})
		}
	}
	s.tagsKept(l)
}

// kept is the end of one Keep.
func (s *step) kept(ev Kept) {
	l := s.line(ev.Entry)
	if l == nil || l.tag(ev.Tag) == nil {
		return
	}
	t := l.tag(ev.Tag)
	t.busy = false
	switch {
	case ev.Err == nil:
		t.kept = ev.Want == l.want()
	case !errors.Is(ev.Err, ErrLifted):
		l.Text = ev.Err.Error()
		t.stuck = true
	}
	if l.stage == keeping {
		s.tagsKept(l)
	}
}

// tagsKept goes on with a line when none of its tags is being written.
func (s *step) tagsKept(l *Line) {
	left, stuck := false, false
	for _, t := range l.tags {
		if t.busy {
			return
		}
		left, stuck = left || !t.kept, stuck || t.stuck
	}
	switch {
	case stuck:
		l.stage, l.State, l.Reason = done, LineAction, ReasonTagStuck
	case left:
		l.stage, l.State, l.Reason, l.again = lifted, LineAction, ReasonPutBack, s.now.Add(keepAgain)
	case l.own().State.Holds():
		l.succeed()
	default:
		s.secured(l)
	}
}

// secured goes on with a return whose tags are secured: now the ILS may hear
// of it.
func (s *step) secured(l *Line) {
	if l.Local {
		l.stage = concluding
		s.do(Conclude{Outcome: Outcome{Entry: l.ID, State: Offline, At: s.now}})
		return
	}
	l.stage = asking
	s.do(Ask{Entry: l.own()})
}

// keepMore writes the tags again that lie on the pad and did not answer.
func (s *step) keepMore() {
	for i := range s.lines {
		if l := &s.lines[i]; l.stage == lifted && l.onPad() && !s.now.Before(l.again) {
			s.keep(l)
		}
	}
}

// attached goes on with a tag that came when its line was under way already.
func (s *step) attached(ev Attached) {
	l := s.line(ev.Entry)
	if l == nil || l.tag(ev.Tag) == nil {
		return
	}
	t := l.tag(ev.Tag)
	t.busy = false
	if ev.Err != nil {
		l.Text, t.stuck = ev.Err.Error(), true
	} else if l.notOut() {
		s.do(Mend{Tag: ev.Tag})
	}
	if l.stage == keeping || l.stage == lifted || l.stage == done && l.State != LineRefused && l.own().State.Holds() {
		s.keep(l)
	}
}

// mended tells that something left over from before is done, or is not.
func (s *step) mended(ev Mended) {
	if ev.Work.Tag == "" {
		return
	}
	title := ev.Work.Title
	if title == "" {
		title = string(ev.Work.Item)
	}
	switch l, _ := s.tagged(ev.Tag); {
	case ev.Err == nil:
		if l != nil && (l.stage == held || l.stage == offered) && ev.Work.Want == Released {
			s.leave(l)
			s.drop(l.ID)
		}
		if l == nil || !l.notOut() {
			s.tell(ReasonTagMended, title)
		}
	case errors.Is(ev.Err, ErrLifted):
		s.notMended(ev.Tag)
		s.tell(ReasonPutBack, title)
	default:
		s.notMended(ev.Tag)
		s.tell(ReasonTagStuck, title)
	}
}

// counted is the patron's own count.
func (s *step) counted(n int) {
	if s.view != ViewItems || n < 0 {
		return
	}
	s.touch()
	if s.count = n; n != s.Screen().Tray.Items {
		s.tell(ReasonCount, "")
	}
}

// abandon ends what a session leaves undone: its tags that lie on the pad are
// nobody's from now on, and a return whose tags were not all secured did not
// happen. What was lent and not released stays on the work list.
func (s *step) abandon() {
	for i := range s.lines {
		l := &s.lines[i]
		s.leave(l)
		if l.own().Kind == Checkin && l.open && (l.stage == lifted || l.Reason == ReasonTagStuck) {
			s.do(Conclude{Outcome: Outcome{Entry: l.ID, State: Dismissed, At: s.now, Reason: l.Reason}})
		}
	}
}

// Tray is what lies on the pad.
type Tray struct {
	Tags    int // of this session
	Items   int // that they belong to
	Missing int // sets that are not complete
	Lifted  int // items to be put back for a moment
	Left    int // tags that lay there before this session
	Counted int // the patron's own count, 0 for none
	// Settled says that all of it agrees: nothing works, is missing or lifted,
	// and the patron's count is right where one is wanted.
	Settled bool
}

func (s *Session) tray() Tray {
	t := Tray{Left: len(s.left), Counted: s.count}
	for i := range s.lines {
		l := &s.lines[i]
		for _, tag := range l.tags {
			if tag.here {
				t.Tags++
			}
		}
		if l.onPad() && l.Item != "" && l.Reason != ReasonTagTwice {
			t.Items++
		}
		switch l.stage {
		case gathering:
			t.Missing++
		case lifted:
			t.Lifted++
		}
	}
	t.Settled = !s.busy() && t.Missing == 0 && t.Lifted == 0 && (!s.rules.Count || s.count == t.Items)
	return t
}

// wakeAt is when the session wants to hear of the time, zero for never.
func (s *Session) wakeAt() (at time.Time) {
	for i := range s.lines {
		l := &s.lines[i]
		if l.stage == lifted && l.onPad() && (at.IsZero() || l.again.Before(at)) {
			at = l.again
		}
	}
	if c := s.covers(); !c.IsZero() && (at.IsZero() || c.Before(at)) {
		at = c
	}
	return at
}
