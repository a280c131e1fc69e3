// Package torture runs the simulation of kiosks, network and library's system
// for as long as one likes, outside of go test.
package torture

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest/simulation"
)

// ErrFailed is that a seed has failed.
var ErrFailed = errors.New("the simulation has failed")

// Options say what to run.
type Options struct {
	Seeds    int
	First    uint64    // the first seed
	Outage   bool      // outage days instead of bad hours, each with its figures
	Trace    bool      // tell all that happens, of the first seed alone
	Out      io.Writer // for results
	Progress io.Writer // a line that is written over and over; nil means none
}

// every is how often progress is told.
const every = 200 * time.Millisecond

// Run runs seeds until one has failed, or all are done.
func Run(o Options) error {
	if o.Trace {
		o.Seeds = 1
	}
	start, last := time.Now(), time.Time{}
	sum, done := simulation.Tally{}, 0
	var failed error
	ran := underTest(func(t *testing.T) {
		run := simulation.Run
		if o.Outage {
			run = simulation.OutageDay
		}
		simulation.Runs(t, run, o.First, o.Seeds, func(r simulation.Result) bool {
			done++
			sum.Add(r.Tally)
			if o.Trace {
				failed = errors.Join(failed, r.Trace(o.Out))
			}
			if r.Outage != nil {
				fmt.Fprintf(o.Out, "seed %d: ", r.Seed)
				failed = errors.Join(failed, r.Outage.Write(o.Out))
			}
			for _, f := range r.Failures {
				fmt.Fprintf(o.Out, "\n%s\n", f)
				failed = fmt.Errorf("%w: kiosksim torture%s -seed %d tells all that happened", ErrFailed, map[bool]string{true: " -outage"}[o.Outage], r.Seed)
			}
			if now := time.Now(); o.Progress != nil && now.Sub(last) > every {
				last = now
				fmt.Fprintf(o.Progress, "\r%d of %d seeds, %.0f a second ", done, o.Seeds, float64(done)/now.Sub(start).Seconds())
			}
			return failed == nil
		})
		if failed != nil {
			t.Fail() // with few words: they are told already
		}
	})
	if o.Progress != nil {
		fmt.Fprintln(o.Progress)
	}
	if failed == nil && !ran {
		failed = ErrFailed
	}
	fmt.Fprintf(o.Out, "%s in %v: %s\n", cli.Count(done, "seed", "seeds"), time.Since(start).Round(time.Second), sum)
	return failed
}
