package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// apiLine and apiScreen are the screen for programs; their fields may grow
// and do not change meaning.
type apiLine struct {
	ID      kiosk.ID `json:"id"`
	Barcode string   `json:"barcode"`
	Title   string   `json:"title"`
	State   string   `json:"state"`
	Due     *string  `json:"due"` // RFC 3339
	Text    string   `json:"text"`
	Reason  string   `json:"reason"`
	Route   string   `json:"route"`
	To      string   `json:"to"`
	Bin     string   `json:"bin"`
	Have    int      `json:"have"`
	Parts   int      `json:"parts"`
}

type apiTray struct {
	Tags    int  `json:"tags"`
	Items   int  `json:"items"`
	Missing int  `json:"missing"`
	Lifted  int  `json:"lifted"`
	Left    int  `json:"left"`
	Counted int  `json:"counted"`
	Settled bool `json:"settled"`
}

type apiFault struct {
	Source string    `json:"source"`
	Text   string    `json:"text"`
	Since  time.Time `json:"since"`
	Fatal  bool      `json:"fatal"`
}

type apiScreen struct {
	View    kiosk.View `json:"view"`
	Mode    kiosk.Mode `json:"mode"`
	Visit   kiosk.ID   `json:"visit"`
	Patron  string     `json:"patron"`
	Lines   []apiLine  `json:"lines"`
	Find    *apiFind   `json:"find"`
	Tray    apiTray    `json:"tray"`
	Notice  string     `json:"notice"`
	Help    string     `json:"help"`
	Stuck   bool       `json:"stuck"`
	Busy    bool       `json:"busy"`
	Closing bool       `json:"closing"`
	Faults  []apiFault `json:"faults"`
	Online  bool       `json:"online"`
	Seq     uint64     `json:"seq"`
}

func (s *site) api(sc kiosk.Screen, chosen *language) apiScreen {
	v := s.view(sc, choice{lang: chosen})
	a := apiScreen{View: sc.View, Mode: sc.Mode, Visit: sc.Visit, Patron: sc.Patron, Lines: make([]apiLine, 0, len(v.Lines)), Tray: apiTray(sc.Tray), Notice: v.Notice().Text(), Help: v.help(), Stuck: sc.Care.Kind,
		Busy: sc.Busy, Closing: sc.Closing, Faults: s.apiFaults(sc), Online: sc.Online, Seq: sc.Seq}
	if sc.Find != nil {
		a.Find = v.apiFind()
	}
	var at time.Time
	var due *string // of a line before: what is lent in one visit is mostly due at one time
	for _, l := range v.Lines {
		out := apiLine{ID: l.ID, Barcode: string(l.Item), Title: l.Line.Title, State: string(l.State), Text: l.Text(), Reason: string(l.Reason),
			Have: l.Have, Parts: l.Parts}
		if l.State == kiosk.LineReturned {
			out.Route, out.To, out.Bin = l.dest(), clean(l.Route.To), clean(l.Route.Bin)
		}
		if !l.Due.IsZero() {
			if due == nil || !at.Equal(l.Due) {
				text := l.Due.In(s.Location).Format(time.RFC3339Nano)
				at, due = l.Due, &text
			}
			out.Due = due
		}
		a.Lines = append(a.Lines, out)
	}
	return a
}

func (s *site) apiFaults(sc kiosk.Screen) []apiFault {
	fs := []apiFault{}
	for _, f := range sc.Faults {
		fs = append(fs, apiFault{Source: f.Source, Text: f.Text, Since: f.Since.In(s.Location), Fatal: f.Fatal})
	}
	return fs
}

func (s *site) apiScreen(w http.ResponseWriter, r *http.Request) {
	s.json(w, http.StatusOK, s.api(s.Desk.Screen(), s.chosen(r)))
}

func (s *site) apiEvents(w http.ResponseWriter, r *http.Request) {
	chosen := s.chosen(r)
	s.follow(w, r, []byte(": beat\n\n"), func(sc kiosk.Screen) ([]byte, error) {
		b, err := json.Marshal(s.api(sc, chosen))
		return message{id: sc.Seq, data: string(b)}.encode(), err
	})
}

func (s *site) json(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.Log.Error("web: json", "err", err)
		http.Error(w, "can't be told", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n')) //nolint:errcheck // the browser is gone
}

func (s *site) openAPI(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, assets, "api/openapi.json")
}

// health says that the server answers and the desk can be read.
func (s *site) health(w http.ResponseWriter, r *http.Request) {
	s.json(w, http.StatusOK, map[string]any{"ok": true, "seq": s.Desk.Screen().Seq})
}

// ready says whether the desk can lend and return.
func (s *site) ready(w http.ResponseWriter, r *http.Request) {
	sc, status := s.Desk.Screen(), http.StatusOK
	if fatal(sc) {
		status = http.StatusServiceUnavailable
	}
	s.json(w, status, map[string]any{"ready": status == http.StatusOK, "faults": s.apiFaults(sc)})
}
