package main

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

func TestSumUp(t *testing.T) {
	for want, counts := range map[string]map[string]int{
		"43 will post, 2 need you": {posts: 43, needsYou: 2}, "0 will post, 1 needs you, 1 stands already": {needsYou: 1, stands: 1},
		"1 will post, 0 need you, 2 stand already, 1 waits for the desk": {posts: 1, stands: 2, waits: 1},
	} {
		if got := sumUp(counts); got != want {
			t.Errorf("sumUp(%v) = %q; want %q", counts, got, want)
		}
	}
}

// TestOutboxCheck says what would come of telling, and tells nothing.
func TestOutboxCheck(t *testing.T) {
	s := newSite(t)
	s.ctl(1, "outbox", "check") // no ledger
	s.ctl(0, "import", "items", s.write("items.csv", items))
	s.ctl(1, "outbox", "check") // no upstream
	ils, addr := library(t, upstreamtest.Rules{}, sip2.ServerConfig{})
	var queue []kiosk.Entry
	for n := range 4 {
		e := kiosktest.As(kiosktest.Checkout(n+1, 31+n, 1), kiosk.Offline, time.Now().AddDate(0, 0, 14))
		queue = append(queue, e)
		ils.AddPatron(kiosk.Patron{Card: e.Patron}, "")
		if n > 0 { // of the first the ILS knows nothing
			ils.AddItems(kiosk.Item{Barcode: e.Item})
		}
	}
	ils.AddPatron(kiosk.Patron{Card: "other"}, "")
	if err := ils.AddLoan(kiosk.Loan{Item: queue[1].Item, Patron: "other", At: time.Now(), Due: time.Now().AddDate(0, 0, 14)}); err != nil {
		t.Fatal(err)
	}
	back := kiosktest.As(kiosktest.Checkin(5, 34), kiosk.Offline, time.Time{}) // of what is lent by then
	again := kiosktest.As(kiosktest.Checkout(6, 34, 2), kiosk.Offline, time.Now().AddDate(0, 0, 14))
	ils.AddPatron(kiosk.Patron{Card: again.Patron, Blocked: kiosk.ReasonCardBlocked, BlockText: "Patron debarred"}, "")
	expired := kiosktest.As(kiosktest.Checkout(7, 35, 3), kiosk.Offline, time.Now().AddDate(0, 0, 14)) // no-block overrides that there
	ils.AddPatron(kiosk.Patron{Card: expired.Patron, Expires: time.Now().AddDate(0, 0, -3), Blocked: kiosk.ReasonCardExpired, BlockText: "Patron expired"}, "")
	ils.AddItems(kiosk.Item{Barcode: expired.Item})
	queue = append(queue, back, again, expired)
	s.record(queue...)
	s.upstream(addr, "profile = \"koha\"\n")
	out := s.ctl(0, "outbox", "check")
	contains(t, out, "4 will post, 3 need you\n", "Patron debarred", "does not know the item", "out to another patron")
	for _, f := range ils.History() {
		t.Errorf("it was told %+v", f)
	}
}
