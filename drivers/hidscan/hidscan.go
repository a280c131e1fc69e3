// Package hidscan reads barcode scanners on USB in one of the two HID modes:
// as a keyboard ("keyboard wedge", what nearly all do when they are new) or as
// a HID POS scanner (usage page 8C), which is better: whole codes with their
// symbology, and nothing that could ever land in another program.
//
// # Keyboard
//
// Boot reports (HID 1.11, appendix B.1; keys from the HID Usage Tables 1.4,
// section 10), 8 bytes, or 9 with a report ID:
//
//	modifiers  0  six usages that are down
//
// A key counts when it is down and was not in the report before. The scanner
// presses the keys of the layout it is set to, so Config.Layout must say the
// same. Caps Lock is followed; ALT with keypad digits and Ctrl with a letter
// are understood. A code ends with Enter, keypad Enter or Tab. Bitmaps of all keys
// ("N-key rollover"), which no scanner that we know of sends unless it is set to,
// are not read; a device that sends only such things is a fault that says so.
//
// # HID POS
//
// Input reports of 64 bytes with ID 2. Makers disagree where things are:
//
//	form       length  AIM identifier  data  symbology  goes on
//	honeywell  1       2-4             5-60  61         63, bit 0
//	zebra      1       3-5             6-60             63, bit 0
//	plain      1                       2-57  62         63, bit 0
//	microscan  1                       2-63                       (ID 1)
//
// Sources: HID Point of Sale Usage Tables 1.02, section 5; Access-IS LSR118
// manual (the first form), captures of a Honeywell Voyager 1602g, the manuals
// of Quio QU-R-302 (plain) and Microscan; Zebra's form as other programs read
// it. Honeywell's answers to commands come as codes with the identifiers ]X0
// and ]Z6 and are left out.
//
// # A real keyboard
//
// To hold a scanner that types is to take a keyboard away from the console
// and the browser. Package link does that only for a vendor and product that
// the configuration names, in mode "keyboard", and of a maker of scanners;
// see link.Take.
package hidscan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// Config is what a device entry says of a HID scanner.
type Config struct {
	Mode    string           `toml:"mode" default:"pos" help:"pos, or keyboard: as the scanner is set"`
	Force   bool             `toml:"force" help:"take a keyboard whose maker is not known for scanners; it types nowhere else then"`
	Layout  string           `toml:"layout" default:"us" help:"keyboard: us, uk, de, fr, as the scanner is set"`
	Prefix  string           `toml:"prefix" help:"keyboard: characters before each code that are not part of it"`
	Unended string           `toml:"unended" default:"drop" help:"keyboard: what becomes of a code without Enter or Tab: drop, or deliver"`
	Idle    drivers.Duration `toml:"idle" default:"100ms" help:"keyboard: silence after which unended delivers, at most 500ms"`
	Slow    drivers.Duration `toml:"slow" default:"35ms" help:"keyboard: mean time a report from which a person types, who is not heard; 0s hears people"`
	Form    string           `toml:"form" default:"auto" help:"pos: auto, honeywell, zebra, plain, microscan"`
	Enable  string           `toml:"enable" default:"auto" help:"pos: wake the scanner with feature report FE: on, off, auto (Honeywell, Youjie)"`
}

// Check tells what is wrong.
func (c Config) Check() error {
	var bad []error
	for _, o := range []struct {
		key, value string
		choices    []string
	}{
		{"mode", c.Mode, []string{"pos", "keyboard"}},
		{"layout", c.Layout, layoutNames()},
		{"unended", c.Unended, []string{"drop", "deliver"}},
		{"form", c.Form, []string{"auto", honeywell.name, zebra.name, plain.name, microscan.name}},
		{"enable", c.Enable, []string{"auto", "on", "off"}},
	} {
		if !slices.Contains(o.choices, o.value) {
			bad = append(bad, fmt.Errorf("%s: %q: must be one of %s", o.key, o.value, strings.Join(o.choices, ", ")))
		}
	}
	if idle := time.Duration(c.Idle); idle <= 0 || idle > unended {
		bad = append(bad, fmt.Errorf("idle: %v: must be more than 0 and at most %v", idle, unended))
	}
	return errors.Join(bad...)
}

var _ link.Taker = (*Config)(nil)

// Take says what kind of interface link may open for this configuration.
func (c Config) Take() link.Take {
	return link.Take{Keyboard: c.Mode == "keyboard", Force: c.Force}
}

// Driver is hidscan in the list of drivers.
var Driver = drivers.DefineReports("hidscan",
	"USB barcode scanners in HID mode: HID POS (usage page 8C), or as a keyboard with the layouts us, uk, de, fr; "+
		"held alone, so that no key reaches the screen. Needs the build with cgo.", Open)
