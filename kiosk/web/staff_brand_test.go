package web

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeBrands keeps them all.
type fakeBrands struct{ all []kiosk.Brand }

func (f *fakeBrands) Brand() kiosk.Brand {
	if len(f.all) == 0 {
		return kiosk.Brand{}
	}
	return f.all[len(f.all)-1]
}

func (f *fakeBrands) PutBrand(_ context.Context, b kiosk.Brand, by kiosk.Act) error {
	worded(by)
	f.all = append(f.all, b)
	return nil
}

func (f *fakeBrands) BrandBefore(context.Context) (kiosk.Brand, error) {
	if len(f.all) < 2 {
		return kiosk.Brand{}, kiosk.ErrUnknown
	}
	return f.all[len(f.all)-2], nil
}

func TestBrand(t *testing.T) {
	brands := &fakeBrands{}
	h, _, _ := crewSite(t, func(s *Staff) { s.Brand = brands })
	_, c := enterAs(h, "S1", "ana-1234")
	_, bo := enterAs(h, "S2", "bo-1234")
	put := func(code int, what string, form url.Values) string {
		t.Helper()
		w := do(h, "POST", "/staff/brand/"+what, form, c)
		if w.Code != code {
			t.Errorf("%s %v = %d; want %d", what, form, w.Code, code)
		}
		return w.Body.String()
	}
	set := func(name, house, accent string) url.Values {
		return url.Values{"name": {name}, "house": {house}, "accent": {accent}}
	}
	page := func() string { return get(h, "/").Body.String() }
	if plain := page(); strings.Contains(plain, "brand.css") || !strings.Contains(plain, `data-version="`+version+`"`) {
		t.Error("a kiosk without a brand asks for one")
	}
	if w := do(h, "POST", "/staff/brand/set", set("x", "#17594d", "#f0b44c"), bo); w.Code != http.StatusForbidden {
		t.Errorf("staff changes the look: %d", w.Code)
	}
	if body := put(http.StatusUnprocessableEntity, "set", set("x", "#ffff00", "#f0b44c")); !strings.Contains(body, "#ffff00 can’t be read well") || strings.Contains(body, `value="#ffff00"`) {
		t.Errorf("yellow: %s", body)
	}
	put(http.StatusUnprocessableEntity, "set", set("x", "#17594d", "#000000"))
	put(http.StatusUnprocessableEntity, "set", set("x", "}body{display:none", "#f0b44c"))
	if len(brands.all) > 0 {
		t.Fatalf("taken: %+v", brands.all)
	}
	put(http.StatusSeeOther, "set", set(" Elm <i>Street</i> ", "#7a1f5c", "#f0b44c"))
	body := page()
	if !strings.Contains(body, "/brand.css?") || !strings.Contains(body, "Elm &lt;i&gt;Street&lt;/i&gt;") || strings.Contains(body, `data-version="`+version+`"`) {
		t.Errorf("branded: %s", body)
	}
	if css := get(h, "/brand.css").Body.String(); !strings.Contains(css, "--spruce: #7a1f5c;") || !strings.Contains(css, ":root[data-mode~=contrast] { --spruce: #7a1f5c;") || strings.Contains(css, "--lamp") {
		t.Errorf("css: %s", css)
	}
	brands.all = append(brands.all, kiosk.Brand{House: "red; } body { display: none"})
	if css := get(h, "/brand.css").Body.String(); css != "" {
		t.Errorf("css of a damaged setting: %s", css)
	}
	put(http.StatusSeeOther, "undo", nil)
	put(http.StatusSeeOther, "own", nil)
	if brands.Brand() != (kiosk.Brand{}) || strings.Contains(page(), "brand.css") {
		t.Errorf("own: %+v", brands.Brand())
	}
}

// TestBrandKnowsTheTokens: the colours that a brand is measured by are those of
// the style sheet.
func TestBrandKnowsTheTokens(t *testing.T) {
	css, err := os.ReadFile("static/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]kiosk.Colour{"spruce": kiosk.HouseOwn, "lamp": kiosk.AccentOwn, "paper": kiosk.BrandPaper, "card": kiosk.BrandCard} {
		if !strings.Contains(string(css), "--"+name+": "+string(c)) {
			t.Errorf("--%s is not %s", name, c)
		}
	}
}
