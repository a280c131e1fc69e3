package simulation

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

func TestOne(t *testing.T) {
	s, _ := strconv.Atoi(os.Getenv("S"))
	r := Run(t, uint64(s))
	f, _ := os.Create("/tmp/sim/trace")
	r.Trace(f)
	f.Close()
	fmt.Println(r.Tally, r.Failures, len(r.trace.lines))
}

func TestMany(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	twice := os.Getenv("TWICE") != ""
	tally := Tally{}
	st := time.Now()
	for s := from; s < from+n; s++ {
		r := Run(t, uint64(s))
		tally.Add(r.Tally)
		for i, f := range r.Failures {
			if i < 2 {
				fmt.Println(f)
			}
		}
		if twice {
			if r2 := Run(t, uint64(s)); r2.Sum != r.Sum {
				fmt.Println("differs", s)
				f, _ := os.Create(fmt.Sprint("/tmp/sim/b", s))
				r2.Trace(f)
				f.Close()
				f, _ = os.Create(fmt.Sprint("/tmp/sim/a", s))
				r.Trace(f)
				f.Close()
			}
		}
	}
	fmt.Println(tally)
	for _, k := range Kinds {
		if tally[k] == 0 {
			fmt.Println("never:", k)
		}
	}
	fmt.Println(time.Since(st))
}
