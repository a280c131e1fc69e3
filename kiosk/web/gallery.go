package web

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk/web/scene"
)

// gallery are the pages that show every view in every state, manner and
// language, from fixtures: for tests, translators and designers. Nothing that
// is touched there reaches the desk.
type gallery struct{ *site }

// Sizes are the panels that the gallery shows, width and height in CSS pixels.
var Sizes = []string{"1024x600", "1280x800", "1920x1080", "1080x1920", "800x1280"}

// Manners are all that can be put together.
func Manners() (ms []Manner) {
	for _, k := range Kinds {
		for _, more := range []Manner{{}, {Large: true}, {Contrast: true}, {Large: true, Contrast: true}} {
			more.Kind = k
			ms = append(ms, more)
		}
	}
	return ms
}

// framed is the policy of a page that pages of ours may show in a frame; it
// sends no form.
var framed = strings.NewReplacer("form-action 'self'", "form-action 'none'", "frame-ancestors 'none'", "frame-ancestors 'self'").Replace(policy)

// frames is the policy of a page that shows such ones.
const frames = policy + "; frame-src 'self'"

func (s *site) galleryRoutes(mux *http.ServeMux) {
	g := gallery{s}
	mux.HandleFunc("GET /gallery", g.index)
	mux.HandleFunc("GET /gallery/view", g.view)
	mux.HandleFunc("GET /gallery/screen", g.screen)
	mux.HandleFunc("GET /gallery/refusals", g.refusals)
}

// picked is what the gallery shows.
type picked struct {
	*language
	Version         string
	Scene           string // empty: all of them
	Scenes, Panels  []string
	Langs           []*language
	Manners         []Manner
	Manner          Manner
	Panel           string
	Before, Further string // the scenes beside this one
}

// Shown are the scenes on the page.
func (p picked) Shown() []string {
	if p.Scene != "" {
		return []string{p.Scene}
	}
	return p.Scenes
}

// picked reads what is to be shown.
func (g gallery) picked(r *http.Request) picked {
	c := g.choice(r)
	p := picked{language: g.speak(c.lang, ""), Version: version, Scenes: scene.Names(), Panels: Sizes, Langs: g.langs,
		Manners: Manners(), Manner: g.manner(g.Desk.Screen(), c), Panel: Sizes[1]}
	if size := r.URL.Query().Get("size"); slices.Contains(Sizes, size) {
		p.Panel = size
	}
	if i := slices.Index(p.Scenes, r.URL.Query().Get("scene")); i >= 0 {
		n := len(p.Scenes)
		p.Scene, p.Before, p.Further = p.Scenes[i], p.Scenes[(i+n-1)%n], p.Scenes[(i+1)%n]
	}
	return p
}

func (g gallery) index(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", frames)
	g.render(w, "gallery", g.picked(r))
}

// view is a whole page of one scene, without a stream.
func (g gallery) view(w http.ResponseWriter, r *http.Request) {
	v, ok := g.of(r)
	if !ok {
		http.Error(w, "no such scene", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Security-Policy", framed)
	g.render(w, "page", page{View: v, Version: version})
}

// screen is the inside of such a page.
func (g gallery) screen(w http.ResponseWriter, r *http.Request) {
	v, ok := g.of(r)
	if !ok {
		http.Error(w, "no such scene", http.StatusNotFound)
		return
	}
	g.render(w, "screen", v)
}

// of is the view that a request names.
func (g gallery) of(r *http.Request) (view, bool) {
	sc, ok := scene.At(r.URL.Query().Get("scene"), g.Clock())
	if !ok {
		return view{}, false
	}
	return g.site.view(sc, g.choice(r)), true
}

// render writes a whole document, or says that it can't.
func (s *site) render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, data); err != nil {
		s.Log.Error("web: "+name, "err", err)
		http.Error(w, "the page can't be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes()) //nolint:errcheck // the browser is gone
}
