package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/password"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestGate: a code opens once, is another after five wrong ones and after its
// time, and cannot be tried faster than once a second.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		first := g.Code()
		if len(first) != 8 || g.Code() != first {
			t.Fatalf("Code() = %q, then %q", first, g.Code())
		}
		wrong := func(want error) {
			t.Helper()
			if s, err := g.Try("x"); s != "" || !errors.Is(err, want) {
				t.Errorf("Try(x) = %q, %v; want %v", s, err, want)
			}
		}
		wrong(errWrong)
		wrong(errSoon)
		if _, err := g.Try(first); !errors.Is(err, errSoon) {
			t.Errorf("the right code too soon: %v", err)
		}
		for range codeTries - 1 {
			time.Sleep(tryEvery)
			wrong(errWrong)
		}
		time.Sleep(tryEvery)
		if g.Code() == first {
			t.Error("after five wrong ones it is the same code")
		}
		if _, err := g.Try(first); !errors.Is(err, errWrong) {
			t.Errorf("the code of before: %v", err)
		}
		old := g.Code()
		time.Sleep(codeLives)
		if _, err := g.Try(old); !errors.Is(err, errWrong) {
			t.Errorf("a code after its time: %v", err)
		}
		time.Sleep(tryEvery)
		s, err := g.Try(g.Code())
		if err != nil || !g.In(s) || g.In("") || g.In(s[1:]) {
			t.Errorf("Try() = %q, %v", s, err)
		}
		time.Sleep(tryEvery)
		if next, err := g.Try(g.Code()); err != nil || g.In(s) || !g.In(next) {
			t.Errorf("a second one: %v; the first is still in: %v", err, g.In(s))
		}
		time.Sleep(sessionLives)
		if g.In(g.session) {
			t.Error("a session has no end")
		}
	})
}

// TestAnswers: what is typed can say nothing but values, and what is written is
// taken by the same checks as a file that was written by hand.
func TestAnswers(t *testing.T) {
	data := t.TempDir()
	t.Setenv("STATE_DIRECTORY", data)
	evil := "x\"\n[kiosk]\nname = \"y\" # \\ ü \x01"
	a := Answers{Name: "front", Title: evil, Library: "L", Timezone: "Europe/Berlin", Cards: `^K\d+"$`, Languages: []string{"de", "en"},
		Devices: []map[string]any{
			{"name": "scanner", "driver": "serialscan", "path": "/dev/x", "baud": 9600.0, "suffix": "cr", "vid": 1.5},
			{"name": evil, "driver": "feig", "path": "tcp://10.0.0.1:10001"}},
		Upstream: Upstream{Driver: "sip2", Address: "ils.example.org:6001", TLS: true, User: "k", Password: "secret", Location: "C"}}
	c, raw, bad := a.check("127.0.0.1:1", data)
	if len(bad) > 0 {
		t.Fatalf("%+v\n%s", bad, raw)
	}
	if !slices.Equal(c.Barcodes.Patron, []string{a.Cards}) || c.Barcodes.Item != nil {
		t.Errorf("barcodes are %+v", c.Barcodes)
	}
	if c.Kiosk.Name != "front" || c.Kiosk.Title != evil || len(c.Devices) != 2 || c.Devices[0].Link.Baud != 9600 || c.Devices[1].Name != evil ||
		c.Upstream.SIP2.Password != "secret" || !c.Upstream.SIP2.TLS || c.Kiosk.Data != data || !slices.Equal(c.Kiosk.Languages, a.Languages) {
		t.Errorf("it is read as %+v\n%s", c, raw)
	}
	if strings.Contains(string(raw), "secret") || strings.Contains(string(raw), "suffix") {
		t.Errorf("it has what it must not have:\n%s", raw)
	}
	if info, err := os.Stat(filepath.Join(data, sip2Password)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info, err)
	}
	a.Items = "("
	a.Timezone, a.Devices[0]["driver"], a.Upstream.Address, a.Name = "Nowhere/Town", "magic", "no port", ""
	_, _, bad = a.check("127.0.0.1:1", data)
	for _, key := range []string{"kiosk.name", "kiosk.timezone", "barcodes.item", "device \"scanner\".driver", "upstream.address"} {
		if !slices.ContainsFunc(bad, func(p config.Problem) bool { return p.Key == key }) {
			t.Errorf("nothing is said of %s: %+v", key, bad)
		}
	}
	for _, s := range []Staff{{}, {Badge: "1 2", Name: "A", Secret: "long enough"}, {Badge: "12", Name: "", Secret: "long enough"}, {Badge: "12", Name: "A", Secret: "1"}} {
		a.Staff = s
		if _, bad := a.member(); len(bad) != 1 {
			t.Errorf("%+v: %+v", s, bad)
		}
	}
}

// TestKoha: its REST interface and the SIP2 beside it are each written, and each
// tried, with its own secret; without SIP2 there is none of it.
func TestKoha(t *testing.T) {
	data := t.TempDir()
	t.Setenv("STATE_DIRECTORY", data)
	a := Answers{Name: "front", Languages: []string{"en"}, Upstream: Upstream{Driver: "koha", Address: "ils.example.org:6001", User: "k", Password: "of sip2", Location: "C",
		Koha: Koha{URL: "https://staff.example.org", As: "client_id", Name: "0b1f", Secret: "of rest"}}}
	c, raw, bad := a.check("127.0.0.1:1", data)
	if len(bad) > 0 {
		t.Fatalf("%+v\n%s", bad, raw)
	}
	if k, s := c.Upstream.Koha, c.Upstream.SIP2; k == nil || s == nil || k.URL != "https://staff.example.org" || k.ClientID != "0b1f" || k.User != "" || k.Password != "of rest" ||
		s.Address != "ils.example.org:6001" || s.Password != "of sip2" || s.Location != "C" || c.Upstream.Refresh != time.Hour || strings.Contains(string(raw), "of ") {
		t.Errorf("it is read as %+v, %+v\n%s", k, s, raw)
	}
	var drivers []string
	for _, u := range a.Upstream.parts() {
		drivers = append(drivers, u.Driver)
		c, raw, bad := (&Answers{Name: "kiosk", Upstream: u}).check("127.0.0.1:1", data)
		if len(bad) > 0 || (c.Upstream.Koha != nil) == (c.Upstream.SIP2 != nil) {
			t.Errorf("%s alone: %+v\n%s", u.Driver, bad, raw)
		}
	}
	if !slices.Equal(drivers, []string{"koha", "sip2"}) {
		t.Errorf("tried are %q", drivers)
	}
	a.Upstream.Address, a.Upstream.Koha.As = "", "user"
	if c, raw, bad = a.check("127.0.0.1:1", data); len(bad) > 0 || c.Upstream.SIP2 != nil || c.Upstream.Koha.User != "0b1f" || len(a.Upstream.parts()) != 1 {
		t.Errorf("without SIP2: %+v\n%s", bad, raw)
	}
	a.Upstream.Koha.URL = "staff.example.org"
	if _, _, bad = a.check("127.0.0.1:1", data); len(bad) != 1 || bad[0].Key != "upstream.url" {
		t.Errorf("an address that is none: %+v", bad)
	}
}

// TestProbeAtOnce: a Koha is asked in both ways at the same time. Here it answers
// only once somebody knocks at its SIP2.
func TestProbeAtOnce(t *testing.T) {
	data := t.TempDir()
	t.Setenv("STATE_DIRECTORY", data)
	sip, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer sip.Close()
	knocked := make(chan struct{})
	knock := sync.OnceFunc(func() { close(knocked) })
	go func() {
		for {
			c, err := sip.Accept()
			if err != nil {
				return
			}
			knock()
			c.Close()
		}
	}()
	rest := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-knocked:
			http.Error(w, "not you", http.StatusForbidden)
		case <-r.Context().Done():
		}
	}))
	defer rest.Close()
	s := &server{Options: Options{Listen: "127.0.0.1:1", Data: data, Log: slog.New(slog.DiscardHandler)}}
	body, err := json.Marshal(Answers{Upstream: Upstream{Driver: "koha", Address: sip.Addr().String(), User: "k", Password: "p", Koha: Koha{URL: rest.URL, As: "user", Name: "n", Secret: "s"}}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.probe(httptest.NewRequest("POST", "/setup/probe", bytes.NewReader(body)))
	all, ok := v.([]said)
	if err != nil || !ok || len(all) != 2 || all[0].Driver != "koha" || all[0].OK || !strings.Contains(all[0].Says, "403") || all[1].Driver != "sip2" || all[1].OK || all[1].Says == "" {
		t.Errorf("probe() = %+v, %v; want that koha refuses, and sip2 breaks off", v, err)
	}
}

// slowRecorder is a recorder with deadlines.
type slowRecorder struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (r *slowRecorder) SetReadDeadline(t time.Time) error { r.read = t; return nil }

// TestSlowBodies: who sends answers and does not end holds nothing for ever.
func TestSlowBodies(t *testing.T) {
	s := &server{Options: Options{Log: slog.New(slog.DiscardHandler)}}
	session, err := s.gate.Try(s.gate.Code())
	if err != nil {
		t.Fatal(err)
	}
	for path, do := range map[string]http.HandlerFunc{"/setup/code": s.enter, "/setup/try": s.inside(func(*http.Request) (any, error) { return nil, nil })} {
		w, r := &slowRecorder{ResponseRecorder: httptest.NewRecorder()}, httptest.NewRequest("POST", path, strings.NewReader("{}"))
		r.AddCookie(&http.Cookie{Name: cookie, Value: session})
		if do(w, r); w.read.IsZero() || w.read.After(time.Now().Add(bodyTime)) {
			t.Errorf("%s is read until %v; want within %v", path, w.read, bodyTime)
		}
	}
}

// TestSaveOverAccounts: who has only the code of the screen gets no account in a
// ledger that has some; a manager of it does, and who was cut off while it was
// set up.
func TestSaveOverAccounts(t *testing.T) {
	data := t.TempDir()
	t.Setenv("STATE_DIRECTORY", data)
	s := &server{Options: Options{Listen: "127.0.0.1:1", Data: data, Log: slog.New(slog.DiscardHandler)}, done: make(chan struct{})}
	ended, cancel := context.WithCancel(t.Context())
	cancel() // no guess waits
	s.ctx = ended
	account := func(m kiosk.Member, secret string) {
		t.Helper()
		store, err := sqlite.Open(t.Context(), filepath.Join(data, daemon.LedgerFile))
		if err != nil {
			t.Fatal(err)
		}
		if m.Hash, err = password.Make(secret); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(store.PutMember(t.Context(), m, kiosk.Act{At: time.Now(), Name: "x", What: "account"}), store.Close()); err != nil {
			t.Fatal(err)
		}
	}
	account(kiosk.Member{Badge: "S1", Name: "Ann", Role: kiosk.Manager}, "long enough")
	account(kiosk.Member{Badge: "S2", Name: "Ben", Role: kiosk.Helper}, "also long enough")
	for _, tt := range []struct {
		badge, secret string
		ok            bool
	}{{"S3", "whatever it is", false}, {"S1", "not hers", false}, {"S2", "also long enough", false}, {"S1", "long enough", true}} {
		raw, err := json.Marshal(Answers{Name: "front", Languages: []string{"en"}, Upstream: Upstream{Driver: "none"}, Staff: Staff{Badge: tt.badge, Name: "Eve", Secret: tt.secret}})
		if err != nil {
			t.Fatal(err)
		}
		said, err := s.save(httptest.NewRequest("POST", "/setup/save", bytes.NewReader(raw)))
		_, written := os.Stat(config.StateFile())
		if (err == nil) != tt.ok || (written == nil) != tt.ok {
			t.Errorf("%s, %s: %+v, %v; the configuration: %v", tt.badge, tt.secret, said, err, written)
		}
	}
}

// TestWords: each language has all that the page asks for, and nothing else.
func TestWords(t *testing.T) {
	all, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{"name": true}
	for name, pattern := range map[string]string{"page.html": `\$?\.T\.(?:Get|With) "([^"]+)"`, "page.js": `t\[(?:[^'\]]*)'([^']+)'(?: : '([^']+)')?\]`} {
		raw, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(raw), -1) {
			for _, k := range m[1:] {
				if k != "" {
					asked[k] = true
				}
			}
		}
	}
	for l, w := range all {
		if got, want := slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(asked)); !slices.Equal(got, want) {
			t.Errorf("%s has %q; the page asks for %q", l, got, want)
		}
		for k, text := range w {
			if strings.TrimSpace(text) == "" || strings.Contains(all["en"][k], "{at}") != strings.Contains(text, "{at}") {
				t.Errorf("%s: %s is %q", l, k, text)
			}
		}
	}
}
