package web

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/typeset"
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

// TestKeysHaveSigns: what stands on a key is in the fonts that come with the kiosk,
// capitals too. The typesetter has the same fonts, and draws a question mark for
// what is in none of them.
func TestKeysHaveSigns(t *testing.T) {
	set, err := setter()
	if err != nil {
		t.Fatal(err)
	}
	drawn := func(text string) string { return string(set.Draw(text, 100, typeset.Style{Size: 32}).Pix) }
	lacks := func(text string) bool {
		return text == "" || strings.ContainsFunc(text, func(r rune) bool { return r != '?' && drawn(string(r)) == drawn("?") })
	}
	if !lacks("\U0001F4DA") || lacks("?") {
		t.Fatal("a picture of books is in no font, and a question mark in all")
	}
	_, ls := all(t)
	for _, l := range ls {
		for _, layer := range append((view{language: l}).Letters(), l.Layers()...) {
			for _, row := range layer.Rows {
				for _, c := range row {
					if lacks(c.Shown()) || layer.Case && lacks(strings.ToUpper(c.Shown())) {
						t.Errorf("%s: no font has %q, among %s", l.Tag, c.Shown(), layer.Name)
					}
				}
			}
		}
	}
}
