package sqlite

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

func TestEntries(t *testing.T) {
	f := newFile(t)
	ctx := t.Context()
	for n := range 6 {
		must(t, f.Record(ctx, kiosktest.As(kiosktest.Checkout(n, n, n%2), kiosk.Offline, kiosktest.Morning)))
	}
	o := kiosktest.After(kiosktest.Checkout(2, 2, 0), kiosk.Exception)
	o.Reason, o.Text = kiosk.ReasonFees, "owes 12.00"
	must(t, f.Conclude(ctx, o))
	must(t, f.Conclude(ctx, kiosktest.After(kiosktest.Checkout(3, 3, 1), kiosk.Settled)))
	must(t, f.Record(ctx, kiosktest.As(kiosktest.Checkin(6, 5), kiosk.Offline, time.Time{})))
	for _, c := range []struct {
		name   string
		filter Filter
		want   []int
	}{
		{"all", Filter{}, []int{6, 5, 4, 3, 2, 1, 0}},
		{"newest two", Filter{Limit: 2}, []int{6, 5}},
		{"one", Filter{ID: kiosktest.ID(4)}, []int{4}},
		{"of a card", Filter{Patron: kiosktest.Card(1)}, []int{5, 3, 1}},
		{"of an item", Filter{Item: kiosktest.Barcode(5)}, []int{6, 5}},
		{"in a state", Filter{State: kiosk.Settled}, []int{3}},
		{"still out", Filter{Open: true}, []int{4, 3, 1, 0}},
		{"still out to a card", Filter{Open: true, Patron: kiosktest.Card(1)}, []int{3, 1}},
		{"none", Filter{ID: "none"}, nil},
	} {
		var got, want []kiosk.ID
		for row, err := range f.Entries(ctx, c.filter) {
			must(t, err)
			got = append(got, row.ID)
		}
		for _, n := range c.want {
			want = append(want, kiosktest.ID(n))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v; want %v", c.name, got, want)
		}
	}
	ex, err := f.Exceptions(ctx)
	must(t, err)
	if len(ex) != 1 || ex[0].ID != o.Entry || ex[0].Reason != o.Reason || ex[0].Text != o.Text || !ex[0].Changed.Equal(o.At) {
		t.Errorf("Exceptions() = %+v; want that of %+v", ex, o)
	}
	c, err := f.Counts(ctx)
	must(t, err)
	want := Counts{Entries: 7, Outbox: 5, Oldest: kiosktest.Morning, Exceptions: 1, Loans: 4}
	if c != want {
		t.Errorf("Counts() = %+v; want %+v", c, want)
	}
	must(t, f.Conclude(ctx, kiosktest.After(kiosktest.Checkout(2, 2, 0), kiosk.Dismissed)))
	if ex, err := f.Exceptions(ctx); len(ex) != 0 || err != nil {
		t.Errorf("Exceptions() = %v, %v; want none left", ex, err)
	}
}

// TestEntriesGivenUp: whoever stops reading early leaves nothing open.
func TestEntriesGivenUp(t *testing.T) {
	f := newFile(t)
	for n := range 50 {
		must(t, f.Record(t.Context(), kiosktest.Checkout(n, n, 1)))
	}
	for range 2 * readers {
		for _, err := range f.Entries(t.Context(), Filter{}) {
			must(t, err)
			break
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := f.Newest(ctx); err != nil {
		t.Errorf("Newest after that: %v", err)
	}
}

// TestRunTidies: what was learned is on disk and the log is folded in once it
// has been quiet for a while.
func TestRunTidies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- f.Run(ctx, func(err error) { t.Errorf("Run reports %v", err) }) }()
		must(t, f.LearnItem(ctx, kiosktest.Item(1)))
		synctest.Wait()
		if _, err := f.Reader.Item(ctx, kiosktest.Barcode(1)); err == nil {
			t.Error("what was learned is written at once; a loan would wait for it")
		}
		time.Sleep(2 * quiet) // of the bubble's clock
		synctest.Wait()
		if _, err := f.Reader.Item(ctx, kiosktest.Barcode(1)); err != nil {
			t.Errorf("what was learned is not on disk: %v", err)
		}
		cancel()
		must(t, <-ended)
		var busy, logged, folded int
		must(t, f.conn.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &logged, &folded))
		if logged == 0 || logged != folded {
			t.Errorf("%d pages in the log, %d folded in; want all", logged, folded)
		}
	})
}

// TestRecordAll records many at once: all or none, and none twice.
func TestRecordAll(t *testing.T) {
	f := newFile(t)
	ctx := t.Context()
	var list []kiosk.Entry
	for n := range 3 {
		list = append(list, kiosktest.As(kiosktest.Checkin(n, n), kiosk.Offline, time.Time{}))
	}
	bad := slices.Clone(list)
	bad[2].Item = ""
	if err := f.RecordAll(ctx, bad); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("RecordAll of one without an item: %v; want invalid", err)
	}
	must(t, f.RecordAll(ctx, list[:1]))
	must(t, f.RecordAll(ctx, list))
	must(t, f.Conclude(ctx, kiosktest.After(list[1], kiosk.Settled)))
	ids := []kiosk.ID{list[0].ID, list[1].ID, list[2].ID, "none"}
	got, err := f.States(ctx, ids)
	want := map[kiosk.ID]kiosk.State{ids[0]: kiosk.Offline, ids[1]: kiosk.Settled, ids[2]: kiosk.Offline}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("States() = %v, %v; want %v", got, err, want)
	}
	queue, err := f.Queue(ctx, 9)
	if err != nil || len(queue) != 2 {
		t.Errorf("the outbox holds %d, %v; want 2", len(queue), err)
	}
}
