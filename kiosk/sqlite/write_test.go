package sqlite

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestOneOfManyFails: in one transaction each stands or falls alone, and
// what falls leaves nothing of what it had done so far.
func TestOneOfManyFails(t *testing.T) {
	f := newFile(t)
	broken := errors.New("broken")
	good := func(n int) *write {
		return &write{do: func(w *writer) error {
			return w.record(kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning))
		}}
	}
	bad := func(n int) *write {
		return &write{do: func(w *writer) error { return errors.Join(good(n).do(w), broken) }}
	}
	f.commit([]*write{good(0), bad(7), good(1)})
	f.commit([]*write{bad(8)})
	f.commit([]*write{good(2)})
	f.commit(nil)
	if err := unchanged(t.Context(), f.Store, 3); err != nil {
		t.Error(err)
	}
	all := []*write{good(2), bad(9), good(3)}
	f.commit(all)
	if err := unchanged(t.Context(), f.Store, 4); err != nil {
		t.Error(err)
	}
	if all[0].err != nil || !errors.Is(all[1].err, broken) || all[2].err != nil {
		t.Errorf("errors are %v, %v, %v; want the second alone", all[0].err, all[1].err, all[2].err)
	}
}

// TestPanicTellsNobodyYes: what waited to be written with something that
// panics is not written, and its callers are told so.
func TestPanicTellsNobodyYes(t *testing.T) {
	f := newFile(t)
	waiting := func(n int) {
		for range 20000 {
			f.mu.Lock()
			got := len(f.queue)
			f.mu.Unlock()
			if got == n {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Errorf("not %d writes wait", n)
	}
	nothing := func(*writer) error { return nil }
	errs := make(chan error, 2)
	err := f.write(t.Context(), "first", func(*writer) error {
		waiting(0)
		go func() {
			defer func() { recover(); errs <- nil }()
			f.write(t.Context(), "second", func(*writer) error { panic("a slip") })
		}()
		waiting(1)
		go func() { errs <- f.write(t.Context(), "third", nothing) }()
		waiting(2)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := <-errs, <-errs; a == nil && b == nil {
		t.Error("what was to be written with what panicked counts as written")
	}
}

// TestCopySeesCommitted: a look shows nothing that may still be undone, and
// waits for nobody who writes.
func TestCopySeesCommitted(t *testing.T) {
	f := newFile(t)
	look := func(when string, want kiosk.Copy, tags ...kiosk.TagID) {
		t.Helper()
		if got, err := f.Tags(t.Context(), kiosktest.Barcode(1)); !slices.Equal(got, tags) || err != nil {
			t.Errorf("%s: Tags() = %v, %v; want %v", when, got, err, tags)
		}
		if c, err := f.Copy(t.Context(), kiosktest.Barcode(1)); c != want || err != nil {
			t.Errorf("%s: Copy() = %+v, %v; want %+v", when, c, err, want)
		}
	}
	e := kiosktest.As(kiosktest.Checkout(1, 1, 1), kiosk.Offline, kiosktest.Morning)
	e.Tags = []kiosk.TagID{"E004015000000001"}
	must(t, f.write(t.Context(), "record", func(w *writer) error {
		err := w.record(e)
		look("in the transaction", kiosk.Copy{})
		return err
	}))
	lent := kiosk.Copy{Loan: kiosk.Loan{Item: e.Item, Patron: e.Patron, At: e.At, Due: e.Due}, OnLoan: true, Unsettled: true, Tagged: true}
	look("recorded", lent, e.Tags...)
	must(t, f.Bulk(t.Context(), func() error {
		_, err := f.PutItems(t.Context(), []kiosk.Item{kiosktest.Item(1)})
		look("in bulk", lent, e.Tags...)
		return err
	}))
	lent.Item, lent.Known = kiosktest.Item(1).AtDesk(), true
	look("after it", lent, e.Tags...)
}

// FuzzText: whatever bytes a device or a list brings in come back the same,
// or are refused.
func FuzzText(f *testing.F) {
	f.Add("30000000000004", "Öl auf Wasser")
	f.Add("\x00", "\xff|\r\n'\"")
	path := f.TempDir() + "/ledger.db"
	s := opened(f, path)
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, code, title string) {
		want := kiosk.Item{Barcode: kiosk.Barcode(code), Status: kiosk.StatusAvailable, Title: title, ISBN: "x" + title}
		_, err := s.PutItems(t.Context(), []kiosk.Item{want})
		must(t, err)
		got, err := s.Item(t.Context(), want.Barcode)
		if err != nil || got != want {
			t.Errorf("Item() = %+v, %v; want %+v", got, err, want)
		}
		if c, err := s.Copies(t.Context(), want.ISBN, 1); len(c) != 1 || err != nil {
			t.Errorf("Copies() = %+v, %v; want one", c, err)
		}
	})
}
