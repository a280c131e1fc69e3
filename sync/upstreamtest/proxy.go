package upstreamtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// maxMessage is the longest message that is held whole, in bytes; SIP2 lists
// of a patron's items reach some thousands. A longer one ends the connection.
const maxMessage = 64 << 10

// dialTime is the longest wait for the server behind the proxy, and for one
// write to either side.
const dialTime = 5 * time.Second

// Proxy stands between clients and a server of messages that end in CR, where
// each question gets one answer. A question that the server leaves without an
// answer shifts the faults of those that follow by one.
type Proxy struct {
	target string
	addr   string

	mu     sync.Mutex
	ln     net.Listener // nil while cut
	plan   plan
	lines  map[net.Conn]bool // client sides
	wg     sync.WaitGroup
	closed bool
	counts map[Mishap]int
}

// Listen opens a proxy on addr, such as "127.0.0.1:0", in front of target.
func Listen(addr, target string) (*Proxy, error) {
	p := &Proxy{target: target, addr: addr, lines: map[net.Conn]bool{}, counts: map[Mishap]int{}}
	if err := p.Restore(); err != nil {
		return nil, err
	}
	return p, nil
}

// Addr is where clients connect; it stays the same over Cut and Restore.
func (p *Proxy) Addr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

// Once has a fault befall the next question that matches it.
func (p *Proxy) Once(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan.once = append(p.plan.once, f)
}

// Always has a fault befall every question that matches it.
func (p *Proxy) Always(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan.lasts = append(p.plan.lasts, f)
}

// Random has faults befall questions by lot.
func (p *Proxy) Random(c Chance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan.draw(c)
}

// Clear forgets every fault that has not happened yet.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan{}
}

// Counts tells how often each mishap has happened; under None, how many
// questions passed unharmed.
func (p *Proxy) Counts() map[Mishap]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[Mishap]int{}
	for m, n := range p.counts {
		out[m] = n
	}
	return out
}

// Cut ends every connection and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ln != nil {
		p.ln.Close()
		p.ln = nil
	}
	for c := range p.lines {
		c.Close()
	}
}

// Restore takes connections again, at the same address.
func (p *Proxy) Restore() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ln != nil || p.closed {
		return nil
	}
	ln, err := net.Listen("tcp", p.addr)
	if err != nil {
		return fmt.Errorf("upstreamtest: proxy: %w", err)
	}
	p.ln, p.addr = ln, ln.Addr().String()
	p.wg.Go(func() { p.accept(ln) })
	return nil
}

// Away is Cut and Restore, as ILS.Away wants it. Where the address can't be
// had again, it stays away.
func (p *Proxy) Away(away bool) {
	if away {
		p.Cut()
		return
	}
	p.Restore() // what fails here is seen by whoever connects
}

// Close ends the proxy and waits for its connections.
func (p *Proxy) Close() {
	p.Cut()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *Proxy) accept(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			ln.Close()
			return
		}
		if !p.admit(ln, c) {
			c.Close()
			continue
		}
		p.wg.Go(func() {
			defer p.forget(c)
			p.serve(c)
		})
	}
}

// admit takes a connection on, unless the line was cut while it came in.
func (p *Proxy) admit(ln net.Listener, c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ln != ln {
		return false
	}
	p.lines[c] = true
	return true
}

func (p *Proxy) forget(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.lines, c)
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.DialTimeout("tcp", p.target, dialTime)
	if err != nil {
		return
	}
	ctx, cut := context.WithCancel(context.Background())
	defer context.AfterFunc(ctx, func() { client.Close(); server.Close() })()
	asked := make(chan Fault, 64)
	var pumps sync.WaitGroup
	pumps.Go(func() { defer cut(); defer close(asked); p.questions(ctx, server, client, asked) })
	pumps.Go(func() { defer cut(); p.answers(ctx, client, server, asked) })
	pumps.Wait()
	client.Close()
	server.Close()
}

// questions passes what the client says, and what is to befall each answer.
func (p *Proxy) questions(ctx context.Context, server io.Writer, client io.Reader, asked chan<- Fault) {
	r := bufio.NewReaderSize(client, maxMessage)
	for {
		m, err := r.ReadSlice('\r')
		if err != nil {
			return
		}
		f := p.next(m)
		switch f.Mishap {
		case DropRequest:
			continue
		case CutRequest:
			return
		}
		select {
		case asked <- f:
		case <-ctx.Done():
			return
		}
		if send(server, m) != nil {
			return
		}
	}
}

// answers passes what the server says, or what has become of it.
func (p *Proxy) answers(ctx context.Context, client io.Writer, server io.Reader, asked <-chan Fault) {
	r := bufio.NewReaderSize(server, maxMessage)
	for {
		m, err := r.ReadSlice('\r')
		if err != nil {
			return
		}
		if r.Buffered() > 0 { // a line feed after the CR belongs to it
			if b, _ := r.Peek(1); b[0] == '\n' {
				m = append(append([]byte(nil), m...), '\n')
				r.Discard(1)
			}
		}
		f, ok := <-asked
		if !ok || f.Mishap == DelayAnswer && !wait(ctx, f.Delay) {
			return
		}
		out, cut := f.spoil(m)
		if send(client, out) != nil || cut {
			return
		}
	}
}

func (p *Proxy) next(m []byte) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.plan.next(m)
	p.counts[f.Mishap]++
	return f
}

func send(w io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if c, ok := w.(net.Conn); ok {
		if err := c.SetWriteDeadline(time.Now().Add(dialTime)); err != nil {
			return err
		}
	}
	_, err := w.Write(b)
	return err
}

// wait tells whether d went by before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		d = time.Second
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
