package outbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// life ends a process at one of its calls to the world, right before it takes
// effect or right after. From then on nothing of it takes effect.
type life struct {
	mu    sync.Mutex
	left  int  // calls
	after bool // the last one takes effect
	dead  chan struct{}
}

func (l *life) call(ctx context.Context, op func()) error {
	if l.lives(op) {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (l *life) lives(op func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 {
		return false
	}
	l.left--
	if l.left > 0 || l.after {
		op()
	}
	if l.left == 0 {
		close(l.dead)
	}
	return l.left > 0
}

// mortalBox and mortalLine are what a process with a life sees of the world.
type mortalBox struct {
	kiosk.Outbox
	*life
}

func (m mortalBox) Conclude(ctx context.Context, o kiosk.Outcome) (err error) {
	if end := m.call(ctx, func() { err = m.Outbox.Conclude(ctx, o) }); end != nil {
		return end
	}
	return err
}

func (m mortalBox) Postpone(ctx context.Context, id kiosk.ID, at time.Time) (err error) {
	if end := m.call(ctx, func() { err = m.Outbox.Postpone(ctx, id, at) }); end != nil {
		return end
	}
	return err
}

type mortalLine struct {
	kiosk.Upstream
	*life
}

func (m mortalLine) Tell(ctx context.Context, e kiosk.Entry) (a kiosk.Answer, err error) {
	if end := m.call(ctx, func() { a, err = m.Upstream.Tell(ctx, e) }); end != nil {
		return a, end
	}
	return a, err
}

func (m mortalLine) Look(ctx context.Context, b kiosk.Barcode, c kiosk.Card) (st kiosk.Standing, err error) {
	if end := m.call(ctx, func() { st, err = m.Upstream.Look(ctx, b, c) }); end != nil {
		return st, end
	}
	return st, err
}

// runUntilDead runs a worker that dies after so many calls, if the work takes
// as many; it tells whether it did. An hour is enough for any work.
func (b *bench) runUntilDead(calls int, after bool) bool {
	l := &life{left: calls, after: after, dead: make(chan struct{})}
	w := New(mortalBox{b.box, l}, mortalLine{b.line, l}, Config{})
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	for {
		select {
		case <-l.dead:
			return true
		case <-ctx.Done():
			return false
		case <-time.After(10 * time.Second):
			if q, err := b.box.Queue(ctx, 1); err == nil && len(q) == 0 {
				return false
			}
		}
	}
}

// work is something of each kind, and the effects it must have.
func (b *bench) work() (ids []kiosk.ID, effects []string) {
	for i := range 4 {
		item, card := kiosk.Barcode(fmt.Sprint("X", i)), kiosk.Card("C1")
		if i%2 == 1 {
			card = "C2"
		}
		b.line.ils.AddItems(kiosk.Item{Barcode: item})
		ids = append(ids, b.put(kiosk.Offline, kiosk.Checkout, item, card))
		effects = append(effects, fmt.Sprint("checkout ", item))
	}
	was := b.due("B4")
	ids = append(ids, b.put(kiosk.Offline, kiosk.Checkin, "X0", "C1"), b.put(kiosk.Offline, kiosk.Checkin, "B8", ""))
	effects = append(effects, "checkin X0", "checkin B8")
	b.n++
	renew := kiosk.Entry{ID: kiosk.ID(fmt.Sprint("renew", b.n)), Kind: kiosk.Renew, Item: "B4", Patron: "C2",
		At: time.Now(), Due: was.AddDate(0, 0, 10), WasDue: was, State: kiosk.Offline}
	if err := b.box.Record(b.Context(), renew); err != nil {
		b.Fatal(err)
	}
	return append(ids, renew.ID), append(effects, "renewal B4")
}

func (b *bench) due(item kiosk.Barcode) time.Time {
	_, st, _, err := b.line.ils.Item(item)
	if err != nil {
		b.Fatal(err)
	}
	return st.Due
}

// once asserts that everything took effect once and nothing else did.
func (b *bench) once(ids []kiosk.ID, effects []string) {
	b.Helper()
	var did []string
	for _, f := range b.line.ils.History() {
		if f.Did != upstreamtest.DidRefuse {
			did = append(did, fmt.Sprintf("%s %s", f.Did, f.Item))
		}
	}
	slices.Sort(did)
	effects = slices.Sorted(slices.Values(effects))
	if !slices.Equal(did, effects) {
		b.Errorf("the ILS did %v; want each once of %v", did, effects)
	}
	for _, id := range ids {
		b.is(id, kiosk.Settled)
	}
}

// TestDiesAnywhere ends the process before and after each of its calls, once
// with a good line, and once where every second answer is lost.
func TestDiesAnywhere(t *testing.T) {
	for _, lossy := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			died := true
			for calls := 1; died && !t.Failed(); calls++ {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t)
					ids, effects := b.work()
					n := 0
					b.line.meet = func(what string, _ kiosk.Barcode) fate {
						if n++; lossy && what == "tell" && n%2 == 0 {
							return mute
						}
						return ""
					}
					died = b.runUntilDead(calls, after)
					b.runUntilDead(1<<30, false)
					b.once(ids, effects)
					if t.Failed() {
						t.Logf("died after call %d (in effect: %v, lossy: %v)", calls, after, lossy)
					}
				})
				if calls == 1 && !died {
					t.Error("the first process was not ended: nothing is tested")
				}
			}
		}
	}
}

// TestDiesAgainAndAgain: many lives, a bad line, random ends.
func TestDiesAgainAndAgain(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			r := rand.New(rand.NewPCG(seed, 0))
			ids, effects := b.work()
			fates := []fate{reset, dropped, mute, mute, bug}
			b.line.meet = func(what string, _ kiosk.Barcode) fate {
				if r.IntN(3) > 0 {
					return ""
				}
				f := fates[r.IntN(len(fates))]
				if what == "probe" && f == mute {
					return ""
				}
				return f
			}
			for range 12 {
				b.runUntilDead(1+r.IntN(12), r.IntN(2) == 0)
			}
			b.line.heal()
			b.runUntilDead(1<<30, false)
			b.once(ids, effects)
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
