package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/demo"
	"github.com/carrel-kiosk/carrel/drivers/chafonuhf/chafonuhfsim"
	"github.com/carrel-kiosk/carrel/drivers/escpos/escpossim"
	"github.com/carrel-kiosk/carrel/drivers/feig/feigsim"
	"github.com/carrel-kiosk/carrel/drivers/rfid3m/rfid3msim"
	"github.com/carrel-kiosk/carrel/drivers/rl866/rl866sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/drivers/thingmagic/thingmagicsim"
	"github.com/carrel-kiosk/carrel/kiosk"
)

type devicesCmd struct {
	Link    string `help:"A name to give to the scanner's port as well." placeholder:"PATH"`
	Suffix  string `help:"What the scanner sends after a code: cr, lf, crlf, tab, none." enum:"cr,lf,crlf,tab,none" default:"cr"`
	Pad     string `help:"The pad's family: feig, rfid3m, rl866; none for no pad." enum:"feig,rfid3m,rl866,none" default:"feig"`
	PadLink string `help:"A name to give to the pad's port as well." placeholder:"PATH"`
	EAS     bool   `name:"eas" help:"The books' EAS is armed too, as for a kiosk with eas = true under [tags]."`
	Wand    string `help:"A UHF wand's family: thingmagic, chafonuhf; none for no wand." enum:"thingmagic,chafonuhf,none" default:"none"`
	WandAt  string `name:"wand-link" help:"A name to give to the wand's port as well." placeholder:"PATH"`
	Printer bool   `help:"A receipt printer too; what it prints is shown here."`
	Roll    string `name:"printer-link" help:"A name to give to the printer's port as well." placeholder:"PATH"`
	Listen  string `help:"The pad over TCP instead, as 127.0.0.1:10001; feig alone." placeholder:"ADDR"`
}

const devicesHelp = `A line you type moves them:
  CODE    is scanned
  +CODE   a book with this number is put on the pad; -CODE is taken away
  near CODE  a book with this number comes into the wand's reach; away CODE goes out of it
  paper   puts a new roll into the printer; no-paper takes it out
  ?       lists what lies there, and whether the gate would ring
The end of the input ends them.
`

// Run serves both until the input ends.
func (c *devicesCmd) Run() error {
	scanner, err := port.Open(c.Link)
	if err != nil {
		return err
	}
	defer scanner.Close()
	ctx, stop := untilSignal()
	defer stop()
	d := &devices{field: field.New(1), scanner: scanner, out: os.Stdout, eas: c.EAS,
		end: map[string]string{"cr": "\r", "lf": "\n", "crlf": "\r\n", "tab": "\t", "none": ""}[c.Suffix]}
	fmt.Fprintf(d.out, "scanner %s\n", scanner.Path)
	if c.Pad != "none" {
		closePad, err := c.servePad(d)
		if err != nil {
			return err
		}
		defer closePad()
	}
	if c.Wand != "none" {
		closeWand, err := c.serveWand(d)
		if err != nil {
			return err
		}
		defer closeWand()
	}
	if c.Printer {
		closePrinter, err := c.servePrinter(d)
		if err != nil {
			return err
		}
		defer closePrinter()
	}
	fmt.Fprint(os.Stderr, devicesHelp)
	return d.read(ctx, os.Stdin)
}

// servePad opens the pad's end of a pty, or a port of TCP.
func (c *devicesCmd) servePad(d *devices) (closePad func() error, err error) {
	serve := map[string]func(io.ReadWriter) error{
		"feig":   func(rw io.ReadWriter) error { return feigsim.Serve(rw, d.field, feigsim.Options{}) },
		"rfid3m": func(rw io.ReadWriter) error { return rfid3msim.Serve(rw, d.field, rfid3msim.Options{}) },
		"rl866":  func(rw io.ReadWriter) error { return rl866sim.Serve(rw, d.field, rl866sim.Options{}) },
	}[c.Pad]
	if c.Listen != "" {
		if c.Pad != "feig" {
			return nil, fmt.Errorf("-listen: of these pads only feig is on the network")
		}
		ln, err := net.Listen("tcp", c.Listen)
		if err != nil {
			return nil, err
		}
		go func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				serve(conn) //nolint:errcheck // it ends with the connection
				conn.Close()
			}
		}()
		fmt.Fprintf(d.out, "pad tcp://%s\n", ln.Addr())
		return ln.Close, nil
	}
	p, err := port.Open(c.PadLink)
	if err != nil {
		return nil, err
	}
	go serve(p) //nolint:errcheck // it ends with the port
	fmt.Fprintf(d.out, "pad %s\n", p.Path)
	return p.Close, nil
}

// serveWand opens the wand's end of a pty. Its air takes its time.
func (c *devicesCmd) serveWand(d *devices) (closeWand func() error, err error) {
	p, err := port.Open(c.WandAt)
	if err != nil {
		return nil, err
	}
	d.air = uhf.New(1)
	d.air.Wait = time.Sleep
	serve := func() error { return thingmagicsim.Serve(p, d.air, thingmagicsim.Options{}) }
	if c.Wand == "chafonuhf" {
		serve = func() error { return chafonuhfsim.Serve(p, d.air, chafonuhfsim.Options{}) }
	}
	go serve() //nolint:errcheck // it ends with the port
	fmt.Fprintf(d.out, "wand %s\n", p.Path)
	return p.Close, nil
}

// servePrinter opens the printer's end of a pty, and shows each slip that is
// cut off.
func (c *devicesCmd) servePrinter(d *devices) (closePrinter func() error, err error) {
	p, err := port.Open(c.Roll)
	if err != nil {
		return nil, err
	}
	d.printer = escpossim.New(escpossim.Options{})
	d.printer.CutOff = func(s escpossim.Slip) { fmt.Fprintf(d.out, "printed\n%s\n", s) }
	go d.printer.Serve(p) //nolint:errcheck // it ends with the port
	fmt.Fprintf(d.out, "printer %s\n", p.Path)
	return p.Close, nil
}

// devices are a scanner and the field of a pad.
type devices struct {
	field   *field.Field
	scanner io.Writer
	printer *escpossim.Printer // nil: there is none
	end     string
	eas     bool
	out     io.Writer
	tags    map[string]*field.Tag // of every book that was ever laid down
	air     *uhf.Field            // before the wand; nil: there is none
	near    map[string]*uhf.Tag   // of every book that was ever near it
}

func (d *devices) read(ctx context.Context, in io.Reader) error {
	lines, failed := make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		sc := bufio.NewScanner(in)
		for sc.Scan() {
			lines <- sc.Text()
		}
		failed <- sc.Err()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case l, ok := <-lines:
			if !ok {
				return <-failed
			}
			if err := d.do(l); err != nil {
				return err
			}
		}
	}
}

// do is what one line says.
func (d *devices) do(line string) error {
	code := strings.TrimSpace(line)
	switch {
	case code == "":
	case (code == "paper" || code == "no-paper") && d.printer != nil:
		d.printer.Set(escpossim.State{NoPaper: code == "no-paper"})
	case d.air != nil && strings.HasPrefix(code, "near "):
		return d.bring(strings.TrimSpace(code[5:]))
	case d.air != nil && strings.HasPrefix(code, "away "):
		if t := d.near[strings.TrimSpace(code[5:])]; t == nil || !d.air.Remove(t) {
			fmt.Fprintf(os.Stderr, "%s is not in the wand's reach\n", code[5:])
		}
	case code == "?":
		d.list()
	case code[0] == '+' && len(code) > 1:
		t, err := d.tag(code[1:])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return nil
		}
		d.field.Place(t, field.Coupling{})
	case code[0] == '-' && len(code) > 1:
		t := d.tags[code[1:]]
		if t == nil || !d.field.Remove(t.UID) {
			fmt.Fprintf(os.Stderr, "%s does not lie on the pad\n", code[1:])
		}
	default:
		_, err := io.WriteString(d.scanner, line+d.end)
		return err
	}
	return nil
}

// bring brings a book with a UHF tag into the wand's reach.
func (d *devices) bring(code string) error {
	t := d.near[code]
	if t == nil {
		u, err := tagdata.EncodeUHF(tagdata.Contents{Item: code, Owner: demo.Owner}, tagdata.ISO4, false)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return nil
		}
		if d.near == nil {
			d.near = map[string]*uhf.Tag{}
		}
		t = uhf.NewTag(uint32(len(d.near)), u.PC, u.UII, 32)
		d.near[code] = t
	}
	d.air.Place(t, uhf.Coupling{Miss: 0.1})
	return nil
}

// tag is a book's; it keeps what was written to it.
func (d *devices) tag(code string) (*field.Tag, error) {
	if t := d.tags[code]; t != nil {
		return t, nil
	}
	list, err := demo.Tagged(kiosk.Item{Barcode: kiosk.Barcode(code)}, 1, len(d.tags)+1)
	if err != nil || len(list) != 1 {
		return nil, errors.Join(fmt.Errorf("%s can't be written on a tag", code), err)
	}
	if d.tags == nil {
		d.tags = map[string]*field.Tag{}
	}
	list[0].EAS = d.eas
	d.tags[code] = list[0]
	return list[0], nil
}

func (d *devices) list() {
	var codes []string
	for code := range d.tags {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	n := 0
	for _, code := range codes {
		t, ok := d.field.Tag(d.tags[code].UID)
		if !ok {
			continue
		}
		n++
		gate := "the gate stays silent"
		if demo.Alarms(t) {
			gate = "the gate rings"
		}
		fmt.Fprintf(d.out, "%s  AFI %02X  EAS %v  %s\n", code, t.AFI, t.EAS, gate)
	}
	fmt.Fprintf(d.out, "%d on the pad\n", n)
}
