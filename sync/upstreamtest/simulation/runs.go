package simulation

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// Runs runs n seeds from first on, by Run or OutageDay, as many at once as there are processors,
// and tells report of each, one at a time but in no order. It ends early when
// report says that it is enough.
func Runs(t *testing.T, run func(*testing.T, uint64) Result, first uint64, n int, report func(Result) (more bool)) {
	var mu sync.Mutex
	var next atomic.Uint64
	var enough atomic.Bool
	t.Run("runs", func(t *testing.T) {
		for i := range min(n, runtime.GOMAXPROCS(0)) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for !enough.Load() {
					k := next.Add(1) - 1
					if k >= uint64(n) {
						return
					}
					r := run(t, first+k)
					mu.Lock()
					if !report(r) {
						enough.Store(true)
					}
					mu.Unlock()
				}
			})
		}
	})
}
