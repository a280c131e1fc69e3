package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim"
)

func TestScanner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := sim.New("TestScanner") // its channels must belong to this bubble
		open := func() drivers.Scanner {
			s, err := sim.Driver.Open(nil, &sim.Config{Bench: "TestScanner"})
			if err != nil {
				t.Fatal(err)
			}
			return s.(drivers.Scanner)
		}
		var got []drivers.Scan
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		run := func() {
			s := open()
			go func() { ended <- s.Scans(ctx, func(sc drivers.Scan) { got = append(got, sc) }) }()
			synctest.Wait()
		}
		run()
		b.Scan("]F031234000010064")
		b.Scan(strings.Repeat("9", 10_000))
		synctest.Wait()
		if len(got) != 2 || got[0].AIM != "]F0" || got[0].Text != "31234000010064" || !got[1].Long || len(got[1].Text) != drivers.MaxText {
			t.Fatalf("scans = %+v", got)
		}
		b.Plug(false)
		if err := <-ended; !errors.Is(err, drivers.ErrGone) {
			t.Fatalf("Scans() of an unplugged scanner = %v; want ErrGone", err)
		}
		if err := b.Scan("1"); !errors.Is(err, sim.ErrUnplugged) {
			t.Errorf("Scan() unplugged = %v", err)
		}
		if _, err := sim.Open(sim.Config{Bench: "TestScanner"}); !errors.Is(err, sim.ErrUnplugged) {
			t.Errorf("Open() unplugged = %v", err)
		}
		b.Plug(true)
		run()
		b.Scan("2")
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil || len(got) != 3 {
			t.Errorf("Scans() = %v with %d scans; want nil at the end, 3", err, len(got))
		}
	})
	if _, err := sim.Open(sim.Config{Bench: "nosuch"}); err == nil {
		t.Error("Open() finds a bench that nobody made")
	}
}

func TestPage(t *testing.T) {
	b := sim.New(t.Name())
	b.Things = []sim.Thing{{Kind: "Cards", Code: "2<1>", Label: "Zoë & <Co>"}, {Kind: "Books", Code: "31", Label: "Dune"}}
	cut := false
	b.Switches = []sim.Switch{{Name: "cut", Label: "Cut", Set: func(on bool) error { cut = on; return nil }}}
	b.Panel = func() []sim.Row { return []sim.Row{{Title: "Dune", Item: "31"}} }
	srv := httptest.NewServer(b.Handler())
	defer srv.Close()

	body := get(t, srv.URL+"/sim")
	for _, want := range []string{`data-scan="2&lt;1&gt;"`, "Zoë &amp; &lt;Co&gt;", `data-switch="cut"`, "<h2>Books</h2>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for path, want := range map[string]int{"/sim/scan?x": 204, "/sim/switch?name=cut&on=true": 204, "/sim/switch?name=no&on=true": 400, "/sim/plug?on=false": 204} {
		p, query, _ := strings.Cut(path, "?")
		form, _ := url.ParseQuery(query)
		resp, err := http.PostForm(srv.URL+p, form)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want && path != "/sim/scan?x" {
			t.Errorf("POST %s = %d; want %d", path, resp.StatusCode, want)
		}
	}
	var s sim.State
	if err := json.Unmarshal([]byte(get(t, srv.URL+"/sim/state")), &s); err != nil {
		t.Fatal(err)
	}
	if s.Plugged || !s.Switches["cut"] || !cut || len(s.Loans) != 1 {
		t.Errorf("state = %+v", s)
	}
	req, _ := http.NewRequest("POST", srv.URL+"/sim/scan", strings.NewReader("code=1"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a scan sent by another site: %v %v; want it forbidden", resp.Status, err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	return body
}
