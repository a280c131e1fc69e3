package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeRescues has one rescue, or none.
type fakeRescues struct {
	r   Rescue
	by  kiosk.Act
	err error
}

func (f *fakeRescues) Rescued(context.Context) (Rescue, error) {
	if f.r.At.IsZero() {
		return Rescue{}, kiosk.ErrUnknown
	}
	return f.r, nil
}

func (f *fakeRescues) Seen(_ context.Context, at time.Time, by kiosk.Act) error {
	switch {
	case f.err != nil:
		return f.err
	case !f.r.At.Equal(at):
		return kiosk.ErrUnknown
	}
	f.r.Seen, f.by = true, by
	return nil
}

// TestRescuePage: staff reads what was kept and each entry that was not, says so
// under their name, and never of a rescue that they have not seen.
func TestRescuePage(t *testing.T) {
	f, staff := &fakeRescues{}, crew()
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Staff = &Staff{Accounts: staff, Audit: staff, Rescues: f}
	})
	_, bo := enterAs(h, "S2", "bo-1234") // a librarian
	_, cy := enterAs(h, "S3", "cy-1234") // a helper
	page := func() string { return do(h, "GET", "/staff/rescue", nil, bo).Body.String() }
	if !strings.Contains(page(), "never damaged") || strings.Contains(page(), "<form class=\"ways\"") {
		t.Error("without a rescue there is one to read")
	}
	f.r = Rescue{At: noon, Why: "page <3>\u202e is torn", Kept: "ledger.db.broken-X", Passed: []string{"old.db: encrypted"}, Entries: 61234, FromFile: 61000,
		FromCopy: 200, Rebuilt: 34, Beyond: 61237, Parts: []string{"items", "photos"}, Lost: []RescueLost{{Seq: 7, Item: "B7<"}, {Seq: 9}}}
	for _, want := range []string{"61,234", "61,000", "page &lt;3&gt; is torn", "none: no copy was good", "<code>ledger.db.broken-X</code>", "old.db: encrypted",
		"<code>items</code>, <code>photos</code>", "After number 61237", "<td>7</td><td><code>B7&lt;</code></td>", "<td>9</td><td>nothing tells which</td>", "I have read this"} {
		if !strings.Contains(page(), want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	for range mostLost + 3 {
		f.r.Lost = append(f.r.Lost, RescueLost{Seq: 1000})
	}
	if text := page(); !strings.Contains(text, "and 5 more") || strings.Count(text, "<tr><td>") != mostLost {
		t.Errorf("%d of %d are shown", strings.Count(text, "<tr><td>"), len(f.r.Lost))
	}
	seen := func(at string, who *http.Cookie) int {
		return do(h, "POST", "/staff/rescue/seen", url.Values{"at": {at}}, who).Code
	}
	was := noon.Format(time.RFC3339Nano)
	if code := seen(was, cy); code != http.StatusForbidden || do(h, "GET", "/staff/rescue", nil, cy).Code != http.StatusForbidden {
		t.Errorf("by a helper: %d", code)
	}
	for at, want := range map[string]int{"": http.StatusBadRequest, "now": http.StatusBadRequest, noon.Add(-time.Hour).Format(time.RFC3339Nano): http.StatusSeeOther} {
		if code := seen(at, bo); code != want || f.r.Seen {
			t.Errorf("of %q: %d, seen %v; want %d, and not seen", at, code, f.r.Seen, want)
		}
	}
	f.err = errors.New("full")
	if w := do(h, "POST", "/staff/rescue/seen", url.Values{"at": {was}}, bo); w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "does not take it") || f.r.Seen {
		t.Errorf("on a full disk: %d, %s", w.Code, w.Body)
	}
	f.err = nil
	if code := seen(was, bo); code != http.StatusSeeOther || !f.r.Seen || f.by.What != "rescue.seen" || f.by.Badge != "S2" {
		t.Errorf("read: %d, by %+v", code, f.by)
	}
	if text := page(); !strings.Contains(text, "Staff has read this") || strings.Contains(text, "I have read this") {
		t.Error("after it the page still asks")
	}
}
