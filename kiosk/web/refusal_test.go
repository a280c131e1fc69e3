package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web/scene"
)

// TestRefusalsHaveWordsAndPictures: each reason is told in each language to
// adults and to children, with what to do, and in two pictures.
func TestRefusalsHaveWordsAndPictures(t *testing.T) {
	_, ls := all(t)
	pages, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]string{}
	draw := func(name, what string) string {
		var b strings.Builder
		if err := pages.ExecuteTemplate(&b, name, what); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	none := map[string]string{"why": draw("why", "done"), "next": draw("next", "go")} // what the templates do with what they don't know
	for _, r := range kiosk.Refusals() {
		for name, what := range map[string]string{"why": string(r.Picture), "next": string(r.Next)} {
			svg := draw(name, what)
			if !strings.HasPrefix(svg, "<svg") && !strings.Contains(svg, "<svg class=\"art-") || strings.Count(svg, "<svg") != 1 {
				t.Errorf("%s: the picture %q of %s is no picture: %.80s", r.Reason, what, name, svg)
			}
			if svg == none[name] && what != "done" && what != "go" {
				t.Errorf("%s: %q of %s is not drawn", r.Reason, what, name)
			}
			if other, ok := drawn[svg]; ok && other != name+what {
				t.Errorf("%s looks like %s", name+what, other)
			}
			drawn[svg] = name + what
		}
		for _, l := range ls {
			for _, child := range []bool{false, true} {
				v := view{language: l, child: child}
				for part, text := range map[string]string{"why": v.Because(r.Reason), "what next": v.Then(r.Reason)} {
					if text == "" || strings.HasPrefix(text, "reason.") || strings.HasPrefix(text, "next.") {
						t.Errorf("%s: %s: child %t: %s is %q", l.Tag, r.Reason, child, part, text)
					}
				}
				if words := strings.Fields(v.Because(r.Reason)); child && len(words) > 10 {
					t.Errorf("%s: %s: %q is long for a child", l.Tag, r.Reason, v.Because(r.Reason))
				}
			}
		}
	}
}

// TestStrangeReasonSendsToStaff, in words and in pictures.
func TestStrangeReasonSendsToStaff(t *testing.T) {
	en, _ := all(t)
	v := view{language: en}
	l := line{Line: &kiosk.Line{State: kiosk.LineRefused, Reason: "of-tomorrow"}, v: &v}
	if l.Head() != "That did not work." || l.Step() != "Please ask staff." || l.After() != "desk" {
		t.Errorf("a strange reason says %q %q, next %q", l.Head(), l.Step(), l.After())
	}
	v.child = true
	if l.Head() != "That did not work." || l.Step() != "Go to the desk. Somebody will help you." {
		t.Errorf("to a child it says %q %q", l.Head(), l.Step())
	}
}

// hostileTexts are what an ILS might say.
var hostileTexts = []string{"ZQX Patron has fines - You owe 12.00.", "<script>alert('ZQX')</script>", "\u202eZQX\x1b[31m\x00", "ZQX " + strings.Repeat("Ṽ̷̡̛", 300), "{{.Patron}} ZQX"}

// raw is a screen on which all that the ILS has said in words of its own is
// text.
func raw(r kiosk.Refusal, state kiosk.LineState, view kiosk.View, text string) kiosk.Screen {
	l := kiosk.Line{ID: "a", Item: "31234000000012", Title: "Momo", Kind: kiosk.Checkout, State: state, Reason: r.Reason, Text: text, Times: 1}
	isbn := kiosk.Line{ID: "b", ISBN: "9783522177504", State: state, Reason: r.Reason, Text: text, Times: 1}
	return kiosk.Screen{View: view, Visit: "v1", Mode: kiosk.Borrowing, Patron: "Amélie", Online: true, Lines: []kiosk.Line{l, isbn}, Now: noon}
}

// shown is all that a patron's browser and a program get of a screen.
func shown(t testing.TB, s *site, sc kiosk.Screen, m Manner) string {
	var b bytes.Buffer
	v := s.view(sc, choice{manner: &m})
	if err := s.pages.ExecuteTemplate(&b, "screen", v); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&b).Encode(s.api(sc, nil)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestNoWordsOfTheILS: what a patron sees does not depend on the ILS's words
// by a single letter, whatever was refused, in each manner.
func TestNoWordsOfTheILS(t *testing.T) {
	s := bareSite(t)
	for _, r := range kiosk.Refusals() {
		for _, state := range []kiosk.LineState{kiosk.LineRefused, kiosk.LineAction, kiosk.LineLent} {
			for _, view := range []kiosk.View{kiosk.ViewItems, kiosk.ViewReceipt} {
				for _, m := range []Manner{{Kind: Standard}, {Kind: PreReader}, {Kind: Calm, Large: true}} {
					want := shown(t, s, raw(r, state, view, ""), m)
					for _, text := range hostileTexts[:1+len(hostileTexts)/3] {
						if got := shown(t, s, raw(r, state, view, text), m); got != want {
							t.Fatalf("%s, %s, %s, %s: %q changes what is shown", r.Reason, state, view, m, text)
						}
					}
				}
			}
		}
	}
}

// FuzzNoWordsOfTheILS: see TestNoWordsOfTheILS.
func FuzzNoWordsOfTheILS(f *testing.F) {
	for i, text := range hostileTexts {
		f.Add(i*7, text)
	}
	s := bareSite(f)
	f.Fuzz(func(t *testing.T, n int, text string) {
		rows := kiosk.Refusals()
		r := rows[uint(n)%uint(len(rows))]
		if r.Reason == kiosk.ReasonTagTwice { // its text is the number of the other's line
			return
		}
		m := []Manner{{Kind: Standard}, {Kind: PreReader}}[uint(n)%2]
		if got := shown(t, s, raw(r, kiosk.LineRefused, kiosk.ViewItems, text), m); got != shown(t, s, raw(r, kiosk.LineRefused, kiosk.ViewItems, ""), m) {
			t.Errorf("%s: %q changes what is shown", r.Reason, text)
		}
	})
}

func bareSite(t testing.TB) *site {
	en, _ := all(t)
	ls := []*language{en}
	pages, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	return &site{Config: Config{Staff: &Staff{}, Location: time.UTC, Clock: func() time.Time { return noon }}, langs: ls, matcher: matcher(ls), pages: pages}
}

// TestChildrenHaveWordsOfTheirOwn: by the patron's category, by the library's
// word for everybody, and in pictures.
func TestChildrenHaveWordsOfTheirOwn(t *testing.T) {
	s := bareSite(t)
	sc, _ := scene.At("items-refused", noon)
	head := func() string { return s.view(sc, choice{}).Trouble()[0].Text() }
	adult, child := "Another reader is waiting for this one. Please leave it with staff.", "Somebody is waiting for this book. Go to the desk. Somebody will help you."
	if got := head(); got != adult {
		t.Errorf("to an adult: %q", got)
	}
	sc.Child = true
	if got := head(); got != child {
		t.Errorf("to a child: %q", got)
	}
	sc.Child, s.Child = false, true
	if got := head(); got != child {
		t.Errorf("in a primary school: %q", got)
	}
	s.Child = false
	if got := s.view(sc, choice{manner: &Manner{Kind: PreReader}}).Trouble()[0].Text(); got != child {
		t.Errorf("in pictures: %q", got)
	}
}

// TestGalleryShowsEachRefusal: the page of the catalogue has a row for each,
// and each has a scene of its own.
func TestGalleryShowsEachRefusal(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Gallery = true })
	page := get(h, "/gallery/refusals?lang=en&mode=pre-reader").Body.String()
	for _, r := range kiosk.Refusals() {
		if !strings.Contains(page, fmt.Sprintf("<tr id=%q>", r.Reason)) {
			t.Errorf("%s is not in the gallery", r.Reason)
		}
		sc, ok := scene.At(scene.Refused(r.Reason), noon)
		found := ok && (sc.Notice.Reason == r.Reason || slices.ContainsFunc(sc.Lines, func(l kiosk.Line) bool { return l.Reason == r.Reason }))
		if !found {
			t.Errorf("the scene of %s does not show it", r.Reason)
		}
	}
	if _, ok := scene.At("refused-by-nobody", noon); ok {
		t.Error("there is a scene for a reason that is none")
	}
}
