package cfrh320

import (
	"errors"
	"fmt"

	"github.com/carrel-kiosk/carrel/drivers"
)

const (
	size   = 256 // of a report, with its ID
	ask    = 0x01
	answer = 0x02
	body   = 10 // where LEN stands
	mark   = 0xAA
	end    = 0xBB
)

// head is what stands before LEN in a request.
var head = [body]byte{ask, 0, 0, 0, 0, 0, 8, 0, mark, 0}

// encode writes a request: LEN, what is said, XOR, BB.
func encode(said []byte) []byte {
	b := make([]byte, size)
	copy(b, head[:])
	b[body] = byte(len(said))
	copy(b[body+1:], said)
	b[body+1+len(said)] = xor(b[body : body+1+len(said)])
	b[body+2+len(said)] = end
	return b
}

func xor(b []byte) (x byte) {
	for _, c := range b {
		x ^= c
	}
	return x
}

var errReport = errors.New("not a report of this reader")

// decode gives what an answer says.
func decode(b []byte) ([]byte, error) {
	if len(b) < body+3 || b[0] != answer || b[body-2] != mark {
		return nil, errReport
	}
	n := int(b[body])
	if n < 2 || body+3+n > len(b) {
		return nil, fmt.Errorf("%w: length %d", errReport, n)
	}
	said := b[body : body+1+n]
	if b[body+1+n] != xor(said) || b[body+2+n] != end {
		return nil, fmt.Errorf("%w: sum is wrong", errReport)
	}
	return said[1:], nil
}

// status reads the beginning of what an answer says: 0 and then data, or 1
// and a code.
func status(said []byte) ([]byte, error) {
	if said[0] == 0 {
		return said[1:], nil
	}
	err := drivers.ErrNotWritten
	switch said[1] {
	case 0x82, 0x84:
		err = drivers.ErrAir
	case 0x83:
		err = drivers.ErrNoTag
	case 0x8F, 0x90, 0x91, 0x92:
		err = drivers.ErrUnsupported
	case 0x93:
		err = drivers.ErrNoBlock
	case 0x94:
		err = drivers.ErrLocked
	}
	return nil, fmt.Errorf("reader says %02X: %w", said[1], err)
}
