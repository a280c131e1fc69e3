package daemon

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Style implements web.Receipts.
func (r *receipts) Style() kiosk.ReceiptStyle {
	if s := r.style.now(); s.Set {
		return s
	}
	return kiosk.StyleOf(r.Config.Rules().Receipts)
}

// ruleTime is the longest wait for the desk to take what is decided of receipts.
const ruleTime = 5 * time.Second

// PutStyle implements web.Receipts. What is stored is set, even if who asked goes
// away, or the desk takes nothing: it has it at the next start.
func (r *receipts) PutStyle(ctx context.Context, s kiosk.ReceiptStyle, by kiosk.Act) error {
	if err := r.style.put(ctx, s, by); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ruleTime)
	defer cancel()
	if err := r.desk.Send(ctx, kiosk.ReceiptsSet{Receipts: r.rules()}); err != nil {
		r.Log.Error("what is set for receipts has not reached the desk; it counts from the next start on", "err", err)
	}
	return nil
}

// StyleBefore implements web.Receipts.
func (r *receipts) StyleBefore(ctx context.Context) (kiosk.ReceiptStyle, error) {
	return r.style.before(ctx)
}

// rules are what is decided of receipts, with what staff has set.
func (r *receipts) rules() kiosk.Receipts { return r.style.now().Over(r.Config.Rules().Receipts) }

// logoInk is the least share of what a logo paints that is darker than half
// grey; of a paler one the dots are scattered.
const logoInk = 0.1

// paperLogo is a Brand's logo in black and white, nil where there is none that
// can be read.
func paperLogo(logo string) image.Image {
	data, err := base64.StdEncoding.DecodeString(logo)
	if err != nil || len(data) == 0 {
		return nil
	}
	in, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	b := image.Rect(0, 0, in.Bounds().Dx(), in.Bounds().Dy())
	grey := image.NewGray(b)
	draw.Draw(grey, b, image.White, image.Point{}, draw.Src)
	draw.Draw(grey, b, in, in.Bounds().Min, draw.Over)
	dark, painted := 0, 0
	for _, v := range grey.Pix {
		if v < 0x80 {
			dark++
		}
		if v < 0xF8 {
			painted++
		}
	}
	if float64(dark) >= logoInk*float64(painted) {
		return grey
	}
	scattered := image.NewPaletted(b, color.Palette{color.Black, color.White})
	draw.FloydSteinberg.Draw(scattered, b, grey, image.Point{})
	return scattered
}

// inMiddle is a picture in the middle of white paper.
func inMiddle(m image.Image, wide int) image.Image {
	to := image.NewGray(image.Rect(0, 0, wide, m.Bounds().Dy()))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src)
	left := max(0, wide-m.Bounds().Dx()) / 2
	draw.Draw(to, m.Bounds().Add(image.Pt(left, 0)), m, m.Bounds().Min, draw.Over)
	return to
}
