package web

import (
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestSpare(t *testing.T) {
	screen := func(id, inner string) string { return `<div class="screen" id="` + id + `">` + inner + `</div>` }
	part := func(id, inner string) string { return `<li class="a" id="` + id + `" data-part>` + inner + `</li>` }
	same := func(id string) string { return `<li id="` + id + `" data-same></li>` }
	nested := `<div id="d" data-part><div>1</div><divx></divx><div><div>2</div></div></div>`
	for name, c := range map[string]struct{ first, then, want string }{
		"nothing new":          {part("a", "1") + "x", part("a", "1") + "x", same("a") + "x"},
		"one is new":           {part("a", "1") + part("b", "1"), part("a", "2") + part("b", "1"), part("a", "2") + same("b")},
		"one comes before":     {part("a", "1"), part("b", "1") + part("a", "1"), part("b", "1") + same("a")},
		"one goes":             {part("a", "1") + part("b", "1"), part("b", "1"), same("b")},
		"what is no part":      {"<li>1</li>", "<li>1</li>", "<li>1</li>"},
		"with its own kind":    {nested + "x", nested + "x", `<div id="d" data-same></div>x`},
		"another attribute":    {part("a", "1"), strings.Replace(part("a", "1"), "data-part", "data-party", 1), strings.Replace(part("a", "1"), "data-part", "data-party", 1)},
		"said in what it says": {part("a", `&lt;li id="b" data-part&gt;`), part("a", `&lt;li id="b" data-part&gt;`), same("a")},
	} {
		var p parts
		if got, want := p.spare(screen("s", c.first)), screen("s", c.first); got != want {
			t.Errorf("%s: first %q, want it whole", name, got)
		}
		if got, want := p.spare(screen("s", c.then)), screen("s", c.want); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if got, want := p.spare(screen("other", c.then)), screen("other", c.then); got != want {
			t.Errorf("%s: another screen %q, want it whole", name, got)
		}
	}
}

// TestStreamSparesWhatItSent: one more book on ten costs about one.
func TestStreamSparesWhatItSent(t *testing.T) {
	sc := kiosk.Screen{View: kiosk.ViewItems, Visit: "v", Now: noon, Patron: "Zoë", Lines: sample()}
	h, d := newSite(t, sc)
	r := connect(t, h, "/stream")
	next(t, r)
	whole := next(t, r).data
	again := func() string {
		d.show(sc)
		next(t, r)
		return next(t, r).data
	}
	spared := again()
	for _, l := range sc.Lines {
		if want := `<li id="line-` + string(l.ID) + `" data-same></li>`; !strings.Contains(spared, want) {
			t.Errorf("line %s is sent again", l.ID)
		}
	}
	if !strings.Contains(spared, `<header id="header" data-same></header>`) || len(spared) > len(whole)/2 {
		t.Errorf("%d bytes after %d; want the header spared, and half of them", len(spared), len(whole))
	}
	sc.Lines[0].State = kiosk.LineRefused
	if got := again(); strings.Contains(got, `id="line-`+string(sc.Lines[0].ID)+`" data-same`) {
		t.Error("a line that changed is spared")
	}
	sc.Visit = "w"
	if got := again(); strings.Contains(got, "data-same") {
		t.Error("the screen of another visit is not sent whole")
	}
}

func FuzzSpare(f *testing.F) {
	f.Add(`<div class="screen" id="s"><li id="a" data-part>1</li></div>`, `<div class="screen" id="s"><li id="a" data-part>1</li></div>`)
	f.Add(`<li id="a" data-part><li`, `</li>`)
	f.Fuzz(func(t *testing.T, one, two string) {
		var p parts
		if got := p.spare(one); got != one {
			t.Fatalf("the first is %q, want %q", got, one)
		}
		got := p.spare(two)
		if !strings.Contains(got, "data-same") && got != two {
			t.Errorf("spare(%q) = %q", two, got)
		}
	})
}
