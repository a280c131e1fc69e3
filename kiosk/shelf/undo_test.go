package shelf

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// randomLine is a line of two people's walks along n books, in which they
// skip, go back, meet strangers and read tags and labels.
func randomLine(r *rand.Rand, at map[string]int, n int) kiosk.ShelfLine {
	l := kiosk.ShelfLine{Kind: kiosk.ShelfScan, Who: []string{"ann", "bob"}[r.IntN(2)]}
	switch r.IntN(40) {
	case 0:
		l.Kind, l.Loose = kiosk.ShelfStart, r.IntN(2)*4
		at[l.Who] = r.IntN(n)
	case 1, 2:
		l.Kind, l.Text = kiosk.ShelfLabel, fmt.Sprint("S", r.IntN(9))
	case 3:
		l.Kind = kiosk.ShelfResume
	case 4:
		l.Kind, l.Text = kiosk.ShelfNote, fmt.Sprint("note ", r.IntN(9))
		fallthrough
	case 5, 6, 7, 8, 9:
		l.Item = kiosk.Barcode(itoa(r.IntN(n + 5))) // out of place, or a stranger
	default:
		at[l.Who] += r.IntN(3)
		l.Item = kiosk.Barcode(itoa(at[l.Who] % n))
	}
	if r.IntN(4) == 0 {
		l.Tag = kiosk.TagID(fmt.Sprint("T", r.IntN(9)))
	}
	if r.IntN(6) == 0 {
		l.Found = []string{string([]Finding{OnLoan, Wanted, NoTag}[r.IntN(3)])}
	}
	return l
}

// same holds what two sessions have come to against each other.
func same(t *testing.T, what string, got, want *Session) {
	t.Helper()
	for name, pair := range map[string][2]any{
		"scans": {got.scans, want.scans}, "stretches": {got.stretches, want.stretches}, "strangers": {got.strangers, want.strangers},
		"latest": {got.latest, want.latest}, "seen": {got.seen, want.seen}, "lines": {got.lines, want.lines}, "passes": {got.pass, want.pass},
		"times": {got.times, want.times}, "tags": {got.tags, want.tags}, "notes": {got.notes, want.notes}, "last": {got.last, want.last},
		"count": {got.count, want.count}, "starts": {got.starts, want.starts}, "report": {got.Report(false), want.Report(false)},
		"people": {len(got.paths), len(want.paths)},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Fatalf("%s: %s are %+v; want %+v", what, name, pair[0], pair[1])
		}
	}
	for who, p := range want.paths {
		q := got.paths[who]
		if q == nil || q.n != p.n || q.scans != p.scans || q.again != p.again || !q.heard.Equal(p.heard) || q.stretch != p.stretch || q.last != p.last || !maps.Equal(q.at, p.at) || !maps.Equal(q.tags, p.tags) {
			t.Fatalf("%s: %s walks %+v; want %+v", what, who, q, p)
		}
	}
}

// TestUndo undoes lines at random: what is left is what the other lines alone
// come to, and what is said next is the same.
func TestUndo(t *testing.T) {
	const n, steps = 60, 400
	for seed := range uint64(12) {
		r, at := rand.New(rand.NewPCG(seed, 3)), map[string]int{}
		s := sessionOf(n, 7, 8, 30)
		var log []kiosk.ShelfLine
		for i := range steps {
			l := randomLine(r, at, n)
			l.N, l.At = int64(i+1), time.Unix(int64(i), 0)
			s.Take(l, "")
			log = append(log, l)
			if r.IntN(8) > 0 {
				continue
			}
			k := max(0, len(log)-1-r.IntN(1<<r.IntN(6)))
			if line, ok := s.Undo(log[k].N); !ok || line.N != log[k].N {
				t.Fatalf("seed %d: Undo(%d) = %+v, %v", seed, log[k].N, line, ok)
			}
			log = slices.Delete(log, k, k+1)
		}
		want := sessionOf(n, 7, 8, 30)
		want.takeAll(log...)
		same(t, fmt.Sprint("seed ", seed), s, want)
		next := met("ann", 3, 4, 9, 5, 20)
		for _, l := range next {
			a, _ := s.Take(l, "")
			if b, _ := want.Take(l, ""); !reflect.DeepEqual(a, b) {
				t.Fatalf("seed %d: of %s is said %+v; want %+v", seed, l.Item, a, b)
			}
		}
	}
}

// TestUndoForgets: what is too long ago can't be undone from memory, however
// much was undone since.
func TestUndoForgets(t *testing.T) {
	s := sessionOf(5000)
	for i := range 4000 {
		s.Take(kiosk.ShelfLine{N: int64(i + 1), Kind: kiosk.ShelfScan, Who: "ann", Item: kiosk.Barcode(itoa(i))}, "")
	}
	if _, ok := s.Undo(3000); ok {
		t.Error("a line is undone after a thousand others")
	}
	n := int64(4000)
	for ; ; n-- {
		if _, ok := s.Undo(n); !ok {
			break
		}
	}
	if left := len(s.Newest(1000)); left < 20 || left > maxTaken/2 {
		t.Errorf("%d lines are known when it gives up", left)
	}
	if s.Scans() != int(n) {
		t.Errorf("%d scans are left; want %d", s.Scans(), n)
	}
}
