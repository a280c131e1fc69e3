package rl866

import (
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

const (
	start    = 0xFA
	minLen   = 5 // LEN of a frame without INF: LEN, RID, PCB, CRC
	anyone   = 0xFF
	sequence = 0x40 // of an I-block
	chained  = 0x20 // more of this answer follows
	resync   = 0xC0 // S-block, asked
	resynced = 0xE0 // S-block, answered
)

// frame is one block, without its framing.
type frame struct {
	rid, pcb byte
	inf      []byte
}

// encode writes a frame; inf has at most 250 bytes.
func (f frame) encode() []byte {
	b := append([]byte{start, byte(minLen + len(f.inf)), f.rid, f.pcb}, f.inf...)
	crc := iso15693.Residue(b[1:])
	return append(b, byte(crc), byte(crc>>8))
}

// decode takes the first frame of b and tells how many bytes to drop: the
// frame, or what is none. n is 0 with link.ErrPart alone.
func decode(b []byte) (f frame, n int, err error) {
	for n < len(b) && b[n] != start {
		n++
	}
	b = b[n:]
	switch {
	case len(b) < 2:
		return f, n, link.ErrPart
	case b[1] < minLen:
		return f, n + 1, fmt.Errorf("a frame of %d bytes can't be", b[1])
	case len(b) < int(b[1])+1:
		return f, n, link.ErrPart
	}
	size := int(b[1]) + 1
	crc := iso15693.Residue(b[1 : size-2])
	if b[size-2] != byte(crc) || b[size-1] != byte(crc>>8) {
		return f, n + 1, errors.New("CRC is wrong")
	}
	return frame{b[2], b[3], append([]byte(nil), b[4:size-2]...)}, n + size, nil
}

// line is the cable to a reader: it asks, and waits for the answer.
type line struct {
	link.Frames[frame]
	reply time.Duration
	seq   byte // of the next I-block
}

// restart has both sides begin anew: what was under way is over.
func (l *line) restart() error {
	l.Forget()
	l.seq = 0
	if _, err := l.Write(frame{rid: anyone, pcb: resync}.encode()); err != nil {
		return err
	}
	for end := time.Now().Add(l.reply); ; {
		f, err := l.Next(end)
		if err != nil || f.pcb == resynced {
			return err
		}
	}
}

// ask sends a command and gives the data behind its status. Answers to other
// questions that come late are dropped.
func (l *line) ask(cmd byte, data ...byte) ([]byte, error) {
	pcb := l.seq
	l.seq ^= sequence
	if _, err := l.Write(frame{rid: anyone, pcb: pcb, inf: append([]byte{cmd}, data...)}.encode()); err != nil {
		return nil, err
	}
	var all []byte
	for end := time.Now().Add(l.reply); ; {
		f, err := l.Next(end)
		if err != nil {
			return nil, err
		}
		if f.pcb&sequence != pcb || f.pcb&^(sequence|chained) != 0 {
			continue
		}
		if len(all) == 0 && (len(f.inf) == 0 || f.inf[0] != cmd) {
			continue
		}
		if all = append(all, f.inf...); len(all) > maxAnswer {
			return nil, fmt.Errorf("an answer of more than %d bytes: %w", maxAnswer, drivers.ErrSilent)
		}
		if f.pcb&chained == 0 {
			return status(all)
		}
	}
}

// maxAnswer bounds an answer in parts, in bytes; the longest has 40 tags.
const maxAnswer = 4096

// status cuts command and status off an answer.
func status(b []byte) ([]byte, error) {
	if len(b) < 3 {
		return nil, fmt.Errorf("an answer of %d bytes: %w", len(b), drivers.ErrAir)
	}
	if code := uint16(b[1]) | uint16(b[2])<<8; code != 0 {
		return nil, errorOf(code)
	}
	return b[3:], nil
}

// errorOf is what an error word means.
func errorOf(code uint16) error {
	err := drivers.ErrNotWritten
	switch code {
	case 0x0404, 0x0405:
		err = drivers.ErrAir
	case 0x041B:
		err = drivers.ErrLocked
	case 0x0420:
		err = drivers.ErrNoTag
	}
	return fmt.Errorf("reader says error %04X: %w", code, err)
}
