package shelf

import (
	"cmp"
	"slices"
	"sort"
)

// Report is what a walk has found.
type Report struct {
	Expected int // books of the range that should be on the shelf
	Seen     int // books of the range that were seen, each once
	InPlace  int
	Moves    []Move  // books out of place, in the order they were walked by
	Missing  []*Copy // not seen where the shelf was walked, in shelf order
	Spans    []Span  // what was walked, in shelf order
	Found    []*Copy // seen, and should not be on the shelf, in shelf order
	Foreign  []Stranger
}

// Move is a book that has to go elsewhere.
type Move struct {
	Book     *Copy
	Scan     int
	From, To Place // From is between what stands in place there
}

// Span is a piece of shelf that was walked from First to Last.
type Span struct {
	First, Last   *Copy
	Seen, Missing int // of the books that belong there
}

// Stranger is a book that is not of the range.
type Stranger struct {
	Copy
	Scan     int
	From, To Place // To is where its key would stand
}

// leg is a part of the walk in which the order of scans is that of the shelf.
type leg struct {
	scans []int32
	loose int
	chain []int32 // of scans, those in place
}

// fate is what a report knows of a book.
type fate byte

const (
	unknown fate = iota // where nobody walked
	placed
	strayed
	missing
)

// reporter makes a Report.
type reporter struct {
	*Walk
	Report
	legs   []leg
	legOf  []int // by stretch
	fate   []fate
	unseen []int32 // by book: how many before it should be there and were not seen
	left   []int32 // by book: the next to the left, or itself, that is where it belongs; -1 is none
	right  []int32
}

// Report says what is out of place, and what is missing in the spans that were
// walked: a book at either end of a span may be there where nobody looked, and
// a hole of more than Gap books is none that anybody looked at. If whole is
// set, everything was walked, and what was not seen is missing.
func (w *Walk) Report(whole bool) Report {
	r := reporter{Walk: w, fate: make([]fate, len(w.books)), unseen: make([]int32, len(w.books)+1)}
	r.Seen, r.Expected = w.Progress()
	for i, b := range w.books {
		r.unseen[i+1] = r.unseen[i]
		if !b.Out && w.latest[i] == 0 {
			r.unseen[i+1]++
		}
	}
	r.split()
	for i := range r.legs {
		r.settle(&r.legs[i])
	}
	r.miss(whole)
	r.neighbours()
	r.tell()
	return r.Report
}

// split makes the legs. A label may be that of the next shelf or of any: what
// follows it goes on with the leg unless most of it stands further to the front.
func (r *reporter) split() {
	parts := make([][]int32, len(r.stretches))
	for i, s := range r.scans {
		if !s.gone {
			parts[s.stretch] = append(parts[s.stretch], int32(i))
		}
	}
	at := make([]int, len(parts))
	r.legOf = at
	end := make([]int32, len(parts))
	for i, part := range parts {
		s := r.stretches[i]
		middle, ok := r.middle(part)
		if s.after >= 0 && (!ok || middle >= end[s.after]) {
			at[i], end[i] = at[s.after], max(middle, end[s.after])
			l := &r.legs[at[i]]
			l.scans = append(l.scans, part...)
			continue
		}
		at[i], end[i] = len(r.legs), middle
		r.legs = append(r.legs, leg{scans: part, loose: s.loose})
	}
}

// middle is the median class.
func (r *reporter) middle(scans []int32) (int32, bool) {
	if len(r.stretches) == 1 {
		return 0, true // nobody compares it
	}
	class := make([]int32, 0, len(scans))
	for _, s := range scans {
		if r.scans[s].book >= 0 {
			class = append(class, r.classOf(s))
		}
	}
	if len(class) == 0 {
		return -1, false
	}
	slices.Sort(class)
	return class[len(class)/2], true
}

// repeated tells of a scan that another of the same book follows in its leg:
// who reads a shelf's label again goes over that shelf again.
func (r *reporter) repeated(s int32) bool {
	b := r.scans[s].book
	newest := r.latest[b] - 1
	return newest != s && r.legOf[r.scans[newest].stretch] == r.legOf[r.scans[s].stretch]
}

// settle finds out what is in place in a leg. What the last leg says of a book
// holds.
func (r *reporter) settle(l *leg) {
	class := make([]int32, 0, len(l.scans))
	own := make([]int32, 0, len(l.scans))
	for _, s := range l.scans {
		if r.scans[s].book >= 0 && !r.repeated(s) {
			class, own = append(class, r.classOf(s)), append(own, s)
		}
	}
	chain := longest(class)
	l.chain = make([]int32, len(chain))
	for i, at := range chain {
		l.chain[i] = own[at]
	}
	next := 0 // the first of the chain that is not before i
	for i, s := range own {
		f := strayed
		switch {
		case next < len(chain) && int(chain[next]) == i:
			next++
			f = placed
		case l.fits(r, class[i], next):
			f = placed
		}
		if b := r.scans[s].book; r.latest[b] == s+1 {
			r.fate[b] = f
			r.scans[s].out = f == strayed
		}
	}
}

// fits tells whether a class between two of the chain is at most loose off.
func (l *leg) fits(r *reporter, c int32, next int) bool {
	from, to := next-1-l.loose, next+l.loose
	return l.loose > 0 && (from < 0 || r.classOf(l.chain[from]) <= c) && (to >= len(l.chain) || c <= r.classOf(l.chain[to]))
}

// miss finds the spans that were walked and marks what is missing there.
func (r *reporter) miss(whole bool) {
	var spans [][2]int32 // books, from and to
	for i := range r.legs {
		spans = append(spans, r.walked(&r.legs[i])...)
	}
	if whole && len(r.books) > 0 {
		spans = [][2]int32{{0, int32(len(r.books) - 1)}}
	}
	slices.SortFunc(spans, func(a, b [2]int32) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	merged := spans[:0]
	for _, s := range spans {
		if last := len(merged) - 1; last >= 0 && s[0] <= merged[last][1] {
			merged[last][1] = max(merged[last][1], s[1])
		} else {
			merged = append(merged, s)
		}
	}
	for _, s := range merged {
		r.Spans = append(r.Spans, r.span(s, whole))
	}
}

// walked are the spans of a leg, from a book in place to one.
func (r *reporter) walked(l *leg) (spans [][2]int32) {
	for i, s := range l.chain {
		b := r.scans[s].book
		if i > 0 {
			last := &spans[len(spans)-1]
			before := r.classOf(l.chain[i-1])
			if c := r.class[b]; c <= before || r.unseen[r.first[c]]-r.unseen[r.first[before+1]] <= Gap {
				last[0], last[1] = min(last[0], b), max(last[1], b)
				continue
			}
		}
		spans = append(spans, [2]int32{b, b})
	}
	return spans
}

// span marks what is missing in one. Of books with the same key as those at
// its ends, others may stand behind the end.
func (r *reporter) span(s [2]int32, whole bool) Span {
	out := Span{First: &r.books[s[0]], Last: &r.books[s[1]]}
	for b := s[0]; b <= s[1]; b++ {
		switch c := r.class[b]; {
		case r.fate[b] == placed:
			out.Seen++
		case r.latest[b] > 0 || r.books[b].Out:
		case whole || c > r.class[s[0]] && c < r.class[s[1]]:
			r.fate[b] = missing
			out.Missing++
			r.Missing = append(r.Missing, &r.books[b])
		}
	}
	return out
}

// neighbours finds for every book what stands next to its place.
func (r *reporter) neighbours() {
	n := len(r.books)
	r.left, r.right = make([]int32, n), make([]int32, n)
	there := func(i int) bool { return r.fate[i] == placed || r.fate[i] == unknown && !r.books[i].Out }
	last := int32(-1)
	for i := range n {
		if there(i) {
			last = int32(i)
		}
		r.left[i] = last
	}
	last = int32(n)
	for i := n - 1; i >= 0; i-- {
		if there(i) {
			last = int32(i)
		}
		r.right[i] = last
	}
}

// to is the place between two books that need not be there themselves.
func (r *reporter) to(left, right int) Place {
	if left >= 0 {
		left = int(r.left[left])
	}
	if right < len(r.books) {
		right = int(r.right[right])
	}
	return r.placeBetween(left, right)
}

// tell lists what was found, in walking order.
func (r *reporter) tell() {
	for i, l := range r.legs {
		next := 0
		for _, s := range l.scans {
			if next < len(l.chain) && l.chain[next] == s {
				next++
			}
			b := r.scans[s].book
			if b >= 0 && (r.latest[b] != s+1 || r.fate[b] != strayed) {
				continue
			}
			from := r.from(&r.legs[i], s, next)
			if b < 0 {
				c := r.strangers[int(s)]
				r.Foreign = append(r.Foreign, Stranger{Copy: c, Scan: int(s), From: from, To: r.toKey(c.Key)})
				continue
			}
			r.Moves = append(r.Moves, Move{Book: &r.books[b], Scan: int(s), From: from, To: r.to(int(b)-1, int(b)+1)})
		}
	}
	for i := range r.books {
		if r.fate[i] == placed {
			r.InPlace++
		}
		if r.books[i].Out && r.latest[i] > 0 {
			r.Found = append(r.Found, &r.books[i])
		}
	}
}

// from is where a scan was made: between those of the chain around it.
func (r *reporter) from(l *leg, s int32, next int) Place {
	p := Place{Shelf: r.stretches[r.scans[s].stretch].shelf}
	if next > 0 {
		p.After = &r.books[r.scans[l.chain[next-1]].book]
	}
	if next < len(l.chain) {
		p.Before = &r.books[r.scans[l.chain[next]].book]
	}
	return p
}

func (r *reporter) toKey(key Key) Place {
	if key == "" {
		return Place{}
	}
	i := sort.Search(len(r.books), func(i int) bool { return r.books[i].Key > key })
	return r.to(i-1, i)
}
