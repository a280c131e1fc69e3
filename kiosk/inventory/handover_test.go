package inventory

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

func handed(n int, text string, ago time.Duration) Handed {
	return Handed{ID: kiosk.ID(fmt.Sprint("r", n)), Kind: kiosk.ShelfScan, Text: text, At: day.Add(-ago)}
}

func (w *world) hand(id kiosk.ID, list ...Handed) []Said {
	w.t.Helper()
	said, err := w.HandOver(w.t.Context(), id, "phone", list)
	if err != nil {
		w.t.Fatal(err)
	}
	return said
}

func (w *world) scans(id kiosk.ID) int {
	w.t.Helper()
	v, err := w.View(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Scans
}

// TestHandOver: what was scanned without a network counts once and as of its
// time, however often it is handed over, after a restart and an undo too.
func TestHandOver(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	list := []Handed{handed(1, "B00", time.Hour), handed(2, "B05", 59*time.Minute), handed(3, "rub bish", 58*time.Minute),
		{ID: "n1", Kind: kiosk.ShelfNote, Item: "B05", Text: "cover"}, {ID: "s1", Kind: kiosk.ShelfStart}, handed(4, "SHELF:A 1", time.Minute), handed(5, "B20", time.Minute)}
	said := w.hand(id, list...)
	if len(said) != len(list) || said[0].State != shelf.InPlace || said[0].Repeated || said[2].Why == "" || said[6].Book.CallNumber != "520 A" {
		t.Fatalf("it says %+v", said)
	}
	if !said[0].At.Equal(day.Add(-time.Hour)) {
		t.Errorf("it is of %v; want when it was scanned", said[0].At)
	}
	for range 2 {
		again := w.hand(id, list...)
		for i, x := range again {
			if x.Read != list[i].ID || !x.Repeated && x.Why == "" || x.Book != said[i].Book || x.Line != said[i].Line && said[i].Line != 0 {
				t.Errorf("again it says %+v of %+v", x, list[i])
			}
		}
		w.open()
	}
	if n := w.scans(id); n != 3 {
		t.Errorf("%d scans; want 3", n)
	}
	if _, err := w.Undo(t.Context(), id, "phone", said[1].Line); err != nil {
		t.Fatal(err)
	}
	w.hand(id, list[1])
	if n := w.scans(id); n != 2 {
		t.Errorf("%d scans after an undo; want 2: what was undone does not come back", n)
	}
}

// TestHandOverTooLate: of an inventory that has ended, what it has taken is
// answered, and the rest is refused and not lost from sight.
func TestHandOverTooLate(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	w.hand(id, handed(1, "B00", 0))
	if _, err := w.End(t.Context(), id, false); err != nil {
		t.Fatal(err)
	}
	said, err := w.HandOver(t.Context(), id, "phone", []Handed{{ID: "s", Kind: kiosk.ShelfStart}, handed(1, "B00", 0), handed(2, "B01", 0)})
	if kiosk.CodeOf(err) != kiosk.CodeInvalid || !strings.Contains(err.Error(), "has ended") || len(said) != 1 || said[0].Read != "r1" {
		t.Errorf("HandOver() = %+v, %v; want the first one and why not the other", said, err)
	}
	if _, err := w.HandOver(t.Context(), "none", "phone", []Handed{handed(1, "B00", 0)}); err == nil {
		t.Error("an inventory that there is not takes scans")
	}
	id = w.begin(stacks)
	for _, h := range []Handed{{ID: "x", Kind: kiosk.ShelfEnd}, {ID: "y", Kind: kiosk.ShelfNote, Item: "B00", Text: strings.Repeat("a", 301)}} {
		if _, err := w.HandOver(t.Context(), id, "phone", []Handed{h}); kiosk.CodeOf(err) != kiosk.CodeInvalid {
			t.Errorf("HandOver(%+v) = %v; want it refused", h.Kind, err)
		}
	}
}

// TestHandOverAtRandom: pieces of a list, handed over again and again in any
// sizes and by several at once, make the log of the list handed over once.
func TestHandOverAtRandom(t *testing.T) {
	for seed := range uint64(5) {
		w := newWorld(t)
		id, r := w.begin(stacks), rand.New(rand.NewPCG(seed, 6))
		var list []Handed
		for i := range 40 {
			list = append(list, handed(i, string(number(r.IntN(60))), time.Duration(40-i)*time.Minute))
		}
		list = append(list, list[7], list[39])
		var all sync.WaitGroup
		for range 3 {
			var cuts [][]Handed
			for n := 0; n < len(list); {
				end := min(n+1+r.IntN(9), len(list))
				cuts = append(cuts, list[max(0, n-r.IntN(4)):end])
				n = end
			}
			all.Go(func() {
				for _, part := range cuts {
					if _, err := w.HandOver(t.Context(), id, "phone", part); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if n := w.scans(id); n != 40 {
			t.Errorf("seed %d: %d scans; want 40", seed, n)
		}
	}
}

func TestCarry(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	if err := w.store.Want(t.Context(), "hold", []kiosk.Wanted{{Item: "B03"}, {Item: "ELSEWHERE"}}); err != nil {
		t.Fatal(err)
	}
	list, all, err := w.Carry(t.Context(), id)
	if err != nil || !all || len(list) != 60 || list[3] != (Carried{"B03", true}) || list[59] != (Carried{"B59", false}) {
		t.Errorf("Carry() = %d %v %v %v", len(list), all, err, list[3])
	}
}
