package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// picks finds what r asks for: what is wanted, or what may go, of all the library
// or a part of it.
func (s *site) picks(r *http.Request) (v shelfView, err error) {
	v = shelfView{language: s.staffLanguage(r), zone: s.Location, now: s.Clock(), Weeds: r.URL.Query().Get("list") == "weed"}
	v.Form.Library, v.Form.Location, _ = strings.Cut(r.URL.Query().Get("place"), "\x1f")
	if v.Weeds {
		v.Picks, err = s.Staff.Inventories.Weeds(r.Context(), v.Form)
	} else {
		v.Picks, err = s.Staff.Inventories.Picks(r.Context(), v.Form, "")
	}
	return v, err
}

// picksPage lists what is to be pulled.
func (s *site) picksPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	x, r := s.watched(w, r, who)
	p := x.page
	v, err := once(x, r, s.picks)
	if err != nil && kiosk.CodeOf(err) == kiosk.CodeInvalid && !x.begun {
		p.Failed, err = p.wrong(err), nil
	}
	if err == nil {
		v.Places, err = s.Staff.Inventories.Places(r.Context())
	}
	if x.over(err, again(r)) {
		return
	}
	p.Shelf = v
	s.showStaff(w, http.StatusOK, "staff-picks", p)
}

// picksPDF gives the list to carry.
func (s *site) picksPDF(w http.ResponseWriter, r *http.Request, _ kiosk.Member) {
	v, err := s.picks(r)
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	s.printed(w, r, "picks", v.language, v.picksSheet(s.Name))
}

// Which is the name of the list.
func (v shelfView) Which() string {
	if v.Weeds {
		return v.T("staff.inv.picks.weed")
	}
	return v.T("staff.inv.picks.wanted")
}

// Sheet is where the same list is, to be printed.
func (v shelfView) Sheet() string {
	q := "/staff/inventory/picks.pdf?place=" + url.QueryEscape(v.Form.Library+"\x1f"+v.Form.Location)
	if v.Weeds {
		q += "&list=weed"
	}
	return q
}

// For is why a book is to be pulled.
func (v shelfView) For(p inventory.Pick) string {
	var wants []string
	for _, w := range p.For {
		wants = append(wants, isolate(w, v.Dir == "rtl"))
	}
	why := strings.Join(wants, ", ")
	if p.Weed != nil {
		why = v.finding(shelf.Weed, p.Weed)
	}
	if p.Out {
		why += " · " + v.T("staff.inv.mark.out")
	}
	if p.Unknown {
		why += " · " + v.T("staff.unknown")
	}
	return why
}
