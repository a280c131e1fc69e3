package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTouches(t *testing.T) {
	tests := []struct {
		path, form string
		status     int
		want       kiosk.Event
	}{
		{"finish", "", 204, kiosk.Finish{}},
		{"finish", "view=items", 204, kiosk.Finish{}},
		{"finish", "view=receipt", 409, nil}, // meant for a screen that is gone
		{"finish", "view=items&visit=v1", 204, kiosk.Finish{}},
		{"finish", "visit=v1", 204, kiosk.Finish{}},
		{"finish", "view=items&visit=v0", 409, nil}, // meant for the patron before
		{"finish", "view=items&visit=", 409, nil},   // meant for nobody
		{"stay", "visit=v0", 409, nil},
		{"pin", "pin=0042&visit=v0", 409, nil},
		{"return", "", 204, kiosk.StartReturn{}},
		{"cancel", "", 204, kiosk.Cancel{}},
		{"stay", "", 204, kiosk.Touched{}},
		{"renew", "line=a1", 204, kiosk.RenewLine{Line: "a1"}},
		{"renew", "", 400, nil},
		{"drop", "line=a1", 204, kiosk.DropLine{Line: "a1"}},
		{"drop", "line=" + strings.Repeat("a", maxLine+1), 400, nil},
		{"counted", "n=12", 204, kiosk.Counted{Items: 12}},
		{"counted", "n=0", 204, kiosk.Counted{}},
		{"counted", "", 400, nil},
		{"counted", "n=-1", 400, nil},
		{"counted", "n=1e3", 400, nil},
		{"counted", "n=1000", 400, nil},
		{"counted", "n=99999999999999999999", 400, nil},
		{"pin", "pin=0042", 204, kiosk.PINEntered{PIN: "0042"}},
		{"pin", "pin=", 400, nil},
		{"pin", "pin=" + strings.Repeat("1", maxPIN+1), 400, nil},
		{"pin", "pin=" + strings.Repeat("1", 2*maxBody), 400, nil},
		{"pin", "%zz", 400, nil},
		{"explode", "", 400, nil},
		{"pin?pin=1", "", 400, nil}, // never from the address: it would be kept
	}
	for _, tt := range tests {
		h, d := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Visit: "v1"})
		w := post(h, "/touch/"+tt.path, tt.form)
		var got kiosk.Event
		if len(d.sent) > 0 {
			got = d.sent[0]
		}
		if w.Code != tt.status || !reflect.DeepEqual(got, tt.want) || len(d.sent) > 1 {
			t.Errorf("%s %.40q: %d, %+v; want %d, %+v", tt.path, tt.form, w.Code, d.sent, tt.status, tt.want)
		}
	}
}

// TestFindSwitchedOff: the catalogue opens only where the library shows it.
func TestFindSwitchedOff(t *testing.T) {
	for find, want := range map[bool]int{true: http.StatusNoContent, false: http.StatusBadRequest} {
		h, d := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Find = find })
		if w := post(h, "/touch/find", ""); w.Code != want || len(d.sent) > 0 != find {
			t.Errorf("find %t: %d, sent %v; want %d", find, w.Code, d.sent, want)
		}
	}
}

// TestFormsNameTheVisit: every button says for whom it was shown.
func TestFormsNameTheVisit(t *testing.T) {
	form := regexp.MustCompile(`(?s)<form[^>]* action="/touch/.*?</form>`)
	h, d := newSite(t, kiosk.Screen{})
	for _, v := range views {
		for _, visit := range []kiosk.ID{"", "v7"} {
			d.show(kiosk.Screen{View: v, Visit: visit, Lines: sample(), Now: noon, EndsAt: noon.Add(time.Minute), WarnAt: noon})
			body := get(h, "/").Body.String()
			found := form.FindAllString(body, -1)
			if len(found) == 1 && v != kiosk.ViewIdentifying {
				t.Errorf("%s: no form", v)
			}
			for _, f := range found {
				if strings.Contains(f, `action="/touch/help`) { // a call is of no visit: it never comes late
					continue
				}
				if !strings.Contains(f, `name="visit" value="`+string(visit)+`"`) || !strings.Contains(f, `name="view" value="`+string(v)+`"`) {
					t.Errorf("%s of visit %q: %s", v, visit, f)
				}
			}
			if id := attr(t, body, `class="screen" id`); attr(t, body, "data-visit") != string(visit) || !strings.HasSuffix(id, "-"+string(visit)) {
				t.Errorf("%s of visit %q: the screen is %s", v, visit, id)
			}
		}
	}
}

func TestTouchOfABusyDesk(t *testing.T) {
	h, d := newSite(t, kiosk.Screen{})
	d.deaf = true
	if w := post(h, "/touch/finish", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a desk that takes nothing: %d; want 503", w.Code)
	}
}

func TestOtherOriginsTouchNothing(t *testing.T) {
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		for _, path := range []string{"/touch/finish", "/language", "/bench/x"} {
			h, d := newSite(t, kiosk.Screen{}, func(c *Config) {
				c.Pages = map[string]http.Handler{"/bench": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") })}
			})
			r := httptest.NewRequest("POST", path, nil)
			r.Header.Set(header, value)
			if w := serve(h, r); w.Code != http.StatusForbidden || len(d.sent) > 0 {
				t.Errorf("%s with %s: %d, sent %v; want 403", path, header, w.Code, d.sent)
			}
		}
	}
}

func TestTouchWithoutScript(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{})
	for _, form := range []string{"", "view=receipt"} { // the second comes late
		r := httptest.NewRequest("POST", "/touch/return", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Sec-Fetch-Dest", "document")
		if w := serve(h, r); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
			t.Errorf("%q: %d to %q; want 303 to /", form, w.Code, w.Header().Get("Location"))
		}
	}
	if w := serve(h, httptest.NewRequest("GET", "/touch/return", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d; want 405", w.Code)
	}
}

// pipes is a listener that takes one connection, over memory.
type pipes struct {
	conn chan net.Conn
	done chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conn:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.done); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// TestFormThatStops: what stops in the middle of its form is answered, and
// its connection is let go.
func TestFormThatStops(t *testing.T) {
	for _, path := range []string{"/touch/finish", "/language"} {
		synctest.Test(t, func(t *testing.T) {
			h, d := newSite(t, kiosk.Screen{View: kiosk.ViewItems})
			p := pipes{make(chan net.Conn, 1), make(chan struct{})}
			srv := &http.Server{Handler: h}
			go srv.Serve(p) //nolint:errcheck // it ends with the test
			defer srv.Close()
			c, far := net.Pipe()
			defer c.Close()
			p.conn <- far
			c.SetDeadline(time.Now().Add(time.Minute))
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nvi", path)
			at := time.Now()
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || resp.StatusCode != http.StatusRequestTimeout || time.Since(at) != patience || len(d.sent) > 0 {
				t.Fatalf("%s: %+v, %v after %v; want 408 after %v", path, resp, err, time.Since(at), patience)
			}
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("%s: the connection stays: %v", path, err)
			}
		})
	}
}

func FuzzTouch(f *testing.F) {
	f.Add("pin", "pin=1234&view=pin")
	f.Add("renew", "line=0190-ab")
	f.Add("drop", "line=%00;line=2")
	f.Add("counted", "n=12")
	f.Fuzz(func(t *testing.T, what, form string) {
		vs, err := url.ParseQuery(form)
		if err != nil {
			return
		}
		ev, ok := new(site).decode(what, vs)
		if ok == (ev == nil) && ev == nil {
			t.Fatalf("decode(%q, %q) = nothing, and calls it good", what, form)
		}
		if !ok {
			return
		}
		switch ev := ev.(type) {
		case kiosk.PINEntered:
			if ev.PIN == "" || len(ev.PIN) > maxPIN {
				t.Errorf("a PIN of %d bytes", len(ev.PIN))
			}
		case kiosk.RenewLine:
			if ev.Line == "" || len(ev.Line) > maxLine {
				t.Errorf("a line of %d bytes", len(ev.Line))
			}
		case kiosk.Counted:
			if ev.Items < 0 || ev.Items > maxCount {
				t.Errorf("a count of %d", ev.Items)
			}
		case kiosk.DropLine:
			if ev.Line == "" || len(ev.Line) > maxLine {
				t.Errorf("a line of %d bytes", len(ev.Line))
			}
		}
	})
}
