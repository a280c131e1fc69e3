package inventory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// TestWand walks along 1,255 tagged books with a wand: in each tenth of a
// second it reads thirty tags near it, in any order, most of them for the
// fifth time. Every planted fault is found, and nothing else.
func TestWand(t *testing.T) {
	const n, near = 1255, 8
	w := newWorld(t)
	var items []kiosk.Item
	for i := range n {
		items = append(items, kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprintf("W%04d", i)), CallNumber: fmt.Sprintf("%d.%d A", 100+i/10, i%10), Scheme: "ddc",
			Library: "TAGGED", Status: kiosk.StatusAvailable})
	}
	if _, err := w.store.PutItems(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(21, 22))
	lots := r.Perm(n - 60)
	lot := func(k int) (list []int) {
		for _, i := range lots[:k] {
			list = append(list, i+30)
		}
		lots = lots[k:]
		return list
	}
	moved, gone, open := lot(n*3/100), lot(n*2/100), lot(5)
	var stand []int
	for i := range n {
		if !slices.Contains(moved, i) && !slices.Contains(gone, i) {
			stand = append(stand, i)
		}
	}
	for _, i := range moved { // at least 40 places off: nearer, a wand can't tell
		at := r.IntN(len(stand))
		for home, _ := slices.BinarySearch(stand, i); at-home < 40 && home-at < 40; {
			at = r.IntN(len(stand))
		}
		stand = slices.Insert(stand, at, i)
	}
	id := w.begin(kiosk.ShelfRange{Library: "TAGGED"})
	if err := w.Start(t.Context(), id, "wand", 2*near); err != nil {
		t.Fatal(err)
	}
	reads, taken := 0, 0
	for at := range len(stand) {
		var batch []Read
		for range 30 {
			i := stand[min(len(stand)-1, max(0, at+r.IntN(near)-near/2))]
			b := Read{Text: string(items[i].Barcode), ByTag: true, Tag: kiosk.TagID(fmt.Sprintf("E0040150%08X", i)), Security: kiosk.Secured}
			if slices.Contains(open, i) {
				b.Security = kiosk.Released
			}
			batch = append(batch, b)
		}
		said, err := w.Scan(t.Context(), id, "wand", batch...)
		if err != nil {
			t.Fatal(err)
		}
		reads, taken = reads+len(batch), taken+len(said)
	}
	rep, err := w.Report(t.Context(), id, true)
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, got []Row, want []int) {
		t.Helper()
		var list, wanted []string
		for _, x := range got {
			list = append(list, string(x.Item))
		}
		for _, i := range want {
			wanted = append(wanted, string(items[i].Barcode))
		}
		slices.Sort(list)
		slices.Sort(wanted)
		if !slices.Equal(list, wanted) {
			t.Errorf("%s: %v; want %v", what, list, wanted)
		}
	}
	same("misplaced", rep.Moves, moved)
	same("missing", rep.Missing, gone)
	same("surprises", rep.Surprises, open)
	for _, x := range rep.Surprises {
		if !slices.Equal(x.Found, []shelf.Finding{shelf.Unsecured}) {
			t.Errorf("%s: %q", x.Item, x.Found)
		}
	}
	if reads < 30*1200 || taken != len(stand) {
		t.Errorf("%d reads came to %d scans; want each of %d tags once", reads, taken, len(stand))
	}
}
