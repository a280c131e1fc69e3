package outbox_test

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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/outbox"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// The child process is told by its environment what it is.
const (
	envLedger = "CARREL_OUTBOX_LEDGER" // path of its ledger
	envILS    = "CARREL_OUTBOX_ILS"    // address of its ILS
)

func TestMain(m *testing.M) {
	if path := os.Getenv(envLedger); path != "" {
		if err := child(path, os.Getenv(envILS)); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	items = 60
	cards = 10
)

func item(i int) kiosk.Barcode { return kiosk.Barcode(fmt.Sprintf("ITEM%03d", i)) }
func card(i int) kiosk.Card    { return kiosk.Card(fmt.Sprintf("CARD%03d", i%cards)) }

// deeds is what happens to item i, one after the other.
func deeds(i int) []kiosk.Kind {
	return [][]kiosk.Kind{
		{kiosk.Checkout}, {kiosk.Checkout, kiosk.Checkin}, {kiosk.Checkout, kiosk.Renew},
		{kiosk.Checkout, kiosk.Renew, kiosk.Checkin},
	}[i%4]
}

func deedID(i, n int) kiosk.ID { return kiosk.ID(fmt.Sprintf("item-%03d-deed-%d", i, n)) }

// child is a kiosk process without a screen: ledger, worker, and a desk that
// makes one deed after the other, asking the ILS for some and deciding the
// others alone.
func child(path, addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Interrupted(ctx, time.Now()); err != nil {
		return err
	}
	up, err := openUpstream(addr)
	if err != nil {
		return err
	}
	w := outbox.New(s, up, outbox.Config{
		Deadline: answerTime, Grace: 2 * answerTime, Others: -1, Poll: 50 * time.Millisecond, Heartbeat: time.Second,
	})
	go w.Run(ctx)
	fmt.Println("ready")
	for ctx.Err() == nil {
		left := 0
		for i := range items {
			more, err := step(ctx, s, up, w, i)
			if err != nil {
				return err
			}
			if more {
				left++
			}
		}
		if left == 0 {
			fmt.Println("done")
			<-ctx.Done()
		}
		w.Wake()
		time.Sleep(20 * time.Millisecond) // the pace of this desk; nothing waits for it
	}
	return ctx.Err()
}

// step makes the next deed of an item unless one is still in the outbox. It
// tells whether there is more to come.
func step(ctx context.Context, s *sqlite.Store, up kiosk.Upstream, w *outbox.Worker, i int) (bool, error) {
	var before kiosk.Entry
	for n, kind := range deeds(i) {
		e, err := find(ctx, s, deedID(i, n))
		switch {
		case errors.Is(err, kiosk.ErrUnknown):
			return true, make1(ctx, s, up, w, i, n, kind, before)
		case err != nil:
			return false, err
		case e.State.Queued():
			return true, nil
		case e.State == kiosk.Dismissed:
			return false, nil // it never happened, so nothing comes after it
		}
		before = e
	}
	return false, nil
}

func find(ctx context.Context, s *sqlite.Store, id kiosk.ID) (kiosk.Entry, error) {
	for row, err := range s.Entries(ctx, sqlite.Filter{ID: id}) {
		return row.Entry, err
	}
	return kiosk.Entry{}, kiosk.ErrUnknown
}

// make1 is what a desk does with one deed: see house rules 5 and 6.
func make1(ctx context.Context, s *sqlite.Store, up kiosk.Upstream, w *outbox.Worker, i, n int, kind kiosk.Kind, before kiosk.Entry) error {
	now := time.Now()
	e := kiosk.Entry{ID: deedID(i, n), Session: "s", Kind: kind, Item: item(i), Patron: card(i), At: now, State: kiosk.Asked}
	promise := now.AddDate(0, 0, 21)
	if kind == kiosk.Renew {
		e.WasDue = before.Due
		promise = before.Due.AddDate(0, 0, 21)
	}
	if kind == kiosk.Checkin {
		promise = time.Time{}
	}
	if (i+n)%3 == 0 {
		e.State, e.Due = kiosk.Offline, promise
		defer w.Wake()
		return s.Record(ctx, e)
	}
	if err := s.Record(ctx, e); err != nil {
		return err
	}
	actx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	a, err := up.Tell(actx, e)
	o := kiosk.Outcome{Entry: e.ID, At: time.Now(), Due: promise}
	switch kiosk.CodeOf(err) {
	case "":
		o.State, o.Due = kiosk.Granted, a.Due
	case kiosk.CodeOffline:
		o.State = kiosk.Offline
		w.Lost()
	case kiosk.CodeUnsure:
		o.State = kiosk.Unsure
		w.Lost()
	default:
		return fmt.Errorf("%s of %s: %w", e.Kind, e.Item, err)
	}
	return s.Conclude(ctx, o)
}

// library is what the parent's ILS begins with.
func library() *upstreamtest.ILS {
	ils := upstreamtest.New(upstreamtest.Rules{})
	for i := range cards {
		ils.AddPatron(kiosk.Patron{Card: card(i), FamilyName: fmt.Sprint("Patron ", i)}, "")
	}
	for i := range items {
		ils.AddItems(kiosk.Item{Barcode: item(i), Title: fmt.Sprint("Title ", i)})
	}
	return ils
}

// process is a running child and what it says.
type process struct {
	cmd   *exec.Cmd
	lines chan string
}

func start(t *testing.T, path, addr string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envLedger+"="+path, envILS+"="+addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, lines: make(chan string, 16)}
	go p.read(out)
	t.Cleanup(func() { cmd.Process.Kill() })
	if got := p.says(t, 30*time.Second); got != "ready" {
		t.Fatalf("the child says %q; want ready", got)
	}
	return p
}

func (p *process) read(out io.Reader) {
	defer close(p.lines)
	for sc := bufio.NewScanner(out); sc.Scan(); {
		p.lines <- sc.Text()
	}
}

// says waits for the child's next line; "" is its end, or that d is over.
func (p *process) says(t *testing.T, d time.Duration) string {
	t.Helper()
	select {
	case s := <-p.lines:
		return s
	case <-time.After(d):
		return ""
	}
}

// kill ends the process with SIGKILL and waits for that.
func (p *process) kill() {
	p.cmd.Process.Kill()
	for range p.lines {
	}
	p.cmd.Wait()
}

// TestKilledProcess kills a kiosk with SIGKILL again and again while the line
// to its ILS loses, cuts, delays, repeats and spoils. In the end everything
// has happened exactly once, and ledger and ILS agree.
func TestKilledProcess(t *testing.T) {
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	ils := library()
	proxy, err := upstreamtest.Listen("127.0.0.1:0", serve(t, ils))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	path := filepath.Join(t.TempDir(), "ledger.db")
	var chance []upstreamtest.Fault
	for _, m := range upstreamtest.Mishaps {
		chance = append(chance, upstreamtest.Fault{Mishap: m, Delay: answerTime + answerTime/2})
	}
	for n := range rounds {
		proxy.Random(upstreamtest.Chance{Seed: r.Uint64(), Rate: 0.15, Faults: chance})
		if n%5 == 4 {
			proxy.Cut()
		}
		p := start(t, path, proxy.Addr())
		// Not a wait for something: the point of the kill is drawn by lot.
		said := p.says(t, time.Duration(r.IntN(500))*time.Millisecond)
		if strings.HasPrefix(said, "failed") {
			t.Fatal("child ", said)
		}
		p.kill()
		if err := proxy.Restore(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("on the line: %v; the ILS was told %d times", proxy.Counts(), len(ils.History()))
	proxy.Clear()
	p := start(t, path, proxy.Addr())
	if got := p.says(t, 90*time.Second); got != "done" {
		t.Errorf("the last child says %q; want done", got)
	}
	p.kill()
	compare(t, path, ils)
}

// compare holds the ledger against the ILS, entry by entry and loan by loan.
func compare(t *testing.T, path string, ils *upstreamtest.ILS) {
	t.Helper()
	ctx := t.Context()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if wrong, err := s.Check(ctx); err != nil || len(wrong) > 0 {
		t.Errorf("Check() = %v, %v; want nothing wrong", wrong, err)
	}
	if q, err := s.Queue(ctx, 1000); err != nil || len(q) > 0 {
		t.Errorf("Queue() = %v, %v; want nothing left", q, err)
	}
	var want []string
	counts := map[kiosk.State]int{}
	for row, err := range s.Entries(ctx, sqlite.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		counts[row.State]++
		switch row.State {
		case kiosk.Granted, kiosk.Settled, kiosk.Differs: // a question whose answer is lost has a due date of the ILS's, and not the promised one
			want = append(want, effect(row.Kind, row.Item, row.Patron))
		case kiosk.Dismissed:
		default:
			t.Errorf("%s of %s is %s (%s, %q)", row.Kind, row.Item, row.State, row.Reason, row.Text)
		}
	}
	t.Logf("entries by state: %v", counts)
	var got []string
	for _, f := range ils.History() {
		if f.Did != upstreamtest.DidRefuse {
			kind := map[upstreamtest.Did]kiosk.Kind{upstreamtest.DidCheckout: kiosk.Checkout,
				upstreamtest.DidRenewal: kiosk.Renew, upstreamtest.DidCheckin: kiosk.Checkin}[f.Did]
			got = append(got, effect(kind, f.Item, f.Patron))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the ILS did\n%s\nthe ledger has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i := range items {
		_, st, holder, err := ils.Item(item(i))
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Loan(ctx, item(i))
		if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
			t.Fatal(err)
		}
		if l.Patron != holder || !l.Due.Truncate(time.Minute).Equal(st.Due.Truncate(time.Minute)) {
			t.Errorf("%s: the ledger has it with %q until %v, the ILS with %q until %v", item(i), l.Patron, l.Due, holder, st.Due)
		}
	}
}

func effect(k kiosk.Kind, b kiosk.Barcode, c kiosk.Card) string {
	return fmt.Sprintf("%s %s %s", b, k, c)
}
