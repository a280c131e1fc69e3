package all_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/all"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// TestDrivers: every driver can be found, says what it is for, and works as it
// comes; no option of its own hides one of its connection.
func TestDrivers(t *testing.T) {
	var names []string
	connection := keys(drivers.OptionsOf(&link.Config{}))
	for _, d := range all.Drivers() {
		names = append(names, d.Name)
		if found, ok := all.ByName(d.Name); !ok || found.Name != d.Name {
			t.Errorf("ByName(%q) = %q, %v", d.Name, found.Name, ok)
		}
		if len(d.Doc) < 20 || d.Needs == "" {
			t.Errorf("%s: doc %q, needs %q", d.Name, d.Doc, d.Needs)
		}
		if err := d.Check(d.NewConfig()); err != nil {
			t.Errorf("%s: its defaults are wrong: %v", d.Name, err)
		}
		for _, o := range d.Options() {
			if !regexp.MustCompile(`^[a-z][a-z_]*$`).MatchString(o.Key) || o.Help == "" || o.Type == "" {
				t.Errorf("%s: option %+v", d.Name, o)
			}
			if slices.Contains(append(connection, "name", "driver"), o.Key) {
				t.Errorf("%s: option %q is one of every device entry", d.Name, o.Key)
			}
		}
		if own := keys(d.Options()); len(own) != len(slices.Compact(slices.Sorted(slices.Values(own)))) {
			t.Errorf("%s: an option is there twice: %v", d.Name, own)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("the drivers are %s; want them sorted, each once", strings.Join(names, ", "))
	}
	for want, pad := range map[string]bool{"hidscan": false, "serialscan": false, "sim": false, "twn4": false, "simpad": true, "feig": true, "pn5180": true, "chafonuhf": false, "thingmagic": false} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not in the list", want)
		}
		if d, _ := all.ByName(want); d.IsPad() != pad {
			t.Errorf("%s: IsPad() = %v; want %v", want, d.IsPad(), pad)
		}
	}
	for _, d := range all.Drivers() {
		if want := d.Name == "escpos"; d.IsPrinter() != want {
			t.Errorf("%s: IsPrinter() = %v; want %v", d.Name, d.IsPrinter(), want)
		}
	}
	if _, ok := all.ByName("nosuch"); ok {
		t.Error("ByName() finds a driver that there is not")
	}
}

func keys(options []drivers.Option) (list []string) {
	for _, o := range options {
		list = append(list, o.Key)
	}
	return list
}
