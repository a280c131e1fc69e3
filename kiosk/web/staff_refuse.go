package web

import (
	"net/http"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// document tells whether a browser waits for a page: a form without script has
// been sent, or an address asked for. Browsers say so themselves, but not over
// plain HTTP from another machine.
func document(r *http.Request) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return r.Header.Get("HX-Request") == "" && (dest == "document" || dest == "" && strings.Contains(r.Header.Get("Accept"), "text/html"))
}

// refuse answers why something is not done: a script gets the text, and who waits
// for a page one that leads back; the door, who is not signed in.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, code int, text string) {
	who, ok := s.door.in(r, false)
	switch {
	case !document(r) || !strings.HasPrefix(r.URL.Path, "/staff"):
		http.Error(w, text, code)
	case ok:
		s.failed(w, code, s.staffPage(r, who), text)
	default:
		p := s.doorPage(r)
		p.Failed = text
		s.showStaff(w, code, "staff-door", p)
	}
}

// failed shows in place of a page why there is none.
func (s *site) failed(w http.ResponseWriter, code int, p staffPage, text string) {
	for _, link := range p.Nav {
		if rest, ok := strings.CutPrefix(p.Back, link.Path); ok && (rest == "" || rest[0] == '/' || rest[0] == '.') {
			p.From = link
		}
	}
	p.Failed = text
	s.showStaff(w, code, "staff-failed", p)
}

// unread answers that what a page shows can't be read or drawn, and logs why.
func (s *site) unread(w http.ResponseWriter, r *http.Request, what string, err error) {
	s.Log.Error("web: "+what, "err", err)
	s.refuse(w, r, http.StatusInternalServerError, s.asked(r).T("staff.wrong.show"))
}

// notYours answers to somebody whose role does not reach.
func (s *site) notYours(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if r.Method != http.MethodGet && !document(r) {
		http.Error(w, s.staffLanguage(r).T("staff.role.title"), http.StatusForbidden)
		return
	}
	s.showStaff(w, http.StatusForbidden, "staff-not-yours", s.staffPage(r, who))
}
