package simulation

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// lot is what one actor draws from. No two share one: in which order they
// would draw at one moment is the scheduler's.
type lot struct{ *rand.Rand }

// lot makes the actor's, always the same for a seed and a name.
func (w *world) lot(name string) lot {
	h := fnv.New64a()
	h.Write([]byte(name))
	return lot{rand.New(rand.NewPCG(w.seed, h.Sum64()))}
}

func (l lot) chance(p float64) bool { return l.Float64() < p }

// between draws a time to the nanosecond, so that no two actors wake at one
// moment.
func (l lot) between(from, to time.Duration) time.Duration {
	return from + time.Duration(l.Int64N(int64(to-from)))
}

// hardly is a delay that orders what would be at one moment. It is long for
// that: of so many nanoseconds two actors seldom draw the same.
func (l lot) hardly() time.Duration { return l.between(1, time.Millisecond/2) }

func oneOf[T any](l lot, list ...T) T { return list[l.IntN(len(list))] }
