package outbox

import (
	"fmt"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

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
