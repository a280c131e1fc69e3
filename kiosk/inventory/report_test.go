package inventory

import (
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestReportKept: a long report that somebody has waited for is there at once
// when it is asked for again, as it was; once, not for long, and not where what
// is in it has changed. One that nobody has waited for is not kept at all.
func TestReportKept(t *testing.T) {
	w := newWorld(t)
	w.long = 20
	id := w.begin(stacks)
	ctx := WithProgress(t.Context(), func(Reading, int) {})
	made := func(told, whole bool) Report {
		t.Helper()
		ask := t.Context()
		if told {
			ask = ctx
		}
		r, err := w.Report(ask, id, whole)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	lend := func(i int) {
		t.Helper()
		if _, err := w.store.PutLoans(t.Context(), []kiosk.Loan{{Item: number(20 + i), Patron: "P", At: day}}); err != nil {
			t.Fatal(err)
		}
	}
	first := made(true, true)
	lend(0)
	if r := made(false, true); !r.At.Equal(first.At) || len(r.Missing) != len(first.Missing) {
		t.Errorf("who has waited gets that of %v with %d missing; want that of %v with %d", r.At, len(r.Missing), first.At, len(first.Missing))
	}
	fresh := func(when string, told, whole bool, fewer int) {
		t.Helper()
		if r := made(told, whole); !r.At.After(first.At) || len(r.Missing) != len(first.Missing)-fewer {
			t.Errorf("%s: that of %v with %d missing; the first was of %v with %d", when, r.At, len(r.Missing), first.At, len(first.Missing))
		}
	}
	fresh("asked a second time", false, true, 1)
	lend(1)
	fresh("nobody had waited", false, true, 2)
	made(true, true)
	lend(2)
	fresh("somebody else waits", true, true, 3)
	lend(3)
	w.now = w.now.Add(keepFor)
	fresh("old", false, true, 4)
	for name, step := range map[string]time.Duration{"clock set back": -time.Hour, "clock set forth": time.Hour} {
		old := made(true, true)
		w.now = w.now.Add(step)
		if r := made(false, true); r.At.Equal(old.At) {
			t.Errorf("%s: it is still given", name)
		}
	}
	made(true, true)
	if r := made(false, false); r.Whole {
		t.Error("another was asked for")
	}
	if l := w.live[id]; l.kept != nil {
		t.Error("one is kept in memory that nobody will ask for")
	}
}

// TestWay: a book goes past as many as stand between, whichever way.
func TestWay(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		what   string
		walk   []int
		from   int
		to     int
		either bool // the other one of two may be told to move
	}{
		{"too far on", slices.Concat(upTo(0, 4), upTo(11, 15), []int{10}, upTo(16, 20)), 15, 10, false},
		{"too far back", slices.Concat(upTo(0, 4), []int{10}, upTo(5, 9), upTo(11, 20)), 5, 10, false},
		{"first of all", slices.Concat([]int{5}, upTo(0, 4), upTo(6, 10)), 0, 5, false},
		{"last of all", slices.Concat(upTo(51, 59), []int{50}), 59, 50, false},
		{"neighbours", slices.Concat(upTo(0, 4), []int{6, 5}, upTo(10, 12)), 6, 5, true},
	} {
		id := w.begin(stacks)
		w.scan(id, "ann", numbers(tt.walk...)...)
		r, err := w.Report(t.Context(), id, false)
		if err != nil || len(r.Moves) != 1 || r.Moves[0].Way == nil {
			t.Fatalf("%s: moves %+v, %v; want one", tt.what, r.Moves, err)
		}
		got, want := *r.Moves[0].Way, Way{From: tt.from, To: tt.to, Of: 60}
		if got != want && (!tt.either || got != Way{From: tt.to, To: tt.from, Of: 60}) {
			t.Errorf("%s: it goes %+v; want %+v", tt.what, got, want)
		}
	}
}
