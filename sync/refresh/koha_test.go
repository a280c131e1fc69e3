package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/koha"
	"github.com/carrel-kiosk/carrel/sync/refresh"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

const rows = 230 // of each list: three pages

// library is a Koha with as many items, all lent, as patrons, that can be
// disturbed.
type library struct {
	*testing.T
	ils   *upstreamtest.ILS
	url   string
	fail  atomic.Pointer[func(r *http.Request) int] // the status in place of an answer; 0: the answer
	asked atomic.Int64
}

func newLibrary(t *testing.T) *library {
	l := &library{T: t, ils: upstreamtest.New(upstreamtest.Rules{})}
	l.ils.AddUser("kiosk1", "secret")
	var barcodes []kiosk.Barcode
	var cards []kiosk.Card
	for n := range rows {
		i, p := kiosktest.Item(n), kiosktest.Patron(n)
		barcodes, cards = append(barcodes, i.Barcode), append(cards, p.Card)
		l.ils.AddItems(i)
		l.ils.AddPatron(p, "")
		if err := l.ils.AddLoan(kiosk.Loan{Item: i.Barcode, Patron: p.Card, At: time.Now(), Due: time.Now().AddDate(0, 0, 14)}); err != nil {
			t.Fatal(err)
		}
	}
	inner := (&koha.Server{Backend: l.ils, Cards: func() []kiosk.Card { return cards }, Barcodes: func() []kiosk.Barcode { return barcodes }}).Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.asked.Add(1)
		if f := l.fail.Load(); f != nil {
			if status := (*f)(r); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *library) back(n int) {
	l.Helper()
	if _, err := l.ils.Do(kiosk.Entry{Kind: kiosk.Checkin, Item: kiosktest.Barcode(n), At: time.Now(), State: kiosk.Asked}, false); err != nil {
		l.Fatal(err)
	}
}

// desk is a worker with a mirror on disk.
type desk struct {
	*testing.T
	*refresh.Worker
	store *sqlite.Store
	busy  atomic.Bool
}

func (l *library) desk() *desk {
	l.Helper()
	u, err := koha.New(koha.Config{URL: l.url, ClientID: "kiosk1", Password: "secret"})
	if err != nil {
		l.Fatal(err)
	}
	store, err := sqlite.Open(l.Context(), filepath.Join(l.TempDir(), "ledger.db"))
	if err != nil {
		l.Fatal(err)
	}
	d := &desk{T: l.T, store: store}
	d.Worker = refresh.New(u, store, refresh.Config{Log: slog.New(slog.DiscardHandler), Alone: func(ctx context.Context) error {
		for d.busy.Load() && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		return ctx.Err()
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Worker.Run(ctx) }()
	l.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			l.Errorf("Run() = %v", err)
		}
		u.Close()
		store.Close()
	})
	return d
}

// until waits until all lists are as they should be.
func (d *desk) until(what string, ok func(refresh.Status) bool) {
	d.Helper()
	for range 2000 {
		all := true
		for _, s := range d.Status() {
			all = all && ok(s)
		}
		if all {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	d.Fatalf("never %s: %+v", what, d.Status())
}

func done(s refresh.Status) bool { return !s.Asked && s.Begun.IsZero() && s.Err == nil }

func (d *desk) counts(items, patrons, loans int) {
	d.Helper()
	c, err := d.store.Counts(d.Context())
	if err != nil || c.Items != items || c.Patrons != patrons || c.Loans != loans {
		d.Errorf("the mirror has %d items, %d patrons, %d loans, %v; want %d, %d, %d", c.Items, c.Patrons, c.Loans, err, items, patrons, loans)
	}
}

func (d *desk) out(n int, want bool) {
	d.Helper()
	if _, err := d.store.Loan(d.Context(), kiosktest.Barcode(n)); (err == nil) != want {
		d.Errorf("Loan(%d): %v; want it out: %v", n, err, want)
	}
}

func TestKoha(t *testing.T) {
	l := newLibrary(t)
	d := l.desk()
	d.Refresh(false)
	d.until("read", done)
	d.counts(rows, rows, rows)

	for _, n := range []int{3, 150, 229} {
		l.back(n)
	}
	if err := d.store.Record(t.Context(), kiosktest.As(kiosktest.Checkout(1, 500, 1), kiosk.Offline, time.Now())); err != nil {
		t.Fatal(err)
	}
	waits := kiosktest.Item(3) // as the desk was told when it came back; REST does not tell
	waits.Status, waits.Seen = kiosk.StatusOnHold, time.Now()
	if err := d.store.LearnItem(t.Context(), waits); err != nil {
		t.Fatal(err)
	}
	d.Refresh(false)
	d.until("read again", done)
	d.counts(rows, rows, rows-3+1)
	d.out(3, false)
	d.out(150, false)
	d.out(4, true)
	d.out(500, true)
	for n, want := range map[int]kiosk.ItemStatus{3: kiosk.StatusOnHold, 150: kiosk.StatusAvailable, 4: kiosk.StatusOnLoan} {
		if i, err := d.store.Item(t.Context(), kiosktest.Barcode(n)); err != nil || i.Status != want {
			t.Errorf("item %d is %q, %v; want %q", n, i.Status, err, want)
		}
	}
}

// goesOn tells whether a page is asked for behind the first.
func goesOn(r *http.Request) bool { return strings.Contains(r.URL.Query().Get("q"), `_id":{`) }

// TestKohaBreaks: an error in the middle and a token that is taken back cost
// no page twice and no loan.
func TestKohaBreaks(t *testing.T) {
	l := newLibrary(t)
	d := l.desk()
	d.Refresh(false)
	d.until("read", done)
	l.back(7)

	var pages []string
	broken := func(r *http.Request) int {
		list := strings.TrimPrefix(r.URL.Path, "/api/v1/")
		if goesOn(r) && (list == "checkouts" || list == "items") {
			return http.StatusBadGateway
		}
		if list == "patrons" && r.Header.Get("Authorization") == "Bearer token-1" && r.URL.Query().Get("_order_by") != "" {
			return http.StatusUnauthorized
		}
		return 0
	}
	l.fail.Store(&broken)
	d.Refresh(true)
	d.until("broken off", func(s refresh.Status) bool { return s.Err != nil })
	d.counts(rows, rows, rows)
	d.out(7, true) // the list of loans was cut off

	mended := func(r *http.Request) int {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			return http.StatusUnauthorized
		}
		if r.URL.Query().Get("_order_by") != "" {
			pages = append(pages, fmt.Sprint(strings.TrimPrefix(r.URL.Path, "/api/v1/"), goesOn(r)))
		}
		return 0
	}
	l.fail.Store(&mended)
	d.Refresh(false)
	d.until("mended", done)
	d.counts(rows, rows, rows-1)
	d.out(7, false)
	l.fail.Store(nil)
	want := "itemstrue itemstrue patronsfalse patronstrue patronstrue checkoutstrue checkoutstrue"
	if got := strings.Join(pages, " "); got != want {
		t.Errorf("after it was mended it asked for %s; want %s", got, want)
	}
}

// TestKohaSession: no page is asked for while somebody is at the desk.
func TestKohaSession(t *testing.T) {
	l := newLibrary(t)
	d := l.desk()
	card := func(*http.Request) int {
		d.busy.Store(true) // read while a page is on its way
		return 0
	}
	l.fail.Store(&card)
	d.Refresh(false)
	for l.asked.Load() < 2 { // the token, and the first page
		time.Sleep(time.Millisecond)
	}
	time.Sleep(4 * koha.Pause)
	if n := l.asked.Load(); n != 2 {
		t.Errorf("%d questions; want 2: the session has begun", n)
	}
	l.fail.Store(nil)
	d.busy.Store(false)
	d.until("read", done)
	d.counts(rows, rows, rows)
}
