package feig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

const (
	advanced = 0x02 // begins an advanced frame: no standard one is so short
	anyone   = 0xFF // COM-ADR that every reader obeys; it answers with its own
	minLen   = 5    // a standard frame without data; an advanced one has 2 more
	maxLen   = 255  // of a standard frame
	maxFrame = 4096 // no answer is longer: TX-BUF of the readers known is below 1 KB
)

// frame is a question or an answer. The data of an answer begin with its
// status.
type frame struct {
	long     bool // advanced
	adr, cmd byte
	data     []byte
}

// encode writes a frame: one that is too long to be standard as advanced.
func (f frame) encode() []byte {
	var b []byte
	if n := minLen + len(f.data); f.long || n > maxLen {
		b = binary.BigEndian.AppendUint16([]byte{advanced}, uint16(n+2))
	} else {
		b = []byte{byte(n)}
	}
	b = append(append(b, f.adr, f.cmd), f.data...)
	return binary.LittleEndian.AppendUint16(b, iso15693.Residue(b))
}

// decode takes the frame at the beginning of b and tells how many bytes to
// drop: the frame, or the byte that begins none. n is 0 with link.ErrPart alone.
func decode(b []byte) (f frame, n int, err error) {
	if len(b) == 0 {
		return f, 0, link.ErrPart
	}
	head, size, least := 1, int(b[0]), minLen
	if b[0] == advanced {
		if len(b) < 3 {
			return f, 0, link.ErrPart
		}
		head, size, least = 3, int(binary.BigEndian.Uint16(b[1:])), minLen+2
	}
	switch {
	case size < least || size > maxFrame:
		return f, 1, fmt.Errorf("a frame of %d bytes can't be", size)
	case len(b) < size:
		return f, 0, link.ErrPart
	case iso15693.Residue(b[:size-2]) != binary.LittleEndian.Uint16(b[size-2:]):
		return f, 1, errors.New("CRC is wrong")
	}
	return frame{head == 3, b[head], b[head+1], append([]byte(nil), b[head+2:size-2]...)}, size, nil
}

// behind finds a whole frame behind the first byte of b, and tells where; 0
// means there is none.
func behind(b []byte) int {
	for n := 1; n < len(b); n++ {
		if _, _, err := decode(b[n:]); err == nil {
			return n
		}
	}
	return 0
}

// Pauses on the line. Inside a frame a reader makes none longer than 12 ms;
// bridges and networks add theirs. A frame begins after 5 ms at least.
const (
	gap  = 100 * time.Millisecond
	idle = 5 * time.Millisecond // not on a network
)

// line is the cable to a reader: it asks, and waits for the answer.
type line struct {
	drivers.Link
	reply time.Duration
	long  bool // asks in advanced frames; answers come in either
	got   []byte
	last  time.Time // when the last bytes came
	quick bool      // no pause is needed
	owed  bool      // a question was not answered: its answer may still come
	odd   bool      // which sign of life was asked for last
}

// next reads a frame, until end. A byte of noise can look like the length of a
// long frame: when nothing follows for a while, what came whole behind it is
// taken.
func (l *line) next(end time.Time) (frame, error) {
	for {
		f, n, err := decode(l.got)
		l.got = l.got[n:]
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, link.ErrPart) {
			continue
		}
		left := time.Until(end)
		if left <= 0 {
			return f, drivers.ErrSilent
		}
		if len(l.got) > 0 {
			left = min(left, gap)
		}
		if err := l.Patience(left); err != nil {
			return f, err
		}
		var buf [512]byte
		k, err := l.Read(buf[:])
		switch {
		case errors.Is(err, drivers.ErrSilent) && len(l.got) > 0:
			l.got = l.got[behind(l.got):]
		case err != nil:
			return f, err
		}
		if k > 0 {
			l.got, l.last = append(l.got, buf[:k]...), time.Now()
		}
	}
}

// answer is what a reader answers.
type answer struct {
	status byte
	data   []byte
}

// ask puts a question and gives the answer to it. Answers bear no number, so
// after one that did not come in time the reader is asked for a sign of life
// first: it answers in order, and what it owed comes before that.
func (l *line) ask(cmd byte, data ...byte) (answer, error) {
	if l.owed {
		if err := l.settle(); err != nil {
			return answer{}, err
		}
	}
	return l.put(cmd, data...)
}

// settle waits for what the reader may still owe. The signs of life take
// turns, as one of them can be late too.
func (l *line) settle() (err error) {
	if l.odd = !l.odd; l.odd {
		_, err = l.put(cmdDetect, 0)
	} else {
		_, err = l.put(cmdVersion)
	}
	return err
}

func (l *line) put(cmd byte, data ...byte) (answer, error) {
	if !l.quick {
		time.Sleep(time.Until(l.last.Add(idle)))
	}
	l.got, l.owed = nil, true
	if _, err := l.Write(frame{l.long, anyone, cmd, data}.encode()); err != nil {
		return answer{}, err
	}
	for end := time.Now().Add(l.reply); ; {
		f, err := l.next(end)
		if err != nil {
			return answer{}, err
		}
		if f.cmd == cmd && len(f.data) > 0 {
			l.owed = false
			return answer{f.data[0], f.data[1:]}, nil
		}
	}
}

// Statuses that the driver acts on.
const (
	statusOK      = 0x00
	statusNone    = 0x01
	statusLogin   = 0x14
	statusUnknown = 0x80
	statusNotNow  = 0x82
	statusRF      = 0x83
	statusNoise   = 0x84
	statusFull    = 0x93
	statusMore    = 0x94
	statusISO     = 0x95
	statusBroken  = 0xF1
)

// errUnknown says that this model has no such command.
var errUnknown = fmt.Errorf("unknown command: %w", drivers.ErrUnsupported)

// statuses is what a status means. Of those without a class the reader is the
// cause and no tag.
var statuses = map[byte]error{
	statusNone:    drivers.ErrNoTag,
	0x02:          drivers.ErrAir,
	0x03:          drivers.ErrNotWritten,
	0x04:          drivers.ErrNoBlock,
	0x05:          fmt.Errorf("wrong type of tag: %w", drivers.ErrUnsupported),
	0x08:          fmt.Errorf("authentication: %w", drivers.ErrLocked),
	0x0B:          iso15693.ErrCollision,
	0x0E:          fmt.Errorf("general: %w", drivers.ErrAir),
	0x10:          errors.New("its EEPROM has failed"),
	0x11:          fmt.Errorf("parameter: %w", drivers.ErrUnsupported),
	0x13:          errors.New("login needed"),
	statusLogin:   errors.New("login needed: it is set to ask for a password"),
	0x15:          fmt.Errorf("read protected: %w", drivers.ErrLocked),
	0x16:          fmt.Errorf("write protected: %w", drivers.ErrLocked),
	statusUnknown: errUnknown,
	0x81:          fmt.Errorf("length: %w", drivers.ErrUnsupported),
	statusNotNow:  errors.New("it is in scan mode or another of its own: set it to ISO host mode with the maker's program"),
	statusRF:      fmt.Errorf("communication: %w", drivers.ErrAir),
	statusNoise:   fmt.Errorf("noise, heat or antenna: %w", drivers.ErrAir),
	0x90:          fmt.Errorf("no valid data: %w", drivers.ErrAir),
	statusFull:    drivers.ErrFull,
	statusISO:     drivers.ErrAir, // without its error
	0x96:          fmt.Errorf("an error of ISO 14443: %w", drivers.ErrUnsupported),
	statusBroken:  errors.New("hardware warning"),
}

// ok gives the data, or the error that the status is. A warning with data is
// none.
func (a answer) ok() ([]byte, error) {
	switch {
	case a.status == statusOK, a.status == statusNoise && len(a.data) > 0:
		return a.data, nil
	case a.status == statusISO && len(a.data) > 0:
		return nil, iso15693.ErrorOf(a.data[0])
	}
	err, known := statuses[a.status]
	if !known {
		err = errors.New("not in its manuals")
	}
	return nil, fmt.Errorf("reader says %02X: %w", a.status, err)
}

// ailing tells that the reader itself can't work.
func (a answer) ailing() bool {
	switch a.status {
	case statusLogin, statusNotNow, statusBroken:
		return true
	}
	return false
}
