package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeStrange has texts until they are read.
type fakeStrange struct {
	list []kiosk.Strange
	by   kiosk.Act
}

func (f *fakeStrange) Strange(context.Context) ([]kiosk.Strange, error) { return f.list, nil }
func (f *fakeStrange) Read(_ context.Context, until time.Time, by kiosk.Act) error {
	f.by = by
	var rest []kiosk.Strange
	for _, s := range f.list {
		if s.Last.After(until) {
			rest = append(rest, s)
		}
	}
	f.list = rest
	return nil
}

// TestStrangeWords: staff reads what the library's system said and nobody
// knew, as text and cut; read, it is gone, but for what came meanwhile.
func TestStrangeWords(t *testing.T) {
	f := &fakeStrange{list: []kiosk.Strange{{Text: "Mercury <b>retro</b>grade\x1b", N: 3, Last: noon}, {Text: strings.Repeat("long ", 200), N: 1, Last: noon.Add(-time.Hour)}}}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Exceptions: &fakeExceptions{}, Strange: f}
	})
	_, cookie := enter(t, h, right)
	page := do(h, "GET", "/staff/exceptions", nil, cookie).Body.String()
	for _, want := range []string{"Mercury &lt;b&gt;retro&lt;/b&gt;grade</bdi>", "<td>3</td>", `name="until" value="` + noon.Format(time.RFC3339Nano)} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(page, strings.Repeat("long ", 100)) {
		t.Error("a text is as long as it came")
	}
	f.list = append([]kiosk.Strange{{Text: "meanwhile", N: 1, Last: noon.Add(time.Minute)}}, f.list...)
	if w := do(h, "POST", "/staff/strange/read", url.Values{"until": {noon.Format(time.RFC3339Nano)}}, cookie); w.Code != http.StatusSeeOther {
		t.Errorf("read = %d", w.Code)
	}
	if len(f.list) != 1 || f.list[0].Text != "meanwhile" || f.by.What != "strange.read" {
		t.Errorf("after it %v, by %+v", f.list, f.by)
	}
	for _, until := range []string{"", "yesterday", noon.AddDate(1, 0, 0).Format(time.RFC3339)} {
		if w := do(h, "POST", "/staff/strange/read", url.Values{"until": {until}}, cookie); w.Code != http.StatusBadRequest {
			t.Errorf("until %q = %d; want 400", until, w.Code)
		}
	}
	if w := do(h, "POST", "/staff/strange/read", url.Values{"until": {noon.Format(time.RFC3339)}}, nil); w.Code == http.StatusSeeOther && w.Header().Get("Location") == "/staff/exceptions" {
		t.Error("who is not signed in reads it away")
	}
}
