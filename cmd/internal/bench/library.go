package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// heard is what a library was asked and did.
type heard struct {
	Asked []string // messages, but for logging in and probing
	Did   int
}

// library is one behind SIP2, which knows what offline makes.
type library struct {
	addr string
	end  func() (heard, error)
}

// library starts one: a process, where there is one.
func (o SyncOptions) library(ctx context.Context, entries int, late time.Duration) (library, error) {
	if o.Serve == nil {
		return newLibrary(offline(entries), late)
	}
	cmd := o.Serve(entries, late)
	in, err := cmd.StdinPipe()
	if err != nil {
		return library{}, err
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return library{}, err
	}
	if err := cmd.Start(); err != nil {
		return library{}, err
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	out := bufio.NewReader(pipe)
	line, err := out.ReadString('\n')
	l := library{addr: strings.TrimSpace(line), end: func() (h heard, err error) {
		defer stop()
		in.Close()
		err = json.NewDecoder(out).Decode(&h)
		return h, errors.Join(err, cmd.Wait())
	}}
	if err != nil {
		_, ended := l.end()
		return library{}, fmt.Errorf("the library's system has not begun: %w", errors.Join(err, ended))
	}
	return l, nil
}

// ServeLibrary is such a process: it writes its address to out as a line, and
// what it has heard once in ends.
func ServeLibrary(entries int, late time.Duration, in io.Reader, out io.Writer) error {
	l, err := newLibrary(offline(entries), late)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.addr)
	_, err = io.Copy(io.Discard, in)
	h, ended := l.end()
	return errors.Join(err, ended, json.NewEncoder(out).Encode(h))
}

func newLibrary(queue []kiosk.Entry, late time.Duration) (library, error) {
	ils := upstreamtest.New(upstreamtest.Rules{Days: 21})
	for _, e := range queue {
		ils.AddItems(kiosk.Item{Barcode: e.Item, Title: "The book of many titles"})
		ils.AddPatron(kiosk.Patron{Card: e.Patron, FamilyName: "Anybody"}, "")
		if e.Kind == kiosk.Checkin {
			if err := ils.AddLoan(kiosk.Loan{Item: e.Item, Patron: e.Patron, At: e.At.AddDate(0, 0, -7), Due: e.At.AddDate(0, 0, 14)}); err != nil {
				return library{}, err
			}
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return library{}, err
	}
	var mu sync.Mutex
	var asked []string
	record := func(in bool, text string) {
		if !in || strings.HasPrefix(text, "99") {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, text)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- sip2.Serve(ctx, lateListener{ln, late}, ils, sip2.ServerConfig{Open: true, Record: record})
	}()
	return library{addr: ln.Addr().String(), end: func() (heard, error) {
		stop()
		err := <-ended
		return heard{Asked: asked, Did: len(ils.History())}, err
	}}, nil
}

// lateListener gives connections that answer late.
type lateListener struct {
	net.Listener
	late time.Duration
}

func (l lateListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil || l.late == 0 {
		return c, err
	}
	return lateConn{c, l.late}, nil
}

type lateConn struct {
	net.Conn
	late time.Duration
}

func (c lateConn) Write(b []byte) (int, error) {
	time.Sleep(c.late)
	return c.Conn.Write(b)
}
