// Package sim is simulated hardware: a driver like any other, whose devices
// lie on a Bench in the same process. Its control page lets a person pick up
// cards and books, unplug the scanner, and throw the switches that the
// program adds (a cut line to the library's system, say).
package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
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
	Kind  string // heading under which it is shown: "Cards", "Books"
	Code  string
	Label string // name or title
	Note  string // author, call number, what is special about it
}

// Switch is something the program lets a person turn on and off.
type Switch struct {
	Name  string // id, [a-z-]+
	Label string
	Help  string
	Set   func(on bool) error
}

// Row is a line of the panel: what the library's system has on loan.
type Row struct {
	Title, Item, Patron, Due string
}

// Bench is a table of simulated devices.
type Bench struct {
	Things   []Thing
	Switches []Switch
	Panel    func() []Row // what the library's system has out; nil shows none

	mu      sync.Mutex
	plugged bool
	changed chan struct{} // closed when plugged changes
	on      map[string]bool
	scans   chan string
}

// New makes a bench that a configuration finds by its name, with its scanner
// plugged in. Its fields are set before it is used.
func New(name string) *Bench {
	b := &Bench{plugged: true, changed: make(chan struct{}), on: map[string]bool{}, scans: make(chan string, 100)}
	benches.Store(name, b)
	return b
}

// ErrUnplugged says that nobody can scan.
var ErrUnplugged = errors.New("the scanner is unplugged")

// Scan has the scanner read a code.
func (b *Bench) Scan(code string) error {
	b.mu.Lock()
	plugged := b.plugged
	b.mu.Unlock()
	if !plugged {
		return ErrUnplugged
	}
	select {
	case b.scans <- code:
		return nil
	default:
		return errors.New("the scanner has 100 codes waiting: is the daemon running?")
	}
}

// Plug plugs the scanner in or pulls it out.
func (b *Bench) Plug(in bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.plugged != in {
		b.plugged = in
		close(b.changed)
		b.changed = make(chan struct{})
	}
}

func (b *Bench) state() (plugged bool, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.plugged, b.changed
}

// Turn throws a switch.
func (b *Bench) Turn(name string, on bool) error {
	for _, s := range b.Switches {
		if s.Name != name {
			continue
		}
		if err := s.Set(on); err != nil {
			return err
		}
		b.mu.Lock()
		b.on[name] = on
		b.mu.Unlock()
		return nil
	}
	return fmt.Errorf("there is no switch %q", name)
}

// Scanner is the bench's scanner.
type Scanner struct{ bench *Bench }

var _ drivers.Scanner = (*Scanner)(nil)

// Open finds the bench. A scanner that is pulled out is missing.
func Open(c Config) (*Scanner, error) {
	b, ok := benches.Load(c.Bench)
	if !ok {
		return nil, fmt.Errorf("there is no bench %q in this process", c.Bench)
	}
	if plugged, _ := b.(*Bench).state(); !plugged {
		return nil, ErrUnplugged
	}
	return &Scanner{b.(*Bench)}, nil
}

// Scans gives what is scanned on the bench, until the scanner is pulled out.
func (s *Scanner) Scans(ctx context.Context, yield func(drivers.Scan)) error {
	for {
		plugged, changed := s.bench.state()
		if !plugged {
			return drivers.ErrGone
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case code := <-s.bench.scans:
			yield(read(code))
		}
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
