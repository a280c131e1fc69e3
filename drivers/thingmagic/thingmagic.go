// Package thingmagic drives UHF modules of ThingMagic (JADAK): the M6e family,
// Nano, Micro, and readers and wands that have one inside. Serial or USB,
// 115200 baud 8N1.
//
// A frame is
//
//	FF  LEN  OP  [STATUS uint16]  data  CRC uint16
//
// big endian, where LEN counts the data alone, STATUS is in answers only, and
// the CRC is over LEN to data in a form of its own (see sum). A module reads
// continuously until it is told to stop: a frame for each tag it hears, and one
// of status 0400 each second. It is stopped for what is done to a tag's memory.
//
// Sources: the communication logs and code of SparkFun's library for the M6e
// Nano (start, continuous reading, reading memory by EPC). That a write to one
// EPC has its filter behind the bank, as a read has, is taken from the public
// description of ThingMagic's interface, and was not seen on a line.
package thingmagic

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// Config are the driver's options.
type Config struct {
	Reply  drivers.Duration `toml:"reply" default:"1s" help:"longest wait for one answer"`
	Round  drivers.Duration `toml:"round" default:"150ms" help:"how long one round of listening takes"`
	Region string           `toml:"region" default:"eu" help:"which law the radio keeps: eu, na, in, jp, cn, kr, au, nz"`
	Power  int              `toml:"power" default:"20" help:"power in dBm, 5 to 30; what is allowed depends on country and antenna"`
}

// regions are the codes of the modules (SparkFun's library).
var regions = map[string]byte{"in": 0x04, "jp": 0x05, "cn": 0x06, "eu": 0x08, "kr": 0x09, "au": 0x0B, "nz": 0x0C, "na": 0x0D}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	var bad []error
	if _, ok := regions[c.Region]; !ok {
		bad = append(bad, fmt.Errorf("region: must be one of %s", strings.Join(slices.Sorted(maps.Keys(regions)), ", ")))
	}
	if c.Power < 5 || c.Power > 30 {
		bad = append(bad, errors.New("power: must be from 5 to 30 dBm"))
	}
	if r := time.Duration(c.Round); r != 0 && (r < 20*time.Millisecond || r > 5*time.Second) {
		bad = append(bad, errors.New("round: must be from 20ms to 5s"))
	}
	return errors.Join(bad...)
}

// Driver is the family.
var Driver = drivers.Define("thingmagic",
	"UHF modules of ThingMagic (M6e, Nano, Micro) and wands with one inside, for inventories of tagged shelves. "+
		"Wiring: USB or serial, 3.3 V; baud = 115200. Source: communication logs and code of SparkFun's library for the M6e Nano.", Open).At(115200, "none")

// The commands.
const (
	opVersion  = 0x03
	opBoot     = 0x04 // from the boot loader into the firmware
	opProgram  = 0x0C // which of the two runs
	opTags     = 0x22 // what is heard in continuous reading
	opWrite    = 0x24
	opRead     = 0x28
	opMulti    = 0x2F // continuous reading
	opAntenna  = 0x91
	opPower    = 0x92
	opProtocol = 0x93
	opRegion   = 0x97
	opOption   = 0x9A
)

// begin and stop are the parameters of opMulti: reading without end by opTags
// and Gen2, all that is known of each tag told; and its end.
var (
	begin = []byte{0, 0, 1, opTags, 0, 0, 5, 7, opTags, 0x10, 0, 0x1B, 0x03, 0xE8, 0x01, 0xFF}
	stop  = []byte{0, 0, 2}
)

// Wand is an open module.
type Wand struct {
	line
	version []byte
	round   time.Duration
	reading bool      // continuously
	sign    time.Time // of life, the last one
}

var (
	_ drivers.Wand       = (*Wand)(nil)
	_ drivers.BankWriter = (*Wand)(nil)
	_ drivers.Named      = (*Wand)(nil)
)

// Open finds out whether a module is there, stops what it was doing, and sets
// it up.
func Open(l drivers.Link, c Config) (*Wand, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	w := &Wand{line: line{Frames: link.Frames[answer]{Link: l, Decode: decode}, reply: time.Duration(c.Reply)}, round: time.Duration(c.Round)}
	if w.reply <= 0 {
		w.reply = time.Second
	}
	if w.round <= 0 {
		w.round = 150 * time.Millisecond
	}
	if _, err := w.Write(question(opMulti, stop...)); err != nil { // an idle one says no
		return nil, err
	}
	var err error
	if w.version, err = w.ask(0, opVersion); err != nil {
		return nil, fmt.Errorf("no ThingMagic module answers: %w (it wants 115200 baud)", err)
	}
	return w, w.setUp(c)
}

func (w *Wand) setUp(c Config) error {
	program, err := w.ask(0, opProgram)
	if err != nil {
		return fmt.Errorf("which program runs: %w", err)
	}
	if len(program) > 0 && program[0]&3 == 1 {
		if _, err := w.ask(0, opBoot); err != nil {
			return fmt.Errorf("start of the firmware: %w", err)
		}
	}
	power := binary.BigEndian.AppendUint16(nil, uint16(c.Power*100)) // hundredths of dBm
	for _, s := range []struct {
		what string
		op   byte
		data []byte
	}{
		{"region", opRegion, []byte{regions[c.Region]}}, {"protocol Gen2", opProtocol, []byte{0, 5}}, {"antenna 1", opAntenna, []byte{1, 1}},
		{"power", opPower, power}, {"each tag told again", opOption, []byte{1, 0x0C, 0}},
	} {
		if _, err := w.ask(0, s.op, s.data...); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

// Identity implements drivers.Named: boot loader, hardware, date and number of
// the firmware, 4 bytes each.
func (w *Wand) Identity() string {
	if len(w.version) < 16 {
		return "ThingMagic module"
	}
	return fmt.Sprintf("ThingMagic module, hardware %X, firmware %d.%d.%d.%d of %X", w.version[4:8], w.version[12], w.version[13], w.version[14], w.version[15], w.version[8:12])
}

// lifeSign is how long a module that reads may say nothing: it says that it
// hears no tag about each second.
const lifeSign = 3 * time.Second

// Hear implements drivers.Wand. The module goes on reading when it returns.
func (w *Wand) Hear() (list []drivers.UHFTag, err error) {
	if !w.reading {
		if _, err := w.ask(0, opMulti, begin...); err != nil {
			return nil, fmt.Errorf("continuous reading: %w", err)
		}
		w.reading, w.sign = true, time.Now()
	}
	for end := time.Now().Add(w.round); ; {
		a, err := w.Next(end)
		switch {
		case errors.Is(err, drivers.ErrSilent) && time.Since(w.sign) < lifeSign:
			return list, nil
		case err != nil:
			return list, err
		}
		w.sign = time.Now()
		if a.op != opTags || a.status == statusNoTags {
			continue
		}
		if a.status != 0 {
			return list, errorOf(a.status)
		}
		t, ok := tagOf(a.data)
		if ok && !slices.ContainsFunc(list, func(o drivers.UHFTag) bool { return bytes.Equal(o.EPC, t.EPC) }) {
			list = append(list, t)
		}
		if time.Now().After(end) {
			return list, nil
		}
	}
}

// The fields that a record of a tag may have, in their order; one is there if
// its bit is set in the flags before them. Source: ThingMagic's interface.
const (
	hasRSSI = 1 << 1
	hasData = 1 << 7
)

var fieldSizes = []int{1, 1, 1, 3, 4, 2, 1, 2, 1} // reads, RSSI, antenna, kHz, ms, phase, protocol, bits of data, GPIO

// tagOf reads a record: option, search flags, flags, count, fields, bits of
// PC, EPC and check sum, those.
func tagOf(b []byte) (t drivers.UHFTag, ok bool) {
	if len(b) < 6 || b[5] != 1 {
		return t, false
	}
	flags := binary.BigEndian.Uint16(b[3:])
	b = b[6:]
	for i, size := range fieldSizes {
		if flags>>i&1 == 0 {
			continue
		}
		if len(b) < size {
			return t, false
		}
		switch 1 << i {
		case hasRSSI:
			t.RSSI = int(int8(b[0]))
		case hasData:
			size += (int(binary.BigEndian.Uint16(b)) + 7) / 8
		}
		if len(b) < size {
			return t, false
		}
		b = b[size:]
	}
	if len(b) < 2 {
		return t, false
	}
	n := int(binary.BigEndian.Uint16(b)) / 8
	if b = b[2:]; n != len(b) || n < 6 || n%2 != 0 || n-4 > maxEPC {
		return t, false
	}
	t.PC, t.EPC = binary.BigEndian.Uint16(b), b[2:n-2]
	return t, true
}

const maxEPC = 62 // bytes

// pause stops continuous reading: a module that reads does nothing else.
func (w *Wand) pause() error {
	if !w.reading {
		return nil
	}
	_, err := w.ask(0, opMulti, stop...)
	if errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrGone) {
		return fmt.Errorf("end of continuous reading: %w", err)
	}
	w.reading = false // one that says no was not reading any more
	return nil
}

// Rest implements drivers.Wand.
func (w *Wand) Rest() error {
	if w.reading {
		return w.pause()
	}
	_, err := w.ask(0, opVersion)
	return err
}

// tagTime is how long a module tries to reach a tag, in ms.
const tagTime = 300

// filter has a command go to the tags of an EPC alone: password, bits, EPC.
func filter(epc []byte) ([]byte, error) {
	if len(epc) == 0 || len(epc) > 31 {
		return nil, fmt.Errorf("an EPC of %d bytes can't be told to a module in 8 bits: %w", len(epc), drivers.ErrUnsupported)
	}
	return append([]byte{0, 0, 0, 0, byte(8 * len(epc))}, epc...), nil
}

// atOnce is how many words are read or written with one command.
const atOnce = 32

// ReadBank implements drivers.Wand.
func (w *Wand) ReadBank(epc []byte, bank drivers.Bank, first, n int) (all []byte, err error) {
	f, err := filter(epc)
	if err == nil {
		err = w.pause()
	}
	for n > 0 && err == nil {
		k := min(n, atOnce)
		req := binary.BigEndian.AppendUint16(nil, tagTime)
		req = append(req, 0x11, 0, 0, byte(bank)) // by EPC, nothing told beside the data
		req = append(binary.BigEndian.AppendUint32(req, uint32(first)), byte(k))
		var b []byte
		if b, err = w.ask(tagTime*time.Millisecond, opRead, append(req, f...)...); err != nil {
			return nil, err
		}
		if len(b) != 3+2*k {
			return nil, fmt.Errorf("%d bytes for %d words: %w", len(b), k, drivers.ErrAir)
		}
		all, first, n = append(all, b[3:]...), first+k, n-k
	}
	return all, err
}

// WriteBank implements drivers.BankWriter. The EPC bank is written with one
// command: with half a new EPC a tag is found by neither.
func (w *Wand) WriteBank(epc []byte, bank drivers.Bank, first int, data []byte) error {
	f, err := filter(epc)
	if err != nil {
		return err
	}
	if len(data)%2 != 0 {
		return fmt.Errorf("%d bytes are no whole words: %w", len(data), drivers.ErrUnsupported)
	}
	if err := w.pause(); err != nil {
		return err
	}
	for part := range slices.Chunk(data, 2*atOnce) {
		req := append(binary.BigEndian.AppendUint16(nil, tagTime), 0x01)
		req = append(binary.BigEndian.AppendUint32(req, uint32(first)), byte(bank))
		if _, err := w.ask(tagTime*time.Millisecond, opWrite, slices.Concat(req, f, part)...); err != nil {
			return fmt.Errorf("words from %d: %w", first, err)
		}
		first += len(part) / 2
	}
	return nil
}

// Close implements drivers.Wand: the module does not go on sending.
func (w *Wand) Close() error { return errors.Join(w.pause(), w.Link.Close()) }
