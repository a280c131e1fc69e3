package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// TestSight: a display that paints no more is told of, by the word of this
// machine's own browser alone; one that was closed is not waited for.
func TestSight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{Config: Config{Sight: NewSight()}}
		code := func() int {
			w := httptest.NewRecorder()
			s.display(w, httptest.NewRequest("GET", "/healthz/display", nil))
			return w.Code
		}
		beat := func(from, query string) {
			r := httptest.NewRequest("POST", "/beat"+query, nil)
			r.RemoteAddr = from
			s.beat(httptest.NewRecorder(), r)
		}
		time.Sleep(blind)
		if !s.Sight.Lost().IsZero() {
			t.Error("a display that never was is lost")
		}
		s.Sight = NewSight()
		for _, step := range []struct {
			after       time.Duration
			from, query string
			want        int
		}{
			{0, "", "", http.StatusOK},
			{blind, "", "", http.StatusServiceUnavailable},
			{0, "10.1.2.3:4", "", http.StatusServiceUnavailable},
			{0, "127.0.0.1:4", "", http.StatusOK},
			{blind - time.Second, "[::1]:4", "", http.StatusOK},
			{blind, "", "", http.StatusServiceUnavailable},
			{time.Second, "[::ffff:127.0.0.1]:4", "?gone", http.StatusOK},
			{time.Hour, "", "", http.StatusOK},
			{0, "127.0.0.1:4", "", http.StatusOK},
			{blind, "", "", http.StatusServiceUnavailable},
		} {
			time.Sleep(step.after)
			if step.from != "" {
				beat(step.from, step.query)
			}
			if got := code(); got != step.want {
				t.Errorf("%+v: %d", step, got)
			}
			if lost := !s.Sight.Lost().IsZero(); lost != (step.want != http.StatusOK && s.Sight.came) {
				t.Errorf("%+v: lost %v", step, lost)
			}
		}
	})
}
