package kiosk

import (
	"fmt"
	"math"
	"strconv"
)

// Brand is how a library wants its kiosk to look.
type Brand struct {
	Name   string // as patrons know the library; empty: as it is configured
	House  Colour // of what leads on: white text stands on it; empty: Carrel's
	Accent Colour // of what calls for a look: dark text stands on it; empty: Carrel's
	Logo   string // PNG in base64, in place of Carrel's mark; empty: Carrel's
}

// Colour is one as #17594d.
type Colour string

// The colours that a brand stands beside: see tokens.css, which a test compares.
const (
	white       Colour = "#ffffff"
	BrandPaper  Colour = "#f6f0e4"
	BrandCard   Colour = "#fffdf8"
	accentInk   Colour = "#2b1d00"
	HouseOwn    Colour = "#17594d"
	AccentOwn   Colour = "#f0b44c"
	LeastRatio         = 4.5 // of text to its ground (WCAG 2.2, 1.4.3)
	HighRatio          = 7   // with high contrast (1.4.6); its ground is white, text on an accent black
	mintShare          = 0.15
	softAccent         = 0.25
	deeperHouse        = 0.3
)

// WeakError says that a colour can't be told well enough from what stands on
// it or below it.
type WeakError struct {
	Colour Colour
	Ratio  float64 // the least that was found; LeastRatio is needed
	Better Colour  // the nearest that would do, lighter or darker
}

func (e *WeakError) Error() string {
	return fmt.Sprintf("%s: contrast %.1f, must be %.1f: %s would do", e.Colour, e.Ratio, LeastRatio, e.Better)
}

// Valid tells what is wrong with a brand: a *WeakError for colours that can't
// be read.
func (b Brand) Valid() error {
	if !Printable(b.Name, 0, MaxName) {
		return fmt.Errorf("name: has at most %d printable characters", MaxName)
	}
	for _, c := range []struct {
		name  string
		is    Colour
		ratio func(Colour) float64
		to    Colour
	}{{"house", b.House, houseRatio, "#000000"}, {"accent", b.Accent, accentRatio, white}} {
		if c.is == "" {
			continue
		}
		if _, _, _, ok := c.is.rgb(); !ok {
			return fmt.Errorf("%s: %q: must be a colour as #17594d", c.name, c.is)
		}
		if r := c.ratio(c.is); r < LeastRatio {
			return &WeakError{c.is, r, better(c.is, c.to, c.ratio, LeastRatio)}
		}
	}
	return nil
}

// houseRatio is the least contrast of the house colour where it is used: below
// white text, and as text on paper, card and its own tint.
func houseRatio(c Colour) float64 {
	return min(Contrast(c, white), Contrast(c, BrandPaper), Contrast(c, BrandCard), Contrast(c, c.Tint()))
}

func accentRatio(c Colour) float64 { return Contrast(c, accentInk) }

// better mixes a colour with another, as little as will do.
func better(c, to Colour, ratio func(Colour) float64, least float64) Colour {
	for n := range 100 {
		if m := c.Mix(to, float64(n)/100); ratio(m) >= least {
			return m
		}
	}
	return to
}

// HighHouse is a house colour for the high contrast: as little darker as will do.
func (c Colour) HighHouse() Colour {
	return better(c, "#000000", func(c Colour) float64 { return Contrast(c, white) }, HighRatio)
}

// HighAccent is an accent for it, as little lighter as will do.
func (c Colour) HighAccent() Colour {
	return better(c, white, func(c Colour) float64 { return Contrast(c, "#000000") }, HighRatio)
}

// Tint is the ground for text in the house colour, Deep its darker kin, Soft
// the ground of what has an accent.
func (c Colour) Tint() Colour { return white.Mix(c, mintShare) }

// Deep: see Tint.
func (c Colour) Deep() Colour { return c.Mix("#000000", deeperHouse) }

// Soft: see Tint.
func (c Colour) Soft() Colour { return white.Mix(c, softAccent) }

// rgb are the parts of a colour, 0 to 255.
func (c Colour) rgb() (r, g, b float64, ok bool) {
	if len(c) != 7 || c[0] != '#' {
		return 0, 0, 0, false
	}
	n, err := strconv.ParseUint(string(c[1:]), 16, 32)
	return float64(n >> 16), float64(n >> 8 & 0xff), float64(n & 0xff), err == nil
}

// Mix mixes so much of another colour into one, from 0 to 1.
func (c Colour) Mix(o Colour, share float64) Colour {
	r, g, b, _ := c.rgb()
	s, h, d, _ := o.rgb()
	mix := func(x, y float64) int { return int(math.Round(x + (y-x)*share)) }
	return Colour(fmt.Sprintf("#%02x%02x%02x", mix(r, s), mix(g, h), mix(b, d)))
}

// Contrast is the ratio of two colours by WCAG 2.2: 1 to 21.
func Contrast(a, b Colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func (c Colour) luminance() float64 {
	r, g, b, _ := c.rgb()
	linear := func(v float64) float64 {
		if v /= 255; v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
