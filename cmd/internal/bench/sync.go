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
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/outbox"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// SyncOptions say how much to measure.
type SyncOptions struct {
	Dir     string          // where ledgers go, on the disk to be measured
	Entries int             // made offline, half loans and half returns, for a server that answers at once
	Late    []time.Duration // servers that take so long for each answer; they get a tenth of the entries for each 10 ms, but enough to fill the lines
	Log     io.Writer       // progress; nil means none

	// Serve runs ServeLibrary as a process of its own, as every library's system
	// is one; nil has it in this one.
	Serve func(entries int, late time.Duration) *exec.Cmd
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
	if err := s.RecordAll(ctx, offline(entries)); err != nil {
		return Figure{}, err
	}
	ours, err := o.library(ctx, entries, late)
	if err != nil {
		return Figure{}, err
	}
	used, took, err := drain(ctx, s, ours.addr, lines)
	heard, ended := ours.end()
	if err := errors.Join(err, ended); err != nil {
		return Figure{}, err
	}
	if err := settled(ctx, s, heard, entries); err != nil {
		return Figure{}, err
	}
	fmt.Fprintf(o.Log, "%d entries, answers after %v, %d connections: %.2f s, %d questions\n", entries, late, used, took.Seconds(), len(heard.Asked))
	again, err := o.library(ctx, entries, late)
	if err != nil {
		return Figure{}, err
	}
	bare, err := loop(again.addr, heard.Asked, used)
	_, ended = again.end()
	return Figure{Name: fmt.Sprintf("%d offline entries drained, answers after %v, %d of %d lines", entries, late, used, lines),
		Value: took.Seconds(), Unit: "s", Limit: bare.Seconds(), Aim: 1 / 0.9}, errors.Join(err, ended)
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

// drain has a worker empty the outbox, and tells over how many lines.
func drain(ctx context.Context, s *sqlite.Store, addr string, lines int) (used int, took time.Duration, err error) {
	up, err := sip2.NewUpstream(sip2.Config{Address: addr, Connections: lines, Log: slog.New(slog.DiscardHandler)})
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
func settled(ctx context.Context, s *sqlite.Store, by heard, entries int) error {
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
	if n != entries || by.Did != entries {
		return fmt.Errorf("%d entries settled, and the ILS did %d things; want %d", n, by.Did, entries)
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
