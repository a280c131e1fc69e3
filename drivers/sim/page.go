package sim

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/drivers"
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
	mux.HandleFunc("POST /sim/scan", post(func(r *http.Request) error {
		if r.PostFormValue("code") == "" {
			return errors.New("there is nothing to scan")
		}
		return b.Scan(r.PostFormValue("code"))
	}))
	mux.HandleFunc("POST /sim/plug", post(func(r *http.Request) error {
		on, err := strconv.ParseBool(r.PostFormValue("on"))
		if err == nil {
			b.Plug(on)
		}
		return err
	}))
	mux.HandleFunc("POST /sim/pad", post(b.pad1))
	mux.HandleFunc("POST /sim/plug-pad", post(func(r *http.Request) error {
		on, err := strconv.ParseBool(r.PostFormValue("on"))
		if err == nil {
			b.PlugPad(on)
		}
		return err
	}))
	mux.HandleFunc("POST /sim/switch", post(func(r *http.Request) error {
		on, err := strconv.ParseBool(r.PostFormValue("on"))
		if err != nil {
			return err
		}
		return b.Turn(r.PostFormValue("name"), on)
	}))
	mux.HandleFunc("POST /sim/panel", post(func(r *http.Request) error {
		if r.PostFormValue("what") == drivers.ContactHelp {
			return b.Press()
		}
		shut, err := strconv.ParseBool(r.PostFormValue("on"))
		if err == nil {
			err = b.Shut(shut)
		}
		return err
	}))
	mux.HandleFunc("POST /sim/tear", post(func(*http.Request) error {
		if b.Tear != nil {
			b.Tear()
		}
		return nil
	}))
	return http.NewCrossOriginProtection().Handler(mux)
}

// pad1 lays one thing down or takes it away: code, on, and if need be part and
// edge; without a code it clears the pad.
func (b *Bench) pad1(r *http.Request) error {
	on, err := strconv.ParseBool(r.PostFormValue("on"))
	if err != nil {
		return err
	}
	if r.PostFormValue("code") == "" && !on && b.Field != nil {
		b.Field.Clear()
		return nil
	}
	part, edge := 0, 0.0
	if v := r.PostFormValue("part"); v != "" {
		if part, err = strconv.Atoi(v); err != nil {
			return err
		}
	}
	if v := r.PostFormValue("edge"); v != "" {
		if edge, err = strconv.ParseFloat(v, 64); err != nil || edge < 0 || edge > 1 {
			return fmt.Errorf("edge: %q: must be 0 to 1", v)
		}
	}
	return b.Lay(r.PostFormValue("code"), part, on, edge)
}

// group is a heading with what is under it.
type group struct {
	Name   string
	Things []Thing
}

// policy lets the page use what is here and nothing else; data: is its icon.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

// groups puts the things under their headings, in the order of the first.
func (b *Bench) groups() []group {
	var list []group
	for _, t := range b.Things {
		i := slices.IndexFunc(list, func(g group) bool { return g.Name == t.Kind })
		if i < 0 {
			i = len(list)
			list = append(list, group{Name: t.Kind})
		}
		list[i].Things = append(list[i].Things, t)
	}
	return list
}

// of lists the switches of a part.
func (b *Bench) of(part string) (list []Switch) {
	for _, s := range b.Switches {
		if s.Part == part {
			list = append(list, s)
		}
	}
	return list
}

func (b *Bench) page(w http.ResponseWriter, _ *http.Request) {
	var out bytes.Buffer
	err := page.Execute(&out, struct {
		Groups   []group
		Presets  []Thing
		Switches []Switch
		Panel    bool
		Pad      bool
		Printer  bool
		Lights   bool
		OfPaper  []Switch
	}{b.groups(), presets, b.of(""), b.Panel != nil, b.Field != nil, b.Paper != nil, b.panelState() != nil, b.of(PartPrinter)})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Write(out.Bytes())
}

// State is what the page shows of the bench.
type State struct {
	Plugged  bool            `json:"plugged"`
	Read     bool            `json:"read"` // a program reads the scanner
	Switches map[string]bool `json:"switches"`
	Loans    []Row           `json:"loans"`
	Pad      []Laid          `json:"pad"`
	PadIn    bool            `json:"pad_plugged"`
	Paper    []Slip          `json:"paper"`
	Panel    *PanelState     `json:"panel,omitempty"`
}

func (b *Bench) get(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	s := State{Plugged: b.plugged, Read: b.reader != nil, PadIn: b.padPlugged, Switches: maps.Clone(b.on), Loans: []Row{}}
	b.mu.Unlock()
	s.Pad = b.laid()
	s.Panel = b.panelState()
	if b.Paper != nil {
		s.Paper = b.Paper()
	}
	if b.Panel != nil {
		s.Loans = append(s.Loans, b.Panel()...)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(s)
}

func post(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := do(r); errors.Is(err, ErrUnplugged) || errors.Is(err, ErrUnread) {
			http.Error(w, err.Error(), http.StatusConflict)
		} else if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
	}
}
