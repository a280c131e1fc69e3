package sim_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim"
)

// site is a bench with its control page.
func site(t *testing.T) (*sim.Bench, string) {
	t.Helper()
	b := sim.New(t.Name())
	b.Things = []sim.Thing{
		{Kind: "Cards", Code: "2<1>", Label: "Zoë & <Co>"},
		{Kind: "Books", Code: "31", Label: "Dune"},
		{Kind: "Cards", Code: "22", Label: "Ada"},
	}
	srv := httptest.NewServer(b.Handler())
	t.Cleanup(srv.Close)
	return b, srv.URL
}

func get(t *testing.T, url string) (string, *http.Response) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), resp
}

func post(t *testing.T, url string, form url.Values) (int, string) {
	t.Helper()
	resp, err := http.PostForm(url, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(body))
}

func TestPage(t *testing.T) {
	b, at := site(t)
	b.Switches = []sim.Switch{{Name: "cut", Label: "Cut the line"}}
	body, resp := get(t, at+"/sim")
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
	for _, want := range []string{`data-scan="2&lt;1&gt;"`, "Zoë &amp; &lt;Co&gt;", `data-switch="cut"`, "Cut the line", ">Books</h2>", `data-scan="%C123H"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if n := strings.Count(body, ">Cards</h2>"); n != 1 {
		t.Errorf("%d headings of cards; want 1", n)
	}
	if strings.Contains(body, `id="ils"`) {
		t.Error("there is a panel of loans, though nobody tells them")
	}
	// All that the page asks for is here.
	found := regexp.MustCompile(`(?:href|src)="(/sim/[^"]*)"`).FindAllStringSubmatch(body, -1)
	if len(found) != 2 {
		t.Errorf("the page loads %v; want a style and a script", found)
	}
	for _, f := range found {
		if _, resp := get(t, at+f[1]); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", f[1], resp.Status)
		}
	}
	if strings.Contains(body, "//fonts") || strings.Contains(body, "http://") {
		t.Error("the page asks others")
	}
}

// TestHand: what is clicked is scanned, and what can't be says why.
func TestHand(t *testing.T) {
	b, at := site(t)
	code := func(c string) url.Values { return url.Values{"code": {c}} }
	if n, why := post(t, at+"/sim/scan", code("31")); n != http.StatusConflict || why != sim.ErrUnread.Error() {
		t.Errorf("a scan that nobody reads: %d %q", n, why)
	}
	s, err := open(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	scans, ended := make(chan drivers.Scan, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- s.Scans(ctx, func(sc drivers.Scan) { scans <- sc }) }()
	defer func() { cancel(); <-ended }()
	for _, c := range []string{"31", "📚🤖", "31234\x1b[2J000", strings.Repeat("9", 10_000)} {
		if n, why := post(t, at+"/sim/scan", code(c)); n != http.StatusNoContent {
			t.Fatalf("scan of %.20q: %d %s", c, n, why)
		}
		if got := (<-scans).Text; got != c[:min(len(c), drivers.MaxText)] {
			t.Errorf("scan = %.20q; want %.20q", got, c)
		}
	}
	for what, want := range map[string]int{strings.Repeat("9", 100_000): http.StatusBadRequest, "": http.StatusBadRequest} {
		if n, _ := post(t, at+"/sim/scan", code(what)); n != want {
			t.Errorf("scan of %d bytes: %d; want %d", len(what), n, want)
		}
	}
	if n, _ := post(t, at+"/sim/plug", url.Values{"on": {"maybe"}}); n != http.StatusBadRequest {
		t.Errorf("plug maybe: %d", n)
	}
	if n, _ := post(t, at+"/sim/plug", url.Values{"on": {"false"}}); n != http.StatusNoContent {
		t.Errorf("plug false: %d", n)
	}
	if n, why := post(t, at+"/sim/scan", code("31")); n != http.StatusConflict || why != sim.ErrUnplugged.Error() {
		t.Errorf("a scan unplugged: %d %q", n, why)
	}
	if err := b.Scan("31"); err == nil {
		t.Error("the page did not pull the scanner out")
	}
}

func TestState(t *testing.T) {
	b, at := site(t)
	cut := false
	b.Switches = []sim.Switch{{Name: "cut", Set: func(on bool) error { cut = on; return nil }}}
	state := func() (s sim.State) {
		t.Helper()
		body, _ := get(t, at+"/sim/state")
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return s
	}
	if s := state(); !s.Plugged || s.Switches["cut"] || s.Loans == nil {
		t.Errorf("state at first = %+v", s)
	}
	b.Panel = func() []sim.Row { return []sim.Row{{Title: "Dune", Item: "31", Patron: "22", Due: "2026-12-07"}} }
	for name, want := range map[string]int{"cut": http.StatusNoContent, "none": http.StatusBadRequest} {
		if n, why := post(t, at+"/sim/switch", url.Values{"name": {name}, "on": {"true"}}); n != want {
			t.Errorf("switch %s: %d %s; want %d", name, n, why, want)
		}
	}
	post(t, at+"/sim/plug", url.Values{"on": {"false"}})
	if s := state(); s.Plugged || !s.Switches["cut"] || !cut || len(s.Loans) != 1 || s.Loans[0].Item != "31" {
		t.Errorf("state = %+v", s)
	}
}

// TestOtherSites can neither scan nor plug; nor does a link do it.
func TestOtherSites(t *testing.T) {
	_, at := site(t)
	for _, path := range []string{"/sim/scan", "/sim/plug", "/sim/switch"} {
		req, err := http.NewRequest("POST", at+path, strings.NewReader("code=1&on=true"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s from another site: %s; want it forbidden", path, resp.Status)
		}
		if _, resp := get(t, at+path); resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %s", path, resp.Status)
		}
	}
}
