package config

import (
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

func TestShelf(t *testing.T) {
	c, err := Parse("f", []byte(good+`
[barcodes]
item = ["3[0-9]{13}"]
check = "mod10"
[shelf]
order = ["genre", "ddc"]
labels = ["R([0-9]+)S([0-9]+)", "END"]
[shelf.schemes.genre]
prefixes = ["ADV", "MYS"]
parts = ["text"]
[shelf.weed]
unlent_years = 5
years_old = 15
`))
	if err != nil {
		t.Fatal(err)
	}
	one, err1 := c.Shelf.Rules.Key("genre", "MYS CHR")
	two, err2 := c.Shelf.Rules.Key("ddc", "001 A")
	if err1 != nil || err2 != nil || one >= two || c.Shelf.Weed.Weeding().Unlent != 5*365*24*time.Hour || c.Shelf.Weed.Weeding().Years != 15 {
		t.Errorf("Key() = %q, %v; %q, %v; weeding %+v", one, err1, two, err2, c.Shelf.Weed.Weeding())
	}
	for _, tt := range []struct {
		text string
		want inventory.Code
	}{
		{"R12S3", inventory.Code{Shelf: "12 3"}}, {"END", inventory.Code{Shelf: "END"}},
		{" 30417000010157 ", inventory.Code{Item: "30417000010157"}},
		{"30417000010158", inventory.Code{Why: "its check digit is wrong: scan it again"}},
		{"21234000000018", inventory.Code{Why: "it is a patron's card"}},
		{"9780306406157", inventory.Code{Why: "it is the book trade's code: scan the library's own label"}},
		{"", inventory.Code{Why: "it is no item number of this library"}}, {strings.Repeat("3", 3000), inventory.Code{Why: "it is no item number of this library"}},
	} {
		if got := c.ShelfCode(tt.text); got != tt.want {
			t.Errorf("ShelfCode(%.20q) = %+v; want %+v", tt.text, got, tt.want)
		}
	}
	same, err := Parse("f", []byte(good+"[barcodes]\npatron = [\"[0-9]{5}\"]\nitem = [\"[0-9]{5}\"]"))
	if want := (inventory.Code{Item: "12345", Card: true}); err != nil || same.ShelfCode("12345") != want {
		t.Errorf("a number that might be a card's, on a shelf: %v; want %+v", err, want)
	}
	if c, err = Parse("f", []byte(good)); err != nil || c.ShelfCode("shelf 12 A").Shelf != "12 A" || c.ShelfCode("SHELF-7").Shelf != "7" {
		t.Errorf("a shelf's label by default: %+v, %v", c.ShelfCode("shelf 12 A"), err)
	}
}

func TestShelfProblems(t *testing.T) {
	_, err := Parse("f", []byte(good+`
[shelf]
order = ["ddc", "nosuch"]
unnamed = "nosuch"
labels = ["(", ".*"]
[shelf.prefixes]
ddc = ["E", "E"]
[shelf.schemes.own]
parts = ["colour"]
[shelf.weed]
copies = -1
`))
	for _, want := range []string{`f: shelf.order: there is no scheme "nosuch"`, `f: shelf.unnamed: there is no scheme`, `f: shelf.labels: "(": is no pattern`,
		`f: shelf.labels: ".*"`, `f: shelf.prefixes of ddc: "E" is there twice`, `"colour" is no kind of part`, "f: shelf.weed: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the problems do not name %s:\n%v", want, err)
		}
	}
}
