package web

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestLettersOfAPIN has keys for all that a password may be made of, in every
// language, in as many rows as a low panel has room for; and none where nobody
// would use them.
func TestLettersOfAPIN(t *testing.T) {
	keys := regexp.MustCompile(`data-put="([^"]+)"`)
	_, ls := all(t)
	for _, l := range ls {
		pad := func(mode string, digits bool) string {
			h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewPIN}, func(c *Config) { c.Languages, c.Digits = []string{l.Tag}, digits })
			return get(h, "/?mode="+mode).Body.String()
		}
		page, has := pad("calm", false), map[string]bool{}
		for _, m := range keys.FindAllStringSubmatch(page, -1) {
			has[html.UnescapeString(m[1])] = true
		}
		for c := ' '; c <= '~'; c++ { // capitals by the shift, digits by their own pad
			if !has[strings.ToLower(string(c))] && (c < '0' || c > '9') {
				t.Errorf("%s: no key for %q", l.Tag, c)
			}
		}
		for _, layer := range (view{language: l}).Letters() {
			if len(layer.Rows) > 4 {
				t.Errorf("%s: %d rows of %s", l.Tag, len(layer.Rows), layer.Name)
			}
			if want := layer.Name == "latin" || layer.Name == "letters" && l.Tag != "ar"; layer.Case != want {
				t.Errorf("%s: %s have capitals: %v", l.Tag, layer.Name, layer.Case)
			}
		}
		for _, page := range []string{pad("pre-reader", false), pad("standard", true)} {
			if keys.MatchString(page) || strings.Contains(page, "to-letters") || !strings.Contains(page, `data-key="7"`) {
				t.Errorf("%s: letters for who has none", l.Tag)
			}
		}
	}
}
