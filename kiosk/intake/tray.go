package intake

import (
	"maps"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// A tag at the edge of a pad answers now and then. It is here when its memory
// has been read once, and gone when it has missed four rounds and 800 ms.
const (
	missesGone = 4
	timeGone   = 800 * time.Millisecond
)

// tray remembers what lies on a pad over rounds of reading. It is pure.
type tray struct {
	tags map[drivers.UID]*lying
}

// lying is a tag that has answered of late.
type lying struct {
	uid    drivers.UID
	dsfid  byte
	rounds int // since it was first heard
	hits   int // of them, with an answer
	misses int // in a row
	first  time.Time
	last   time.Time // heard or read
	tries  int       // reads that came to nothing, or to damage
	told   bool      // what it is has been told
	mute   bool      // it is known, and is nobody's business
	hidden bool      // it can't be read and is no more told of: a neighbour's
}

// round takes what one inventory has listed and gives the tags that have gone.
func (t *tray) round(seen []drivers.Tag, now time.Time) (gone []*lying) {
	if t.tags == nil {
		t.tags = map[drivers.UID]*lying{}
	}
	here := map[drivers.UID]bool{}
	for _, s := range seen {
		here[s.UID] = true
		if t.tags[s.UID] == nil {
			t.tags[s.UID] = &lying{uid: s.UID, first: now}
		}
		t.tags[s.UID].dsfid = s.DSFID
	}
	for uid, l := range t.tags {
		l.rounds++
		if here[uid] {
			l.heard(now)
			l.hits++
			continue
		}
		if l.misses++; l.misses >= missesGone && now.Sub(l.last) >= timeGone {
			delete(t.tags, uid)
			gone = append(gone, l)
		}
	}
	slices.SortFunc(gone, byFirst)
	return gone
}

// heard notes that the tag has answered something.
func (l *lying) heard(now time.Time) { l.misses, l.last = 0, now }

// missing tells whether a tag has not answered the last round: whether it has
// gone must be found out soon.
func (t *tray) missing() bool {
	for _, l := range t.tags {
		if l.misses > 0 {
			return true
		}
	}
	return false
}

// unread lists the tags of which it is not known what they are, those that
// came first first.
func (t *tray) unread() (list []*lying) {
	for _, l := range t.tags {
		if !l.told && !l.hidden && l.misses == 0 {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, byFirst)
	return list
}

// all lists what lies there, those that came first first.
func (t *tray) all() []*lying {
	return slices.SortedFunc(maps.Values(t.tags), byFirst)
}

func byFirst(a, b *lying) int {
	if c := a.first.Compare(b.first); c != 0 {
		return c
	}
	return slices.Compare(a.uid[:], b.uid[:])
}
