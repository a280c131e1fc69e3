// Package chafonuhf drives UHF readers of Chafon and their kin: the families
// UHFReader18 (CF-RU5102, CF-RU5106), UHFReader288 and UHFReader86 (CF-MU903,
// CF-MU904). Serial or USB with a serial bridge, 57600 baud 8N1 as they come,
// or TCP by a bridge.
//
// A frame is
//
//	LEN  ADR  CMD  [STATUS]  data  CRC low  CRC high
//
// where LEN counts all but itself, ADR is FF for any reader, STATUS is in
// answers only; CRC-16/MCRF4XX over LEN to data. Nothing numbers the frames: a
// reader answers in order, and ignores what comes while it is busy. An
// inventory is a round of up to its scan time; its answers follow each other,
// status 03 says that there are more, 01 that it has ended, 02 that the time
// is over. UHFReader18 lists length and EPC; the others antenna first, and a
// byte for the strength behind each EPC, whose scale is not known.
//
// Sources: the frames and code of wabson/chafon-rfid (inventory, information);
// a public C program for the CF-RU5102 (read and write of memory, statuses).
// No reader tells the PC of a tag: it is read from the EPC bank.
package chafonuhf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// Config are the driver's options.
type Config struct {
	Reply drivers.Duration `toml:"reply" default:"1s" help:"longest wait for one answer"`
	Round drivers.Duration `toml:"round" default:"300ms" help:"how long one round of listening takes; readers of the family UHFReader18 have their own"`
	Power int              `toml:"power" help:"power in dBm, 1 to 30, kept by the reader; 0: as it is. What is allowed depends on country and antenna"`
}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	var bad []error
	if r := time.Duration(c.Round); r != 0 && (r < unit || r > maxRound) {
		bad = append(bad, fmt.Errorf("round: must be from %v to %v", unit, maxRound))
	}
	if c.Power < 0 || c.Power > 30 {
		bad = append(bad, errors.New("power: must be from 0 to 30 dBm"))
	}
	return errors.Join(bad...)
}

// A reader counts its scan time in tenths of a second, in one byte.
const (
	unit     = 100 * time.Millisecond
	maxRound = 5 * time.Second
)

// Driver is the family.
var Driver = drivers.Define("chafonuhf",
	"UHF readers and wands of Chafon and their kin (UHFReader18, 288, 86; CF-RU5102, CF-MU904), for inventories of tagged shelves. "+
		"Wiring: RS-232, or USB with a serial bridge; baud = 57600. "+
		"Source: frames and code of wabson/chafon-rfid, a public C program for the CF-RU5102.", Open).At(57600, "none")

// The commands.
const (
	cmdInventory = 0x01
	cmdRead      = 0x02
	cmdWrite     = 0x03
	cmdInfo      = 0x21
	cmdPower     = 0x2F
)

// The statuses of an inventory.
const (
	ended     = 0x01
	timeOver  = 0x02
	more      = 0x03
	full      = 0x04 // the reader has no place for more tags
	counted   = 0x26 // figures about the round, before its end
	nobodyYet = 0xFB
)

// reader18 is the type of the family that lists tags without antenna and
// strength.
const reader18 = 0x09

// info is what a reader says of itself.
type info struct {
	version [2]byte
	kind    byte
	power   byte          // dBm
	scan    time.Duration // of a round
}

func infoOf(a answer) (i info, ok bool) {
	if a.cmd != cmdInfo || a.status != 0 || len(a.data) < 8 {
		return i, false
	}
	return info{[2]byte(a.data), a.data[2], a.data[6], time.Duration(a.data[7]) * unit}, true
}

// Wand is an open reader.
type Wand struct {
	line
	info
	round time.Duration
}

var (
	_ drivers.Wand       = (*Wand)(nil)
	_ drivers.BankWriter = (*Wand)(nil)
	_ drivers.Named      = (*Wand)(nil)
)

// Open finds out which reader is there.
func Open(l drivers.Link, c Config) (*Wand, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	w := &Wand{line: line{Frames: link.Frames[answer]{Link: l, Decode: decode}, reply: time.Duration(c.Reply)}, round: time.Duration(c.Round)}
	if w.reply <= 0 {
		w.reply = time.Second
	}
	if w.round <= 0 {
		w.round = 3 * unit
	}
	var err error
	if w.info, err = w.who(); err != nil {
		return nil, fmt.Errorf("no UHF reader answers: %w (it wants 57600 baud as it comes)", err)
	}
	if w.kind == reader18 {
		w.round = w.scan
	}
	if p := byte(c.Power); p != 0 && p != w.power {
		if _, err := w.one(cmdPower, p); err != nil {
			return nil, fmt.Errorf("power of %d dBm: %w", p, err)
		}
		w.power = p
	}
	return w, nil
}

// Identity implements drivers.Named.
func (w *Wand) Identity() string {
	family := map[byte]string{reader18: "UHFReader18", 0x0C: "UHFReader288", 0x0F: "UHFReader86", 0x10: "UHFReader86"}[w.kind]
	if family == "" {
		family = fmt.Sprintf("UHF reader of type %02X", w.kind)
	}
	return fmt.Sprintf("Chafon %s, firmware %d.%d, %d dBm", family, w.version[0], w.version[1], w.power)
}

// query is what an inventory is asked with: nothing of UHFReader18; of the
// others Q and session, a mask of no bits in the EPC bank, target A, antenna 1,
// and the scan time.
func (w *Wand) query() []byte {
	if w.kind == reader18 {
		return nil
	}
	const q, session, epcBank, target, antenna = 4, 0, 1, 0, 0x80
	return []byte{q, session, epcBank, 0, 0, 0, target, antenna, byte(w.round / unit)}
}

// Hear implements drivers.Wand. An answer that is lost or damaged on the way
// ends the round; what was heard before it is right.
func (w *Wand) Hear() (list []drivers.UHFTag, err error) {
	err = w.ask(w.round, func(a answer) (last bool, err error) {
		switch a.status {
		case counted:
			return false, nil
		case ended, timeOver, more, full:
			err = w.list(a.data, &list)
			return a.status != more, err
		case nobodyYet:
			return true, nil
		}
		return true, errorOf(a)
	}, cmdInventory, w.query()...)
	switch {
	case errors.Is(err, drivers.ErrAir):
		return list, nil
	case errors.Is(err, drivers.ErrSilent):
		_, err = w.who() // is it there?
	}
	return list, err
}

// Rest implements drivers.Wand: it listens only when it is asked to.
func (w *Wand) Rest() error {
	_, err := w.who()
	return err
}

// list adds the tags of an answer, each once.
func (w *Wand) list(b []byte, list *[]drivers.UHFTag) error {
	behind := 0
	if w.kind != reader18 {
		if len(b) == 0 {
			return nil
		}
		b, behind = b[1:], 1
	}
	if len(b) == 0 {
		return nil
	}
	n := int(b[0])
	for b = b[1:]; n > 0; n-- {
		if len(b) == 0 || len(b) < 1+int(b[0])+behind {
			return fmt.Errorf("inventory that ends within a tag: %w", drivers.ErrAir)
		}
		size := int(b[0])
		epc := b[1 : 1+size]
		b = b[1+size+behind:]
		if size == 0 || size > maxEPC || size%2 != 0 {
			continue // of a tag that has none, or of another protocol
		}
		if !slices.ContainsFunc(*list, func(t drivers.UHFTag) bool { return bytes.Equal(t.EPC, epc) }) {
			*list = append(*list, drivers.UHFTag{EPC: epc})
		}
	}
	return nil
}

const maxEPC = 62 // bytes

// atOnce is how many words are read or written with one command.
const atOnce = 32

// at is how commands to a tag's memory begin: words of EPC, EPC, bank, place.
func at(epc []byte, bank drivers.Bank, first int) ([]byte, error) {
	if len(epc) > maxEPC || len(epc)%2 != 0 || first < 0 || first > 0xFF {
		return nil, fmt.Errorf("word %d of a tag with an EPC of %d bytes: %w", first, len(epc), drivers.ErrUnsupported)
	}
	return append(append([]byte{byte(len(epc) / 2)}, epc...), byte(bank), byte(first)), nil
}

var noPassword = []byte{0, 0, 0, 0}

// ReadBank implements drivers.Wand.
func (w *Wand) ReadBank(epc []byte, bank drivers.Bank, first, n int) (all []byte, err error) {
	for n > 0 {
		k := min(n, atOnce)
		b, err := at(epc, bank, first)
		if err != nil {
			return nil, err
		}
		part, err := w.one(cmdRead, append(append(b, byte(k)), noPassword...)...)
		if err != nil {
			return nil, err
		}
		if len(part) != 2*k {
			return nil, fmt.Errorf("%d bytes for %d words: %w", len(part), k, drivers.ErrAir)
		}
		all, first, n = append(all, part...), first+k, n-k
	}
	return all, nil
}

// WriteBank implements drivers.BankWriter. The EPC bank is written with one
// command: with half a new EPC a tag is found by neither.
func (w *Wand) WriteBank(epc []byte, bank drivers.Bank, first int, data []byte) error {
	if len(data)%2 != 0 {
		return fmt.Errorf("%d bytes are no whole words: %w", len(data), drivers.ErrUnsupported)
	}
	for part := range slices.Chunk(data, 2*atOnce) {
		b, err := at(epc, bank, first)
		if err != nil {
			return err
		}
		if _, err := w.one(cmdWrite, slices.Concat([]byte{byte(len(part) / 2)}, b, part, noPassword)...); err != nil {
			return fmt.Errorf("words from %d: %w", first, err)
		}
		first += len(part) / 2
	}
	return nil
}
