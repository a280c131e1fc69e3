package typeset

import (
	"image"
	"image/draw"
)

// Rule is a line across paper, with some air above and below.
func Rule(width int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, width, 14))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(0, 6, width, 8), image.Black, image.Point{}, draw.Src)
	return img
}

// Below puts pictures under each other.
func Below(parts ...image.Image) *image.Gray {
	wide, high := 0, 0
	for _, p := range parts {
		wide, high = max(wide, p.Bounds().Dx()), high+p.Bounds().Dy()
	}
	img := image.NewGray(image.Rect(0, 0, wide, high))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	y := 0
	for _, p := range parts {
		b := p.Bounds()
		draw.Draw(img, image.Rect(0, y, b.Dx(), y+b.Dy()), p, b.Min, draw.Src)
		y += b.Dy()
	}
	return img
}
