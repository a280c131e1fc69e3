package web

import (
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// animal is how one is drawn: a head, its ears and what makes it unlike others.
type animal struct {
	Head, Ears, Face string // colours "#rrggbb"; Face is around the mouth
	Shape            string // of the ears: round, pointy, long, floppy, horns, none
	Mouth            string // muzzle, beak, snout, trunk, wide
	More             string // mane, stripes, patches, spines, wool, belly; empty: nothing
}

// animals are drawn from a few shapes, so that each differs from all others in
// more than its colour.
var animals = map[string]animal{
	"bear":     {"#8a5a3a", "#6f452a", "#d9b48f", "round", "muzzle", ""},
	"cat":      {"#e8a04c", "#c67a2a", "#fbe3c4", "pointy", "muzzle", "whiskers"},
	"chick":    {"#f6d55c", "#f6d55c", "#e8873a", "none", "beak", ""},
	"cow":      {"#f7f3ec", "#3b3b3b", "#eeb7b0", "horns", "snout", "patches"},
	"deer":     {"#b9814f", "#96622f", "#f0d9bd", "horns", "muzzle", ""},
	"dog":      {"#d8b48a", "#7a4b2a", "#f7e6d0", "floppy", "muzzle", ""},
	"elephant": {"#9aa7b5", "#7f8d9c", "#9aa7b5", "floppy", "trunk", ""},
	"fox":      {"#d9622b", "#b34a18", "#fdf2e4", "pointy", "muzzle", ""},
	"frog":     {"#6fae4a", "#6fae4a", "#cfe6b5", "eyes", "wide", ""},
	"hedgehog": {"#e9cfa8", "#6b4b33", "#f7e8cf", "none", "muzzle", "spines"},
	"koala":    {"#a3a9b1", "#8a919a", "#3a3f46", "round", "muzzle", "tufts"},
	"lion":     {"#e9b44c", "#a5641f", "#fbe8c3", "round", "muzzle", "mane"},
	"monkey":   {"#7a4e33", "#e9c9a4", "#e9c9a4", "round", "wide", "face"},
	"mouse":    {"#b8bcc4", "#f0b9bf", "#f4f1ee", "round", "muzzle", "whiskers"},
	"owl":      {"#8c6a4a", "#6f5236", "#e8a33a", "pointy", "beak", "eyes"},
	"panda":    {"#fbfaf7", "#26292c", "#fbfaf7", "round", "muzzle", "patches"},
	"parrot":   {"#3c9a5f", "#3c9a5f", "#e0b13a", "none", "beak", "crest"},
	"penguin":  {"#2b3440", "#2b3440", "#e8973a", "none", "beak", "face"},
	"pig":      {"#f2a9b2", "#dd8592", "#e27f8d", "pointy", "snout", ""},
	"rabbit":   {"#efe6da", "#e7b7b9", "#fffaf3", "long", "muzzle", ""},
	"sheep":    {"#4b4540", "#4b4540", "#6a625b", "floppy", "muzzle", "wool"},
	"tiger":    {"#ee8f35", "#c96d17", "#fff1de", "round", "muzzle", "stripes"},
	"wolf":     {"#77818c", "#59626c", "#e8ecef", "pointy", "muzzle", "tufts"},
	"zebra":    {"#f8f8f5", "#2c2c2c", "#4a4a4a", "long", "muzzle", "stripes"},
}

// Animals lists the pictures there are.
func Animals() []string {
	var names []string
	for n := range animals {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Pictures tells whether there are pictures in place of text.
func (v view) Pictures() bool { return v.Manner.Kind == PreReader }

// Drawn tells whether this very view is: the others have few words already.
func (v view) Drawn() bool {
	return v.Pictures() && slices.Contains([]string{"welcome", "held", "items", "receipt"}, v.Show())
}

// First is the one thing to look at: what must be put back, or the newest.
func (v view) First() *line {
	if ls := v.Newest(); len(ls) > 0 {
		return &ls[0]
	}
	return nil
}

// Sign names the big picture beside a book: what became of it, or what to do.
func (l line) Sign() string {
	switch {
	case l.Urgent():
		return "back"
	case l.State == kiosk.LineWaiting, l.Waits():
		return "wait"
	case l.Offers():
		return "again"
	case l.State == kiosk.LineRefused, l.State == kiosk.LineAction, l.Alert:
		return "staff"
	}
	return "good"
}
