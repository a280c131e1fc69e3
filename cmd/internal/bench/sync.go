package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/outbox"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// SyncOptions say how much to measure.
type SyncOptions struct {
	Dir     string          // where ledgers go, on the disk to be measured
	Entries int             // made offline, half loans and half returns, for a server that answers at once
	Late    []time.Duration // servers that take so long for each answer; they get a tenth of the entries for each 10 ms, but enough to fill the lines
	Log     io.Writer       // progress; nil means none
}

const (
	enough    = 400             // entries, for the beginning and the end of a drain not to count much
	perCard   = 5               // loans and returns of one patron, which follow each other
	drainTime = 5 * time.Minute // longest wait for an outbox to empty
)

// Sync measures how long the outbox worker takes to settle what a kiosk has
// recorded offline, by SIP2 over TCP, beside a bare loop that writes the very
// same messages on as many connections to the same server, and does nothing
// else: it reads no answer but to its end, decides nothing, and stores nothing.
func Sync(ctx context.Context, o SyncOptions) ([]Figure, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	var all []Figure
	for _, late := range append([]time.Duration{0}, o.Late...) {
		n := o.Entries
		if late > 0 {
			n = max(min(n, enough), n/int(10*max(late/(10*time.Millisecond), 1)))
		}
		for _, lines := range []int{1, 4} {
			f, err := drained(ctx, o, n, lines, late)
			if err != nil {
				return all, err
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// drained measures one server.
func drained(ctx context.Context, o SyncOptions, entries, lines int, late time.Duration) (Figure, error) {
	dir, err := os.MkdirTemp(o.Dir, "carrel-bench")
	if err != nil {
		return Figure{}, err
	}
	defer os.RemoveAll(dir)
	s, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"))
	if err != nil {
		return Figure{}, err
	}
	defer s.Close()
	queue := offline(entries)
	for _, e := range queue {
		if err := s.Record(ctx, e); err != nil {
			return Figure{}, err
		}
	}
	ours, err := newSyncILS(queue, late)
	if err != nil {
		return Figure{}, err
	}
	used, took, err := drain(ctx, s, ours, lines)
	ours.close()
	if err != nil {
		return Figure{}, err
	}
	if err := settled(ctx, s, ours.ils, entries); err != nil {
		return Figure{}, err
	}
	fmt.Fprintf(o.Log, "%d entries, answers after %v, %d connections: %.2f s, %d questions\n", entries, late, used, took.Seconds(), len(ours.asked))
	again, err := newSyncILS(queue, late)
	if err != nil {
		return Figure{}, err
	}
	defer again.close()
	bare, err := loop(again.addr, ours.asked, used)
	return Figure{Name: fmt.Sprintf("%d offline entries drained, answers after %v, %d of %d lines", entries, late, used, lines),
		Value: took.Seconds(), Unit: "s", Limit: bare.Seconds(), Aim: 1 / 0.9}, err
}

// offline makes what a kiosk has recorded in an outage: each patron borrows
// some items, and brings some others back.
func offline(n int) []kiosk.Entry {
	at := time.Now().Add(-5 * time.Hour)
	var list []kiosk.Entry
	for i := range n {
		e := kiosk.Entry{ID: kiosk.ID(fmt.Sprintf("e%08d", i)), Kind: kiosk.Checkout, Item: barcode(i), Patron: syncCard(i),
			At: at.Add(time.Duration(i) * time.Second), State: kiosk.Offline}
		if e.Due = at.AddDate(0, 0, 21); i%2 == 1 {
			e.Kind, e.Due = kiosk.Checkin, time.Time{}
		}
		list = append(list, e)
	}
	return list
}

func syncCard(i int) kiosk.Card { return kiosk.Card(fmt.Sprintf("2%013d", i/(2*perCard))) }

// syncILS is a library behind SIP2.
type syncILS struct {
	ils   *upstreamtest.ILS
	addr  string
	stop  context.CancelFunc
	ended chan error
	mu    sync.Mutex
	asked []string // messages to the ILS, but for logging in and probing
}

func newSyncILS(queue []kiosk.Entry, late time.Duration) (*syncILS, error) {
	u := &syncILS{ils: upstreamtest.New(upstreamtest.Rules{Days: 21}), ended: make(chan error, 1)}
	for _, e := range queue {
		u.ils.AddItems(kiosk.Item{Barcode: e.Item, Title: "The book of many titles"})
		u.ils.AddPatron(kiosk.Patron{Card: e.Patron, FamilyName: "Anybody"}, "")
		if e.Kind == kiosk.Checkin {
			if err := u.ils.AddLoan(kiosk.Loan{Item: e.Item, Patron: e.Patron, At: e.At.AddDate(0, 0, -7), Due: e.At.AddDate(0, 0, 14)}); err != nil {
				return nil, err
			}
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u.addr = ln.Addr().String()
	var ctx context.Context
	ctx, u.stop = context.WithCancel(context.Background())
	go func() {
		u.ended <- sip2.Serve(ctx, lateListener{ln, late}, u.ils, sip2.ServerConfig{Open: true, Record: u.record})
	}()
	return u, nil
}

func (u *syncILS) record(in bool, text string) {
	if !in || len(text) < 2 || text[:2] == "99" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked = append(u.asked, text)
}

func (u *syncILS) close() { u.stop(); <-u.ended }

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

// drain has a worker empty the outbox, and tells over how many lines.
func drain(ctx context.Context, s *sqlite.Store, ils *syncILS, lines int) (used int, took time.Duration, err error) {
	up, err := sip2.NewUpstream(sip2.Config{Address: ils.addr, Connections: lines, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, 0, err
	}
	defer up.Close()
	if err := up.Probe(ctx); err != nil { // both sides begin connected
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	w := outbox.New(s, up, outbox.Config{Others: -1})
	begun := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for {
		q, err := s.Queue(ctx, 1)
		if err != nil || len(q) == 0 {
			took = time.Since(begun)
			cancel()
			<-ended
			return w.Lines(), took, err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// settled makes sure that the drain was one.
func settled(ctx context.Context, s *sqlite.Store, ils *upstreamtest.ILS, entries int) error {
	n := 0
	for row, err := range s.Entries(ctx, sqlite.Filter{}) {
		if err != nil {
			return err
		}
		if row.State != kiosk.Settled {
			return fmt.Errorf("%s of %s is %s: %s", row.Kind, row.Item, row.State, row.Text)
		}
		n++
	}
	if did := len(ils.History()); n != entries || did != entries {
		return fmt.Errorf("%d entries settled, and the ILS did %d things; want %d", n, did, entries)
	}
	return nil
}

// loop writes messages as they are, on so many connections, each when the one
// before it on that connection is answered.
func loop(addr string, messages []string, lines int) (time.Duration, error) {
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range lines {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return 0, err
		}
		conns = append(conns, c)
	}
	begun := time.Now()
	var next atomic.Int64
	var g errgroup.Group
	for _, c := range conns {
		g.Go(func() error {
			in := bufio.NewReader(c)
			for n := next.Add(1) - 1; int(n) < len(messages); n = next.Add(1) - 1 {
				if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
					return err
				}
				if _, err := io.WriteString(c, messages[n]+"\r"); err != nil {
					return err
				}
				if a, err := in.ReadSlice('\r'); err != nil || len(a) < 10 {
					return errors.Join(fmt.Errorf("answer %q to %q", a, messages[n]), err)
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return time.Since(begun), err
}
