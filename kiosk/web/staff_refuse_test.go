package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// unreadable is an audit log on a disk that fails.
type unreadable struct{ Audit }

func (unreadable) Acts(context.Context, kiosk.ActFilter) ([]kiosk.Act, error) {
	return nil, errors.New("disk")
}

// TestStaffRefused: why something is not done or not shown is told in the
// language of who asks, as a page to a browser that waits for one, and as text
// to a script.
func TestStaffRefused(t *testing.T) {
	broken := errors.New("disk")
	h, crew, _ := crewSite(t, func(s *Staff) {
		s.Now = func(context.Context) (Now, error) { return Now{}, broken }
		s.Figures = func(context.Context, time.Time, time.Time) ([]kiosk.Count, error) { return nil, broken }
		s.Station, s.Audit = &fakeStation{busy: ErrDeskBusy}, unreadable{s.Audit}
	})
	ask := func(as, method, path string, head ...string) *httptest.ResponseRecorder {
		var c *http.Cookie
		if as != "" {
			_, c = enterAs(h, as, crew.members[kiosk.Card(as)].Hash)
		}
		if strings.HasSuffix(path, ".csv") {
			crew.full = broken
		}
		r := request(method, path, url.Values{}, c)
		r.AddCookie(&http.Cookie{Name: staffLanguageCookie, Value: "es"})
		for i := 0; i < len(head); i += 2 {
			r.Header.Set(head[i], head[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		crew.full = nil
		return w
	}
	for _, tt := range []struct {
		as, method, path string
		code             int
		says, back       string
	}{
		{"", "POST", "/staff/tags/undo", 403, "La sesión ha terminado.", `action="/staff/sign-in"`},
		{"S3", "POST", "/staff/strange/read", 403, "No es para su función", ""},
		{"S1", "GET", "/staff/now", 500, "Esto no se puede mostrar ahora.", `class="button" href="/staff/now"`},
		{"S1", "GET", "/staff/today", 500, "Esto no se puede mostrar ahora.", `class="button" href="/staff/today"`},
		{"S1", "GET", "/staff/log", 500, "Esto no se puede mostrar ahora.", `class="button" href="/staff/log"`},
		{"S1", "GET", "/staff/log.csv", 500, "No se ha cambiado nada", `class="button" href="/staff/log"`},
		{"S1", "POST", "/staff/tags/undo", 409, "Alguien está usando el puesto", `class="button" href="/staff/tags"`},
	} {
		for name, head := range map[string][]string{"a page": {"Sec-Fetch-Dest", "document"}, "a page over plain HTTP": {"Accept", "text/html,*/*;q=0.8"}} {
			w := ask(tt.as, tt.method, tt.path, head...)
			if body := w.Body.String(); w.Code != tt.code || !strings.Contains(body, tt.says) || !strings.Contains(body, tt.back) || !strings.Contains(body, `lang="es"`) {
				t.Errorf("%s: %s %s = %d %s; want %d, %q and %s", name, tt.method, tt.path, w.Code, body, tt.code, tt.says, tt.back)
			}
		}
		w := ask(tt.as, tt.method, tt.path, "Sec-Fetch-Dest", "empty")
		if body := w.Body.String(); w.Code != tt.code || !strings.Contains(body, tt.says) || strings.Contains(body, "<") {
			t.Errorf("a script: %s %s = %d %s; want %d %q alone", tt.method, tt.path, w.Code, body, tt.code, tt.says)
		}
	}
}
