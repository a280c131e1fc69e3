package daemon

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/metrics"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestRefusalsBeforeTheLedger: what is refused before anything is recorded, as
// a card that nobody has, a wrong PIN and an unread code, is counted each time,
// and a restart forgets none of it.
func TestRefusalsBeforeTheLedger(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	day := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	begin := func() (*figures, *sqlite.Store) {
		store, err := sqlite.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		return &figures{Daemon: &Daemon{Options: Options{Config: &config.Config{Location: time.UTC}}, store: store, metrics: metrics.New(nil)}, since: map[kiosk.Count]int{}}, store
	}
	session, now, id := kiosk.NewSession(kiosk.Rules{PIN: true, Location: time.UTC}), day.Add(9*time.Hour), 0
	send := func(f *figures, evs ...kiosk.Event) {
		for _, ev := range evs {
			now = now.Add(time.Second)
			session, _ = session.Step(ev, now, func() kiosk.ID { id++; return kiosk.ID(rune('a' + id)) })
			sc := session.Screen()
			sc.Now = now
			f.see(sc)
		}
	}
	no := func(card kiosk.Card, why kiosk.Reason) kiosk.Event {
		return kiosk.Identified{Card: card, Err: &kiosk.Error{Code: kiosk.CodeRefused, Reason: why}}
	}
	f, store := begin()
	send(f, kiosk.LinkChanged{Up: true}, kiosk.Unreadable{Code: "?", Reason: kiosk.ReasonUnreadable},
		kiosk.CardRead{Card: "c1"}, kiosk.PINEntered{PIN: "1"}, no("c1", kiosk.ReasonWrongPIN), kiosk.PINEntered{PIN: "2"}, no("c1", kiosk.ReasonWrongPIN),
		kiosk.CallHelp{}, kiosk.DropHelp{})
	if err := f.store(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	f, store = begin()
	defer store.Close()
	session = kiosk.NewSession(kiosk.Rules{PIN: true, Location: time.UTC})
	send(f, kiosk.LinkChanged{Up: true}, kiosk.CardRead{Card: "c2"}, kiosk.PINEntered{PIN: "1"}, no("c2", kiosk.ReasonUnknownCard))
	counts, err := f.between(t.Context(), day, day.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, c := range counts {
		got[c.What] += c.N
	}
	for what, want := range map[string]int{"refused:unreadable": 1, "refused:wrong-pin": 2, "refused:unknown-card": 1, kiosk.CountHelp: 1, kiosk.CountStuck: 1} {
		if got[what] != want {
			t.Errorf("%s is counted %d times; want %d (all: %v)", what, got[what], want, got)
		}
	}
}
