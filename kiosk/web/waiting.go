package web

import (
	"errors"
	"net/http"
	"slices"
	"sync"
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

// brought is what somebody has waited for, until they are led to it.
type brought struct {
	mu   sync.Mutex
	list []bringing
}

type bringing struct {
	key string
	v   any
	at  time.Time
}

// Bounds of what waits for those who are led to it.
const (
	mostBrought = 4
	broughtFor  = time.Minute
)

func (b *brought) keep(key string, v any, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list[max(0, len(b.list)+1-mostBrought):], bringing{key, v, now})
}

// take gives it once.
func (b *brought) take(key string, now time.Time) any {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = slices.DeleteFunc(b.list, func(x bringing) bool { return now.Sub(x.at) > broughtFor })
	i := slices.IndexFunc(b.list, func(x bringing) bool { return x.key == key })
	if i < 0 {
		return nil
	}
	v := b.list[i].v
	b.list = slices.Delete(b.list, i, i+1)
	return v
}

// once does what may take long for a page that shows it, or gives what it came to
// when the same person waited for the same page: nothing else keeps it.
func once[T any](x *waiting, r *http.Request, do func(*http.Request) (T, error)) (T, error) {
	key := walker(r, x.page.Who) + "\x00" + x.page.Tag + again(r)
	if v, ok := x.brought.take(key, x.Clock()).(T); ok {
		return v, nil
	}
	v, err := do(r.WithContext(inventory.WithProgress(r.Context(), x.tell)))
	if err == nil && x.begun {
		x.brought.keep(key, v, x.Clock())
	}
	return v, err
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
