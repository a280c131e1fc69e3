package simulation

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/sync/upstreamtest/seeds"
)

// TestSimulation runs seeds, and each kind of trouble must have happened in
// them. With -seed it runs one again, and tells all that happens.
func TestSimulation(t *testing.T) {
	if seed, ok := seeds.One(); ok {
		r := Run(t, seed)
		if err := r.Trace(os.Stdout); err != nil {
			t.Error(err)
		}
		t.Logf("seed %d: %s", seed, r.Tally)
		fail(t, r)
		return
	}
	n := seeds.Count(100)
	if testing.Short() {
		n = min(n, 20)
	}
	sum, bad := Tally{}, 0
	Runs(t, Run, 0, n, func(r Result) bool {
		sum.Add(r.Tally)
		if fail(t, r); len(r.Failures) > 0 {
			bad++
		}
		return bad < 3
	})
	t.Logf("%d seeds: %s", n, sum)
	for _, kind := range Kinds {
		if sum[kind] == 0 && n >= 100 && bad == 0 {
			t.Errorf("no %s in %d seeds: nothing is said of it", kind, n)
		}
	}
}

func fail(t *testing.T, r Result) {
	for _, f := range r.Failures {
		t.Error(f)
	}
	if len(r.Failures) > 0 {
		t.Errorf("go test ./sync/upstreamtest/simulation -run Simulation -seed %d tells all that happened", r.Seed)
	}
}

// TestSameSeedSameRun: to the nanosecond.
func TestSameSeedSameRun(t *testing.T) {
	n := uint64(30)
	if testing.Short() {
		n = 5
	}
	for seed := range n {
		a, b := Run(t, seed), Run(t, seed)
		if a.Sum != b.Sum {
			t.Fatalf("two runs of seed %d differ, first in %s", seed, firstDifference(t, a, b))
		}
		if seed > 0 && a.Sum == Run(t, seed-1).Sum {
			t.Fatalf("seeds %d and %d are one run", seed-1, seed)
		}
	}
}

func firstDifference(t *testing.T, a, b Result) string {
	var x, y bytes.Buffer
	for r, to := range map[*Result]*bytes.Buffer{&a: &x, &b: &y} {
		if err := r.Trace(to); err != nil {
			t.Fatal(err)
		}
	}
	other := strings.Split(y.String(), "\n")
	for i, l := range strings.Split(x.String(), "\n") {
		if i >= len(other) || l != other[i] {
			return l
		}
	}
	return "length"
}
