package catalog

import (
	"strconv"
	"testing"
)

// TestKeys: each key is new once, over many merges.
func TestKeys(t *testing.T) {
	k := newKeys()
	const n = 10 * few
	for turn, want := range []bool{false, true} {
		for i := range n {
			if again := k.add(strconv.Itoa(i * 7919 % n)); again != want {
				t.Fatalf("turn %d: add(%d) = %v; want %v", turn, i*7919%n, again, want)
			}
		}
	}
	if len(k.old)+len(k.fresh) != n || cap(k.old) > 2*n {
		t.Errorf("%d keys take room for %d and %d", n, cap(k.old), len(k.fresh))
	}
}
