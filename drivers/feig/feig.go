// Package feig drives readers of FEIG Electronic that speak the OBID ISO host
// protocol: ID ISC.MR, PR, PRH and LR, and the CPR family. Serial, 38400 baud
// 8E1 as they come, or TCP port 10001. Models with USB alone (0AB1:0002,
// 0AB1:0004) are neither serial nor HID devices, and not for this driver.
//
// A frame is one of
//
//	LEN  ADR  CMD  STATUS  data  CRC low  CRC high
//	0x02  LEN high  LEN low  ADR  CMD  STATUS  data  CRC low  CRC high
//
// where LEN counts the whole frame, a question has no STATUS, ADR FF is any
// reader; CRC-16/MCRF4XX over all before it. A reader answers an advanced
// frame with an advanced one, a standard one with a standard one unless that
// is too short; a frame with a wrong CRC not at all. Some models know
// advanced frames alone.
//
// UIDs and blocks travel most significant byte first: a block's bytes in the
// reverse order of the tag's memory, behind a byte that tells whether it is
// locked. An inventory may list a tag only once until the field was off
// (CFG5.ONT), so the field is reset before each.
//
// Sources: FEIG manuals H60301-3e "ID ISC.MR/PR/PRH101" (frames 2.1; system
// commands 5.4, 5.5; ISO commands 6.1; EAS 8.3; transparent command 8.6;
// status bytes annex D), H01113-4e "ID ISC.MR102" (3.2, 7.1, annex E),
// H20800-16e "ID CPR-Family" (timing, 52 to 6A, annex B and F), H90692-16e
// "ID ISC.LR200" (7.1); frames captured by a library's own driver for the
// MR102 (BibliothekTHWildau) confirm the order of bytes.
//
// Not known from them: the unit of RSP-LENGTH of the transparent command,
// taken as bits, which CPR readers need for EAS; whether a read beyond a tag's
// memory gives the blocks that are there or an error, so both are understood.
// Not done: changing the reader's own configuration, notification, banks of
// more than 256 blocks.
package feig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Config are the driver's options.
type Config struct {
	Reply       drivers.Duration `toml:"reply" default:"1500ms" help:"longest wait for one answer; more than the reader's TR-RESPONSE-TIME, which is 1 s as it comes"`
	Frames      string           `toml:"frames" default:"auto" help:"standard, advanced, or auto: whichever is answered"`
	Mode        string           `toml:"mode" default:"addressed" help:"addressed: each command bears the tag's UID; selected: the tag is selected before"`
	MemoryOrder bool             `toml:"memory_order" default:"false" help:"the reader is set to send blocks in the order of the memory; as it comes it reverses each"`
}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	var bad []error
	if !slices.Contains([]string{"", "auto", "standard", "advanced"}, c.Frames) {
		bad = append(bad, fmt.Errorf("frames: %q: must be auto, standard or advanced", c.Frames))
	}
	if !slices.Contains([]string{"", "addressed", "selected"}, c.Mode) {
		bad = append(bad, fmt.Errorf("mode: %q: must be addressed or selected", c.Mode))
	}
	return errors.Join(bad...)
}

// Driver is the family.
var Driver = drivers.Define("feig",
	"FEIG OBID RFID pads: ID ISC.MR101 and MR102, PRH101, PR101, LR200, CPR. "+
		"Wiring: RS-232, baud = 38400, parity = \"even\" as they come; or LAN, path = \"tcp://address:10001\". "+
		"Not for models with USB alone (0AB1). "+
		"Source: FEIG system manuals H60301, H01113, H20800, H90692.", Open).At(38400, "even")

// The commands.
const (
	cmdDetect      = 0x52 // an answer proves speed and parity
	cmdVersion     = 0x65
	cmdReader      = 0x66
	cmdReset       = 0x69 // field off for 15 ms
	cmdField       = 0x6A
	cmdISO         = 0xB0
	cmdCustom      = 0xB1
	cmdTransparent = 0xBF
)

// Those of cmdISO. Others are numbered as over the air.
const (
	isoInventory = 0x01
	isoLock      = 0x22
	isoRead      = 0x23
	isoWrite     = 0x24
)

// Bits of MODE.
const (
	addressed = 0x01
	selected  = 0x02
	withLocks = 0x08 // of isoRead
	more      = 0x80 // of isoInventory: the rest of the last one
)

// Pad is an open reader.
type Pad struct {
	line
	config    Config
	name      string
	rx, tx    int         // longest frames that the reader takes and sends, in bytes
	chosen    drivers.UID // the selected tag; zero: none
	noCustoms bool        // it does not know cmdCustom
}

var (
	_ drivers.Pad         = (*Pad)(nil)
	_ drivers.BlockWriter = (*Pad)(nil)
	_ drivers.BlockLocker = (*Pad)(nil)
	_ drivers.LockReader  = (*Pad)(nil)
	_ drivers.AFIWriter   = (*Pad)(nil)
	_ drivers.EASWriter   = (*Pad)(nil)
	_ drivers.DSFIDWriter = (*Pad)(nil)
	_ drivers.Informer    = (*Pad)(nil)
	_ drivers.Radio       = (*Pad)(nil)
	_ drivers.Named       = (*Pad)(nil)
)

// Open finds out whether such a reader is there and ready, and what it is.
func Open(l drivers.Link, c Config) (*Pad, error) {
	p := &Pad{line: line{Link: l, reply: time.Duration(c.Reply), long: c.Frames == "advanced"}, config: c, rx: maxLen, tx: maxLen}
	_, p.quick = l.(drivers.Networked)
	if p.reply <= 0 {
		p.reply = 1500 * time.Millisecond
	}
	_, err := p.ask(cmdDetect, 0)
	if errors.Is(err, drivers.ErrSilent) && (c.Frames == "" || c.Frames == "auto") {
		p.long = true
		_, err = p.ask(cmdDetect, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("no FEIG reader answers: %w (as it comes it wants 38400 baud, parity even)", err)
	}
	if err := p.identify(); err != nil {
		return nil, err
	}
	a, err := p.ask(cmdISO, isoInventory, 0) // what it finds does not matter
	if err == nil && a.ailing() {
		_, err = a.ok()
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// models are reader types by SW-TYPE; newer ones have others.
var models = map[byte]string{
	40: "LR100", 41: "LR200", 60: "PRH101-A", 61: "PRH101-U", 71: "PRH100", 72: "PRH100", 73: "MR100", 74: "MR100", 75: "MR200",
	76: "MR101-A", 78: "MR101-U", 80: "CPR.M02", 81: "CPR.02", 82: "CPR40", 83: "CPR40", 84: "CPR.M03", 87: "CPR.04", 88: "CPR.04",
}

// identify asks for type, firmware and buffers.
func (p *Pad) identify() error {
	a, err := p.ask(cmdVersion)
	if err != nil {
		return err
	}
	b, err := a.ok()
	if err != nil || len(b) < 7 {
		return fmt.Errorf("version %x: %w", b, errors.Join(err, drivers.ErrUnsupported))
	}
	p.name = fmt.Sprintf("FEIG reader of type %d", b[4])
	if m, ok := models[b[4]]; ok {
		p.name = "FEIG " + m
	}
	p.name += fmt.Sprintf(", firmware %d.%d", b[0], b[1])
	if b[6]&0x08 == 0 {
		p.name += ", which says that it does not read ISO 15693"
	}
	if a, err = p.ask(cmdReader, 0); err != nil {
		return err
	}
	if b, err := a.ok(); err == nil && len(b) >= 11 {
		p.rx, p.tx = int(binary.BigEndian.Uint16(b[7:])), int(binary.BigEndian.Uint16(b[9:]))
	}
	return nil
}

// Identity implements drivers.Named.
func (p *Pad) Identity() string { return p.name }

// tries is how often a question is put whose answer does not come. All but
// locking may be done twice.
const tries = 3

func (p *Pad) persist(do func() error) error {
	var err error
	for range tries {
		if err = do(); !errors.Is(err, drivers.ErrSilent) {
			return err
		}
		p.chosen = drivers.UID{}
	}
	return err
}

// reset turns the field off for a moment: tags forget that they were listed,
// quiet or selected.
func (p *Pad) reset() error {
	p.chosen = drivers.UID{}
	a, err := p.ask(cmdReset)
	if err == nil {
		_, err = a.ok()
	}
	return err
}

// Radio implements drivers.Radio.
func (p *Pad) Radio(on bool) error {
	n := byte(0)
	if on {
		n = 1
	}
	return p.persist(func() error {
		p.chosen = drivers.UID{}
		a, err := p.ask(cmdField, n)
		if err == nil {
			_, err = a.ok()
		}
		return err
	})
}

// parts bounds the answers to one inventory.
const parts = 64

// Inventory implements drivers.Pad.
func (p *Pad) Inventory() (list []drivers.Tag, err error) {
	err = p.persist(func() error {
		list = nil
		if err := p.reset(); err != nil {
			return err
		}
		for mode, n := byte(0), 0; n < parts; mode, n = more, n+1 {
			a, err := p.ask(cmdISO, isoInventory, mode)
			if err != nil {
				return err
			}
			switch a.status {
			case statusNone:
				return nil
			case statusOK, statusRF, statusNoise, statusFull, statusMore:
				if err := sets(a.data, &list); err != nil {
					return err
				}
			}
			if a.status != statusMore {
				_, err := a.ok()
				return err
			}
		}
		return drivers.ErrFull
	})
	return list, err
}

const setISO15693 = 0x03

// setSize is the length of a data set by its TR-TYPE; 0: not known.
func setSize(b []byte) int {
	switch b[0] {
	case 0x04: // ISO 14443A: TR-INFO, OPT-INFO, 7 bytes or 10
		if len(b) > 1 && b[1]&0x04 != 0 {
			return 13
		}
		return 10
	case 0x00, setISO15693, 0x05: // I-Code 1; ISO 15693: DSFID, UID; ISO 14443B
		return 10
	}
	return 0
}

// sets reads the data sets of an inventory into the list: cards of other kinds
// are passed over.
func sets(b []byte, list *[]drivers.Tag) error {
	if len(b) == 0 {
		return nil
	}
	n := int(b[0])
	for b = b[1:]; n > 0; n-- {
		if len(b) == 0 {
			return fmt.Errorf("an inventory lacks %d tags: %w", n, drivers.ErrAir)
		}
		size := setSize(b)
		switch {
		case size == 0:
			return fmt.Errorf("a tag of type %02X hides %d others: %w", b[0], n-1, drivers.ErrUnsupported)
		case len(b) < size:
			return fmt.Errorf("an inventory lacks %d tags: %w", n, drivers.ErrAir)
		}
		if uid := drivers.UID(b[2:10]); b[0] == setISO15693 && !slices.ContainsFunc(*list, func(t drivers.Tag) bool { return t.UID == uid }) {
			*list = append(*list, drivers.Tag{UID: uid, DSFID: b[1]})
		}
		b = b[size:]
	}
	return nil
}

// Close implements drivers.Pad. The field stays as it is.
func (p *Pad) Close() error { return p.Link.Close() }
