package sip2_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// desk is a server that holds each question until it is let go, and counts.
type desk struct {
	*testing.T
	ln    net.Listener
	takes int // connections; those behind hear nothing
	deny  bool

	open, asked, most atomic.Int32
	release           chan bool
	mu                sync.Mutex
	conns             []net.Conn
}

func newServer(t *testing.T, takes int, deny bool) *desk {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{T: t, ln: ln, takes: takes, deny: deny, release: make(chan bool, 1000)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.conns = append(d.conns, c)
			d.mu.Unlock()
			wg.Go(func() { d.serve(c) })
		}
	})
	t.Cleanup(func() {
		close(d.release)
		ln.Close()
		d.cut()
		wg.Wait()
	})
	return d
}

// cut ends all connections.
func (d *desk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		c.Close()
	}
	d.conns = nil
}

func (d *desk) serve(c net.Conn) {
	defer c.Close()
	n := d.open.Add(1)
	defer d.open.Add(-1)
	if int(n) > d.takes {
		if !d.deny {
			bufio.NewReader(c).ReadString(0) // says nothing, until the other end has enough
		}
		return
	}
	in := bufio.NewReader(c)
	for {
		m, err := in.ReadString('\r')
		if err != nil {
			return
		}
		seq := ""
		if i := strings.Index(m, "AY"); i >= 0 {
			seq = m[i : i+3]
		}
		var a string
		switch m[:2] {
		case "93":
			a = "941"
		case "99":
			a = "98YYYYYN10000520261123    1200002.00AOX|BXYYYYYYYYYYYYYYYY|"
		case "17":
			if now := d.asked.Add(1); now > d.most.Load() {
				d.most.Store(now)
			}
			<-d.release
			d.asked.Add(-1)
			b, _, _ := strings.Cut(m[strings.Index(m, "AB")+2:], "|")
			a = "1803010120261123    120000AB" + b + "|AJTitle|"
		}
		text := a + seq + "AZ"
		sum := 0
		for _, b := range []byte(text) {
			sum += int(b)
		}
		if _, err := fmt.Fprintf(c, "%s%04X\r", text, -sum&0xFFFF); err != nil {
			return
		}
	}
}

func (d *desk) upstream(connections int) *sip2.Upstream {
	u, err := sip2.NewUpstream(sip2.Config{Address: d.ln.Addr().String(), User: "kiosk1", Password: "x", Connections: connections})
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { u.Close() })
	return u
}

// look asks n questions at once.
func look(ctx context.Context, u *sip2.Upstream, n int) chan error {
	errs := make(chan error, n)
	for i := range n {
		go func() {
			b := kiosk.Barcode(fmt.Sprint("B", i))
			st, err := u.Look(ctx, b, "")
			if err == nil && !st.Known {
				err = fmt.Errorf("%s is unknown", b)
			}
			errs <- err
		}()
	}
	return errs
}

func all(t *testing.T, errs chan error) {
	t.Helper()
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// until waits for something that must come.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not come", what)
		}
	}
}

func (d *desk) let(n int) {
	for range n {
		d.release <- true
	}
}

// TestSideBySide: as many questions are under way as there are connections,
// never two on one, and the others wait their turn.
func TestSideBySide(t *testing.T) {
	d := newServer(t, 100, false)
	u := d.upstream(3)
	errs := look(t.Context(), u, 8)
	until(t, "the third question", func() bool { return d.asked.Load() == 3 })
	d.let(8)
	all(t, errs)
	if d.most.Load() != 3 || d.open.Load() != 3 || u.Lines() != 3 {
		t.Errorf("%d at once on %d connections; want 3 on 3", d.most.Load(), d.open.Load())
	}
	errs = look(t.Context(), u, 1)
	d.let(1)
	all(t, errs)
	if d.open.Load() != 3 {
		t.Errorf("%d connections; want the 3 kept", d.open.Load())
	}
}

// TestFullServer: a server that takes one connection, and says nothing to the
// others or closes them, is asked one question after the other; nobody waits
// for the connections that it does not take.
func TestFullServer(t *testing.T) {
	for _, deny := range []bool{false, true} {
		d := newServer(t, 1, deny)
		u := d.upstream(4)
		errs := look(t.Context(), u, 6)
		until(t, "a question", func() bool { return d.asked.Load() == 1 })
		d.let(6)
		all(t, errs)
		if d.most.Load() != 1 {
			t.Errorf("deny %v: %d questions at once; want 1", deny, d.most.Load())
		}
	}
}

// TestHungLine: a question that hangs holds up no other.
func TestHungLine(t *testing.T) {
	d := newServer(t, 100, false)
	u := d.upstream(2)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	hung := look(ctx, u, 1)
	until(t, "the question that hangs", func() bool { return d.asked.Load() == 1 })
	other := look(t.Context(), u, 1)
	until(t, "another question", func() bool { return d.asked.Load() == 2 })
	if err := <-hung; kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("the hung question ends with %v; want offline, for a look changes nothing", err)
	}
	d.let(2)
	all(t, other)
}

// TestReconnect: connections that end while idle cost nobody an answer.
func TestReconnect(t *testing.T) {
	d := newServer(t, 100, false)
	u := d.upstream(3)
	errs := look(t.Context(), u, 3)
	d.let(3)
	all(t, errs)
	d.cut()
	until(t, "the end of the connections", func() bool { return d.open.Load() == 0 })
	errs = look(t.Context(), u, 3)
	d.let(3)
	all(t, errs)
}

// TestClosed: nothing is asked after Close.
func TestClosed(t *testing.T) {
	d := newServer(t, 100, false)
	u := d.upstream(2)
	u.Close()
	_, err := u.Look(t.Context(), "B1", "")
	if kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("Look() after Close() = %v", err)
	}
	if err := u.Probe(t.Context()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("Probe() after Close() = %v", err)
	}
}
