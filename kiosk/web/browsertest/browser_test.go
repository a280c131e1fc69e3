package browsertest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
	"github.com/carrel-kiosk/carrel/kiosk/web/scene"
)

// bench is a touch screen on a fake desk, with a page below /bench by which a
// script sets the scene, reads the touches, and cuts the line.
type bench struct {
	desk *fakeDesk
	srv  *httptest.Server

	mu   sync.Mutex
	cut  bool   // every request ends without an answer
	mute bool   // a stream opens and then says nothing
	why  string // the kiosk is out of order
	all  map[net.Conn]bool
}

// board is what staff has put up: why the kiosk is out of order, if it is.
type board struct {
	web.Boards
	*bench
}

func (b board) Board() kiosk.Board {
	b.mu.Lock()
	defer b.mu.Unlock()
	return kiosk.Board{Closed: b.why != "", Why: b.why}
}

func newBench(t *testing.T, languages ...string) *bench {
	b := &bench{desk: newDesk(at(t, "welcome")), all: map[net.Conn]bool{}}
	site, err := web.New(web.Config{Desk: b.desk, Staff: &web.Staff{Board: board{bench: b}}, Library: "Maple Street Library", Languages: languages,
		Beat: 500 * time.Millisecond, Pace: 100 * time.Millisecond, Gallery: true, Find: true, Plan: plan{}, Class: class(), Sound: web.Sound{Volume: .5, Speaks: true}, Pages: map[string]http.Handler{"/bench": http.HandlerFunc(b.control)}})
	if err != nil {
		t.Fatal(err)
	}
	b.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		cut, mute := b.cut, b.mute
		b.mu.Unlock()
		switch {
		case strings.HasPrefix(r.URL.Path, "/bench"):
		case cut:
			panic(http.ErrAbortHandler)
		case mute && r.URL.Path == "/stream":
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		site.ServeHTTP(w, r)
	}))
	b.srv.Config.ConnState = b.track
	b.srv.Start()
	t.Cleanup(func() { b.sever(); b.srv.Close() })
	return b
}

// class is as large as one can be.
func class() (c []web.Pupil) {
	for i, a := range web.Animals() {
		c = append(c, web.Pupil{Card: kiosk.Card(fmt.Sprint(2000 + i)), Animal: a})
	}
	for i := len(c); i < web.MaxClass; i++ {
		var b bytes.Buffer
		jpeg.Encode(&b, portrait(i), nil) //nolint:errcheck // into memory
		c = append(c, web.Pupil{Card: kiosk.Card(fmt.Sprint(2000 + i)), Photo: &web.Photo{Data: b.Bytes(), ID: fmt.Sprint("p", i)}})
	}
	return c
}

// portrait is as like a photo as need be: somebody before a wall.
func portrait(n int) image.Image {
	const wide, high = 120, 160
	img := image.NewRGBA(image.Rect(0, 0, wide, high+n))
	skins, walls := []uint8{200, 150, 110}, []uint8{120, 170, 210}
	within := func(x, y, atX, atY, r int) bool { return (x-atX)*(x-atX)+(y-atY)*(y-atY) < r*r }
	for y := range img.Rect.Dy() {
		for x := range wide {
			s, w := skins[n%3], walls[n/3%3]
			c := color.RGBA{w, 190, 255 - w/2, 255}
			if within(x, y, wide/2, high+20, 70) { // shoulders
				c = color.RGBA{255 - w, 90, w, 255}
			}
			if within(x, y, wide/2, 70, 36) {
				c = color.RGBA{s, s / 4 * 3, s / 2, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func at(t *testing.T, name string) kiosk.Screen {
	sc, ok := scene.At(name, time.Now())
	if !ok {
		t.Fatalf("no scene %s", name)
	}
	return sc
}

func (b *bench) track(c net.Conn, s http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s == http.StateClosed {
		delete(b.all, c)
	} else {
		b.all[c] = true
	}
}

// sever cuts every open connection in two.
func (b *bench) sever() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.all {
		c.Close()
	}
}

func (b *bench) control(w http.ResponseWriter, r *http.Request) {
	switch what := strings.TrimPrefix(r.URL.Path, "/bench/"); what {
	case "cut", "mute", "mend":
		b.mu.Lock()
		b.cut, b.mute = what == "cut", what == "mute"
		b.mu.Unlock()
		if what == "cut" {
			go b.sever() // this connection too
		}
	case "touches":
		b.desk.mu.Lock()
		defer b.desk.mu.Unlock()
		names := []string{}
		for _, ev := range b.desk.sent {
			names = append(names, fmt.Sprintf("%T%+v", ev, ev))
		}
		b.desk.sent = nil
		json.NewEncoder(w).Encode(names)
	default:
		sc, ok := scene.At(what, time.Now())
		if !ok {
			http.NotFound(w, r)
			return
		}
		b.mu.Lock()
		b.why = r.URL.Query().Get("why")
		b.mu.Unlock()
		b.desk.show(sc)
	}
}

func sceneNames() string { return strings.Join(scene.Names(), " ") }

// TestLooks walks through the gallery: every scene in every mode on every
// panel. Nothing is cut off or covered, axe finds nothing, no hostile text gets
// out of its place. With CARREL_SCREENSHOTS, a picture of each view in each mode
// goes to that folder.
func TestLooks(t *testing.T) {
	b := newBench(t, "en", "es", "de", "ar", "zh-Hans")
	var modes []string
	for _, m := range web.Manners() {
		modes = append(modes, m.String())
	}
	pictures := ""
	if os.Getenv("CARREL_SCREENSHOTS") != "" {
		pictures = views
	}
	browsertest.Run(t, "looks.cjs", "BASE="+b.srv.URL, "SCENES="+sceneNames(), "MODES="+cmp.Or(os.Getenv("MODES"), strings.Join(modes, " ")),
		"PICTURES="+cmp.Or(os.Getenv("PICTURES"), pictures))
}

// views are the scenes of which pictures are taken: each view at its fullest.
const views = "welcome held identifying pin-wrong items-empty items items-countdown returning stack-back receipt fatal"

// TestContactSheet makes the small picture of the modes that README shows.
func TestContactSheet(t *testing.T) {
	b := newBench(t, "en", "ar", "zh-Hans")
	browsertest.Run(t, "sheet.cjs", "BASE="+b.srv.URL)
}

// TestTouches uses the screen as patrons do, and cuts the line under it.
func TestTouches(t *testing.T) {
	b := newBench(t, "en", "es")
	browsertest.Run(t, "touches.cjs", "BASE="+b.srv.URL, "SCENES="+sceneNames())
}

// TestManners chooses each manner as a patron would, hears the tones, and looks
// for what a shared screen must not keep.
func TestManners(t *testing.T) {
	b := newBench(t, "en", "es", "de", "ar")
	browsertest.Run(t, "manners.cjs", "BASE="+b.srv.URL)
}

// TestLanguages chooses each language by touch, and walks through the views in
// it: nothing is cut off or covered, and every letter comes from the fonts that
// Carrel brings along.
func TestLanguages(t *testing.T) {
	b := newBench(t, "en", "es", "fr", "de", "ar", "zh-Hans", "vi", "uk")
	browsertest.Run(t, "languages.cjs", "BASE="+b.srv.URL)
}
