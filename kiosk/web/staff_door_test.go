package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeStaff has accounts, whose PIN is their hash, and keeps a log.
type fakeStaff struct {
	mu      sync.Mutex
	members map[kiosk.Card]kiosk.Member
	acts    []kiosk.Act // the newest first
	full    error       // why nothing is noted
	checked int
}

func (f *fakeStaff) Enter(_ context.Context, badge kiosk.Card, secret string) (kiosk.Member, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.checked++
	m, ok := f.members[badge]
	return m, ok && m.Hash == secret, nil
}

func (f *fakeStaff) Member(_ context.Context, badge kiosk.Card) (kiosk.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m, ok := f.members[badge]; ok {
		return m, nil
	}
	return kiosk.Member{}, kiosk.ErrUnknown
}

func (f *fakeStaff) Members(context.Context) (list []kiosk.Member, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		list = append(list, m)
	}
	return list, nil
}

// worded panics where the log has no words for what is noted.
func worded(a kiosk.Act) {
	en, err := languages([]string{"en"})
	if err != nil || en[0].Texts["staff.act."+a.What] == "" {
		panic(fmt.Sprint("no words for ", a.What, err))
	}
}

func (f *fakeStaff) Note(_ context.Context, a kiosk.Act) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full != nil {
		return f.full
	}
	worded(a)
	a.N, a.At = int64(len(f.acts)+1), noon
	f.acts = slices.Insert(f.acts, 0, a)
	return nil
}

func (f *fakeStaff) Acts(_ context.Context, fl kiosk.ActFilter) ([]kiosk.Act, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []kiosk.Act
	for _, a := range f.acts {
		if (fl.Before == 0 || a.N < fl.Before) && (fl.Badge == "" || a.Badge == fl.Badge) && (fl.Limit == 0 || len(list) < fl.Limit) {
			list = append(list, a)
		}
	}
	return list, nil
}

// newest is the newest act, in short.
func (f *fakeStaff) newest() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.acts) == 0 {
		return ""
	}
	a := f.acts[0]
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", a.Name, a.What, a.About, a.Note))
}

func crew() *fakeStaff {
	f := &fakeStaff{members: map[kiosk.Card]kiosk.Member{}}
	for _, m := range []kiosk.Member{
		{Badge: "S1", Name: "Ana", Role: kiosk.Manager, Hash: "ana-1234"},
		{Badge: "S2", Name: "Bo", Role: kiosk.Librarian, Hash: "bo-1234"},
		{Badge: "S3", Name: "Cy", Role: kiosk.Helper, Hash: "cy-1234"},
	} {
		f.members[m.Badge] = m
	}
	return f
}

// crewSite is a site whose staff have accounts; more changes what it stands on.
func crewSite(t *testing.T, more ...func(*Staff)) (http.Handler, *fakeStaff, *time.Time) {
	now, f := noon, crew()
	st := &Staff{Accounts: f, Audit: f, Station: &fakeStation{view: StationView{Seq: 1, Mode: "write", Stage: "scan", Parts: 1}}, Clock: func() time.Time { return now }}
	for _, m := range more {
		m(st)
	}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Staff = st })
	return h, f, &now
}

func enterAs(h http.Handler, badge, secret string) (int, *http.Cookie) {
	w := do(h, "POST", "/staff/sign-in", url.Values{"badge": {badge}, "password": {secret}}, nil)
	for _, c := range w.Result().Cookies() {
		if c.Name == staffCookie {
			return w.Code, c
		}
	}
	return w.Code, nil
}

func TestAccountsSignIn(t *testing.T) {
	h, f, now := crewSite(t)
	if body := do(h, "GET", "/staff", nil, nil).Body.String(); !strings.Contains(body, `id="badge"`) || !strings.Contains(body, " required autofocus") {
		t.Errorf("the door asks for no badge: %s", body)
	}
	code, c := enterAs(h, " S2 ", "bo-1234")
	if code != http.StatusSeeOther || c == nil || f.newest() != "Bo sign-in" {
		t.Fatalf("sign-in = %d, noted %q", code, f.newest())
	}
	if code, c := enterAs(h, "", "bo-1234"); code != http.StatusForbidden || c != nil {
		t.Errorf("without a badge = %d", code)
	}
	// A password typed into the badge's field is kept nowhere.
	if code, _ := enterAs(h, "my secret", "S2"); code != http.StatusForbidden || f.newest() != "sign-in.failed" {
		t.Errorf("a wrong badge = %d, noted %q", code, f.newest())
	}
	if code, _ := enterAs(h, "S2", "guess"); code != http.StatusForbidden || f.newest() != "Bo sign-in.failed" {
		t.Errorf("a wrong PIN = %d, noted %q", code, f.newest())
	}
	f.full = errors.New("disk full")
	if code, c := enterAs(h, "S1", "ana-1234"); code != http.StatusInternalServerError || c != nil {
		t.Errorf("sign-in that can't be noted = %d", code)
	}
	f.full = nil
	// Whatever is done, a session has its end.
	for range 60 {
		if w := do(h, "GET", "/staff/tags", nil, c); w.Code != http.StatusOK {
			break
		}
		*now = now.Add(14 * time.Minute)
	}
	if age := now.Sub(noon); age < staffLongest || age > staffLongest+15*time.Minute {
		t.Errorf("a session in use lived %v; want %v", age, staffLongest)
	}
}

// TestAccountsEnd: a session ends with the account, and when that gets another
// PIN; another role counts at once.
func TestAccountsEnd(t *testing.T) {
	h, f, _ := crewSite(t)
	open := func(c *http.Cookie, path string) int { return do(h, "GET", path, nil, c).Code }
	_, bo := enterAs(h, "S2", "bo-1234")
	_, cy := enterAs(h, "S3", "cy-1234")
	if open(bo, "/staff/log") != http.StatusForbidden || open(cy, "/staff/exceptions") != http.StatusForbidden || open(bo, "/staff/exceptions") != http.StatusOK {
		t.Error("roles are not kept apart")
	}
	if w := do(h, "POST", "/staff/exceptions/e1", url.Values{"how": {"dismiss"}, "note": {"x"}}, cy); w.Code != http.StatusForbidden {
		t.Errorf("a helper settles an exception: %d", w.Code)
	}
	m := f.members["S2"]
	m.Role = kiosk.Manager
	f.members["S2"] = m
	if open(bo, "/staff/log") != http.StatusOK {
		t.Error("a new role does not count")
	}
	m.Hash = "another"
	f.members["S2"] = m
	delete(f.members, "S3")
	for _, c := range []*http.Cookie{bo, cy} {
		if code := open(c, "/staff/tags"); code != http.StatusSeeOther {
			t.Errorf("the session outlives its account: %d", code)
		}
	}
}

// TestAccountsTries: guessing one badge does not keep out the others, and
// guessing at many gets slow all the same.
func TestAccountsTries(t *testing.T) {
	h, f, now := crewSite(t)
	for range freeTries {
		enterAs(h, "S2", "guess")
	}
	if code, _ := enterAs(h, "S2", "bo-1234"); code != http.StatusTooManyRequests {
		t.Errorf("the right PIN at once = %d", code)
	}
	if code, _ := enterAs(h, "S1", "ana-1234"); code != http.StatusSeeOther {
		t.Errorf("another badge = %d", code)
	}
	was, begin := f.checked, *now
	for n := range 3600 {
		enterAs(h, fmt.Sprint("S", n), "guess")
		*now = now.Add(time.Second)
	}
	if n := f.checked - was; n > freeGuesses+40 {
		t.Errorf("%d guesses at many badges in %v", n, now.Sub(begin))
	}
	*now = now.Add(longestWait)
	if code, _ := enterAs(h, "S2", "bo-1234"); code != http.StatusSeeOther {
		t.Errorf("the right PIN after the wait = %d", code)
	}
}

// TestBadgesTriedAreFew: what strangers type does not fill the memory.
func TestBadgesTriedAreFew(t *testing.T) {
	d := newDoor(&Staff{})
	for n := range 3 * badgesTried {
		at := noon.Add(time.Duration(n) * time.Second)
		d.guessesOf(kiosk.Card(fmt.Sprint(n)), at).fail(at, freeTries)
	}
	if len(d.tries) > badgesTried || d.tries[kiosk.Card(fmt.Sprint(3*badgesTried-1))] == nil {
		t.Errorf("%d badges are remembered", len(d.tries))
	}
}

func TestLogPage(t *testing.T) {
	h, f, _ := crewSite(t)
	_, c := enterAs(h, "S1", "ana-1234")
	evil := `<img src=x onerror=alert(1)>`
	for n := range logLines {
		f.Note(t.Context(), kiosk.Act{Badge: "S2", Name: evil, What: "exception.retry", About: fmt.Sprint("e", n), Note: evil, From: "10.0.0.1"})
	}
	body := do(h, "GET", "/staff/log", nil, c).Body.String()
	if strings.Contains(body, "<img") || !strings.Contains(body, "Exception: tell it again") || !strings.Contains(body, "before=2") || strings.Contains(body, ">e-1<") {
		t.Errorf("log: %s", body)
	}
	if body := do(h, "GET", "/staff/log?before=2", nil, c).Body.String(); !strings.Contains(body, "Signed in") || strings.Contains(body, "before=") {
		t.Errorf("older: %s", body)
	}
	if body := do(h, "GET", "/staff/log?badge=S3", nil, c).Body.String(); !strings.Contains(body, "Nothing has been noted") {
		t.Errorf("nobody's: %s", body)
	}
	f.Note(t.Context(), kiosk.Act{Name: "=cmd|' /C calc'!A0", What: "look", About: "-5", Note: "a,\"b\"\r\nc"})
	w := do(h, "GET", "/staff/log.csv", nil, c)
	text := w.Body.String()
	if w.Header().Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(text, "n,at,badge,name,what,about,note,from\r\n53,") ||
		!strings.Contains(text, ",'=cmd|") || !strings.Contains(text, ",-5,") || strings.Count(text, "exception.retry") != logLines || !strings.Contains(text, ",log.export,") {
		t.Errorf("csv: %s", text)
	}
}

func TestStaffLanguage(t *testing.T) {
	h, _, _ := crewSite(t)
	_, c := enterAs(h, "S1", "ana-1234")
	w := do(h, "POST", "/staff/language", url.Values{"lang": {"es"}, "back": {"/staff/log"}}, c)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/staff/log" || len(w.Result().Cookies()) != 1 {
		t.Fatalf("choosing = %d %v", w.Code, w.Header())
	}
	if w := do(h, "POST", "/staff/language", url.Values{"lang": {"es"}, "back": {"https://evil.example/"}}, c); w.Header().Get("Location") != "/staff" {
		t.Errorf("leads to %s", w.Header().Get("Location"))
	}
	r := w.Result().Cookies()[0]
	if r.Path != "/staff" || !r.HttpOnly || r.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %+v", r)
	}
}
