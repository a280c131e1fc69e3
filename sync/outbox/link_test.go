package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

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
