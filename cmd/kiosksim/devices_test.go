package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/chafonuhf"
	"github.com/carrel-kiosk/carrel/drivers/escpos"
	"github.com/carrel-kiosk/carrel/drivers/feig"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/rfid3m"
	"github.com/carrel-kiosk/carrel/drivers/rl866"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/thingmagic"
)

// TestDevices: each pad is one that its driver opens; books come and go.
func TestDevices(t *testing.T) {
	for _, c := range []struct {
		cmd  devicesCmd
		open func(drivers.Link) (drivers.Pad, error)
	}{
		{devicesCmd{Pad: "feig"}, func(l drivers.Link) (drivers.Pad, error) { return feig.Open(l, feig.Config{}) }},
		{devicesCmd{Pad: "feig", Listen: "127.0.0.1:0"}, func(l drivers.Link) (drivers.Pad, error) { return feig.Open(l, feig.Config{}) }},
		{devicesCmd{Pad: "rl866"}, func(l drivers.Link) (drivers.Pad, error) { return rl866.Open(l, rl866.Config{}) }},
		{devicesCmd{Pad: "rfid3m"}, func(l drivers.Link) (drivers.Pad, error) { return rfid3m.Open(l, rfid3m.Config{}) }},
	} {
		var out, scanned bytes.Buffer
		d := &devices{field: field.New(1), scanner: &scanned, end: "\r", out: &out}
		closePad, err := c.cmd.servePad(d)
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimSpace(strings.TrimPrefix(out.String(), "pad "))
		baud, parity := 38400, "even"
		if c.cmd.Pad == "rfid3m" {
			baud, parity = 19200, "none"
		}
		l, err := link.Open(t.Context(), link.Config{Path: path, Baud: baud, DataBits: 8, Parity: parity})
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.open(l)
		if err != nil {
			t.Fatalf("%+v: %v", c.cmd, err)
		}
		for line, want := range map[string]int{"+30417000010017": 1} {
			if err := d.do(line); err != nil {
				t.Fatal(err)
			}
			if tags, err := p.Inventory(); err != nil || len(tags) != want {
				t.Errorf("%+v: Inventory() = %v, %v", c.cmd, tags, err)
			}
		}
		if err := errors.Join(d.do("31234"), d.do("?"), d.do("-30417000010017"), d.do("-nothing")); err != nil {
			t.Fatal(err)
		}
		if tags, err := p.Inventory(); err != nil || len(tags) != 0 {
			t.Errorf("%+v: Inventory() without books = %v, %v", c.cmd, tags, err)
		}
		if scanned.String() != "31234\r" || !strings.Contains(out.String(), "30417000010017  AFI 07  EAS false  the gate rings\n1 on the pad") {
			t.Errorf("scanned %q, said %q", scanned.String(), out.String())
		}
		p.(io.Closer).Close()
		closePad()
	}
}

// TestDevicesWand: each wand is one that its driver opens; books come near and
// go away.
func TestDevicesWand(t *testing.T) {
	for family, driver := range map[string]drivers.Driver{"thingmagic": thingmagic.Driver, "chafonuhf": chafonuhf.Driver} {
		var out bytes.Buffer
		d := &devices{out: &out}
		closeWand, err := (&devicesCmd{Wand: family}).serveWand(d)
		if err != nil {
			t.Fatal(err)
		}
		defer closeWand()
		c := link.Defaults(driver)
		c.Path = strings.TrimSpace(strings.TrimPrefix(out.String(), "wand "))
		l, err := link.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		dev, err := driver.Open(l, driver.NewConfig())
		if err != nil {
			t.Fatal(err)
		}
		w := dev.(drivers.Wand)
		defer w.Close()
		if err := errors.Join(d.do("near 30417000010017"), d.do("away nothing"), d.do("near small letters")); err != nil {
			t.Fatal(err)
		}
		for n, want := range []int{1, 0} {
			heard := -1
			for i := 0; i < 30 && heard != want; i++ {
				list, err := w.Hear()
				if err != nil {
					t.Fatal(err)
				}
				heard = len(list)
			}
			if heard != want {
				t.Errorf("%s: step %d: %d tags are heard; want %d", family, n, heard, want)
			}
			d.do("away 30417000010017")
		}
	}
}

// TestDevicesPrint: the printer on its port prints for the driver, runs out of
// paper, and gets a new roll.
func TestDevicesPrint(t *testing.T) {
	var out lockedBuffer
	d := &devices{out: &out}
	closePrinter, err := new(devicesCmd).servePrinter(d)
	if err != nil {
		t.Fatal(err)
	}
	defer closePrinter()
	l, err := link.Open(t.Context(), link.Config{Path: strings.TrimSpace(strings.TrimPrefix(out.String(), "printer ")), Baud: 9600, DataBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	p, err := escpos.Open(l, *escpos.Driver.NewConfig().(*escpos.Config))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	slip := drivers.Slip{Lines: []drivers.SlipLine{{Text: "Dune"}}}
	d.do("no-paper")
	if err := p.Print(t.Context(), slip); !errors.Is(err, drivers.ErrNoPaper) {
		t.Errorf("without paper: %v", err)
	}
	d.do("paper")
	if err := p.Print(t.Context(), slip); err != nil || !strings.Contains(out.String(), "printed\nDune\n") {
		t.Errorf("with paper: %v, said %q", err, out.String())
	}
}

// lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestEndOfInput ends the devices.
func TestEndOfInput(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var scanned bytes.Buffer
	d := &devices{field: field.New(1), scanner: &scanned, end: "\n", out: io.Discard}
	if err := d.read(ctx, strings.NewReader("1\n2\n")); err != nil || ctx.Err() != nil || scanned.String() != "1\n2\n" {
		t.Errorf("read() = %v, scanned %q", err, scanned.String())
	}
}
