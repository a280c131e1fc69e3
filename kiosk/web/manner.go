package web

import (
	"net/http"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Manner is how the screen speaks to whoever is here: in one of its kinds,
// with larger print and more contrast on top where they are wanted. What a scan
// means is another thing: kiosk.Mode.
type Manner struct {
	Kind     Kind
	Large    bool // print
	Contrast bool // all that there can be
}

// Kind is what a manner is for.
type Kind string

// The kinds.
const (
	Standard  Kind = "standard"
	Calm      Kind = "calm"       // no motion, no sound, muted colours, no hurry
	PreReader Kind = "pre-reader" // pictures, colours and sounds in place of text; one thing at a time
)

// Kinds lists all of them, the usual one first.
var Kinds = []Kind{Standard, Calm, PreReader}

// ParseManner reads a manner as String writes it: its words in any order, with
// a dot, a plus, a comma or a space between them. The empty text is no manner.
func ParseManner(text string) (Manner, bool) {
	m := Manner{Kind: Standard}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".+, ", r) })
	for _, w := range words {
		switch {
		case w == "large":
			m.Large = true
		case w == "contrast":
			m.Contrast = true
		case known(w):
			m.Kind = Kind(w)
		default:
			return Manner{}, false
		}
	}
	return m, len(words) > 0
}

func known(kind string) bool {
	for _, k := range Kinds {
		if string(k) == kind {
			return true
		}
	}
	return false
}

// Words are what a style sheet may ask for: "standard large".
func (m Manner) Words() string { return strings.ReplaceAll(m.String(), ".", " ") }

// String is the manner as a cookie and an address hold it: "standard.large".
func (m Manner) String() string {
	words := []string{string(m.Kind)}
	if m.Kind == "" {
		words[0] = string(Standard)
	}
	if m.Large {
		words = append(words, "large")
	}
	if m.Contrast {
		words = append(words, "contrast")
	}
	return strings.Join(words, ".")
}

// with is the manner after a touch of what a word names: larger print and more
// contrast come and go by themselves, a kind takes the place of another.
func (m Manner) with(word string) Manner {
	switch Kind(word) {
	case "large":
		m.Large = !m.Large
	case "contrast":
		m.Contrast = !m.Contrast
	case m.Kind:
		m.Kind = Standard
	default:
		m.Kind = Kind(word)
	}
	return m
}

// option is one thing that can be chosen about the manner.
type option struct {
	Word string // also its icon's name
	Name string // in words
	On   bool
	Then string // the manner after it is touched
}

// Options are what the header offers.
func (v view) Options() (os []option) {
	m := v.Manner
	for _, o := range []option{
		{Word: "large", Name: v.T("mode.large"), On: m.Large},
		{Word: "contrast", Name: v.T("mode.contrast"), On: m.Contrast},
		{Word: "calm", Name: v.T("mode.calm"), On: m.Kind == Calm},
		{Word: string(PreReader), Name: v.T("mode.pictures"), On: m.Kind == PreReader},
	} {
		o.Then = m.with(o.Word).String()
		os = append(os, o)
	}
	return os
}

// mannerCookie holds what was chosen on this screen; the page drops it when
// the session ends.
const mannerCookie = "carrel-mode"

// choice is what a browser asks for: in the address, or by touch.
type choice struct {
	lang   *language // nil: nothing
	manner *Manner   // nil: nothing
	touch  bool      // some of it was chosen by touch: it goes with the session
}

func (s *site) choice(r *http.Request) choice {
	c := choice{lang: s.chosen(r)}
	if m, ok := ParseManner(r.URL.Query().Get("mode")); ok {
		c.manner = &m
	} else if k, err := r.Cookie(mannerCookie); err == nil {
		if m, ok := ParseManner(k.Value); ok {
			c.manner, c.touch = &m, true
		}
	}
	if c.lang != nil && s.match(r.URL.Query().Get("lang")) == nil {
		c.touch = true
	}
	return c
}

// manner picks that of a screen: what was chosen, the patron's, or the
// library's.
func (s *site) manner(sc kiosk.Screen, c choice) Manner {
	if c.manner != nil {
		return *c.manner
	}
	if m, ok := s.remembered(sc.Card); ok {
		return m
	}
	return s.own()
}

// own is the library's manner.
func (s *site) own() Manner {
	m := s.Manner
	if m.Kind == "" {
		m.Kind = Standard
	}
	return m
}

// chooseManner keeps a choice in this browser, and with the card of whoever is
// at the desk where the library lets that be. The page loads again.
func (s *site) chooseManner(w http.ResponseWriter, r *http.Request) {
	if !takeForm(w, r) {
		return
	}
	m, ok := ParseManner(r.PostForm.Get("mode"))
	if !ok {
		http.Error(w, "no such mode", http.StatusBadRequest)
		return
	}
	http.SetCookie(w, kept(mannerCookie, m.String()))
	if sc := s.Desk.Screen(); r.PostForm.Has("visit") && !late(r.PostForm, sc) {
		s.remember(r.Context(), sc.Card, m)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// kept is a cookie that stays until the browser ends or the session does; with
// no value it takes back what was kept.
func kept(name, value string) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// forget takes back all that was chosen by touch: whoever chose it is gone.
func (s *site) forget(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, kept(languageCookie, ""))
	http.SetCookie(w, kept(mannerCookie, ""))
	w.WriteHeader(http.StatusNoContent)
}
