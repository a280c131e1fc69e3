package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web/scene"
)

// TestHelpIsCalledFromEveryView, in every manner, and never comes late: it is
// of no view and no visit.
func TestHelpIsCalledFromEveryView(t *testing.T) {
	s := bareSite(t)
	for _, name := range scene.Names() {
		sc, _ := scene.At(name, noon)
		for _, kind := range Kinds {
			page := shown(t, s, sc, Manner{Kind: kind})
			want := `action="/touch/help"`
			if sc.Care.Calls() {
				want = `action="/touch/help-back"`
			}
			form, _, _ := strings.Cut(page[max(strings.Index(page, want), 0):], "</form>")
			if !strings.Contains(form, want) || strings.Contains(form, `name="view"`) || strings.Contains(form, `name="visit"`) {
				t.Errorf("%s, %s: no call that is of no view: %.300s", name, kind, form)
			}
		}
	}
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Visit: "v1"})
	for what, want := range map[string]kiosk.Event{"help": kiosk.CallHelp{}, "help-back": kiosk.DropHelp{}} {
		if w := post(h, "/touch/"+what, ""); w.Code != http.StatusNoContent {
			t.Errorf("%s = %d", what, w.Code)
		}
		if got := d.sent[len(d.sent)-1]; got != want {
			t.Errorf("%s sends %T", what, got)
		}
	}
}

// TestHelpIsAnswered: staff see the call and who does not get on, without a
// name; what they do is noted and reaches the desk.
func TestHelpIsAnswered(t *testing.T) {
	f := crew()
	sc := kiosk.Screen{View: kiosk.ViewItems, Patron: "Zoë", Card: "2999", Visit: "v1", Now: noon,
		Care: kiosk.Care{Help: noon, Stuck: noon.Add(-time.Minute), Why: kiosk.ReasonOnHold}}
	h, d := newSite(t, sc, func(c *Config) {
		c.Staff = &Staff{Accounts: f, Audit: f, Now: func(context.Context) (Now, error) { return well(), nil }}
	})
	_, cookie := enterAs(h, "S3", "cy-1234")
	page := do(h, "GET", "/staff/now", nil, cookie).Body.String()
	for _, want := range []string{`class="need help"`, "Somebody at the kiosk asks for help.", "does not get on", "Another reader is waiting for this one.", `action="/staff/help/coming"`, `action="/staff/help/done"`} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	for _, secret := range []string{"Zoë", "2999"} {
		if strings.Contains(page, secret) {
			t.Errorf("%q is on the page", secret)
		}
	}
	for what, want := range map[string]kiosk.Event{"coming": kiosk.ComeHelp{}, "done": kiosk.EndCare{}} {
		if w := do(h, "POST", "/staff/help/"+what, url.Values{}, cookie); w.Code != http.StatusSeeOther {
			t.Errorf("%s = %d", what, w.Code)
		}
		if got := d.sent[len(d.sent)-1]; got != want {
			t.Errorf("%s sends %T", what, got)
		}
		if a := f.acts[0]; a.What != "help."+what {
			t.Errorf("noted %+v", a)
		}
	}
	if w := do(h, "POST", "/staff/help/dance", url.Values{}, cookie); w.Code != http.StatusNotFound {
		t.Errorf("dance = %d", w.Code)
	}
	if w := do(h, "POST", "/staff/help/done", url.Values{}, nil); w.Code != http.StatusForbidden {
		t.Errorf("done by nobody = %d", w.Code)
	}
	sc.Care.Seen = noon
	en, _ := all(t)
	v := &nowView{Now: well(), language: en, screen: sc, at: noon, zone: time.UTC}
	if n := v.Needs(); len(n) != 2 || n[0].Help || n[0].ID != "help-coming" {
		t.Errorf("while somebody is on the way: %+v", n)
	}
}
