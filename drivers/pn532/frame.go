package pn532

import (
	"bytes"
	"errors"

	"github.com/carrel-kiosk/carrel/drivers/link"
)

// The first byte of a frame's data says who sent it.
const (
	fromHost = 0xD4
	fromChip = 0xD5
	syntax   = 0x7F // the chip does not understand what it was told
	// Frames without data.
	ack = 0x00
	nak = 0xFF // send that again
)

// maxData is the longest that a frame carries, with its first byte.
const maxData = 265

// frame is one frame without its framing.
type frame struct {
	from byte
	data []byte
}

var (
	start    = []byte{0x00, 0xFF}
	ackFrame = []byte{0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00}
	nakFrame = []byte{0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00}
)

// encode writes a frame: an extended one where a byte does not hold its length.
func (f frame) encode() []byte {
	switch f.from {
	case ack:
		return bytes.Clone(ackFrame)
	case nak:
		return bytes.Clone(nakFrame)
	}
	b := []byte{0x00, 0x00, 0xFF}
	n := 1 + len(f.data)
	if high, low := byte(n>>8), byte(n); high > 0 {
		b = append(b, 0xFF, 0xFF, high, low, -(high + low))
	} else {
		b = append(b, low, -low)
	}
	b = append(append(b, f.from), f.data...)
	return append(b, -sum(b[len(b)-n:]), 0x00)
}

func sum(b []byte) (s byte) {
	for _, c := range b {
		s += c
	}
	return s
}

var (
	// errDamaged says that what came is no frame.
	errDamaged = errors.New("a frame was damaged")
)

// decode takes the first frame of b and tells how many bytes to drop: the
// frame, or what is none. n is 0 with link.ErrPart alone.
func decode(b []byte) (f frame, n int, err error) {
	if n = bytes.Index(b, start); n < 0 {
		n = len(b)
		if bytes.HasSuffix(b, start[:1]) {
			n--
		}
		return f, n, link.ErrPart
	}
	all := len(b)
	b = b[n+len(start):]
	if len(b) < 2 || b[0] == 0xFF && b[1] == 0xFF && len(b) < 5 {
		return f, n, link.ErrPart
	}
	size, head := int(b[0]), 2
	check := b[0] + b[1]
	switch {
	case b[0] == 0x00 && b[1] == 0xFF:
		return frame{from: ack}, all - len(b) + 2, nil
	case b[0] == 0xFF && b[1] == 0x00:
		return frame{from: nak}, all - len(b) + 2, nil
	case b[0] == 0xFF && b[1] == 0xFF:
		size, head = int(b[2])<<8|int(b[3]), 5
		check = sum(b[2:5])
	}
	if check != 0 || size < 1 || size > maxData {
		return f, n + 1, errDamaged
	}
	if len(b) < head+size+1 {
		return f, n, link.ErrPart
	}
	body := b[head : head+size+1]
	if sum(body) != 0 || body[0] != fromHost && body[0] != fromChip && body[0] != syntax {
		return f, n + 1, errDamaged
	}
	return frame{body[0], bytes.Clone(body[1:size])}, all - len(b) + head + size + 1, nil
}
