// Package thingmagicsim is the far end of package thingmagic: a module of that
// family on a simulated UHF field.
package thingmagicsim

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
)

// Options are the habits of real modules.
type Options struct {
	Boot      bool          // it comes up in its boot loader
	LoseEvery int           // each so-manyth answer to a question is lost, after the work is done; 0: none
	KeepAlive time.Duration // between signs of life while no tag is heard; 0 means 1 s
}

type module struct {
	Options
	rw    io.ReadWriter
	field *uhf.Field

	mu      sync.Mutex // of what is written, and of booted
	booted  bool
	answers int
	begun   time.Time // of the continuous reading
	end     chan struct{}
	ended   chan struct{}
}

// Serve speaks to rw until it fails.
func Serve(rw io.ReadWriter, f *uhf.Field, o Options) error {
	if o.KeepAlive <= 0 {
		o.KeepAlive = time.Second
	}
	m := &module{Options: o, rw: rw, field: f, booted: !o.Boot}
	defer m.stop()
	var got []byte
	buf := make([]byte, 256)
	for {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		for got = append(got, buf[:n]...); len(got) > 1; {
			size := 5 + int(got[1])
			switch {
			case got[0] != 0xFF:
				got = got[1:]
				continue
			case len(got) < size:
			case binary.BigEndian.Uint16(got[size-2:]) != sum(got[1:size-2]):
				got = got[1:]
				continue
			default:
				frame := got[:size-2]
				got = got[size:]
				if err := m.do(frame[2], frame[3:]); err != nil {
					return err
				}
				continue
			}
			break
		}
	}
}

// table is by the four bits that are shifted out.
var table = func() (t [16]uint16) {
	for i := range t {
		t[i] = uint16(i) * 0x1021
	}
	return t
}()

// sum is the family's CRC, by nibbles.
func sum(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		for _, nibble := range []byte{c >> 4, c & 15} {
			out := crc >> 12
			crc = crc<<4 | uint16(nibble)
			crc ^= table[out]
		}
	}
	return crc
}

func (m *module) send(op byte, status uint16, data ...byte) error {
	b := append([]byte{byte(len(data)), op, byte(status >> 8), byte(status)}, data...)
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.rw.Write(binary.BigEndian.AppendUint16(append([]byte{0xFF}, b...), sum(b)))
	return err
}

// answer is send of an answer, which may get lost.
func (m *module) answer(op byte, status uint16, data ...byte) error {
	if m.answers++; m.LoseEvery > 0 && m.answers%m.LoseEvery == 0 {
		return nil
	}
	return m.send(op, status, data...)
}

var version = []byte{0x14, 0x12, 0x08, 0x00, 0x30, 0x00, 0x00, 0x02, 0x20, 0x15, 0x03, 0x10, 0x01, 0x03, 0x01, 0x47, 0x00, 0x00, 0x00, 0x10}

func (m *module) do(op byte, b []byte) error {
	switch op {
	case 0x03:
		return m.answer(op, 0, version...)
	case 0x0C:
		if m.booted {
			return m.answer(op, 0, 0x52)
		}
		return m.answer(op, 0, 0x51)
	case 0x04:
		m.booted = true
		return m.answer(op, 0)
	}
	if !m.booted {
		return m.answer(op, 0x0101)
	}
	switch {
	case op == 0x97 && len(b) == 1, op == 0x93 && len(b) == 2, op == 0x91 && len(b) == 2, op == 0x92 && len(b) == 2, op == 0x9A && len(b) == 3:
		return m.answer(op, 0)
	case op == 0x2F && len(b) >= 3 && b[2] == 1:
		return m.start(b)
	case op == 0x2F && len(b) == 3 && b[2] == 2:
		m.stop()
		return m.answer(op, 0, 2)
	case m.end != nil:
		return m.answer(op, 0x0101) // it reads
	case op == 0x28 && len(b) > 16 && b[2] == 0x11:
		return m.read(b)
	case op == 0x24 && len(b) > 14 && b[2] == 0x01:
		return m.write(b)
	}
	return m.answer(op, 0x0105)
}

// epcOf cuts the EPC off a filter.
func epcOf(b []byte) (epc, rest []byte, ok bool) {
	n := int(b[4]) / 8
	if len(b) < 5+n {
		return nil, nil, false
	}
	return b[5 : 5+n], b[5+n:], true
}

func (m *module) read(b []byte) error {
	epc, _, ok := epcOf(b[11:])
	if !ok {
		return m.answer(0x28, 0x0105)
	}
	data, err := m.field.Read(epc, drivers.Bank(b[5]), int(binary.BigEndian.Uint32(b[6:])), int(b[10]))
	if err != nil {
		return m.answer(0x28, status(err))
	}
	return m.answer(0x28, 0, append([]byte{0x11, 0, 0}, data...)...)
}

func (m *module) write(b []byte) error {
	epc, data, ok := epcOf(b[8:])
	if !ok {
		return m.answer(0x24, 0x0105)
	}
	return m.answer(0x24, status(m.field.Write(epc, drivers.Bank(b[7]), int(binary.BigEndian.Uint32(b[3:])), data)))
}

func status(err error) uint16 {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, drivers.ErrNoTag):
		return 0x0400
	case errors.Is(err, drivers.ErrNoBlock):
		return 0x0423
	case errors.Is(err, drivers.ErrLocked):
		return 0x0424
	}
	return 0x0408
}

// start begins continuous reading.
func (m *module) start(b []byte) error {
	m.stop()
	if err := m.answer(0x2F, 0, 1, b[3], 0, 0); err != nil {
		return err
	}
	m.begun = time.Now()
	end, ended := make(chan struct{}), make(chan struct{})
	m.end, m.ended = end, ended
	go func() {
		defer close(ended)
		m.reading(end)
	}()
	return nil
}

func (m *module) stop() {
	if m.end != nil {
		close(m.end)
		<-m.ended
		m.end, m.ended = nil, nil
	}
}

// reading tells of each tag that is heard, until end.
func (m *module) reading(end chan struct{}) {
	sign := time.Now()
	pause := time.NewTimer(0)
	for {
		select {
		case <-end:
			return
		case <-pause.C:
		}
		for _, h := range m.field.Inventory() {
			if m.send(0x22, 0, m.record(h)...) != nil {
				return
			}
			sign = time.Now()
		}
		if time.Since(sign) > m.KeepAlive {
			if m.send(0x22, 0x0400) != nil {
				return
			}
			sign = time.Now()
		}
		pause.Reset(5 * time.Millisecond)
	}
}

// record tells of a tag: all fields, and PC, EPC and check sum.
func (m *module) record(h uhf.Heard) []byte {
	b := []byte{0x10, 0x00, 0x1B, 0x01, 0xFF, 0x01, 0x01, byte(int8(h.RSSI)), 0x11, 0x0E, 0x16, 0x40}
	b = binary.BigEndian.AppendUint32(b, uint32(time.Since(m.begun).Milliseconds()))
	b = append(b, 0, 0, 5, 0, 0, 0x0F)
	b = binary.BigEndian.AppendUint16(b, uint16(8*(4+len(h.EPC))))
	b = binary.BigEndian.AppendUint16(b, h.PC)
	b = append(b, h.EPC...)
	return binary.BigEndian.AppendUint16(b, h.CRC)
}
