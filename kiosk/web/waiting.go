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
	r     *http.Request
	page  staffPage
	begun bool
}

// waited marks the address of a page for which somebody has waited already: it
// is not waited for again and again, while others scan.
const waited = "waited"

// watched has what r asks for tell how far it is.
func (s *site) watched(w http.ResponseWriter, r *http.Request, who kiosk.Member) (*waiting, *http.Request) {
	x := &waiting{site: s, w: w, r: r, page: s.staffPage(r, who)}
	if r.URL.Query().Has(waited) {
		return x, r
	}
	return x, r.WithContext(inventory.WithProgress(r.Context(), x.tell))
}

// tell shows that so many were read.
func (x *waiting) tell(what inventory.Reading, n int) {
	if !x.begun {
		x.begun = true
		x.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		x.write("staff-waiting", x.page)
	}
	x.write("waiting-step", x.page.T("staff.inv.reading."+string(what), "n", x.page.Number(n)))
}

// to leads on, or does nothing where nothing is shown yet.
func (x *waiting) to(path string) bool {
	if x.begun {
		x.write("waiting-to", leading{x.page.language, path, ""})
	}
	return x.begun
}

// again is the address of the same page, which is there at once now.
func again(r *http.Request) string {
	q := r.URL.Query()
	q.Set(waited, "")
	return r.URL.Path + "?" + q.Encode()
}

// over tells whether the request for a page is answered: somebody has waited for
// it and is led to where it is, or it can't be shown, and that is said.
func (x *waiting) over(err error, to string) bool {
	if err == nil {
		return x.to(to)
	}
	if !x.failed(err) {
		x.failInventory(x.w, x.r, err)
	}
	return true
}

// failed says what went wrong, or does nothing where nothing is shown yet.
func (x *waiting) failed(err error) bool {
	if x.begun {
		x.Log.Error("web: inventory", "err", err)
		x.write("waiting-to", leading{x.page.language, "/staff/inventory", x.page.wrong(err)})
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
