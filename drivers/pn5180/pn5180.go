// Package pn5180 drives a bare NXP PN5180 on SPI: with a coil, a pad that a
// school can build for little money. It says to the tags itself what other
// readers' firmware says.
//
// SPI mode 0, at most 7 MHz. A command is one transaction; its answer is read
// by another one of FF bytes. BUSY rises when the chip works on it and falls
// when it is done, so NSS is not the bus's but a line of its own. Every wait
// has an end; a chip that does not answer is reset when it is opened again.
//
// Sources: NXP PN5180 data sheet (host interface, registers, table of radio
// configurations); the libraries PN5180-Library of ATrappmann and tueddy, by
// which the order of steps is known to work. Firmware before 3.9 has faults
// with ISO 15693.
package pn5180

import (
	"errors"
	"fmt"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

// Config are the driver's options.
type Config struct {
	Busy   string `toml:"busy" default:"GPIO25" help:"line of BUSY (header pin 22)"`
	Select string `toml:"select" default:"GPIO22" help:"line of NSS (header pin 15): not the bus's own"`
	Reset  string `toml:"reset" default:"GPIO7" help:"line of RST (header pin 26)"`
	Tries  int    `toml:"tries" default:"2" help:"how often a tag is asked that does not answer well"`
}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	var bad []error
	switch {
	case c.Busy == "" || c.Select == "" || c.Reset == "":
		bad = append(bad, errors.New("busy, select, reset: must all be set, as \"GPIO25\""))
	case c.Busy == c.Select || c.Select == c.Reset || c.Busy == c.Reset:
		bad = append(bad, errors.New("busy, select, reset: must be different lines"))
	}
	if c.Tries < 1 || c.Tries > 10 {
		bad = append(bad, errors.New("tries: must be 1 to 10"))
	}
	return errors.Join(bad...)
}

// Driver is the family.
var Driver = drivers.DefineBus("pn5180",
	"NXP PN5180 boards on SPI, ISO 15693: reads, writes, AFI, EAS. "+
		"Wiring on a Raspberry Pi (header pins): 5 V 2, 3.3 V 1, GND 6, MOSI 19, MISO 21, SCK 23, BUSY 22, NSS 15, RST 26; "+
		"spi = \"SPI0.0\", speed = 4000000. The field takes 150 mA from 5 V. "+
		"Source: NXP PN5180 data sheet; PN5180-Library (ATrappmann, tueddy).", Open)

// Pad is an open chip.
type Pad struct {
	iso15693.Commands
	chip *chip
}

var (
	_ drivers.Pad   = (*Pad)(nil)
	_ drivers.Radio = (*Pad)(nil)
	_ drivers.Named = (*Pad)(nil)
)

// Open resets the chip and turns its field on.
func Open(bus drivers.Bus, c Config) (*Pad, error) {
	if bus.I2C() {
		return nil, errors.New("a PN5180 is on SPI: set spi, as \"SPI0.0\"")
	}
	ch := &chip{bus: bus}
	for name, pin := range map[string]*drivers.Pin{c.Busy: &ch.busy, c.Select: &ch.sel, c.Reset: &ch.rst} {
		var err error
		if *pin, err = bus.Pin(name); err != nil {
			return nil, err
		}
	}
	if err := ch.reset(); err != nil {
		return nil, fmt.Errorf("no PN5180 answers: %w", err)
	}
	return &Pad{iso15693.Commands{Air: ch, Tries: c.Tries}, ch}, nil
}

// Radio implements drivers.Radio.
func (p *Pad) Radio(on bool) error { return p.chip.radio(on) }

// Identity implements drivers.Named.
func (p *Pad) Identity() string {
	fw := p.chip.firmware
	s := fmt.Sprintf("PN5180 version %d.%d, firmware %d.%d", p.chip.product[1], p.chip.product[0], fw[1], fw[0])
	if fw[1] < 3 || fw[1] == 3 && fw[0] < 9 {
		s += " (older than 3.9: it has faults with ISO 15693)"
	}
	return s
}

// Close turns the field off and lets go of the bus.
func (p *Pad) Close() error {
	return errors.Join(p.chip.radio(false), p.chip.bus.Close())
}
