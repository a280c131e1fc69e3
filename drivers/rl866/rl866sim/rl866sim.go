// Package rl866sim is the far end of package rl866: a reader of that family on
// a simulated field.
package rl866sim

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// Options are the habits of real readers.
type Options struct {
	PerAnswer int  // tags in one answer to an inventory; 0 means 15
	Part      int  // INF is cut into chained parts of so many bytes; 0: never
	LoseEvery int  // each so-manyth answer is lost, after the work is done; 0: none
	Sticky    bool // a reader with a tag connected does not list others
}

// reader is the reader's own state.
type reader struct {
	Options
	rw        io.ReadWriter
	dev       field.Reader
	listed    []drivers.Tag // not yet told
	connected drivers.UID
	open      bool
	answers   int
}

// Serve speaks to rw until it fails.
func Serve(rw io.ReadWriter, f *field.Field, o Options) error {
	if o.PerAnswer <= 0 {
		o.PerAnswer = 15
	}
	r := &reader{Options: o, rw: rw, dev: *field.NewReader(f)}
	var got []byte
	buf := make([]byte, 256)
	for {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		got = append(got, buf[:n]...)
		for len(got) > 0 {
			if got[0] != 0xFA {
				got = got[1:]
				continue
			}
			if len(got) < 2 || len(got) < int(got[1])+1 {
				break
			}
			if got[1] < 5 {
				got = got[1:]
				continue
			}
			block := got[1 : int(got[1])+1]
			got = got[int(got[1])+1:]
			if err := r.block(block); err != nil {
				return err
			}
		}
	}
}

// block answers one block: LEN, RID, PCB, INF, CRC. One with a wrong CRC is
// met with silence.
func (r *reader) block(b []byte) error {
	body := b[:len(b)-2]
	if crc := iso15693.Residue(body); b[len(b)-2] != byte(crc) || b[len(b)-1] != byte(crc>>8) {
		return nil
	}
	pcb, inf := body[2], body[3:]
	if pcb == 0xC0 {
		r.open, r.listed = false, nil
		return r.send(0xE0, nil)
	}
	if len(inf) == 0 {
		return nil
	}
	data, err := r.do(inf[0], inf[1:])
	if data == nil && err == nil {
		data = []byte{}
	}
	out := append([]byte{inf[0]}, le(word(err))...)
	if err == nil {
		out = append(out, data...)
	}
	if r.answers++; r.LoseEvery > 0 && r.answers%r.LoseEvery == 0 {
		return nil
	}
	seq := pcb & 0x40
	for r.Part > 0 && len(out) > r.Part {
		if err := r.send(seq|0x20, out[:r.Part]); err != nil {
			return err
		}
		out = out[r.Part:]
	}
	return r.send(seq, out)
}

func (r *reader) send(pcb byte, inf []byte) error {
	b := append([]byte{byte(5 + len(inf)), 0x01, pcb}, inf...)
	_, err := r.rw.Write(append(append([]byte{0xFA}, b...), le(iso15693.Residue(b))...))
	return err
}

func le(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }

// word is an error as the reader says it.
func word(err error) uint16 {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, drivers.ErrNoTag):
		return 0x0420
	case errors.Is(err, iso15693.ErrCollision):
		return 0x0404
	case errors.Is(err, drivers.ErrAir):
		return 0x0405
	case errors.Is(err, drivers.ErrLocked):
		return 0x041B
	}
	return 0x0401
}

var errCommand = errors.New("a command that it does not know")

func (r *reader) do(cmd byte, b []byte) ([]byte, error) {
	switch {
	case cmd == 0x31 && len(b) == 1:
		return r.inventory(b[0]&8 != 0)
	case cmd == 0x32 && len(b) == 13 && b[4] == 1:
		if r.open {
			return nil, errCommand // busy with another tag
		}
		r.open, r.connected = true, iso15693.UID(b[5:])
		return []byte{1}, nil
	case cmd == 0x33 && len(b) == 1:
		r.open = false
		return nil, nil
	case cmd == 0x34 && len(b) >= 4 && int(b[1]) == len(b)-2:
		op := binary.LittleEndian.Uint16(b[2:])
		out, err := r.memory(b[0], op, b[4:])
		if err != nil {
			return append([]byte{5, b[2], b[3], 0}, le(word(err))...), nil
		}
		return append([]byte{byte(3 + len(out)), b[2], b[3], 1}, out...), nil
	}
	return nil, errCommand
}

func (r *reader) inventory(rest bool) ([]byte, error) {
	if r.Sticky && r.open {
		return []byte{0, 0, 0, 0}, nil
	}
	if !rest {
		var err error
		if r.listed, err = r.dev.Inventory(); err != nil {
			return nil, err
		}
	}
	n := min(len(r.listed), r.PerAnswer)
	stop := byte(0)
	if n < len(r.listed) {
		stop = 1
	}
	out := append([]byte{stop}, le(uint16(len(r.listed)))...)
	out = append(out, byte(n))
	for _, t := range r.listed[:n] {
		out = append(append(out, 0x0E, 1, 7, 9), append(iso15693.Reversed(t.UID), 0)...)
	}
	r.listed = r.listed[n:]
	return out, nil
}

func (r *reader) memory(handle byte, op uint16, b []byte) ([]byte, error) {
	if !r.open || handle != 1 {
		return nil, errCommand
	}
	uid := r.connected
	switch {
	case op == 0x03 && len(b) == 5:
		got, err := r.dev.Read(uid, int(binary.LittleEndian.Uint16(b[1:])), int(binary.LittleEndian.Uint16(b[3:])))
		return append(le(uint16(got.N())), got.Data...), err
	case op == 0x04 && len(b) > 4:
		first, n := int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
		if n == 0 || (len(b)-4)%n != 0 {
			return nil, errCommand
		}
		return nil, r.dev.Write(uid, first, drivers.Blocks{Size: (len(b) - 4) / n, Data: b[4:]})
	case op == 0x06 && len(b) == 1:
		return nil, r.dev.WriteAFI(uid, b[0])
	case op == 0x0A:
		return r.dev.Command(iso15693.Info(uid))
	case op == 0x0C, op == 0x0D:
		return nil, r.dev.WriteEAS(uid, op == 0x0C)
	case op == 0x0F:
		_, err := r.dev.Command(iso15693.EASAlarm(uid))
		return nil, err
	}
	return nil, errCommand
}
