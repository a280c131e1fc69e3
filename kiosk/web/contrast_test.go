package web

import (
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pairs are what stands on what: text on its ground. large is text of 24 px and
// more, and pictures that tell something (WCAG 2.2, 1.4.3 and 1.4.11).
var pairs = []struct {
	text, ground string
	large        bool
}{
	{"ink", "paper", false}, {"ink", "card", false}, {"soft", "paper", false}, {"soft", "card", false},
	{"ink", "faint", false}, {"ink", "mint", false}, {"ink", "lamp-soft", false}, {"ink", "brick-soft", false}, {"ink", "sky-soft", false},
	{"soft", "faint", false}, {"soft", "sky-soft", false},
	{"spruce", "paper", false}, {"spruce", "card", false}, {"spruce", "mint", false}, {"spruce-deep", "mint", false},
	{"on-dark", "spruce", false}, {"on-dark", "spruce-deep", false}, {"on-dark", "brick", false}, {"on-dark", "on-lamp", false},
	{"on-lamp", "lamp", false}, {"lamp-ink", "lamp-soft", false}, {"brick", "brick-soft", false}, {"sky", "sky-soft", false},
	{"lamp", "spruce-deep", true}, {"control", "card", true}, {"control", "paper", true},
	{"sky", "paper", true}, {"sky", "card", true}, {"sky", "faint", true}, // the focus
	{"on-dark", "c0", true}, {"on-dark", "c1", true}, {"on-lamp", "c2", true}, {"on-dark", "c3", true},
	{"on-dark", "c4", true}, {"on-lamp", "c5", true}, {"on-dark", "c6", true}, {"on-dark", "c7", true},
}

// tokens are the colours of a manner, by the words of the sheet's selector.
func tokens(t *testing.T, word string) map[string]string {
	t.Helper()
	css, err := fs.ReadFile(assets, "static/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, rule := range regexp.MustCompile(`:root(\[data-mode~=([a-z-]+)\])? \{([^}]*)\}`).FindAllStringSubmatch(string(css), -1) {
		if of := rule[2]; of != "" && of != word {
			continue
		}
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(rule[3], -1) {
			all[m[1]] = m[2]
		}
	}
	return all
}

// luminance is WCAG 2.2's relative luminance of a colour "#rrggbb".
func luminance(hex string) float64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		return math.NaN()
	}
	sum := 0.0
	for i, weight := range []float64{0.0722, 0.7152, 0.2126} {
		c := float64(n>>(8*i)&255) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

// TestContrast: every pair of tokens holds WCAG 2.2 AA, with high contrast AAA.
func TestContrast(t *testing.T) {
	if got := contrast("#777777", "#ffffff"); math.Abs(got-4.48) > 0.01 { // as the standard's own tools have it
		t.Fatalf("contrast of #777777 on white is %.2f", got)
	}
	words := []string{"contrast"}
	for _, k := range Kinds {
		words = append(words, string(k))
	}
	for _, word := range words {
		colours := tokens(t, word)
		used := map[string]bool{"edge": true, "brick-edge": true} // ornaments
		for _, p := range pairs {
			used[p.text], used[p.ground] = true, true
			want := 4.5
			if p.large {
				want = 3
			}
			if word == "contrast" {
				want = map[bool]float64{false: 7, true: 4.5}[p.large]
			}
			if got := contrast(colours[p.text], colours[p.ground]); !(got >= want) {
				t.Errorf("%s: %s %s on %s %s has %.2f; want %.1f", word, p.text, colours[p.text], p.ground, colours[p.ground], got, want)
			}
		}
		for name := range colours {
			if !used[name] {
				t.Errorf("%s: the colour %s is in no pair", word, name)
			}
		}
	}
}

// TestColoursAreTokens: texts and grounds of the screen take their colours from
// the tokens alone; only illustrations have their own.
func TestColoursAreTokens(t *testing.T) {
	for _, name := range []string{"kiosk", "views"} {
		css, err := fs.ReadFile(assets, fmt.Sprintf("static/%s.css", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`[^-](color|background|border-color|outline): [^;}]*#[0-9a-f]{3,6}`).FindAllString(string(css), -1) {
			t.Errorf("%s.css: %q is no token", name, m)
		}
	}
}
