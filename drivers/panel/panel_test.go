package panel

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"github.com/carrel-kiosk/carrel/drivers"
)

// board makes lines of periph's and registers them.
func board(t *testing.T, names ...string) map[string]*gpiotest.Pin {
	t.Helper()
	pins := map[string]*gpiotest.Pin{}
	for i, n := range names {
		name := fmt.Sprintf("%s-%s", t.Name(), n)
		pins[n] = &gpiotest.Pin{N: name, Num: 1000 + i}
		if err := gpioreg.Register(pins[n]); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { gpioreg.Unregister(name) })
	}
	return pins
}

func config(t *testing.T, set func(*Config)) Config {
	c := *Driver.NewConfig().(*Config)
	line := func(n string) string { return t.Name() + "-" + n }
	c.Ready, c.Attention, c.Buzzer, c.Help, c.Door = line("green"), line("amber"), line("buzz"), line("help"), line("door")
	if set != nil {
		set(&c)
	}
	return c
}

func press(p *gpiotest.Pin, low bool) {
	p.Lock()
	defer p.Unlock()
	p.L = gpio.Level(!low)
}

// watch tells how a line changed: for each level how many steps it stayed.
func watch(p *gpiotest.Pin, steps int) (runs []int) {
	last := p.Read()
	n := 0
	for range steps {
		time.Sleep(step)
		if l := p.Read(); l != last {
			runs, n, last = append(runs, n), 0, l
		}
		n++
	}
	return append(runs, n)
}

// run opens a panel and runs it in a bubble.
func run(t *testing.T, set func(*Config), do func(pins map[string]*gpiotest.Pin, signals chan<- drivers.Signal, told *[]drivers.Contact)) {
	pins := board(t, "green", "amber", "buzz", "help", "door")
	p, err := Open(config(t, set))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		signals, ended := make(chan drivers.Signal), make(chan error, 1)
		var told []drivers.Contact
		go func() { ended <- p.Run(ctx, signals, func(c drivers.Contact) { told = append(told, c) }) }()
		time.Sleep(step / 2) // between two steps
		do(pins, signals, &told)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
		for _, n := range []string{"green", "amber", "buzz"} {
			if pins[n].Read() != gpio.Level(p.conf.Inverted) {
				t.Errorf("%s is on at the end", n)
			}
		}
	})
}

// TestLights: each state is told by blinking too.
func TestLights(t *testing.T) {
	run(t, nil, func(pins map[string]*gpiotest.Pin, signals chan<- drivers.Signal, _ *[]drivers.Contact) {
		signals <- drivers.Signal{Light: drivers.LightReady}
		time.Sleep(step)
		if pins["green"].Read() != gpio.High || pins["amber"].Read() != gpio.Low || len(watch(pins["green"], 200)) != 1 {
			t.Error("ready is no steady green")
		}
		signals <- drivers.Signal{Light: drivers.LightAttention}
		time.Sleep(2 * time.Second)
		if runs := watch(pins["amber"], 200); len(runs) < 4 || !slices.Contains(runs, 50) || pins["green"].Read() != gpio.Low {
			t.Errorf("attention blinks in steps of %v; want 50", runs)
		}
		signals <- drivers.Signal{Light: drivers.LightHelp}
		time.Sleep(time.Second)
		if runs := watch(pins["amber"], 100); len(runs) < 11 || !slices.Contains(runs, 8) {
			t.Errorf("help blinks in steps of %v; want 8", runs)
		}
		signals <- drivers.Signal{}
		time.Sleep(step)
		if pins["amber"].Read() != gpio.Low {
			t.Error("off is not dark")
		}
	})
}

// TestInverted: one light for all, on when its line is low.
func TestInverted(t *testing.T) {
	one := func(c *Config) { c.Inverted, c.Attention = true, c.Ready }
	run(t, one, func(pins map[string]*gpiotest.Pin, signals chan<- drivers.Signal, _ *[]drivers.Contact) {
		for range 10 {
			time.Sleep(step)
		}
		pins["amber"].Out(gpio.High)
		if pins["green"].Read() != gpio.High {
			t.Error("it is on in the beginning")
		}
		signals <- drivers.Signal{Light: drivers.LightReady}
		time.Sleep(step)
		if pins["green"].Read() != gpio.Low {
			t.Error("ready is not on")
		}
		signals <- drivers.Signal{Light: drivers.LightHelp}
		time.Sleep(time.Second)
		if runs := watch(pins["green"], 100); len(runs) < 11 {
			t.Errorf("help blinks in steps of %v", runs)
		}
	})
}

// TestSounds: as configured, of the length that is said, and no longer.
func TestSounds(t *testing.T) {
	for sounds, want := range map[string][2]int{"refused": {0, 14}, "all": {4, 14}, "none": {0, 0}} {
		t.Run(sounds, func(t *testing.T) {
			run(t, func(c *Config) { c.Sounds = sounds }, func(pins map[string]*gpiotest.Pin, signals chan<- drivers.Signal, _ *[]drivers.Contact) {
				for i, tone := range []drivers.Tone{drivers.ToneTaken, drivers.ToneRefused} {
					signals <- drivers.Signal{Tone: tone}
					on := 0
					for range 60 {
						time.Sleep(step)
						if pins["buzz"].Read() == gpio.High {
							on++
						}
					}
					if on != want[i] {
						t.Errorf("%s sounds for %d steps; want %d", tone, on, want[i])
					}
				}
			})
		})
	}
}

// TestContacts: what is pressed is told once, and what bounces is not.
func TestContacts(t *testing.T) {
	run(t, nil, func(pins map[string]*gpiotest.Pin, _ chan<- drivers.Signal, told *[]drivers.Contact) {
		time.Sleep(5 * step)
		press(pins["help"], true)
		time.Sleep(step) // too short
		press(pins["help"], false)
		time.Sleep(5 * step)
		press(pins["door"], true)
		time.Sleep(10 * step)
		press(pins["help"], true)
		time.Sleep(10 * step)
		press(pins["help"], false)
		time.Sleep(5 * step)
		synctest.Wait()
		want := []drivers.Contact{{Name: "door", Closed: true}, {Name: "help", Closed: true}, {Name: "help"}}
		if !slices.Equal(*told, want) {
			t.Errorf("told %v; want %v", *told, want)
		}
	})
}

// TestOpen: a line that is not there is named, and so is one that is used
// twice.
func TestOpen(t *testing.T) {
	if _, err := Open(Config{Sounds: "all", Ready: "NOSUCH99"}); err == nil || !strings.Contains(err.Error(), "NOSUCH99") {
		t.Errorf("Open() = %v; want an error that names the line", err)
	}
	for key, c := range map[string]Config{
		"buzzer":    {Sounds: "all", Ready: "GPIO1", Buzzer: "GPIO1"},
		"attention": {Sounds: "all", Attention: "GPIO1", Door: "GPIO1"},
		"sounds":    {Sounds: "loud"},
	} {
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("Check() = %v; want a problem of %s", err, key)
		}
	}
	if err := (Config{Sounds: "none", Ready: "GPIO1", Attention: "GPIO1"}).Check(); err != nil {
		t.Errorf("one light for both: %v", err)
	}
}
