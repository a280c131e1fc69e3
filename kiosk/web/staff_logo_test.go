package web

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// plain is a picture of one colour.
func plain(w, h int, c color.Color) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, c)
		}
	}
	return m
}

func pngOf(m image.Image) string {
	var b bytes.Buffer
	png.Encode(&b, m) //nolint:errcheck // into memory
	return b.String()
}

var dark, pale = color.NRGBA{20, 60, 90, 255}, color.NRGBA{250, 240, 200, 255}

func TestMakeLogo(t *testing.T) {
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, plain(300, 900, dark), nil); err != nil {
		t.Fatal(err)
	}
	small := pngOf(plain(40, 20, dark))
	for name, tt := range map[string]struct {
		file string
		size image.Point
		err  error
	}{
		"small stays":      {small, image.Pt(40, 20), nil},
		"wide":             {pngOf(plain(1920, 240, dark)), image.Pt(480, 60), nil},
		"a photo, high":    {photo.String(), image.Pt(40, 120), nil},
		"more behind it":   {small + "<script>", image.Pt(40, 20), nil},
		"a line of pixels": {pngOf(plain(4096, 1, dark)), image.Pt(480, 1), nil},
		"pale":             {pngOf(plain(40, 20, pale)), image.Point{}, errPaleLogo},
		"seen through":     {pngOf(plain(40, 20, color.NRGBA{0, 0, 0, 10})), image.Point{}, errPaleLogo},
		"too many pixels":  {pngOf(plain(4097, 1, dark)), image.Point{}, errNoLogo},
		"too many in all":  {pngOf(image.NewGray(image.Rect(0, 0, 2049, 2049))), image.Point{}, errNoLogo},
		"cut":              {small[:len(small)-30], image.Point{}, errNoLogo},
		"SVG":              {`<svg xmlns="http://www.w3.org/2000/svg"/>`, image.Point{}, errNoLogo},
		"nothing":          {"", image.Point{}, errNoLogo},
		"too large":        {small + strings.Repeat("x", maxLogoFile), image.Point{}, errNoLogo},
	} {
		got, err := makeLogo(strings.NewReader(tt.file))
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v; want %v", name, err, tt.err)
		}
		if tt.err != nil {
			continue
		}
		m, err := png.Decode(bytes.NewReader(got))
		if err != nil || m.Bounds().Size() != tt.size || bytes.Contains(got, []byte("script")) {
			t.Errorf("%s: %v, %v; want %v and nothing else", name, m.Bounds(), err, tt.size)
		}
	}
}

func FuzzLogo(f *testing.F) {
	f.Add([]byte(pngOf(plain(3, 2, dark))))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := makeLogo(bytes.NewReader(data))
		if err != nil {
			return
		}
		if c, err := png.DecodeConfig(bytes.NewReader(out)); err != nil || c.Width > logoWide || c.Height > logoHigh {
			t.Errorf("%dx%d, %v", c.Width, c.Height, err)
		}
	})
}

// TestLogo puts one up, sees it on the screen, keeps it while colours change,
// and takes it back.
func TestLogo(t *testing.T) {
	brands := &fakeBrands{}
	h, _, _ := crewSite(t, func(s *Staff) { s.Brand = brands })
	_, c := enterAs(h, "S1", "ana-1234")
	_, bo := enterAs(h, "S2", "bo-1234")
	send := func(who *http.Cookie, name, file string) *httptest.ResponseRecorder {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		part, _ := form.CreateFormFile(name, "logo.png")
		part.Write([]byte(file)) //nolint:errcheck // into memory
		form.Close()
		r := httptest.NewRequest("POST", "/staff/brand/logo", &b)
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.AddCookie(who)
		return serve(h, r)
	}
	good := pngOf(plain(40, 20, dark))
	if w := get(h, "/brand/logo.png"); w.Code != http.StatusNotFound {
		t.Errorf("no logo: %d", w.Code)
	}
	if w := send(bo, "logo", good); w.Code != http.StatusForbidden {
		t.Errorf("staff changes the logo: %d", w.Code)
	}
	for file, want := range map[string]string{"no picture": "no picture that can be used", pngOf(plain(9, 9, pale)): "hardly be seen"} {
		if w := send(c, "logo", file); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%.10q = %d: %s; want %q", file, w.Code, w.Body, want)
		}
	}
	if w := send(c, "other", good); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a form without a logo: %d", w.Code)
	}
	if len(brands.all) > 0 {
		t.Fatalf("what was refused was kept: %v", brands.all)
	}
	before := get(h, "/").Body.String()
	if w := send(c, "logo", good); w.Code != http.StatusSeeOther {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	page := get(h, "/").Body.String()
	if strings.Contains(before, `class="logo"`) || !strings.Contains(page, `class="logo"`) || strings.Contains(page, `class="mark"`) {
		t.Error("the screen does not show the logo in place of the mark")
	}
	w := get(h, "/brand/logo.png")
	if m, err := png.Decode(w.Body); err != nil || m.Bounds().Dx() != 40 || w.Header().Get("Content-Type") != "image/png" {
		t.Errorf("/brand/logo.png: %v, %v", err, w.Header())
	}
	do(h, "POST", "/staff/brand/set", url.Values{"name": {"Elm"}, "house": {string(kiosk.HouseOwn)}, "accent": {string(kiosk.AccentOwn)}}, c)
	if b := brands.Brand(); b.Logo == "" || b.Name != "Elm" {
		t.Errorf("after another name the brand is %.60v", b)
	}
	do(h, "POST", "/staff/brand/no-logo", nil, c)
	if b := brands.Brand(); b.Logo != "" || b.Name != "Elm" {
		t.Errorf("without the logo the brand is %.60v", b)
	}
	do(h, "POST", "/staff/brand/undo", nil, c)
	if brands.Brand().Logo == "" {
		t.Error("undo does not bring the logo back")
	}
}
