package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// pocket are phones in memory.
type pocket struct {
	mu   sync.Mutex
	list kiosk.Phones
	acts []string
	full error
}

func (*pocket) Addresses() []string {
	return []string{"https://kiosk1.lan:8443", "https://10.0.0.5:8443"}
}
func (*pocket) Root() ([]byte, string) { return []byte("DER"), "AB:CD" }
func (*pocket) Code(text string) ([][]bool, error) {
	if text == "" {
		return nil, errors.New("empty")
	}
	return [][]bool{{true, false}, {false, true}}, nil
}
func (p *pocket) Phones() kiosk.Phones {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.list
}
func (p *pocket) ChangePhones(_ context.Context, by kiosk.Act, next func(kiosk.Phones) (kiosk.Phones, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	list, err := next(p.list)
	if err = cmp.Or(p.full, err, list.Valid()); err != nil {
		return err
	}
	p.list, p.acts = list, append(p.acts, by.What+" "+by.About)
	return nil
}

// jar is a browser: it keeps the cookies that it gets.
type jar struct {
	t       *testing.T
	h       http.Handler
	cookies map[string]*http.Cookie
}

func newJar(t *testing.T, h http.Handler) *jar {
	return &jar{t: t, h: h, cookies: map[string]*http.Cookie{}}
}

// ask sends a form, or with a string as it is JSON.
func (j *jar) ask(method, path string, body any) *httptest.ResponseRecorder {
	j.t.Helper()
	text, kind := "", "application/x-www-form-urlencoded"
	switch b := body.(type) {
	case url.Values:
		text = b.Encode()
	case string:
		text, kind = b, "application/json"
	}
	r := httptest.NewRequest(method, "https://localhost"+path, strings.NewReader(text))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range j.cookies {
		if strings.HasPrefix(path, c.Path) {
			r.AddCookie(c)
		}
	}
	w := httptest.NewRecorder()
	j.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		j.cookies[c.Name+c.Path] = c
		if c.MaxAge < 0 {
			delete(j.cookies, c.Name+c.Path)
		}
	}
	return w
}

func (j *jar) want(code int, method, path string, body any) string {
	j.t.Helper()
	w := j.ask(method, path, body)
	if w.Code != code {
		j.t.Errorf("%s %s %v = %d %s; want %d", method, path, body, w.Code, w.Body, code)
	}
	return w.Body.String()
}

// phoneSite is a kiosk with phones, an inventory, and a clock.
type phoneSite struct {
	staff, phone *jar
	pocket       *pocket
	shelves      shelves
	now          time.Time
}

func newPhoneSite(t *testing.T) *phoneSite {
	t.Helper()
	v, _ := newShelves(t)
	s := &phoneSite{pocket: &pocket{}, shelves: v, now: time.Now()}
	clock := func() time.Time { return s.now }
	screen, phones, err := NewWithPhones(Config{Desk: newDesk(kiosk.Screen{View: kiosk.ViewWelcome}), Name: "front-desk", Languages: []string{"en", "ar"}, Location: time.UTC, Clock: clock,
		Staff: &Staff{Password: func(p string) bool { return p == right }, Inventories: v, Phones: s.pocket, Clock: clock}})
	if err != nil {
		t.Fatal(err)
	}
	s.staff, s.phone = newJar(t, screen), newJar(t, phones)
	if _, _, err := v.Begin(t.Context(), "Upstairs", kiosk.ShelfRange{Library: "MAIN", Location: "Stacks"}); err != nil {
		t.Fatal(err)
	}
	s.staff.want(http.StatusSeeOther, "POST", "/staff/sign-in", url.Values{"password": {right}})
	return s
}

// code makes a code as staff does.
func (s *phoneSite) code(t *testing.T) string {
	t.Helper()
	s.staff.want(http.StatusSeeOther, "POST", "/staff/phones/pair", url.Values{})
	body := s.staff.want(http.StatusOK, "GET", "/staff/phones", nil)
	_, after, _ := strings.Cut(body, `<p class="big"><code dir="ltr">`)
	code, _, ok := strings.Cut(after, "<")
	if !ok || len(code) != pairLength+1 {
		t.Fatalf("the page shows no code: %s", body)
	}
	return code
}

// pair lets the phone in, and signs in on it.
func (s *phoneSite) pair(t *testing.T) {
	t.Helper()
	s.phone.want(http.StatusNoContent, "POST", "/phone/pair", url.Values{"code": {s.code(t)}, "name": {"Ana’s phone"}})
	s.phone.want(http.StatusNoContent, "POST", "/phone/sign-in", url.Values{"password": {right}})
}

func TestPhonePairing(t *testing.T) {
	s := newPhoneSite(t)
	state := func() string { return s.phone.want(http.StatusOK, "GET", "/phone/state", nil) }
	if x := state(); !strings.Contains(x, `"paired":false`) || strings.Contains(x, "Upstairs") {
		t.Errorf("a strange phone sees %s", x)
	}
	try := func(code string) string {
		return s.phone.want(http.StatusForbidden, "POST", "/phone/pair", url.Values{"code": {code}})
	}
	if x := try("AAAA-AAAA"); !strings.Contains(x, "No code counts") {
		t.Errorf("without a code: %s", x)
	}
	s.phone.want(http.StatusUnauthorized, "POST", "/phone/sign-in", url.Values{"password": {right}})
	code := s.code(t)
	if x := try("AAAA-AAAA"); !strings.Contains(x, "not right") {
		t.Errorf("with a wrong code: %s", x)
	}
	s.now = s.now.Add(pairTime + time.Second)
	if x := try(code); !strings.Contains(x, "No code counts") {
		t.Errorf("with an old code: %s", x)
	}
	code = s.code(t)
	for range pairTries {
		try("AAAA-AAAA")
	}
	if x := try(code); !strings.Contains(x, "No code counts") {
		t.Errorf("after %d guesses: %s", pairTries, x)
	}
	code = s.code(t)
	s.phone.want(http.StatusNoContent, "POST", "/phone/pair", url.Values{"code": {" " + strings.ToLower(code)}, "name": {"Ana’s phone"}})
	c := s.phone.cookies[phoneCookie+"/phone"]
	if c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Fatalf("the phone keeps %+v", c)
	}
	if x := state(); !strings.Contains(x, `"paired":true`) || !strings.Contains(x, `"signed":""`) || strings.Contains(x, "Upstairs") {
		t.Errorf("a paired phone sees %s", x)
	}
	if p := s.pocket.Phones().List; len(p) != 1 || p[0].Key != phoneKey(c.Value) || strings.Contains(p[0].Key, c.Value) || p[0].Name != "Ana’s phone" {
		t.Errorf("the kiosk keeps %+v", p)
	}
	other := newJar(t, s.phone.h)
	other.want(http.StatusForbidden, "POST", "/phone/pair", url.Values{"code": {code}}) // one code, one phone
	s.phone.want(http.StatusForbidden, "POST", "/phone/sign-in", url.Values{"password": {"wrong"}})
	s.phone.want(http.StatusNoContent, "POST", "/phone/sign-in", url.Values{"password": {right}})
	if x := state(); !strings.Contains(x, `"signed":"Shared password"`) || !strings.Contains(x, "Upstairs") {
		t.Errorf("signed in it sees %s", x)
	}
	s.phone.want(http.StatusNoContent, "POST", "/phone/sign-out", url.Values{})
	s.phone.want(http.StatusUnauthorized, "GET", "/phone/inventory/v1", nil)
	if x := s.staff.want(http.StatusOK, "GET", "/staff/phones", nil); !strings.Contains(x, "Ana’s phone") || !strings.Contains(x, "AB:CD") || !strings.Contains(x, "https://kiosk1.lan:8443") {
		t.Errorf("staff sees %s", x)
	}
	s.staff.want(http.StatusSeeOther, "POST", "/staff/phones/forget", url.Values{"key": {phoneKey(c.Value)}})
	if x := state(); !strings.Contains(x, `"paired":false`) {
		t.Errorf("a phone that was forgotten sees %s", x)
	}
	if got := strings.Join(s.pocket.acts, ", "); got != "phone.pair Ana’s phone, phone.forget Ana’s phone" {
		t.Errorf("noted: %s", got)
	}
	s.pocket.full = errors.New("disk full")
	s.phone.want(http.StatusInsufficientStorage, "POST", "/phone/pair", url.Values{"code": {s.code(t)}})
}

// meter tells how much was read of it.
type meter struct {
	io.Reader
	n int
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n += n
	return n, err
}

// TestStrangersFillNoDisk: of what somebody sends along who has not signed in
// nothing is read, or not much, whatever it is said to be: a form of files would
// be kept on disk until it ends.
func TestStrangersFillNoDisk(t *testing.T) {
	s := newPhoneSite(t)
	for _, to := range []string{"GET /staff/phones/stream", "GET /staff/phones", "GET /", "POST /language", "POST /mode", "POST /staff/sign-in", "POST /staff/phones/pair", "POST /staff/brand/logo"} {
		method, path, _ := strings.Cut(to, " ")
		file := "--x\r\nContent-Disposition: form-data; name=\"address\"; filename=\"f\"\r\n\r\n" + strings.Repeat("a", 1<<20)
		body := &meter{Reader: strings.NewReader(file)}
		r := httptest.NewRequest(method, path, body)
		r.Host = "localhost"
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		s.staff.h.ServeHTTP(httptest.NewRecorder(), r)
		if body.n > maxBody+4096 {
			t.Errorf("%s: %d bytes were read", to, body.n)
		}
	}
}

// TestPhonesReachNothingElse: from the library's network there are the phones'
// pages and nothing else, and those for phones are not at the kiosk.
func TestPhonesReachNothingElse(t *testing.T) {
	s := newPhoneSite(t)
	s.pair(t)
	for _, path := range []string{"/staff", "/staff/now", "/staff/phones", "/staff/inventory", "/staff/inventory/v1/report", "/stream", "/api/v1/screen", "/healthz", "/metrics", "/gallery", "/sim", "/phone/other"} {
		s.phone.want(http.StatusNotFound, "GET", path, nil)
	}
	for _, path := range []string{"/touch/finish", "/staff/sign-in", "/staff/inventory/v1/end", "/phone/inventory/v1/end"} {
		if w := s.phone.ask("POST", path, url.Values{"password": {right}}); w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s = %d", path, w.Code)
		}
	}
	s.staff.want(http.StatusNotFound, "GET", "/phone/", nil)
	r := httptest.NewRequest("GET", "https://evil.example/phone/", nil)
	w := httptest.NewRecorder()
	if s.phone.h.ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("by a strange name: %d", w.Code)
	}
	r = httptest.NewRequest("POST", "https://localhost/phone/pair", strings.NewReader("code=x"))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w = httptest.NewRecorder()
	if s.phone.h.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("from a strange page: %d", w.Code)
	}
}

// TestPhoneFiles: what a phone keeps is there, with its type and a policy that
// lets nothing leave the kiosk.
func TestPhoneFiles(t *testing.T) {
	s := newPhoneSite(t)
	for path, kind := range map[string]string{"/phone/": "text/html", "/phone/sw.js": "text/javascript", "/phone/manifest.webmanifest": "application/manifest+json",
		"/phone/ca.crt": "application/x-x509-ca-cert", "/static/" + version + "/vendor/zxing_reader.wasm": "application/wasm"} {
		w := s.phone.ask("GET", path, nil)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s = %d %s; want %s", path, w.Code, w.Header().Get("Content-Type"), kind)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "script-src 'self' 'wasm-unsafe-eval';") || !strings.Contains(csp, "connect-src 'self';") || strings.Contains(csp, "http") {
			t.Errorf("%s has the policy %s", path, csp)
		}
	}
	var files []string
	code := s.phone.want(http.StatusOK, "GET", "/phone/sw.js", nil)
	_, list, _ := strings.Cut(code, "files = ")
	list, _, _ = strings.Cut(list, ";")
	if err := json.Unmarshal([]byte(list), &files); err != nil || len(files) < 10 {
		t.Fatalf("%v: %s", err, list)
	}
	for _, f := range files {
		s.phone.want(http.StatusOK, "GET", f, nil)
	}
	if w := s.staff.ask("GET", "/", nil); strings.Contains(w.Header().Get("Content-Security-Policy"), "wasm") {
		t.Error("the screen may run WebAssembly, too")
	}
	if x := s.phone.want(http.StatusOK, "GET", "/phone/", nil); !strings.Contains(x, `lang="en"`) {
		t.Error("the page is not in the library's language")
	}
	s.phone.want(http.StatusSeeOther, "POST", "/phone/language", url.Values{"lang": {"ar"}})
	if x := s.phone.want(http.StatusOK, "GET", "/phone/", nil); !strings.Contains(x, `lang="ar" dir="rtl"`) {
		t.Error("the page is not in the language that was chosen")
	}
}

func TestPhoneHandsOver(t *testing.T) {
	s := newPhoneSite(t)
	hand := func(code int, body string) (out struct {
		Said    []phoneSaid
		Refused string
		Seen    int
	}) {
		t.Helper()
		json.Unmarshal([]byte(s.phone.want(code, "POST", "/phone/inventory/v1/hand", body)), &out) //nolint:errcheck // some are refused in plain text
		return out
	}
	one := `{"acts":[{"id":"a","kind":"scan","text":"B00","age":60000}]}`
	hand(http.StatusUnauthorized, one)
	s.pair(t)
	got := hand(http.StatusOK, one)
	if len(got.Said) != 1 || got.Said[0].Head != "In place" || got.Said[0].Tone != "good" || got.Said[0].Call != "500 A" || got.Seen != 1 {
		t.Errorf("it says %+v", got)
	}
	got = hand(http.StatusOK, `{"acts":[{"id":"a","kind":"scan","text":"B00","age":90000},{"id":"b","kind":"scan","text":"B20","age":5},{"id":"c","kind":"scan","text":"B02"},
		{"id":"d","kind":"note","item":"B02","text":"cover"},{"id":"e","kind":"start"},{"id":"f","kind":"scan","text":"rubbish"}]}`)
	if len(got.Said) != 6 || got.Seen != 3 || got.Said[5].Head != "This is no item of this library" || got.Said[2].Line == 0 {
		t.Errorf("it says %+v", got)
	}
	said, err := s.shelves.View(t.Context(), "v1")
	if err != nil || said.Scans != 3 {
		t.Fatalf("the log has %d scans, %v; want 3", said.Scans, err)
	}
	first := said.Said[len(said.Said)-1]
	if ago := s.now.Sub(first.At); ago < time.Minute || ago > time.Minute+time.Second || !strings.HasPrefix(first.Who, "staff ") {
		t.Errorf("the first is of %v ago by %q; want a minute", ago, first.Who)
	}
	for _, body := range []string{"", "[]", `{"acts":[{"kind":"scan","text":"B00"}]}`, `{"acts":[{"id":"a","kind":"scan","age":1e400}]}`,
		`{"acts":[{"id":"` + strings.Repeat("a", 65) + `","kind":"scan"}]}`,
		`{"acts":[` + strings.Repeat(`{"id":"a","kind":"scan"},`, 200) + `{"id":"a","kind":"scan"}]}`, `{"acts":[{"text":"` + strings.Repeat("a", maxHanded) + `"}]}`} {
		hand(http.StatusBadRequest, body)
	}
	s.phone.want(http.StatusNoContent, "POST", "/phone/inventory/v1/undo", url.Values{"value": {"1"}})
	s.phone.want(http.StatusConflict, "POST", "/phone/inventory/v1/undo", url.Values{"value": {"1"}})
	s.phone.want(http.StatusBadRequest, "POST", "/phone/inventory/v1/undo", url.Values{"value": {"x"}})
	s.phone.want(http.StatusNotFound, "POST", "/phone/inventory/none/hand", one)
	if _, err := s.shelves.End(t.Context(), "v1", false); err != nil {
		t.Fatal(err)
	}
	got = hand(http.StatusConflict, `{"acts":[{"id":"b","kind":"scan","text":"B20"},{"id":"z","kind":"scan","text":"B30"}]}`)
	if len(got.Said) != 1 || got.Said[0].ID != "b" || !strings.Contains(got.Refused, "is finished") {
		t.Errorf("of one that has ended it says %+v", got)
	}
	if x := s.phone.want(http.StatusOK, "GET", "/phone/state", nil); strings.Contains(x, "Upstairs") {
		t.Errorf("one that has ended is offered: %s", x)
	}
}

// TestOneOddScan: what can't be taken is answered, so that the phone forgets
// it, and holds up nothing that was scanned before and after it.
func TestOneOddScan(t *testing.T) {
	s := newPhoneSite(t)
	s.pair(t)
	long := strings.Repeat("é", 33)
	for name, odd := range map[string]string{"too long": `"kind":"scan","text":"` + long + `"`, "of a book too long": `"kind":"note","text":"cover","item":"` + long + `"`, "no act": `"kind":"end"`} {
		var got struct {
			Said    []phoneSaid
			Refused string
			Seen    int
		}
		body := s.phone.want(http.StatusOK, "POST", "/phone/inventory/v1/hand", `{"acts":[{"id":"a","kind":"scan","text":"B00","age":1e300},{"id":"odd",`+odd+`},{"id":"b","kind":"scan","text":"B01","age":-1e300}]}`)
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %v: %s", name, err, body)
		}
		if len(got.Said) != 3 || got.Seen != 2 || got.Refused != "" {
			t.Fatalf("%s: it says %+v", name, got)
		}
		if x := got.Said[2]; x.ID != "odd" || x.Tone != "take" || x.Head != "This is no item of this library" {
			t.Errorf("%s: it says %+v", name, x)
		}
	}
	if x := s.phone.want(http.StatusOK, "GET", "/phone/", nil); !strings.Contains(x, "staff.inv.nocode&#34;:&#34;This is no item") {
		t.Errorf("the phone can't say it by itself: %s", x)
	}
}

func TestPhoneTakesAlong(t *testing.T) {
	s := newPhoneSite(t)
	s.pair(t)
	var out struct {
		ID       string
		Open     bool
		Expected int
		All      bool
		Books    []string
		Wanted   []string
	}
	if err := json.Unmarshal([]byte(s.phone.want(http.StatusOK, "GET", "/phone/inventory/v1", nil)), &out); err != nil {
		t.Fatal(err)
	}
	if out.ID != "v1" || !out.Open || !out.All || len(out.Books) != 40 || out.Books[7] != "B07" || out.Expected != 37 {
		t.Errorf("it takes along %+v", out)
	}
	s.phone.want(http.StatusNotFound, "GET", "/phone/inventory/none", nil)
}

func FuzzHanded(f *testing.F) {
	f.Add(`{"acts":[{"id":"a","kind":"scan","text":"B00","age":60000}]}`)
	f.Add(`{"acts":[{"id":"a","kind":"note","item":"B00","text":"cover","age":-1e14}]}`)
	f.Fuzz(func(t *testing.T, in string) {
		list, odd, err := handedBy(strings.NewReader(in), noon)
		if err != nil {
			return
		}
		for _, x := range odd {
			if x.Read == "" {
				t.Errorf("%q: nothing is said to %+v", in, x)
			}
		}
		for _, h := range list {
			if h.ID == "" || h.At.After(noon) || h.At.Before(noon.Add(-oldest)) || len(h.Text) > kiosk.MaxCode {
				t.Errorf("%q is read as %+v", in, h)
			}
		}
	})
}
