package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web/scene"
)

func TestParseManner(t *testing.T) {
	for _, m := range Manners() {
		if got, ok := ParseManner(m.String()); !ok || got != m {
			t.Errorf("ParseManner(%q) = %+v, %v", m, got, ok)
		}
		if got, ok := ParseManner(m.Words()); !ok || got != m {
			t.Errorf("ParseManner(%q) = %+v, %v", m.Words(), got, ok)
		}
	}
	for text, want := range map[string]string{"large": "standard.large", "contrast,large": "standard.large.contrast", "standard+contrast": "standard.contrast"} {
		if got, ok := ParseManner(text); !ok || got.String() != want {
			t.Errorf("ParseManner(%q) = %v, %v; want %s", text, got, ok, want)
		}
	}
	for _, bad := range []string{"", ".", "loud", "large.loud", strings.Repeat("x", 5000)} {
		if got, ok := ParseManner(bad); ok {
			t.Errorf("ParseManner(%.20q) = %v", bad, got)
		}
	}
}

func FuzzParseManner(f *testing.F) {
	f.Add("standard.large")
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := ParseManner(text)
		if again, ok2 := ParseManner(m.String()); ok && (!ok2 || again != m) {
			t.Errorf("ParseManner(%q) = %v, and then %v", text, m, again)
		}
	})
}

// TestMannerByTouch: each option is one touch away, comes and goes by itself,
// is kept by this browser, and can be taken back.
func TestMannerByTouch(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	page := func(cookies ...*http.Cookie) string {
		r := httptest.NewRequest("GET", "/", nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	has := func(body, what string) {
		t.Helper()
		if !strings.Contains(body, what) {
			t.Errorf("the page has no %s", what)
		}
	}
	plain := page()
	has(plain, `data-mode="standard"`)
	has(plain, `name="mode" value="standard.large" aria-pressed="false"`)
	has(plain, `name="mode" value="standard.contrast" aria-pressed="false"`)
	if strings.Contains(plain, "data-chosen") {
		t.Error("something is chosen, though nobody has touched anything")
	}
	w := post(h, "/mode", "mode=standard.large")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Fatalf("POST /mode: %d to %q", w.Code, w.Header().Get("Location"))
	}
	c := w.Result().Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("the choice is kept as %v", c)
	}
	large := page(c)
	has(large, `data-mode="standard large"`)
	has(large, "data-chosen")
	has(large, `value="standard" aria-pressed="true"`)
	has(large, `value="standard.large.contrast" aria-pressed="false"`)
	for _, gone := range post(h, "/forget", "").Result().Cookies() {
		if gone.MaxAge >= 0 || gone.Value != "" {
			t.Errorf("%s is not taken back: %v", gone.Name, gone)
		}
	}
	if w := post(h, "/mode", "mode=loud"); w.Code != http.StatusBadRequest {
		t.Errorf("a mode that is none: %d", w.Code)
	}
	has(page(&http.Cookie{Name: mannerCookie, Value: "loud"}), `data-mode="standard"`)
}

// TestMannerOfALibrary: a library's own, an address', and the stream's.
func TestMannerOfALibrary(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Manner = Manner{Large: true} })
	if body := get(h, "/").Body.String(); !strings.Contains(body, `data-mode="standard large"`) {
		t.Error("the library's own manner is not shown")
	}
	body := get(h, "/?mode=contrast&lang=es").Body.String()
	if !strings.Contains(body, `data-mode="standard contrast"`) || !strings.Contains(body, `hx-sse:connect="/stream?lang=es&amp;mode=standard.contrast"`) {
		t.Error("the manner of an address is not kept by the stream")
	}
	r := connect(t, h, "/stream?mode=contrast")
	next(t, r) // the version
	if m := next(t, r); !strings.Contains(m.data, `data-mode="standard contrast"`) {
		t.Error("the stream forgets the manner")
	}
}

// TestGallery: each scene in each manner and language is a whole page that
// sends nothing; without being asked for there is no gallery.
func TestGallery(t *testing.T) {
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Gallery, c.Languages = true, available() })
	index := get(h, "/gallery?mode=large&lang=ar&size=1080x1920")
	for _, want := range []string{"size-1080x1920", `<option value="ar" selected>`, `<option value="standard.large" selected>`} {
		if !strings.Contains(index.Body.String(), want) {
			t.Errorf("the gallery has no %s", want)
		}
	}
	for _, name := range scene.Names() {
		if !strings.Contains(index.Body.String(), "scene="+name+`"`) {
			t.Errorf("the gallery does not show %s", name)
		}
		for _, m := range Manners() {
			for _, lang := range available() {
				w := get(h, "/gallery/screen?scene="+name+"&mode="+m.String()+"&lang="+lang)
				if w.Code != 200 || !strings.Contains(w.Body.String(), `data-mode="`+m.Words()+`"`) || !strings.Contains(w.Body.String(), `lang="`+lang+`"`) {
					t.Fatalf("%s in %s and %s: %d, %.200s", name, m, lang, w.Code, w.Body)
				}
			}
		}
	}
	w := get(h, "/gallery/view?scene=items")
	csp := w.Header().Get("Content-Security-Policy")
	if strings.Contains(w.Body.String(), "hx-sse") || !strings.Contains(csp, "form-action 'none'") || !strings.Contains(csp, "frame-ancestors 'self'") {
		t.Errorf("a scene may reach the desk: %s", csp)
	}
	if csp := get(h, "/").Header().Get("Content-Security-Policy"); csp != policy {
		t.Errorf("the screen's policy is %s", csp)
	}
	if get(h, "/gallery/view?scene=nowhere").Code != 404 || len(d.sent) > 0 {
		t.Error("a scene of no name, or touches of the desk")
	}
	bare, _ := newSite(t, kiosk.Screen{})
	if get(bare, "/gallery").Code != 404 {
		t.Error("a library's kiosk has a gallery")
	}
}
