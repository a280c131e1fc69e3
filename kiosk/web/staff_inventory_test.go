package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// shelves are inventories of a library of 40 books; nobody has a scanner.
type shelves struct{ *inventory.Service }

func (shelves) Hold(kiosk.ID) error { return errors.New("no scanner") }

func (shelves) Elsewhere(context.Context, kiosk.ID) error { return nil }

func newShelves(t *testing.T) (shelves, *sqlite.Store) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var items []kiosk.Item
	for i := range 40 {
		items = append(items, kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprintf("B%02d", i)), Title: fmt.Sprintf("<Book> %d", i), CallNumber: fmt.Sprintf("%d A", 500+i),
			Scheme: "ddc", Library: "MAIN", Location: "Stacks", Status: kiosk.StatusAvailable})
	}
	items[5].Status = kiosk.StatusLost
	items[30].Year = 1998
	if _, err := s.PutLoans(t.Context(), []kiosk.Loan{{Item: "B08", Patron: "P", At: noon}, {Item: "B09", Patron: "P", At: noon}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutItems(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	order, err := shelf.NewOrder(shelf.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	return shelves{inventory.New(inventory.Config{Store: s, Ledger: s, Order: order, Weed: shelf.Weeding{Years: 20}, Now: time.Now, NewID: func() kiosk.ID { ids++; return kiosk.ID(fmt.Sprint("v", ids)) },
		Read: func(text string) inventory.Code {
			if strings.HasPrefix(text, "B") {
				return inventory.Code{Item: kiosk.Barcode(text)}
			}
			return inventory.Code{Why: "no item"}
		}})}, s
}

// shows wants a page for staff to have each of some texts.
func shows(t *testing.T, h http.Handler, c *http.Cookie, path string, want ...string) {
	t.Helper()
	w := do(h, "GET", path, nil, c)
	for _, x := range want {
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), x) {
			t.Errorf("GET %s = %d without %q:\n%s", path, w.Code, x, w.Body)
		}
	}
}

func TestInventoryPages(t *testing.T) {
	v, store := newShelves(t)
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Inventories: v}
	})
	_, c := enter(t, h, right)
	post := func(code int, path string, pairs ...string) *httptest.ResponseRecorder {
		t.Helper()
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		w := do(h, "POST", path, form, c)
		if w.Code != code {
			t.Errorf("POST %s %v = %d %s; want %d", path, pairs, w.Code, w.Body, code)
		}
		return w
	}
	page := func(path string, want ...string) { t.Helper(); shows(t, h, c, path, want...) }
	page("/staff/inventory", "No inventory has been begun", "MAIN / Stacks (40)", `value="ddc"`)
	page("/staff/inventory?left=B02&right=B01", "Not in order", "502 A")
	page("/staff/inventory?left=rubbish&right=B01", `role="alert"`)
	post(http.StatusUnprocessableEntity, "/staff/inventory", "place", "MAIN\x1fStacks", "from", "600", "to", "500", "scheme", "ddc")
	w := post(http.StatusSeeOther, "/staff/inventory", "place", "MAIN\x1fStacks", "name", "Upstairs")
	if to := w.Header().Get("Location"); to != "/staff/inventory/v1" {
		t.Errorf("it leads to %s", to)
	}
	for _, code := range []string{"B00", "B01", "B20", "B02", "B04", "B05", "rubbish"} {
		post(http.StatusNoContent, "/staff/inventory/v1/scan", "value", code)
	}
	page("/staff/inventory/v1", "This is no item of this library", "rubbish", `class="m-missing"`, `class="m-away"`, `class="m-take here"`)
	post(http.StatusNoContent, "/staff/inventory/v1/scan", "value", "B06")
	page("/staff/inventory/v1", "In place", "&lt;Book&gt; 6", "500 A", "seen of 37")
	post(http.StatusNoContent, "/staff/inventory/v1/note", "value", "B06 cover")
	post(http.StatusNoContent, "/staff/inventory/v1/elsewhere")
	post(http.StatusNoContent, "/staff/inventory/v1/undo", "value", "7")
	post(http.StatusConflict, "/staff/inventory/v1/undo", "value", "7")
	post(http.StatusBadRequest, "/staff/inventory/v1/undo", "value", "x")
	post(http.StatusBadRequest, "/staff/inventory/v1/burn")
	post(http.StatusNotFound, "/staff/inventory/none/scan", "value", "B01")
	post(http.StatusNoContent, "/staff/inventory/v1/pause")
	post(http.StatusConflict, "/staff/inventory/v1/scan", "value", "B07")
	page("/staff/inventory/v1", "Paused")
	post(http.StatusNoContent, "/staff/inventory/v1/resume")
	post(http.StatusNoContent, "/staff/inventory/v1/search")
	page("/staff/inventory/v1/report", "503 A", "between 502 A and 504 A", "Lost, and found", "Cover", "Second search")
	page("/staff/inventory/v1/report?whole", "530 A")
	w = do(h, "GET", "/staff/inventory/v1/report.csv", nil, c)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "problem,barcode") || !strings.Contains(w.Header().Get("Content-Disposition"), "inventory") {
		t.Errorf("report.csv = %d %s", w.Code, w.Body)
	}
	if err := store.Want(t.Context(), "hold", []kiosk.Wanted{{Item: "B03"}}); err != nil {
		t.Fatal(err)
	}
	page("/staff/inventory/picks", "503 A", "hold", `<button aria-pressed="true">What is wanted<`, "Books to pull: What is wanted</caption>", "MAIN / Stacks (40)")
	page("/staff/inventory/picks?list=weed&place=MAIN%1FStacks", "530 A", `<button aria-pressed="false">What is wanted<`, "Books to pull: What may be weeded</caption>", "May be weeded (published ", "value=\"MAIN\x1fStacks\" selected", "/staff/inventory/picks.pdf?place=MAIN%1FStacks&amp;list=weed")
	page("/staff/inventory/picks?list=weed&place=BRANCH%1F", "No book here may go")
	if w := do(h, "GET", "/staff/inventory/picks.pdf?list=weed", nil, c); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "%PDF") {
		t.Errorf("picks.pdf of what may go = %d", w.Code)
	}
	post(http.StatusNoContent, "/staff/inventory/v1/scan", "value", "B08")
	post(http.StatusNoContent, "/staff/inventory/v1/scan", "value", "B09")
	page("/staff/inventory/v1/report", `action="/staff/inventory/v1/return"`)
	post(http.StatusConflict, "/staff/inventory/v1/return", "value", "B00")
	post(http.StatusSeeOther, "/staff/inventory/v1/return", "value", "B08")
	post(http.StatusSeeOther, "/staff/inventory/v1/return", "value", "B09")
	page("/staff/inventory/v1/report", "Return planned", `href="/staff/inventory/v1/tell"`)
	page("/staff/inventory/v1/tell", "Take back", "Send now: 2", "no library’s system that takes it")
	changes, err := v.Changes(t.Context(), "v1")
	if err != nil || len(changes) != 2 {
		t.Fatalf("Changes() = %+v, %v; want two", changes, err)
	}
	post(http.StatusSeeOther, "/staff/inventory/v1/tell/drop", "value", fmt.Sprint(changes[1].Line))
	post(http.StatusSeeOther, "/staff/inventory/v1/tell/send")
	page("/staff/inventory/v1/report", "Return sent")
	if queue, err := store.Queue(t.Context(), 9); err != nil || len(queue) != 1 || queue[0].Item != "B08" {
		t.Errorf("the outbox holds %+v, %v; want the return of B08", queue, err)
	}
	post(http.StatusSeeOther, "/staff/inventory/v1/end")
	page("/staff/inventory/v1/report", "Finished")
	page("/staff/inventory", "Upstairs", "Finished")
	if w := do(h, "GET", "/staff/inventory/v1", nil, nil); w.Code != http.StatusSeeOther {
		t.Errorf("who is not signed in sees it: %d", w.Code)
	}
}

// TestInventoryReading begins a large one, and goes on with it after a restart:
// the page shows how far it is, and leads on.
func TestInventoryReading(t *testing.T) {
	v, store := newShelves(t)
	many := make([]kiosk.Item, 10_000)
	for i := range many {
		many[i] = kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprintf("L%05d", i)), Library: "LARGE", CallNumber: "500", Scheme: "ddc"}
	}
	if _, err := store.PutItems(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	var h http.Handler
	var c *http.Cookie
	start := func(v shelves) {
		h, _ = newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
			c.Staff = &Staff{Password: func(p string) bool { return p == right }, Inventories: v}
		})
		_, c = enter(t, h, right)
	}
	start(v)
	w := do(h, "POST", "/staff/inventory", url.Values{"place": {"LARGE\x1f"}}, c)
	leads := func(path string) {
		t.Helper()
		if b := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(b, "Reading the catalogue: ") || !strings.Contains(b, `content="0; url=`+path+`"`) || !strings.HasSuffix(strings.TrimSpace(b), "</html>") {
			t.Errorf("= %d, which does not lead to %s:\n%s", w.Code, path, b)
		}
	}
	leads("/staff/inventory/v1")
	start(shelves{inventory.New(v.Config)})
	w = do(h, "GET", "/staff/inventory/v1?held", nil, c)
	leads("/staff/inventory/v1?held")
	if w = do(h, "GET", "/staff/inventory/v1", nil, c); !strings.Contains(w.Body.String(), "Scan the first book") {
		t.Errorf("then = %d %s", w.Code, w.Body)
	}
	v.Config.Store = broken{store}
	start(shelves{inventory.New(v.Config)})
	slow := &patientRecorder{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(slow, request("POST", "/staff/inventory", url.Values{"place": {"LARGE\x1f"}}, c))
	if b := slow.Body.String(); !strings.Contains(b, `role="alert"`) || strings.Contains(b, "refresh") {
		t.Errorf("what is not stored leads on: %s", b)
	}
	if slow.write.After(time.Now().Add(patience)) {
		t.Errorf("the last bit is to be written until %v; want within %v", slow.write, patience)
	}
}

// broken is a store that takes no inventory.
type broken struct{ *sqlite.Store }

func (broken) BeginInventory(context.Context, kiosk.Inventory, []kiosk.Barcode) error {
	return errors.New("disk full")
}

// TestOutgoing plans what the library's system is told, takes back, sends, and
// sees how far it has come.
func TestOutgoing(t *testing.T) {
	v, store := newShelves(t)
	v.Config.Tells, v.Config.Ends = "update", true
	if _, _, err := v.Begin(t.Context(), "Upstairs", kiosk.ShelfRange{}); err != nil {
		t.Fatal(err)
	}
	for i := range 10 { // B05 was lost, B08 and B09 are on loan
		if _, err := v.Scan(t.Context(), "v1", "ann", inventory.Read{Text: fmt.Sprintf("B%02d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Inventories: v}
	})
	_, c := enter(t, h, right)
	touch := func(code int, what, value string) *httptest.ResponseRecorder {
		t.Helper()
		w := do(h, "POST", "/staff/inventory/v1/tell/"+what, url.Values{"value": {value}}, c)
		if w.Code != code {
			t.Errorf("%s %s = %d %s; want %d", what, value, w.Code, w.Body, code)
		}
		return w
	}
	page := func(path string, want ...string) { t.Helper(); shows(t, h, c, path, want...) }
	const at = "/staff/inventory/v1/tell"
	page(at, "Nothing is planned", "Plan all: 2", "Plan all: 1", "Plan all: 7", "item status update")
	if to := touch(http.StatusSeeOther, "plan", "seen").Header().Get("Location"); to != at+"?did=plan&n=7" {
		t.Errorf("plan leads to %s", to)
	}
	touch(http.StatusSeeOther, "plan", "found")
	touch(http.StatusSeeOther, "plan", "return")
	touch(http.StatusConflict, "plan", "burn")
	touch(http.StatusBadRequest, "burn", "")
	touch(http.StatusBadRequest, "drop", "x")
	touch(http.StatusConflict, "drop", "999")
	page(at+"?did=plan&n=7", "Planned: 7. Nothing is sent yet.", "Send now: 10", "Take all back: 7", "505 A", "Lost or missing, and found")
	touch(http.StatusSeeOther, "takeback", "seen")
	page(at, "Send now: 3", "Plan all: 7")
	touch(http.StatusSeeOther, "send", "")
	page(at+"?did=send&n=3", "On their way: 3", "Sent, waits")
	queue, err := store.Queue(t.Context(), 9)
	if err != nil || len(queue) != 3 || queue[0].Kind != kiosk.Seen || queue[0].Item != "B05" || queue[0].Title != "<Book> 5" || queue[1].Kind != kiosk.Checkin {
		t.Fatalf("the outbox holds %+v, %v; want B05 seen, B08 and B09 returned", queue, err)
	}
	for i, state := range []kiosk.State{kiosk.Settled, kiosk.Exception, kiosk.Dismissed} {
		if err := store.Conclude(t.Context(), kiosk.Outcome{Entry: queue[i].ID, State: state, At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	page(at, ">Told<", "Refused: to settle", `href="/staff/exceptions"`, "Seen to otherwise")
	if w := do(h, "GET", "/staff/inventory/v1/seen.txt", nil, c); w.Body.String() != "B00\r\nB01\r\nB02\r\nB03\r\nB04\r\nB06\r\nB07\r\n" {
		t.Errorf("seen.txt = %d %q", w.Code, w.Body)
	}
	if _, err := v.Scan(t.Context(), "v1", "ann", inventory.Read{Text: "B30"}); err != nil {
		t.Fatal(err)
	}
	page("/staff/inventory/v1", "May be weeded (published ", "1998")
	page("/staff/inventory/v1/report", "May be weeded (published ", "1998")
	if w := do(h, "GET", "/staff/inventory/none/tell", nil, c); w.Code != http.StatusNotFound {
		t.Errorf("of no inventory: %d", w.Code)
	}
	if w := do(h, "GET", at, nil, nil); w.Code != http.StatusSeeOther {
		t.Errorf("who is not signed in sees it: %d", w.Code)
	}
}

func TestInventoryRoles(t *testing.T) {
	v, _ := newShelves(t)
	if _, _, err := v.Begin(t.Context(), "", kiosk.ShelfRange{}); err != nil {
		t.Fatal(err)
	}
	accounts := helpers{}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Staff = &Staff{Accounts: accounts, Inventories: v} })
	w := do(h, "POST", "/staff/sign-in", url.Values{"badge": {"9"}, "password": {right}}, nil)
	var c *http.Cookie
	for _, x := range w.Result().Cookies() {
		c = x
	}
	for path, want := range map[string]int{
		"/staff/inventory/v1/scan": http.StatusNoContent, "/staff/inventory/v1/search": http.StatusForbidden,
		"/staff/inventory/v1/end": http.StatusForbidden, "/staff/inventory/v1/tell/send": http.StatusForbidden, "/staff/inventory": http.StatusForbidden,
	} {
		if w := do(h, "POST", path, url.Values{"value": {"B01"}}, c); w.Code != want {
			t.Errorf("a helper's POST %s = %d; want %d", path, w.Code, want)
		}
	}
}

// helpers are accounts of one helper.
type helpers struct{}

func (helpers) Enter(_ context.Context, badge kiosk.Card, secret string) (kiosk.Member, bool, error) {
	return kiosk.Member{Badge: badge, Name: "Ann", Role: kiosk.Helper}, secret == right, nil
}

func (helpers) Member(_ context.Context, badge kiosk.Card) (kiosk.Member, error) {
	return kiosk.Member{Badge: badge, Name: "Ann", Role: kiosk.Helper}, nil
}

func (helpers) Members(context.Context) ([]kiosk.Member, error) {
	return []kiosk.Member{{Badge: "9", Name: "Ann", Role: kiosk.Helper}}, nil
}

// TestPicksIsolateWhatIsWanted: what a book is wanted for may be in any script and
// does not turn what stands beside it.
func TestPicksIsolateWhatIsWanted(t *testing.T) {
	_, ls := all(t)
	p := inventory.Pick{For: []string{"حجز", "hold"}, Out: true}
	for _, l := range ls {
		want := "\u2068حجز\u2069, hold · "
		if l.Dir == "rtl" {
			want = "\u2068حجز\u2069, \u2068hold\u2069 · "
		}
		if got := (shelfView{language: l}).For(p); !strings.HasPrefix(got, want) {
			t.Errorf("%s: For() = %q; want %q", l.Tag, got, want)
		}
	}
}
