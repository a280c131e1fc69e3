// What stands between child and ILS in TestKilledProcess: questions and
// answers as JSON over TCP, each closed with CR.

package outbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

const answerTime = 300 * time.Millisecond

type req struct {
	N    int
	What string
	E    kiosk.Entry
}
type resp struct {
	N   int
	A   kiosk.Answer
	S   kiosk.Standing
	Err *kiosk.Error
}

func serve(t *testing.T, ils *upstreamtest.ILS) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
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
					m, err := r.ReadBytes('\r')
					if err != nil {
						return
					}
					var q req
					if json.Unmarshal(m, &q) != nil {
						return
					}
					a := resp{N: q.N}
					switch q.What {
					case "tell":
						var err error
						a.A, err = ils.Do(q.E, q.E.State != kiosk.Asked)
						a.Err, _ = errors.AsType[*kiosk.Error](err)
					case "look":
						_, st, h, err := ils.Item(q.E.Item)
						if err == nil {
							st.Mine = kiosk.No
							if h == q.E.Patron {
								st.Mine = kiosk.Yes
							}
							a.S = st
						}
					}
					b, _ := json.Marshal(a)
					c.Write(append(b, '\r'))
				}
			}()
		}
	}()
	return ln.Addr().String()
}

type interim struct {
	addr string
	mu   sync.Mutex
	c    net.Conn
	r    *bufio.Reader
	n    int
}

func openUpstream(addr string) (kiosk.Upstream, error) { return &interim{addr: addr}, nil }

func (u *interim) do(ctx context.Context, what string, e kiosk.Entry) (resp, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.c == nil {
		c, err := net.DialTimeout("tcp", u.addr, time.Second)
		if err != nil {
			return resp{}, &kiosk.Error{Code: kiosk.CodeOffline, Err: err}
		}
		u.c, u.r = c, bufio.NewReader(c)
	}
	u.n++
	dl, _ := ctx.Deadline()
	u.c.SetDeadline(dl)
	b, _ := json.Marshal(req{u.n, what, e})
	_, err := u.c.Write(append(b, '\r'))
	for err == nil {
		var m []byte
		if m, err = u.r.ReadBytes('\r'); err != nil {
			break
		}
		var a resp
		if err = json.Unmarshal(m, &a); err != nil {
			break
		}
		if a.N != u.n {
			continue
		}
		if a.Err != nil {
			return a, a.Err
		}
		return a, nil
	}
	u.c.Close()
	u.c = nil
	return resp{}, &kiosk.Error{Code: kiosk.CodeUnsure, Err: err}
}

func (u *interim) Identify(context.Context, kiosk.Card, string) (kiosk.Patron, error) {
	panic("unused")
}
func (u *interim) Tell(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
	a, err := u.do(ctx, "tell", e)
	return a.A, err
}
func (u *interim) Look(ctx context.Context, b kiosk.Barcode, c kiosk.Card) (kiosk.Standing, error) {
	a, err := u.do(ctx, "look", kiosk.Entry{Item: b, Patron: c})
	return a.S, err
}
func (u *interim) Probe(ctx context.Context) error {
	_, err := u.do(ctx, "probe", kiosk.Entry{})
	return err
}
