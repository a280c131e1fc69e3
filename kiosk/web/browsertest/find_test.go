package browsertest_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// plan has a room with two shelves, and a script that no browser may run.
type plan struct{}

func (plan) Spot(i kiosk.Item) (web.Spot, bool) {
	return web.Spot{X: 30, Y: 45}, i.Location == "Fiction"
}

func (plan) Picture() ([]byte, string) {
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 240" width="400" height="240" onload="fetch('/touch/return',{method:'POST'})">
<script>fetch('/touch/return',{method:'POST'})</script>
<rect width="400" height="240" fill="#fff" stroke="#333" stroke-width="4"/><rect x="60" y="60" width="120" height="26" fill="#9bb"/><rect x="60" y="140" width="120" height="26" fill="#9bb"/>
<text x="70" y="130" font-size="20">Fiction</text><text x="300" y="220" font-size="20">Desk</text></svg>`), "image/svg+xml"
}

// lockedBuffer takes a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestFind finds books as patrons do, by touch and by keys alone, on a whole
// desk: the mirror in SQLite, reservations with a library's system over SIP2.
func TestFind(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ils := upstreamtest.New(upstreamtest.Rules{})
	ils.AddPatron(kiosk.Patron{Card: "C1", FirstName: "Amélie", FamilyName: "Lin"}, "1234")
	var items []kiosk.Item
	for n, b := range [][2]string{{"The Hobbit", "Tolkien, J. R. R."}, {"The Hobbit", "Tolkien, J. R. R."}, {"Müller kocht", "Groß, Ute"}, {"红楼梦", "曹雪芹"}, {"Кобзар", "Шевченко, Тарас"}, {"ألف ليلة", ""}, {"Truyện Kiều", "Nguyễn Du"}} {
		items = append(items, kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprint("B", n)), Title: b[0], Author: b[1], CallNumber: fmt.Sprint("FIC ", n), Location: "Fiction", Status: kiosk.StatusAvailable})
	}
	items[0].Subjects = "Dwarfs -- Fiction"
	for n := range 23 {
		items = append(items, kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprint("D", n)), Title: fmt.Sprint("Dragons ", n+1), CallNumber: "398.2", Location: "Fiction", Status: kiosk.StatusAvailable})
	}
	ils.AddItems(items...)
	_, err = store.PutItems(t.Context(), items)
	for more := err == nil; more && err == nil; {
		more, err = store.Index(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	log := &lockedBuffer{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	wg.Go(func() { sip2.Serve(ctx, ln, ils, sip2.ServerConfig{Open: true, Log: logger}) }) //nolint:errcheck // ends with the test
	defer ln.Close()
	up, err := sip2.NewUpstream(sip2.Config{Address: ln.Addr().String(), Log: logger})
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	if err := up.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	d := desk.New(desk.Config{Ledger: store, Mirror: store, Upstream: up, Deadline: 5 * time.Second, Log: logger, Rules: kiosk.Rules{PIN: true, Idle: 10 * time.Minute, AwaitCard: 10 * time.Minute},
		NewID: func() kiosk.ID { return kiosk.ID(fmt.Sprintf("id-%06d", n.Add(1))) }})
	wg.Go(func() { d.Run(ctx) }) //nolint:errcheck // ends with the test
	control := func(w http.ResponseWriter, r *http.Request) {
		ev := map[string]kiosk.Event{"/bench/card": kiosk.CardRead{Card: "C1"}, "/bench/up": kiosk.LinkChanged{Up: true}, "/bench/down": kiosk.LinkChanged{}}[r.URL.Path]
		if err := d.Send(r.Context(), ev); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
	site, err := web.New(web.Config{Desk: d, Library: "Maple Street Library", Languages: []string{"en", "de", "uk", "vi", "ar", "es"}, Find: true, Plan: plan{}, Log: logger,
		Pages: map[string]http.Handler{"/bench": http.HandlerFunc(control)}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(site)
	defer srv.Close()
	defer srv.CloseClientConnections()
	browsertest.Run(t, "find.cjs", "BASE="+srv.URL)
	if _, waiting, _ := ils.Waits("C1"); len(waiting) == 0 {
		if ready, _, _ := ils.Waits("C1"); len(ready) == 0 {
			t.Error("nothing was reserved")
		}
	}
	for _, typed := range []string{"hobbit", "hobibt", "dragons"} {
		if strings.Contains(strings.ToLower(log.String()), typed) {
			t.Errorf("the log tells that somebody looked for %q", typed)
		}
	}
}
