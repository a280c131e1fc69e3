package daemon

import (
	"net"
	"sync"
)

// bounded is a listener with so many connections at a time; the next one waits
// until one ends.
type bounded struct {
	net.Listener
	places chan struct{} // that are taken
	closed chan struct{}
	end    func()
}

func bound(ln net.Listener, most int) *bounded {
	b := &bounded{Listener: ln, places: make(chan struct{}, most), closed: make(chan struct{})}
	b.end = sync.OnceFunc(func() { close(b.closed) })
	return b
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.places <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.places
		return nil, err
	}
	return &placed{c, sync.OnceFunc(func() { <-b.places })}, nil
}

func (b *bounded) Close() error {
	b.end()
	return b.Listener.Close()
}

// placed is a connection that leaves its place when it is closed.
type placed struct {
	net.Conn
	leave func()
}

func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
