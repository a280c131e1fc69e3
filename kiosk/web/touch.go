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
	maxPIN  = 96 // the field takes 32 letters, of at most three bytes
	maxLine = 64 // an ID is 36

	maxCount = 999 // things that anybody counts on a pad
)

// touches are all there are, by the name in their address: each makes its event
// of the form's values, or tells that it can't.
var touches = map[string]func(*site, url.Values) (kiosk.Event, bool){
	"finish": func(_ *site, f url.Values) (kiosk.Event, bool) { return kiosk.Finish{Language: tag(f)}, true },
	"print": func(_ *site, f url.Values) (kiosk.Event, bool) {
		return kiosk.AskReceipt{How: kiosk.Print, Language: tag(f)}, true
	},
	"mail": func(_ *site, f url.Values) (kiosk.Event, bool) {
		return kiosk.AskReceipt{How: kiosk.Mail, Language: tag(f)}, true
	},
	"return":    bare(kiosk.StartReturn{}),
	"cancel":    bare(kiosk.Cancel{}),
	"help":      bare(kiosk.CallHelp{}),
	"help-back": bare(kiosk.DropHelp{}),
	"stay":      bare(kiosk.Touched{}),
	"account":   bare(kiosk.ShowAccount{}),
	"borrow":    bare(kiosk.StartBorrow{}),
	"renew-all": bare(kiosk.RenewAll{}),
	"renew": func(_ *site, f url.Values) (kiosk.Event, bool) {
		l, ok := lineOf(f)
		return kiosk.RenewLine{Line: l}, ok
	},
	"drop": func(_ *site, f url.Values) (kiosk.Event, bool) {
		l, ok := lineOf(f)
		return kiosk.DropLine{Line: l}, ok
	},
	"counted": func(_ *site, f url.Values) (kiosk.Event, bool) {
		n, err := strconv.Atoi(f.Get("n"))
		return kiosk.Counted{Items: n}, err == nil && n >= 0 && n <= maxCount
	},
	"pin": func(_ *site, f url.Values) (kiosk.Event, bool) {
		pin := f.Get("pin")
		return kiosk.PINEntered{PIN: pin}, pin != "" && len(pin) <= maxPIN
	},
	"pupil":  (*site).pupil,
	"find":   func(s *site, _ url.Values) (kiosk.Event, bool) { return kiosk.StartFind{}, s.Find }, // else the library has switched it off
	"search": (*site).searched,
	"title":  (*site).titled,
	"hold":   (*site).held,
}

// bare is a touch that carries nothing.
func bare(ev kiosk.Event) func(*site, url.Values) (kiosk.Event, bool) {
	return func(*site, url.Values) (kiosk.Event, bool) { return ev, true }
}

// lineOf is the line that was touched.
func lineOf(form url.Values) (kiosk.ID, bool) {
	line := form.Get("line")
	return kiosk.ID(line), line != "" && len(line) <= maxLine
}

// decode makes the event of a touch: what was touched, and the form's values.
func (s *site) decode(what string, form url.Values) (kiosk.Event, bool) {
	if f := touches[what]; f != nil {
		return f(s, form)
	}
	return nil, false
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
	ev, ok := s.decode(r.PathValue("what"), r.PostForm)
	if !ok {
		http.Error(w, "no such touch", http.StatusBadRequest)
		return
	}
	page := document(r) // a form without script: whatever comes of it is a page
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
