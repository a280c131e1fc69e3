// Package rfid3msim is the far end of package rfid3m: a reader of that family
// on a simulated field.
package rfid3msim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// End is what a reader says of blocks past the end of the memory.
type End byte

// The ends that are thinkable.
const (
	Refused   End = iota // status 11, and no block
	Marked               // the blocks that are not there have status 11 as their lock
	Fewer                // the blocks that are there
	Unfounded            // status 15, as if they could not be read
)

// Options are the habits of real readers.
type Options struct {
	NoGreeting bool // does not know the start byte D5
	NoDSFID    bool // refuses an inventory with the DSFID
	Twice      bool // lists the first tag twice
	Terse      bool // leaves out the byte behind the UID in the answer to a write
	Telling    bool // tells EAS in a byte behind the UID
	End        End
	LoseEvery  int // each so-manyth answer is lost, after the work is done; 0: none
	LateEvery  int // each so-manyth answer comes with the next one; 0: none
	BreakEvery int // each so-manyth answer has a wrong CRC; 0: none
}

// reader is the reader's own state.
type reader struct {
	Options
	rw      io.ReadWriter
	dev     field.Reader
	answers int
	late    []byte
}

// Serve speaks to rw until it fails.
func Serve(rw io.ReadWriter, f *field.Field, o Options) error {
	r := &reader{Options: o, rw: rw, dev: *field.NewReader(f)}
	var got []byte
	buf := make([]byte, 256)
	for {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		got = append(got, buf[:n]...)
		for len(got) >= 3 {
			size := 3 + int(binary.BigEndian.Uint16(got[1:]))
			if got[0] != 0xD5 && got[0] != 0xD6 || size < 6 || size > 300 {
				got = got[1:]
				continue
			}
			if len(got) < size {
				break
			}
			if err := r.frame(got[:size]); err != nil {
				return err
			}
			got = got[size:]
		}
	}
}

// crc is CRC-16/GENIBUS.
func crc(b []byte) uint16 {
	sum := uint16(0xFFFF)
	for i := range 8 * len(b) {
		bit := b[i/8]>>(7-i%8)&1 != 0
		if bit != (sum&0x8000 != 0) {
			sum = sum<<1 ^ 0x1021
		} else {
			sum <<= 1
		}
	}
	return ^sum
}

// frame answers one frame. One with a wrong CRC is met with silence.
func (r *reader) frame(b []byte) error {
	end := len(b) - 2
	if binary.BigEndian.Uint16(b[end:]) != crc(b[1:end]) {
		return nil
	}
	said := b[3:end]
	if b[0] == 0xD5 {
		if r.NoGreeting || !bytes.Equal(said, []byte{4, 0, 0x11}) {
			return nil
		}
		return r.send(0xD5, []byte{4, 0, 0x11, 0x0A, 5, 0, 2})
	}
	data, err := r.do(said[0], said[1:])
	out := []byte{said[0], status(err)}
	if err == nil {
		out = append(out, data...)
	}
	return r.send(0xD6, out)
}

func (r *reader) send(start byte, said []byte) error {
	b := binary.BigEndian.AppendUint16([]byte{start}, uint16(len(said)+2))
	b = append(b, said...)
	b = binary.BigEndian.AppendUint16(b, crc(b[1:]))
	r.answers++
	is := func(every int) bool { return every > 0 && r.answers%every == 0 }
	switch {
	case is(r.LoseEvery):
		return nil
	case is(r.LateEvery):
		r.late = b
		return nil
	case is(r.BreakEvery):
		b[len(b)-1]++
	}
	_, err := r.rw.Write(append(r.late, b...))
	r.late = nil
	return err
}

var (
	errOption    = errors.New("an option that it does not know")
	errParameter = errors.New("parameters that can't be")
	errCommand   = errors.New("a command that it does not know")
)

// status is an error as the reader says it.
func status(err error) byte {
	switch {
	case err == nil:
		return 0x00
	case errors.Is(err, errOption):
		return 0x31
	case errors.Is(err, errParameter):
		return 0x32
	case errors.Is(err, errCommand):
		return 0x02
	case errors.Is(err, drivers.ErrNoTag):
		return 0x06
	case errors.Is(err, drivers.ErrNoBlock):
		return 0x11
	case errors.Is(err, drivers.ErrLocked):
		return 0x12
	case errors.Is(err, drivers.ErrAir):
		return 0x15
	case errors.Is(err, drivers.ErrNotWritten):
		return 0x16
	}
	return 0x0F
}

func (r *reader) do(cmd byte, b []byte) ([]byte, error) {
	switch {
	case cmd == 0xFE && len(b) == 2:
		return r.inventory(b[0], b[1])
	case cmd == 0x11 && len(b) == 0:
		return []byte{0x0A, 3, 2, 6}, nil
	case cmd == 0x13 && len(b) > 0:
		return []byte{2, 1, 1, 3, 2, 2, 3, 0}, nil
	case cmd > 0x0F:
		return nil, errCommand
	case len(b) < 8:
		return nil, errParameter
	}
	out, err := r.toTag(cmd, drivers.UID(b), b[8:])
	return append(b[:8:8], out...), err
}

func (r *reader) inventory(afi, options byte) ([]byte, error) {
	if options&2 != 0 && r.NoDSFID {
		return nil, errOption
	}
	tags, err := r.dev.Inventory()
	if r.Twice && len(tags) > 0 {
		tags = append(tags, tags[0])
	}
	out := []byte{afi, options, byte(len(tags))}
	for _, t := range tags {
		if options&2 != 0 {
			out = append(out, t.DSFID)
		}
		if options&1 != 0 {
			out = append(out, t.UID[:]...)
		}
	}
	return out, err
}

// toTag does what is for one tag and gives what stands behind its UID.
func (r *reader) toTag(cmd byte, uid drivers.UID, b []byte) ([]byte, error) {
	switch {
	case cmd == 0x02 && len(b) == 2:
		return r.read(uid, int(b[0]), int(b[1]))
	case cmd == 0x04 && len(b) > 3 && b[1] > 0 && (len(b)-3)%int(b[1]) == 0:
		err := r.dev.Write(uid, int(b[0]), drivers.Blocks{Size: (len(b) - 3) / int(b[1]), Data: b[3:]})
		if r.Terse {
			return nil, err
		}
		return []byte{b[0] + b[1]}, err
	case cmd == 0x08 && len(b) == 1:
		return nil, r.dev.Lock(uid, int(b[0]))
	case cmd == 0x09 && len(b) == 1:
		return nil, r.dev.WriteAFI(uid, b[0])
	case cmd == 0x0A && len(b) == 0:
		afi, err := r.dev.AFI(uid)
		return []byte{afi}, err
	case cmd == 0x0B && len(b) == 1:
		return nil, r.dev.WriteDSFID(uid, b[0])
	case cmd == 0x03 && len(b) == 0:
		return r.eas(uid)
	case cmd == 0x0C && len(b) == 1:
		return nil, r.dev.WriteEAS(uid, b[0] != 0)
	case cmd == 0x0D && len(b) == 1:
		return r.info(uid, b[0])
	}
	return nil, errParameter
}

func (r *reader) eas(uid drivers.UID) ([]byte, error) {
	if r.Telling {
		on, err := r.dev.EAS(uid)
		if on {
			return []byte{1}, err
		}
		return []byte{0}, err
	}
	_, err := r.dev.Command(iso15693.EASAlarm(uid))
	return nil, err
}

// read gives each block with its number and its lock.
func (r *reader) read(uid drivers.UID, first, n int) ([]byte, error) {
	b, err := r.dev.Read(uid, first, n)
	past := drivers.ErrNoBlock
	if r.End == Unfounded {
		past = drivers.ErrAir
	}
	switch {
	case errors.Is(err, drivers.ErrLocked) || errors.Is(err, drivers.ErrNoBlock): // as a tag says that has no such block
		return nil, past
	case err != nil:
		return nil, err
	case b.N() < n && r.End != Marked && r.End != Fewer:
		return nil, past
	}
	locked, err := r.dev.Locked(uid, first, b.N())
	if err != nil {
		return nil, err
	}
	out := []byte{byte(b.N())}
	for i := range b.N() {
		lock := byte(0)
		if locked[i] {
			lock = 1
		}
		out = append(append(out, byte(first+i), lock), b.Data[i*b.Size:(i+1)*b.Size]...)
	}
	if r.End == Marked {
		out[0] = byte(n)
		for i := b.N(); i < n; i++ {
			out = append(append(out, byte(first+i), 0x11), make([]byte, b.Size)...)
		}
	}
	return out, nil
}

func (r *reader) info(uid drivers.UID, mask byte) ([]byte, error) {
	i, err := r.dev.Info(uid)
	out := []byte{mask & 0x0F}
	for bit, v := range [][]byte{{i.DSFID}, {i.AFI}, {byte(i.Size - 1), byte(i.Blocks - 1)}, {0, i.IC}} {
		if mask>>bit&1 != 0 {
			out = append(out, v...)
		}
	}
	return out, err
}
