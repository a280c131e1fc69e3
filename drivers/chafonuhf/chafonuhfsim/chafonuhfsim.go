// Package chafonuhfsim is the far end of package chafonuhf: a reader of that
// family on a simulated UHF field.
package chafonuhfsim

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
)

// Options are the habits of real readers.
type Options struct {
	Old       bool // it is a UHFReader18: no antenna, no strength
	PerAnswer int  // tags in one answer to an inventory; 0 means 8
	LoseEvery int  // each so-manyth answer is lost, after the work is done; 0: none
}

// The types of readers.
const (
	reader18  = 0x09
	reader288 = 0x0C
)

type reader struct {
	Options
	rw      io.ReadWriter
	field   *uhf.Field
	power   byte
	answers int
}

// Serve speaks to rw until it fails.
func Serve(rw io.ReadWriter, f *uhf.Field, o Options) error {
	if o.PerAnswer <= 0 {
		o.PerAnswer = 8
	}
	r := &reader{Options: o, rw: rw, field: f, power: 30}
	var got []byte
	buf := make([]byte, 256)
	for {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		for got = append(got, buf[:n]...); len(got) > 0 && len(got) > int(got[0]); {
			size := int(got[0]) + 1
			if size < 5 || !sound(got[:size]) {
				got = got[1:]
				continue
			}
			frame := got[:size-2]
			got = got[size:]
			if err := r.do(frame[2], frame[3:]); err != nil {
				return err
			}
		}
	}
}

func sound(b []byte) bool {
	return binary.LittleEndian.Uint16(b[len(b)-2:]) == iso15693.Residue(b[:len(b)-2])
}

// send answers, or loses the answer on the way.
func (r *reader) send(cmd, status byte, data ...byte) error {
	if r.answers++; r.LoseEvery > 0 && r.answers%r.LoseEvery == 0 {
		return nil
	}
	b := append([]byte{byte(5 + len(data)), 0, cmd, status}, data...)
	_, err := r.rw.Write(binary.LittleEndian.AppendUint16(b, iso15693.Residue(b)))
	return err
}

func (r *reader) do(cmd byte, b []byte) error {
	switch {
	case cmd == 0x21 && len(b) == 0 && r.Old:
		return r.send(cmd, 0, 2, 36, reader18, 3, 32, 0, r.power, 10)
	case cmd == 0x21 && len(b) == 0:
		return r.send(cmd, 0, 0, 22, reader288, 3, 0x4E, 0, r.power, 10, 1, 0, 0, 0)
	case cmd == 0x01 && (len(b) == 0) == r.Old:
		return r.inventory()
	case cmd == 0x2F && len(b) == 1:
		r.power = b[0]
		return r.send(cmd, 0)
	case cmd == 0x02 && len(b) > 0 && len(b) == 8+2*int(b[0]):
		epc, rest := b[1:1+2*b[0]], b[1+2*b[0]:]
		data, err := r.field.Read(epc, drivers.Bank(rest[0]), int(rest[1]), int(rest[2]))
		return r.result(cmd, data, err)
	case cmd == 0x03 && len(b) > 1 && len(b) == 8+2*int(b[0])+2*int(b[1]):
		epc, rest := b[2:2+2*b[1]], b[2+2*b[1]:]
		return r.result(cmd, nil, r.field.Write(epc, drivers.Bank(rest[0]), int(rest[1]), rest[2:2+2*b[0]]))
	case cmd == 0x02, cmd == 0x03, cmd == 0x01, cmd == 0x21, cmd == 0x2F:
		return r.send(cmd, 0xFD)
	}
	return r.send(cmd, 0xFE)
}

// result says how a command to a tag has ended.
func (r *reader) result(cmd byte, data []byte, err error) error {
	switch {
	case err == nil:
		return r.send(cmd, 0, data...)
	case errors.Is(err, drivers.ErrNoTag):
		return r.send(cmd, 0xFB)
	case errors.Is(err, drivers.ErrAir):
		return r.send(cmd, 0xFA)
	case errors.Is(err, drivers.ErrLocked):
		return r.send(cmd, 0xFC, 4)
	case errors.Is(err, drivers.ErrNoBlock):
		return r.send(cmd, 0xFC, 3)
	}
	return r.send(cmd, 0xF9)
}

// An answer has at most so many bytes of data, a tag in it so many.
const (
	maxData = 245
	maxTag  = 64
)

// inventory lists tags in answers of a few, and ends with one of none, as
// published frames have it.
func (r *reader) inventory() error {
	list := r.field.Inventory()
	for len(list) > 0 {
		var data []byte
		n := 0
		for n < min(len(list), r.PerAnswer) && len(data) < maxData-maxTag {
			t := list[n]
			data = append(append(data, byte(len(t.EPC))), t.EPC...)
			if n++; !r.Old {
				data = append(data, byte(t.RSSI+160))
			}
		}
		data = append([]byte{byte(n)}, data...)
		if !r.Old {
			data = append([]byte{1}, data...) // antenna
		}
		status := byte(3)
		if list = list[n:]; len(list) == 0 && r.Old {
			status = 1
		}
		if err := r.send(1, status, data...); err != nil {
			return err
		}
		if status == 1 {
			return nil
		}
	}
	if r.Old {
		return r.send(1, 1, 0)
	}
	return r.send(1, 1, 1, 0)
}
