package outbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

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
