package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

var inventoryDay = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func begun(t testing.TB, f *file, id kiosk.ID, out ...kiosk.Barcode) kiosk.Inventory {
	t.Helper()
	v := kiosk.Inventory{ID: id, Name: "Adult non-fiction", Begun: inventoryDay, Stage: kiosk.Walking,
		Range: kiosk.ShelfRange{Library: "MAIN", Location: "Stacks", Scheme: "ddc", From: "500", To: "599"}}
	must(t, f.BeginInventory(t.Context(), v, out))
	return v
}

func scans(items ...string) (lines []kiosk.ShelfLine) {
	for i, item := range items {
		lines = append(lines, kiosk.ShelfLine{Kind: kiosk.ShelfScan, Who: "ann", At: inventoryDay.Add(time.Duration(i) * time.Second), Item: kiosk.Barcode(item)})
	}
	return lines
}

func lines(t testing.TB, f *file, id kiosk.ID) (list []kiosk.ShelfLine) {
	t.Helper()
	for l, err := range f.Lines(t.Context(), id) {
		must(t, err)
		list = append(list, l)
	}
	return list
}

// TestPlaces puts items and moves them, while the index reads and while it
// forgets: at any time the places have as many as there are.
func TestPlaces(t *testing.T) {
	f := newFile(t)
	r := rand.New(rand.NewPCG(31, 32))
	at := map[kiosk.Barcode]kiosk.Place{}
	for step := range 60 {
		var list []kiosk.Item
		for range r.IntN(40) {
			p := kiosk.Place{Library: fmt.Sprint("L", r.IntN(2)), Location: fmt.Sprint(r.IntN(3))}
			b := kiosk.Barcode(fmt.Sprintf("B%03d", r.IntN(600)))
			list, at[b] = append(list, kiosk.Item{Barcode: b, Title: "T", Library: p.Library, Location: p.Location}), p
		}
		_, err := f.PutItems(t.Context(), list)
		must(t, err)
		switch r.IntN(6) {
		case 0:
			must(t, forgetIndex(t.Context(), f.conn))
		case 1, 2, 3:
			_, err = f.Index(t.Context())
			must(t, err)
		}
		count := map[kiosk.Place]int{}
		for _, p := range at {
			count[p]++
		}
		got, err := f.Places(t.Context())
		must(t, err)
		for _, p := range got {
			if n := p.Items; count[kiosk.Place{Library: p.Library, Location: p.Location}] != n || n == 0 {
				t.Fatalf("step %d: %+v; want %v", step, p, count)
			}
		}
		if len(got) != len(count) {
			t.Fatalf("step %d: Places() = %v; want %v", step, got, count)
		}
	}
}

// TestInventoryIsKept: what is written comes back whole after a restart, in
// its order, each inventory with its own numbers.
func TestInventoryIsKept(t *testing.T) {
	f := newFile(t)
	v := begun(t, f, "one", "B7", "B8")
	begun(t, f, "two")
	want := []kiosk.ShelfLine{
		{Kind: kiosk.ShelfStart, Who: "ann", At: inventoryDay, Loose: 3},
		{Kind: kiosk.ShelfLabel, Who: "ann", At: inventoryDay, Text: "12 A"},
		{Kind: kiosk.ShelfScan, Who: "ann", At: inventoryDay, Item: "B1", Tag: "E004010012345678", Part: 2, Tagged: true, Found: []string{"on loan", "wanted"}},
		{Kind: kiosk.ShelfNote, Who: "ann", At: inventoryDay, Item: "B1", Text: "damaged", Of: 3},
	}
	first, err := f.Write(t.Context(), v.ID, want)
	if err != nil || first != 1 {
		t.Fatalf("Write() = %d, %v; want 1", first, err)
	}
	if first, err = f.Write(t.Context(), "two", scans("B1")); err != nil || first != 1 {
		t.Fatalf("Write() to another = %d, %v; want 1", first, err)
	}
	must(t, f.Excuse(t.Context(), v.ID, []kiosk.Barcode{"B8", "B9"}))
	_, err = f.Reopen()
	must(t, err)
	for i := range want {
		want[i].N = int64(i + 1)
	}
	if got := lines(t, f, v.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("Lines() = %+v; want %+v", got, want)
	}
	v.Lines = 4
	if got, err := f.Inventory(t.Context(), v.ID); err != nil || got != v {
		t.Errorf("Inventory() = %+v, %v; want %+v", got, err, v)
	}
	if got, err := f.Excused(t.Context(), v.ID); err != nil || !slices.Equal(got, []kiosk.Barcode{"B7", "B8", "B9"}) {
		t.Errorf("Excused() = %v, %v", got, err)
	}
	list, err := f.Inventories(t.Context())
	if err != nil || len(list) != 2 || list[0].ID != "two" {
		t.Errorf("Inventories() = %+v, %v; want two, one", list, err)
	}
	sound(t, f.Store)
}

func TestInventoryUndo(t *testing.T) {
	f := newFile(t)
	v := begun(t, f, "one")
	_, err := f.Write(t.Context(), v.ID, scans("B1", "B2", "B3"))
	must(t, err)
	n, err := f.Write(t.Context(), v.ID, []kiosk.ShelfLine{{Kind: kiosk.ShelfUndo, At: inventoryDay, Of: 2}})
	if err != nil || n != 4 {
		t.Fatalf("Write() = %d, %v; want 4", n, err)
	}
	got := lines(t, f, v.ID)
	if len(got) != 2 || got[0].Item != "B1" || got[1].Item != "B3" {
		t.Errorf("Lines() = %+v; want B1 and B3", got)
	}
}

func TestInventoryStages(t *testing.T) {
	f := newFile(t)
	v := begun(t, f, "one")
	for _, tt := range []struct {
		kind kiosk.ShelfKind
		want kiosk.InventoryStage
	}{
		{kiosk.ShelfScan, kiosk.Walking}, {kiosk.ShelfPause, kiosk.Paused}, {kiosk.ShelfResume, kiosk.Walking},
		{kiosk.ShelfSearch, kiosk.Searching}, {kiosk.ShelfPause, kiosk.Paused}, {kiosk.ShelfScan, kiosk.Paused},
		{kiosk.ShelfResume, kiosk.Searching}, {kiosk.ShelfEnd, kiosk.Ended},
	} {
		_, err := f.Write(t.Context(), v.ID, []kiosk.ShelfLine{{Kind: tt.kind, At: inventoryDay, Item: "B1"}})
		must(t, err)
		if got, err := f.Inventory(t.Context(), v.ID); err != nil || got.Stage != tt.want {
			t.Errorf("after %s: %s, %v; want %s", tt.kind, got.Stage, err, tt.want)
		}
	}
}

func TestInventoryRefuses(t *testing.T) {
	f := newFile(t)
	begun(t, f, "one")
	if _, err := f.Write(t.Context(), "none", scans("B1")); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("Write to none: %v; want ErrUnknown", err)
	}
	if _, err := f.Write(t.Context(), "one", append(scans("B1"), kiosk.ShelfLine{Kind: kiosk.ShelfScan})); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("Write of a line without a time: %v; want invalid", err)
	}
	if got := lines(t, f, "one"); len(got) != 0 {
		t.Errorf("a batch that was refused left %+v", got)
	}
	if err := f.BeginInventory(t.Context(), kiosk.Inventory{ID: "two"}, nil); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("BeginInventory without a time: %v; want invalid", err)
	}
	if _, err := f.Inventory(t.Context(), "two"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("Inventory: %v; want ErrUnknown", err)
	}
	if _, err := f.Report(t.Context(), "one"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("Report before the end: %v; want ErrUnknown", err)
	}
	must(t, f.KeepReport(t.Context(), "one", []byte("found")))
	if got, err := f.Report(t.Context(), "one"); string(got) != "found" || err != nil {
		t.Errorf("Report() = %q, %v", got, err)
	}
}

func TestShelved(t *testing.T) {
	f := newFile(t)
	_, err := f.PutItems(t.Context(), []kiosk.Item{
		{Barcode: "A", CallNumber: "500 A", Scheme: "ddc", Library: "MAIN", Location: "Stacks", Status: kiosk.StatusAvailable},
		{Barcode: "B", CallNumber: "501 B", Library: "MAIN", Location: "Stacks", Status: kiosk.StatusLost},
		{Barcode: "C", CallNumber: "502 C", Library: "MAIN", Location: "Display"},
		{Barcode: "D", CallNumber: "503 D", Library: "BRANCH", Location: "Stacks"},
	})
	must(t, err)
	_, err = f.PutLoans(t.Context(), []kiosk.Loan{{Item: "A", Patron: "P", At: inventoryDay}})
	must(t, err)
	for _, tt := range []struct {
		library, location string
		want              []kiosk.Barcode
	}{{"MAIN", "Stacks", []kiosk.Barcode{"A", "B"}}, {"MAIN", "", []kiosk.Barcode{"A", "B", "C"}}, {"", "", []kiosk.Barcode{"A", "B", "C", "D"}}, {"NONE", "", nil}} {
		var got []kiosk.Barcode
		for c, err := range f.Shelved(t.Context(), tt.library, tt.location) {
			must(t, err)
			got = append(got, c.Barcode)
			if c.OnLoan != (c.Barcode == "A") || c.Barcode == "B" && c.Status != kiosk.StatusLost {
				t.Errorf("Shelved() has %+v", c)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("Shelved(%q, %q) = %v; want %v", tt.library, tt.location, got, tt.want)
		}
	}
	places, err := f.Places(t.Context())
	if want := []kiosk.Place{{Library: "BRANCH", Location: "Stacks", Items: 1}, {Library: "MAIN", Location: "Display", Items: 1}, {Library: "MAIN", Location: "Stacks", Items: 2}}; err != nil || !slices.Equal(places, want) {
		t.Errorf("Places() = %v, %v; want %v", places, err, want)
	}
}

func TestMeet(t *testing.T) {
	f := newFile(t)
	one := kiosk.Item{Barcode: "A", Title: "Momo", Author: "Ende", ISBN: "9783522177504", CallNumber: "FIC E", Scheme: "ddc", Library: "MAIN",
		Location: "Stacks", Type: "book", Status: kiosk.StatusAvailable, NoLoan: true}
	two := one
	two.Barcode, two.Status = "B", kiosk.StatusLost
	_, err := f.PutItems(t.Context(), []kiosk.Item{one, two})
	must(t, err)
	e := kiosktest.Checkout(1, 1, 1)
	e.Item, e.State = "B", kiosk.Offline
	must(t, f.Record(t.Context(), e))
	got, err := f.Meet(t.Context(), []kiosk.Barcode{"B", "X", "A", "A"})
	want := []kiosk.Met{{Item: two, Known: true, OnLoan: true, Copies: 2, LastLoan: instantOf(e.At)}, {Item: kiosk.Item{Barcode: "X"}},
		{Item: one, Known: true, Copies: 2}, {Item: one, Known: true, Copies: 2}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Meet() = %+v, %v; want %+v", got, err, want)
	}
	if got, err := f.Meet(t.Context(), nil); len(got) != 0 || err != nil {
		t.Errorf("Meet(nothing) = %v, %v", got, err)
	}
}

func TestWanted(t *testing.T) {
	f := newFile(t)
	must(t, f.Want(t.Context(), "hold", []kiosk.Wanted{{Item: "A", Note: "for the branch"}, {Item: "B"}, {Item: "B"}}))
	must(t, f.Want(t.Context(), "weeding", []kiosk.Wanted{{Item: "B"}}))
	got, err := f.Meet(t.Context(), []kiosk.Barcode{"B", "D"})
	if err != nil || len(got) != 2 || !slices.Equal(got[0].Wanted, []string{"hold", "weeding"}) || got[1].Wanted != nil {
		t.Errorf("Meet() = %+v, %v; want B for hold and weeding", got, err)
	}
	must(t, f.Want(t.Context(), "hold", []kiosk.Wanted{{Item: "C"}})) // replaces
	list, err := f.WantedList(t.Context())
	if want := []kiosk.Wanted{{Item: "C", For: "hold"}, {Item: "B", For: "weeding"}}; err != nil || !slices.Equal(list, want) {
		t.Errorf("WantedList() = %v, %v; want %v", list, err, want)
	}
	if err := f.Want(t.Context(), " ", nil); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("Want without a reason: %v; want invalid", err)
	}
}

// scanUntilKilled scans, and prints the number of each scan once it is on disk.
func scanUntilKilled(path string) error {
	s, err := Open(context.Background(), path)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		n, err := s.Write(context.Background(), "one", scans(fmt.Sprint("B", i)))
		if err != nil {
			return err
		}
		fmt.Println(n, "B"+fmt.Sprint(i))
	}
}

// TestKilledWhileScanning: a scan that was acknowledged is there after a kill.
func TestKilledWhileScanning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	must(t, s.BeginInventory(t.Context(), kiosk.Inventory{ID: "one", Begun: inventoryDay}, nil))
	must(t, s.Close())
	for range 3 {
		c, out, errs := child(t, "scan", path)
		acked := map[int64]kiosk.Barcode{}
		for in, kill := bufio.NewScanner(out), 1+rand.IntN(200); in.Scan(); {
			n, item, _ := strings.Cut(in.Text(), " ")
			at, err := strconv.ParseInt(n, 10, 64)
			must(t, err)
			if acked[at] = kiosk.Barcode(item); len(acked) == kill {
				must(t, c.Process.Kill())
			}
		}
		if err := c.Wait(); err == nil || errs.Len() > 0 {
			t.Fatalf("the child ended by itself: %v %s", err, errs)
		}
		s := opened(t, path)
		sound(t, s)
		for l, err := range s.Lines(t.Context(), "one") {
			must(t, err)
			if item, ok := acked[l.N]; ok && item == l.Item {
				delete(acked, l.N)
			}
		}
		if len(acked) > 0 {
			t.Errorf("acknowledged and lost: %v", acked)
		}
		must(t, s.Close())
	}
}

// TestWritten: what was handed over is found by its read, an undone line too,
// in its own inventory only; and the same read is no second line.
func TestWritten(t *testing.T) {
	f := newFile(t)
	v, other := begun(t, f, "one"), begun(t, f, "two")
	in := scans("B1", "B2", "B3")
	in[0].Read, in[2].Read = "r1", "r3"
	_, err := f.Write(t.Context(), v.ID, in)
	must(t, err)
	_, err = f.Write(t.Context(), v.ID, []kiosk.ShelfLine{{Kind: kiosk.ShelfUndo, At: inventoryDay, Of: 3}})
	must(t, err)
	got, err := f.Written(t.Context(), v.ID, []kiosk.ID{"r3", "r1", "r2", ""})
	if err != nil || len(got) != 2 || got[0].Item != "B1" || got[1].Item != "B3" || got[1].Read != "r3" || !got[1].At.Equal(in[2].At) {
		t.Errorf("Written() = %+v, %v; want the first and the third", got, err)
	}
	if got, err := f.Written(t.Context(), other.ID, []kiosk.ID{"r1"}); err != nil || len(got) != 0 {
		t.Errorf("Written() of another inventory = %+v, %v", got, err)
	}
	if _, err := f.Write(t.Context(), v.ID, in[:1]); err == nil {
		t.Error("the same read is written twice")
	}
	if _, err := f.Write(t.Context(), other.ID, in); err != nil {
		t.Error(err)
	}
}
