package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// child starts this binary as the named child on path. It is killed after
// five minutes, so that no test waits for ever.
func child(t *testing.T, name, path string, env ...string) (*exec.Cmd, io.ReadCloser, *strings.Builder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	exe, err := os.Executable()
	must(t, err)
	c := exec.CommandContext(ctx, exe)
	c.Env = append(os.Environ(), append(env, "CARREL_CHILD="+name, "CARREL_PATH="+path)...)
	errs := &strings.Builder{}
	c.Stderr = errs
	_, err = c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	return c, out, errs
}

// lanes is how many goroutines of the child write at once, each its own items.
const lanes = 3

// recordUntilKilled lends and takes back, and prints each state once the
// ledger has it: "id state".
func recordUntilKilled(path string) error {
	s, err := Open(context.Background(), path)
	if err != nil {
		return err
	}
	from, err := strconv.Atoi(os.Getenv("CARREL_FROM"))
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs [lanes]error
	ack := func(id kiosk.ID, st kiosk.State) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(id, st)
	}
	for lane := range lanes {
		wg.Go(func() {
			for n := from + lane; errs[lane] == nil; n += lanes {
				errs[lane] = oneLoan(s, n, ack)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

// after are the states that entries of the crash test go through.
var after = [][]kiosk.State{
	{kiosk.Granted}, {kiosk.Offline, kiosk.Settled}, {kiosk.Unsure, kiosk.Exception, kiosk.Dismissed}, {},
}

func oneLoan(s *Store, n int, ack func(kiosk.ID, kiosk.State)) error {
	e := kiosktest.Checkout(n, n%50, n%7)
	if n%4 == 3 {
		e = kiosktest.Checkin(n, n%50)
	}
	if err := s.Record(context.Background(), e); err != nil {
		return err
	}
	ack(e.ID, e.State)
	for _, to := range after[n%len(after)] {
		if err := s.Conclude(context.Background(), kiosktest.After(e, to)); err != nil {
			return err
		}
		ack(e.ID, to)
	}
	return nil
}

// TestKilled kills a process that writes, again and again, and finds all that
// it had been told was stored.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	acked := map[kiosk.ID]kiosk.State{}
	for round := range 8 {
		c, out, errs := child(t, "record", path, fmt.Sprintf("CARREL_FROM=%d", round*1_000_000))
		lines := bufio.NewScanner(out)
		kill := 1 + rand.IntN(200)
		for n := 0; lines.Scan(); n++ {
			id, state, _ := strings.Cut(lines.Text(), " ")
			acked[kiosk.ID(id)] = kiosk.State(state)
			if n == kill {
				must(t, c.Process.Kill())
			}
		}
		if err := c.Wait(); err == nil || errs.Len() > 0 {
			t.Fatalf("the child ended by itself: %v %s", err, errs)
		}
		verify(t, path, acked)
		if round%2 == 1 { // the next one writes into a log that is long beforehand
			s := opened(t, path)
			must(t, s.Tidy(t.Context()))
			must(t, s.Close())
		}
	}
}

// rank orders the states of one path: a state may have been stored and its
// word not got through.
func rank(s kiosk.State) int {
	if s == kiosk.Asked {
		return 0
	}
	for _, path := range after {
		for i, st := range path {
			if st == s {
				return i + 1
			}
		}
	}
	return -1
}

func verify(t *testing.T, path string, acked map[kiosk.ID]kiosk.State) {
	t.Helper()
	s := opened(t, path)
	defer s.Close()
	sound(t, s)
	waiting := map[kiosk.ID]bool{}
	queue, err := s.Queue(t.Context(), 1_000_000)
	must(t, err)
	for _, q := range queue {
		waiting[q.ID] = true
	}
	found := map[kiosk.ID]kiosk.State{}
	for row, err := range s.Entries(t.Context(), Filter{}) {
		must(t, err)
		found[row.ID] = row.State
		if waiting[row.ID] != row.State.Queued() {
			t.Errorf("%s is %s; in the outbox: %v", row.ID, row.State, waiting[row.ID])
		}
	}
	for id, want := range acked {
		if got, ok := found[id]; !ok || rank(got) < rank(want) {
			t.Errorf("%s was stored as %s; found %q", id, want, got)
		}
	}
	if extra := len(found) - len(acked); extra < 0 {
		t.Errorf("%d entries; %d were stored", len(found), len(acked))
	}
}

// holdOpen keeps a ledger open until the process is killed.
func holdOpen(path string) error {
	if _, err := Open(context.Background(), path); err != nil {
		return err
	}
	fmt.Println("open")
	_, err := io.Copy(io.Discard, os.Stdin) // a pipe that the test holds
	return err
}

// TestOneWriter: a second process may read, not write; when the first dies
// the ledger is free.
func TestOneWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	c, out, errs := child(t, "hold", path)
	if !bufio.NewScanner(out).Scan() {
		t.Fatalf("the child did not open the ledger: %s", errs)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrInUse) {
		t.Errorf("Open beside another process: %v; want ErrInUse", err)
	}
	r, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatalf("OpenReadOnly beside another process: %v", err)
	}
	must(t, r.Close())
	must(t, c.Process.Kill())
	c.Wait()
	s := opened(t, path)
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrInUse) {
		t.Errorf("Open twice in one process: %v; want ErrInUse", err)
	}
	must(t, s.Close())
	must(t, opened(t, path).Close())
}
