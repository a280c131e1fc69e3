package daemon

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// pi is a machine whose clock may be wrong, with its ledger on disk. The
// bubble's clock is the truth.
type pi struct {
	t     *testing.T
	path  string
	store *sqlite.Store
	boot  string
	began time.Time
	wrong time.Duration
	away  bool // the ILS is
	ahead time.Duration
	keeper
}

type keeper = *timekeeper

var berlin, _ = time.LoadLocation("Europe/Berlin")

func newPi(t *testing.T) *pi {
	p := &pi{t: t, path: filepath.Join(t.TempDir(), "ledger.db")}
	time.Sleep(time.Until(time.Date(2026, time.November, 23, 9, 0, 0, 0, berlin))) // of the bubble
	p.power("first", 0)
	t.Cleanup(func() { p.store.Close() })
	return p
}

// power boots the machine with a clock that is wrong.
func (p *pi) power(boot string, wrong time.Duration) {
	p.boot, p.began, p.wrong, p.away = boot, time.Now(), wrong, true
	p.start()
}

// start starts the process on it anew.
func (p *pi) start() {
	p.t.Helper()
	if p.store != nil {
		p.must(p.store.Close())
	}
	var err error
	p.store, err = sqlite.Open(p.t.Context(), p.path)
	p.must(err)
	began := p.began
	p.keeper = &timekeeper{ledger: p.store, log: slog.New(slog.DiscardHandler), ils: p, Clock: kiosk.NewClock(kiosk.ClockConfig{
		Wall: func() time.Time { return time.Now().Add(p.wrong) }, Up: func() time.Duration { return time.Since(began) },
		Boot: p.boot, Written: written, Zone: berlin,
	})}
	_, err = p.begin(p.t.Context())
	p.must(err)
	p.keep(p.t.Context())
}

// Time is the ILS's.
func (p *pi) Time() (kiosk.Reading, bool) {
	return kiosk.Reading{Time: time.Now().Add(p.ahead), At: time.Now(), Within: time.Second}, !p.away
}

func (p *pi) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// lend records a loan for 21 days by the desk's time, and gives the true one.
func (p *pi) lend(n int) time.Time {
	p.t.Helper()
	time.Sleep(10 * time.Minute)
	e := kiosktest.As(kiosktest.Checkout(n, n, 1), kiosk.Offline, time.Time{})
	now := p.Now()
	e.At, e.Doubt, e.Up = p.Stamp(now)
	e.Due = kiosk.Rules{Location: berlin, LoanDays: 21}.Due("", now)
	p.must(p.store.Record(p.t.Context(), e))
	return time.Now()
}

// told is what the outbox would tell of a loan.
func (p *pi) told(n int) kiosk.Queued {
	p.t.Helper()
	q, err := p.store.Queue(p.t.Context(), 100)
	p.must(err)
	for _, e := range q {
		if e.ID == kiosktest.ID(n) {
			return e
		}
	}
	p.t.Fatalf("the outbox lacks %d", n)
	return kiosk.Queued{}
}

// right checks that a loan is told with its true time, and due by it.
func (p *pi) right(n int, at time.Time) {
	p.t.Helper()
	y, m, d := at.In(berlin).Date()
	due := kiosk.EndOfDay(y, m, d+21, berlin)
	if q := p.told(n); q.Doubt || q.Up.Boot != "" || q.At.Sub(at).Abs() > 2*time.Second || !q.Due.Equal(due) {
		p.t.Errorf("loan %d is told as of %v, due %v, doubt %v; want %v, %v", n, q.At, q.Due, q.Doubt, at, due)
	}
}

// TestBoots: whatever the machine's clock is at its start, loans that are made
// before the ILS is heard are told with their true times, the doubtful marked
// until then; also if the process is started again in between.
func TestBoots(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		wrong time.Duration
		doubt bool
	}{
		"right":       {0, false},
		"1970":        {time.Unix(30, 0).Sub(time.Date(2026, time.November, 23, 8, 0, 0, 0, time.UTC)), true},
		"last week":   {-7*day - time.Hour/7, true},
		"next year":   {400*day + time.Hour/7, true},
		"next spring": {150*day + time.Hour/7, false},
	} {
		for _, again := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPi(t)
					p.away = false
					p.keep(t.Context())
					first := p.lend(1)
					p.right(1, first)
					time.Sleep(14 * time.Hour)
					p.power("second", c.wrong)
					var at []time.Time
					for n := range 5 {
						at = append(at, p.lend(2+n))
						if again {
							p.start()
						}
					}
					p.keep(t.Context())
					for n := range at {
						if q := p.told(2 + n); q.Doubt != c.doubt || q.At.Before(first.Add(-time.Second)) || q.Up.Boot != "second" {
							t.Errorf("offline: loan %d is %+v; want doubt %v, and a time from %v on", 2+n, q, c.doubt, first)
						}
					}
					p.away = false
					p.keep(t.Context())
					if s := p.State(); s.Doubt != "" || time.Until(s.Now).Abs() > 2*time.Second {
						t.Errorf("with the ILS the clock is %+v; want %v", s, time.Now())
					}
					if again {
						p.start()
					}
					at = append(at, p.lend(7))
					for n, at := range at {
						p.right(2+n, at)
					}
					p.right(1, first)
				})
			})
		}
	}
}

// TestTruthAfterReboot: what was made in doubt in an earlier run of the
// machine stays so, and what follows is right.
func TestTruthAfterReboot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPi(t)
		p.away = false
		p.keep(t.Context())
		first := p.lend(1)
		p.power("second", -7*24*time.Hour)
		p.lend(2)
		time.Sleep(time.Hour)
		p.power("third", -7*24*time.Hour)
		at := p.lend(3)
		p.away = false
		p.keep(t.Context())
		p.right(1, first)
		p.right(3, at)
		if q := p.told(2); !q.Doubt || q.Up.Boot != "" || q.At.Before(first.Add(-time.Second)) || q.At.After(at) {
			t.Errorf("what was made before the second boot is %+v; want it in doubt for good", q)
		}
		if c, err := p.store.Counts(t.Context()); c.Doubtful != 1 || err != nil {
			t.Errorf("Counts() = %+v, %v; want one in doubt", c, err)
		}
	})
}

// TestSetInTime: somebody sets the clock while the kiosk runs without an ILS.
func TestSetInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPi(t)
		p.lend(1)
		p.power("second", -60*24*time.Hour)
		at := p.lend(2)
		p.keep(t.Context())
		if q := p.told(2); !q.Doubt {
			t.Errorf("before it is set: %+v", q)
		}
		p.wrong = 0
		p.keep(t.Context())
		p.right(2, at)
		p.right(3, p.lendAndKeep(3))
	})
}

func (p *pi) lendAndKeep(n int) time.Time {
	at := p.lend(n)
	p.keep(p.t.Context())
	return at
}

// TestZoneOfILS: an ILS an hour off moves nothing; staff is told.
func TestZoneOfILS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPi(t)
		p.away, p.ahead = false, time.Hour
		p.keep(t.Context())
		at := p.lend(1)
		p.keep(t.Context())
		if s, q := p.State(), p.told(1); s.Warning == "" || s.Doubt != "" || !q.At.Equal(at) || q.Doubt {
			t.Errorf("the clock is %+v, the loan %+v; want a warning, and the loan at %v", s, q, at)
		}
	})
}

// TestPatronAtTheDeskMeanwhile: the clock is put right while somebody borrows.
// The session goes on, and what it has lent is dated right.
func TestPatronAtTheDeskMeanwhile(t *testing.T) {
	for _, wrong := range []time.Duration{-7 * 24 * time.Hour, 150 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			p := newPi(t)
			p.away = false
			p.keep(t.Context())
			p.lend(1)
			p.power("second", wrong)
			_, err := p.store.PutItems(t.Context(), []kiosk.Item{kiosktest.Item(50), kiosktest.Item(51)})
			p.must(err)
			patron := kiosktest.Patron(5)
			patron.Expires = time.Time{}
			_, err = p.store.PutPatrons(t.Context(), []kiosk.Patron{patron})
			p.must(err)
			n := 99
			d := desk.New(desk.Config{Rules: kiosk.Rules{Location: berlin}, Ledger: p.store, Mirror: p.store, Clock: p.Clock,
				NewID: func() kiosk.ID { n++; return kiosktest.ID(n) }, Log: slog.New(slog.DiscardHandler)})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- d.Run(ctx) }()
			lend := func(item int, count int) time.Time {
				p.must(d.Send(ctx, kiosk.ItemPlaced{Item: kiosktest.Barcode(item)}))
				at := time.Now()
				time.Sleep(time.Second)
				if sc := d.Screen(); sc.View != kiosk.ViewItems || len(sc.Lines) != count || sc.Lines[count-1].State != kiosk.LineLent {
					t.Fatalf("the screen shows %+v; want %d lent", sc, count)
				}
				return at
			}
			p.must(d.Send(ctx, kiosk.CardRead{Card: patron.Card}))
			time.Sleep(time.Second)
			at := []time.Time{lend(50, 1)}
			p.away = false
			p.keep(ctx)
			time.Sleep(20 * time.Second)
			at = append(at, lend(51, 2))
			if left := d.Screen().EndsAt.Sub(d.Screen().Now); left <= 0 || left > time.Hour {
				t.Errorf("the session ends in %v", left)
			}
			p.must(d.Send(ctx, kiosk.Finish{}))
			time.Sleep(2 * time.Minute)
			if sc := d.Screen(); sc.View != kiosk.ViewWelcome {
				t.Errorf("two minutes later the screen shows %s", sc.View)
			}
			p.keep(ctx)
			q, err := p.store.Queue(ctx, 100)
			p.must(err)
			for i, at := range at {
				e := q[i+1]
				y, m, day := at.In(berlin).Date()
				if e.Doubt || e.At.Sub(at).Abs() > 2*time.Second || !e.Due.Equal(kiosk.EndOfDay(y, m, day+21, berlin)) {
					t.Errorf("%s is told as of %v, due %v, doubt %v; want %v", e.Item, e.At, e.Due, e.Doubt, at)
				}
			}
			cancel()
			p.must(<-ended)
		})
	}
}
