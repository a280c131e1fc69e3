package desk

import (
	"context"
	"sync"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// lane does jobs one after the other and sends what comes of each into the
// inbox. It takes any number of jobs; the session bounds them.
type lane struct {
	mu    sync.Mutex
	jobs  []func(context.Context) kiosk.Event
	ready chan struct{} // holds a token while there may be jobs
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
			select {
			case inbox <- job(ctx):
			case <-ctx.Done():
				return
			}
		}
	}
}
