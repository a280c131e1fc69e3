// Package pn532 drives the NXP PN532, on boards for makers, as a reader of
// cards: ISO/IEC 14443 type A, which is MIFARE, NTAG and most student cards.
// The chip knows no ISO/IEC 15693, so it can't read the tags in books, nor
// cards of that kind: package twn4 can those.
//
// A frame is, on all of the three lines that a board can be set to,
//
//	00 00 FF  LEN  LCS  D4  command  data  DCS  00
//
// where LEN counts from D4 to the end of the data, LEN+LCS and the sum of all
// from D4 to DCS are 0 (mod 256), and the chip puts D5 and the command plus one
// in an answer. Longer data have FF FF and a LEN of two bytes, high first. The
// chip first acknowledges a command, by 00 00 FF 00 FF 00; the host has a
// damaged answer sent again by 00 00 FF FF 00 00, and stops a command by an
// acknowledgement of its own.
//
//   - Serial (HSU): 115200 baud 8N1. 55 55 and some zeros wake the chip.
//   - SPI: mode 0, at most 5 MHz, least significant bit first, which is done
//     here. A transaction begins with 01 to write, 02 for the status (01: a
//     frame is there), 03 to read.
//   - I2C: address 24 hexadecimal, at most 400 kHz. What is read begins with the
//     status. The chip stretches the clock, which the I2C of a Raspberry Pi up
//     to 4 does badly: SPI and serial are better.
//
// Each look turns the field on, lists at most two cards, and turns it off.
//
// Sources: NXP UM0701-02 rev. 2 (frames 6.2.1, lines 6.2.3 to 6.2.5,
// commands 7); library Adafruit-PN532, by which the order of steps is known to
// work. Not known: how the chip's clones differ. Type B is not looked for: its
// number may be made up each time, and nothing in it tells.
package pn532

import (
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/cardnumber"
)

// Config are the driver's options.
type Config struct {
	Number   string           `toml:"number" default:"hex" help:"how a card's number is written: hex, hex-lower, decimal, wiegand26"`
	Bytes    string           `toml:"bytes" default:"all" help:"which bytes of the UID: all, or as \"first 4\", \"last 3\""`
	Reversed bool             `toml:"reversed" default:"false" help:"those bytes in the other order"`
	Digits   int              `toml:"digits" default:"0" help:"at least so many digits, with zeros in front"`
	Prefix   string           `toml:"prefix" help:"put before the number"`
	Reset    string           `toml:"reset" help:"line of RSTPDN, as GPIO25, on SPI and I2C; none: left alone"`
	Reply    drivers.Duration `toml:"reply" default:"1s" help:"longest wait for one answer; 100ms to 10s"`
}

func (c Config) format() cardnumber.Format {
	return cardnumber.Format{Number: c.Number, Bytes: c.Bytes, Reversed: c.Reversed, Digits: c.Digits, Prefix: c.Prefix}
}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	err := c.format().Check()
	if r := time.Duration(c.Reply); r < 100*time.Millisecond || r > 10*time.Second {
		err = errors.Join(fmt.Errorf("reply: %v: must be 100ms to 10s", r), err)
	}
	return err
}

// Driver is the family.
var Driver = drivers.DefineEither("pn532",
	"NXP PN532 boards as readers of patron and staff cards, ISO 14443 type A (MIFARE, NTAG); no tags of books. "+
		"Wiring on a Raspberry Pi (header pins), the board's switches set for the line: 3.3 V 1, GND 6, and SPI: MOSI 19, MISO 21, SCK 23, SS 24, spi = \"SPI0.0\"; "+
		"serial: TXD 8, RXD 10 crossed, or a USB bridge, baud = 115200; I2C: SDA 3, SCL 5, i2c = \"1\", address = 0x24. "+
		"Source: NXP UM0701-02; Adafruit-PN532.", Open, OpenBus).At(115200, "none")

// Scanner is an open chip.
type Scanner struct {
	*cardnumber.Scanner
	chip *chip
}

var (
	_ drivers.Scanner = (*Scanner)(nil)
	_ drivers.Named   = (*Scanner)(nil)
)

// Open finds a chip on a serial line. Cards that lie there are not scanned.
func Open(l drivers.Link, c Config) (*Scanner, error) {
	return open(&hsu{Link: l}, c)
}

// OpenBus finds a chip on SPI or I2C. Cards that lie there are not scanned.
func OpenBus(b drivers.Bus, c Config) (*Scanner, error) {
	w := &bus{Bus: b}
	if err := w.reset(c.Reset); err != nil {
		return nil, err
	}
	return open(w, c)
}

func open(w wire, c Config) (*Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	ch := &chip{wire: w, reply: time.Duration(c.Reply)}
	if err := ch.begin(); err != nil {
		return nil, fmt.Errorf("no PN532 answers: %w", err)
	}
	s, err := cardnumber.New(ch, c.format())
	if err != nil {
		return nil, err
	}
	return &Scanner{s, ch}, nil
}

// Identity implements drivers.Named.
func (s *Scanner) Identity() string {
	return fmt.Sprintf("PN532, firmware %d.%d", s.chip.firmware[0], s.chip.firmware[1])
}
