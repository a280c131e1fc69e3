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
