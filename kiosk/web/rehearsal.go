package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// A rehearsal goes through a loan with a pretend book: the screens are those
// that this kiosk shows, as it is configured, and nothing reaches the desk. A
// story is the same, printed.

// act is one step of a rehearsal.
type act struct {
	Name   string // its text is "story." with the name
	screen kiosk.Screen
}

// acts are the steps of a loan at this kiosk.
func (s *site) acts(l *language) (as []act) {
	now := s.Clock()
	book := kiosk.Line{ID: "pretend", Title: l.T("story.pretend"), Kind: kiosk.Checkout, State: kiosk.LineLent, Due: now.AddDate(0, 0, 21), Times: 1}
	other := kiosk.Line{ID: "other", Title: l.T("story.pretend.second"), Kind: kiosk.Checkout, State: kiosk.LineRefused, Reason: kiosk.ReasonNotForLoan, Times: 1}
	items := kiosk.Screen{View: kiosk.ViewItems, Visit: "rehearsal"}
	with := func(change func(*kiosk.Screen)) kiosk.Screen {
		sc := items
		change(&sc)
		return sc
	}
	as = append(as, act{"welcome", kiosk.Screen{View: kiosk.ViewWelcome}})
	if s.PIN {
		as = append(as, act{"pin", with(func(sc *kiosk.Screen) { sc.View = kiosk.ViewPIN })})
	}
	as = append(as,
		act{"empty", items},
		act{"book", with(func(sc *kiosk.Screen) { sc.Lines = []kiosk.Line{book} })},
		act{"refused", with(func(sc *kiosk.Screen) { sc.Lines = []kiosk.Line{book, other} })},
		act{"stay", with(func(sc *kiosk.Screen) {
			sc.Lines = []kiosk.Line{book}
			sc.EndsAt, sc.WarnAt = now.Add(time.Minute), now.Add(-time.Second)
		})},
		act{"done", with(func(sc *kiosk.Screen) { sc.View, sc.Lines = kiosk.ViewReceipt, []kiosk.Line{book} })})
	for i := range as {
		as[i].screen.Mode, as[i].screen.Online, as[i].screen.Now = kiosk.Borrowing, true, now
	}
	return as
}

// Text says what happens in a step, as whoever does it would.
func (v view) Text(a act) string { return v.T("story." + a.Name) }

// practice is what a rehearsal adds to a page.
type practice struct {
	Text string
	Step int // from 1
	Of   int
	Next string // the address of the next step, or of the screen
	Last bool
}

// staged is the view of a step, in the manner that the request asks for.
func (s *site) staged(r *http.Request) (v view, as []act, n int, ok bool) {
	c := s.choice(r)
	as = s.acts(s.speak(c.lang, ""))
	n, err := strconv.Atoi(r.PathValue("step"))
	if err != nil || n < 1 || n > len(as) {
		return view{}, nil, 0, false
	}
	return s.view(as[n-1].screen, c), as, n, true
}

// rehearsal is one step. The page goes back to the desk's screen by itself when
// somebody comes, or when it is left alone.
func (s *site) rehearsal(w http.ResponseWriter, r *http.Request) {
	v, as, n, ok := s.staged(r)
	if !ok {
		http.Error(w, "no such step", http.StatusNotFound)
		return
	}
	p := practice{Text: v.Text(as[n-1]), Step: n, Of: len(as), Next: "/rehearsal/" + strconv.Itoa(n+1), Last: n == len(as)}
	if q := r.URL.RawQuery; q != "" {
		p.Next += "?" + q
	}
	if p.Last {
		p.Next = "/"
	}
	w.Header().Set("Content-Security-Policy", framed)
	s.render(w, "page", page{View: v, Voice: s.Sound.Voice(), Version: version, Practice: &p})
}

// still is the picture of a step in the story.
func (s *site) still(w http.ResponseWriter, r *http.Request) {
	v, _, _, ok := s.staged(r)
	if !ok {
		http.Error(w, "no such step", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Security-Policy", framed)
	s.render(w, "page", page{View: v, Version: version})
}

// story is a page to print and to read before the first visit.
func (s *site) story(w http.ResponseWriter, r *http.Request) {
	c := s.choice(r)
	if c.manner == nil {
		c.manner = &Manner{Kind: Calm}
	}
	v := s.view(kiosk.Screen{View: kiosk.ViewWelcome, Now: s.Clock()}, c)
	w.Header().Set("Content-Security-Policy", frames)
	s.render(w, "story", struct {
		view
		Version string
		Acts    []act
	}{v, version, s.acts(v.language)})
}
