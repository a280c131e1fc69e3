package koha_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/koha"
)

var update = flag.Bool("update", false, "write what the client makes of the recorded answers to testdata/replay.txt")

// TestReplay has the client hear all that a real Koha was recorded to answer,
// each to the question that it was for. What the client makes of it stands in
// testdata/replay.txt, a row each; what no client of ours asks stands there as
// not asked for.
func TestReplay(t *testing.T) {
	var got strings.Builder
	got.WriteString("# What the client makes of the answers of a real Koha, in the order recorded.\n# By go test ./sync/koha -run Replay -update\n\n")
	all := record(t)
	if len(all) < 61 {
		t.Errorf("%d answers were found; more were recorded", len(all))
	}
	for _, r := range all {
		path, _, _ := strings.Cut(strings.TrimPrefix(r.uri, "/api/v1"), "?")
		fmt.Fprintf(&got, "%s %s %s>%d %s\n", r.name, r.method, path, r.status, replay(t, all, r))
	}
	file := filepath.Join("testdata", "replay.txt")
	if *update && !t.Failed() {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s:%d:\n got %q\nwant %q", file, i+1, g[min(i, len(g)-1)], w[min(i, len(w)-1)])
		}
	}
	if m := regexp.MustCompile(`Olive|Okay|Holly|Fran|Fiona|2352900`).FindString(got.String()); m != "" {
		t.Errorf("a patron shows: %s", m)
	}
}

const (
	anItem    = `[{"item_id":1,"external_id":"B1","checked_out_date":%s,"lost_status":0,"withdrawn":0,"biblio":{"title":"The one"}}]`
	aPatron   = `[{"patron_id":%d,"cardnumber":"C1"}]`
	aCheckout = `[{"checkout_id":3,"patron_id":58,"item_id":1,"due_date":"2026-12-07T23:59:00+00:00"}]`
)

// asks are the questions that an answer can be for, the first that fits: how
// the client is brought to ask it, and what it is told besides.
var asks = []struct {
	method, path string
	others       map[string]recorded
	ask          func(ctx *testing.T, u *koha.Upstream, r recorded) string
}{
	{"GET", `^/patrons\?|^/patrons$`, nil, func(t *testing.T, u *koha.Upstream, r recorded) string {
		card := "999"
		if m := regexp.MustCompile(`cardnumber": "(\w+)"`).FindStringSubmatch(unescaped(r.uri)); m != nil {
			card = m[1]
		}
		p, err := u.Identify(t.Context(), kiosk.Card(card), "")
		return outcome(err, "patron%s", notes("blocked", p.Blocked, "category", p.Category, "until", day(p.Expires)))
	}},
	{"POST", `^/auth/password/validation`, map[string]recorded{"GET /patrons": {status: 200, body: fmt.Sprintf(aPatron, 58)}},
		func(t *testing.T, u *koha.Upstream, _ recorded) string {
			p, err := u.Identify(t.Context(), "C1", "1234")
			return outcome(err, "patron%s", notes("PIN checked", p.PINChecked))
		}},
	{"GET", `^/items\?external_id=`, nil, func(t *testing.T, u *koha.Upstream, r recorded) string {
		_, barcode, _ := strings.Cut(unescaped(r.uri), "external_id=")
		st, err := u.Look(t.Context(), kiosk.Barcode(barcode), "")
		return outcome(err, "item%s", notes("known", st.Known, "status", st.Status, "due", day(st.Due)))
	}},
	{"GET", `^/checkouts/availability`, map[string]recorded{
		"GET /items": {status: 200, body: fmt.Sprintf(anItem, "null")}, "GET /patrons": {status: 200, body: fmt.Sprintf(aPatron, 58)},
		"POST /checkouts": {status: 412, body: `{"error":"Confirmation error"}`}, "GET /checkouts": {status: 200, body: aCheckout},
		"POST /checkouts/3/renewals": {status: 403, body: `{"error":"Renewal not authorized (too_soon)"}`},
	}, func(t *testing.T, u *koha.Upstream, _ recorded) string {
		st, err := u.Look(t.Context(), "B1", "C1")
		if err != nil {
			return outcome(err, "")
		}
		_, err = u.Tell(t.Context(), kiosk.Entry{Kind: kiosk.Checkout, Item: "B1", Patron: "C1", State: kiosk.Asked})
		return outcome(err, "") + notes("status", st.Status, "of another", st.Others)
	}},
	{"POST", `^/checkouts(\?|$)`, map[string]recorded{
		"GET /items": {status: 200, body: fmt.Sprintf(anItem, "null")}, "GET /patrons": {status: 200, body: fmt.Sprintf(aPatron, 58)},
		"GET /checkouts/availability": {status: 200, body: `{"blockers":{},"confirms":{"RENEW_ISSUE":1}}`}, "GET /checkouts": {status: 200, body: aCheckout},
		"POST /checkouts/3/renewals": {status: 201, body: strings.Trim(aCheckout, "[]")},
	}, func(t *testing.T, u *koha.Upstream, _ recorded) string {
		a, err := u.Tell(t.Context(), kiosk.Entry{Kind: kiosk.Checkout, Item: "B1", Patron: "C1", State: kiosk.Asked})
		return outcome(err, "checkout%s", notes("due", day(a.Due), "renewed", a.Renewed))
	}},
	{"POST", `^/checkouts/\d+/renewals`, map[string]recorded{
		"GET /items": {status: 200, body: fmt.Sprintf(anItem, "null")}, "GET /patrons": {status: 200, body: fmt.Sprintf(aPatron, 58)}, "GET /checkouts": {status: 200, body: aCheckout},
	}, func(t *testing.T, u *koha.Upstream, _ recorded) string {
		a, err := u.Tell(t.Context(), kiosk.Entry{Kind: kiosk.Renew, Item: "B1", Patron: "C1", State: kiosk.Asked})
		return outcome(err, "renewal%s", notes("due", day(a.Due)))
	}},
	{"GET", `^/checkouts\?patron_id=`, map[string]recorded{
		"GET /items": {status: 200, body: fmt.Sprintf(anItem, `"2026-01-05"`)}, "GET /patrons": {status: 200, body: fmt.Sprintf(aPatron, 58)},
	}, func(t *testing.T, u *koha.Upstream, _ recorded) string {
		st, err := u.Look(t.Context(), "B1", "C1")
		return outcome(err, "loans%s", notes("has item 1", st.Mine == kiosk.Yes, "due", day(st.Due), "since", day(st.Since)))
	}},
	{"GET", `^/libraries`, nil, func(t *testing.T, u *koha.Upstream, _ recorded) string { return outcome(u.Probe(t.Context()), "there") }},
}

// replay has the client ask what an answer was for.
func replay(t *testing.T, all []recorded, r recorded) string {
	for _, a := range asks {
		uri := strings.TrimPrefix(r.uri, "/api/v1")
		if a.method != r.method || !regexp.MustCompile(a.path).MatchString(uri) {
			continue
		}
		path, _, _ := strings.Cut(uri, "?")
		if strings.HasPrefix(path, "/checkouts/") && strings.HasSuffix(path, "/renewals") {
			path = "/checkouts/3/renewals"
		}
		asked := false
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			io.Copy(io.Discard, q.Body)
			key := strings.TrimPrefix(q.URL.Path, "/api/v1")
			answer, ok := a.others[q.Method+" "+key]
			if q.Method == r.method && key == path {
				answer, ok, asked = r, true, true
			}
			if !ok {
				t.Errorf("%s: asked %s %s", r.name, q.Method, q.URL)
			}
			w.WriteHeader(answer.status)
			io.WriteString(w, answer.body)
		}))
		defer server.Close()
		u, err := koha.New(koha.Config{URL: server.URL, User: "kiosk1", Password: "x", Zone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		text := a.ask(t, u, r)
		if !asked {
			t.Errorf("%s: the client did not ask it", r.name)
		}
		return text
	}
	if r.body != "" && r.status < 300 && !json.Valid([]byte(r.body)) {
		t.Errorf("%s: its body is no JSON", r.name)
	}
	return "not asked for"
}

func unescaped(uri string) string {
	s, err := url.QueryUnescape(uri)
	if err != nil {
		return uri
	}
	return s
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// notes are names with values, but for what is empty.
func notes(list ...any) (text string) {
	for i := 0; i < len(list); i += 2 {
		switch v := fmt.Sprint(list[i+1]); v {
		case "", "false":
		case "true":
			text += fmt.Sprintf(", %s", list[i])
		default:
			text += fmt.Sprintf(", %s %s", list[i], v)
		}
	}
	return text
}

func outcome(err error, format string, args ...any) string {
	if err == nil {
		return fmt.Sprintf(format, args...)
	}
	text := string(kiosk.CodeOf(err))
	if e, ok := errors.AsType[*kiosk.Error](err); ok && e.Reason != "" {
		text += " " + string(e.Reason)
	}
	return text
}
