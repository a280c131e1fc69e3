package desk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
)

// shelf is a ledger and mirror of one book and one patron, with a disk that
// can refuse and stall.
type shelf struct {
	mu     sync.Mutex
	states map[kiosk.ID]kiosk.State
	at     []time.Time
	doubt  bool
	full   bool
	stall  time.Duration
	newest time.Time
	loans  []kiosk.Loan // the reader's; those of what is out since the link went are not told
	gone   time.Time
}

var (
	book   = kiosk.Item{Barcode: "31234000010064", Title: "Dune"}
	reader = kiosk.Patron{Card: "21234000056788", FirstName: "Ada"}
	errNo  = errors.New("disk full")
)

func (s *shelf) put(id kiosk.ID, st kiosk.State, at time.Time, doubt bool) error {
	time.Sleep(s.stall)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errNo
	}
	s.states[id] = st
	s.at = append(s.at, at)
	s.doubt = s.doubt || doubt
	return nil
}

func (s *shelf) Record(_ context.Context, e kiosk.Entry) error {
	return s.put(e.ID, e.State, e.At, e.Doubt)
}
func (s *shelf) Conclude(_ context.Context, o kiosk.Outcome) error {
	return s.put(o.Entry, o.State, o.At, false)
}
func (s *shelf) Attach(context.Context, kiosk.ID, kiosk.TagID, time.Time) error { return nil }
func (s *shelf) Work(context.Context, kiosk.TagID) (kiosk.Work, error) {
	return kiosk.Work{}, kiosk.ErrUnknown
}
func (s *shelf) Done(context.Context, kiosk.Work, time.Time) error { return nil }
func (s *shelf) Newest(context.Context) (time.Time, error)         { return s.newest, nil }
func (s *shelf) Item(_ context.Context, b kiosk.Barcode) (kiosk.Item, error) {
	if b == book.Barcode {
		return book, nil
	}
	return kiosk.Item{}, fmt.Errorf("item %s: %w", b, kiosk.ErrUnknown)
}
func (s *shelf) Copies(context.Context, string, int) ([]kiosk.Item, error) { return nil, nil }
func (s *shelf) Patron(_ context.Context, c kiosk.Card) (kiosk.Patron, error) {
	if c == reader.Card {
		return reader, nil
	}
	return kiosk.Patron{}, kiosk.ErrUnknown
}
func (s *shelf) Loan(context.Context, kiosk.Barcode) (kiosk.Loan, error) {
	return kiosk.Loan{}, kiosk.ErrUnknown
}
func (s *shelf) Loans(context.Context, kiosk.Card) ([]kiosk.Loan, error) { return s.loans, nil }
func (s *shelf) Untold(context.Context, kiosk.Card) (n int, _ error) {
	for _, l := range s.loans {
		if l.At.After(s.gone) {
			n++
		}
	}
	return n, nil
}
func (s *shelf) Copy(ctx context.Context, b kiosk.Barcode) (c kiosk.Copy, _ error) {
	i, err := s.Item(ctx, b)
	c.Item, c.Known = i.AtDesk(), err == nil
	return c, nil
}
func (s *shelf) LearnPatron(context.Context, kiosk.Patron) error            { return nil }
func (s *shelf) LearnItem(context.Context, kiosk.Item) error                { return nil }
func (s *shelf) Tags(context.Context, kiosk.Barcode) ([]kiosk.TagID, error) { return nil, nil }

// ils is an upstream made of functions.
type ils struct {
	tell     func(context.Context, kiosk.Entry) (kiosk.Answer, error)
	identify func(context.Context, kiosk.Card) (kiosk.Patron, error)
}

func (u *ils) Identify(ctx context.Context, c kiosk.Card, _ string) (kiosk.Patron, error) {
	if u.identify != nil {
		return u.identify(ctx, c)
	}
	return kiosk.Patron{Card: c, FirstName: "Ada"}, nil
}
func (u *ils) Tell(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) { return u.tell(ctx, e) }
func (u *ils) Look(context.Context, kiosk.Barcode, kiosk.Card) (kiosk.Standing, error) {
	return kiosk.Standing{}, nil
}
func (u *ils) Probe(context.Context) error { return nil }

// run starts a desk in a synctest bubble and hands it to the test.
func run(t *testing.T, c desk.Config, test func(t *testing.T, d *desk.Desk, ctx context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c.NewID = func() kiosk.ID { n++; return kiosk.ID(fmt.Sprint("id", n)) }
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		c.Rules.Location = time.UTC
		d := desk.New(c)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		if c.Upstream != nil {
			must(t, d.Send(ctx, kiosk.LinkChanged{Up: true}))
		}
		test(t, d, ctx)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for a screen that fits.
func until(t *testing.T, d *desk.Desk, what string, fits func(kiosk.Screen) bool) kiosk.Screen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for seq := uint64(0); ; {
		sc, err := d.Next(ctx, seq)
		if err != nil {
			t.Fatalf("no screen with %s; the last is %+v", what, d.Screen())
		}
		if fits(sc) {
			return sc
		}
		seq = sc.Seq
	}
}

func state(want kiosk.LineState) func(kiosk.Screen) bool {
	return func(sc kiosk.Screen) bool { return len(sc.Lines) == 1 && sc.Lines[0].State == want }
}

func newShelf() *shelf { return &shelf{states: map[kiosk.ID]kiosk.State{}} }

func TestOnline(t *testing.T) {
	s := newShelf()
	due := time.Now().AddDate(0, 0, 7)
	up := &ils{tell: func(_ context.Context, e kiosk.Entry) (kiosk.Answer, error) {
		if s.states[e.ID] != kiosk.Asked {
			t.Errorf("asked before the entry is on disk: %q", s.states[e.ID])
		}
		return kiosk.Answer{Due: due}, nil
	}}
	run(t, desk.Config{Ledger: s, Mirror: s, Upstream: up}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		sc := until(t, d, "a loan", state(kiosk.LineLent))
		if l := sc.Lines[0]; s.states[l.ID] != kiosk.Granted || !l.Due.Equal(due) || sc.Patron != "Ada" {
			t.Errorf("screen %+v, ledger %v", sc, s.states)
		}
	})
}

// TestSilentUpstream: the patron waits no longer than the deadline, and the
// next scan does not wait at all.
func TestSilentUpstream(t *testing.T) {
	s := newShelf()
	lost := 0
	up := &ils{tell: func(ctx context.Context, _ kiosk.Entry) (kiosk.Answer, error) {
		<-ctx.Done()
		return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeUnsure, Err: ctx.Err()}
	}}
	c := desk.Config{Ledger: s, Mirror: s, Upstream: up, Deadline: 2 * time.Second, LinkLost: func() { lost++ }}
	c.Rules.UnknownItems = true
	run(t, c, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		start := time.Now()
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		sc := until(t, d, "a loan", state(kiosk.LineLent))
		if took := time.Since(start); took != 2*time.Second || s.states[sc.Lines[0].ID] != kiosk.Unsure {
			t.Errorf("took %v, ledger %v; want the deadline and unsure", took, s.states)
		}
		start = time.Now()
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: "another"}))
		sc = until(t, d, "a second loan", func(sc kiosk.Screen) bool {
			return len(sc.Lines) == 2 && sc.Lines[1].State == kiosk.LineLent
		})
		if took := time.Since(start); took != 0 || s.states[sc.Lines[1].ID] != kiosk.Offline || sc.Online || lost != 1 {
			t.Errorf("took %v, online %v, lost %d, ledger %v; want no wait", took, sc.Online, lost, s.states)
		}
	})
}

func TestNoUpstream(t *testing.T) {
	s := newShelf()
	run(t, desk.Config{Ledger: s, Mirror: s}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: "nobody"}))
		until(t, d, "a notice", func(sc kiosk.Screen) bool { return sc.Notice.Reason == kiosk.ReasonUnknownCard })
		until(t, d, "no notice", func(sc kiosk.Screen) bool { return sc.Notice.Reason == "" }) // by itself
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		until(t, d, "a loan", state(kiosk.LineLent))
		until(t, d, "the countdown's end", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewReceipt })
		until(t, d, "welcome", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewWelcome && len(sc.Lines) == 0 })
	})
}

// TestTrustOverSessions: what a card has taken on trust counts in the next
// session as well, until the ILS has heard of it.
func TestTrustOverSessions(t *testing.T) {
	for untold, want := range map[int]kiosk.LineState{0: kiosk.LineLent, 1: kiosk.LineLent, 2: kiosk.LineRefused} {
		s := newShelf()
		s.gone = time.Now()
		for n := range 3 { // the others are of last week
			at := s.gone.AddDate(0, 0, -7)
			if n < untold {
				at = s.gone.Add(time.Hour)
			}
			s.loans = append(s.loans, kiosk.Loan{Item: kiosk.Barcode(fmt.Sprint("another", n)), Patron: reader.Card, At: at})
		}
		up := &ils{identify: func(context.Context, kiosk.Card) (kiosk.Patron, error) {
			return kiosk.Patron{}, &kiosk.Error{Code: kiosk.CodeOffline}
		}, tell: func(context.Context, kiosk.Entry) (kiosk.Answer, error) {
			return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeOffline}
		}}
		c := desk.Config{Ledger: s, Mirror: s, Upstream: up}
		c.Rules.Trust = kiosk.Trust{Full: time.Hour, Usual: 24 * time.Hour, Few: 7 * 24 * time.Hour, Items: 2}
		run(t, c, func(t *testing.T, d *desk.Desk, ctx context.Context) {
			must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
			must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
			sc := until(t, d, "an answer", func(sc kiosk.Screen) bool {
				return len(sc.Lines) == 1 && (sc.Lines[0].State == kiosk.LineLent || sc.Lines[0].State == kiosk.LineRefused)
			})
			if l := sc.Lines[0]; l.State != want || want == kiosk.LineRefused && l.Reason != kiosk.ReasonCardUnchecked {
				t.Errorf("with %d untold: %s (%s); want %s", untold, l.State, l.Reason, want)
			}
		})
	}
}

// TestStalledDisk: a disk that takes 5 s for one write does not stop the
// screen, and nothing is shown as lent before.
func TestStalledDisk(t *testing.T) {
	s := newShelf()
	run(t, desk.Config{Ledger: s, Mirror: s}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		until(t, d, "items", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewItems })
		s.stall = 5 * time.Second
		start := time.Now()
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		until(t, d, "a waiting line with its title", func(sc kiosk.Screen) bool {
			return state(kiosk.LineWaiting)(sc) && sc.Lines[0].Title != ""
		})
		must(t, d.Send(ctx, kiosk.Unreadable{Code: "x", Reason: kiosk.ReasonUnreadable}))
		until(t, d, "two lines", func(sc kiosk.Screen) bool { return len(sc.Lines) == 2 })
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("the screen stood still for %v", took)
		}
		must(t, d.Send(ctx, kiosk.Finish{}))
		until(t, d, "a receipt", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewReceipt })
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("finished after %v; want the disk's 5 s", took)
		}
	})
}

func TestFullDisk(t *testing.T) {
	s := newShelf()
	s.full = true
	run(t, desk.Config{Ledger: s, Mirror: s}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		sc := until(t, d, "a refusal", state(kiosk.LineRefused))
		if sc.Lines[0].Reason != kiosk.ReasonNotStored || len(sc.Faults) != 1 || !sc.Faults[0].Fatal {
			t.Fatalf("screen = %+v; want not-stored and a fatal fault", sc)
		}
		s.mu.Lock()
		s.full = false
		s.mu.Unlock()
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		if sc := until(t, d, "a loan", state(kiosk.LineLent)); len(sc.Faults) != 0 {
			t.Errorf("the fault stays: %+v", sc.Faults)
		}
	})
}

// TestGrantedButNotStored: what the ILS has agreed to is stored as soon as
// the disk takes it.
func TestGrantedButNotStored(t *testing.T) {
	s := newShelf()
	up := &ils{tell: func(context.Context, kiosk.Entry) (kiosk.Answer, error) {
		s.mu.Lock()
		s.full = true
		s.mu.Unlock()
		return kiosk.Answer{}, nil
	}}
	run(t, desk.Config{Ledger: s, Mirror: s, Upstream: up}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		sc := until(t, d, "the word to show it to staff", func(sc kiosk.Screen) bool {
			return len(sc.Lines) == 1 && sc.Lines[0].Reason == kiosk.ReasonNotKept // not the one of a book that waits for its card
		})
		id := sc.Lines[0].ID
		s.mu.Lock()
		s.full = false
		s.mu.Unlock()
		until(t, d, "a loan", state(kiosk.LineLent))
		if s.states[id] != kiosk.Granted {
			t.Errorf("ledger = %v", s.states)
		}
	})
}

// pins are those that were accepted.
type pins struct {
	mu   sync.Mutex
	kept map[kiosk.Card]string
}

func (p *pins) KeepPIN(_ context.Context, c kiosk.Card, pin string) error {
	time.Sleep(300 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept[c] = pin
	return nil
}

func (p *pins) RefusePIN(_ context.Context, c kiosk.Card, pin string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept[c] == pin {
		delete(p.kept, c)
	}
	return nil
}

func (p *pins) CheckPIN(_ context.Context, c kiosk.Card, pin string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	want, ok := p.kept[c]
	if !ok {
		return false, kiosk.ErrUnknown
	}
	return pin == want, nil
}

// learner is a shelf that keeps what is to be learned of patrons.
type learner struct {
	*shelf
	learned []kiosk.Patron
}

func (l *learner) LearnPatron(_ context.Context, p kiosk.Patron) error {
	l.learned = append(l.learned, p)
	return nil
}

// TestPINs: a PIN that the ILS has accepted lets in while it is away, another
// does not, and nobody waits for it to be kept. One that it refuses by now does
// not either. Some servers say of a wrong one that they know no such card: it
// stays a good one.
func TestPINs(t *testing.T) {
	s, kept := &learner{shelf: newShelf()}, &pins{kept: map[kiosk.Card]string{}}
	away, changed, no := false, false, kiosk.ReasonWrongPIN
	up := &ils{identify: func(context.Context, kiosk.Card) (kiosk.Patron, error) {
		if away {
			return kiosk.Patron{}, &kiosk.Error{Code: kiosk.CodeOffline}
		}
		if changed {
			return kiosk.Patron{}, &kiosk.Error{Code: kiosk.CodeRefused, Reason: no}
		}
		return kiosk.Patron{Card: reader.Card, FirstName: "Ada", PINChecked: true}, nil
	}}
	run(t, desk.Config{Ledger: s, Mirror: s, Upstream: up, PINs: kept, Rules: kiosk.Rules{PIN: true}}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		enter := func(pin string, fits func(kiosk.Screen) bool) {
			t.Helper()
			until(t, d, "the welcome view", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewWelcome })
			must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
			until(t, d, "the PIN pad", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewPIN })
			must(t, d.Send(ctx, kiosk.PINEntered{PIN: pin}))
			until(t, d, "what comes of "+pin, fits)
		}
		in := func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewItems }
		begin := time.Now()
		enter("1234", in)
		if waited := time.Since(begin); waited > 100*time.Millisecond {
			t.Errorf("the patron waited %v", waited)
		}
		time.Sleep(time.Second)
		away = true
		must(t, d.Send(ctx, kiosk.Finish{}))
		must(t, d.Send(ctx, kiosk.LinkChanged{Up: false}))
		enter("1234", in)
		must(t, d.Send(ctx, kiosk.Finish{}))
		wrong := func(sc kiosk.Screen) bool { return sc.Notice.Reason == kiosk.ReasonWrongPIN }
		enter("4321", wrong)
		must(t, d.Send(ctx, kiosk.Finish{}))
		away, changed = false, true
		must(t, d.Send(ctx, kiosk.LinkChanged{Up: true}))
		enter("1234", wrong)
		must(t, d.Send(ctx, kiosk.Finish{}))
		synctest.Wait()
		if pin, ok := kept.kept[reader.Card]; ok {
			t.Errorf("%s is kept, and refused", pin)
		}
		no = kiosk.ReasonUnknownCard
		enter("9999", func(sc kiosk.Screen) bool { return sc.Notice.Reason == no })
		synctest.Wait()
		if i := slices.IndexFunc(s.learned, func(p kiosk.Patron) bool { return p.Blocked != "" }); i >= 0 {
			t.Errorf("after a wrong PIN the mirror learns %+v", s.learned[i])
		}
	})
}

// TestClockOf1970: entries are never dated before the newest one.
func TestClockOf1970(t *testing.T) {
	s := newShelf()
	s.newest = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	run(t, desk.Config{Ledger: s, Mirror: s}, func(t *testing.T, d *desk.Desk, ctx context.Context) { // synctest begins in 2000
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		time.Sleep(10 * time.Second)
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		sc := until(t, d, "a loan", state(kiosk.LineLent))
		if want := s.newest.Add(10 * time.Second); !s.at[0].Equal(want) || !s.doubt {
			t.Errorf("dated %v, doubt %v; want %v and doubt", s.at[0], s.doubt, want)
		}
		if y := sc.Lines[0].Due.Year(); y != 2026 {
			t.Errorf("due in %d", y)
		}
		until(t, d, "the session's end", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewReceipt })
	})
}

// TestStopFinishesWhatIsInHand: the end of the daemon does not lose a loan
// that is being stored.
func TestStopFinishesWhatIsInHand(t *testing.T) {
	s := newShelf()
	s.stall = 2 * time.Second
	run(t, desk.Config{Ledger: s, Mirror: s}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		until(t, d, "a waiting line", state(kiosk.LineWaiting))
	})
	if len(s.states) != 1 {
		t.Errorf("ledger = %v; want the loan that was in hand", s.states)
	}
}

func TestFaults(t *testing.T) {
	s := newShelf()
	run(t, desk.Config{Ledger: s, Mirror: s}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		d.Fault(kiosk.Fault{Source: "scanner", Text: "not plugged in"})
		since := d.Screen().Faults[0].Since
		time.Sleep(time.Minute)
		d.Fault(kiosk.Fault{Source: "scanner", Text: "still not"})
		if f := d.Screen().Faults[0]; f.Since != since || f.Text != "still not" {
			t.Errorf("fault = %+v; want the same since %v", f, since)
		}
		d.Mend("scanner")
		if f := d.Screen().Faults; len(f) != 0 {
			t.Errorf("faults = %v", f)
		}
	})
}

// TestPromiseNotStored: a loan that was decided here and could not be stored
// was taken back on the screen, so it is not stored later either.
func TestPromiseNotStored(t *testing.T) {
	for code, want := range map[kiosk.Code]kiosk.State{kiosk.CodeOffline: kiosk.Dismissed, kiosk.CodeUnsure: kiosk.Exception} {
		s := newShelf()
		full := func(on bool) { s.mu.Lock(); s.full = on; s.mu.Unlock() }
		up := &ils{tell: func(context.Context, kiosk.Entry) (kiosk.Answer, error) {
			full(true)
			return kiosk.Answer{}, &kiosk.Error{Code: code}
		}}
		run(t, desk.Config{Ledger: s, Mirror: s, Upstream: up}, func(t *testing.T, d *desk.Desk, ctx context.Context) {
			must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
			must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
			id := until(t, d, "a refusal", state(kiosk.LineRefused)).Lines[0].ID
			full(false)
			time.Sleep(10 * time.Second)
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.states[id] != want {
				t.Errorf("after %s the ledger has %q; want %q", code, s.states[id], want)
			}
		})
	}
}

// TestFirstBootOf1970: before any entry the clock is held against the
// program's own age.
func TestFirstBootOf1970(t *testing.T) {
	s := newShelf()
	written := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	wall := func() time.Time { return time.Unix(100, 0) }
	c := desk.Config{Ledger: s, Mirror: s, Clock: kiosk.NewClock(kiosk.ClockConfig{Wall: wall, Written: written})}
	run(t, c, func(t *testing.T, d *desk.Desk, ctx context.Context) {
		must(t, d.Send(ctx, kiosk.CardRead{Card: reader.Card}))
		must(t, d.Send(ctx, kiosk.ItemPlaced{Item: book.Barcode}))
		sc := until(t, d, "a loan", state(kiosk.LineLent))
		if due := sc.Lines[0].Due; due.Before(written) || !s.doubt {
			t.Errorf("due %v, doubt %v; want a due date after %v, in doubt", due, s.doubt, written)
		}
	})
}
