package refresh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// source is an ILS of so many items, patrons and loans, two on a page.
type source struct {
	mu    sync.Mutex
	busy  bool // somebody is at the desk
	n     map[kiosk.List]int
	asked []string                                 // "items all", "items changed since 09:00", "items after 2 all"
	page  func(l kiosk.List, page int) (err error) // happens before a page is given; nil means nothing
}

// let changes the ILS, or the desk, while the worker works.
func (s *source) let(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// before sets what happens before a page.
func (s *source) before(do func(l kiosk.List, page int) error) { s.let(func() { s.page = do }) }

func (s *source) atDesk() (busy bool) {
	s.let(func() { busy = s.busy })
	return busy
}

var errAway = &kiosk.Error{Code: kiosk.CodeOffline, Text: "away"}

func read[T any](ctx context.Context, s *source, l kiosk.List, changed time.Time, after int, do func([]T, int) error, row func(int) T) error {
	q := string(l)
	if after > 0 {
		q += fmt.Sprintf(" after %d", after)
	}
	if changed.IsZero() {
		q += " all"
	} else {
		q += " changed since " + changed.Format("15:04")
	}
	var n int
	var before func(kiosk.List, int) error
	s.let(func() {
		s.asked = append(s.asked, q)
		n, before = s.n[l], s.page
	})
	for after < n {
		if before != nil {
			if err := before(l, after/2+1); err != nil {
				return err
			}
		}
		var rows []T
		for ; after < n && len(rows) < 2; after++ {
			rows = append(rows, row(after+1))
		}
		if err := do(rows, after); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *source) Items(ctx context.Context, changed time.Time, after int, do func([]kiosk.Item, int) error) error {
	return read(ctx, s, kiosk.ItemList, changed, after, do, kiosktest.Item)
}

func (s *source) Patrons(ctx context.Context, changed time.Time, after int, do func([]kiosk.Patron, int) error) error {
	return read(ctx, s, kiosk.PatronList, changed, after, do, func(n int) kiosk.Patron {
		p := kiosktest.Patron(n)
		p.Seen = time.Now()
		return p
	})
}

func (s *source) Loans(ctx context.Context, after int, do func([]kiosk.Loan, int) error) error {
	return read(ctx, s, kiosk.OpenLoans, time.Time{}, after, do, func(n int) kiosk.Loan { return loan(n, 1) })
}

func loan(item, card int) kiosk.Loan {
	return kiosk.Loan{Item: kiosktest.Barcode(item), Patron: kiosktest.Card(card), At: kiosktest.Morning}
}

// since tells what was asked since the last time, in order, each question once.
func (s *source) since() (list []string) {
	s.let(func() { list, s.asked = s.asked, nil })
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(a[:1], b[:1]) })
	return slices.Compact(list)
}

// bench is a worker at work in a bubble, whose clock begins at midnight UTC.
type bench struct {
	*testing.T
	*Worker
	from *source
	into *kiosktest.Memory
}

func run(t *testing.T, every time.Duration, test func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, from: &source{n: map[kiosk.List]int{kiosk.ItemList: 5, kiosk.PatronList: 3, kiosk.OpenLoans: 4}}, into: &kiosktest.Memory{}}
		b.Worker = New(b.from, b.into, Config{Every: every, Quiet: 3 * time.Hour, Zone: time.UTC, Log: slog.New(slog.DiscardHandler),
			Alone: func(ctx context.Context) error {
				for b.from.atDesk() && ctx.Err() == nil {
					select {
					case <-time.After(time.Second):
					case <-ctx.Done():
					}
				}
				return ctx.Err()
			}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		start := func() {
			go func() { ended <- b.Worker.Run(ctx) }()
			synctest.Wait()
		}
		time.Sleep(9 * time.Hour) // a library opens
		start()
		test(b)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run() = %v; want Canceled", err)
		}
	})
}

// after lets time pass, and checks what was asked in it.
func (b *bench) after(d time.Duration, want ...string) {
	b.Helper()
	time.Sleep(d)
	synctest.Wait()
	if got := b.from.since(); !slices.Equal(got, want) {
		b.Errorf("at %s it was asked %q; want %q", time.Now().UTC().Format("2 15:04:05"), got, want)
	}
}

func (b *bench) status(l kiosk.List) Status {
	for _, s := range b.Worker.Status() {
		if s.List == l {
			return s
		}
	}
	return Status{}
}

func (b *bench) out(item int, want bool) {
	b.Helper()
	if _, err := b.into.Loan(b.Context(), kiosktest.Barcode(item)); (err == nil) != want {
		b.Errorf("Loan(%d): %v; want it out: %v", item, err, want)
	}
}

func TestDay(t *testing.T) {
	run(t, time.Hour, func(b *bench) {
		b.after(0, "items all", "loans all", "patrons all")
		b.after(59 * time.Minute)
		b.after(2*time.Minute, "items changed since 09:00", "loans all", "patrons changed since 09:00")
		if s := b.status(kiosk.ItemList); s.Rows != 5 || s.Change.Same != 5 || s.Err != nil || s.Whole.Hour() != 9 || s.Since.Hour() != 10 || s.Next.Hour() != 11 {
			b.Errorf("Status() = %+v", s)
		}
		p, err := b.into.Patron(b.Context(), kiosktest.Card(1))
		if err != nil || p.Seen.Before(time.Now().Add(-10*time.Minute)) {
			b.Errorf("a patron of whom nothing has changed was seen at %v, %v", p.Seen, err)
		}
		time.Sleep(16 * time.Hour)
		b.from.since()
		b.after(time.Hour, "items all", "loans all", "patrons all") // at three in the night
	})
}

// TestAsked: with no interval, only when it is told to.
func TestAsked(t *testing.T) {
	run(t, 0, func(b *bench) {
		b.after(48 * time.Hour)
		b.Refresh(false)
		b.after(0, "items all", "loans all", "patrons all")
		b.Refresh(false)
		b.after(0, "items changed since 09:00", "loans all", "patrons changed since 09:00")
		b.Refresh(true)
		b.after(0, "items all", "loans all", "patrons all")
		if s := b.status(kiosk.PatronList); s.Asked || !s.Next.IsZero() || !s.Begun.IsZero() {
			b.Errorf("Status() = %+v", s)
		}
	})
}

// TestSession: while somebody is at the desk, no page is asked for.
func TestSession(t *testing.T) {
	run(t, time.Hour, func(b *bench) {
		b.from.since()
		pages := 0
		b.from.before(func(l kiosk.List, page int) error {
			if pages++; pages == 2 {
				b.from.let(func() { b.from.busy = true }) // a card is read while a page is on its way
			}
			return nil
		})
		b.after(61*time.Minute, "items changed since 09:00")
		if s := b.status(kiosk.ItemList); pages != 2 || s.Begun.IsZero() || s.Rows != 4 {
			b.Errorf("%d pages were asked for in a session; %+v", pages, s)
		}
		b.after(20 * time.Minute)
		b.from.let(func() { b.from.busy = false })
		b.after(2*time.Second, "loans all", "patrons changed since 09:00")
		if pages != 3+2+2 {
			b.Errorf("%d pages; want 7", pages)
		}
		b.from.let(func() { b.from.busy = true })
		b.Refresh(false)
		b.after(time.Hour) // nor does it begin
	})
}

// TestBreaksOff: what has been read is not read again, and a list that broke
// off holds up no other.
func TestBreaksOff(t *testing.T) {
	run(t, time.Hour, func(b *bench) {
		b.from.since()
		b.from.before(func(l kiosk.List, page int) error {
			if l == kiosk.ItemList && page == 2 {
				return errAway
			}
			return nil
		})
		b.after(61*time.Minute, "items changed since 09:00", "items after 2 changed since 09:00", "loans all", "patrons changed since 09:00")
		s := b.status(kiosk.ItemList)
		if !errors.Is(s.Err, errAway) || s.Stuck || s.Rows != 2 || s.Since.Hour() != 9 {
			b.Errorf("Status() = %+v; want the second page to be missing", s)
		}
		b.from.before(nil)
		b.after(5*time.Minute, "items after 2 changed since 09:00")
		if s = b.status(kiosk.ItemList); s.Err != nil || s.Rows != 5 || s.Since.Hour() != 10 {
			b.Errorf("Status() = %+v", s)
		}
	})
}

// TestRetryByAnotherClock: a try that failed while the clock was months ahead
// is not waited for until then.
func TestRetryByAnotherClock(t *testing.T) {
	run(t, time.Hour, func(b *bench) {
		b.from.since()
		b.set(func() {
			for _, l := range b.lists {
				l.retry = time.Now().AddDate(0, 10, 0)
			}
		})
		b.after(61*time.Minute, "items changed since 09:00", "loans all", "patrons changed since 09:00")
	})
}

// TestStuck: what does not go away by itself is told.
func TestStuck(t *testing.T) {
	run(t, time.Hour, func(b *bench) {
		b.from.before(func(l kiosk.List, _ int) error {
			if l == kiosk.PatronList {
				return &kiosk.Error{Code: kiosk.CodeInternal, Text: "a permission is missing"}
			}
			return nil
		})
		time.Sleep(60*time.Minute + time.Second)
		synctest.Wait()
		if s := b.status(kiosk.PatronList); s.Err == nil || s.Stuck {
			b.Errorf("Status() after one try = %+v", s)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := b.status(kiosk.PatronList); !s.Stuck {
			b.Errorf("Status() after some = %+v; want it stuck", s)
		}
		b.from.since()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		tries := 0
		for _, q := range b.from.asked { // Run rests
			if q == "patrons changed since 09:00" {
				tries++
			}
		}
		if tries < 40 || tries > 60 {
			b.Errorf("%d tries in a day; want one each half an hour", tries)
		}
	})
}

// TestLoans: a loan that has come back elsewhere is over; one that was made
// here while the list was read is not, and a list that broke off ends nothing.
func TestLoans(t *testing.T) {
	run(t, time.Hour, func(b *bench) {
		b.out(3, true)
		b.from.let(func() { b.from.n[kiosk.OpenLoans] = 2 })
		if _, err := b.into.PutLoans(b.Context(), []kiosk.Loan{loan(20, 1)}); err != nil {
			b.Fatal(err)
		}
		b.from.before(func(l kiosk.List, page int) error {
			if l == kiosk.OpenLoans {
				return errAway
			}
			return nil
		})
		time.Sleep(70 * time.Minute)
		synctest.Wait()
		b.out(3, true)
		b.from.before(func(l kiosk.List, page int) error {
			if l == kiosk.OpenLoans {
				return b.into.Record(b.Context(), kiosktest.As(kiosktest.Checkout(1, 10, 2), kiosk.Granted, kiosktest.Morning))
			}
			return nil
		})
		b.Refresh(false)
		synctest.Wait()
		for item, want := range map[int]bool{1: true, 2: true, 3: false, 4: false, 20: false, 10: true} {
			b.out(item, want)
		}
		if s := b.status(kiosk.OpenLoans); s.Ended != 3 || s.Rows != 2 {
			b.Errorf("Status() = %+v; want 3 ended", s)
		}
		// Another list comes between.
		b.from.before(func(l kiosk.List, page int) error {
			if l == kiosk.OpenLoans {
				b.from.before(nil)
				_, err := b.into.ListLoans(b.Context())
				return err
			}
			return nil
		})
		b.from.since()
		b.after(2*time.Hour, "items changed since 10:10", "items changed since 11:10", "loans all", "patrons changed since 10:10", "patrons changed since 11:10")
		b.out(10, false) // by now the library would know of it
	})
}
