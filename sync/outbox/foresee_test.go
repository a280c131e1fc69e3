package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// prophet is a line by which patrons are asked for as well.
func prophet(l *line) *kiosktest.Upstream {
	return &kiosktest.Upstream{OnLook: l.OnLook, OnIdentify: func(_ context.Context, c kiosk.Card, _ string) (kiosk.Patron, error) {
		p, _, err := l.ils.Patron(c, "")
		return p, err
	}}
}

// TestForesee: what was foreseen of a queue is what comes of it.
func TestForesee(t *testing.T) {
	seen := map[Action]int{}
	for seed := range uint64(60) {
		in(t, func(b *bench) {
			ils := upstreamtest.Sample(time.Now())
			if seed%2 == 1 { // one that ignores no-block, and does not count
				ils = upstreamtest.New(upstreamtest.Rules{IgnoreNoBlock: true, Days: 30})
				for n := range 9 {
					ils.AddItems(kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprint("B", n+1))})
				}
				ils.AddPatron(kiosk.Patron{Card: "C1"}, "")
				ils.AddPatron(kiosk.Patron{Card: "C2"}, "")
				ils.AddPatron(kiosk.Patron{Card: "EXPIRED", Expires: time.Now().AddDate(-1, 0, 0)}, "")
			}
			b.line = newLine(ils)
			r := rand.New(rand.NewPCG(seed, 1))
			out := map[kiosk.Barcode]kiosk.Card{}
			var ids []kiosk.ID
			for range 30 {
				item, card := kiosk.Barcode(fmt.Sprint("B", 1+r.IntN(10))), []kiosk.Card{"C1", "C2", "NOBODY", "BARRED", "EXPIRED"}[r.IntN(5)]
				kind := kiosk.Checkout
				if who, ok := out[item]; ok {
					card = who
					if kind = kiosk.Checkin; r.IntN(3) == 0 {
						kind = kiosk.Renew
					}
				}
				if ids = append(ids, b.put(kiosk.Offline, kind, item, card)); kind == kiosk.Checkout {
					out[item] = card
				} else if kind == kiosk.Checkin {
					delete(out, item)
				}
			}
			up := kiosk.Upstream(prophet(b.line))
			if seed%2 == 0 {
				up = heeds{up}
			}
			queue, err := b.box.Queue(b.Context(), 100)
			if err != nil {
				b.Fatal(err)
			}
			ahead, want := Foresee(up, time.Now()), map[kiosk.ID]Verdict{}
			for _, q := range queue {
				if want[q.ID], err = ahead.Next(b.Context(), q.Entry); err != nil {
					b.Fatal(err)
				}
				seen[want[q.ID].Do]++
			}
			if n := len(b.line.ils.History()); n > 0 {
				b.Errorf("seed %d: %d things were told", seed, n)
			}
			b.run()
			b.after(time.Minute)
			for _, id := range ids {
				e, v := b.entry(id), want[id]
				if e.State.Calls() != (v.Do == Except || v.Do == Differ) && e.Item != "B5" { // from the hold shelf: only then it shows for whom
					b.Errorf("seed %d: %s of %s by %s: foreseen %s (%q), and it is %s (%q)", seed, e.Kind, e.Item, e.Patron, v.Do, v.Text, e.State, e.Text)
				}
			}
		})
	}
	for _, do := range []Action{Send, Except} {
		if seen[do] < 100 {
			t.Errorf("%s was foreseen %d times", do, seen[do])
		}
	}
}

// heeds is an upstream that is known to heed no-block.
type heeds struct{ kiosk.Upstream }

func (heeds) HeedsNoBlock() bool { return true }

// TestForeseeBehindTheDesk: what comes behind something of the desk's waits for
// it; and where the ILS does not answer nothing is foreseen.
func TestForeseeBehindTheDesk(t *testing.T) {
	in(t, func(b *bench) {
		asked := kiosk.Entry{ID: "1", Kind: kiosk.Checkout, Item: "B1", Patron: "C1", State: kiosk.Asked}
		behind := kiosk.Entry{ID: "2", Kind: kiosk.Checkin, Item: "B1", Patron: "C1", State: kiosk.Offline}
		f := Foresee(prophet(b.line), time.Now())
		for _, e := range []kiosk.Entry{asked, behind} {
			if v, err := f.Next(b.Context(), e); err != nil || v.Do != Wait {
				b.Errorf("%s: %+v, %v; want it to wait", e.State, v, err)
			}
		}
		b.line.set(true)
		for _, e := range []kiosk.Entry{behind, {Kind: kiosk.Checkout, Item: "B2", Patron: "C9", State: kiosk.Offline, Due: time.Now()}} {
			if _, err := Foresee(prophet(b.line), time.Now()).Next(b.Context(), e); kiosk.CodeOf(err) != kiosk.CodeOffline {
				b.Errorf("without the ILS: %v", err)
			}
		}
		b.line.set(false)
		up := prophet(b.line)
		up.OnIdentify = func(context.Context, kiosk.Card, string) (kiosk.Patron, error) {
			return kiosk.Patron{}, errors.New("x")
		}
		if _, err := Foresee(up, time.Now()).Next(b.Context(), kiosk.Entry{Kind: kiosk.Checkout, Item: "B2", Patron: "C1", State: kiosk.Offline, Due: time.Now()}); err == nil {
			b.Error("a patron who can't be asked for is foreseen")
		}
	})
}
