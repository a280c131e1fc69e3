package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/all"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

type devicesCmd struct{}

// plugged is a device that is there, whether configured or not.
type plugged struct {
	Kind    string `json:"kind"` // serial, printer, hid
	Path    string `json:"path"`
	USB     string `json:"usb,omitempty"` // vid:pid
	Serial  string `json:"serial,omitempty"`
	Product string `json:"product,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func (devicesCmd) Run(p *printer) error {
	found, err := here()
	if err != nil {
		return err
	}
	p.head("KIND", "PATH", "USB", "SERIAL", "PRODUCT", "")
	for _, d := range found {
		if err := p.row(d, d.Kind, d.Path, d.USB, d.Serial, d.Product, d.Hint); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		p.say("no serial port, no printer and no HID device is plugged in")
	}
	if !link.HIDSupported() {
		p.say("HID devices are not listed: this build is without cgo")
	}
	p.flush()
	return nil
}

func here() ([]plugged, error) {
	var list []plugged
	ports, err := link.Ports()
	if err != nil {
		return nil, err
	}
	for _, x := range ports {
		d := plugged{Kind: "serial", Path: x.Path, Serial: x.Serial, Product: x.Product}
		if x.VID != "" {
			d.USB = x.VID + ":" + x.PID
		}
		list = append(list, d)
	}
	for _, path := range link.Printers() {
		list = append(list, plugged{Kind: "printer", Path: path, Hint: "a receipt printer: driver escpos"})
	}
	devices, err := link.HIDDevices()
	if err != nil {
		return nil, err
	}
	for _, x := range devices {
		d := plugged{Kind: "hid", Path: fmt.Sprintf("interface %d", x.Interface), USB: fmt.Sprintf("%04x:%04x", x.VID, x.PID),
			Serial: x.Serial, Product: x.Product}
		switch x.UsagePage {
		case 0x8c:
			d.Hint = "a barcode scanner: driver hidscan, mode pos"
		case 0x01:
			d.Hint = "types like a keyboard: a scanner, or a real keyboard"
		}
		list = append(list, d)
	}
	return list, nil
}

type driversCmd struct {
	Name string `arg:"" optional:"" help:"This one alone; all if not given."`
}

func (c *driversCmd) Run(p *printer) error {
	list := all.Drivers()
	if c.Name != "" {
		d, ok := all.ByName(c.Name)
		if !ok {
			return cli.Wrong(noDriver(c.Name, list))
		}
		list = []drivers.Driver{d}
	}
	type driver struct {
		Name    string           `json:"driver"`
		Doc     string           `json:"doc"`
		Needs   string           `json:"needs"`
		Built   bool             `json:"built"`
		Options []drivers.Option `json:"options"`
	}
	for _, d := range list {
		v := driver{d.Name, d.Doc, string(d.Needs), d.Needs != drivers.NeedsReports || link.HIDSupported(), append(link.Options(d), d.Options()...)}
		if *p.json {
			if err := p.row(v); err != nil {
				return err
			}
			continue
		}
		p.say("%s", d.Name)
		p.say("    %s", d.Doc)
		if !v.Built {
			p.say("    NOT IN THIS BUILD: it needs cgo; install the package for arm64, armhf or amd64")
		}
		for _, o := range v.Options {
			def := "-"
			if o.Default != "" {
				def = o.Default
			}
			p.row(nil, "    "+o.Key, o.Type, def, o.Help)
		}
		p.flush()
		p.say("")
	}
	return nil
}

// noDriver says which drivers there are, and which may be meant: by their
// names, or else by the devices that they are for.
func noDriver(name string, list []drivers.Driver) error {
	word := strings.ToLower(name)
	var known, named, made []string
	for _, d := range list {
		known = append(known, d.Name)
		if strings.Contains(d.Name, word) || strings.Contains(word, d.Name) {
			named = append(named, d.Name)
		} else if strings.Contains(strings.ToLower(d.Doc), word) {
			made = append(made, d.Name)
		}
	}
	near := ""
	if len(named) > 0 {
		near = "; perhaps " + strings.Join(named, " or ")
	} else if len(made) > 0 {
		near = "; perhaps " + strings.Join(made, " or ")
	}
	return fmt.Errorf("there is no driver %q%s: known are %s", name, near, strings.Join(known, ", "))
}

type doctorCmd struct {
	All      doctorAll      `cmd:"" default:"1" hidden:"" help:"All of it."`
	Upstream doctorUpstream `cmd:"" help:"What the library's SIP2 server does, as it is known or, with -probe, as it is found out."`
}

type doctorAll struct{}

// finding is one thing that was looked at.
type finding struct {
	What string `json:"check"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
	Mend string `json:"mend,omitempty"`
}

// show writes it.
func (f finding) show(p *printer) {
	mark := "ok  "
	if !f.OK {
		mark = "BAD "
	}
	if *p.json {
		p.row(f) //nolint:errcheck // the output is gone
		return
	}
	p.say("%s %s: %s", mark, f.What, f.Says)
	if f.Mend != "" {
		p.say("       %s", f.Mend)
	}
}

func (doctorAll) Run(g *grammar, p *printer) error {
	bad := 0
	see := func(f finding) {
		if !f.OK {
			bad++
		}
		f.show(p)
	}
	conf, err := g.load()
	if err == nil {
		err = conf.Draw()
	}
	if err != nil {
		see(finding{"configuration", false, err.Error(), "correct the file; deploy/example/kiosk.toml shows every key"})
		return errNeeds
	}
	see(finding{What: "configuration", OK: true, Says: g.Config})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, f := range examine(ctx, conf, running(conf)) {
		see(f)
	}
	if bad > 0 {
		return fmt.Errorf("%w: %s", errNeeds, cli.Count(bad, "check above is bad", "checks above are bad"))
	}
	return nil
}
