package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// Find is the catalogue on the touch screen.
type Find struct {
	Off bool `toml:"off"` // it can't be searched there

	// PlanFile is a picture of the library, SVG, PNG, JPEG or WebP; PlacesFile a
	// CSV file that says where on it things stand.
	PlanFile   string `toml:"plan_file"`
	PlacesFile string `toml:"places_file"`

	Plan *Plan `toml:"-"` // nil: there is none
}

// Bounds on a plan.
const (
	maxPlan   = 8 << 20 // bytes of the picture
	maxPlaces = 5000
)

// Plan knows where things stand, by shelf and call number. It is a web.Plan.
type Plan struct {
	order   *shelf.Order
	picture []byte
	kind    string
	places  []place
}

var _ web.Plan = (*Plan)(nil)

// place is one shelf: a location, and the call numbers on it.
type place struct {
	location string // folded; empty: any
	bounds   shelf.Bounds
	spot     web.Spot
}

// Picture implements web.Plan.
func (p *Plan) Picture() ([]byte, string) { return p.picture, p.kind }

// Spot implements web.Plan: the first place that fits.
func (p *Plan) Spot(i kiosk.Item) (web.Spot, bool) {
	key, _ := p.order.Key(i.Scheme, i.CallNumber) // a misfit stands behind all
	for _, at := range p.places {
		if (at.location == "" || at.location == lower(i.Location)) && at.bounds.Has(key) {
			return at.spot, true
		}
	}
	return web.Spot{}, false
}

func lower(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// plan reads the picture and the places.
func (f *Find) plan(p *Problems, order *shelf.Order) {
	switch {
	case f.PlanFile == "" && f.PlacesFile == "":
		return
	case f.PlanFile == "":
		p.add("find.plan_file", nil, "must be set: the picture on which find.places_file says where things stand")
		return
	case f.PlacesFile == "":
		p.add("find.places_file", nil, "must be set: where on find.plan_file things stand")
		return
	}
	f.PlanFile, f.PlacesFile = p.beside(f.PlanFile), p.beside(f.PlacesFile)
	plan := &Plan{order: order}
	var err error
	if plan.picture, plan.kind, err = readPicture(f.PlanFile); err != nil {
		p.add("find.plan_file", f.PlanFile, "%v", err)
	}
	file, err := os.Open(f.PlacesFile)
	if err != nil {
		p.add("find.places_file", f.PlacesFile, "%v", err)
		return
	}
	defer file.Close()
	if plan.places, err = readPlaces(file, order); err != nil {
		p.add("find.places_file", f.PlacesFile, "%v", err)
		return
	}
	f.Plan = plan
}

// beside is a path as seen from the configuration's file.
func (p *Problems) beside(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(p.File), path)
}

// readPicture reads a picture, and tells what it is by what it begins with.
func readPicture(path string) (b []byte, kind string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer file.Close()
	if b, err = io.ReadAll(io.LimitReader(file, maxPlan+1)); err != nil {
		return nil, "", err
	}
	if len(b) > maxPlan {
		return nil, "", fmt.Errorf("has more than %d MB", maxPlan>>20)
	}
	kind = http.DetectContentType(b)
	if (strings.HasPrefix(kind, "text/") || strings.Contains(kind, "xml")) && bytes.Contains(b[:min(len(b), 4096)], []byte("<svg")) {
		kind = "image/svg+xml"
	}
	if !slices.Contains([]string{"image/svg+xml", "image/png", "image/jpeg", "image/webp"}, kind) {
		return nil, "", errors.New("must be an SVG, PNG, JPEG or WebP picture")
	}
	return b, kind, nil
}

// readPlaces reads a table of places: location, first and last call number with
// their scheme, and the place in percent from the left and the top. Its first
// row names the columns. The error names every row that is wrong.
func readPlaces(r io.Reader, order *shelf.Order) (list []place, err error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace, in.FieldsPerRecord, in.Comment = true, -1, '#'
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("its first row must name the columns: %w", err)
	}
	at := map[string]int{}
	for n, name := range head {
		at[lower(strings.TrimPrefix(name, "\ufeff"))] = n
	}
	for _, need := range []string{"x", "y"} {
		if _, ok := at[need]; !ok {
			return nil, fmt.Errorf("has no column %q; it must have x and y, and may have location, from, to, scheme", need)
		}
	}
	var wrong []error
	for n := 2; ; n++ {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil || len(list) >= maxPlaces {
			return nil, errors.Join(append(wrong, err, bounded(len(list)))...)
		}
		get := func(name string) string {
			if i, ok := at[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		one, err := placeOf(get, order)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("row %d: %w", n, err))
			continue
		}
		list = append(list, one)
	}
	if len(list) == 0 && len(wrong) == 0 {
		wrong = append(wrong, errors.New("no place in it"))
	}
	return list, errors.Join(wrong...)
}

func bounded(n int) error {
	if n >= maxPlaces {
		return fmt.Errorf("has more than %d rows", maxPlaces)
	}
	return nil
}

func placeOf(get func(string) string, order *shelf.Order) (p place, err error) {
	p.location = lower(get("location"))
	if p.bounds, err = order.Bounds(kiosk.ShelfRange{Scheme: get("scheme"), From: get("from"), To: get("to")}); err != nil {
		return p, err
	}
	for name, to := range map[string]*float64{"x": &p.spot.X, "y": &p.spot.Y} {
		if *to, err = strconv.ParseFloat(get(name), 64); err != nil || !(*to >= 0 && *to <= 100) {
			return p, fmt.Errorf("%s: %q: must be 0 to 100, percent of the picture", name, get(name))
		}
	}
	return p, nil
}
