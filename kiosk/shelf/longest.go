package shelf

import "slices"

// longest gives the indices of a longest part of class that does not descend:
// the most books that can be called in place, so the fewest that are blamed.
// Among the longest it takes one with the most neighbours that follow each
// other directly, then the earliest. It takes n log n steps.
func longest(class []int32) []int32 {
	values := slices.Clone(class)
	slices.Sort(values)
	values = slices.Compact(values)
	l := chains{
		class: class, tree: make([]int32, len(values)+1), best: make([]int32, len(values)),
		score: make([]int64, len(class)+1), prev: make([]int32, len(class)+1),
	}
	for i, c := range class {
		at, _ := slices.BinarySearch(values, c)
		l.add(int32(i+1), at, values)
	}
	var chain []int32
	for i := l.upTo(len(values)); i > 0; i = l.prev[i] {
		chain = append(chain, i-1)
	}
	slices.Reverse(chain)
	return chain
}

// chains are the best ones that end at each index; indices count from 1, and 0
// is none.
type chains struct {
	class []int32
	tree  []int32 // Fenwick tree over the values: the best chain that ends up to there
	best  []int32 // the best that ends at a value
	score []int64 // links, each oneLink, plus 1 for each that follows directly
	prev  []int32
}

const oneLink = 1 << 32

func (l *chains) upTo(n int) (i int32) {
	for ; n > 0; n &= n - 1 {
		if l.score[l.tree[n]] > l.score[i] {
			i = l.tree[n]
		}
	}
	return i
}

func (l *chains) add(i int32, at int, values []int32) {
	from := l.upTo(at + 1)
	score := l.score[from]
	for v := at; v >= 0 && values[v] >= values[at]-1; v-- {
		if q := l.best[v]; q > 0 && l.score[q]+1 > score {
			from, score = q, l.score[q]+1
		}
	}
	l.prev[i], l.score[i] = from, score+oneLink
	if l.score[i] > l.score[l.best[at]] {
		l.best[at] = i
	}
	for n := at + 1; n < len(l.tree); n += n & -n {
		if l.score[i] > l.score[l.tree[n]] {
			l.tree[n] = i
		}
	}
}
