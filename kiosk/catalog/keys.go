package catalog

import (
	"hash/maphash"
	"maps"
	"slices"
)

// keys remembers which keys have come, by hashes of 64 bits in little more
// room than that: a map takes five times as much. Two keys of one hash are not
// met in any library.
type keys struct {
	seed  maphash.Seed
	old   []uint64            // sorted
	fresh map[uint64]struct{} // not in old yet
}

func newKeys() *keys { return &keys{seed: maphash.MakeSeed(), fresh: map[uint64]struct{}{}} }

// few is how many fresh keys wait at least until they are put into old.
const few = 1 << 14

// add tells whether a key has come before, and remembers it.
func (k *keys) add(key string) (again bool) {
	h := maphash.String(k.seed, key)
	if _, again = k.fresh[h]; again {
		return true
	}
	if _, again = slices.BinarySearch(k.old, h); again {
		return true
	}
	k.fresh[h] = struct{}{}
	if len(k.fresh) >= max(few, len(k.old)/8) {
		k.merge()
	}
	return false
}

// merge puts the fresh keys among the old ones, from the end on.
func (k *keys) merge() {
	fresh := slices.Sorted(maps.Keys(k.fresh))
	clear(k.fresh)
	i, j := len(k.old)-1, len(fresh)-1
	k.old = slices.Grow(k.old, len(fresh))[:len(k.old)+len(fresh)]
	for to := len(k.old) - 1; j >= 0; to-- {
		if i >= 0 && k.old[i] > fresh[j] {
			k.old[to], i = k.old[i], i-1
		} else {
			k.old[to], j = fresh[j], j-1
		}
	}
}
