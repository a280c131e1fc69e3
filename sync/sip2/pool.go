package sip2

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	mostLines = 16
	surplus   = 2 * time.Minute // an idle line is closed after that, but for one: each takes the server a process
	tryMore   = 5 * time.Minute // after a server that took no more lines has been asked for one

	firstLogin = time.Second // after a login was refused; twice as long each time
	lastLogin  = time.Minute
)

// errClosed is asked for a line after Close.
var errClosed = errors.New("sip2: closed")

// pool keeps lines to one server: as many as are needed at once, up to
// Config.Connections or what the server takes. Each line has one owner at a
// time. Lines are opened beside the questions: who has waited longest takes
// whichever comes first, a new line or one that has become free; for a server
// that is full may take the connection and say nothing.
type pool struct {
	conf   *Config
	ctx    context.Context // of what is being opened
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	idle    []*line       // the last one used is last
	lines   int           // open: idle, or somebody's
	opening int           // being opened
	waiting []*waiter     // who wants one, first come first
	most    int           // that the server takes
	again   time.Time     // when it may be asked for more
	full    error         // why it took no more while it had some: it is full, unless they are gone too
	failed  int           // lines that could not be opened, counted
	refused time.Duration // how long to wait after the next login that is refused
	shut    time.Time     // until then no login is tried
	err     error         // why, the last
	closed  bool
}

func newPool(c *Config) *pool {
	p := &pool{conf: c, most: c.Connections, refused: firstLogin}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// waiter is one who wants a line. Both it gets from serve, under mu.
type waiter struct {
	failed int           // pool.failed when it came
	served chan struct{} // closed once there is one of:
	line   *line
	err    error
}

// take gives a line that is logged in. Its errors are offline: nothing was
// asked. A server that refuses the login may lock it after a few times, so it
// is not asked with each question.
func (p *pool) take(ctx context.Context) (*line, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{failed: p.failed, served: make(chan struct{})}
	p.waiting = append(p.waiting, w)
	p.serve()
	p.mu.Unlock()
	select {
	case <-w.served:
	case <-ctx.Done():
	}
	p.mu.Lock()
	if ctx.Err() == nil {
		return w.line, w.err
	}
	p.waiting = slices.DeleteFunc(p.waiting, func(o *waiter) bool { return o == w })
	if w.line != nil {
		p.idle = append(p.idle, w.line)
	}
	p.serve()
	return nil, offline(ctx.Err())
}

// serve is called with mu held, after each change. It alone decides who gets
// what, in the order in which they came: were each to see for itself, it would
// hang on who is awake first.
func (p *pool) serve() {
	fresh := false // somebody waits since the last failure; for others it would be tried without end
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool {
		switch l := p.pop(); {
		case l != nil:
			w.line = l
		case p.closed:
			w.err = offline(errClosed)
		case p.lines+p.opening == 0 && (p.failed != w.failed || time.Now().Before(p.shut)):
			w.err = p.err
		default:
			fresh = fresh || p.failed == w.failed
			return false
		}
		close(w.served)
		return true
	})
	if fresh {
		p.grow()
	}
}

// pop gives an idle line that is quiet; what has been closed by the server, or
// holds an answer that nobody waits for, is let go.
func (p *pool) pop() *line {
	for len(p.idle) > 0 {
		l := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if l.fresh() == nil {
			return l
		}
		l.conn.Close()
		p.lines--
	}
	return nil
}

// grow opens lines for those who wait and for whom none is free.
func (p *pool) grow() {
	most := p.conf.Connections
	if time.Now().Before(p.again) {
		most = p.most
	}
	if time.Now().Before(p.shut) {
		return
	}
	for p.opening < len(p.waiting) && p.lines+p.opening < most && !p.closed {
		p.opening++
		p.wg.Go(p.open)
	}
}

func (p *pool) open() {
	l, err := dial(p.ctx, p.conf)
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.serve()
	p.opening--
	switch {
	case err == nil && p.closed:
		l.conn.Close()
	case err == nil:
		p.lines++
		p.refused = firstLogin
		l.used = time.Now()
		p.idle = append(p.idle, l)
	default:
		p.failed++
		p.err = asOffline(err)
		if errors.Is(err, ErrLogin) && !time.Now().Before(p.shut) { // once for logins at the same time
			p.shut = time.Now().Add(p.refused)
			p.refused = min(2*p.refused, lastLogin)
		}
		if p.lines > 0 {
			p.full = err
		}
	}
}

// put gives a line back; one that is not good is closed.
func (p *pool) put(l *line, good bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.serve()
	if !good || p.closed {
		l.conn.Close()
		if p.lines--; p.lines == 0 {
			p.full = nil
		}
		return
	}
	if p.full != nil {
		p.most, p.again = p.lines, time.Now().Add(tryMore)
		p.conf.log().Info("sip2: the server takes no more connections", "has", p.lines, "err", p.full)
		p.full = nil
	}
	l.used = time.Now()
	p.idle = append(p.idle, l)
	for p.lines > 1 && l.used.Sub(p.idle[0].used) > surplus {
		p.idle[0].conn.Close()
		p.idle = p.idle[1:]
		p.lines--
	}
}

// close ends all lines, those in use when they come back.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for _, l := range p.idle {
		l.conn.Close()
		p.lines--
	}
	p.idle = nil
	p.serve()
	p.mu.Unlock()
	p.cancel()
	p.wg.Wait()
}

// with has do ask on a line of its own. One on which a question was left in
// doubt is closed: what comes late comes to nobody.
func (p *pool) with(ctx context.Context, do func(*line) error) error {
	l, err := p.take(ctx)
	if err != nil {
		return err
	}
	good := false
	defer func() { p.put(l, good) }()
	err = do(l)
	switch kiosk.CodeOf(err) {
	case kiosk.CodeOffline, kiosk.CodeUnsure, kiosk.CodeInternal:
	default:
		good = true
	}
	return err
}
