// Package rl866 drives readers of the RL866 and RL8000 family (RFIDLIB; sold
// under many names): serial, 38400 baud 8E1, or USB with a serial bridge (FTDI
// 0403:6001, Prolific 067b:2303).
//
// A block is
//
//	0xFA  LEN  RID  PCB  INF  CRC low  CRC high
//
// where LEN counts all but the first byte, RID is 0xFF for any reader, bit 6
// of PCB changes with each question and comes back with its answer, bit 5 says
// that more parts of the answer follow; CRC-16/MCRF4XX over LEN to INF. An
// S-block RESYNC (PCB 0xC0) begins anew. A tag is connected before its memory
// is read; one at a time.
//
// Sources: tests and code of lainuri, a Finnish self-checkout in use with such
// readers, and dp2's use of RFIDLIB. Not known from them, and so not done:
// locking, the DSFID, lock states. It is taken that the parts of an answer
// follow without being asked for.
package rl866

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// Config are the driver's options.
type Config struct {
	Reply drivers.Duration `toml:"reply" default:"1s" help:"longest wait for one answer"`
}

// Driver is the family.
var Driver = drivers.Define("rl866",
	"RL866 and RL8000 RFID pads (RFIDLIB), as many Chinese and some European libraries have. "+
		"Wiring: RS-232, or USB with a serial bridge (0403:6001, 067b:2303); baud = 38400, parity = \"even\". "+
		"Source: tests of lainuri, use of RFIDLIB in dp2.", Open).At(38400, "even")

// The commands.
const (
	cmdInventory  = 0x31
	cmdConnect    = 0x32
	cmdDisconnect = 0x33
	cmdMemory     = 0x34
)

// The operations of cmdMemory.
const (
	opRead     = 0x0003
	opWrite    = 0x0004
	opWriteAFI = 0x0006
	opInfo     = 0x000A
	opEASOn    = 0x000C
	opEASOff   = 0x000D
	opAlarm    = 0x000F
)

// kind is how an inventory describes a tag: protocol and type of chip.
type kind struct{ proto, chip byte }

// Pad is an open reader.
type Pad struct {
	line
	kinds     map[drivers.UID]kind
	connected drivers.UID
	handle    byte
	open      bool // a tag is connected
}

var (
	_ drivers.Pad         = (*Pad)(nil)
	_ drivers.BlockWriter = (*Pad)(nil)
	_ drivers.AFIWriter   = (*Pad)(nil)
	_ drivers.EASWriter   = (*Pad)(nil)
	_ drivers.Informer    = (*Pad)(nil)
)

// Open finds out whether such a reader is there.
func Open(l drivers.Link, c Config) (*Pad, error) {
	p := &Pad{line: line{Frames: link.Frames[frame]{Link: l, Decode: decode}, reply: time.Duration(c.Reply)}, kinds: map[drivers.UID]kind{}}
	if p.reply <= 0 {
		p.reply = time.Second
	}
	if err := p.restart(); err != nil {
		return nil, fmt.Errorf("no RL866 answers: %w (it wants 38400 baud, parity even)", err)
	}
	return p, nil
}

// tries is how often a question is put whose answer does not come. All that
// this driver asks for may be done twice.
const tries = 3

// persist does what may meet silence; before it is done again both sides begin
// anew, and no tag is connected any more.
func (p *Pad) persist(do func() error) error {
	var err error
	for range tries {
		if err = do(); !errors.Is(err, drivers.ErrSilent) {
			return err
		}
		p.open = false
		if err := p.restart(); err != nil {
			return err
		}
	}
	return err
}

// more asks for the rest of the last inventory.
const more = 0x08

// Inventory implements drivers.Pad.
func (p *Pad) Inventory() (list []drivers.Tag, err error) {
	err = p.persist(func() error {
		list = nil
		if err := p.disconnect(); err != nil {
			return err
		}
		for flags, n := byte(0), 0; n < 64; flags, n = more, n+1 {
			b, err := p.ask(cmdInventory, flags)
			if errors.Is(err, drivers.ErrNoTag) {
				return nil
			}
			if err != nil {
				return err
			}
			stop, err := p.list(b, &list)
			if err != nil || stop == 0 {
				return err
			}
		}
		return drivers.ErrFull
	})
	return list, err
}

// record is the length of a tag in an inventory: fields, protocol, chip, 9,
// UID, 0.
const record = 13

// list reads the answer to an inventory: stop, total, how many are here.
func (p *Pad) list(b []byte, list *[]drivers.Tag) (stop byte, err error) {
	if len(b) < 4 || len(b) < 4+int(b[3])*record {
		return 0, fmt.Errorf("inventory of %d bytes: %w", len(b), drivers.ErrAir)
	}
	stop, n := b[0], int(b[3])
	for b = b[4:]; n > 0; b, n = b[record:], n-1 {
		if b[0] != 0x0E || b[1] != 1 || b[3] != 9 {
			continue // not ISO 15693
		}
		uid := iso15693.UID(b[4:12])
		if slices.ContainsFunc(*list, func(t drivers.Tag) bool { return t.UID == uid }) {
			continue
		}
		p.kinds[uid] = kind{b[1], b[2]}
		*list = append(*list, drivers.Tag{UID: uid})
	}
	return stop, nil
}

func (p *Pad) disconnect() error {
	if !p.open {
		return nil
	}
	p.open = false
	_, err := p.ask(cmdDisconnect, p.handle)
	if errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrGone) {
		return err
	}
	return nil // the reader has let go of it by itself
}

// connect makes uid the tag that the reader talks to.
func (p *Pad) connect(uid drivers.UID) error {
	if p.open && p.connected == uid {
		return nil
	}
	if err := p.disconnect(); err != nil {
		return err
	}
	k, ok := p.kinds[uid]
	if !ok {
		k = kind{1, 1}
	}
	b, err := p.ask(cmdConnect, append([]byte{0, k.proto, k.chip, 9, 1}, iso15693.Reversed(uid)...)...)
	if err != nil {
		return err
	}
	if len(b) != 1 {
		return fmt.Errorf("connected with %d bytes: %w", len(b), drivers.ErrAir)
	}
	p.open, p.connected, p.handle = true, uid, b[0]
	return nil
}

// memory has a connected tag do something, and lets it go if that fails.
func (p *Pad) memory(uid drivers.UID, op uint16, data ...byte) (out []byte, err error) {
	err = p.persist(func() error {
		if err := p.connect(uid); err != nil {
			return err
		}
		req := append([]byte{p.handle, byte(2 + len(data)), byte(op), byte(op >> 8)}, data...)
		b, err := p.ask(cmdMemory, req...)
		if err == nil {
			out, err = result(b, op)
		}
		if err != nil && !errors.Is(err, drivers.ErrSilent) {
			return errors.Join(err, p.disconnect())
		}
		return err
	})
	return out, err
}

// result reads the answer of a memory operation: length, code, 1 and data, or
// 0 and an error.
func result(b []byte, op uint16) ([]byte, error) {
	if len(b) < 4 || int(b[0]) != len(b)-1 || binary.LittleEndian.Uint16(b[1:]) != op {
		return nil, fmt.Errorf("answer %x to operation %04X: %w", b[:min(len(b), 4)], op, drivers.ErrAir)
	}
	if b[3] == 1 {
		return b[4:], nil
	}
	if len(b) < 6 {
		return nil, drivers.ErrNoTag
	}
	return nil, errorOf(binary.LittleEndian.Uint16(b[4:]))
}

func words(n ...int) (b []byte) {
	for _, v := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// atOnce is how many blocks are read or written with one command: an answer
// must fit into one frame.
const atOnce = 24

// Read implements drivers.Pad.
func (p *Pad) Read(uid drivers.UID, first, n int) (drivers.Blocks, error) {
	var all drivers.Blocks
	for n > 0 {
		k := min(n, atOnce)
		b, err := p.memory(uid, opRead, append([]byte{0}, words(first, k)...)...)
		if err != nil && all.Size > 0 && errors.Is(err, drivers.ErrNotWritten) {
			return all, nil // the memory has ended
		}
		if err != nil {
			return all, err
		}
		part, err := blocks(b)
		if err != nil {
			return all, err
		}
		all.Size, all.Data = part.Size, append(all.Data, part.Data...)
		if part.N() < k {
			break
		}
		first, n = first+k, n-k
	}
	return all, nil
}

// blocks reads count and data.
func blocks(b []byte) (drivers.Blocks, error) {
	if len(b) < 2 {
		return drivers.Blocks{}, fmt.Errorf("blocks without a count: %w", drivers.ErrAir)
	}
	n, data := int(binary.LittleEndian.Uint16(b)), b[2:]
	if n == 0 || len(data) == 0 || len(data)%n != 0 {
		return drivers.Blocks{}, fmt.Errorf("%d bytes in %d blocks: %w", len(data), n, drivers.ErrAir)
	}
	return drivers.Blocks{Size: len(data) / n, Data: data}, nil
}

// Write implements drivers.BlockWriter.
func (p *Pad) Write(uid drivers.UID, first int, b drivers.Blocks) error {
	for at := 0; at < b.N(); at += atOnce {
		k := min(b.N()-at, atOnce)
		data := b.Data[at*b.Size : (at+k)*b.Size]
		if _, err := p.memory(uid, opWrite, append(words(first+at, k), data...)...); err != nil {
			return fmt.Errorf("blocks from %d: %w", first+at, err)
		}
	}
	return nil
}

// Info implements drivers.Informer.
func (p *Pad) Info(uid drivers.UID) (drivers.Info, error) {
	b, err := p.memory(uid, opInfo)
	if err != nil {
		return drivers.Info{}, err
	}
	i, got, err := iso15693.ParseInfo(b)
	if err == nil && got != uid {
		err = fmt.Errorf("tag %s answered: %w", got, drivers.ErrAir)
	}
	return i, err
}

// AFI implements drivers.AFIWriter.
func (p *Pad) AFI(uid drivers.UID) (byte, error) {
	i, err := p.Info(uid)
	return i.AFI, err
}

// WriteAFI implements drivers.AFIWriter.
func (p *Pad) WriteAFI(uid drivers.UID, afi byte) error {
	_, err := p.memory(uid, opWriteAFI, afi)
	return err
}

// EAS implements drivers.EASWriter. A tag whose EAS is off is silent.
func (p *Pad) EAS(uid drivers.UID) (bool, error) {
	_, err := p.memory(uid, opAlarm)
	if errors.Is(err, drivers.ErrNoTag) {
		_, err = p.Info(uid)
		return false, err
	}
	return err == nil, err
}

// WriteEAS implements drivers.EASWriter.
func (p *Pad) WriteEAS(uid drivers.UID, on bool) error {
	op := uint16(opEASOff)
	if on {
		op = opEASOn
	}
	_, err := p.memory(uid, op)
	return err
}

// Close implements drivers.Pad: no tag stays connected.
func (p *Pad) Close() error {
	return errors.Join(p.disconnect(), p.Link.Close())
}
