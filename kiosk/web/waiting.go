package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// waiting is a page that shows, while something is done that may take long,
// how far it is, and leads on when it is done. What is quick needs none. It
// needs no script: the page comes bit by bit.
type waiting struct {
	*site
	w     http.ResponseWriter
	page  staffPage
	begun bool
}

// watched has what r asks for tell how far it is.
func (s *site) watched(w http.ResponseWriter, r *http.Request, who kiosk.Member) (*waiting, *http.Request) {
	x := &waiting{site: s, w: w, page: s.staffPage(r, who)}
	return x, r.WithContext(inventory.WithProgress(r.Context(), x.tell))
}

// tell shows that so many books were read.
func (x *waiting) tell(books int) {
	if !x.begun {
		x.begun = true
		x.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		x.write("staff-waiting", x.page)
	}
	x.write("waiting-step", x.page.T("staff.inv.reading", "n", x.page.Number(books)))
}

// to leads on, or does nothing where nothing is shown yet.
func (x *waiting) to(path string) bool {
	if x.begun {
		x.write("waiting-to", leading{x.page.language, path, ""})
	}
	return x.begun
}

// failed says what went wrong, or does nothing where nothing is shown yet.
func (x *waiting) failed(err error) bool {
	if x.begun {
		x.Log.Error("web: inventory", "err", err)
		x.write("waiting-to", leading{x.page.language, "/staff/inventory", textOf(err)})
	}
	return x.begun
}

// leading is what the end of the page shows.
type leading struct {
	*language
	Path, Failed string
}

// write sends a bit of the page, for which the browser has a deadline of its own.
func (x *waiting) write(name string, v any) {
	out := http.NewResponseController(x.w)
	if err := out.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the browser is gone
	}
	if err := x.pages.ExecuteTemplate(x.w, name, v); err != nil {
		return // the browser is gone
	}
	out.Flush() //nolint:errcheck // the same
}
