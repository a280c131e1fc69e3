// Package rfid3m drives the serial RFID pads of 3M, since sold by bibliotheca:
// models 210, 810 and their kin. USB with a serial bridge, 19200 baud 8N1, no
// flow control.
//
// A frame is
//
//	0xD6  LEN uint16 BE  command  data  CRC uint16 BE
//
// where LEN counts all that follows it and the CRC is CRC-16/GENIBUS over LEN
// to data. An answer repeats the command; a status and, for most commands, the
// UID of the tag stand before its data. A UID goes most significant byte first,
// memory in its own order. The reader does one thing at a time and ignores what
// it is told meanwhile.
//
//	FE  AFI options              AFI options n, n times: DSFID UID
//	02  UID first n              UID n, n times: block lock memory
//	04  UID first n 00 memory    UID block
//	08  UID block                UID
//	0A  UID                      UID AFI
//	09  UID AFI                  UID
//	03  UID                      UID; status 06 where EAS is off
//	0C  UID EAS                  UID
//	0B  UID DSFID                UID
//	0D  UID mask                 UID mask DSFID AFI size-1 blocks-1 IC
//	11                           maker (0A is 3M) major minor build
//
// Sources: 3M RFID Reader Protocol Specification 1.0.0 for model 210, of 2009
// (frames, commands, status codes); Biblio-RFID, years in use on an 810, for
// the greeting with start byte D5 and for late answers; the labeller of
// Helsinki's libraries, in use on a 210, for the inventory with DSFID and the
// order of the fields of 0D.
//
// Not known: what the reader says of blocks past the end of the memory (status
// 11 is expected, and an end is also found by 0D), how it treats blocks that do
// not have 4 bytes (they are taken to come whole), what command 13 sets, how an
// 830 differs. The statuses 21 to 23 are errors of the tag that the sources do
// not tell apart.
package rfid3m

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Config are the driver's options.
type Config struct {
	Reply drivers.Duration `toml:"reply" default:"1500ms" help:"longest wait for one answer"`
	Init  string           `toml:"init" help:"parameters of command 13 to send at the start, as \"04 01 00 02 00 03 00 04 00\"; a reader is expected to need none"`
}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	_, err := c.init()
	return err
}

func (c Config) init() ([]byte, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(c.Init, " ", ""))
	if err != nil || len(b) > 32 {
		return nil, fmt.Errorf("init: %.100q: must be up to 32 bytes in hexadecimal", c.Init)
	}
	return b, nil
}

// Driver is the family.
var Driver = drivers.Define("rfid3m",
	"3M and bibliotheca RFID pads, models 210 and 810. "+
		"Wiring: USB with a serial bridge; baud = 19200. "+
		"Source: 3M RFID Reader Protocol Specification 1.0.0; Biblio-RFID.", Open).At(19200, "none")

// The commands.
const (
	cmdRead       = 0x02
	cmdEAS        = 0x03
	cmdWrite      = 0x04
	cmdLock       = 0x08
	cmdWriteAFI   = 0x09
	cmdAFI        = 0x0A
	cmdWriteDSFID = 0x0B
	cmdWriteEAS   = 0x0C
	cmdInfo       = 0x0D
	cmdVersion    = 0x11
	cmdInit       = 0x13
	cmdInventory  = 0xFE
)

// What an inventory is to tell of each tag.
const (
	tellUID   = 0x05
	tellDSFID = 0x02
)

// errorOf is what a status means.
func errorOf(status byte) error {
	err := drivers.ErrAir // not read, cancelled, the tag's own errors, unknown
	switch status {
	case 0x02, 0x30, 0x31, 0x32:
		err = drivers.ErrUnsupported
	case 0x06:
		err = drivers.ErrNoTag
	case 0x11:
		err = drivers.ErrNoBlock
	case 0x12:
		err = drivers.ErrLocked
	case 0x16:
		err = drivers.ErrNotWritten
	}
	return fmt.Errorf("reader says error %02X: %w", status, err)
}

// Pad is an open reader.
type Pad struct {
	line
	tell byte // by an inventory
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
	_ drivers.Named       = (*Pad)(nil)
)

// Open finds out whether such a reader is there. One that does not know the
// greeting, which is in no document, tells its version.
func Open(l drivers.Link, c Config) (*Pad, error) {
	init, err := c.init()
	if err != nil {
		return nil, err
	}
	p := &Pad{line{Link: l, reply: time.Duration(c.Reply), init: init}, tellUID | tellDSFID}
	if p.reply <= 0 {
		p.reply = 1500 * time.Millisecond
	}
	if err = p.greet(); errors.Is(err, drivers.ErrSilent) {
		err = p.sync()
	}
	if errors.Is(err, drivers.ErrSilent) {
		err = fmt.Errorf("no 3M pad answers: %w (it wants 19200 baud, no parity)", err)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Identity implements drivers.Named.
func (p *Pad) Identity() string {
	switch v := p.version; {
	case len(v) != 4:
		return "3M RFID pad"
	case v[0] != 0x0A:
		return fmt.Sprintf("RFID pad of maker %02X, version %d.%d.%d", v[0], v[1], v[2], v[3])
	default:
		return fmt.Sprintf("3M RFID pad, version %d.%d.%d", v[1], v[2], v[3])
	}
}

// tries is how often a question is put whose answer does not come.
const tries = 3

// persist asks what may be asked twice. It is asked again when no answer to it
// is under way any more.
func (p *Pad) persist(cmd byte, uid []byte, data ...byte) (b []byte, err error) {
	for range tries {
		if b, err = p.ask(cmd, uid, data...); !errors.Is(err, drivers.ErrSilent) {
			return b, err
		}
		if err := p.sync(); err != nil {
			return nil, err
		}
	}
	return nil, err
}

// value asks for what has a byte at least.
func (p *Pad) value(cmd byte, uid drivers.UID, data ...byte) ([]byte, error) {
	b, err := p.persist(cmd, uid[:], data...)
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("answer to %02X without data: %w", cmd, drivers.ErrAir)
	}
	return b, err
}

// Inventory implements drivers.Pad. Firmware that does not tell the DSFID is
// not asked for it again.
func (p *Pad) Inventory() ([]drivers.Tag, error) {
	b, err := p.persist(cmdInventory, nil, 0, p.tell)
	if errors.Is(err, drivers.ErrUnsupported) && p.tell != tellUID {
		p.tell = tellUID
		b, err = p.persist(cmdInventory, nil, 0, p.tell)
	}
	if errors.Is(err, drivers.ErrNoTag) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return tags(b)
}

// tags reads an inventory: AFI, options, a count, and of each tag the UID, with
// the DSFID before it or not. A tag may be there twice.
func tags(b []byte) (list []drivers.Tag, err error) {
	if len(b) < 3 {
		return nil, fmt.Errorf("inventory of %d bytes: %w", len(b), drivers.ErrAir)
	}
	n, b := int(b[2]), b[3:]
	if len(b) != 8*n && len(b) != 9*n {
		return nil, fmt.Errorf("%d tags in %d bytes: %w", n, len(b), drivers.ErrAir)
	}
	for size := len(b) / max(n, 1); len(b) > 0; b = b[size:] {
		t := drivers.Tag{UID: drivers.UID(b[size-8:])}
		if size == 9 {
			t.DSFID = b[0]
		}
		if !slices.ContainsFunc(list, func(o drivers.Tag) bool { return o.UID == t.UID }) {
			list = append(list, t)
		}
	}
	return list, nil
}

// Blocks.
const (
	readAtOnce  = 16
	writeAtOnce = 8
	numbered    = 256 // a number has one byte
)

// memory is a part of a tag's memory.
type memory struct {
	drivers.Blocks
	locked []bool
}

// Read implements drivers.Pad.
func (p *Pad) Read(uid drivers.UID, first, n int) (drivers.Blocks, error) {
	m, err := p.memory(uid, first, n)
	return m.Blocks, err
}

// Locked implements drivers.LockReader.
func (p *Pad) Locked(uid drivers.UID, first, n int) ([]bool, error) {
	m, err := p.memory(uid, first, n)
	return m.locked, err
}

// memory reads n blocks, or up to the end of the memory. Where the reader
// refuses many it is asked for fewer, in the end for one.
func (p *Pad) memory(uid drivers.UID, first, n int) (all memory, err error) {
	if n = min(n, numbered-first); n <= 0 {
		return all, drivers.ErrNoBlock
	}
	for k := readAtOnce; n > 0; {
		k = min(k, n)
		b, err := p.value(cmdRead, uid, byte(first), byte(k))
		var m memory
		if err == nil {
			m, err = blocks(b, first, k, all.Size)
		}
		switch got := m.N(); {
		case got > 0:
			all.Size, all.Data, all.locked = m.Size, append(all.Data, m.Data...), append(all.locked, m.locked...)
			first, n = first+got, n-got
		case broken(err) || errors.Is(err, drivers.ErrNoTag):
			return memory{}, err
		case k > 1:
			k /= 2
		case all.Size > 0 && p.ended(uid, first, err):
			return all, nil
		default:
			return memory{}, err
		}
	}
	return all, nil
}

func broken(err error) bool {
	return errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrGone)
}

// ended tells whether it was the end of the memory that refused a block.
func (p *Pad) ended(uid drivers.UID, block int, err error) bool {
	if errors.Is(err, drivers.ErrNoBlock) {
		return true
	}
	i, err := p.Info(uid)
	return err == nil && i.Blocks > 0 && block >= i.Blocks
}

// blocks reads a count and for each block its number, its lock and its bytes.
// A lock above 3 is a status, and what stands behind it is nothing: it gives
// those before it, and the error only if there are none. size is that of the
// blocks before, or 0.
func blocks(b []byte, first, most, size int) (m memory, err error) {
	n, b := int(b[0]), b[1:]
	if n == 0 {
		return m, drivers.ErrNoBlock
	}
	m.Size = len(b)/n - 2
	if n > most || len(b)%n != 0 || m.Size < 1 || size > 0 && m.Size != size {
		return memory{}, fmt.Errorf("%d bytes in %d blocks: %w", len(b), n, drivers.ErrAir)
	}
	for ; len(b) > 0; b, first = b[2+m.Size:], first+1 {
		switch lock := b[1]; {
		case b[0] != byte(first):
			return memory{}, fmt.Errorf("block %d instead of %d: %w", b[0], byte(first), drivers.ErrAir)
		case lock > 3 && m.N() == 0:
			return memory{}, errorOf(lock)
		case lock > 3:
			return m, nil
		default:
			m.Data, m.locked = append(m.Data, b[2:2+m.Size]...), append(m.locked, lock != 0)
		}
	}
	return m, nil
}

// Write implements drivers.BlockWriter.
func (p *Pad) Write(uid drivers.UID, first int, b drivers.Blocks) error {
	if first+b.N() > numbered {
		return drivers.ErrNoBlock
	}
	for at := 0; at < b.N(); at += writeAtOnce {
		k := min(b.N()-at, writeAtOnce)
		data := append([]byte{byte(first + at), byte(k), 0}, b.Data[at*b.Size:(at+k)*b.Size]...)
		if _, err := p.persist(cmdWrite, uid[:], data...); err != nil {
			return fmt.Errorf("blocks from %d: %w", first+at, err)
		}
	}
	return nil
}

// Lock implements drivers.BlockLocker. It is asked once: a second time it would
// be refused.
func (p *Pad) Lock(uid drivers.UID, block int) error {
	if block >= numbered {
		return drivers.ErrNoBlock
	}
	_, err := p.ask(cmdLock, uid[:], byte(block))
	return err
}

// AFI implements drivers.AFIWriter.
func (p *Pad) AFI(uid drivers.UID) (byte, error) {
	b, err := p.value(cmdAFI, uid)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// WriteAFI implements drivers.AFIWriter.
func (p *Pad) WriteAFI(uid drivers.UID, afi byte) error {
	_, err := p.persist(cmdWriteAFI, uid[:], afi)
	return err
}

// EAS implements drivers.EASWriter. A tag whose EAS is off does not answer;
// that it is there shows when it tells its AFI. One byte may stand behind the
// UID, and is then the state.
func (p *Pad) EAS(uid drivers.UID) (bool, error) {
	b, err := p.persist(cmdEAS, uid[:])
	if errors.Is(err, drivers.ErrNoTag) {
		_, err = p.AFI(uid)
		return false, err
	}
	return err == nil && (len(b) == 0 || b[0] != 0), err
}

// WriteEAS implements drivers.EASWriter.
func (p *Pad) WriteEAS(uid drivers.UID, on bool) error {
	state := byte(0)
	if on {
		state = 1
	}
	_, err := p.persist(cmdWriteEAS, uid[:], state)
	return err
}

// WriteDSFID implements drivers.DSFIDWriter.
func (p *Pad) WriteDSFID(uid drivers.UID, dsfid byte) error {
	_, err := p.persist(cmdWriteDSFID, uid[:], dsfid)
	return err
}

// Info implements drivers.Informer.
func (p *Pad) Info(uid drivers.UID) (drivers.Info, error) {
	b, err := p.value(cmdInfo, uid, 0x0F)
	if err != nil {
		return drivers.Info{}, err
	}
	return info(b)
}

// info reads a mask of what is there, as in ISO/IEC 15693-3, and what it says.
// A tag tells the number of its blocks before their size, this reader after it;
// of blocks of 4 bytes, as nearly all tags have, either order is understood. IC
// is one byte, or the last of two.
func info(b []byte) (i drivers.Info, err error) {
	mask, b := b[0], b[1:]
	for bit, size := range []int{1, 1, 2, 1} {
		if mask>>bit&1 == 0 {
			continue
		}
		if len(b) < size {
			return i, fmt.Errorf("system information is cut: %w", drivers.ErrAir)
		}
		switch bit {
		case 0:
			i.DSFID = b[0]
		case 1:
			i.AFI = b[0]
		case 2:
			i.Size, i.Blocks = int(b[0])+1, int(b[1])+1
			if i.Blocks == 4 {
				i.Size, i.Blocks = i.Blocks, i.Size
			}
		case 3:
			i.IC = b[len(b)-1]
		}
		b = b[size:]
	}
	return i, nil
}

// Close implements drivers.Pad.
func (p *Pad) Close() error { return p.Link.Close() }
