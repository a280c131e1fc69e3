package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Bounds on what a touch may carry, in bytes.
const (
	maxBody = 4 << 10
	maxPIN  = 64
	maxLine = 64 // an ID is 36

	maxCount = 999 // things that anybody counts on a pad
)

// decode makes the event of a touch: what was touched, and the form's values.
func decode(what string, form url.Values) (kiosk.Event, bool) {
	line := kiosk.ID(form.Get("line"))
	hasLine := line != "" && len(line) <= maxLine
	switch what {
	case "finish":
		return kiosk.Finish{Language: tag(form)}, true
	case "print":
		return kiosk.AskReceipt{How: kiosk.Print, Language: tag(form)}, true
	case "mail":
		return kiosk.AskReceipt{How: kiosk.Mail, Language: tag(form)}, true
	case "return":
		return kiosk.StartReturn{}, true
	case "cancel":
		return kiosk.Cancel{}, true
	case "help":
		return kiosk.CallHelp{}, true
	case "help-back":
		return kiosk.DropHelp{}, true
	case "stay":
		return kiosk.Touched{}, true
	case "account":
		return kiosk.ShowAccount{}, true
	case "borrow":
		return kiosk.StartBorrow{}, true
	case "renew-all":
		return kiosk.RenewAll{}, true
	case "renew":
		return kiosk.RenewLine{Line: line}, hasLine
	case "drop":
		return kiosk.DropLine{Line: line}, hasLine
	case "counted":
		n, err := strconv.Atoi(form.Get("n"))
		return kiosk.Counted{Items: n}, err == nil && n >= 0 && n <= maxCount
	case "pin":
		pin := form.Get("pin")
		return kiosk.PINEntered{PIN: pin}, pin != "" && len(pin) <= maxPIN
	}
	return decodeFind(what, form)
}

// tag is the language of the screen that was touched, if it tells one that
// there are words in.
func tag(form url.Values) string {
	if t := form.Get("lang"); slices.Contains(available(), t) {
		return t
	}
	return ""
}

// takeForm reads the form of a request, or answers that it can't. A body that
// stops on its way is not waited for any longer than a browser that reads.
func takeForm(w http.ResponseWriter, r *http.Request) bool {
	in := http.NewResponseController(w)
	if err := in.SetReadDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		http.Error(w, "the form can't be read", http.StatusInternalServerError)
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	switch err := r.ParseForm(); {
	case errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(w, "the form did not come to its end", http.StatusRequestTimeout)
		return false
	case err != nil:
		http.Error(w, "the form can't be read", http.StatusBadRequest)
		return false
	}
	in.SetReadDeadline(time.Time{}) //nolint:errcheck // the body is here; what is left is the wait for the desk
	return true
}

// late tells whether a touch was meant for another view or another patron than
// the desk has now: the finger was slower than the session, and what it would
// do now is somebody else's business. A program need not say what it means.
func late(form url.Values, sc kiosk.Screen) bool {
	view := form.Get("view")
	return view != "" && view != string(sc.View) || form.Has("visit") && form.Get("visit") != string(sc.Visit)
}

// touch passes a touch to the desk; one that comes late is dropped.
func (s *site) touch(w http.ResponseWriter, r *http.Request) {
	if !takeForm(w, r) {
		return
	}
	what := r.PathValue("what")
	ev, ok := decode(what, r.PostForm)
	switch _, starts := ev.(kiosk.StartFind); {
	case what == "pupil":
		ev, ok = s.pupil(r.PostForm)
	case starts:
		ok = s.Find // else the library has switched it off
	}
	if !ok {
		http.Error(w, "no such touch", http.StatusBadRequest)
		return
	}
	page := r.Header.Get("HX-Request") == "" && r.Header.Get("Sec-Fetch-Dest") == "document" // a form without script: whatever comes of it is a page
	if late(r.PostForm, s.Desk.Screen()) {
		answer(w, r, page, http.StatusConflict, "the screen has moved on")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := s.Desk.Send(ctx, ev); err != nil {
		answer(w, r, page, http.StatusServiceUnavailable, "the desk is busy")
		return
	}
	answer(w, r, page, http.StatusNoContent, "")
}

// answer tells what came of a touch; a page goes back to the screen, which
// shows what is now.
func answer(w http.ResponseWriter, r *http.Request, page bool, status int, text string) {
	switch {
	case page:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case text != "":
		http.Error(w, text, status)
	default:
		w.WriteHeader(status)
	}
}
