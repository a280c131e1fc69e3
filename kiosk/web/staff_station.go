package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// ErrDeskBusy says that a patron is at the desk.
var ErrDeskBusy = errors.New("a patron is using the desk")

// StationView is what a station shows: a plain value. The names of modes,
// stages and verdicts are those of package station.
type StationView struct {
	Seq     uint64
	Mode    string // write, convert
	Stage   string
	Parts   int // of each set
	Lock    bool
	Item    string // scanned, not yet written
	Title   string // its
	Unknown bool   // the catalogue does not have it
	Verdict string // on what lies there
	UID     string // which one
	Was     StationTag
	Says    string // more about it, for staff
	Missing []int  // parts of the set
	Err     string // why the pad is of no use
	Code    string // that was no item's
	PutBack string // the item that must lie there to be undone
	Tags    int    // on the pad
	Count   int
	Rate    int           // an hour
	Done    []StationBook // the newest first
	Open    []StationBook // lifted too early
}

// StationTag is what a tag said before.
type StationTag struct {
	Item, Owner, Model string
	Part, Parts        int
}

// StationBook is one that was done, or begun.
type StationBook struct {
	Item, Title string
	Part, Parts int
	Dropped     string // what the new model has no place for
	Unknown     bool
	Lent        bool // the kiosk has it on loan
	Undone      bool
}

// stationView is a StationView with words.
type stationView struct {
	StationView
	*language
	Busy bool // a patron has the desk
}

// slug makes a key's part of a name.
func slug(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, name)
}

// Head is what to do now, in a few words.
func (v stationView) Head() string {
	switch {
	case v.Busy:
		return v.T("staff.busy")
	case v.Err != "":
		return v.T("staff.nopad")
	case v.Stage == "ask" || v.Stage == "trouble":
		return v.T("staff.verdict." + slug(v.Verdict))
	}
	return v.T("staff.stage." + slug(v.Stage))
}

// Lead says more.
func (v stationView) Lead() string {
	switch {
	case v.Busy:
		return v.T("staff.busy.lead")
	case v.Err != "":
		return v.Err
	case v.Stage == "ask":
		return v.asked()
	case v.Stage == "trouble":
		return v.Says
	case v.Stage == "part":
		return v.T("staff.part.lead", "n", strconv.Itoa(v.Parts))
	case v.Stage == "place" && v.Mode == "convert":
		return v.T("staff.convert.lead")
	case v.Stage == "scan":
		return v.T("staff.scan.lead")
	}
	return ""
}

// asked tells what would be lost.
func (v stationView) asked() string {
	switch {
	case v.Was.Parts > 1:
		return v.T("staff.was.part", "item", v.Was.Item, "part", strconv.Itoa(v.Was.Part), "parts", strconv.Itoa(v.Was.Parts))
	case v.Was.Owner != "":
		return v.T("staff.was.owner", "item", v.Was.Item, "owner", v.Was.Owner)
	case v.Was.Item != "":
		return v.T("staff.was.item", "item", v.Was.Item)
	}
	return v.T("staff.was.unknown")
}

// Tone is the colour of the stage.
func (v stationView) Tone() string {
	switch {
	case v.Err != "" || v.Busy || v.Stage == "trouble":
		return "bad"
	case v.Stage == "ask" || v.Stage == "part":
		return "ask"
	case v.Stage == "lift":
		return "good"
	}
	return "calm"
}

// Undo and Redo tell whether there is something to undo or redo.
func (v stationView) Undo() bool { return len(v.Done) > 0 && !v.Done[0].Undone }

// Redo is Undo's other way.
func (v stationView) Redo() bool { return len(v.Done) > 0 && v.Done[0].Undone }

// Sizes gives the choices of how many parts a set has.
func (v stationView) Sizes() []int { return []int{1, 2, 3, 4, 5, 6, 8, 10, 12} }

// stationPage shows the station. The stream takes pad and scanner, and keeps
// them while the page is open.
func (s *site) stationPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	p := s.staffPage(r, who)
	if s.Staff.Station != nil {
		p.Station = s.stationNow(p.language, s.Staff.Station.View())
	}
	s.showStaff(w, http.StatusOK, "staff-tags", p)
}

func (s *site) stationNow(l *language, v StationView) *stationView {
	return &stationView{StationView: v, language: l, Busy: errors.Is(s.Staff.Station.Hold(), ErrDeskBusy)}
}

// showStaff writes a page for staff.
func (s *site) showStaff(w http.ResponseWriter, code int, name string, p staffPage) {
	s.show(w, code, name, p)
}

// show shows a page as a whole, or says that it can't.
func (s *site) show(w http.ResponseWriter, code int, name string, p any) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, p); err != nil {
		s.Log.Error("web: staff", "page", name, "err", err)
		http.Error(w, "the page can't be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write(b.Bytes()) //nolint:errcheck // the browser is gone
}

// stationStream sends the station as it is, until the session ends. A book
// that is done is a sign of life; an open page is none.
func (s *site) stationStream(w http.ResponseWriter, r *http.Request) {
	l, there := s.staffLanguage(r), s.Staff.Station != nil
	var v StationView
	if there {
		v = s.Staff.Station.View()
	}
	s.staffStream(w, r, kiosk.Helper, there, func(kiosk.Member) (string, error) {
		var b strings.Builder
		err := s.pages.ExecuteTemplate(&b, "station", s.stationNow(l, v))
		return b.String(), err
	}, func(ctx context.Context) {
		next, err := s.Staff.Station.Next(ctx, v.Seq)
		if err != nil {
			next = s.Staff.Station.View() // its beat
		} else if next.Count != v.Count || next.Item != v.Item {
			s.door.in(r, true)
		}
		v = next
	})
}

// tellable is what staff can do on the page.
var tellable = map[string]bool{"scan": true, "sure": true, "part": true, "drop": true, "set": true, "mode": true, "lock": true, "undo": true, "redo": true}

// stationTouch passes on what staff does.
func (s *site) stationTouch(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Station == nil {
		s.refuse(w, r, http.StatusNotFound, s.staffLanguage(r).T("staff.nopad"))
		return
	}
	if !takeForm(w, r) {
		return
	}
	what := r.PathValue("what")
	if !tellable[what] {
		http.Error(w, "no such touch", http.StatusBadRequest)
		return
	}
	if err := s.Staff.Station.Hold(); err != nil {
		s.refuse(w, r, http.StatusConflict, s.staffLanguage(r).T("staff.busy"))
		return
	}
	value := strings.TrimSpace(r.PostForm.Get("value"))
	if !s.note(w, r, who, "tags."+what, value, "") {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), tellTime)
	defer cancel()
	if err := s.Staff.Station.Tell(ctx, what, value); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if document(r) {
		http.Redirect(w, r, "/staff/tags", http.StatusSeeOther) // a form without script
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
