package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// line is the way to an ILS in the same process, and what can happen on it.
type line struct {
	kiosktest.Upstream
	ils *upstreamtest.ILS

	mu    sync.Mutex
	cut   bool
	asked []string                                // "tell ITEM", "look ITEM", "probe"
	meet  func(what string, b kiosk.Barcode) fate // nil is none

	undoes bool // it takes loans back
}

// fate is what befalls one question.
type fate string

const (
	reset   fate = "reset"   // it did not arrive: offline
	dropped fate = "dropped" // it did not arrive, but who knows: unsure
	mute    fate = "mute"    // it took effect, the answer is lost: unsure
	strange fate = "strange" // something else answers
	bug     fate = "bug"     // internal
)

func newLine(ils *upstreamtest.ILS) *line {
	l := &line{ils: ils}
	l.OnTell = func(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
		f, err := l.ask("tell", e.Item)
		if err != nil {
			return kiosk.Answer{}, err
		}
		a, err := ils.Do(e, e.State == kiosk.Offline || e.State == kiosk.Unsure)
		if f == mute {
			return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeUnsure}
		}
		return a, err
	}
	l.OnLook = func(ctx context.Context, b kiosk.Barcode, c kiosk.Card) (kiosk.Standing, error) {
		f, err := l.ask("look", b)
		if f == mute {
			err = &kiosk.Error{Code: kiosk.CodeUnsure}
		}
		if err != nil {
			return kiosk.Standing{}, err
		}
		_, st, holder, err := ils.Item(b)
		if errors.Is(err, kiosk.ErrUnknown) {
			return kiosk.Standing{}, nil
		}
		switch {
		case c == "":
		case c == holder:
			st.Mine = kiosk.Yes
		default:
			st.Mine = kiosk.No
		}
		return st, err
	}
	l.OnProbe = func(context.Context) error {
		_, err := l.ask("probe", "")
		return err
	}
	return l
}

func (l *line) ask(what string, b kiosk.Barcode) (f fate, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b != "" {
		l.asked = append(l.asked, what+" "+string(b))
	} else {
		l.asked = append(l.asked, what)
	}
	if l.meet != nil {
		f = l.meet(what, b)
	}
	switch {
	case l.cut || f == reset:
		err = &kiosk.Error{Code: kiosk.CodeOffline}
	case f == dropped:
		err = &kiosk.Error{Code: kiosk.CodeUnsure}
	case f == bug:
		err = errors.New("a bug")
	case f == strange:
		err = &kiosk.Error{Code: kiosk.CodeInvalid, Text: "<html>Koha is being updated"}
	}
	return f, err
}

// take gives what was asked since the last take, without probes.
func (l *line) take() (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.asked {
		if s != "probe" {
			out = append(out, s)
		}
	}
	l.asked = nil
	return out
}

// heal ends every fate.
func (l *line) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.meet = nil
}

func (l *line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
}

// bench is a worker in a bubble, with a ledger and a library.
type bench struct {
	*testing.T
	box  *kiosktest.Memory
	line *line
	w    *Worker
	up   []bool // what Link was told
	stop func()
	n    int
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, box: &kiosktest.Memory{}, line: newLine(upstreamtest.Sample(time.Now()))}
	return b
}

// run starts the worker, as a process that begins. There is no other kiosk.
func (b *bench) run() { b.runWith(Config{Others: -1}) }

func (b *bench) runWith(c Config) {
	c.Link = func(up bool) { b.up = append(b.up, up) }
	b.w = New(b.box, b.line, c)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- b.w.Run(ctx) }()
	b.stop = func() {
		b.Helper()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			b.Errorf("Run() = %v; want context.Canceled", err)
		}
	}
}

// after lets so much time go by.
func (b *bench) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) put(s kiosk.State, k kiosk.Kind, item kiosk.Barcode, card kiosk.Card) kiosk.ID {
	b.Helper()
	b.n++
	e := kiosk.Entry{ID: kiosktest.ID(b.n), Kind: k, Item: item, Patron: card, At: time.Now(), State: s}
	if k != kiosk.Checkin && s != kiosk.Asked {
		e.Due = time.Now().AddDate(0, 0, 21)
	}
	if err := b.box.Record(b.Context(), e); err != nil {
		b.Fatal(err)
	}
	if b.w != nil {
		b.w.Wake()
	}
	return e.ID
}

func (b *bench) entry(id kiosk.ID) kiosk.Entry {
	b.Helper()
	i := slices.IndexFunc(b.box.Entries(), func(e kiosk.Entry) bool { return e.ID == id })
	if i < 0 {
		b.Fatalf("no entry %s", id)
	}
	return b.box.Entries()[i]
}

func (b *bench) is(id kiosk.ID, want kiosk.State) {
	b.Helper()
	if e := b.entry(id); e.State != want {
		b.Errorf("%s of %s is %s (%q); want %s", e.Kind, e.Item, e.State, e.Text, want)
	}
}

// asked asserts what the ILS was asked, each item's questions in order.
func (b *bench) asked(want ...string) {
	b.Helper()
	if got := b.line.take(); !slices.Equal(byItem(got), byItem(want)) {
		b.Errorf("the ILS was asked %v; want %v", got, want)
	}
}

// did asserts what the ILS did, refusals left out, each item's effects in order.
func (b *bench) did(want ...string) {
	b.Helper()
	var got []string
	for _, f := range b.line.ils.History() {
		if f.Did != upstreamtest.DidRefuse {
			got = append(got, fmt.Sprintf("%s %s", f.Did, f.Item))
		}
	}
	if !slices.Equal(byItem(got), byItem(want)) {
		b.Errorf("the ILS did %v; want %v", got, want)
	}
}

// byItem groups lines by their last word: what concerns other items and other
// patrons may come in any order.
func byItem(lines []string) []string {
	item := func(s string) string { return s[strings.LastIndex(s, " ")+1:] }
	return slices.SortedStableFunc(slices.Values(lines), func(a, b string) int { return strings.Compare(item(a), item(b)) })
}

func in(t *testing.T, f func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		f(b)
		if b.stop != nil {
			b.stop()
		}
	})
}

func TestSettlesInOrder(t *testing.T) {
	in(t, func(b *bench) {
		one := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		back := b.put(kiosk.Offline, kiosk.Checkin, "B1", "C1")
		two := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C2")
		longer := b.put(kiosk.Offline, kiosk.Renew, "B4", "C2")
		b.run()
		b.after(time.Second)
		for _, id := range []kiosk.ID{one, back, two, longer} {
			b.is(id, kiosk.Settled)
		}
		b.asked("look B1", "tell B1", "look B1", "tell B1", "look B1", "tell B1", "look B4", "tell B4") // C2's follow each other
		b.did("checkout B1", "checkin B1", "checkout B1", "renewal B4")
		for _, f := range b.line.ils.History() {
			if !f.NoBlock {
				b.Errorf("%s of %s was told as a question", f.Did, f.Item)
			}
		}
		three := b.put(kiosk.Offline, kiosk.Checkout, "B2", "C1") // while it runs
		b.after(time.Millisecond)
		b.is(three, kiosk.Settled)
	})
}

// TestNewEntriesAreFoundWithoutWake: somebody else may write the ledger.
func TestNewEntriesAreFoundWithoutWake(t *testing.T) {
	in(t, func(b *bench) {
		b.run()
		b.after(time.Second)
		w := b.w
		b.w = nil
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		b.w = w
		b.after(w.Poll)
		b.is(id, kiosk.Settled)
	})
}

func TestAskedIsTheDesks(t *testing.T) {
	in(t, func(b *bench) {
		mine := b.put(kiosk.Asked, kiosk.Checkout, "B1", "C1")
		next := b.put(kiosk.Offline, kiosk.Checkin, "B1", "")
		same := b.put(kiosk.Offline, kiosk.Checkout, "B2", "C1")
		free := b.put(kiosk.Offline, kiosk.Checkout, "B3", "C2")
		b.run()
		b.after(time.Minute)
		b.is(mine, kiosk.Asked)
		b.is(next, kiosk.Offline) // behind it by item
		b.is(same, kiosk.Offline) // behind it by patron
		b.is(free, kiosk.Settled)
		b.asked("look B3", "tell B3")
	})
}

// TestMarkedBeforeTold: whatever ends the process, what may have been told is
// marked so on disk.
func TestMarkedBeforeTold(t *testing.T) {
	in(t, func(b *bench) {
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		b.line.meet = func(what string, item kiosk.Barcode) fate {
			if what == "tell" {
				b.is(id, kiosk.Unsure)
			}
			return ""
		}
		b.run()
		b.after(time.Second)
		b.is(id, kiosk.Settled)
	})
}

func TestLostAnswerIsLookedUp(t *testing.T) {
	for _, tt := range []struct {
		lose  fate
		asked []string
	}{
		{mute, []string{"look B1"}},
		{dropped, []string{"look B1", "tell B1"}},
	} {
		in(t, func(b *bench) {
			id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
			n := 0
			b.line.meet = func(what string, _ kiosk.Barcode) fate {
				if what == "tell" {
					if n++; n == 1 {
						return tt.lose
					}
				}
				return ""
			}
			b.run()
			b.after(b.w.Grace - time.Millisecond)
			b.is(id, kiosk.Unsure)
			b.asked("look B1", "tell B1")
			b.after(time.Second)
			b.is(id, kiosk.Settled)
			b.asked(tt.asked...)
			b.did("checkout B1")
		})
	}
}

// TestGraceHoldsAlsoForOthersQuestions: what the desk has sent, or a process
// before this one, may still be under way.
func TestGraceHoldsAlsoForOthersQuestions(t *testing.T) {
	in(t, func(b *bench) {
		id := b.put(kiosk.Unsure, kiosk.Checkout, "B1", "C1")
		b.run()
		b.after(b.w.Grace - time.Millisecond)
		b.asked()
		b.after(time.Second)
		b.asked("look B1", "tell B1")
		b.is(id, kiosk.Settled)
	})
}

func TestInterrupted(t *testing.T) {
	in(t, func(b *bench) {
		ctx := b.Context()
		there := b.put(kiosk.Asked, kiosk.Checkout, "B1", "C1") // took effect
		gone := b.put(kiosk.Asked, kiosk.Checkout, "B2", "C2")  // did not
		back := b.put(kiosk.Asked, kiosk.Checkin, "B8", "C3")
		if _, err := b.line.ils.Do(b.entry(there), false); err != nil {
			b.Fatal(err)
		}
		if n, err := b.box.Interrupted(ctx, time.Now()); n != 3 || err != nil {
			b.Fatal(n, err)
		}
		b.run()
		b.after(time.Minute)
		b.is(there, kiosk.Settled)
		b.is(gone, kiosk.Dismissed)
		b.is(back, kiosk.Settled)
		b.did("checkout B1", "checkin B8")
		b.asked("look B1", "look B2", "look B8", "tell B8")
		if e := b.entry(there); e.Due.IsZero() {
			b.Error("the loan that the ILS has is without its due date")
		}
	})
}

// TestPromisedAgain: a loan was cut off between question and answer, and the
// patron scans the book once more and is promised it.
func TestPromisedAgain(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		in(t, func(b *bench) {
			first := b.put(kiosk.Asked, kiosk.Checkout, "B1", "C1")
			if arrived {
				if _, err := b.line.ils.Do(b.entry(first), false); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := b.box.Interrupted(b.Context(), time.Now()); err != nil {
				b.Fatal(err)
			}
			second := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
			b.run()
			b.after(time.Minute)
			b.did("checkout B1")
			if arrived {
				b.is(first, kiosk.Settled)
				b.is(second, kiosk.Differs) // a week was promised that the ILS did not give
				b.asked("look B1", "look B1")
			} else {
				b.is(first, kiosk.Dismissed)
				b.is(second, kiosk.Settled)
				b.asked("look B1", "look B1", "tell B1")
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	in(t, func(b *bench) {
		other := b.put(kiosk.Offline, kiosk.Checkout, "B4", "C1")
		barred := b.put(kiosk.Offline, kiosk.Checkout, "B1", "BARRED")
		back := b.put(kiosk.Offline, kiosk.Checkin, "B2", "")
		unknown := b.put(kiosk.Offline, kiosk.Checkin, "NOTHING", "")
		fine := b.put(kiosk.Offline, kiosk.Checkout, "B3", "C1")
		b.run()
		b.after(time.Second)
		b.is(other, kiosk.Exception)
		b.is(barred, kiosk.Exception)
		b.is(back, kiosk.Settled)
		b.is(unknown, kiosk.Exception)
		b.is(fine, kiosk.Settled)
		if e := b.entry(barred); !strings.HasPrefix(e.Text, "Patron debarred; ") {
			b.Errorf("the exception says %q; want the ILS's words", e.Text)
		}
		if e := b.entry(back); e.Text != "Item not checked out" {
			b.Errorf("the settled return says %q; want the ILS's words", e.Text)
		}
	})
}

func TestInvalidIsAnException(t *testing.T) {
	in(t, func(b *bench) {
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		b.line.OnTell = kiosktest.InTurn(kiosktest.Reply{Err: &kiosk.Error{Code: kiosk.CodeInvalid}})
		b.run()
		b.after(time.Second)
		b.is(id, kiosk.Exception)
		if e := b.entry(id); e.Text == "" {
			b.Error("an exception without a word for staff")
		}
	})
}

func TestAnswerIsKept(t *testing.T) {
	in(t, func(b *bench) {
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		due := time.Now().AddDate(0, 0, 7)
		b.line.OnTell = kiosktest.InTurn(kiosktest.Reply{Answer: kiosk.Answer{Due: due, Text: "High demand"}})
		b.run()
		b.after(time.Second)
		e := b.entry(id)
		want := fmt.Sprintf("promised until %s, due %s by the ILS; High demand",
			time.Now().AddDate(0, 0, 21).Format(time.DateOnly), due.Format(time.DateOnly))
		if !e.Due.Equal(due) || e.Text != want {
			b.Errorf("settled until %v, %q; want %v, %q", e.Due, e.Text, due, want)
		}
	})
}

// TestDueNotTold: an ILS that says yes and not until when, is asked.
func TestDueNotTold(t *testing.T) {
	for _, days := range []int{7, 21, 28} {
		in(t, func(b *bench) {
			b.line = newLine(upstreamtest.New(upstreamtest.Rules{Days: days, IgnoreNoBlock: true}))
			b.line.ils.AddPatron(kiosk.Patron{Card: "C1"}, "")
			b.line.ils.AddItems(kiosk.Item{Barcode: "B1"})
			tell := b.line.OnTell
			b.line.OnTell = func(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
				a, err := tell(ctx, e)
				a.Due = time.Time{}
				return a, err
			}
			id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
			b.run()
			b.after(time.Second)
			b.is(id, map[bool]kiosk.State{true: kiosk.Differs, false: kiosk.Settled}[days < 21])
			if got, want := b.entry(id).Due.Format(time.DateOnly), time.Now().AddDate(0, 0, days).Format(time.DateOnly); got != want {
				t.Errorf("due %s; want %s", got, want)
			}
		})
	}
}

// TestFromHoldShelf: an ILS that heeds no-block lends what lies there for
// another without a word. Staff hear of it; not of who fetches their own.
func TestFromHoldShelf(t *testing.T) {
	for card, want := range map[kiosk.Card]kiosk.State{"C1": kiosk.Differs, "C2": kiosk.Settled} {
		in(t, func(b *bench) {
			id := b.put(kiosk.Offline, kiosk.Checkout, "B5", card) // waits for C2
			b.run()
			b.after(time.Second)
			b.is(id, want)
			b.did("checkout B5")
			b.asked("look B5", "tell B5", "look B5")
			if e := b.entry(id); e.Due.IsZero() || strings.Contains(e.Text, "hold shelf") != (want == kiosk.Differs) {
				b.Errorf("%s by %s is due %v, and staff are told %q", e.Kind, card, e.Due, e.Text)
			}
		})
	}
}

// TestNotToldAfterAll: of what could be looked up and not be told, nothing is
// unsure; and the link counts as down for longer and longer, though a probe
// finds it each time.
func TestNotToldAfterAll(t *testing.T) {
	in(t, func(b *bench) {
		var ids []kiosk.ID
		for n := range 40 {
			b.line.ils.AddItems(kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprint("X", n))})
			ids = append(ids, b.put(kiosk.Offline, kiosk.Checkin, kiosk.Barcode(fmt.Sprint("X", n)), ""))
		}
		b.line.meet = func(what string, _ kiosk.Barcode) fate {
			if what == "tell" {
				return reset
			}
			return ""
		}
		b.run()
		b.after(5 * time.Minute)
		for _, id := range ids {
			b.is(id, kiosk.Offline)
		}
		if n := len(b.up); n > 60 {
			b.Errorf("the link has come and gone %d times in 5 minutes", n)
		}
		b.line.heal()
		b.after(6 * time.Minute)
		for _, id := range ids {
			b.is(id, kiosk.Settled)
		}
	})
}

// TestPoison: an entry that never goes through holds up its own patron's
// and its own item's, and nobody else's, and is asked less and less.
func TestPoison(t *testing.T) {
	for n, f := range []fate{bug, dropped, mute, reset, bug, dropped, mute, reset} {
		met := []string{"tell", "look"}[n/4]
		in(t, func(b *bench) {
			bad := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
			same := b.put(kiosk.Offline, kiosk.Checkout, "B2", "C1")
			chain := b.put(kiosk.Offline, kiosk.Checkin, "B2", "")
			free := b.put(kiosk.Offline, kiosk.Checkout, "B3", "C3")
			b.line.meet = func(what string, item kiosk.Barcode) fate {
				if item == "B1" && what == met {
					return f
				}
				return ""
			}
			b.run()
			b.after(10 * time.Second)
			b.is(free, kiosk.Settled)
			b.line.take()
			b.after(time.Hour)
			switch {
			case met == "look", f == reset: // it was not told
				b.is(bad, kiosk.Offline)
			case f == mute: // it was found by the next look, after a minute at most
				b.is(bad, kiosk.Settled)
			default:
				b.is(bad, kiosk.Unsure)
			}
			if f != mute || met == "look" {
				b.is(same, kiosk.Offline)
				b.is(chain, kiosk.Offline)
				if n := len(b.line.take()); n < 10 || n > 80 {
					b.Errorf("%s: asked %d times in an hour; want each 5 minutes", f, n)
				}
			}
			if !b.w.Status().Up && f != reset {
				b.Errorf("%s of one entry takes the link down: %v", met, b.w.Status().Err)
			}
			b.line.heal()
			b.after(lastRetry + time.Second)
			b.is(bad, kiosk.Settled)
			b.is(same, kiosk.Settled)
			b.is(chain, kiosk.Settled)
			b.did("checkout B1", "checkout B2", "checkin B2", "checkout B3")
		})
	}
}

func TestLink(t *testing.T) {
	in(t, func(b *bench) {
		b.line.set(true)
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		b.run()
		b.after(time.Minute)
		b.asked() // nothing is told over a link that is down
		if st := b.w.Status(); st.Up || st.Err == nil || st.Since.IsZero() {
			b.Errorf("Status() = %+v; want down, and why", st)
		}
		if n := len(b.up); n < 14 || n > 32 || slices.Contains(b.up, true) {
			b.Errorf("in a minute Link was told %v; want false, after 250 ms doubling to 5 s", b.up)
		}
		b.line.set(false)
		b.after(lastProbe)
		b.is(id, kiosk.Settled)
		if !b.up[len(b.up)-1] || !b.w.Status().Up || b.w.Status().Err != nil {
			b.Errorf("with the ILS back: Link was told %v, Status() = %+v", b.up, b.w.Status())
		}
		b.line.set(true)
		two := b.put(kiosk.Offline, kiosk.Checkout, "B2", "C1")
		b.after(time.Millisecond)
		b.is(two, kiosk.Offline)
		if b.up[len(b.up)-1] {
			b.Error("Link was not told that the link is down")
		}
		b.line.set(false)
		b.after(b.w.Grace + lastProbe)
		b.is(two, kiosk.Settled)
		b.did("checkout B1", "checkout B2")
	})
}

// TestHeartbeat: a link that dies in a quiet hour is found dead before the
// next patron comes.
func TestHeartbeat(t *testing.T) {
	in(t, func(b *bench) {
		b.run()
		b.after(time.Second)
		b.line.set(true)
		b.after(b.w.Heartbeat)
		if b.w.Status().Up {
			b.Error("a dead link counts as up")
		}
	})
}

// TestHungServer: one that takes questions and never answers is not fed the
// whole outbox.
func TestHungServer(t *testing.T) {
	in(t, func(b *bench) {
		b.run()
		b.after(time.Second)
		b.line.take()
		b.line.meet = func(what string, _ kiosk.Barcode) fate {
			if what == "probe" {
				return reset
			}
			return mute
		}
		b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		b.put(kiosk.Offline, kiosk.Checkout, "B2", "C2")
		b.put(kiosk.Offline, kiosk.Checkin, "B8", "C3")
		b.after(time.Minute)
		if got := b.line.take(); len(got) > 3 {
			b.Errorf("the ILS was asked %v; want each once at most", got)
		}
		b.line.heal()
		b.after(time.Minute)
		b.did("checkout B1", "checkout B2", "checkin B8")
	})
}

// TestHungQuestions: a server that answers each probe and nothing else. The
// link counts as down after a few entries, is tried with one entry now and
// then, and comes back with the first that is answered.
func TestHungQuestions(t *testing.T) {
	in(t, func(b *bench) {
		b.line.meet = func(what string, _ kiosk.Barcode) fate {
			if what == "probe" {
				return ""
			}
			return dropped
		}
		var ids []kiosk.ID
		for n := range 100 {
			b.line.ils.AddItems(kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprint("X", n))})
			ids = append(ids, b.put(kiosk.Offline, kiosk.Checkin, kiosk.Barcode(fmt.Sprint("X", n)), ""))
		}
		b.run()
		b.after(time.Hour)
		if st := b.w.Status(); st.Up || st.Err == nil || len(b.up) == 0 || b.up[len(b.up)-1] {
			b.Errorf("Status() = %+v, Link was told %v; want down, and why", st, b.up)
		}
		if n := len(b.line.take()); n < 90 || n > 250 {
			b.Errorf("asked %d times in an hour; want one question each half minute, after the first", n)
		}
		told := len(b.up)
		b.after(time.Hour)
		if len(b.up) != told {
			b.Errorf("the link was called up while nothing is answered: %v", b.up[told:])
		}
		b.line.heal()
		b.after(lastTrial)
		b.after(lastRetry + time.Minute)
		for _, id := range ids {
			b.is(id, kiosk.Settled)
		}
		if !b.w.Status().Up {
			b.Errorf("Status() = %+v; want up", b.w.Status())
		}
	})
}

// TestStrangeAnswers: a page for maintenance where the item should be, is no
// word on any entry: all of them wait until it is gone.
func TestStrangeAnswers(t *testing.T) {
	in(t, func(b *bench) {
		b.line.meet = func(what string, _ kiosk.Barcode) fate {
			if what == "look" {
				return strange
			}
			return ""
		}
		var ids []kiosk.ID
		for n := range 20 {
			b.line.ils.AddItems(kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprint("X", n))})
			ids = append(ids, b.put(kiosk.Offline, kiosk.Checkin, kiosk.Barcode(fmt.Sprint("X", n)), ""))
		}
		b.run()
		b.after(2 * time.Hour)
		for _, id := range ids {
			b.is(id, kiosk.Offline)
		}
		if st := b.w.Status(); st.Up || st.Err == nil || !strings.Contains(st.Err.Error(), "being updated") {
			b.Errorf("Status() = %+v; want down, with the ILS's words", st)
		}
		b.line.heal()
		b.after(6 * time.Minute)
		for _, id := range ids {
			b.is(id, kiosk.Settled)
		}
	})
}

// TestBacklog: what the desk concludes meanwhile is seen before a long
// backlog is through.
func TestBacklog(t *testing.T) {
	const answer = 20 * time.Millisecond
	const most = int(2 * spell / answer) // looked up until the queue is read for the second time
	in(t, func(b *bench) {
		desks := b.put(kiosk.Asked, kiosk.Checkout, "B1", "C1")
		next := b.put(kiosk.Offline, kiosk.Checkin, "B1", "C1")
		for i := range 3 * most {
			b.put(kiosk.Offline, kiosk.Checkin, kiosk.Barcode(fmt.Sprint("Y", i)), "")
		}
		n, seen := 0, 0
		b.line.meet = func(what string, item kiosk.Barcode) fate {
			if what == "look" {
				n++
				time.Sleep(answer)
			}
			if n == 5 {
				b.box.Conclude(b.Context(), kiosk.Outcome{Entry: desks, State: kiosk.Granted, At: time.Now()})
			}
			if item == "B1" {
				seen = n
			}
			return ""
		}
		b.run()
		b.after(3 * spell)
		b.is(next, kiosk.Settled)
		if seen == 0 || seen > most {
			b.Errorf("what waited for the desk was told as number %d of %d; want it within the first %d", seen, n, most)
		}
	})
}

// TestBacklogBehindOneThatWaits: that an entry waits keeps nobody waiting who is
// not read yet.
func TestBacklogBehindOneThatWaits(t *testing.T) {
	in(t, func(b *bench) {
		b.put(kiosk.Asked, kiosk.Checkout, "B1", "C1")
		for i := range window {
			b.put(kiosk.Offline, kiosk.Checkin, kiosk.Barcode(fmt.Sprint("Y", i)), "")
		}
		b.run()
		b.after(time.Second)
		if q, err := b.box.Queue(b.Context(), window); len(q) != 1 || err != nil {
			b.Errorf("after a second %d wait, %v; want the desk's alone", len(q), err)
		}
	})
}

// TestLost: what the desk finds out, the worker need not find out again.
func TestLost(t *testing.T) {
	in(t, func(b *bench) {
		b.run()
		b.after(time.Second)
		b.line.set(true)
		b.w.Lost()
		b.after(time.Millisecond)
		if b.w.Status().Up || b.up[len(b.up)-1] {
			b.Error("after Lost() the link counts as up")
		}
		b.w.Lost() // is known already
		b.line.set(false)
		b.after(time.Second)
		if !b.w.Status().Up || !b.up[len(b.up)-1] {
			b.Error("the link is not found again")
		}
		b.after(10 * time.Second)
		if want := []bool{true, false, true}; !slices.Equal(b.up, want) {
			b.Errorf("Link was told %v; want %v", b.up, want)
		}
	})
}

// TestFullDisk: without a place for the mark nothing is told, and it goes on
// when there is room.
func TestFullDisk(t *testing.T) {
	in(t, func(b *bench) {
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		b.box.Fail(errors.New("disk full"))
		b.run()
		b.after(time.Minute)
		if slices.Contains(b.line.take(), "tell B1") {
			b.Error("what can't be marked was told")
		}
		if st := b.w.Status(); !st.Up || st.Err == nil {
			b.Errorf("Status() = %+v; want up, and what is wrong", st)
		}
		b.box.Fail(nil)
		b.after(time.Second)
		b.is(id, kiosk.Settled)
	})
}

// TestOutcomeNotWritten: a yes that could not be written down is found again.
func TestOutcomeNotWritten(t *testing.T) {
	in(t, func(b *bench) {
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		b.line.meet = func(what string, _ kiosk.Barcode) fate {
			if what == "tell" {
				b.box.Fail(errors.New("disk full")) // the mark is written, the outcome won't be
			}
			return ""
		}
		b.run()
		b.after(time.Second)
		b.is(id, kiosk.Unsure)
		b.box.Fail(nil)
		b.after(time.Minute)
		b.is(id, kiosk.Settled)
		b.did("checkout B1")
	})
}

// TestStopped: an answer that has come is written down though the worker is
// being stopped; a question that has none is nobody's fault.
func TestStopped(t *testing.T) {
	in(t, func(b *bench) {
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		tell := b.line.OnTell
		b.line.OnTell = func(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
			<-ctx.Done()
			return tell(ctx, e)
		}
		b.run()
		b.after(time.Second)
		b.stop()
		b.is(id, kiosk.Settled)

		two := b.put(kiosk.Offline, kiosk.Checkout, "B2", "C1")
		b.line.OnTell = kiosktest.Silence
		b.run()
		b.after(time.Second)
		b.stop()
		b.is(two, kiosk.Unsure)
		q, err := b.box.Queue(b.Context(), 10)
		if err != nil || len(q) != 1 || q[0].Attempts != 0 {
			b.Errorf("Queue() = %+v, %v; want one entry, without a try", q, err)
		}
		b.line.OnTell = tell
		b.run()
	})
}

// TestAnotherClock: a try put off by a clock that was years ahead is not
// waited for.
func TestAnotherClock(t *testing.T) {
	in(t, func(b *bench) {
		id := b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
		if err := b.box.Postpone(b.Context(), id, time.Now().AddDate(10, 0, 0)); err != nil {
			b.Fatal(err)
		}
		b.run()
		b.after(time.Second)
		b.is(id, kiosk.Settled)
	})
}

// TestReturnEndsNoOtherLoan: the copy has gone out again, at another desk,
// before the return is told, or after it was told and not heard of.
func TestReturnEndsNoOtherLoan(t *testing.T) {
	relend := func(b *bench) {
		for _, e := range []kiosk.Entry{{Kind: kiosk.Checkin, Item: "B4"}, {Kind: kiosk.Checkout, Item: "B4", Patron: "C1"}} {
			e.At, e.State = time.Now(), kiosk.Asked
			if _, err := b.line.ils.Do(e, false); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, card := range []kiosk.Card{"C2", ""} {
		in(t, func(b *bench) { // before
			id := b.put(kiosk.Offline, kiosk.Checkin, "B4", "C2")
			time.Sleep(48 * time.Hour)
			relend(b)
			b.run()
			b.after(time.Minute)
			b.is(id, kiosk.Exception)
			b.did("checkin B4", "checkout B4")
		})
		in(t, func(b *bench) { // after
			id := b.put(kiosk.Offline, kiosk.Checkin, "B4", card)
			told := false
			b.line.meet = func(what string, _ kiosk.Barcode) fate {
				if what == "tell" && !told {
					told = true
					return mute
				}
				return ""
			}
			b.run()
			b.after(time.Second)
			time.Sleep(3 * time.Second)
			if _, err := b.line.ils.Do(kiosk.Entry{Kind: kiosk.Checkout, Item: "B4", Patron: "C1", At: time.Now(), State: kiosk.Asked}, false); err != nil {
				b.Fatal(err)
			}
			b.after(time.Hour)
			b.is(id, kiosk.Exception)
			b.did("checkin B4", "checkout B4")
		})
	}
}

// TestOthersFirst: what came back here and is not out may have been lent by
// another kiosk, which comes to tell it later.
func TestOthersFirst(t *testing.T) {
	for _, tt := range []struct {
		name      string
		meanwhile func(*bench) // while the return waits
		state     kiosk.State
		did       []string
	}{
		{"nobody tells anything", func(*bench) {}, kiosk.Settled, nil},
		{"another kiosk tells its loan", func(b *bench) {
			b.line.ils.Do(kiosk.Entry{Kind: kiosk.Checkout, Item: "B1", Patron: "C2", At: time.Now().Add(-time.Hour)}, true)
		}, kiosk.Exception, []string{"checkout B1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in(t, func(b *bench) {
				b.line.set(true)
				b.runWith(Config{})
				id := b.put(kiosk.Offline, kiosk.Checkin, "B1", "")
				other := b.put(kiosk.Offline, kiosk.Checkin, "B2", "")
				after := b.put(kiosk.Offline, kiosk.Checkout, "B2", "C1") // this kiosk says itself what became of it
				seen := b.put(kiosk.Offline, kiosk.Seen, "B1", "")        // which says nothing of that, and waits
				b.after(time.Hour)
				b.line.set(false)
				b.after(time.Minute)
				b.is(id, kiosk.Offline)
				b.is(other, kiosk.Settled)
				b.is(after, kiosk.Settled)
				b.is(seen, kiosk.Offline)
				tt.meanwhile(b)
				b.after(11 * time.Minute)
				b.is(id, tt.state)
				b.did(append([]string{"checkout B2"}, tt.did...)...)
			})
		})
	}
}

// TestOthersWereNotAway: after a short outage there is little to wait for, and
// nothing for what came later.
func TestOthersWereNotAway(t *testing.T) {
	in(t, func(b *bench) {
		b.runWith(Config{Others: time.Minute})
		b.after(2 * time.Minute)
		b.line.set(true)
		b.w.Lost()
		id := b.put(kiosk.Offline, kiosk.Checkin, "B1", "")
		b.after(20 * time.Second)
		b.line.set(false)
		b.after(15 * time.Second)
		b.is(id, kiosk.Offline)
		later := b.put(kiosk.Offline, kiosk.Checkin, "B2", "")
		b.after(3 * time.Second)
		b.is(later, kiosk.Settled)
		b.after(25 * time.Second)
		b.is(id, kiosk.Settled)
	})
}
