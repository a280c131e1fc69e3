package shelf

import (
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Session is an inventory under way: what the lines of its log come to. The
// same lines, taken again after a restart, come to the same. It is not safe
// for several goroutines.
type Session struct {
	*Walk
	paths  map[string]*path
	starts int32
	lines  []Line  // by scan of the Walk
	pass   []int32 // by book: the path that met it last
	times  []uint8 // by book: how many paths have
	tags   map[part]kiosk.TagID
	notes  map[kiosk.Barcode]string
	last   int32 // the book that was met last, or -1
	count  int   // scans, those of strangers and again ones too
	clock  []time.Time
	taken  []taken // the newest lines, with how to undo them
	first  bool    // lines before those were taken, of which that is forgotten
}

// Line is a line of the log with what became of it.
type Line struct {
	N     int64
	Who   string
	At    time.Time
	Found []string
}

// part is a part of a set.
type part struct {
	item kiosk.Barcode
	n    int
}

// path is a Path with what a person has met on it.
type path struct {
	*Path
	n     int32
	scans int
	at    map[kiosk.Barcode]int // which scan of this path met it last
	tags  map[kiosk.TagID]bool
	again bool // the scan before was of a book that was met before
	heard time.Time
}

// rateOver is the time over which scans an hour are counted.
const rateOver = 5 * time.Minute

// NewSession is one of the books of a range; see NewWalk.
func NewSession(books []Copy) *Session {
	w := NewWalk(books)
	w.rewinds = true
	return &Session{Walk: w, paths: map[string]*path{}, pass: make([]int32, len(w.books)), times: make([]uint8, len(w.books)),
		tags: map[part]kiosk.TagID{}, notes: map[kiosk.Barcode]string{}, last: -1}
}

// path is somebody's; one that has not started starts.
func (s *Session) path(who string) *path {
	p := s.paths[who]
	if p == nil {
		p = s.start(who, 0)
	}
	return p
}

func (s *Session) start(who string, loose int) *path {
	was, were := s.paths[who], s.starts
	s.undoes(func() {
		if s.starts = were; was == nil {
			delete(s.paths, who)
			return
		}
		s.paths[who] = was
	})
	s.starts++
	p := &path{Path: s.Walk.Start(loose), n: s.starts, at: map[kiosk.Barcode]int{}, tags: map[kiosk.TagID]bool{}}
	s.paths[who] = p
	return p
}

// Walking tells how many places the scans of somebody's walk may be off, and
// when the last one of it was; zero: there was none yet. False: nobody of that
// name walks.
func (s *Session) Walking(who string) (loose int, last time.Time, ok bool) {
	p := s.paths[who]
	if p == nil {
		return 0, time.Time{}, false
	}
	return s.stretches[p.stretch].loose, p.heard, true
}

// Met tells whether a tag was read already since somebody started: a wand in
// continuous reading reads each many times.
func (s *Session) Met(who string, tag kiosk.TagID) bool {
	p := s.paths[who]
	return p != nil && p.tags[tag]
}

// apart is how many scans lie at least between those of two books that have
// the same label. A book that is scanned once more by mistake is scanned at
// once.
const apart = 5

// Double tells whether a scan that is to be taken shows that two books have
// the same number: two tags do, or the same label is met again in the middle
// of books that are new. It is a question, not a judgement.
func (s *Session) Double(who string, item kiosk.Barcode, tag kiosk.TagID, n int) bool {
	if tag != "" {
		other := s.tags[part{item, n}]
		return other != "" && other != tag
	}
	p := s.paths[who]
	if p == nil || p.again {
		return false
	}
	at, ok := p.at[item]
	return ok && p.scans-at > apart
}

// Take takes a line; key is as for Path.Add. Only for scans there is an
// Answer.
func (s *Session) Take(l kiosk.ShelfLine, key Key) (a Answer, ok bool) {
	s.back = nil
	a, ok = s.take(l, key)
	if s.back != nil {
		s.keep(taken{l, key, s.back})
	}
	return a, ok
}

func (s *Session) take(l kiosk.ShelfLine, key Key) (a Answer, ok bool) {
	switch l.Kind {
	case kiosk.ShelfStart:
		s.start(l.Who, l.Loose)
	case kiosk.ShelfLabel:
		p := s.path(l.Who)
		p.At(l.Text)
		at := p.at
		s.undoes(func() { p.at = at })
		p.at = map[kiosk.Barcode]int{} // a shelf may be gone over again
	case kiosk.ShelfResume, kiosk.ShelfSearch:
		paths := s.paths
		s.undoes(func() { s.paths = paths })
		s.paths = map[string]*path{} // who goes on after a pause, or searches, may do so anywhere
	case kiosk.ShelfNote:
		put(s.Walk, s.notes, l.Item, l.Text)
	case kiosk.ShelfScan:
		return s.scan(l, key), true
	}
	return a, false
}

func (s *Session) scan(l kiosk.ShelfLine, key Key) Answer {
	p := s.path(l.Who)
	a := p.Add(l.Item, key)
	s.undoesScan(p, a.Scan)
	if len(s.scans) > len(s.lines) {
		s.lines = append(s.lines, Line{l.N, l.Who, l.At, l.Found})
	} else if len(l.Found) > 0 { // it was met before, and now there is more to say
		old := &s.lines[a.Scan]
		old.Found = slices.Compact(slices.Sorted(slices.Values(slices.Concat(old.Found, l.Found))))
	}
	_, before := p.at[l.Item]
	p.again, p.heard = before, l.At
	p.scans++
	put(s.Walk, p.at, l.Item, p.scans)
	if l.Tag != "" {
		put(s.Walk, p.tags, l.Tag, true)
		if k := (part{l.Item, l.Part}); s.tags[k] == "" {
			put(s.Walk, s.tags, k, l.Tag)
		}
	}
	if b := s.scans[a.Scan].book; b >= 0 {
		if s.last = b; s.pass[b] != p.n {
			s.pass[b] = p.n
			s.times[b] = min(s.times[b], 254) + 1
		}
	}
	s.count++
	s.tick(l.At)
	return a
}

// tick notes when a scan was, for the rate.
func (s *Session) tick(at time.Time) {
	s.clock = append(s.clock, at)
	if old := len(s.clock) / 2; len(s.clock) > 64 && at.Sub(s.clock[old]) > rateOver {
		s.clock = append(s.clock[:0], s.clock[old:]...)
	}
}

// Rate is how many scans an hour there were in the last minutes; 0 if there
// were too few to say.
func (s *Session) Rate(now time.Time) int {
	n, first := 0, time.Time{}
	for i := len(s.clock) - 1; i >= 0 && now.Sub(s.clock[i]) <= rateOver; i-- {
		n, first = n+1, s.clock[i]
	}
	if n < 5 || now.Sub(first) < time.Second {
		return 0
	}
	return int(float64(n) * float64(time.Hour) / float64(now.Sub(first)))
}

// Scans is how many scans were taken, those of the same book too.
func (s *Session) Scans() int { return s.count }

// Line is the line of a scan of the Walk.
func (s *Session) Line(scan int) Line { return s.lines[scan] }

// Note is the condition that was noted of a book.
func (s *Session) Note(item kiosk.Barcode) string { return s.notes[item] }

// Notes are all of them.
func (s *Session) Notes() map[kiosk.Barcode]string { return s.notes }

// Passes tells on how many walks a book was met: the more, the surer.
func (s *Session) Passes(item kiosk.Barcode) int {
	if b, ok := s.find[item]; ok {
		return int(s.times[b])
	}
	return 0
}

// Has tells whether a book is of the range.
func (s *Session) Has(item kiosk.Barcode) bool { _, ok := s.find[item]; return ok }

// Known tells whether a book was met, of the range or not.
func (s *Session) Known(item kiosk.Barcode) bool {
	if s.Has(item) {
		return s.Seen(item)
	}
	for _, x := range s.strangers {
		if x.Barcode == item {
			return true
		}
	}
	return false
}

// Seen tells whether a book of the range was met.
func (s *Session) Seen(item kiosk.Barcode) bool {
	b, ok := s.find[item]
	return ok && s.latest[b] > 0
}

// Excuse says of books of the range that they are out after all.
func (s *Session) Excuse(out []kiosk.Barcode) {
	for _, item := range out {
		if b, ok := s.find[item]; ok {
			s.books[b].Out = true
		}
	}
	for i, b := range s.books {
		s.shelved[i+1] = s.shelved[i]
		if !b.Out {
			s.shelved[i+1]++
		}
	}
}

// Afresh is a Session of the same books from which no line was taken yet.
func (s *Session) Afresh() *Session { return NewSession(s.books) }

// ItemOf is the book of a scan of the Walk, and Inside tells whether it is of
// the range.
func (s *Session) ItemOf(scan int) (item kiosk.Barcode, inside bool) {
	if b := s.scans[scan].book; b >= 0 {
		return s.books[b].Barcode, true
	}
	return s.strangers[scan].Barcode, false
}

// ShelfOf is the shelf on which a scan was made, as its label says.
func (s *Session) ShelfOf(scan int) string { return s.stretches[s.scans[scan].stretch].shelf }

// PlaceOf is where a book of the range belongs, as far as is known.
func (s *Session) PlaceOf(item kiosk.Barcode) Place {
	b, ok := s.find[item]
	if !ok {
		return Place{}
	}
	return s.placeAt(b)
}

// Books are those of the range, in shelf order.
func (s *Session) Books() []Copy { return s.books }

// StateOf is the state of a book as it is known by now.
func (s *Session) StateOf(item kiosk.Barcode) State {
	b, ok := s.find[item]
	switch {
	case !ok:
		return Foreign
	case s.latest[b] > 0 && s.scans[s.latest[b]-1].out:
		return OutOfOrder
	}
	return InPlace
}
