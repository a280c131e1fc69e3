package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// TestOutboxLearns: what the library's system says while it is told of the
// outage is known when it is away again: that somebody waits for a book that
// came back, that another is lost, and that a card is good no more.
func TestOutboxLearns(t *testing.T) {
	ils := upstreamtest.New(upstreamtest.Rules{})
	ils.AddUser("kiosk1", "secret")
	book, lost := kiosktest.Item(1), kiosktest.Item(2)
	back := kiosktest.As(kiosktest.Checkin(1, 1), kiosk.Offline, time.Time{})
	gone := kiosktest.As(kiosktest.Checkout(2, 2, 3), kiosk.Offline, time.Now().AddDate(0, 0, 14)) // of an unknown card: it stays
	there := lost
	there.Status = kiosk.StatusLost
	ils.AddItems(book, there)
	for _, c := range []kiosk.Card{"has", "waits"} {
		ils.AddPatron(kiosk.Patron{Card: c}, "")
	}
	if err := ils.AddLoan(kiosk.Loan{Item: book.Barcode, Patron: "has", At: time.Now().AddDate(0, 0, -3), Due: time.Now().AddDate(0, 0, 9)}); err != nil {
		t.Fatal(err)
	}
	if err := ils.AddHold(book.Barcode, "waits"); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- sip2.Serve(ctx, ln, ils, sip2.ServerConfig{}) }()
	d := &Daemon{since: time.Now()}
	running := 1
	defer func() {
		for cancel(); running > 0; running-- {
			<-ended
		}
		if d.store != nil {
			d.upstream.(*Upstream).Close()
			d.store.Close()
		}
	}()

	conf := &config.Config{Location: time.UTC}
	conf.Kiosk.Data = t.TempDir()
	conf.Upstream.SIP2 = &sip2.Config{Address: ln.Addr().String(), User: "kiosk1", Password: "secret", Zone: time.UTC}
	store, err := sqlite.Open(t.Context(), filepath.Join(conf.Kiosk.Data, LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutItems(t.Context(), []kiosk.Item{book, lost}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutPatrons(t.Context(), []kiosk.Patron{{Card: gone.Patron, FamilyName: "Lin"}}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []kiosk.Entry{back, gone} {
		if err := store.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	d.Options = Options{Config: conf, Log: slog.New(slog.DiscardHandler)}
	if err := d.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	running++
	go func() { d.worker.Run(ctx); ended <- nil }()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		b, err1 := d.store.Item(t.Context(), book.Barcode)
		l, err2 := d.store.Item(t.Context(), lost.Barcode)
		p, err3 := d.store.Patron(t.Context(), gone.Patron)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		if b.Status == kiosk.StatusOnHold && l.Status == kiosk.StatusLost && p.Blocked == kiosk.ReasonUnknownCard && p.FamilyName == "Lin" {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the book that came back is known as %q, the lost one as %q, the card as %q", b.Status, l.Status, p.Blocked)
		}
	}
}
