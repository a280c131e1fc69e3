package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestAPIScreen(t *testing.T) {
	zone := time.FixedZone("EST", -5*3600)
	sc := kiosk.Screen{View: kiosk.ViewItems, Mode: kiosk.Borrowing, Patron: "Zoë", Card: "2999", Online: true, Lines: sample()[1:],
		Faults: []kiosk.Fault{{Source: "scanner", Text: "gone", Since: noon}}}
	h, _ := newSite(t, sc, func(c *Config) { c.Location = zone })
	w := get(h, "/api/v1/screen?lang=es")
	var got struct {
		View, Patron string
		Lines        []struct {
			Barcode, Title, State, Text string
			Due                         *string
		}
		Faults []map[string]any
		Online bool
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.View != "items" || got.Patron != "Zoë" || !got.Online || len(got.Lines) != 8 || len(got.Faults) != 1 || got.Faults[0]["source"] != "scanner" {
		t.Fatalf("got %+v", got)
	}
	first := got.Lines[0]
	if first.Barcode != "302" || first.Title != "Matilda" || first.State != "lent" || first.Due == nil ||
		*first.Due != "2026-12-14T18:59:59-05:00" || first.Text != "Hasta el lun 14 de diciembre" {
		t.Errorf("line %+v", first)
	}
	if got.Lines[1].Due != nil {
		t.Errorf("due %q of a loan without a date; want null", *got.Lines[1].Due)
	}
	if r := got.Lines[5]; r.State != "refused" || !strings.Contains(r.Text, "se queda en la biblioteca") || strings.Contains(r.Text, "ILS") {
		t.Errorf("refused line %+v", r)
	}
	h, _ = newSite(t, kiosk.Screen{View: kiosk.ViewItems, Visit: "v1", Lines: stack()[1:2],
		Tray: kiosk.Tray{Tags: 14, Items: 12, Missing: 1, Lifted: 2, Left: 3, Counted: 4, Settled: true}})
	body := get(h, "/api/v1/screen").Body.String()
	for _, want := range []string{`"visit":"v1"`, `"have":2,"parts":3`, `"tray":{"tags":14,"items":12,"missing":1,"lifted":2,"left":3,"counted":4,"settled":true}`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	// Nothing there is an empty list, not null.
	h, _ = newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	if body := get(h, "/api/v1/screen").Body.String(); !strings.Contains(body, `"lines":[]`) || !strings.Contains(body, `"faults":[]`) {
		t.Errorf("welcome: %s", body)
	}
}

func TestHealth(t *testing.T) {
	h, d := newSite(t, kiosk.Screen{})
	for _, tt := range []struct {
		faults []kiosk.Fault
		ready  int
	}{{nil, 200}, {[]kiosk.Fault{{Source: "scanner"}}, 200}, {[]kiosk.Fault{{Source: "ledger", Fatal: true}}, 503}} {
		d.show(kiosk.Screen{Faults: tt.faults})
		if w := get(h, "/healthz"); w.Code != 200 {
			t.Errorf("healthz: %d", w.Code)
		}
		if w := get(h, "/readyz"); w.Code != tt.ready {
			t.Errorf("readyz with %v: %d; want %d", tt.faults, w.Code, tt.ready)
		}
	}
}

// TestOpenAPIIsHonest: each call it describes is there, each field it names
// is sent, and nothing else.
func TestOpenAPIIsHonest(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Lines: sample(), Faults: []kiosk.Fault{{Source: "x"}}}, func(c *Config) { c.Find, c.Class = true, []Pupil{{Card: "2001"}} })
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]any
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties map[string]any
			}
		}
	}
	if err := json.Unmarshal(get(h, "/api/v1/openapi.json").Body.Bytes(), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%v, %+v", err, doc)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			switch {
			case path == "/api/v1/events": // TestEventsAreTheScreen
			case method == "get":
				if w := get(h, path); w.Code != 200 {
					t.Errorf("GET %s: %d", path, w.Code)
				}
			default:
				if w := post(h, path, "line=a&pin=1&n=3&item=b&who=0&view=items"); w.Code != 204 {
					t.Errorf("POST %s: %d", path, w.Code)
				}
			}
		}
	}
	for what := range touches {
		if doc.Paths["/touch/"+what] == nil {
			t.Errorf("/touch/%s is there and not described", what)
		}
	}
	for path := range doc.Paths {
		if what, ok := strings.CutPrefix(path, "/touch/"); ok && touches[what] == nil {
			t.Errorf("%s is described and not there", path)
		}
	}
	var sent map[string]any
	if err := json.Unmarshal(get(h, "/api/v1/screen").Body.Bytes(), &sent); err != nil {
		t.Fatal(err)
	}
	compare := func(name string, sent map[string]any) {
		s := doc.Components.Schemas[name]
		for k := range sent {
			if s.Properties[k] == nil {
				t.Errorf("%s.%s is sent and not described", name, k)
			}
		}
		for _, k := range s.Required {
			if _, ok := sent[k]; !ok {
				t.Errorf("%s.%s is described and not sent", name, k)
			}
		}
	}
	compare("Screen", sent)
	compare("Line", sent["lines"].([]any)[0].(map[string]any))
	compare("Tray", sent["tray"].(map[string]any))
	compare("Fault", sent["faults"].([]any)[0].(map[string]any))
}

func TestNothingLeavesTheMachine(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	csp := get(h, "/").Header().Get("Content-Security-Policy")
	for _, d := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "font-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, d) {
			t.Errorf("policy %q lacks %s", csp, d)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		t.Errorf("policy %q", csp)
	}
	address := regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}`)
	err := fs.WalkDir(assets, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(p, "vendor") || path.Dir(p) == "static/fonts" && path.Ext(p) != ".css" {
			return err
		}
		b, err := fs.ReadFile(assets, p)
		text := strings.ReplaceAll(string(b), `xmlns="http://www.w3.org/2000/svg"`, "")
		if a := address.FindString(text); a != "" {
			t.Errorf("%s names %s", p, a)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAssets(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	page := get(h, "/").Body.String()
	found := regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(found) < 6 {
		t.Fatalf("the page names only %v", found)
	}
	for _, m := range found {
		w := get(h, m[1])
		if w.Code != 200 || w.Body.Len() == 0 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %d bytes, %s", m[1], w.Code, w.Body.Len(), w.Header().Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/static/x/kiosk.css", "/static/" + version + "/", "/static/" + version + "/../lang/en.json", "/static/" + version + "/vendor", "/templates/page.html"} {
		w := get(h, path)
		if w.Code == 200 && strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Code == 200 && path != "/static/x/kiosk.css" {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Cache-Control"))
		}
	}
	if c := get(h, "/").Header().Get("Cache-Control"); c != "no-store" {
		t.Errorf("the page: Cache-Control %q; want no-store", c)
	}
}

// TestVendored compares the vendored scripts with the sums written beside them.
func TestVendored(t *testing.T) {
	list, err := fs.ReadFile(assets, "static/vendor/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|.*\\| `([0-9a-f]{64})` \\|$").FindAllStringSubmatch(string(list), -1)
	if len(rows) != 4 {
		t.Fatalf("%d rows; want 4", len(rows))
	}
	for _, row := range rows {
		b, err := fs.ReadFile(assets, "static/vendor/"+row[1])
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != row[2] {
			t.Errorf("%s has %x; its README says %s", row[1], sum, row[2])
		}
	}
}

// TestFonts: every font is the one whose sum is written down, and is used.
func TestFonts(t *testing.T) {
	css, err := fs.ReadFile(assets, "static/fonts/fonts.css")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := fs.ReadFile(assets, "static/fonts/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	var used, summed []string
	for _, m := range regexp.MustCompile(`url\(([^)]+)\)`).FindAllStringSubmatch(string(css), -1) {
		used = append(used, m[1])
	}
	total := 0
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ./")
		b, err := fs.ReadFile(assets, "static/fonts/"+name)
		if err != nil {
			t.Error(err)
		}
		if s := sha256.Sum256(b); hex.EncodeToString(s[:]) != sum {
			t.Errorf("%s has %x; SHA256SUMS says %s", name, s, sum)
		}
		summed = append(summed, name)
		total += len(b)
	}
	there, _ := fs.Glob(assets, "static/fonts/*.woff2") // the pattern is right
	for i, p := range there {
		there[i] = path.Base(p)
	}
	slices.Sort(used)
	if !slices.Equal(used, summed) || !slices.Equal(there, summed) {
		t.Errorf("fonts.css names %d files, SHA256SUMS %d, and %d are there; want the same", len(used), len(summed), len(there))
	}
	if total > 6_000_000 {
		t.Errorf("the fonts weigh %d bytes", total)
	}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	if w := get(h, "/static/"+version+"/fonts/"+summed[0]); w.Code != 200 || w.Header().Get("Content-Type") != "font/woff2" {
		t.Errorf("%s: %d, %s", summed[0], w.Code, w.Header().Get("Content-Type"))
	}
}

func TestPages(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{}, func(c *Config) {
		c.Pages = map[string]http.Handler{"/sim": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte(r.URL.Path)) //nolint:errcheck // a recorder
		})}
	})
	for _, path := range []string{"/sim", "/sim/scan"} {
		if w := get(h, path); w.Body.String() != path || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %q", path, w.Body)
		}
	}
	if w := get(h, "/simulator"); w.Code != 404 {
		t.Errorf("/simulator: %d; want 404", w.Code)
	}
	if _, err := New(Config{}); err == nil {
		t.Error("New without a desk: no error")
	}
}
