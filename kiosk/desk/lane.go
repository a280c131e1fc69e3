package desk

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// lane does jobs in their order, as many at once as it is wide, and sends what
// comes of each into the inbox, unless it is nil. It takes any number of jobs;
// the session bounds them.
type lane struct {
	width int
	mu    sync.Mutex
	jobs  []func(context.Context) kiosk.Event
	ready chan struct{} // holds tokens while there may be jobs
}

func (l *lane) add(job func(context.Context) kiosk.Event) {
	l.mu.Lock()
	l.jobs = append(l.jobs, job)
	l.mu.Unlock()
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

func (l *lane) take() func(context.Context) kiosk.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.jobs) == 0 {
		return nil
	}
	job := l.jobs[0]
	l.jobs = l.jobs[1:]
	return job
}

func (l *lane) run(ctx context.Context, inbox chan<- kiosk.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.ready:
		}
		for job := l.take(); job != nil; job = l.take() {
			ev := job(ctx)
			if ev == nil {
				continue // somebody waited for it
			}
			select {
			case inbox <- ev:
			case <-ctx.Done():
				return
			}
		}
	}
}

// soon does a job in the lane and waits for it, at most so long: a job that is
// nearly always quick is worth waiting for, and one that is not must not hold
// up the desk. Then its event comes through the inbox, and ok is false.
func (l *lane) soon(wait time.Duration, job func(context.Context) kiosk.Event) (ev kiosk.Event, ok bool) {
	const open, done, late = 0, 1, 2
	var state atomic.Int32
	came := make(chan kiosk.Event, 1)
	l.add(func(ctx context.Context) kiosk.Event {
		ev := job(ctx)
		if !state.CompareAndSwap(open, done) {
			return ev
		}
		came <- ev
		return nil
	})
	limit := time.NewTimer(wait)
	defer limit.Stop()
	select {
	case ev = <-came:
		return ev, true
	case <-limit.C:
	}
	if state.CompareAndSwap(open, late) {
		return nil, false
	}
	return <-came, true
}
