package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// failInventory answers with what went wrong, in the language of who asks.
func (s *site) failInventory(w http.ResponseWriter, r *http.Request, err error) {
	l := s.asked(r)
	switch {
	case errors.Is(err, kiosk.ErrUnknown):
		s.refuse(w, r, http.StatusNotFound, l.T("staff.inv.wrong.gone"))
	case kiosk.CodeOf(err) == kiosk.CodeInvalid:
		s.refuse(w, r, http.StatusConflict, l.wrong(err))
	default:
		s.Log.Error("web: inventory", "err", err)
		s.refuse(w, r, http.StatusInternalServerError, l.T("staff.inv.wrong.disk"))
	}
}

// failTouch answers to a touch with what went wrong.
func (s *site) failTouch(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoTouch) {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.failInventory(w, r, err)
}

// asked is the language in which a phone or a page asks.
func (s *site) asked(r *http.Request) *language {
	if strings.HasPrefix(r.URL.Path, "/phone") {
		return s.phoneLanguage(r)
	}
	return s.staffLanguage(r)
}

// wrong is what an error says to staff.
func (l *language) wrong(err error) string {
	if w, ok := errors.AsType[*inventory.Wrong](err); ok {
		if text := l.T("staff.inv.wrong."+w.What, l.counted(w.Args)...); text != "staff.inv.wrong."+w.What {
			return text
		}
	}
	return textOf(err)
}

// counted gives the arguments of a Wrong with what is counted as the language
// writes it; a call number, a digit too, stays as it stands on the book.
func (l *language) counted(args []string) []string {
	args = slices.Clone(args)
	for i := 1; i < len(args); i += 2 {
		switch n, err := strconv.Atoi(args[i]); args[i-1] {
		case "n", "most", "width", "height":
			if err == nil {
				args[i] = l.Number(n)
			}
		}
	}
	return args
}

// textOf is what an error says in English.
func textOf(err error) string {
	if e, ok := errors.AsType[*kiosk.Error](err); ok && e.Text != "" {
		return e.Text
	}
	return err.Error()
}
