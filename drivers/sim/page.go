package sim

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strings"
)

//go:embed static
var static embed.FS

var page = template.Must(template.ParseFS(static, "static/page.html"))

// presets are scans that should come to nothing.
var presets = []Thing{
	{Code: "31234000010065", Label: "Wrong check digit"},
	{Code: "9780306406157", Label: "ISBN of a book that is not here"},
	{Code: "%C123H", Label: "A command of another system"},
	{Code: "https://example.org/?q=1", Label: "A QR code with an address"},
	{Code: "📚🤖", Label: "Emoji"},
	{Code: "31234\x1b[2J000", Label: "Control characters"},
	{Code: strings.Repeat("9", 10_000), Label: "A code of 10 kB"},
}

// maxForm is the longest form taken, in bytes: a code of 10 kB fits.
const maxForm = 64 << 10

// Handler serves the control page at /sim and its calls below it.
func (b *Bench) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sim", b.page)
	mux.Handle("GET /sim/static/", http.StripPrefix("/sim/", http.FileServerFS(static)))
	mux.HandleFunc("GET /sim/state", b.get)
	mux.HandleFunc("POST /sim/scan", b.post(func(r *http.Request) error { return b.Scan(r.PostFormValue("code")) }))
	mux.HandleFunc("POST /sim/plug", b.post(func(r *http.Request) error { b.Plug(r.PostFormValue("on") == "true"); return nil }))
	mux.HandleFunc("POST /sim/switch", b.post(func(r *http.Request) error {
		return b.Turn(r.PostFormValue("name"), r.PostFormValue("on") == "true")
	}))
	return http.NewCrossOriginProtection().Handler(mux)
}

// group is a heading with what is under it.
type group struct {
	Name   string
	Things []Thing
}

func (b *Bench) page(w http.ResponseWriter, _ *http.Request) {
	var groups []group
	for _, t := range b.Things {
		if n := len(groups); n == 0 || groups[n-1].Name != t.Kind {
			groups = append(groups, group{Name: t.Kind})
		}
		g := &groups[len(groups)-1]
		g.Things = append(g.Things, t)
	}
	var out bytes.Buffer
	err := page.Execute(&out, struct {
		Groups   []group
		Presets  []Thing
		Switches []Switch
		Panel    bool
	}{groups, presets, b.Switches, b.Panel != nil})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(out.Bytes())
}

// State is what the page shows of the bench.
type State struct {
	Plugged  bool            `json:"plugged"`
	Switches map[string]bool `json:"switches"`
	Loans    []Row           `json:"loans"`
}

func (b *Bench) get(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	s := State{Plugged: b.plugged, Switches: map[string]bool{}, Loans: []Row{}}
	for k, v := range b.on {
		s.Switches[k] = v
	}
	b.mu.Unlock()
	if b.Panel != nil {
		s.Loans = append(s.Loans, b.Panel()...)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(s)
}

func (b *Bench) post(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := do(r); errors.Is(err, ErrUnplugged) {
			http.Error(w, err.Error(), http.StatusConflict)
		} else if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
	}
}
