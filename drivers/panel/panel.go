// Package panel drives lights, a buzzer, a help button and a door contact on
// the lines (GPIO) of a board such as a Raspberry Pi, by periph.io.
//
// Outputs are 3.3 V with at most 8 mA a line and 50 mA in all: a light ring and
// a buzzer (active, of the kind that sounds by itself) hang on a transistor
// each. Inputs are pulled up by the board: button and contact close to ground.
// At the end all outputs are set low.
//
// The lines are looked at 50 times a second, and count when two looks agree: a
// contact bounces for some ms. Edges are not waited for: the kernel's way to
// tell them differs between boards, and on a Pi 5 from all before it.
//
// Source: periph.io/x/conn/v3/gpio; the limits of a line: the BCM2835's data
// sheet. Not known here: RGB rings with a protocol of their own (WS2812).
package panel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// Config are the driver's options.
type Config struct {
	Ready     string `toml:"ready" help:"line of the green light, as GPIO17; empty: none"`
	Attention string `toml:"attention" help:"line of the amber or red light; may be the same as ready"`
	Buzzer    string `toml:"buzzer" help:"line of the buzzer"`
	Sounds    string `toml:"sounds" default:"refused" help:"when it sounds: refused, all, none"`
	Help      string `toml:"help_button" help:"line of the help button"`
	Door      string `toml:"door" help:"line of the door's contact, closed while the door is"`
	Inverted  bool   `toml:"inverted" default:"false" help:"outputs are on when they are low"`
}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	var bad []error
	if c.Ready+c.Attention+c.Buzzer+c.Help+c.Door == "" {
		// The defaults have no lines: what is configured has.
		return c.sounds()
	}
	used := map[string]string{}
	for _, l := range []struct{ key, line string }{{"ready", c.Ready}, {"buzzer", c.Buzzer}, {"help_button", c.Help}, {"door", c.Door}} {
		if l.line == "" {
			continue
		}
		if other := used[l.line]; other != "" {
			bad = append(bad, fmt.Errorf("%s: %q: is the line of %s too", l.key, l.line, other))
		}
		used[l.line] = l.key
	}
	if other := used[c.Attention]; other != "" && other != "ready" {
		bad = append(bad, fmt.Errorf("attention: %q: is the line of %s too", c.Attention, other))
	}
	return errors.Join(append(bad, c.sounds())...)
}

func (c Config) sounds() error {
	if c.Sounds != "refused" && c.Sounds != "all" && c.Sounds != "none" {
		return fmt.Errorf("sounds: %q: must be refused, all or none", c.Sounds)
	}
	return nil
}

// Driver is the family.
var Driver = drivers.DefineAlone("panel",
	"Lights, buzzer, help button and door contact on the GPIO of a Raspberry Pi or another board. Wiring: outputs 3.3 V through a transistor; "+
		"button and contact from their line to ground. Source: periph.io.", Open)

// Panel is an open panel.
type Panel struct {
	conf             Config
	ready, attention gpio.PinIO // nil: there is none
	buzzer           gpio.PinIO
	contacts         []*contact
}

var _ drivers.Panel = (*Panel)(nil)

type contact struct {
	name         string
	pin          gpio.PinIO
	closed, last bool
}

// Open takes the lines. One that is not there is an error.
func Open(c Config) (*Panel, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	p := &Panel{conf: c}
	for _, out := range []struct {
		name string
		pin  *gpio.PinIO
	}{{c.Ready, &p.ready}, {c.Attention, &p.attention}, {c.Buzzer, &p.buzzer}} {
		pin, err := link.Line(out.name)
		if err != nil {
			return nil, err
		}
		*out.pin = pin
	}
	for _, in := range []struct{ name, line string }{{drivers.ContactHelp, c.Help}, {drivers.ContactDoor, c.Door}} {
		pin, err := link.Line(in.line)
		if err != nil {
			return nil, err
		}
		if pin == nil {
			continue
		}
		if err := pin.In(gpio.PullUp, gpio.NoEdge); err != nil {
			return nil, fmt.Errorf("line %s: %w", in.line, err)
		}
		p.contacts = append(p.contacts, &contact{name: in.name, pin: pin})
	}
	return p, p.dark()
}

// dark turns everything off.
func (p *Panel) dark() error {
	return errors.Join(p.set(p.ready, false), p.set(p.attention, false), p.set(p.buzzer, false))
}

func (p *Panel) set(pin gpio.PinIO, on bool) error {
	if pin == nil {
		return nil
	}
	return pin.Out(gpio.Level(on != p.conf.Inverted))
}

// Close implements io.Closer, for a panel that is not run.
func (p *Panel) Close() error { return p.dark() }

const step = 20 * time.Millisecond

// Run implements drivers.Panel.
func (p *Panel) Run(ctx context.Context, signals <-chan drivers.Signal, yield func(drivers.Contact)) error {
	defer p.dark() //nolint:errcheck // it is the end
	tick := time.NewTicker(step)
	defer tick.Stop()
	var light drivers.Light
	var sound []bool // what is left of a tone, step by step
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case s := <-signals:
			light = s.Light
			if t := p.tone(s.Tone); t != nil {
				sound = t
			}
			continue
		case <-tick.C:
		}
		p.look(yield)
		on := false
		if len(sound) > 0 {
			on, sound = sound[0], sound[1:]
		}
		ready, attention := lit(light, n)
		if p.attention == p.ready {
			ready, attention = ready || attention, ready || attention
		}
		if err := errors.Join(p.set(p.ready, ready), p.set(p.attention, attention), p.set(p.buzzer, on)); err != nil {
			return err
		}
	}
}

// lit says which lights are on at step n: ready is steady, attention is on for
// a second and off for one, help for 160 ms each.
func lit(l drivers.Light, n int) (ready, attention bool) {
	switch l {
	case drivers.LightReady:
		return true, false
	case drivers.LightAttention:
		return false, n/50%2 == 0
	case drivers.LightHelp:
		return false, n/8%2 == 0
	}
	return false, false
}

// tone is a tone in steps of 20 ms: 80 ms, or twice 140 ms.
func (p *Panel) tone(t drivers.Tone) []bool {
	on := func(n int) []bool {
		s := make([]bool, n)
		for i := range s {
			s[i] = true
		}
		return s
	}
	switch {
	case t == drivers.ToneRefused && p.conf.Sounds != "none":
		return append(append(on(7), make([]bool, 5)...), on(7)...)
	case t == drivers.ToneTaken && p.conf.Sounds == "all":
		return on(4)
	}
	return nil
}

// look tells of each contact that has changed and stays so.
func (p *Panel) look(yield func(drivers.Contact)) {
	for _, c := range p.contacts {
		now := c.pin.Read() == gpio.Low
		if now == c.last && now != c.closed {
			c.closed = now
			yield(drivers.Contact{Name: c.name, Closed: now})
		}
		c.last = now
	}
}
