package web

import (
	"net/http"
	"sync"
	"time"
)

// blind is how long the display of this machine may show nothing new before its
// browser is taken for hung: its page says every ten seconds that it has
// painted.
const blind = 45 * time.Second

// Sight knows whether the browser on this machine's own display still paints.
// A page that is closed or hidden says so, and is not waited for.
type Sight struct {
	mu   sync.Mutex
	last time.Time // it painted
	gone bool      // and said that it goes
	came bool      // ever
}

// NewSight waits for a browser from now on.
func NewSight() *Sight { return &Sight{last: time.Now()} }

func (s *Sight) painted(gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.gone, s.came = time.Now(), gone, true
}

// Hung tells since when no browser has painted; zero: all is well, or it was
// closed.
func (s *Sight) Hung() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || time.Since(s.last) < blind {
		return time.Time{}
	}
	return s.last
}

// Lost is Hung for a browser that was there before: a kiosk may have no display.
func (s *Sight) Lost() time.Time {
	since := s.Hung()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.came {
		return time.Time{}
	}
	return since
}

// beat takes a page's word that it has painted, from this machine alone.
func (s *site) beat(w http.ResponseWriter, r *http.Request) {
	if s.Sight != nil && here(r) {
		s.Sight.painted(r.URL.Query().Has("gone"))
	}
	w.WriteHeader(http.StatusNoContent)
}

// display says whether the display shows what it should, for the watchdog
// beside the browser: it starts the browser again.
func (s *site) display(w http.ResponseWriter, r *http.Request) {
	if s.Sight != nil {
		if since := s.Sight.Hung(); !since.IsZero() {
			http.Error(w, "the browser has painted nothing for "+time.Since(since).Round(time.Second).String(), http.StatusServiceUnavailable)
			return
		}
	}
	s.json(w, http.StatusOK, map[string]any{"ok": true})
}
