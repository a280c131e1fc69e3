package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/carrel-kiosk/carrel/drivers"
)

// PanelDriver is the family of the bench's panels.
var PanelDriver = drivers.DefineAlone("simpanel", "A simulated light, buzzer, help button and door, moved by the page /sim; for demonstrations and tests. Wiring: none.", OpenPanel)

// PanelState is what the page shows of the panel.
type PanelState struct {
	Light drivers.Light `json:"light"`
	Tone  drivers.Tone  `json:"tone"`  // the last one
	Tones int           `json:"tones"` // how many there were
	Door  bool          `json:"door"`  // it is shut
}

// panelBench is the panel of a bench.
type panelBench struct {
	mu    sync.Mutex
	there bool
	user  *Panel // who has it open
	state PanelState
}

// HasPanel says that the bench has a panel, whose door is shut.
func (b *Bench) HasPanel() {
	b.panel.mu.Lock()
	defer b.panel.mu.Unlock()
	b.panel.there, b.panel.state.Door = true, true
}

// Panel is the bench's panel while it is open.
type Panel struct {
	bench    *panelBench
	contacts chan drivers.Contact
}

var _ drivers.Panel = (*Panel)(nil)

// OpenPanel finds the bench and takes its panel.
func OpenPanel(c Config) (*Panel, error) {
	v, ok := benches.Load(c.Bench)
	if !ok {
		return nil, fmt.Errorf("there is no bench %q in this process", c.Bench)
	}
	p := &v.(*Bench).panel
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.there:
		return nil, errors.New("the bench has no panel")
	case p.user != nil:
		return nil, errors.New("the panel is in use")
	}
	p.user = &Panel{p, make(chan drivers.Contact, 16)}
	p.user.contacts <- drivers.Contact{Name: drivers.ContactDoor, Closed: p.state.Door}
	return p.user, nil
}

// Run implements drivers.Panel.
func (p *Panel) Run(ctx context.Context, signals <-chan drivers.Signal, yield func(drivers.Contact)) error {
	defer p.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-signals:
			p.show(s)
		case c := <-p.contacts:
			yield(c)
		}
	}
}

func (p *Panel) show(s drivers.Signal) {
	p.bench.mu.Lock()
	defer p.bench.mu.Unlock()
	p.bench.state.Light = s.Light
	if s.Tone != drivers.ToneNone {
		p.bench.state.Tone = s.Tone
		p.bench.state.Tones++
	}
}

// Close implements io.Closer.
func (p *Panel) Close() error {
	p.bench.mu.Lock()
	defer p.bench.mu.Unlock()
	if p.bench.user == p {
		p.bench.user, p.bench.state.Light = nil, drivers.LightOff
	}
	return nil
}

// Press presses the help button and lets go; Shut shuts or opens the door.
func (b *Bench) Press() error {
	return errors.Join(b.contact(drivers.Contact{Name: drivers.ContactHelp, Closed: true}), b.contact(drivers.Contact{Name: drivers.ContactHelp}))
}

// Shut shuts or opens the door.
func (b *Bench) Shut(shut bool) error {
	b.panel.mu.Lock()
	b.panel.state.Door = shut
	b.panel.mu.Unlock()
	return b.contact(drivers.Contact{Name: drivers.ContactDoor, Closed: shut})
}

func (b *Bench) contact(c drivers.Contact) error {
	b.panel.mu.Lock()
	defer b.panel.mu.Unlock()
	if b.panel.user == nil {
		return errors.New("no program reads the panel")
	}
	select {
	case b.panel.user.contacts <- c:
		return nil
	default:
		return errors.New("no program reads the panel")
	}
}

// panelState is the panel for the page; nil: there is none.
func (b *Bench) panelState() *PanelState {
	b.panel.mu.Lock()
	defer b.panel.mu.Unlock()
	if !b.panel.there {
		return nil
	}
	s := b.panel.state
	return &s
}
