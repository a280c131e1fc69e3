// Package cfrh320 drives the Chafon CF-RH320U-93, a cheap ISO 15693 desktop
// reader: USB FFFF:0035, HID feature reports of 256 bytes, 1 for questions and
// 2 for answers, on interface 1.
//
// A question is
//
//	01 00 00 00 00 00 08 00 AA 00  LEN  command  data  XOR  BB
//
// where LEN counts command and data and XOR goes over LEN to data. An answer
// has 00 and data, or 01 and a code, in their place. Source: the library
// cf_rh320u_93_reader of michaelwright235, written against such a reader; it
// does not look at the answers' LEN and XOR, which are taken to be as in
// questions.
//
// Reading is not addressed: the reader takes a UID and does not heed it. So
// every tag but the one that is meant is told to stay quiet, more than once for
// no tag says that it has heard it, that one is selected, and the request goes
// to what is selected, if the reader takes that flag. A tag at the edge can
// miss all that and answer for another. So an inventory before and after must
// show that no other tag could have answered, and what is read must read the
// same twice. A tag is written only while it lies there alone. AFI, EAS, DSFID
// and locks are not known from the source: this reader is for identifying and
// preparing, not for the security of a kiosk.
package cfrh320

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

// Config are the driver's options: there are none.
type Config struct{}

// Driver is the family.
var Driver = drivers.DefineReports("cfrh320",
	"Chafon CF-RH320U-93 desktop reader: reads stacks, writes one tag at a time, does not set security. "+
		"Wiring: USB, vid = 0xffff, pid = 0x0035, interface = 1. "+
		"Source: the library cf_rh320u_93_reader (michaelwright235).", Open)

// The commands.
const (
	cmdInventory = 0x10
	cmdRead      = 0x11
	cmdWrite     = 0x12
	cmdQuiet     = 0x14
	cmdSelect    = 0x15
)

// Flags of ISO/IEC 15693-3, which the reader passes on.
const (
	all     = iso15693.FlagHigh
	slots16 = iso15693.FlagHigh | iso15693.FlagInventory
	onlyUID = iso15693.FlagHigh | iso15693.FlagAddress
	chosen  = iso15693.FlagHigh | iso15693.FlagSelect
)

// Pad is an open reader.
type Pad struct {
	dev    drivers.Reports
	listed []drivers.UID // by the last inventory
	quiet  map[drivers.UID]bool
	plain  bool // the reader does not take the select flag
}

var (
	_ drivers.Pad         = (*Pad)(nil)
	_ drivers.BlockWriter = (*Pad)(nil)
)

// Open finds out whether such a reader is there.
func Open(dev drivers.Reports, _ Config) (*Pad, error) {
	p := &Pad{dev: dev, quiet: map[drivers.UID]bool{}}
	if _, err := p.Inventory(); err != nil {
		return nil, fmt.Errorf("no CF-RH320U-93 answers: %w", err)
	}
	return p, nil
}

// tries is how often a question is put that gets no sensible answer.
const tries = 3

// ask puts a question. A device that refuses reports, or answers something
// else, is silent.
func (p *Pad) ask(said ...byte) ([]byte, error) {
	var err error
	for range tries {
		if err = p.dev.SendFeature(encode(said)); err != nil {
			break
		}
		b := make([]byte, size)
		b[0] = answer
		var n int
		if n, err = p.dev.GetFeature(b); err != nil {
			break
		}
		var got []byte
		if got, err = decode(b[:min(n, size)]); err == nil {
			return status(got)
		}
	}
	if errors.Is(err, drivers.ErrGone) {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %v", drivers.ErrSilent, err)
}

// Inventory implements drivers.Pad. Quiet tags do not answer it, and the field
// can't be turned off: those are selected one after the other, which ends
// their quiet.
func (p *Pad) Inventory() ([]drivers.Tag, error) {
	for uid := range p.quiet {
		if _, err := p.toOne(cmdSelect, uid); broken(err) {
			return nil, err
		}
	}
	clear(p.quiet)
	p.listed = nil
	b, err := p.ask(cmdInventory, slots16, 0, 0)
	if errors.Is(err, drivers.ErrNoTag) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.list(b)
}

func broken(err error) bool {
	return errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrGone)
}

// record is a tag in an inventory: two bytes and the UID.
const record = 10

// most is how many tags fit into an answer.
const most = (size - body - 5) / record

// list reads the answer to an inventory: a count, then a record for each.
func (p *Pad) list(b []byte) ([]drivers.Tag, error) {
	n := int(b[0])
	if len(b) < 1+n*record {
		return nil, fmt.Errorf("inventory of %d bytes for %d tags: %w", len(b), n, drivers.ErrAir)
	}
	var tags []drivers.Tag
	for ; n > 0; n-- {
		uid := iso15693.UID(b[1+(n-1)*record+2:])
		if !slices.Contains(p.listed, uid) {
			p.listed = append(p.listed, uid)
			tags = append(tags, drivers.Tag{UID: uid})
		}
	}
	if len(tags) >= most {
		return tags, drivers.ErrFull // there may be more than the report holds
	}
	return tags, nil
}

// toOne sends a command that is addressed.
func (p *Pad) toOne(cmd byte, uid drivers.UID) ([]byte, error) {
	return p.ask(append([]byte{cmd, onlyUID}, iso15693.Reversed(uid)...)...)
}

// hush is how often a tag is told to be quiet.
const hush = 3

// alone sees to it that of all listed tags only one can answer.
func (p *Pad) alone(uid drivers.UID) error {
	for _, other := range p.listed {
		if other == uid || p.quiet[other] {
			continue
		}
		for range hush {
			if _, err := p.toOne(cmdQuiet, other); broken(err) {
				return err
			}
		}
		p.quiet[other] = true
	}
	_, err := p.toOne(cmdSelect, uid)
	delete(p.quiet, uid)
	return err
}

// atOnce is how many blocks are read with one question.
const atOnce = 32

// Read implements drivers.Pad.
func (p *Pad) Read(uid drivers.UID, first, n int) (drivers.Blocks, error) {
	if err := p.alone(uid); err != nil {
		return drivers.Blocks{}, err
	}
	if err := p.sure(uid); err != nil {
		return drivers.Blocks{}, err
	}
	out, err := p.lone(first, n)
	if err != nil {
		return out, err
	}
	again, err := p.lone(first, n)
	if err == nil && (again.Size != out.Size || !bytes.Equal(again.Data, out.Data)) {
		err = fmt.Errorf("it reads otherwise the second time: %w", drivers.ErrAir)
	}
	if err == nil {
		err = p.sure(uid)
	}
	return out, err
}

// lone reads what is selected, or what is not quiet.
func (p *Pad) lone(first, n int) (drivers.Blocks, error) {
	if !p.plain {
		out, err := p.read(chosen, first, n)
		if !errors.Is(err, drivers.ErrUnsupported) {
			return out, err
		}
		p.plain = true
	}
	return p.read(all, first, n)
}

// sure tells whether only one tag answers.
func (p *Pad) sure(uid drivers.UID) error {
	listed := p.listed
	b, err := p.ask(cmdInventory, slots16, 0, 0)
	if err != nil {
		return err
	}
	p.listed = nil
	tags, err := p.list(b)
	p.listed = listed
	if err == nil && (len(tags) != 1 || tags[0].UID != uid) {
		err = fmt.Errorf("another tag may have answered: %w", drivers.ErrAir)
	}
	return err
}

func (p *Pad) read(flags byte, first, n int) (drivers.Blocks, error) {
	var out drivers.Blocks
	for n > 0 {
		k := min(n, atOnce)
		b, err := p.ask(cmdRead, flags, byte(first), byte(k))
		if err != nil && out.Size > 0 && !broken(err) {
			return out, nil // the memory has ended
		}
		if err != nil {
			return out, err
		}
		part, err := blocks(b)
		if err != nil {
			return out, err
		}
		out.Size, out.Data = part.Size, append(out.Data, part.Data...)
		if part.N() < k {
			break
		}
		first, n = first+k, n-k
	}
	return out, nil
}

// blocks reads a count of blocks and their bytes.
func blocks(b []byte) (drivers.Blocks, error) {
	if len(b) < 2 || b[0] == 0 || (len(b)-1)%int(b[0]) != 0 {
		return drivers.Blocks{}, fmt.Errorf("blocks in %d bytes: %w", len(b), drivers.ErrAir)
	}
	return drivers.Blocks{Size: (len(b) - 1) / int(b[0]), Data: b[1:]}, nil
}

// ErrNotAlone says that another tag might be written instead.
var ErrNotAlone = errors.New("this reader can't say to which tag it writes: lay the tag there alone")

// Write implements drivers.BlockWriter, for a tag that lies there alone.
func (p *Pad) Write(uid drivers.UID, first int, b drivers.Blocks) error {
	tags, err := p.Inventory()
	switch {
	case err != nil:
		return err
	case !slices.ContainsFunc(tags, func(t drivers.Tag) bool { return t.UID == uid }):
		return drivers.ErrNoTag
	case len(tags) > 1:
		return ErrNotAlone
	}
	if _, err := p.toOne(cmdSelect, uid); err != nil {
		return err
	}
	for i := range b.N() {
		said := append([]byte{cmdWrite, all, byte(first + i), 1}, b.Data[i*b.Size:(i+1)*b.Size]...)
		if _, err := p.ask(said...); err != nil {
			return fmt.Errorf("block %d: %w", first+i, err)
		}
	}
	return nil
}

// Close implements drivers.Pad.
func (p *Pad) Close() error { return p.dev.Close() }
