package web

import (
	"context"
	"net/http"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// help is where a call for help stands, for programs: called, coming, or "".
func (v view) help() string {
	switch c := v.Care; {
	case c.Comes():
		return "coming"
	case c.Calls():
		return "called"
	}
	return ""
}

// Called tells whether somebody was called: it can be taken back.
func (v view) Called() bool { return v.Care.Calls() }

// CareWord is what the patron is told of staff, "" for nothing.
func (v view) CareWord() string {
	switch c := v.Care; {
	case c.Comes():
		return v.T("help.coming")
	case c.Calls():
		return v.T("help.called")
	case c.Kind:
		return v.T("help.stuck")
	}
	return ""
}

// CareIcon is the picture beside it.
func (v view) CareIcon() string {
	if v.Care.Comes() {
		return "comes"
	}
	return "person"
}

// helpAct is what staff may do about a need, by a touch.
type helpAct struct{ What, Text string }

// care lists what the one at the desk needs.
func (v nowView) care() (list []need) {
	c := v.screen.Care
	done := helpAct{"done", v.T("staff.now.helped")}
	switch {
	case c.Comes():
		list = append(list, need{ID: "help-coming", Text: v.T("staff.now.need.coming"), More: v.Moment(c.Seen), Acts: []helpAct{done}})
	case c.Calls():
		list = append(list, need{ID: "help", Text: v.T("staff.now.need.help"), More: v.Moment(c.Help), Help: true,
			Acts: []helpAct{{"coming", v.T("staff.now.coming")}, done}})
	}
	if c.IsStuck() {
		list = append(list, need{ID: "stuck", Text: v.T("staff.now.need.stuck"), More: v.Moment(c.Stuck) + " · " + v.reason(c.Why, "title"), Acts: []helpAct{done}})
	}
	return list
}

// helpAct is somebody of the staff who comes, or has helped.
func (s *site) helpAct(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	ev, ok := map[string]kiosk.Event{"coming": kiosk.ComeHelp{}, "done": kiosk.EndCare{}}[r.PathValue("what")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if !s.note(w, r, who, "help."+r.PathValue("what"), "", "") {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := s.Desk.Send(ctx, ev); err != nil {
		http.Error(w, "the desk is busy", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/staff/now", http.StatusSeeOther)
}
