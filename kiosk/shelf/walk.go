package shelf

import (
	"cmp"
	"slices"
	"sort"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Copy is a book of the range that is walked.
type Copy struct {
	Barcode kiosk.Barcode
	Key     Key
	Out     bool // should not be on the shelf: on loan, in transit
}

// Gap is how many books in a row may be missing; where more were not seen,
// that piece of shelf was not walked. A shelf has 20 to 40.
const Gap = 15

// Walk takes scans of books on the shelves of a range. It is not safe for
// several goroutines; several people at once are several Paths.
type Walk struct {
	books   []Copy  // in shelf order
	class   []int32 // by book: the number of its key; equal keys are one class
	first   []int32 // by class: its first book; one more at the end
	shelved []int32 // by book: how many before it should be on the shelf; one more at the end
	find    map[kiosk.Barcode]int32
	latest  []int32 // by book: its scan that counts, from 1; 0 is not seen

	scans     []scan
	stretches []stretch
	strangers map[int]Copy // scans of books that are not of the range
	seen      int          // books of the range, each once

	rewinds bool     // what is done is noted in back
	back    []func() // how to undo what was done since it was emptied, in that order
}

// undoes notes how to undo what is about to be done.
func (w *Walk) undoes(f func()) {
	if w.rewinds {
		w.back = append(w.back, f)
	}
}

// scan is a book at a place. Those of strangers have book -1.
type scan struct {
	book    int32
	stretch int32
	prev    int32 // the scan before it in the longest run that ends with it, or -1
	out     bool  // out of order, as far as was known
	gone    bool  // the same book was met again, elsewhere
}

// stretch is what was scanned without a shelf label between, or a new start.
type stretch struct {
	shelf string
	after int // the stretch that the same person came from by a label, or -1
	loose int
	tails []int32 // by length less 1: the scan that ends the run of that length with the least class
}

// NewWalk makes one for all books of a range. It keeps the slice and sorts it;
// of two with the same barcode the first counts.
func NewWalk(books []Copy) *Walk {
	less := func(a, b Copy) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Barcode, b.Barcode)) }
	if !slices.IsSortedFunc(books, less) {
		slices.SortFunc(books, less)
	}
	n := len(books)
	w := &Walk{
		books: books, class: make([]int32, n), shelved: make([]int32, n+1), latest: make([]int32, n),
		find: make(map[kiosk.Barcode]int32, n), strangers: map[int]Copy{},
	}
	for i, b := range books {
		if i == 0 || b.Key != books[i-1].Key {
			w.first = append(w.first, int32(i))
		}
		w.class[i] = int32(len(w.first) - 1)
		w.shelved[i+1] = w.shelved[i]
		if !b.Out {
			w.shelved[i+1]++
		}
		if _, ok := w.find[b.Barcode]; !ok {
			w.find[b.Barcode] = int32(i)
		}
	}
	w.first = append(w.first, int32(n))
	return w
}

// Path is one person with one scanner, walking.
type Path struct {
	walk    *Walk
	stretch int32
	last    int32 // book that was scanned last, or -1
}

// Start begins a path: a person starts, or goes on elsewhere or after a pause.
// loose is how many places a scan may be off, for wands that read what is near
// in any order; with a barcode scanner it is 0.
func (w *Walk) Start(loose int) *Path {
	p := &Path{walk: w}
	p.begin(stretch{after: -1, loose: loose})
	return p
}

// At says that a shelf's label was read: what follows stands on it. The shelf
// may be the next one or any other.
func (p *Path) At(shelf string) {
	now := p.walk.stretches[p.stretch]
	p.begin(stretch{shelf: shelf, after: int(p.stretch), loose: now.loose})
}

func (p *Path) begin(s stretch) {
	w, was := p.walk, *p
	w.undoes(func() { w.stretches, *p = w.stretches[:len(w.stretches)-1], was })
	p.walk.stretches = append(p.walk.stretches, s)
	p.stretch, p.last = int32(len(p.walk.stretches)-1), -1
}

// State is what is said of a scan at once.
type State string

// The states.
const (
	InPlace    State = "in place"
	OutOfOrder State = "out of order"
	Ahead      State = "ahead"   // in order, but a piece of shelf lies between: not walked, or the book belongs further on
	Again      State = "again"   // seen before
	Foreign    State = "foreign" // not of the range
)

// Place is between two books of the range; nil is its begin or end.
type Place struct {
	After, Before *Copy
	Shelf         string // as its label says; empty if that is not known
}

// Answer is what is known of a scan as soon as it is made. The order of a few
// scans says little, so later ones may correct it; Report has the last word.
type Answer struct {
	Scan  int // its number, from 0; for Again that of the first
	State State
	Place Place // where it belongs, unless InPlace or Again
	// Left are scans said to be in place that turn out not to be, and Joined
	// those that are in place after all. At most maxTold of each are told.
	Left, Joined []int
}

// maxTold bounds the work of one scan.
const maxTold = 64

// Add takes a scan. The key is that of a book that may not be of the range;
// empty if nothing is known.
func (p *Path) Add(code kiosk.Barcode, key Key) Answer {
	w, n := p.walk, len(p.walk.scans)
	b, ok := p.lookup(code)
	if !ok {
		w.undoes(func() { w.scans = w.scans[:n]; delete(w.strangers, n) })
		w.scans = append(w.scans, scan{book: -1, stretch: p.stretch, prev: -1})
		w.strangers[n] = Copy{Barcode: code, Key: key}
		return Answer{Scan: n, State: Foreign, Place: w.placeOf(key)}
	}
	known := w.latest[b] > 0
	if known {
		// A book counts once where it stands. What was out of order may have
		// been put right since; in another stretch it is there for the others.
		old := &w.scans[w.latest[b]-1]
		if old.stretch == p.stretch && (!old.out || p.last == b) {
			return Answer{Scan: int(w.latest[b] - 1), State: Again}
		}
		p.undoesScan(b)
		old.gone = old.stretch == p.stretch
	} else {
		p.undoesScan(b)
		w.seen++
	}
	p.last = b
	w.latest[b] = int32(n + 1)
	a := p.judge(b)
	if known && a.State == InPlace {
		a.State = Again
	}
	return a
}

// undoesScan notes how to undo that a book is scanned anew, but for what that
// changes of the scans before.
func (p *Path) undoesScan(b int32) {
	w := p.walk
	if !w.rewinds {
		return
	}
	n, last, latest, seen, gone := len(w.scans), p.last, w.latest[b], w.seen, false
	if latest > 0 {
		gone = w.scans[latest-1].gone
	}
	w.undoes(func() {
		w.scans, p.last, w.latest[b], w.seen = w.scans[:n], last, latest, seen
		if latest > 0 {
			w.scans[latest-1].gone = gone
		}
	})
}

// lookup finds a book: mostly it is one of the next.
func (p *Path) lookup(code kiosk.Barcode) (int32, bool) {
	w := p.walk
	for i := p.last + 1; i > 0 && i <= p.last+4 && int(i) < len(w.books); i++ {
		if w.books[i].Barcode == code {
			return i, true
		}
	}
	b, ok := w.find[code]
	return b, ok
}

// judge appends a scan to the runs of its stretch (patience sorting).
func (p *Path) judge(b int32) Answer {
	w, s := p.walk, &p.walk.stretches[p.stretch]
	n, c := int32(len(w.scans)), w.class[b]
	if s.after >= 0 && s.tails == nil {
		w.takeOver(p.stretch, c)
	}
	at, top := len(s.tails), int32(-1)
	if at > 0 {
		top = s.tails[at-1]
		if w.classOf(top) > c {
			at = sort.Search(at, func(i int) bool { return w.classOf(s.tails[i]) > c })
		}
	}
	now := scan{book: b, stretch: p.stretch, prev: -1}
	if at > 0 {
		now.prev = s.tails[at-1]
	}
	a := Answer{Scan: int(n), State: InPlace}
	w.undoesTail(p.stretch, at)
	switch {
	case at == len(s.tails):
		s.tails = append(s.tails, n)
		if top >= 0 && w.between(w.classOf(top), c) > Gap {
			a.State, a.Place = Ahead, w.placeAt(b)
		}
		w.scans = append(w.scans, now)
	case at == len(s.tails)-1:
		s.tails[at] = n
		w.scans = append(w.scans, now)
		a.Left, a.Joined = w.changed(top, n, s.loose)
	default:
		s.tails[at] = n
		now.out = !w.near(top, c, s.loose)
		w.scans = append(w.scans, now)
		if now.out {
			a.State, a.Place = OutOfOrder, w.placeAt(b)
		}
	}
	return a
}

// undoesTail notes how to undo that a run of a stretch gets another end.
func (w *Walk) undoesTail(stretch int32, at int) {
	if !w.rewinds {
		return
	}
	if tails := w.stretches[stretch].tails; at < len(tails) {
		was := tails[at]
		w.undoes(func() { w.stretches[stretch].tails[at] = was })
		return
	}
	w.undoes(func() {
		s := &w.stretches[stretch]
		if s.tails = s.tails[:at]; at == 0 {
			s.tails = nil // it may go on with the shelf before after all
		}
	})
}

// takeOver goes on with the run of the shelf before, if the first book of the
// new one follows it.
func (w *Walk) takeOver(now, c int32) {
	s := &w.stretches[now]
	before := &w.stretches[s.after]
	if n := len(before.tails); n > 0 {
		if top := w.classOf(before.tails[n-1]); top <= c && w.between(top, c) <= Gap {
			then := s.after
			w.undoes(func() { w.stretches[then].tails, w.stretches[now].tails = w.stretches[now].tails, nil })
			s.tails, before.tails = before.tails, nil
		}
	}
}

func (w *Walk) classOf(scan int32) int32 { return w.class[w.scans[scan].book] }

// between counts the books that should stand between two classes.
func (w *Walk) between(a, b int32) int {
	if a >= b {
		return 0
	}
	return int(w.shelved[w.first[b]] - w.shelved[w.first[a+1]])
}

// near tells whether a class fits into the run that ends with top at most
// loose places before its end.
func (w *Walk) near(top, c int32, loose int) bool {
	for i := 0; i < loose && top >= 0; i++ {
		top = w.scans[top].prev
		if top < 0 || w.classOf(top) <= c {
			return true
		}
	}
	return false
}

// changed tells what another run of the same length, now the better one, makes
// of the scans.
func (w *Walk) changed(was, is int32, loose int) (left, joined []int) {
	for i := 0; i < maxTold && was != is && was >= 0; i++ {
		if old := &w.scans[was]; i >= loose && !old.gone {
			if was := was; !old.out {
				w.undoes(func() { w.scans[was].out = false })
			}
			old.out = true
			left = append(left, int(was))
		}
		if now := &w.scans[is]; now.out && !now.gone {
			is := is
			w.undoes(func() { w.scans[is].out = true })
			now.out = false
			joined = append(joined, int(is))
		}
		was, is = w.scans[was].prev, w.scans[is].prev
	}
	return left, joined
}

// placeAt is where a book of the range belongs, as far as is known: between
// the next ones that should be there and are not known to be elsewhere.
func (w *Walk) placeAt(b int32) Place { return w.place(int(b)-1, int(b)+1) }

func (w *Walk) placeOf(key Key) Place {
	if key == "" {
		return Place{}
	}
	i := sort.Search(len(w.books), func(i int) bool { return w.books[i].Key > key })
	return w.place(i-1, i)
}

func (w *Walk) place(left, right int) Place {
	there := func(i int) bool {
		return !w.books[i].Out && (w.latest[i] == 0 || !w.scans[w.latest[i]-1].out)
	}
	for i := 0; i < maxTold && left > 0 && !there(left); i++ {
		left--
	}
	for i := 0; i < maxTold && right < len(w.books)-1 && !there(right); i++ {
		right++
	}
	return w.placeBetween(left, right)
}

func (w *Walk) placeBetween(left, right int) (p Place) {
	if right < len(w.books) {
		p.Before, p.Shelf = &w.books[right], w.shelfOf(right)
	}
	if left >= 0 {
		p.After = &w.books[left]
		p.Shelf = cmp.Or(w.shelfOf(left), p.Shelf)
	}
	return p
}

// shelfOf is the shelf on which a book was seen.
func (w *Walk) shelfOf(b int) string {
	if s := w.latest[b]; s > 0 && !w.scans[s-1].out {
		return w.stretches[w.scans[s-1].stretch].shelf
	}
	return ""
}

// At is the place of a book of the range, counted from its begin in books that
// may be out, too.
func (w *Walk) At(item kiosk.Barcode) (int, bool) {
	b, ok := w.find[item]
	return int(b), ok
}

// Progress is how many books of the range were seen, and how many should be
// there.
func (w *Walk) Progress() (seen, expected int) { return w.seen, int(w.shelved[len(w.books)]) }

// Scans is how many scans are told apart: those of a book that is met again
// where it was are one.
func (w *Walk) Scans() int { return len(w.scans) }
