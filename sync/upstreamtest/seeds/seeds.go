// Package seeds gives tests below sync their flags -seeds and -seed, so that
// all of them can be run with one command:
//
//	go test ./sync/... -seeds 2000
//
// A test that draws by lot imports it for its flags, and any other so that its
// program knows them.
package seeds

import "flag"

var (
	count = flag.Int("seeds", 0, "run so many seeds; 0 means as many as each test has by itself")
	one   = flag.Int64("seed", -1, "run this seed alone and tell all that happens; -1 means none")
)

// Count is how many seeds are to be run; def without the flag.
func Count(def int) int {
	if *count > 0 {
		return *count
	}
	return def
}

// One is the seed that is to be run alone; false without the flag.
func One() (uint64, bool) { return uint64(*one), *one >= 0 }
