package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fromHere is a request of a page on the kiosk's own display.
func fromHere(path string) *http.Request {
	r := httptest.NewRequest("GET", "http://localhost"+path, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// TestBadgesForOwnDisplay: only the kiosk's own display learns of badges. To
// all others the answer is the same whatever is scanned, and they take nothing.
func TestBadgesForOwnDisplay(t *testing.T) {
	b := &Badges{}
	with, _, _ := crewSite(t, func(s *Staff) { s.Badges = b })
	without, _, _ := crewSite(t)
	shared, _, _ := crewSite(t, func(s *Staff) { s.Badges, s.Accounts, s.Password = b, nil, func(string) bool { return false } })
	for name, tt := range map[string]struct {
		site   http.Handler
		change func(*http.Request)
		reads  bool
	}{
		"own":           {with, func(*http.Request) {}, true},
		"own, typed":    {with, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, true},
		"own, IPv6":     {with, func(r *http.Request) { r.RemoteAddr = "[::1]:4711" }, true},
		"network":       {with, func(r *http.Request) { r.RemoteAddr = "192.0.2.7:4711" }, false},
		"no address":    {with, func(r *http.Request) { r.RemoteAddr = "@" }, false},
		"proxy":         {with, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") }, false},
		"another proxy": {with, func(r *http.Request) { r.Header.Set("Via", "1.1 x") }, false},
		"another site":  {with, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, false},
		"no scanner":    {without, func(*http.Request) {}, false},
		"no accounts":   {shared, func(*http.Request) {}, false},
	} {
		r, w := fromHere("/staff"), httptest.NewRecorder()
		tt.change(r)
		if tt.site.ServeHTTP(w, r); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "staff-door.js") != tt.reads || strings.Contains(w.Body.String(), `id="read"`) != tt.reads {
			t.Errorf("%s: the door = %d %s", name, w.Code, w.Body)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // who may wait has gone at once
		r, w = fromHere("/staff/badge").WithContext(ctx), httptest.NewRecorder()
		tt.change(r)
		tt.site.ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != tt.reads || !tt.reads && (w.Code != http.StatusForbidden || w.Body.String() != "badges are read for the kiosk's own display alone\n") {
			t.Errorf("%s: waiting = %d %s", name, w.Code, w.Body)
		}
		if b.Wanted() || b.Give("S1") {
			t.Errorf("%s: it still waits", name)
		}
	}
}

// TestBadgeWaits: one page waits, the newest, until it goes or its time is up.
func TestBadgeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Badges{}
		h, f, _ := crewSite(t, func(s *Staff) { s.Badges = b })
		begin := time.Now()
		wait := func(ctx context.Context) <-chan string {
			got := make(chan string, 1)
			go func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, fromHere("/staff/badge").WithContext(ctx))
				got <- w.Body.String()
			}()
			synctest.Wait()
			return got
		}
		if b.Give("S1") {
			t.Error("a badge is taken for nobody")
		}
		first := wait(t.Context())
		if !b.Wanted() || !b.Give("S1") {
			t.Error("nobody waits")
		}
		synctest.Wait()
		second := wait(t.Context())
		if got := <-first; got != "data: S1\n\n" || !time.Now().Equal(begin) {
			t.Errorf("the first has %q after %v", got, time.Since(begin))
		}
		for range 2 {
			if !b.Give("S2") {
				t.Error("the second waits no more")
			}
			synctest.Wait()
		}
		if got := <-second; got != "data: S2\n\ndata: S2\n\n" || time.Since(begin) != badgeWait {
			t.Errorf("the second has %q after %v", got, time.Since(begin))
		}
		if b.Wanted() || b.Give("S1") {
			t.Error("the second still waits")
		}
		begin = time.Now()
		ctx, leave := context.WithCancel(t.Context())
		third := wait(ctx)
		leave()
		if got := <-third; got != "" || !time.Now().Equal(begin) || b.Wanted() || b.Give("S1") {
			t.Errorf("a page that went away has %q after %v, and waits: %v", got, time.Since(begin), b.Wanted())
		}
		if f.newest() != "" || f.checked != 0 {
			t.Errorf("a badge alone is noted (%q) or tried (%d)", f.newest(), f.checked)
		}
	})
}
