package web

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/png"
	"io"
	"net/http"
	"time"

	xdraw "golang.org/x/image/draw"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// Bounds on a logo.
const (
	maxLogoFile = 2 << 20 // bytes of what is sent
	maxLogoSide = 4096    // pixels of what is sent
	maxLogoAll  = 4 << 20 // pixels in all
	logoWide    = 480     // pixels of what is kept, at most
	logoHigh    = 120
	logoShare   = 0.1 // of what it paints, so much at least is seen well
	logoRatio   = 3   // contrast of pictures that tell something (WCAG 2.2, 1.4.11)
)

var (
	errNoLogo   = errors.New("no PNG or JPEG picture within the bounds")
	errPaleLogo = errors.New("hardly to be seen on the screen's ground")
)

// makeLogo reads a picture and draws it anew, as a PNG within the bounds:
// nothing else of the file is kept. errNoLogo, errPaleLogo.
func makeLogo(in io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxLogoFile+1))
	if err != nil || len(data) > maxLogoFile {
		return nil, errNoLogo
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || format != "png" && format != "jpeg" || c.Width < 1 || c.Height < 1 || c.Width > maxLogoSide || c.Height > maxLogoSide {
		return nil, errNoLogo
	}
	scale := min(1, logoWide/float64(c.Width), logoHigh/float64(c.Height))
	to := image.NewNRGBA(image.Rect(0, 0, max(1, int(float64(c.Width)*scale)), max(1, int(float64(c.Height)*scale))))
	if inventory.Unpack(data, maxLogoAll, func(from image.Image) error {
		xdraw.CatmullRom.Scale(to, to.Bounds(), from, from.Bounds(), xdraw.Src, nil)
		return nil
	}) != nil {
		return nil, errNoLogo
	}
	if !standsOut(to) {
		return nil, errPaleLogo
	}
	var out bytes.Buffer
	if err := png.Encode(&out, to); err != nil {
		return nil, fmt.Errorf("web: logo: %w", err)
	}
	return out.Bytes(), nil
}

// standsOut tells whether enough of a logo stands out from the screen's ground.
func standsOut(m *image.NRGBA) bool {
	painted, told := 0, 0
	known := map[kiosk.Colour]bool{}
	for i := 0; i+3 < len(m.Pix); i += 4 {
		if m.Pix[i+3] < 0x20 {
			continue
		}
		painted++
		c := kiosk.BrandPaper.Mix(kiosk.Colour(fmt.Sprintf("#%02x%02x%02x", m.Pix[i]&0xf0, m.Pix[i+1]&0xf0, m.Pix[i+2]&0xf0)), float64(m.Pix[i+3])/255)
		well, ok := known[c]
		if !ok {
			well = kiosk.Contrast(c, kiosk.BrandPaper) >= logoRatio
			known[c] = well
		}
		if well {
			told++
		}
	}
	return painted > 0 && float64(told) >= logoShare*float64(painted)
}

// logoAddress is where the logo is, "" where there is none: it changes with it.
func (s *site) logoAddress() string {
	logo := s.brand().Logo
	if logo == "" {
		return ""
	}
	h := fnv.New32a()
	io.WriteString(h, logo) //nolint:errcheck // into memory
	return fmt.Sprintf("/brand/logo.png?%08x", h.Sum32())
}

// logo gives the logo.
func (s *site) logo(w http.ResponseWriter, r *http.Request) {
	data, err := base64.StdEncoding.DecodeString(s.brand().Logo)
	if err != nil || len(data) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Write(data) //nolint:errcheck // the browser is gone
}

// takeLogo reads the logo that a form brings, as a Brand holds it.
func takeLogo(w http.ResponseWriter, r *http.Request) (string, error) {
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(4 * patience)) //nolint:errcheck // a test's recorder has none
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoFile+maxBody)
	parts, err := r.MultipartReader()
	if err != nil {
		return "", errNoLogo
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return "", errNoLogo
		}
		if part.FormName() != "logo" {
			continue
		}
		data, err := makeLogo(part)
		return base64.StdEncoding.EncodeToString(data), err
	}
}
