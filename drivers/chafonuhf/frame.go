package chafonuhf

import (
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

const (
	anyone    = 0xFF
	minAnswer = 5 // LEN of an answer without data: address, command, status, CRC
)

// question writes a command; data has at most 251 bytes.
func question(cmd byte, data ...byte) []byte {
	return sealed(append([]byte{byte(4 + len(data)), anyone, cmd}, data...))
}

// sealed puts the CRC behind a frame.
func sealed(b []byte) []byte {
	crc := iso15693.Residue(b)
	return append(b, byte(crc), byte(crc>>8))
}

// answer is what a reader says.
type answer struct {
	adr, cmd, status byte
	data             []byte
}

// encode writes an answer; its data has at most 250 bytes.
func (a answer) encode() []byte {
	return sealed(append([]byte{byte(minAnswer + len(a.data)), a.adr, a.cmd, a.status}, a.data...))
}

// decode takes the first answer of b and tells how many bytes to drop. No byte
// marks a beginning: what is no frame is known by its CRC alone.
func decode(b []byte) (a answer, n int, err error) {
	switch {
	case len(b) == 0:
		return a, 0, link.ErrPart
	case b[0] < minAnswer:
		return a, 1, fmt.Errorf("an answer of %d bytes can't be", b[0])
	case len(b) < int(b[0])+1:
		return a, 0, link.ErrPart
	}
	size := int(b[0]) + 1
	if crc := iso15693.Residue(b[:size-2]); b[size-2] != byte(crc) || b[size-1] != byte(crc>>8) {
		return a, 1, errors.New("CRC is wrong")
	}
	return answer{b[1], b[2], b[3], append([]byte(nil), b[4:size-2]...)}, size, nil
}

// line is the cable to a reader: it asks, and waits for the answers.
type line struct {
	link.Frames[answer]
	reply time.Duration
	late  bool // a question was not answered: its answer may still come
}

// tries is how often a reader is asked what it is: one that is busy ignores
// questions.
const tries = 3

// who asks what reader it is. What comes before is dropped: readers answer in
// order, so an answer to an older question is not taken for another's after it.
func (l *line) who() (i info, err error) {
	for range tries {
		l.Forget()
		if _, err := l.Write(question(cmdInfo)); err != nil {
			return i, err
		}
		for end := time.Now().Add(l.reply); ; {
			a, err := l.Next(end)
			if errors.Is(err, drivers.ErrSilent) {
				break
			}
			if err != nil {
				return i, err
			}
			if i, ok := infoOf(a); ok {
				l.late = false
				return i, nil
			}
		}
	}
	return i, drivers.ErrSilent
}

// ask sends a command and gives each answer to take, until that says that it
// was the last. The reader has until wait and its time for an answer.
func (l *line) ask(wait time.Duration, take func(answer) (last bool, err error), cmd byte, data ...byte) error {
	if l.late {
		if _, err := l.who(); err != nil {
			return err
		}
	}
	if _, err := l.Write(question(cmd, data...)); err != nil {
		return err
	}
	for end := time.Now().Add(wait + l.reply); ; {
		a, err := l.Next(end)
		if err != nil {
			l.late = true
			return err
		}
		if a.cmd != cmd {
			continue
		}
		if last, err := take(a); last || err != nil {
			l.late = !last
			return err
		}
	}
}

// one is ask of a command that is answered once. All that this driver asks for
// may be done twice.
func (l *line) one(cmd byte, data ...byte) (out []byte, err error) {
	for range tries {
		err = l.ask(0, func(a answer) (bool, error) {
			out = a.data
			return true, errorOf(a)
		}, cmd, data...)
		if !errors.Is(err, drivers.ErrSilent) {
			break
		}
	}
	return out, err
}

// errorOf is what a status other than 0 means.
func errorOf(a answer) error {
	err, code := drivers.ErrNotWritten, byte(0)
	switch a.status {
	case 0:
		return nil
	case 0xFB: // no tag that can be operated
		err = drivers.ErrNoTag
	case 0xFA: // poor communication
		err = drivers.ErrAir
	case 0xFC: // the tag says an error (ISO/IEC 18000-63, annex I)
		if len(a.data) > 0 {
			code = a.data[0]
		}
		switch code {
		case 3:
			err = drivers.ErrNoBlock
		case 4:
			err = drivers.ErrLocked
		}
	case 0x05: // the password is wrong
		err = drivers.ErrLocked
	case 0xFE, 0xFD: // no such command, wrong length
		err = drivers.ErrUnsupported
	}
	return fmt.Errorf("reader says %02X %02X: %w", a.status, code, err)
}
