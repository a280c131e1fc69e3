package drivers

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// State is how a kept device is.
type State struct {
	Working bool
	Err     error     // why it is missing; nil while working
	Since   time.Time // since when it is working, or missing
}

// Panic is the error of a driver that broke its promises.
type Panic struct {
	Value any
	Stack []byte // for the log
}

func (p *Panic) Error() string { return fmt.Sprintf("driver panicked: %v", p.Value) }

// The pauses between two tries to open a device.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 15 * time.Second
	settled    = 30 * time.Second // a device that has worked so long begins with the first pause again
)

// Keep holds a device open until ctx ends: it opens and uses it, and when
// either fails tries again after 250 ms, doubling to 15 s. use returns nil
// only when its ctx has ended. A panic in either is an error like others
// (*Panic): a broken driver does not end the daemon.
//
// report is told when the device begins to work, when it ceases to, and when
// it is missing for another reason than before; never the same twice.
func Keep[D any](ctx context.Context, open func(context.Context) (D, error), use func(context.Context, D) error, report func(State)) {
	k := keeper{report: report}
	pause := firstPause
	for ctx.Err() == nil {
		worked, err := once(ctx, open, use, func() { k.is(State{Working: true}) })
		if ctx.Err() != nil {
			return
		}
		k.is(State{Err: err})
		if worked >= settled {
			pause = firstPause
		}
		rest(ctx, pause)
		pause = min(2*pause, lastPause)
	}
}

// once opens and uses the device once, and tells how long it worked and why
// no longer.
func once[D any](ctx context.Context, open func(context.Context) (D, error), use func(context.Context, D) error, works func()) (worked time.Duration, err error) {
	var since time.Time
	defer func() {
		if p := recover(); p != nil {
			err = &Panic{p, debug.Stack()}
		}
		if !since.IsZero() {
			worked = time.Since(since)
		}
	}()
	d, err := open(ctx)
	if err != nil {
		return 0, err
	}
	since = time.Now()
	works()
	if err = use(ctx, d); err == nil {
		err = errors.New("driver gave up without a reason")
	}
	return 0, err
}

// rest waits for d or the end of ctx.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// keeper passes on what has changed.
type keeper struct {
	report func(State)
	last   State
}

func (k *keeper) is(s State) {
	s.Since = time.Now()
	if first := k.last.Since.IsZero(); !first && s.Working == k.last.Working {
		if s.Working || s.Err.Error() == k.last.Err.Error() {
			return
		}
		s.Since = k.last.Since
	}
	k.last = s
	k.report(s)
}
