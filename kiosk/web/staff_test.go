package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeStation shows one view and remembers what it was told.
type fakeStation struct {
	mu       sync.Mutex
	view     StationView
	busy     error
	holds    int
	released int
	told     []string
}

func (f *fakeStation) Hold() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holds++
	return f.busy
}
func (f *fakeStation) Release() { f.released++ }
func (f *fakeStation) View() StationView {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.view
}
func (f *fakeStation) Next(ctx context.Context, _ uint64) (StationView, error) {
	<-ctx.Done()
	return StationView{}, ctx.Err()
}
func (f *fakeStation) Tell(_ context.Context, what, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, what+" "+value)
	return nil
}

const right = "correct horse"

// staffSite is a site with a station, whose clock stands still.
func staffSite(t *testing.T) (http.Handler, *fakeStation, *time.Time) {
	now := noon
	st := &fakeStation{view: StationView{Seq: 1, Mode: "write", Stage: "scan", Parts: 1}}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Station: st, Clock: func() time.Time { return now }}
	})
	return h, st, &now
}

// do asks as a browser of the same origin does.
func do(h http.Handler, method, path string, form url.Values, cookie *http.Cookie) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(method, path, form, cookie))
	return w
}

func request(method, path string, form url.Values, cookie *http.Cookie) *http.Request {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(form.Encode()))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if cookie != nil {
		r.AddCookie(cookie)
	}
	return r
}

func enter(t *testing.T, h http.Handler, password string) (int, *http.Cookie) {
	t.Helper()
	w := do(h, "POST", "/staff/sign-in", url.Values{"password": {password}}, nil)
	for _, c := range w.Result().Cookies() {
		if c.Name == staffCookie {
			return w.Code, c
		}
	}
	return w.Code, nil
}

func TestStaffWithoutPassword(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	if w := do(h, "GET", "/staff", nil, nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "kioskctl staff add") {
		t.Errorf("/staff = %d %s; want how to make an account", w.Code, w.Body)
	}
	if code, c := enter(t, h, ""); code != http.StatusForbidden || c != nil {
		t.Errorf("sign-in = %d, %v", code, c)
	}
	for _, path := range []string{"/staff/tags/stream", "/staff/tags"} {
		if w := do(h, "GET", path, nil, &http.Cookie{Name: staffCookie, Value: ""}); w.Code == http.StatusOK {
			t.Errorf("%s = %d", path, w.Code)
		}
	}
}

func TestStaffSession(t *testing.T) {
	h, st, now := staffSite(t)
	closed := func(c *http.Cookie, why string) {
		t.Helper()
		if w := do(h, "GET", "/staff/tags", nil, c); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/staff" {
			t.Errorf("%s: /staff/tags = %d", why, w.Code)
		}
		if w := do(h, "POST", "/staff/tags/undo", nil, c); w.Code != http.StatusForbidden {
			t.Errorf("%s: undo = %d", why, w.Code)
		}
		if w := do(h, "GET", "/staff/tags/stream", nil, c); w.Code != http.StatusForbidden {
			t.Errorf("%s: stream = %d", why, w.Code)
		}
	}
	closed(nil, "nobody")
	closed(&http.Cookie{Name: staffCookie, Value: "guess"}, "a guess")
	if st.holds > 0 {
		t.Error("a stranger took the pad")
	}
	code, c := enter(t, h, right)
	if code != http.StatusSeeOther || c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/staff" || len(c.Value) < 26 {
		t.Fatalf("sign-in = %d, %+v", code, c)
	}
	for range 3 { // a sign of life every 14 minutes
		*now = now.Add(14 * time.Minute)
		if w := do(h, "GET", "/staff/tags", nil, c); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Scan the barcode") {
			t.Fatalf("/staff/tags = %d %s", w.Code, w.Body)
		}
	}
	if w := do(h, "POST", "/staff/tags/scan", url.Values{"value": {" 302 "}}, c); w.Code != http.StatusNoContent || len(st.told) != 1 || st.told[0] != "scan 302" {
		t.Errorf("scan = %d, told %q", w.Code, st.told)
	}
	if w := do(h, "POST", "/staff/tags/format", nil, c); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown touch = %d", w.Code)
	}
	r := httptest.NewRequest("POST", "http://localhost/staff/tags/undo", nil)
	r.AddCookie(c)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("a touch from another site = %d", w.Code)
	}
	*now = now.Add(16 * time.Minute)
	closed(c, "idle for 16 minutes")
	_, c = enter(t, h, right)
	if do(h, "POST", "/staff/sign-out", nil, c); st.released != 1 {
		t.Error("signing out keeps the pad")
	}
	closed(c, "signed out")
}

// TestStaffTries: guessing gets slow, for the right password as well, and a
// right one in time ends that.
func TestStaffTries(t *testing.T) {
	h, _, now := staffSite(t)
	for n := range freeTries {
		if code, c := enter(t, h, "guess"); code != http.StatusForbidden || c != nil {
			t.Fatalf("try %d = %d", n, code)
		}
	}
	if code, c := enter(t, h, right); code != http.StatusTooManyRequests || c != nil {
		t.Fatalf("the right one at once = %d", code)
	}
	begin, tries := *now, 0
	for now.Sub(begin) < time.Hour {
		if code, _ := enter(t, h, "guess"); code == http.StatusForbidden {
			tries++
		}
		*now = now.Add(time.Second)
	}
	if tries > 70 {
		t.Errorf("%d tries in an hour; want fewer each minute", tries)
	}
	*now = now.Add(longestWait)
	if code, _ := enter(t, h, right); code != http.StatusSeeOther {
		t.Errorf("the right one after a wait = %d", code)
	}
	if code, _ := enter(t, h, "guess"); code != http.StatusForbidden {
		t.Errorf("wrong again = %d", code)
	}
	*now = now.Add(longestWait)
	if code, _ := enter(t, h, strings.Repeat("x", maxPassword+1)); code != http.StatusForbidden {
		t.Errorf("a long one = %d", code)
	}
}

func TestStaffSessionsAreFew(t *testing.T) {
	h, _, now := staffSite(t)
	var first *http.Cookie
	for n := range staffSessions + 1 {
		*now = now.Add(time.Second)
		_, c := enter(t, h, right)
		if n == 0 {
			first = c
		} else if w := do(h, "GET", "/staff/tags", nil, c); w.Code != http.StatusOK {
			t.Errorf("session %d = %d", n, w.Code)
		}
	}
	if w := do(h, "GET", "/staff/tags", nil, first); w.Code == http.StatusOK {
		t.Error("the oldest session outlives the bound")
	}
}

// TestStationWords: every stage and verdict has words and every view renders,
// with what hostile tags say kept in its place.
func TestStationWords(t *testing.T) {
	h, st, _ := staffSite(t)
	_, c := enter(t, h, right)
	evil := `<img src=x onerror=alert(1)>`
	for _, stage := range []string{"scan", "place", "working", "ask", "part", "lift", "trouble"} {
		for _, verdict := range []string{"several tags", "complete", "locked", "no fit", "failed", "lifted", "no tag", "nothing",
			"another library", "another item", "another part", "not a library's", "damaged", "patron card"} {
			st.view = StationView{Seq: 2, Mode: "write", Stage: stage, Verdict: verdict, Parts: 3, Item: evil, Title: evil, Says: evil, Code: evil,
				Was: StationTag{Item: evil, Owner: evil}, Missing: []int{1, 3}, PutBack: evil, UID: "E004",
				Done: []StationBook{{Item: "1", Title: evil, Dropped: evil, Parts: 2, Part: 1, Lent: true}}, Open: []StationBook{{Item: "2"}}}
			body := do(h, "GET", "/staff/tags", nil, c).Body.String()
			if strings.Contains(body, "<img") || !strings.Contains(body, "</html>") {
				t.Fatalf("%s, %s: %s", stage, verdict, body)
			}
			for _, key := range []string{"staff.stage.", "staff.verdict.", "staff.was", "staff.part"} {
				if strings.Contains(body, key) {
					t.Errorf("%s, %s: %s has no words", stage, verdict, key)
				}
			}
		}
	}
	st.busy = ErrDeskBusy
	if body := do(h, "GET", "/staff/tags", nil, c).Body.String(); !strings.Contains(body, "A patron is using the desk") {
		t.Error("a busy desk is not told")
	}
	if w := do(h, "POST", "/staff/tags/undo", nil, c); w.Code != http.StatusConflict {
		t.Errorf("a touch while a patron is there = %d", w.Code)
	}
}
