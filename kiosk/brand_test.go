package kiosk

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestContrast holds ratios against those that WebAIM's checker gives.
func TestContrast(t *testing.T) {
	for _, tt := range []struct {
		a, b Colour
		want float64
	}{{"#000000", "#ffffff", 21}, {"#777777", "#ffffff", 4.48}, {"#0000ff", "#ffffff", 8.59}, {"#ff0000", "#ffffff", 4.0}, {"#123456", "#123456", 1}} {
		if got := Contrast(tt.a, tt.b); math.Abs(got-tt.want) > 0.01 || got != Contrast(tt.b, tt.a) {
			t.Errorf("Contrast(%s, %s) = %.2f; want %.2f", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestBrandValid(t *testing.T) {
	if err := (Brand{Name: "Maple Street", House: HouseOwn, Accent: AccentOwn}).Valid(); err != nil {
		t.Errorf("Carrel's own: %v", err)
	}
	for _, b := range []Brand{{Name: "a\nb"}, {House: "red"}, {House: "#12345"}, {House: "#12345g"}, {Accent: "#+12345"}, {House: "17594d0"}} {
		if w := (*WeakError)(nil); b.Valid() == nil || errors.As(b.Valid(), &w) {
			t.Errorf("%+v: %v", b, b.Valid())
		}
	}
}

// TestBetterDoes: whatever colour is refused, what is offered in its place is
// taken; and what is taken can be read where it is used.
func TestBetterDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 3000 {
		c := Colour(fmt.Sprintf("#%06x", r.IntN(1<<24)))
		if h, a := Contrast(c.HighHouse(), white), Contrast(c.HighAccent(), "#000000"); h < HighRatio || a < HighRatio {
			t.Fatalf("%s has %.2f as house colour and %.2f as accent with high contrast", c, h, a)
		}
		for _, b := range []Brand{{House: c}, {Accent: c}} {
			err := b.Valid()
			if w, ok := errors.AsType[*WeakError](err); ok {
				refused++
				if b.House != "" {
					b.House = w.Better
				} else {
					b.Accent = w.Better
				}
				if err := b.Valid(); err != nil {
					t.Fatalf("%s in place of %s: %v", w.Better, c, err)
				}
			} else if err != nil || b.House != "" && Contrast(white, c) < LeastRatio {
				t.Fatalf("%s: %v", c, err)
			}
		}
	}
	if refused < 1000 {
		t.Errorf("only %d colours were refused", refused)
	}
}
