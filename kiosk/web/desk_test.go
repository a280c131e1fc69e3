package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeDesk holds one screen, tells everybody when it changes, and remembers
// the touches.
type fakeDesk struct {
	mu     sync.Mutex
	screen kiosk.Screen
	news   chan struct{}
	sent   []kiosk.Event
	deaf   bool // takes no touch
}

func newDesk(sc kiosk.Screen) *fakeDesk {
	sc.Seq = 1
	return &fakeDesk{screen: sc, news: make(chan struct{})}
}

func (d *fakeDesk) show(sc kiosk.Screen) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	sc.Seq = d.screen.Seq + 1
	d.screen = sc
	close(d.news)
	d.news = make(chan struct{})
	return sc.Seq
}

func (d *fakeDesk) Screen() kiosk.Screen {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.screen
}

func (d *fakeDesk) Next(ctx context.Context, seq uint64) (kiosk.Screen, error) {
	for {
		d.mu.Lock()
		sc, news := d.screen, d.news
		d.mu.Unlock()
		if sc.Seq > seq {
			return sc, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return kiosk.Screen{}, ctx.Err()
		}
	}
}

func (d *fakeDesk) Send(ctx context.Context, ev kiosk.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.deaf {
		return context.DeadlineExceeded
	}
	d.sent = append(d.sent, ev)
	return nil
}

// noon is a Monday.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func clockAt(t time.Time) func() time.Time { return func() time.Time { return t } }

// newSite is a touch screen in English and Spanish on a desk at noon.
func newSite(t testing.TB, sc kiosk.Screen, change ...func(*Config)) (http.Handler, *fakeDesk) {
	t.Helper()
	if sc.Now.IsZero() {
		sc.Now = noon
	}
	d := newDesk(sc)
	c := Config{Desk: d, Library: "Maple Street Library", Languages: []string{"en", "es"}, Location: time.UTC, Clock: clockAt(noon),
		Hosts: []string{"example.com"}} // the name that httptest gives its requests
	for _, f := range change {
		f(&c)
	}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h, d
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func post(h http.Handler, path, form string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	h.ServeHTTP(w, r)
	return w
}

// stack are lines of things on the pad.
func stack() []kiosk.Line {
	return []kiosk.Line{
		{ID: "m", Item: "301", Title: "Momo", State: kiosk.LineLent, Times: 1},
		{ID: "s", Item: "400", Title: "Laptop bag", State: kiosk.LineAction, Reason: kiosk.ReasonPartsMissing, Have: 2, Parts: 3, Times: 1},
		{ID: "b", Item: "302", Title: "Matilda", State: kiosk.LineAction, Reason: kiosk.ReasonPutBack, Due: noon.AddDate(0, 0, 21), Kind: kiosk.Checkout, Times: 1},
		{ID: "f", Text: "DE-Sab 0815", State: kiosk.LineRefused, Reason: kiosk.ReasonTagForeign, Times: 1},
		{ID: "d", State: kiosk.LineRefused, Reason: kiosk.ReasonTagDamaged, Times: 1},
		{ID: "t", Text: "301", State: kiosk.LineRefused, Reason: kiosk.ReasonTagTwice, Times: 1},
		{ID: "p", State: kiosk.LineRefused, Reason: kiosk.ReasonPadFull, Times: 1},
	}
}

// sample are lines in every state.
func sample() []kiosk.Line {
	due := time.Date(2026, 12, 14, 23, 59, 59, 0, time.UTC)
	return []kiosk.Line{
		{ID: "w", Item: "301", Title: "Momo", State: kiosk.LineWaiting, Times: 1},
		{ID: "l", Item: "302", Title: "Matilda", State: kiosk.LineLent, Due: due, Times: 1},
		{ID: "n", Item: "303", Title: "Emil", State: kiosk.LineLent, Times: 1},
		{ID: "r", Item: "304", Title: "Heidi", State: kiosk.LineReturned, Times: 1},
		{ID: "h", Item: "305", Title: "Krabat", State: kiosk.LineReturned, Alert: true, Times: 1},
		{ID: "y", Item: "306", Title: "Pippi", State: kiosk.LineRenewed, Due: due, Times: 1},
		{ID: "x", Item: "307", Title: "Atlas", State: kiosk.LineRefused, Reason: kiosk.ReasonNotForLoan, Text: "ILS SAYS NO", Times: 1},
		{ID: "o", Item: "308", Title: "Dune", State: kiosk.LineAction, Reason: kiosk.ReasonOnLoanYou, Due: due, Times: 1},
		{ID: "c", Item: "309", State: kiosk.LineAction, Reason: kiosk.ReasonWaitsForCard, Times: 1},
	}
}
