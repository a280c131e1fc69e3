package simulation

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// instant is a wait so short that whoever asks for it only wants to know what
// lies there already.
const instant = time.Millisecond

var errReset = errors.New("connection reset by peer")

// end is one side of a connection: what has come for it and was not read yet.
type end struct {
	send  func([]byte) error
	leave func() // tells the other side, once

	mu       sync.Mutex
	came     []byte
	over     error // once came is read: io.EOF, or a reset
	closed   bool
	deadline time.Time
	news     chan struct{} // closed at each change
}

var _ net.Conn = (*end)(nil)

func newEnd() *end { return &end{news: make(chan struct{})} }

// change is called with mu held.
func (e *end) change() {
	close(e.news)
	e.news = make(chan struct{})
}

// deliver hands bytes to whoever reads; false if nobody does any more.
func (e *end) deliver(b []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.over != nil {
		return false
	}
	e.came = append(e.came, b...)
	e.change()
	return true
}

// finish ends what comes.
func (e *end) finish(why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over == nil {
		e.over = why
		e.change()
	}
}

// Read is net.Conn's.
func (e *end) Read(p []byte) (int, error) {
	for {
		n, wait, news, err := e.take(p)
		if n > 0 || err != nil {
			return n, err
		}
		if wait <= 0 {
			<-news
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-news:
		case <-t.C:
		}
		t.Stop()
	}
}

// take is one try to read; wait is how long another may take, 0 for ever.
func (e *end) take(p []byte) (n int, wait time.Duration, news <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.deadline.IsZero() {
		wait = time.Until(e.deadline)
	}
	switch {
	case e.closed:
		return 0, 0, nil, net.ErrClosed
	case !e.deadline.IsZero() && wait <= 0:
		return 0, 0, nil, os.ErrDeadlineExceeded
	case len(e.came) > 0:
		n = copy(p, e.came)
		e.came = e.came[n:]
		return n, 0, nil, nil
	case e.over != nil:
		return 0, 0, nil, e.over
	case !e.deadline.IsZero() && wait <= instant:
		return 0, 0, nil, os.ErrDeadlineExceeded
	}
	return 0, wait, e.news, nil
}

// Write is net.Conn's. It never waits: a network has buffers.
func (e *end) Write(p []byte) (int, error) {
	e.mu.Lock()
	err := e.over
	switch {
	case e.closed:
		err = net.ErrClosed
	case !e.deadline.IsZero() && !time.Now().Before(e.deadline):
		err = os.ErrDeadlineExceeded
	case errors.Is(err, io.EOF):
		err = nil // the other side may still read
	}
	e.mu.Unlock()
	if err == nil {
		err = e.send(append([]byte(nil), p...))
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close is net.Conn's.
func (e *end) Close() error {
	e.mu.Lock()
	was := e.closed
	e.closed = true
	if !was {
		e.change()
	}
	e.mu.Unlock()
	if !was {
		e.leave()
	}
	return nil
}

// SetDeadline is net.Conn's.
func (e *end) SetDeadline(t time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	e.deadline = t
	e.change()
	return nil
}

// SetReadDeadline is net.Conn's.
func (e *end) SetReadDeadline(t time.Time) error { return e.SetDeadline(t) }

// SetWriteDeadline is net.Conn's; nothing waits to be written.
func (e *end) SetWriteDeadline(time.Time) error { return nil }

// LocalAddr is net.Conn's.
func (e *end) LocalAddr() net.Addr { return addr{} }

// RemoteAddr is net.Conn's.
func (e *end) RemoteAddr() net.Addr { return addr{} }

// ilsAddress is where the ILS is.
const ilsAddress = "ils:6001"

type addr struct{}

func (addr) Network() string { return "memory" }
func (addr) String() string  { return ilsAddress }
