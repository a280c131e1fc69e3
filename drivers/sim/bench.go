// Package sim is simulated hardware: drivers like any other, whose devices
// lie on a Bench in the same process. Its control page lets a person pick up
// cards and books, put them on the RFID pad, unplug scanner and pad, and throw
// the switches that the program adds (a cut line to the library's system,
// say). Pty is the scanner for other programs.
package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// Config are the driver's options.
type Config struct {
	Bench string `toml:"bench" default:"demo" help:"name of the bench; the program that runs the daemon makes it"`
}

// Driver is the family.
var Driver = drivers.DefineAlone("sim", "A simulated scanner, moved by the page /sim; for demonstrations and tests. Wiring: none.", Open)

// benches are the benches of this process by name: a configuration can only
// name one.
var benches sync.Map // string -> *Bench

// Thing is something to scan.
type Thing struct {
	Kind    string // heading under which it is shown: "Cards", "Books"
	Code    string
	Label   string       // name or title
	Note    string       // author, call number, what is special about it
	Tags    []*field.Tag // its RFID tags, one for each part; none: it has no tag
	NoLabel bool         // it has nothing to scan
}

// Switch is something the program lets a person turn on and off.
type Switch struct {
	Name  string // id, [a-z-]+
	Label string
	Help  string
	Part  string // of the bench, under whose heading it stands; empty: trouble
	Group string // at most one switch of a group is on; empty: it has none
	Set   func(on bool) error
}

// Row is a line of the panel: what the library's system has on loan.
type Row struct {
	Title  string `json:"title"`
	Item   string `json:"item"`
	Patron string `json:"patron"`
	Due    string `json:"due"`
}

// Slip is a piece of paper.
type Slip struct {
	Lines []Print `json:"lines"`
	Cut   bool    `json:"cut"` // it lies there; else it hangs out of the printer
}

// Print is a line of it: text, or a picture as a data address.
type Print struct {
	Text    string `json:"text"`
	Align   string `json:"align"` // left, middle, right
	Bold    bool   `json:"bold"`
	Big     bool   `json:"big"`
	Picture string `json:"picture,omitempty"`
}

// The parts of a bench that switches may belong to.
const PartPrinter = "printer"

// Bench is a table of simulated devices.
type Bench struct {
	Things   []Thing
	Switches []Switch
	Panel    func() []Row         // what the library's system has out; nil shows none
	Field    *field.Field         // above the pad; nil: there is no pad
	Paper    func() []Slip        // what the printer has printed, newest first; nil: there is no printer
	Tear     func()               // takes that away
	Alarms   func(field.Tag) bool // whether the gate at the door rings for a tag

	turning sync.Mutex // one switch is turned at a time

	panel panelBench

	mu         sync.Mutex
	plugged    bool
	reader     *Scanner // who has the scanner open; nil: nobody
	padPlugged bool
	pad        *Pad // who has the pad open
	on         map[string]bool
}

// New makes a bench that a configuration finds by its name, with its scanner
// plugged in. Its fields are set before it is used.
func New(name string) *Bench {
	b := &Bench{plugged: true, padPlugged: true, on: map[string]bool{}}
	benches.Store(name, b)
	return b
}

// Why nothing was scanned.
var (
	ErrUnplugged = errors.New("the scanner is unplugged")
	ErrUnread    = errors.New("no program reads the scanner: is the daemon running?")
)

// Scan has the scanner read a code. What nobody hears is not kept: it would
// come to whoever is at the desk later.
func (b *Bench) Scan(code string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.plugged {
		return ErrUnplugged
	}
	if b.reader == nil {
		return ErrUnread
	}
	select {
	case b.reader.codes <- code:
		return nil
	default:
		return fmt.Errorf("%w (%d codes wait)", ErrUnread, cap(b.reader.codes))
	}
}

// Plug plugs the scanner in or pulls it out.
func (b *Bench) Plug(in bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plugged = in
	if !in && b.reader != nil {
		close(b.reader.gone)
		b.reader = nil
	}
}

// Turn throws a switch. To turn one on turns the others of its group off.
func (b *Bench) Turn(name string, on bool) error {
	b.turning.Lock()
	defer b.turning.Unlock()
	i := slices.IndexFunc(b.Switches, func(s Switch) bool { return s.Name == name })
	if i < 0 {
		return fmt.Errorf("there is no switch %q", name)
	}
	for _, s := range b.Switches {
		if on && s.Name != name && s.Group != "" && s.Group == b.Switches[i].Group && b.isOn(s.Name) {
			if err := b.set(s, false); err != nil {
				return err
			}
		}
	}
	return b.set(b.Switches[i], on)
}

func (b *Bench) set(s Switch, on bool) error {
	if err := s.Set(on); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on[s.Name] = on
	return nil
}

func (b *Bench) isOn(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on[name]
}

// Scanner is the bench's scanner while it is open.
type Scanner struct {
	bench *Bench
	codes chan string
	gone  chan struct{} // closed when it is unplugged
}

var _ drivers.Scanner = (*Scanner)(nil)

// Open finds the bench and takes its scanner. One that is pulled out is
// missing; one that is open already is in use.
func Open(c Config) (*Scanner, error) {
	v, ok := benches.Load(c.Bench)
	if !ok {
		return nil, fmt.Errorf("there is no bench %q in this process", c.Bench)
	}
	b := v.(*Bench)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.plugged:
		return nil, ErrUnplugged
	case b.reader != nil:
		return nil, errors.New("the scanner is in use")
	}
	b.reader = &Scanner{b, make(chan string, 100), make(chan struct{})}
	return b.reader, nil
}

// Scans gives what is scanned on the bench, until the scanner is pulled out.
func (s *Scanner) Scans(ctx context.Context, yield func(drivers.Scan)) error {
	defer s.close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.gone:
			return drivers.ErrGone
		case code := <-s.codes:
			yield(read(code))
		}
	}
}

func (s *Scanner) close() {
	s.bench.mu.Lock()
	defer s.bench.mu.Unlock()
	if s.bench.reader == s {
		s.bench.reader = nil
	}
}

// read is what a scanner makes of a code.
func read(code string) drivers.Scan {
	aim, text := drivers.CutAIM(code)
	sc := drivers.Scan{Text: text, AIM: aim, At: time.Now()}
	if len(text) > drivers.MaxText {
		sc.Text, sc.Long = text[:drivers.MaxText], true
	}
	return sc
}
