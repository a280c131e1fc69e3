package web

import (
	"net/http"
	"net/url"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// page is the whole document around a screen.
type page struct {
	View     view
	Pace     int64   // from one thing to the next where a switch chooses, in milliseconds
	Voice    float64 // how loud it speaks, 0 to 1; 0: it does not
	Version  string
	Branded  bool      // the library has colours of its own
	Stream   string    // the address of the stream that keeps it right; empty: it stays as it is
	Practice *practice // what a rehearsal adds; nil: it is none
	Chosen   bool      // something was chosen by touch: it goes with the session
}

// page renders the newest screen completely; the stream takes over from there.
func (s *site) page(w http.ResponseWriter, r *http.Request) {
	c := s.choice(r)
	p := page{View: s.view(s.Desk.Screen(), c), Pace: s.Pace.Milliseconds(), Voice: s.Sound.Voice(), Version: s.edition(), Branded: s.brand() != (kiosk.Brand{}), Stream: "/stream", Chosen: c.touch}
	asked := url.Values{}
	if l := s.match(r.URL.Query().Get("lang")); l != nil {
		asked.Set("lang", l.Tag)
	}
	if m, ok := ParseManner(r.URL.Query().Get("mode")); ok {
		asked.Set("mode", m.String())
	}
	if len(asked) > 0 {
		p.Stream += "?" + asked.Encode()
	}
	s.render(w, "page", p)
}
