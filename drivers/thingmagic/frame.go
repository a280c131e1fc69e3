package thingmagic

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

const start = 0xFF

// sum is the CRC-16 of the family: polynomial 1021, begins with FFFF, and the
// bits of the message are shifted into the register, so that it is not the
// usual one.
func sum(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		for bit := 7; bit >= 0; bit-- {
			carry := crc >> 15
			crc = crc<<1 | uint16(c>>bit&1)
			crc ^= carry * 0x1021
		}
	}
	return crc
}

// sealed puts start and CRC around a frame.
func sealed(b []byte) []byte {
	return binary.BigEndian.AppendUint16(append([]byte{start}, b...), sum(b))
}

// question writes a command; data has at most 250 bytes.
func question(op byte, data ...byte) []byte {
	return sealed(append([]byte{byte(len(data)), op}, data...))
}

// answer is what a module says, asked or by itself.
type answer struct {
	op     byte
	status uint16
	data   []byte
}

// encode writes an answer.
func (a answer) encode() []byte {
	return sealed(append([]byte{byte(len(a.data)), a.op, byte(a.status >> 8), byte(a.status)}, a.data...))
}

// around is what an answer has around its data: start, LEN, OP, STATUS, CRC.
const around = 7

// decode takes the first answer of b and tells how many bytes to drop.
func decode(b []byte) (a answer, n int, err error) {
	for n < len(b) && b[n] != start {
		n++
	}
	b = b[n:]
	if len(b) < 2 || len(b) < around+int(b[1]) {
		return a, n, link.ErrPart
	}
	size := around + int(b[1])
	if sum(b[1:size-2]) != binary.BigEndian.Uint16(b[size-2:]) {
		return a, n + 1, errors.New("CRC is wrong")
	}
	return answer{b[2], binary.BigEndian.Uint16(b[3:]), append([]byte(nil), b[5:size-2]...)}, n + size, nil
}

// line is the cable to a module: it asks, and waits for the answer.
type line struct {
	link.Frames[answer]
	reply time.Duration
	late  bool // a question was not answered: its answer may still come
}

// tries is how often a question is put whose answer does not come. All that
// this driver asks for may be done twice.
const tries = 3

// send asks once. What the module says by itself meanwhile is dropped.
func (l *line) send(wait time.Duration, op byte, data ...byte) (answer, error) {
	if _, err := l.Write(question(op, data...)); err != nil {
		return answer{}, err
	}
	for end := time.Now().Add(l.reply + wait); ; {
		a, err := l.Next(end)
		if err != nil {
			l.late = true
			return a, err
		}
		if a.op != op || op == opMulti && a.status == 0 && (len(a.data) == 0 || a.data[0] != data[2]) {
			continue
		}
		return a, nil
	}
}

// ask has a module do something, and gives the data of its answer. Before it
// asks again, or something else after an answer did not come, it has the module
// stop reading and asks for the version: modules answer in order.
func (l *line) ask(wait time.Duration, op byte, data ...byte) ([]byte, error) {
	for n := 1; ; n++ {
		if l.late {
			l.Forget()
			if _, err := l.Write(question(opMulti, stop...)); err != nil {
				return nil, err
			}
			if _, err := l.send(0, opVersion); err != nil && n >= tries {
				return nil, err
			} else if err != nil {
				continue
			}
			l.late = false
		}
		a, err := l.send(wait, op, data...)
		if err == nil {
			return a.data, errorOf(a.status)
		}
		if !errors.Is(err, drivers.ErrSilent) || n >= tries {
			return nil, err
		}
	}
}

// The statuses that are told apart.
const (
	statusNoTags = 0x0400
	statusHot    = 0x0504
)

// errorOf is what a status means.
func errorOf(status uint16) error {
	err := drivers.ErrNotWritten
	switch status {
	case 0:
		return nil
	case statusNoTags:
		err = drivers.ErrNoTag
	case 0x0101, 0x0105, 0x0109: // no such command, wrong length or value
		err = drivers.ErrUnsupported
	case 0x0420, 0x0423: // outside of the memory
		err = drivers.ErrNoBlock
	case 0x0424: // locked
		err = drivers.ErrLocked
	case 0x0404, 0x0406, 0x0408: // no data, write failed, general error of the tag
		err = drivers.ErrAir
	case statusHot:
		return fmt.Errorf("the module is too hot: let it cool, or set less power: %w", drivers.ErrSilent)
	}
	return fmt.Errorf("module says %04X: %w", status, err)
}
