package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func well() Now {
	return Now{Since: noon.Add(-time.Hour), DiskFree: 1 << 40, Clock: kiosk.ClockState{Now: noon}, Upstream: NowUpstream{Driver: "sip2", Up: true, Since: noon},
		Devices: []NowDevice{{Name: "scanner", Driver: "serialscan", Working: true}}, Lists: []NowList{{Name: "patrons", Since: noon}}}
}

// TestNeeds: each thing that goes wrong is named, and nothing else.
func TestNeeds(t *testing.T) {
	en, ls := all(t)
	evil := "<b>\u202e"
	for name, tt := range map[string]struct {
		change func(*nowView)
		want   string
	}{
		"well":         {func(*nowView) {}, ""},
		"staff itself": {func(v *nowView) { v.screen.Faults = []kiosk.Fault{{Source: "staff is working here", Fatal: true}} }, ""},
		"a device":     {func(v *nowView) { v.screen.Faults = []kiosk.Fault{{Source: "pad", Text: "gone" + evil}} }, "pad needs repair"},
		"upstream": {func(v *nowView) {
			v.Upstream.Up = false
			v.screen.Faults = []kiosk.Fault{{Source: "upstream"}}
		}, "The library’s system is not reached since 12:00. The kiosk goes on."},
		"upstream not tried yet": {func(v *nowView) { v.Upstream = NowUpstream{Driver: "sip2"} }, ""},
		"no upstream":            {func(v *nowView) { v.Upstream = NowUpstream{} }, ""},
		"exceptions":             {func(v *nowView) { v.Exceptions = 2 }, "2 exceptions wait for staff"},
		"tags":                   {func(v *nowView) { v.Work = 1 }, "1 tag is not yet released or secured: put it on the pad"},
		"rescue":                 {func(v *nowView) { v.Rescue = &NowRescue{At: noon, Entries: 60, Lost: 2} }, "The ledger was damaged and has been put right (12:00). Entries: 60. Lost: 2"},
		"clock":                  {func(v *nowView) { v.Clock.Doubt = "it ran backwards" }, "The clock is in doubt"},
		"disk":                   {func(v *nowView) { v.DiskFree = 12 << 20 }, "The disk is almost full: 12 MB"},
		"a list":                 {func(v *nowView) { v.Lists[0].Err = "401" }, "Patrons: can’t be read from the library’s system"},
	} {
		for _, l := range ls {
			v := &nowView{Now: well(), language: l, at: noon, zone: time.UTC, may: kiosk.Librarian}
			tt.change(v)
			var texts []string
			for _, n := range v.Needs() {
				texts = append(texts, n.Text)
				if strings.ContainsRune(n.More, '\u202e') {
					t.Errorf("%s: %q turns the text around it", name, n.More)
				}
			}
			got := strings.Join(texts, "|")
			if l == en && got != tt.want || (got == "") != (tt.want == "") || strings.Contains(got, "staff.") {
				t.Errorf("%s in %s: %q; want %q", name, l.Tag, got, tt.want)
			}
		}
	}
	v := &nowView{Now: well(), language: en, at: noon, zone: time.UTC, may: kiosk.Helper}
	v.Exceptions, v.Rescue = 1, &NowRescue{}
	for _, n := range v.Needs() {
		if n.Path != "" {
			t.Errorf("a helper is led to %s, which is not theirs", n.Path)
		}
	}
	v.may = kiosk.Librarian
	if n := v.Needs(); n[0].Path != "/staff/exceptions" || n[1].Path != "/staff/rescue" {
		t.Errorf("a librarian is led to %q and %q", n[0].Path, n[1].Path)
	}
}

// TestNowStream: the page hears at once what changes on the screen, with the
// beat what changes elsewhere, the same only once, and of the session's end.
func TestNowStream(t *testing.T) {
	var mu sync.Mutex
	now := well()
	f := crew()
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Staff = &Staff{Accounts: f, Audit: f, Now: func(context.Context) (Now, error) { mu.Lock(); defer mu.Unlock(); return now, nil }}
	})
	srv := httptest.NewServer(h)
	defer srv.Close()
	code, c := enterAs(h, "S3", "cy-1234")
	if code != http.StatusSeeOther {
		t.Fatal(code)
	}
	if w := do(h, "GET", "/staff/now", nil, c); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "All is well") {
		t.Errorf("/staff/now = %d %s", w.Code, w.Body)
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/staff/now/stream", nil)
	if resp, err := http.DefaultClient.Do(r.Clone(t.Context())); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("a stranger's stream: %v %v", resp, err)
	}
	r.AddCookie(c)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
	until := func(what string) {
		t.Helper()
		for in.Scan() {
			if strings.Contains(in.Text(), what) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", what, in.Err())
	}
	until("All is well")
	d.show(kiosk.Screen{View: kiosk.ViewItems, Faults: []kiosk.Fault{{Source: "pad", Text: "gone"}}})
	until("pad needs repair")
	until("A patron is there")
	mu.Lock()
	now.Exceptions = 3
	mu.Unlock()
	until("3 exceptions wait")
	f.mu.Lock()
	delete(f.members, "S3")
	f.mu.Unlock()
	d.show(kiosk.Screen{View: kiosk.ViewWelcome})
	until("event: gone")
}
