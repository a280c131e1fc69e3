package inventory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestReturn plans returns, takes one back, and sends the other: it is in the
// outbox once, whatever is repeated.
func TestReturn(t *testing.T) {
	w := newWorld(t)
	if _, err := w.store.PutLoans(t.Context(), []kiosk.Loan{{Item: number(10), Patron: "Q", At: day}, {Item: number(11), Patron: "Q", At: day}}); err != nil {
		t.Fatal(err)
	}
	w.Ledger = w.store
	id := w.begin(stacks)
	w.scan(id, "ann", numbers(8, 9, 10, 12)...)
	plan := func(item kiosk.Barcode, code kiosk.Code) {
		t.Helper()
		if err := w.Return(t.Context(), id, "ann", item); kiosk.CodeOf(err) != code {
			t.Errorf("Return(%s): %v; want %q", item, err, code)
		}
	}
	plan(number(9), "")
	plan(number(9), "") // twice is once
	plan(number(10), "")
	plan(number(12), kiosk.CodeInvalid) // not on loan
	plan(number(11), kiosk.CodeInvalid) // not met
	list, err := w.Changes(t.Context(), id)
	if err != nil || len(list) != 2 || list[0].Book.Title != "Book 9" || list[0].Sent {
		t.Fatalf("Changes() = %+v, %v; want two that are not sent", list, err)
	}
	if _, err := w.Undo(t.Context(), id, "ann", list[1].Line); err != nil {
		t.Fatal(err)
	}
	w.open() // days later
	w.Ledger = w.store
	for i, want := range []int{1, 0} {
		if n, err := w.Send(t.Context(), id, "ann"); err != nil || n != want {
			t.Errorf("Send(), time %d = %d, %v; want %d", i+1, n, err, want)
		}
	}
	queue, err := w.store.Queue(t.Context(), 10)
	if err != nil || len(queue) != 1 || queue[0].Kind != kiosk.Checkin || queue[0].Item != number(9) || queue[0].Patron != "P" || queue[0].State != kiosk.Offline {
		t.Errorf("the outbox holds %+v, %v; want the return of B09", queue, err)
	}
	if _, err := w.Undo(t.Context(), id, "ann", list[0].Line); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("Undo of what was sent: %v; want invalid", err)
	}
	if list, err = w.Changes(t.Context(), id); err != nil || len(list) != 1 || !list[0].Sent {
		t.Errorf("Changes() = %+v, %v; want one that was sent", list, err)
	}
}

// TestForsaken: with scans goes what is planned of their books, and nothing of
// them is sent; what somebody else has met stays planned.
func TestForsaken(t *testing.T) {
	for name, back := range map[string]func(w *world, id kiosk.ID) error{
		"Unload": func(w *world, id kiosk.ID) error { _, err := w.Unload(w.t.Context(), id, "ann", 0); return err },
		"Undo": func(w *world, id kiosk.ID) error {
			for range 5 {
				if _, err := w.Undo(w.t.Context(), id, "bob", 0); err != nil {
					return err
				}
			}
			return nil
		},
		"cut off": func(w *world, id kiosk.ID) error { // before it came to what is planned
			for _, of := range w.live[id].mine["bob"] {
				if _, err := w.store.Write(w.t.Context(), id, []kiosk.ShelfLine{{Kind: kiosk.ShelfUndo, Who: "ann", At: day, Of: of}}); err != nil {
					return err
				}
			}
			w.open()
			w.equip()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.store.PutLoans(t.Context(), []kiosk.Loan{{Item: number(10), Patron: "Q", At: day}, {Item: "BRANCH", Patron: "Q", At: day}}); err != nil {
				t.Fatal(err)
			}
			w.equip()
			id := w.begin(stacks)
			w.scan(id, "ann", "B10", "B12")
			if _, err := w.Load(t.Context(), id, "bob", "wrong.txt", strings.NewReader("B09\nB10\nB11\nB12\nBRANCH\n")); err != nil {
				t.Fatal(err)
			}
			for what, want := range map[What]int{Return: 3, Seen: 2} {
				if n, err := w.Plan(t.Context(), id, "ann", what); err != nil || n != want {
					t.Fatalf("Plan(%s) = %d, %v; want %d", what, n, err, want)
				}
			}
			if err := back(w, id); err != nil {
				t.Fatal(err)
			}
			planned := func(when string) {
				t.Helper()
				list, err := w.Changes(t.Context(), id)
				var got []string
				for _, c := range list {
					got = append(got, string(c.Book.Item))
				}
				slices.Sort(got)
				if err != nil || fmt.Sprint(got) != "[B10 B12]" {
					t.Errorf("planned %s: %v, %v; want what ann has met", when, got, err)
				}
			}
			if name != "cut off" {
				planned("at once")
				w.open()
				w.equip()
				planned("days later")
			}
			if n, err := w.Send(t.Context(), id, "ann"); err != nil || n != 2 {
				t.Errorf("Send() = %d, %v; want 2", n, err)
			}
			planned("when it was sent")
			for _, item := range []kiosk.Barcode{number(9), "BRANCH"} {
				if _, err := w.store.Loan(t.Context(), item); err != nil {
					t.Errorf("the loan of %s: %v; want it to last", item, err)
				}
			}
			w.scan(id, "ann", "B09")
			if n, err := w.Plan(t.Context(), id, "ann", Return); err != nil || n != 1 {
				t.Errorf("met after all: Plan() = %d, %v; want 1", n, err)
			}
		})
	}
}

// equip gives it all that changes and files need.
func (w *world) equip() {
	w.File, w.Tells, w.Ledger = readRows, "update", w.store
}

// TestSendAgain: a crash between the ledger and the log sends nothing twice.
func TestSendAgain(t *testing.T) {
	w := newWorld(t)
	w.Ledger = w.store
	id := w.begin(stacks)
	w.scan(id, "ann", "B09")
	if err := w.Return(t.Context(), id, "ann", number(9)); err != nil {
		t.Fatal(err)
	}
	list, err := w.Changes(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	e := kiosk.Entry{ID: list[0].Entry, Session: id, Kind: kiosk.Checkin, Item: number(9), Patron: "P", At: day, State: kiosk.Offline}
	if err := w.store.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Send(t.Context(), id, "ann"); err != nil || n != 0 {
		t.Errorf("Send() = %d, %v", n, err)
	}
	n := 0
	for _, err := range w.store.Entries(t.Context(), sqlite.Filter{}) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("%d entries; want 1", n)
	}
}

// TestTell plans to tell of what was seen, takes one back, and sends the rest;
// what was lent since is passed over.
func TestTell(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	w.scan(id, "ann", numbers(0, 1, 2, 3, 9)...)
	tell := func(want int, code kiosk.Code, items ...kiosk.Barcode) {
		t.Helper()
		if n, err := w.Tell(t.Context(), id, "ann", items); n != want || kiosk.CodeOf(err) != code {
			t.Errorf("Tell(%v) = %d, %v; want %d, %q", items, n, err, want, code)
		}
	}
	tell(0, kiosk.CodeInvalid, number(1)) // the library's system is not told
	w.Tells, w.Ledger = "update", w.store
	tell(0, kiosk.CodeInvalid, number(8)) // not met
	tell(0, kiosk.CodeInvalid, number(9)) // on loan
	tell(2, "", number(0), number(1), number(0))
	tell(2, "", number(1), number(2), number(3))
	list, err := w.Changes(t.Context(), id)
	if err != nil || len(list) != 4 || list[0].What != "seen" || list[3].Book.Title != "Book 3" {
		t.Fatalf("Changes() = %+v, %v; want four", list, err)
	}
	if _, err := w.Undo(t.Context(), id, "ann", list[1].Line); err != nil {
		t.Fatal(err)
	}
	w.scan(id, "ann", string(number(4))) // and it goes on
	w.open()                             // days later
	w.Tells, w.Ledger = "update", w.store
	if _, err := w.store.PutLoans(t.Context(), []kiosk.Loan{{Item: number(9), Patron: "P", At: day}, {Item: number(2), Patron: "Q", At: day}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 0} {
		if n, err := w.Send(t.Context(), id, "ann"); err != nil || n != want {
			t.Errorf("Send(), time %d = %d, %v; want %d", i+1, n, err, want)
		}
	}
	queue, err := w.store.Queue(t.Context(), 10)
	if err != nil || len(queue) != 2 || queue[0].Kind != kiosk.Seen || queue[0].Item != number(0) || queue[1].Item != number(3) || queue[0].Patron != "" {
		t.Errorf("the outbox holds %+v, %v; want B00 and B03", queue, err)
	}
	tell(1, "", number(0), number(1)) // what was taken back can be told after all
}

// TestPlan plans all of a kind, as what is open says, and takes it back; a
// crash between the ledger and the log records nothing twice.
func TestPlan(t *testing.T) {
	w := newWorld(t)
	w.Tells, w.Ledger = "checkin", w.store
	id := w.begin(stacks)
	w.scan(id, "ann", numbers(0, 1, 2, 7, 8, 9)...) // 7 was lost, 8 is withdrawn, 9 is on loan
	w.scan(id, "ann", "BRANCH")
	open := func(want ...int) {
		t.Helper()
		o, err := w.Outgoing(t.Context(), id, 2)
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range o.Kinds {
			if k.What != Kinds[i] || k.Open != want[i] || k.In[Planned] != want[i+3] {
				t.Errorf("%s: %d open, %d planned; want %d, %d", k.What, k.Open, k.In[Planned], want[i], want[i+3])
			}
		}
		if o.Total != want[3]+want[4]+want[5] || len(o.Changes) != min(2, o.Total) {
			t.Errorf("%d changes, %d given", o.Total, len(o.Changes))
		}
	}
	plan := func(what What, want int) {
		t.Helper()
		if n, err := w.Plan(t.Context(), id, "ann", what); n != want || err != nil {
			t.Errorf("Plan(%s) = %d, %v; want %d", what, n, err, want)
		}
	}
	open(1, 1, 3, 0, 0, 0)
	plan(Seen, 3)
	plan(Seen, 0)
	plan(Found, 1)
	open(1, 0, 0, 0, 1, 3)
	if n, err := w.TakeBack(t.Context(), id, "ann", Seen); n != 3 || err != nil {
		t.Errorf("TakeBack(seen) = %d, %v; want 3", n, err)
	}
	open(1, 0, 3, 0, 1, 0)
	w.open() // days later
	w.Tells, w.Ledger = "checkin", w.store
	open(1, 0, 3, 0, 1, 0)
	plan(Return, 1)
	if n, err := w.TakeBack(t.Context(), id, "ann", ""); n != 2 || err != nil {
		t.Errorf("TakeBack() = %d, %v; want 2", n, err)
	}
	if _, err := w.store.PutLoans(t.Context(), []kiosk.Loan{{Item: number(2), Patron: "Q", At: day}}); err != nil {
		t.Fatal(err)
	}
	plan(Seen, 2) // the third was lent since
	if _, err := w.Plan(t.Context(), id, "ann", "burn"); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("Plan(burn): %v; want invalid", err)
	}
}

// watchedLedger counts how often it is asked how far entries are, and tells
// whether somebody can scan meanwhile.
type watchedLedger struct {
	Ledger
	asked int
	busy  func() bool
	t     *testing.T
}

func (l *watchedLedger) States(ctx context.Context, ids []kiosk.ID) (map[kiosk.ID]kiosk.State, error) {
	if l.asked++; l.busy() {
		l.t.Error("nobody can scan while the ledger is asked")
	}
	return l.Ledger.States(ctx, ids)
}

// TestOutgoingIsCheap: who looks on what is told asks the ledger only while that
// may change, counts only what is new, and keeps nobody from scanning.
func TestOutgoingIsCheap(t *testing.T) {
	w := newWorld(t)
	ledger := &watchedLedger{Ledger: w.store, t: t}
	w.Tells, w.Ledger = "update", ledger
	id := w.begin(stacks)
	ledger.busy = func() bool {
		l := w.live[id]
		free := l.mu.TryLock()
		if free {
			l.mu.Unlock()
		}
		return !free
	}
	w.scan(id, "ann", numbers(0, 1)...)
	if n, err := w.Plan(t.Context(), id, "ann", Seen); n != 2 || err != nil {
		t.Fatalf("Plan() = %d, %v; want 2", n, err)
	}
	look := func(p Progress, in, open, asked int) {
		t.Helper()
		o, err := w.Outgoing(t.Context(), id, 1)
		if err != nil || o.Total != 2 || len(o.Changes) != 1 || o.Changes[0].Book.Title == "" {
			t.Fatalf("Outgoing() = %+v, %v; want one of two, with its title", o, err)
		}
		if k := o.Kinds[2]; k.In[p] != in || k.Open != open || ledger.asked != asked {
			t.Errorf("%d %s, %d open, after %d questions; want %d, %d, %d", k.In[p], p, k.Open, ledger.asked, in, open, asked)
		}
	}
	look(Planned, 2, 0, 0)
	if n, err := w.Send(t.Context(), id, "ann"); n != 2 || err != nil {
		t.Fatalf("Send() = %d, %v; want 2", n, err)
	}
	conclude := func(i int, state kiosk.State) {
		t.Helper()
		if err := w.store.Conclude(t.Context(), kiosk.Outcome{Entry: w.live[id].changes[i].Entry, State: state, At: day}); err != nil {
			t.Fatal(err)
		}
	}
	look(Waiting, 2, 0, 1)
	counted := w.live[id].tallied
	conclude(0, kiosk.Settled)
	conclude(1, kiosk.Exception)
	look(Refused, 1, 0, 2)
	conclude(1, kiosk.Dismissed)
	look(Passed, 1, 0, 3)
	look(Told, 1, 0, 3)
	if w.live[id].tallied != counted {
		t.Error("it was counted again, and nothing had changed")
	}
	w.scan(id, "ann", string(number(3)))
	look(Told, 1, 1, 4)
}
