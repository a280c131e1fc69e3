package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Directory is what the kiosk knows of patrons and items, for staff, and the
// way to lend what was refused.
type Directory interface {
	// Find looks in the mirror for a card or barcode, or a part of a name or
	// title; the most of each are given.
	Find(ctx context.Context, text string, most int) ([]kiosk.Patron, []kiosk.Item, error)
	// Patron and Item tell what the library's system says where it answers, and
	// the mirror; kiosk.ErrUnknown where neither knows.
	Patron(ctx context.Context, card kiosk.Card) (PatronFacts, error)
	Item(ctx context.Context, item kiosk.Barcode) (ItemFacts, error)
	// Lend records a loan by staff. It is told to the library's system as one
	// that has happened. An error of CodeRefused says why not.
	Lend(ctx context.Context, card kiosk.Card, item kiosk.Barcode, by kiosk.Act) (kiosk.ID, error)
	// TakeBack returns what such an entry has lent, if it is still so.
	TakeBack(ctx context.Context, id kiosk.ID, by kiosk.Act) error
}

// PatronFacts are what is known of a patron.
type PatronFacts struct {
	kiosk.Patron
	Asked bool // the library's system has said so just now
	Loans []LoanFacts
}

// LoanFacts are a loan with its title.
type LoanFacts struct {
	kiosk.Loan
	Title string
}

// ItemFacts are what is known of an item.
type ItemFacts struct {
	kiosk.Item
	Lent  bool
	Loan  kiosk.Loan // if Lent
	Asked bool       // the library's system has said Now just now
	Now   kiosk.Standing
}

// mostFound is how many patrons and items a search shows.
const mostFound = 20

// lookView is what the look-up shows.
type lookView struct {
	*language
	zone    *time.Location
	now     time.Time
	Text    string
	Patrons []kiosk.Patron
	Items   []kiosk.Item
	Patron  *PatronFacts
	Item    *ItemFacts
	Barcode string // as typed for a loan
	Why     string // as typed
	Undo    string // the entry that can be taken back
}

// Day is a date; "" for none.
func (v lookView) Day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return v.Date(t.In(v.zone), v.now)
}

// AsOf tells how old a fact is.
func (v lookView) AsOf(asked bool, seen time.Time) string {
	switch {
	case asked:
		return v.T("staff.look.asked")
	case seen.IsZero():
		return v.T("staff.look.import")
	}
	return v.T("staff.now.as-of", "time", v.moment(seen, v.now, v.zone))
}

// Reason is why a patron may not borrow, in the screen's words.
func (v lookView) Reason(r kiosk.Reason) string { return v.reason(r, "title") }

// Stands is the item's place in words.
func (v lookView) Stands(i ItemFacts) string {
	x := exceptionView{language: v.language, Now: i.Now}
	return x.Stands()
}

func (s *site) lookPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Directory == nil {
		http.NotFound(w, r)
		return
	}
	p, q := s.staffPage(r, who), r.URL.Query()
	p.Look = s.newLook(p.language)
	if q.Has("lent") {
		p.Done, p.Look.Undo = p.T("staff.look.lent"), q.Get("lent")
	} else if q.Has("back") {
		p.Done = p.T("staff.look.back")
	}
	what, about := "look", oneLine(q.Get("q"))
	switch {
	case q.Get("card") != "":
		what, about = "look.patron", oneLine(q.Get("card"))
	case q.Get("item") != "":
		what, about = "look.item", oneLine(q.Get("item"))
	}
	if about != "" {
		if !s.note(w, r, who, what, about, "") {
			return
		}
		p.Failed = s.lookUp(r.Context(), p.Look, what, about)
	}
	s.showStaff(w, http.StatusOK, "staff-look", p)
}

func (s *site) newLook(l *language) *lookView {
	return &lookView{language: l, zone: s.Location, now: s.Clock().In(s.Location)}
}

// lookUp fills in what is found; it tells what went wrong, "" if nothing did.
func (s *site) lookUp(ctx context.Context, v *lookView, what, about string) string {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	var err error
	switch what {
	case "look.patron":
		var f PatronFacts
		f, err = s.Staff.Directory.Patron(ctx, kiosk.Card(about))
		v.Patron = &f
	case "look.item":
		var f ItemFacts
		f, err = s.Staff.Directory.Item(ctx, kiosk.Barcode(about))
		v.Item = &f
	default:
		v.Text = about
		v.Patrons, v.Items, err = s.Staff.Directory.Find(ctx, about, mostFound)
		if err == nil && len(v.Patrons)+len(v.Items) == 0 {
			return v.T("staff.look.none")
		}
	}
	if err == nil {
		return ""
	}
	v.Patron, v.Item = nil, nil
	if errors.Is(err, kiosk.ErrUnknown) {
		return v.T("staff.look.none")
	}
	s.Log.Error("web: look-up", "what", what, "err", err)
	return v.T("staff.look.failed")
}

// lend lends to a patron what the kiosk or the library's system has refused.
func (s *site) lend(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Directory == nil {
		http.NotFound(w, r)
		return
	}
	if !takeForm(w, r) {
		return
	}
	card, item, why := strings.TrimSpace(r.PostForm.Get("card")), strings.TrimSpace(r.PostForm.Get("item")), joined(r.PostForm.Get("why"))
	p := s.staffPage(r, who)
	p.Look = s.newLook(p.language)
	code := http.StatusUnprocessableEntity
	if why == "" || len([]rune(why)) > maxNote {
		p.Failed = p.T("staff.ex.note.missing", "n", strconv.Itoa(maxNote))
	} else {
		ctx, cancel := context.WithTimeout(r.Context(), settleTime)
		defer cancel()
		id, err := s.Staff.Directory.Lend(ctx, kiosk.Card(card), kiosk.Barcode(item), s.act(r, who, "override", card+" "+item, why))
		switch e, refused := errors.AsType[*kiosk.Error](err); {
		case err == nil:
			http.Redirect(w, r, "/staff/look?card="+url.QueryEscape(card)+"&lent="+url.QueryEscape(string(id)), http.StatusSeeOther)
			return
		case errors.Is(err, kiosk.ErrUnknown):
			p.Failed = p.T("staff.look.none")
		case refused && e.Code == kiosk.CodeRefused:
			p.Failed = p.reason(e.Reason, "title")
		default:
			s.Log.Error("web: override", "err", err)
			p.Failed, code = p.T("staff.ex.failed"), http.StatusInternalServerError
		}
	}
	failed := p.Failed
	s.lookUp(r.Context(), p.Look, "look.patron", oneLine(card))
	p.Failed, p.Look.Barcode, p.Look.Why = failed, item, why
	s.showStaff(w, code, "staff-look", p)
}

// takeBack undoes a loan by staff.
func (s *site) takeBack(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Directory == nil {
		http.NotFound(w, r)
		return
	}
	if !takeForm(w, r) {
		return
	}
	id, card := r.PostForm.Get("entry"), r.PostForm.Get("card")
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	if err := s.Staff.Directory.TakeBack(ctx, kiosk.ID(id), s.act(r, who, "override.undo", id, "")); err != nil {
		s.Log.Error("web: override undone", "err", err)
		p := s.staffPage(r, who)
		p.Look, p.Failed = s.newLook(p.language), p.T("staff.ex.gone")
		s.showStaff(w, http.StatusConflict, "staff-look", p)
		return
	}
	http.Redirect(w, r, "/staff/look?back&card="+url.QueryEscape(card), http.StatusSeeOther)
}
