package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestReadClass(t *testing.T) {
	class, err := ReadClass(strings.NewReader("\ufeffcard,animal\n2001, Fox\n2002,owl\n"), fstest.MapFS{})
	if want := []Pupil{{Card: "2001", Animal: "fox"}, {Card: "2002", Animal: "owl"}}; err != nil || !slices.Equal(class, want) {
		t.Errorf("ReadClass() = %v, %v; want %v", class, err, want)
	}
	for list, why := range map[string]string{
		"":                     "no card",
		"2001,unicorn\n":       `"unicorn": must be of bear, cat,`,
		"2001,fox\n2002,fox\n": "row 2: the card or the fox",
		"2001,fox\n2001,owl\n": "row 2: the card or the owl",
		",fox\n":               "row 1: no card",
		"2001\n":               "wrong number of fields",
	} {
		if _, err := ReadClass(strings.NewReader(list), fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("ReadClass(%q): %v; want %s", list, err, why)
		}
	}
}

func FuzzReadClass(f *testing.F) {
	f.Add("card,animal\n2001,fox\n")
	f.Add("\"20\n01\",owl")
	f.Fuzz(func(t *testing.T, list string) {
		class, err := ReadClass(strings.NewReader(list), fstest.MapFS{})
		for _, p := range class {
			if _, ok := animals[p.Animal]; !ok || p.Card == "" {
				t.Errorf("ReadClass(%q) gives %v, %v", list, p, err)
			}
		}
	})
}

// TestAnimalsDiffer: each is drawn, and unlike all others in more than colour.
func TestAnimalsDiffer(t *testing.T) {
	seen := map[animal]string{}
	for _, n := range Animals() {
		a := animals[n]
		a.Head, a.Ears, a.Face = "", "", ""
		switch pair := []string{seen[a], n}; pair[0] {
		case "":
		default:
			dark, light := luminance(animals[pair[0]].Head), luminance(animals[n].Head)
			if r := (max(dark, light) + .05) / (min(dark, light) + .05); r < 1.5 {
				t.Errorf("%s and %s differ in little: %.2f", pair[0], n, r)
			}
		}
		seen[a] = n
	}
}

// TestPupil: who touches an animal borrows on its card, which the page never
// holds; outside of the list is nobody, and no animal is taken late.
func TestPupil(t *testing.T) {
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Manner, c.Class = Manner{Kind: PreReader}, []Pupil{{Card: "20417000020018", Animal: "fox"}, {Card: "20417000020026", Animal: "owl"}}
	})
	body := get(h, "/").Body.String()
	if strings.Contains(body, "204170000200") || strings.Count(body, `class="animal"`) != 2 || !strings.Contains(body, `aria-label="fox"`) {
		t.Errorf("the class is not shown, or its cards are: %s", body)
	}
	if w := post(h, "/touch/pupil", "who=1&view=welcome&visit="); w.Code != 204 || fmt.Sprint(d.sent) != "[{20417000020026}]" {
		t.Errorf("the owl: %d, %v", w.Code, d.sent)
	}
	for _, who := range []string{"", "-1", "2", "x"} {
		if w := post(h, "/touch/pupil", "who="+who); w.Code != 400 {
			t.Errorf("animal %q: %d", who, w.Code)
		}
	}
	d.show(kiosk.Screen{View: kiosk.ViewItems, Visit: "v1"})
	if w := post(h, "/touch/pupil", "who=0&view=welcome&visit="); w.Code != 409 || len(d.sent) != 1 {
		t.Errorf("a late touch: %d, %v", w.Code, d.sent)
	}
}

// TestPictures: in pictures there is one book at a time, what wants a hand
// first, and no text to be seen but a letter on a cover.
func TestPictures(t *testing.T) {
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Visit: "v1", Lines: stack()})
	body := get(h, "/?mode=pre-reader").Body.String()
	if strings.Count(body, `class="one sign-`) != 1 || !strings.Contains(body, `class="one sign-back" id="line-b"`) {
		t.Error("there is not one thing alone, or not what must be put back")
	}
	for i, sign := range map[int]string{0: "wait", 1: "good", 3: "good", 4: "staff", 6: "staff", 7: "again"} {
		d.show(kiosk.Screen{View: kiosk.ViewItems, Visit: "v1", Lines: sample()[i : i+1]})
		if body := get(h, "/?mode=pre-reader").Body.String(); !strings.Contains(body, "sign-"+sign) {
			t.Errorf("%s is not shown as %s", sample()[i].Title, sign)
		}
	}
}
