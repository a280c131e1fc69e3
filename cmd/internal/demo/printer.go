package demo

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"path/filepath"
	"slices"
	"sync"

	"github.com/carrel-kiosk/carrel/drivers/escpos/escpossim"
	"github.com/carrel-kiosk/carrel/drivers/sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
)

// printer is the demo's receipt printer: a simulated one at the far end of a
// real serial line.
type printer struct {
	*escpossim.Printer
	path string // of the port
	mu   sync.Mutex
	port *port.Port // nil while it is unplugged
}

// printerPort is its port's name in the data folder.
const printerPort = "printer"

// newPrinter plugs a printer in, at a port in the data folder.
func newPrinter(data string) (*printer, error) {
	p := &printer{Printer: escpossim.New(escpossim.Options{}), path: filepath.Join(data, printerPort)}
	return p, p.plug(true)
}

// plug plugs it in or pulls it out.
func (p *printer) plug(in bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case in == (p.port != nil):
		return nil
	case !in:
		err := p.port.Close()
		p.port = nil
		return err
	}
	line, err := port.Open(p.path)
	if err != nil {
		return err
	}
	p.port = line
	go p.Serve(line) //nolint:errcheck // it ends when the line is pulled
	return nil
}

// onto lays the printer on a bench.
func (p *printer) onto(b *sim.Bench) {
	b.Paper, b.Tear = p.paper, p.TearOff
	b.HasPanel()
	set := func(change func(*escpossim.State, bool)) func(bool) error {
		return func(on bool) error {
			s := p.Is()
			change(&s, on)
			p.Set(s)
			return nil
		}
	}
	b.Switches = append(b.Switches,
		sim.Switch{Part: sim.PartPrinter, Name: "no-paper", Label: "Out of paper", Help: "The roll has run out.",
			Set: set(func(s *escpossim.State, on bool) { s.NoPaper = on })},
		sim.Switch{Part: sim.PartPrinter, Name: "cover", Label: "Cover open", Help: "Nothing is printed until it is closed.",
			Set: set(func(s *escpossim.State, on bool) { s.Open = on })},
		sim.Switch{Part: sim.PartPrinter, Name: "no-printer", Label: "Unplugged", Help: "Its cable is pulled out.",
			Set: func(on bool) error { return p.plug(!on) }})
}

// maxSlips is how many slips the page shows.
const maxSlips = 5

// paper is what has come out, newest first.
func (p *printer) paper() []sim.Slip {
	var list []sim.Slip
	for _, s := range append(p.Slips(), p.Hanging()) {
		if len(s.Lines) == 0 {
			continue
		}
		slip := sim.Slip{Cut: s.Cut != ""}
		for _, l := range s.Lines {
			line := sim.Print{Text: l.Text, Align: []string{"left", "middle", "right"}[l.Align%3], Bold: l.Bold, Big: l.Big}
			if l.Picture != nil {
				var b bytes.Buffer
				png.Encode(&b, l.Picture) //nolint:errcheck // into memory
				line.Picture = "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
			}
			slip.Lines = append(slip.Lines, line)
		}
		list = append(list, slip)
	}
	slices.Reverse(list)
	return list[:min(len(list), maxSlips)]
}
