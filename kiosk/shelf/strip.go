package shelf

// Mark is how a book of the range shows on the picture of the shelf.
type Mark byte

// The marks.
const (
	MarkUnseen  Mark = iota // nobody was there yet
	MarkPlaced              // in place
	MarkAway                // met, and not where it belongs
	MarkTake                // met, and to be taken off the shelf
	MarkOut                 // on loan or elsewhere, as is known
	MarkMissing             // passed by, and not met: so far
	marks
)

var markNames = [marks]string{"unseen", "placed", "away", "take", "out", "missing"}

func (m Mark) String() string { return markNames[m] }

// Spot is one mark on the strip.
type Spot struct {
	Book *Copy
	Mark Mark
	Here bool // the one that was met last
}

// Strip is the shelf around the book that was met last, in shelf order: at
// most n books.
func (s *Session) Strip(n int) []Spot {
	at := max(0, int(s.last))
	from := max(0, min(at-n/2, len(s.books)-n))
	to := min(len(s.books), from+n)
	list := make([]Spot, 0, to-from)
	m := s.marker(from)
	for i := from; i < to; i++ {
		list = append(list, Spot{Book: &s.books[i], Mark: m.mark(i), Here: i == int(s.last)})
	}
	return list
}

// Bucket counts the marks of a piece of the range.
type Bucket [marks]int

// Of is the count of one mark.
func (b Bucket) Of(m Mark) int { return b[m] }

// Overview is the whole range in at most n pieces, and which of them has the
// book that was met last; -1 if none was.
func (s *Session) Overview(n int) (list []Bucket, here int) {
	n = min(n, len(s.books))
	if n == 0 {
		return nil, -1
	}
	list = make([]Bucket, n)
	m := s.marker(0)
	for i := range s.books {
		list[i*n/len(s.books)][m.mark(i)]++
	}
	if here = -1; s.last >= 0 {
		here = int(s.last) * n / len(s.books)
	}
	return list, here
}

// marker gives the marks of books one after the other.
type marker struct {
	*Session
	before int // of the books that should be there, how many were passed since one was met in place; -1: none was met yet
	next   int // the next book in place, as far as was looked
	ahead  int // how many should be there from the current one up to it
}

func (s *Session) marker(from int) *marker {
	m := &marker{Session: s, before: -1, next: from}
	for i, n := from-1, 0; i >= 0 && n <= Gap; i-- { // what was met before the piece counts
		if s.standing(i) {
			m.before = n
			break
		}
		if !s.books[i].Out && s.latest[i] == 0 {
			n++
		}
	}
	return m
}

// standing tells whether a book was met in place, as far as is known.
func (s *Session) standing(i int) bool { return s.latest[i] > 0 && !s.scans[s.latest[i]-1].out }

// mark is that of book i; they are asked for in order.
func (m *marker) mark(i int) Mark {
	switch at := m.latest[i]; {
	case at > 0:
		if m.standing(i) {
			m.before = 0
		}
		for _, f := range m.lines[at-1].Found {
			if Finding(f).Takes() {
				return MarkTake
			}
		}
		if m.scans[at-1].out {
			return MarkAway
		}
		return MarkPlaced
	case m.books[i].Out:
		return MarkOut
	}
	if m.before >= 0 {
		m.before++
	}
	if i >= m.next {
		m.look(i)
	}
	m.ahead--
	if m.before > 0 && m.next < len(m.books) && m.before+m.ahead <= Gap {
		return MarkMissing
	}
	return MarkUnseen
}

// look finds the next book in place from i on, or where there are too many to
// have been passed by.
func (m *marker) look(i int) {
	m.ahead = 0
	for m.next = i; m.next < len(m.books) && !m.standing(m.next) && m.ahead <= Gap; m.next++ {
		if !m.books[m.next].Out && m.latest[m.next] == 0 {
			m.ahead++
		}
	}
}
