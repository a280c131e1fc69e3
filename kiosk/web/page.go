package web

import (
	"bytes"
	"net/http"
)

// page is the whole document around a screen.
type page struct {
	View    view
	Version string
	Stream  string // the address of the stream that keeps it right
	Chosen  bool   // the language was chosen by touch: it goes with the session
}

// page renders the newest screen completely; the stream takes over from there.
func (s *site) page(w http.ResponseWriter, r *http.Request) {
	chosen := s.chosen(r)
	p := page{View: s.view(s.Desk.Screen(), chosen), Version: version, Stream: "/stream"}
	if l := s.match(r.URL.Query().Get("lang")); l != nil {
		p.Stream += "?lang=" + l.Tag
	} else {
		p.Chosen = chosen != nil
	}
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, "page", p); err != nil {
		s.Log.Error("web: page", "err", err)
		http.Error(w, "the screen can't be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes()) //nolint:errcheck // the browser is gone
}
