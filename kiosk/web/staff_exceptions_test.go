package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeExceptions has a list and remembers what was settled.
type fakeExceptions struct {
	list    []Exception
	stands  kiosk.Standing
	away    error
	full    error
	settled []string
}

func (f *fakeExceptions) List(context.Context) ([]Exception, error) { return f.list, nil }
func (f *fakeExceptions) Look(context.Context, kiosk.ID) (kiosk.Standing, error) {
	return f.stands, f.away
}
func (f *fakeExceptions) Resolve(_ context.Context, id kiosk.ID, how, note string) error {
	for i, x := range f.list {
		if x.ID == id && f.full == nil {
			f.list = append(f.list[:i:i], f.list[i+1:]...)
			f.settled = append(f.settled, fmt.Sprint(id, " ", how, " ", note))
			return nil
		}
	}
	return errors.Join(f.full, kiosk.ErrUnknown)
}

func exceptionSite(t *testing.T) (http.Handler, *fakeExceptions, *http.Cookie) {
	t.Helper()
	x := &fakeExceptions{list: []Exception{
		{ID: "e1", Kind: kiosk.Checkout, Item: "31", Title: "Dune <i>", Card: "21", At: noon, Due: noon.AddDate(0, 0, 14), Advice: kiosk.AdviceNewDate, Says: "Patron debarred & <b>more</b>"},
		{ID: "e2", Kind: kiosk.Checkin, Item: "32", At: noon, Says: "returned here"},
	}}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Exceptions: x}
	})
	_, cookie := enter(t, h, right)
	return h, x, cookie
}

func TestExceptions(t *testing.T) {
	h, x, c := exceptionSite(t)
	page := func(path string) string {
		t.Helper()
		w := do(h, "GET", path, nil, c)
		if w.Code != http.StatusOK {
			t.Fatalf("%s = %d", path, w.Code)
		}
		if strings.Contains(w.Body.String(), "<b>more") || strings.Contains(w.Body.String(), "Dune <i>") {
			t.Errorf("%s shows markup of others", path)
		}
		return seen(w.Body.String())
	}
	for _, want := range []string{"Dune", "A loan", "21", "Patron debarred", "A return", "Promised until", "Tell it again", "For the patron: It is due earlier than we said."} {
		if text := page("/staff/exceptions"); !strings.Contains(text, want) {
			t.Errorf("the list lacks %q: %s", want, text)
		}
	}
	for st, want := range map[kiosk.Standing]string{
		{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.No}: "on loan to another card", {}: "knows no such item",
		{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes}: "on loan to this card", {Known: true, Status: kiosk.StatusOnLoan}: "does not tell to whom",
		{Known: true, Status: kiosk.StatusAvailable, Mine: kiosk.No}: "not on loan: available",
	} {
		x.stands = st
		if text := page("/staff/exceptions?look=e1"); !strings.Contains(text, want) {
			t.Errorf("%+v: the page lacks %q: %s", st, want, text)
		}
	}
	x.away = &kiosk.Error{Code: kiosk.CodeOffline}
	if text := page("/staff/exceptions?look=e1"); !strings.Contains(text, "does not answer now") {
		t.Errorf("with the library's system away: %s", text)
	}

	settle := func(id, how, note string, cookie *http.Cookie) int {
		return do(h, "POST", "/staff/exceptions/"+id, url.Values{"how": {how}, "note": {note}}, cookie).Code
	}
	for name, code := range map[string]int{
		"no session": settle("e1", "retry", "x", nil), "no such way": settle("e1", "shred", "x", c), "no note": settle("e1", "retry", " ", c),
		"long note": settle("e1", "retry", strings.Repeat("x", maxNote+1), c), "not one": settle("e9", "retry", "x", c),
	} {
		want := map[string]int{"no session": 403, "no such way": 400, "no note": 422, "long note": 422, "not one": 409}[name]
		if code != want {
			t.Errorf("%s: %d; want %d", name, code, want)
		}
	}
	if len(x.settled) != 0 {
		t.Fatalf("settled %q", x.settled)
	}
	x.full = errors.New("disk full")
	if code := settle("e1", "retry", "unblocked", c); code != http.StatusInternalServerError && code != http.StatusConflict {
		t.Errorf("a full disk: %d", code)
	}
	x.full = nil
	if code := settle("e1", "retry", " unblocked ", c); code != http.StatusSeeOther || len(x.settled) != 1 || x.settled[0] != "e1 retry unblocked" {
		t.Errorf("settle = %d, %q", code, x.settled)
	}
	if text := page("/staff/exceptions?done=retry"); !strings.Contains(text, "told again") || strings.Contains(text, "Dune") {
		t.Errorf("afterwards: %s", text)
	}
	settle("e2", "dismiss", "x", c)
	if text := page("/staff/exceptions"); !strings.Contains(text, "Nothing to settle") {
		t.Errorf("the empty list: %s", text)
	}
	if w := do(h, "GET", "/staff/exceptions", nil, nil); w.Code != http.StatusSeeOther {
		t.Errorf("without a session: %d", w.Code)
	}
	for n := range mostExceptions + 5 {
		x.list = append(x.list, Exception{ID: kiosk.ID(fmt.Sprint("n", n)), Kind: kiosk.Checkout, Item: "33", At: time.Now()})
	}
	if text := page("/staff/exceptions"); !strings.Contains(text, fmt.Sprint(mostExceptions+5, " in all")) {
		t.Error("a long list does not say how long it is")
	}
}
