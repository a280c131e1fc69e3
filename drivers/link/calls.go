package link

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// grace is how much longer than it should a call may take until the device
// counts as hung.
const grace = 3 * time.Second

// openTime is the longest that opening a device may take.
const openTime = 10 * time.Second

// calls are those to one open device. The kernel may wait in any of them for
// hardware that has ceased to answer, and nothing ends such a wait from outside:
// so each runs in a goroutine of its own, and one that does not return is left
// behind. No other call is made after it, and the device is closed when it has
// returned at last: before, its descriptor is in use, and the number of a
// closed one may be another file's.
type calls struct {
	name  string        // by which the device is opened again
	grace time.Duration // 0 means grace
	close func() error
	buf   []byte       // of reads; no other use is made of it once one hangs
	free  func() error // what may have a stuck call return; not called once the device may be closed; nil: nothing

	mu      sync.Mutex
	running int
	hung    bool
	closing bool // it was asked to
	closed  bool // or is being closed
	nudging bool
}

// answer is what a call gave.
type answer struct {
	n   int
	err error
}

// do makes a call that should take no longer than d. f is to use no memory of
// its caller, who goes on without it.
func (c *calls) do(d time.Duration, f func() (int, error)) (int, error) {
	if c.left() {
		return 0, c.hangs()
	}
	return c.run(d, f)
}

// read is do of a call that reads into memory of its own, for p.
func (c *calls) read(d time.Duration, p []byte, f func(to []byte) (int, error)) (int, error) {
	if len(c.buf) < len(p) {
		c.buf = make([]byte, len(p))
	}
	to := c.buf[:len(p)]
	n, err := c.do(d, func() (int, error) { return f(to) })
	return copy(p, to[:max(n, 0)]), err
}

// left tells whether a call was left behind.
func (c *calls) left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hung
}

func (c *calls) run(d time.Duration, f func() (int, error)) (int, error) {
	c.mu.Lock()
	c.running++
	c.mu.Unlock()
	if a, ok := within(context.Background(), d+cmp.Or(c.grace, grace), func() answer { defer c.end(); return caught(f) }, nil); ok {
		return a.n, a.err
	}
	c.mu.Lock()
	c.hung = true
	c.mu.Unlock()
	if lost.put(c) {
		go c.nudge(false)
	}
	return 0, c.hangs()
}

func (c *calls) hangs() error { return fmt.Errorf("%s: %w", c.name, drivers.ErrHung) }

// end is of a call that has returned.
func (c *calls) end() {
	c.mu.Lock()
	c.running--
	last := c.hung && c.running == 0
	shut := last && c.closing && !c.closed
	c.closed = c.closed || shut
	c.mu.Unlock()
	if shut {
		c.close() //nolint:errcheck // nobody waits for it
	}
	if last {
		lost.drop(c)
	}
}

// shut closes the device, once nothing of it is in use.
func (c *calls) shut() error {
	c.mu.Lock()
	later := c.hung && c.running > 0
	was := c.closing
	c.closing = true
	c.closed = c.closed || !later
	c.mu.Unlock()
	switch {
	case was:
		return nil
	case later:
		return c.hangs()
	}
	_, err := c.run(0, func() (int, error) { return 0, c.close() })
	return err
}

// nudge tries to have the stuck calls return: what waits to be sent is thrown
// away; and then, harder, the device is reset as if it was plugged in anew. That
// needs no more rights than to open it.
func (c *calls) nudge(hard bool) {
	c.mu.Lock()
	busy := c.nudging
	c.nudging = true
	c.mu.Unlock()
	if busy { // stuck itself
		return
	}
	for range 10 {
		if !c.freed() {
			break
		}
		time.Sleep(10 * time.Millisecond) // it writes on, and may be stuck again
	}
	if hard && c.stuck() {
		resetUSB(usbNode(sysClass, c.name)) //nolint:errcheck // it stays hung, and is said to be
	}
	c.mu.Lock()
	c.nudging = false
	c.mu.Unlock()
}

// freed frees the stuck calls once, and tells whether some still are. It counts
// as a call itself, so that the device is not closed beneath it.
func (c *calls) freed() (again bool) {
	c.mu.Lock()
	if c.free == nil || c.running == 0 {
		c.mu.Unlock()
		return false
	}
	c.running++
	c.mu.Unlock()
	err := c.free()
	c.end()
	return err == nil && c.stuck()
}

func (c *calls) stuck() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running > 0
}

// within waits for f to return, at most d and while ctx lasts. What f gives
// after that goes to late, if there is one.
func within[T any](ctx context.Context, d time.Duration, f func() T, late func(T)) (v T, ok bool) {
	done := make(chan T)
	left := make(chan struct{})
	go func() {
		v := f()
		select {
		case done <- v:
		case <-left:
			if late != nil {
				late(v)
			}
		}
	}()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case v = <-done:
		return v, true
	case <-t.C:
	case <-ctx.Done():
	}
	close(left)
	return v, false
}

// caught is f with a panic as an error: nobody else could catch it.
func caught(f func() (int, error)) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a.err = &drivers.Panic{Value: p, Stack: debug.Stack()}
		}
	}()
	a.n, a.err = f()
	return a
}

// opening is open with a deadline, most. What comes after it is closed again.
func opening[T io.Closer](ctx context.Context, name string, most time.Duration, open func() (T, error)) (none T, _ error) {
	if !lost.begin(name) {
		return none, fmt.Errorf("%s: %w", name, drivers.ErrHung)
	}
	type opened struct {
		dev T
		err error
	}
	o, ok := within(ctx, most, func() opened {
		defer lost.begun(name)
		dev, err := open()
		return opened{dev, err}
	}, func(o opened) {
		if o.err == nil {
			o.dev.Close() //nolint:errcheck // nobody waits for it
		}
	})
	switch {
	case ok && o.err != nil:
		if c := lost.at(name); c != nil {
			go c.nudge(true)
			return none, c.hangs()
		}
		return none, o.err
	case ok:
		return o.dev, nil
	case ctx.Err() != nil:
		return none, ctx.Err()
	}
	return none, fmt.Errorf("%s: %w", name, drivers.ErrHung)
}

// lost are the calls that were left behind.
var lost = &leavings{calls: map[string]*calls{}, opens: map[string]bool{}}

type leavings struct {
	mu    sync.Mutex
	calls map[string]*calls
	opens map[string]bool // names that are being opened
}

// put notes calls that hang, and tells whether they still do and were not noted.
func (l *leavings) put(c *calls) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls[c.name] == c || !c.stuck() {
		return false
	}
	l.calls[c.name] = c
	return true
}

func (l *leavings) drop(c *calls) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls[c.name] == c {
		delete(l.calls, c.name)
	}
}

func (l *leavings) at(name string) *calls {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[name]
}

// begin tells whether nobody is opening a device yet: an open that hangs is not
// tried a second time beside.
func (l *leavings) begin(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opens[name] {
		return false
	}
	l.opens[name] = true
	return true
}

func (l *leavings) begun(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.opens, name)
}
