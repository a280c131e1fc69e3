package upstreamtest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// echo answers every message with "re:" and the message, and counts them.
func echo(t testing.TB) (addr string, heard *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	heard = new(atomic.Int64)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					m, err := r.ReadString('\r')
					if err != nil {
						return
					}
					heard.Add(1)
					io.WriteString(c, "re:"+m)
				}
			}()
		}
	}()
	return ln.Addr().String(), heard
}

type client struct {
	*testing.T
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, p *Proxy) *client {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &client{t, c, bufio.NewReader(c)}
}

func (c *client) say(m string) {
	c.Helper()
	if _, err := io.WriteString(c, m+"\r"); err != nil {
		c.Fatal(err)
	}
}

func (c *client) hear(want string) {
	c.Helper()
	got, err := c.r.ReadString('\r')
	if got = strings.TrimSuffix(got, "\r"); err != nil || got != want {
		c.Fatalf("heard %q, %v; want %q", got, err, want)
	}
}

// end asserts that the line is cut after what is left, and gives that.
func (c *client) end() string {
	c.Helper()
	b, err := io.ReadAll(c.r)
	if errors.Is(err, io.ErrUnexpectedEOF) || isTimeout(err) {
		c.Fatalf("the line is not cut: %q, %v", b, err)
	}
	return string(b)
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func proxy(t *testing.T) (*Proxy, *atomic.Int64) {
	t.Helper()
	addr, heard := echo(t)
	p, err := Listen("127.0.0.1:0", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, heard
}

func TestProxyPasses(t *testing.T) {
	p, _ := proxy(t)
	c := dial(t, p)
	c.say("a")
	c.say("b")
	c.hear("re:a")
	c.hear("re:b")
	if n := p.Counts()[None]; n != 2 {
		t.Errorf("Counts()[None] = %d; want 2", n)
	}
}

func TestProxyMishaps(t *testing.T) {
	for _, tt := range []struct {
		m     Mishap
		reach int64 // questions the server saw, of "11x" and "b"
		want  []string
		cut   string // what is left when the line is cut; "-" means it is not
	}{
		{DropRequest, 1, []string{"re:b"}, "-"},
		{CutRequest, 0, nil, ""},
		{DropAnswer, 2, []string{"re:b"}, "-"},
		{CutAnswer, 1, nil, ""},
		{CloseMidAnswer, 1, nil, "re:"},
		{TruncateAnswer, 2, []string{"re:", "re:b"}, "-"},
		{DuplicateAnswer, 2, []string{"re:11x", "re:11x", "re:b"}, "-"},
		{Garbage, 2, []string{"\x00\xff<html>502|||AY\x07 Bad Gateway", "re:b"}, "-"},
		{DelayAnswer, 2, []string{"re:11x", "re:b"}, "-"},
	} {
		t.Run(string(tt.m), func(t *testing.T) {
			p, heard := proxy(t)
			p.Once(Fault{Mishap: tt.m, Match: "11", Delay: time.Millisecond})
			c := dial(t, p)
			c.say("a")
			c.hear("re:a")
			heard.Store(0)
			c.say("11x")
			if tt.cut == "-" {
				c.say("b")
				for _, w := range tt.want {
					c.hear(w)
				}
				c.say("11x") // only once
				c.hear("re:11x")
				heard.Add(-1)
			} else if got := c.end(); got != tt.cut {
				t.Errorf("before the line was cut came %q; want %q", got, tt.cut)
			}
			if n := heard.Load(); n != tt.reach {
				t.Errorf("the server saw %d questions; want %d", n, tt.reach)
			}
			if n := p.Counts()[tt.m]; n != 1 {
				t.Errorf("Counts()[%s] = %d; want 1", tt.m, n)
			}
		})
	}
}

func TestProxyCut(t *testing.T) {
	p, _ := proxy(t)
	c := dial(t, p)
	c.say("a")
	c.hear("re:a")
	p.Cut()
	c.end()
	if c, err := net.Dial("tcp", p.Addr()); err == nil {
		c.Close()
		t.Fatal("a cut proxy takes connections")
	}
	if err := p.Restore(); err != nil {
		t.Fatal(err)
	}
	c = dial(t, p)
	c.say("b")
	c.hear("re:b")
}

func TestProxyRandomIsRepeatable(t *testing.T) {
	draw := func() (out []Mishap) {
		var pl plan
		pl.draw(Chance{Seed: 7, Rate: 0.5})
		for range 200 {
			out = append(out, pl.next([]byte("11")).Mishap)
		}
		return out
	}
	a, b := draw(), draw()
	seen := map[Mishap]int{}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("question %d meets %q, then %q", i, a[i], b[i])
		}
		seen[a[i]]++
	}
	if len(seen) != len(Mishaps)+1 || seen[None] < 60 || seen[None] > 140 {
		t.Errorf("200 questions at a rate of a half meet %v", seen)
	}
}

// FuzzProxy: whatever bytes come, an unharmed line passes whole messages on
// as they are.
func FuzzProxy(f *testing.F) {
	addr, _ := echo(f)
	p, err := Listen("127.0.0.1:0", addr)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.Close)
	f.Add([]byte("9900302.00\r\n17\r"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<12 {
			return
		}
		s := strings.ReplaceAll(string(b), "\r", "")
		c := dial(t, p)
		c.say(s)
		c.hear("re:" + s)
	})
}
