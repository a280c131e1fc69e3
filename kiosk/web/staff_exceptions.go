package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Exceptions are what the library's system has decided otherwise than the
// kiosk, for staff to settle.
type Exceptions interface {
	// List gives them, the oldest first.
	List(ctx context.Context) ([]Exception, error)
	// Look asks the library's system how the item stands now.
	Look(ctx context.Context, id kiosk.ID) (kiosk.Standing, error)
	// Resolve settles one: how is retry, override or dismiss. ErrUnknown when
	// it is none any more.
	Resolve(ctx context.Context, id kiosk.ID, how, note string) error
}

// Exception is one of them: what the kiosk has recorded, and why the library's
// system does not have it.
type Exception struct {
	ID     kiosk.ID
	Kind   kiosk.Kind
	Item   kiosk.Barcode
	Title  string
	Card   kiosk.Card
	At     time.Time
	Due    time.Time    // promised; zero: none
	Advice kiosk.Advice // for the patron
	Says   string       // the library's system's words
}

// Bounds of the page.
const (
	mostExceptions = 100              // shown at once
	maxNote        = 300              // characters
	settleTime     = 15 * time.Second // longest wait for the library's system or the ledger
)

// exceptionView is an Exception with words.
type exceptionView struct {
	Exception
	*language
	zone *time.Location
	now  time.Time

	Looked bool
	Now    kiosk.Standing
	Failed string // why looking did not work
}

// What tells what the kiosk has done.
func (v exceptionView) What() string { return v.T("staff.ex.kind." + string(v.Kind)) }

// Tell is what to say to the patron about it.
func (v exceptionView) Tell() string {
	return v.T("late." + string(cmp.Or(v.Advice, kiosk.AdviceAskStaff)))
}

// When is a time in the library's zone.
func (v exceptionView) When(t time.Time) string {
	t = t.In(v.zone)
	return v.Date(t, v.now) + ", " + t.Format("15:04")
}

// Day is a date.
func (v exceptionView) Day(t time.Time) string { return v.Date(t.In(v.zone), v.now) }

// Stands tells in a few words where the item is by the library's system.
func (v exceptionView) Stands() string {
	switch {
	case !v.Now.Known:
		return v.T("staff.ex.now.unknown")
	case v.Now.Status != kiosk.StatusOnLoan:
		return v.T("staff.ex.now.not", "status", string(v.Now.Status))
	case v.Now.Mine == kiosk.Yes:
		return v.T("staff.ex.now.mine")
	case v.Now.Mine == kiosk.No:
		return v.T("staff.ex.now.another")
	}
	return v.T("staff.ex.now.out")
}

// exceptionsPage lists them.
func (s *site) exceptionsPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	done := ""
	switch how := r.URL.Query().Get("done"); how {
	case "retry", "override", "dismiss":
		done = s.staffLanguage(r).T("staff.ex.done." + how)
	}
	s.showExceptions(w, r, who, http.StatusOK, done, "")
}

func (s *site) showExceptions(w http.ResponseWriter, r *http.Request, who kiosk.Member, code int, done, failed string) {
	p := s.staffPage(r, who)
	p.Done, p.Failed = done, failed
	if s.Staff.Exceptions != nil {
		ctx, cancel := context.WithTimeout(r.Context(), settleTime)
		defer cancel()
		list, err := s.Staff.Exceptions.List(ctx)
		if err != nil {
			s.unread(w, r, "exceptions", err)
			return
		}
		p.Count = len(list)
		look := kiosk.ID(r.URL.Query().Get("look"))
		for _, x := range list[:min(len(list), mostExceptions)] {
			x.Title, x.Says = clean(x.Title), clean(x.Says)
			v := exceptionView{Exception: x, language: p.language, zone: s.Location, now: s.Clock()}
			if x.ID == look {
				if !s.note(w, r, who, "exception.look", string(x.ID), "") {
					return
				}
				if v.Now, err = s.Staff.Exceptions.Look(ctx, look); err != nil {
					v.Failed = p.T("staff.ex.away")
				}
				v.Looked = err == nil
			}
			p.Exceptions = append(p.Exceptions, v)
		}
	}
	var err error
	if p.Strange, p.Until, err = s.strangeViews(r.Context(), p.language); err != nil {
		s.unread(w, r, "strange words", err)
		return
	}
	s.showStaff(w, code, "staff-exceptions", p)
}

// resolve settles one as staff has decided.
func (s *site) resolve(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Exceptions == nil {
		http.Error(w, "there is nothing to settle", http.StatusNotFound)
		return
	}
	if !takeForm(w, r) {
		return
	}
	l := s.staffLanguage(r)
	id, how, note := kiosk.ID(r.PathValue("id")), r.PostForm.Get("how"), strings.TrimSpace(r.PostForm.Get("note"))
	if how != "retry" && how != "override" && how != "dismiss" {
		http.Error(w, "how: must be retry, override or dismiss", http.StatusBadRequest)
		return
	}
	if note == "" || len([]rune(note)) > maxNote {
		s.showExceptions(w, r, who, http.StatusUnprocessableEntity, "", l.T("staff.ex.note.missing", "n", strconv.Itoa(maxNote)))
		return
	}
	if !s.note(w, r, who, "exception."+how, string(id), note) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	switch err := s.Staff.Exceptions.Resolve(ctx, id, how, note); {
	case errors.Is(err, kiosk.ErrUnknown), kiosk.CodeOf(err) == kiosk.CodeInvalid:
		s.showExceptions(w, r, who, http.StatusConflict, "", l.T("staff.ex.gone"))
	case err != nil:
		s.Log.Error("web: exception", "entry", id, "how", how, "err", err)
		s.showExceptions(w, r, who, http.StatusInternalServerError, "", l.T("staff.ex.failed"))
	default:
		http.Redirect(w, r, "/staff/exceptions?done="+how, http.StatusSeeOther)
	}
}
