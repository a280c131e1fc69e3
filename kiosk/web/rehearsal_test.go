package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestRehearsal goes through a loan with a pretend book, in each language:
// every step leads to the next, none sends anything, the last leads back.
func TestRehearsal(t *testing.T) {
	for _, pin := range []bool{false, true} {
		h, d := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.PIN, c.Languages = pin, available() })
		steps := 6
		if pin {
			steps++
		}
		for _, lang := range available() {
			for n := 1; n <= steps; n++ {
				w := get(h, fmt.Sprintf("/rehearsal/%d?mode=calm&lang=%s", n, lang))
				body, next := w.Body.String(), fmt.Sprintf(`data-next="/rehearsal/%d?mode=calm&amp;lang=%s"`, n+1, lang)
				if n == steps {
					next = `data-next="/"`
				}
				if w.Code != 200 || !strings.Contains(body, next) || strings.Contains(body, "hx-sse") || strings.Contains(body, "story.") {
					t.Errorf("step %d in %s: %d, without %s, or with a stream", n, lang, w.Code, next)
				}
				if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'none'") {
					t.Errorf("step %d may send: %s", n, csp)
				}
				if has := strings.Contains(body, `id="pinpad"`); has != (pin && n == 2) {
					t.Errorf("step %d, PIN wanted %v: asks for it: %v", n, pin, has)
				}
			}
		}
		for _, bad := range []string{"0", "99", "x", "-1"} {
			if w := get(h, "/rehearsal/"+bad); w.Code != 404 {
				t.Errorf("step %s: %d", bad, w.Code)
			}
		}
		if len(d.sent) > 0 {
			t.Errorf("the desk was sent %v", d.sent)
		}
	}
}

// TestStory: a picture and a sentence of each step, as this kiosk is.
func TestStory(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Patron: "Zoë"}, func(c *Config) { c.PIN = true })
	body := get(h, "/story?lang=es").Body.String()
	for n := 1; n <= 7; n++ {
		still := fmt.Sprintf("/rehearsal/%d/still?lang=es&amp;mode=calm", n)
		if !strings.Contains(body, still) {
			t.Errorf("the story has no %s", still)
		}
		if w := get(h, strings.ReplaceAll(still, "&amp;", "&")); w.Code != 200 || strings.Contains(w.Body.String(), "practice") {
			t.Errorf("%s: %d, or with the bar of a rehearsal", still, w.Code)
		}
	}
	if !strings.Contains(body, "Maple Street Library") || strings.Contains(body, "Zoë") {
		t.Error("the story is not of this library, or of whoever is at the desk")
	}
}

// TestCalm: the end comes without a number that runs, the steps stand in every
// view, and a refusal sends to staff in the same words.
func TestCalm(t *testing.T) {
	sc := kiosk.Screen{View: kiosk.ViewItems, Visit: "v1", Lines: sample()[6:7], EndsAt: noon.Add(5e9), WarnAt: noon.Add(-5e9)}
	h, d := newSite(t, sc)
	calm, plain := get(h, "/?mode=calm").Body.String(), get(h, "/").Body.String()
	if !strings.Contains(calm, `id="countdown"`) || strings.Contains(calm, "data-seconds") || !strings.Contains(plain, "data-seconds") {
		t.Error("the warning is missing, or it counts")
	}
	if !strings.Contains(calm, "Staff will help") || strings.Contains(calm, "Not taken") || !strings.Contains(plain, "Not taken") {
		t.Error("a refusal is not told calmly")
	}
	for view, at := range map[kiosk.View]string{kiosk.ViewWelcome: "Begin", kiosk.ViewPIN: "Begin", kiosk.ViewItems: "Books", kiosk.ViewReceipt: "Done"} {
		d.show(kiosk.Screen{View: view, EndsAt: noon.Add(5e9)})
		body := get(h, "/?mode=calm").Body.String()
		if !strings.Contains(body, `class="path"`) || strings.Count(body, `aria-current="step"`) != 1 || !strings.Contains(body, "</svg>"+at+"</li>") {
			t.Errorf("%s does not say that this is %s", view, at)
		}
		if strings.Contains(get(h, "/").Body.String(), `class="path"`) {
			t.Errorf("%s has steps, though nobody asked for calm", view)
		}
	}
}
