package inventory

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// TestGoOn ends the program in the middle of a wand's walk: what is heard next is
// judged by what was heard before, and no book counts as met twice.
func TestGoOn(t *testing.T) {
	const reach = 4
	w := newWorld(t)
	var items []kiosk.Item
	for i := range 60 {
		items = append(items, kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprintf("W%04d", i)), CallNumber: fmt.Sprint(100+i, " A"), Scheme: "ddc", Library: "TAGGED"})
	}
	if _, err := w.store.PutItems(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	ctx, id := t.Context(), w.begin(kiosk.ShelfRange{Library: "TAGGED"})
	hear := func(list ...int) (said []Said) {
		t.Helper()
		var reads []Read
		for _, i := range list {
			reads = append(reads, Read{Text: string(items[i].Barcode), ByTag: true, Tag: kiosk.TagID(fmt.Sprintf("E0040150%08X", i))})
		}
		said, err := w.Scan(ctx, id, "wand", reads...)
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	goOn := func(reach int, rest time.Duration) (started bool) {
		t.Helper()
		before, err := w.View(ctx, id)
		if err == nil {
			err = w.GoOn(ctx, id, "wand", reach, rest)
		}
		after, err2 := w.View(ctx, id)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return after.Inventory.Lines > before.Inventory.Lines
	}
	if !goOn(reach, time.Minute) || goOn(reach, time.Minute) {
		t.Error("a wand that has not begun begins once")
	}
	for i := range 20 {
		hear(20 + i)
	}
	w.Service = New(w.Config) // as after a restart
	if goOn(reach, time.Hour) {
		t.Error("a walk that was cut off begins anew")
	}
	if said := hear(38, 39); len(said) > 0 {
		t.Errorf("tags that were heard before are told again: %+v", said)
	}
	if said := hear(40, 2, 41); len(said) != 3 || said[0].State != shelf.InPlace || said[1].State != shelf.OutOfOrder || said[2].State != shelf.InPlace {
		t.Errorf("after the restart is said %+v; want that the second is out of order", said)
	}
	r, err := w.Report(ctx, id, false)
	if err != nil || len(r.Moves) != 1 || r.Moves[0].Item != items[2].Barcode || r.Passes != [3]int{23} {
		t.Errorf("Report() has moves %+v, passes %v, %v", r.Moves, r.Passes, err)
	}
	if !goOn(reach+1, 0) {
		t.Error("a wand that reaches further goes on")
	}
	hear(50)
	w.now = w.now.Add(2 * time.Hour)
	if goOn(reach+1, 0) || !goOn(reach+1, time.Hour) {
		t.Error("a walk rests for as long as it may, and no longer")
	}
	if err := errors.Join(w.Pause(ctx, id), w.Resume(ctx, id)); err != nil {
		t.Fatal(err)
	}
	if !goOn(reach+1, 0) {
		t.Error("a wand goes on after a pause as if it stood where it was")
	}
	if err := w.Pause(ctx, id); err != nil {
		t.Fatal(err)
	}
	if err := w.GoOn(ctx, id, "wand", reach, 0); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("GoOn() while it pauses = %v", err)
	}
}

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
