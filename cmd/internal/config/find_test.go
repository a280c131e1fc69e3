package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func planned(t *testing.T, picture, places string) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"plan.svg": picture, "places.csv": places} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Parse(filepath.Join(dir, "kiosk.toml"), []byte("[kiosk]\nname = \"a\"\ndata = \"/d\"\n[find]\nplan_file = \"plan.svg\"\nplaces_file = \"places.csv\"\n"))
}

const drawn = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`

func TestPlan(t *testing.T) {
	c, err := planned(t, drawn, "\ufeffLocation,From,To,Scheme,X,Y\nStacks,000,499,ddc,10,20\nstacks,500,599,ddc,30,20\nFiction,,,,50,60.5\n,REF,REF 999,,90,90\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, kind := c.Find.Plan.Picture(); kind != "image/svg+xml" {
		t.Errorf("the picture is %s", kind)
	}
	for _, x := range []struct {
		call, location string
		at             float64 // from the left; -1: nowhere
	}{{"398.2 GRI", "Stacks", 10}, {"599.7 FOX", " STACKS ", 30}, {"612 BOD", "Stacks", -1}, {"FIC ROW", "Fiction", 50}, {"", "", -1}} {
		s, ok := c.Find.Plan.Spot(kiosk.Item{CallNumber: x.call, Location: x.location, Scheme: "ddc"})
		if ok != (x.at >= 0) || ok && s.X != x.at {
			t.Errorf("%s in %q stands at %v, %v; want %v", x.call, x.location, s, ok, x.at)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	for name, x := range map[string]struct{ picture, places, why string }{
		"page":      {"<html><script>alert(1)</script></html>", "x,y\n1,1\n", "find.plan_file"},
		"nothing":   {"", "x,y\n1,1\n", "find.plan_file"},
		"columns":   {drawn, "a,b\n1,1\n", `no column "x"`},
		"outside":   {drawn, "x,y\n1,101\nNaN,1\n", "row 2: y"},
		"each row":  {drawn, "x,y\n1,101\nNaN,1\n", "row 3: x"},
		"reversed":  {drawn, "x,y,from,to,scheme\n1,1,599,500,ddc\n", "reversed"},
		"no places": {drawn, "x,y\n", "no place in it"},
	} {
		if _, err := planned(t, x.picture, x.places); err == nil || !strings.Contains(err.Error(), x.why) {
			t.Errorf("%s: %v; want it to tell of %s", name, err, x.why)
		}
	}
	if _, err := Parse("/nowhere/kiosk.toml", []byte("[kiosk]\nname = \"a\"\ndata = \"/d\"\n[find]\nplan_file = \"plan.svg\"\n")); err == nil || !strings.Contains(err.Error(), "find.places_file") {
		t.Errorf("a plan without places: %v", err)
	}
}
