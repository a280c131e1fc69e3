package outbox

import (
	"container/heap"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// order gives out queued entries in the order in which they were recorded, as
// far as they concern the same item or the same patron: an entry is ready when
// all before it that share one of the two are done, and of those that are ready
// the oldest comes first. So several can be worked on at once, and what waits
// holds up nothing but its own.
type order struct {
	ready places
	all   map[kiosk.ID]*place
	items map[kiosk.Barcode]*place // the last of each
	loans map[kiosk.Barcode]*place // the last of each that says something of its loan
}

// place is that of an entry in the order.
type place struct {
	kiosk.Queued
	n      int // in the queue
	before int // entries that it waits for
	behind []*place
}

// newOrder orders a queue. An entry that may not be worked on yet holds up what
// is behind it; one that was deferred, what concerns its item only.
func newOrder(q []kiosk.Queued, may, deferred func(kiosk.Queued) bool) *order {
	o := &order{all: make(map[kiosk.ID]*place, len(q)), items: map[kiosk.Barcode]*place{}, loans: map[kiosk.Barcode]*place{}}
	cards := map[kiosk.Card]*place{} // the last of each
	for n, e := range q {
		p := &place{Queued: e, n: n}
		o.all[e.ID] = p
		p.waitFor(o.items[e.Item])
		o.items[e.Item] = p
		if e.Kind != kiosk.Seen {
			o.loans[e.Item] = p
		}
		if e.Patron != "" && !deferred(e) {
			p.waitFor(cards[e.Patron])
			cards[e.Patron] = p
		}
		switch {
		case !may(e):
			p.before++ // for more than this order will see
		case p.before == 0:
			o.ready = append(o.ready, p) // in order, and so a heap
		}
	}
	return o
}

func (p *place) waitFor(first *place) {
	if first != nil && !disordered {
		p.before++
		first.behind = append(first.behind, p)
	}
}

// take gives the next entry that is ready; false if there is none now.
func (o *order) take() (kiosk.Queued, bool) {
	if len(o.ready) == 0 {
		return kiosk.Queued{}, false
	}
	return heap.Pop(&o.ready).(*place).Queued, true
}

// last tells whether nothing is queued behind an entry that says what became of
// its item's loan. That it stood on the shelf does not.
func (o *order) last(q kiosk.Queued) bool { return o.loans[q.Item] == o.all[q.ID] }

// done says that an entry has left the outbox.
func (o *order) done(id kiosk.ID) {
	for _, p := range o.all[id].behind {
		if p.before--; p.before == 0 {
			heap.Push(&o.ready, p)
		}
	}
}

// places is a heap, the first in the queue on top.
type places []*place

func (h places) Len() int           { return len(h) }
func (h places) Less(i, j int) bool { return h[i].n < h[j].n }
func (h places) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *places) Push(x any)        { *h = append(*h, x.(*place)) }
func (h *places) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	*h = (*h)[:last]
	return p
}
