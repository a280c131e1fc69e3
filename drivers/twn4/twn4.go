// Package twn4 drives readers of ELATEC's family TWN4 as readers of cards:
// ISO/IEC 14443 type A, and where that is wanted ISO/IEC 15693. USB serial
// (CDC, 09d8:0420), of which the speed does not matter, or RS-232, 9600 8N1.
//
// What a reader says depends on the app that is in it.
//
// Simple Protocol: the host asks in lines of hexadecimal digits that end with
// CR, a function (2 bytes) and its parameters; the answer is 00 and what the
// function returns, or an error from 01 on. The functions here:
//
//	0004 max                 version: length, text
//	0500 max                 search: 00, or 01, type, bits, length, ID
//	0502 LF(4 LE) HF(4 LE)   types to search for; bit n is type 40+n, 80+n hexadecimal
//
// Type 80 is ISO/IEC 14443 A, 82 ISO/IEC 15693. A search finds one card, the ID
// in the order in which it is written, E0 of ISO/IEC 15693 first. There is no
// checksum, and on RS-232 no parity: a card counts when two searches agree.
//
// Standard app: the reader itself sends the ID of each card that is laid on, in
// hexadecimal digits, and CR; one that stays is not sent again until it has
// been away for two seconds. It tells no type, so 4 bytes that begin with 08
// are taken for a random UID whatever card it was. As a keyboard (09d8:0410) it
// is read by package hidscan, which can't know a phone from a card.
//
// Other types are not searched for: of ISO/IEC 14443 B the number may be made up
// each time and nothing tells; those of 125 kHz and of single makers have IDs
// that are not whole bytes, and no random ones to know.
//
// Sources: ELATEC, TWN4 Simple Protocol, DocRev 17, and App_STD204_Standard.c
// of its developer pack; Library-RFID-Tools of je4. Not known: whether a search
// finds a card by each look that lies still, and so it is not taken for gone
// before several have missed it; what a reader answers to a line without end.
package twn4

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/cardnumber"
)

// Config are the driver's options.
type Config struct {
	Mode     string           `toml:"mode" default:"simple" help:"the app in the reader: simple (it answers by the Simple Protocol) or standard (it sends IDs by itself)"`
	Vicinity bool             `toml:"vicinity" default:"false" help:"read cards of ISO 15693 too; the tags in books are of that kind"`
	Number   string           `toml:"number" default:"hex" help:"how a card's number is written: hex, hex-lower, decimal, wiegand26"`
	Bytes    string           `toml:"bytes" default:"all" help:"which bytes of the UID: all, or as \"first 4\", \"last 3\""`
	Reversed bool             `toml:"reversed" default:"false" help:"those bytes in the other order"`
	Digits   int              `toml:"digits" default:"0" help:"at least so many digits, with zeros in front"`
	Prefix   string           `toml:"prefix" help:"put before the number"`
	Reply    drivers.Duration `toml:"reply" default:"1s" help:"longest wait for one answer; 100ms to 10s"`
}

func (c Config) format() cardnumber.Format {
	return cardnumber.Format{Number: c.Number, Bytes: c.Bytes, Reversed: c.Reversed, Digits: c.Digits, Prefix: c.Prefix}
}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	bad := []error{c.format().Check()}
	if c.Mode != "simple" && c.Mode != "standard" {
		bad = append(bad, fmt.Errorf("mode: %q: must be simple or standard", c.Mode))
	}
	if r := time.Duration(c.Reply); r < 100*time.Millisecond || r > 10*time.Second {
		bad = append(bad, fmt.Errorf("reply: %v: must be 100ms to 10s", r))
	}
	return errors.Join(bad...)
}

// Driver is the family.
var Driver = drivers.Define("twn4",
	"ELATEC TWN4 card readers in serial mode: patron and staff cards of ISO 14443 type A (MIFARE, NTAG) and ISO 15693. "+
		"Wiring: USB (CDC, 09d8:0420), or RS-232 with 9600 8N1; the port as path. In keyboard mode (09d8:0410): hidscan. "+
		"Source: ELATEC TWN4 Simple Protocol DocRev 17; Library-RFID-Tools.", Open)

const quiet = 200 * time.Millisecond // what a port has kept from before it was opened comes within

// Open takes a reader. By the Simple Protocol it finds out whether one is
// there; cards that lie there are not scanned.
func Open(l drivers.Link, c Config) (drivers.Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	ln := line{Link: l, reply: time.Duration(c.Reply)}
	if err := ln.settle(quiet); err != nil {
		return nil, err
	}
	if c.Mode == "standard" {
		return &standard{line: ln, vicinity: c.Vicinity, format: c.format()}, nil
	}
	r := &reader{line: ln, vicinity: c.Vicinity}
	if err := r.begin(); err != nil {
		return nil, fmt.Errorf("no TWN4 answers: %w (is the app of the Simple Protocol in it?)", err)
	}
	s, err := cardnumber.New(r, c.format())
	if err != nil {
		return nil, err
	}
	return &simple{s, r}, nil
}

// Functions of the Simple Protocol.
var (
	getVersion = []byte{0x00, 0x04, 0xFF}
	searchTag  = []byte{0x05, 0x00, 0x20}
	setTypes   = []byte{0x05, 0x02, 0, 0, 0, 0}
)

// Types.
const (
	iso14443A = 0x80
	iso15693  = 0x82
)

// reader is one that speaks the Simple Protocol.
type reader struct {
	line
	vicinity bool
	version  string
	told     [2]string // IDs that searches have found, the last one behind
}

func (r *reader) begin() error {
	b, err := r.ask(getVersion...)
	if err != nil {
		return err
	}
	if len(b) > 0 && int(b[0]) == len(b)-1 {
		r.version = strings.Map(func(c rune) rune {
			if !unicode.IsPrint(c) {
				return -1
			}
			return c
		}, string(b[1:]))
	}
	types := byte(1 << (iso14443A & 0x1F))
	if r.vicinity {
		types |= 1 << (iso15693 & 0x1F)
	}
	_, err = r.ask(append(setTypes[:len(setTypes):len(setTypes)], types, 0, 0, 0)...)
	return err
}

// Cards implements cardnumber.Reader. One that was not told before is searched
// for again.
func (r *reader) Cards() ([][]byte, error) {
	for range 2 {
		b, err := r.ask(searchTag...)
		if err != nil {
			return nil, err
		}
		t, ok, err := found(b)
		if !ok || t.kind != iso14443A && (t.kind != iso15693 || !r.vicinity) {
			return nil, err
		}
		if id := string(t.id); !slices.Contains(r.told[:], id) && !cardnumber.Random(t.id) {
			r.told = [2]string{r.told[1], id}
			continue
		}
		return [][]byte{t.id}, nil
	}
	return nil, nil
}

// simple is a scanner of the Simple Protocol.
type simple struct {
	*cardnumber.Scanner
	reader *reader
}

var (
	_ drivers.Scanner = (*simple)(nil)
	_ drivers.Named   = (*simple)(nil)
)

// Identity implements drivers.Named.
func (s *simple) Identity() string { return strings.TrimSpace("ELATEC TWN4 " + s.reader.version) }

// standard is a reader with the standard app.
type standard struct {
	line
	vicinity bool
	format   cardnumber.Format
	phone    time.Time // when the last one came
}

var _ drivers.Scanner = (*standard)(nil)

const (
	look = 250 * time.Millisecond // how often the end of ctx is noticed, and after which the rest of a line is none
	away = 2 * time.Second        // a phone that comes again within is the same one
)

// Scans implements drivers.Scanner.
func (s *standard) Scans(ctx context.Context, yield func(drivers.Scan)) error {
	defer s.Close()
	for ctx.Err() == nil {
		err := s.read(look)
		for text, ok := s.cut(); ok; text, ok = s.cut() {
			if sc := s.scan(text); sc.Text != "" {
				yield(sc)
			}
		}
		switch {
		case errors.Is(err, drivers.ErrSilent):
			s.tear()
		case err != nil:
			return err
		}
	}
	return nil
}

// scan is what a line means; without text, nothing. What is no UID begins with
// NUL, so that it is never taken for a number.
func (s *standard) scan(line string) drivers.Scan {
	uid, err := hex.DecodeString(line)
	switch {
	case line == "", err == nil && len(uid) == 8 && uid[0] == 0xE0 && !s.vicinity:
		return drivers.Scan{}
	case err != nil:
		return drivers.Scan{Text: "\x00" + line[:min(len(line), drivers.MaxText-1)], At: time.Now()}
	case cardnumber.Random(uid):
		again := time.Since(s.phone) < away
		if s.phone = time.Now(); again {
			return drivers.Scan{}
		}
	}
	return s.format.Scan(uid)
}
