package rfid3m

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

const (
	start   = 0xD6
	startUp = 0xD5                   // the start of the greeting and of its answer
	minLen  = 3                      // LEN of a frame: one byte and CRC
	maxLen  = 5 + 255*9 + 2          // LEN of the longest inventory
	gap     = 300 * time.Millisecond // longest pause within a frame, and wait for a whole one behind a broken one
)

// frame is one question or answer, without its framing.
type frame struct {
	start byte
	said  []byte
}

// encode writes a frame.
func (f frame) encode() []byte {
	n := len(f.said) + 2
	b := append([]byte{f.start, byte(n >> 8), byte(n)}, f.said...)
	sum := crc(b[1:])
	return append(b, byte(sum>>8), byte(sum))
}

// crc is CRC-16/GENIBUS: polynomial 1021, start FFFF, complemented.
func crc(b []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, c := range b {
		sum ^= uint16(c) << 8
		for range 8 {
			carry := sum >> 15
			sum = sum<<1 ^ carry*0x1021
		}
	}
	return ^sum
}

// decode takes the first frame of b and tells how many bytes to drop: the
// frame, or what is none. n is 0 with link.ErrPart alone.
func decode(b []byte) (f frame, n int, err error) {
	for n < len(b) && b[n] != start && b[n] != startUp {
		n++
	}
	b = b[n:]
	if len(b) < 3 {
		return f, n, link.ErrPart
	}
	size := int(b[1])<<8 | int(b[2])
	switch {
	case size < minLen || size > maxLen:
		return f, n + 1, fmt.Errorf("a frame of %d bytes can't be", size)
	case len(b) < 3+size:
		return f, n, link.ErrPart
	}
	end := 1 + size // of what is said
	if sum := crc(b[1:end]); b[end] != byte(sum>>8) || b[end+1] != byte(sum) {
		return f, n + 1, errors.New("CRC is wrong")
	}
	return frame{b[0], bytes.Clone(b[3:end])}, n + 3 + size, nil
}

// line is the cable to a reader: it asks, and waits for the answer.
type line struct {
	drivers.Link
	reply   time.Duration
	init    []byte // sent behind the greeting as command 13; none: nothing
	got     []byte
	late    bool   // an answer did not come, and may yet
	version []byte // maker, and three numbers
}

// next reads a frame, until end. Behind a broken one it waits for gap only: it
// was the answer.
func (l *line) next(end time.Time) (frame, error) {
	for {
		f, n, err := decode(l.got)
		l.got = l.got[n:]
		if err == nil {
			return f, nil
		}
		now := time.Now()
		if !errors.Is(err, link.ErrPart) {
			if soon := now.Add(gap); soon.Before(end) {
				end = soon
			}
			continue
		}
		left := end.Sub(now)
		if left <= 0 {
			return f, drivers.ErrSilent
		}
		if len(l.got) > 0 {
			left = min(left, gap)
		}
		switch err := l.read(left); {
		case err == nil:
		case errors.Is(err, drivers.ErrSilent) && len(l.got) > 0:
			l.got = l.got[1:] // that was no frame
		case !errors.Is(err, drivers.ErrSilent):
			return f, err
		}
	}
}

// read adds what comes within d to what was got.
func (l *line) read(d time.Duration) error {
	if err := l.Patience(d); err != nil {
		return err
	}
	var buf [256]byte
	n, err := l.Read(buf[:])
	l.got = append(l.got, buf[:n]...)
	return err
}

// exchange sends a frame and gives what the answer says that fits. Others come
// late, and are dropped.
func (l *line) exchange(q frame, fits func(said []byte) bool) ([]byte, error) {
	l.got = nil
	if _, err := l.Write(q.encode()); err != nil {
		return nil, err
	}
	for end := time.Now().Add(l.reply); ; {
		f, err := l.next(end)
		if err != nil {
			l.late = true
			return nil, err
		}
		if f.start == q.start && fits(f.said) {
			return f.said, nil
		}
	}
}

// put sends a command and gives the data behind its status and behind what it
// must repeat of the question: the UID of the tag.
func (l *line) put(cmd byte, uid []byte, data ...byte) ([]byte, error) {
	said := append(append([]byte{cmd}, uid...), data...)
	b, err := l.exchange(frame{start, said}, func(b []byte) bool {
		return len(b) >= 2 && b[0] == cmd && (b[1] != 0 || bytes.HasPrefix(b[2:], uid))
	})
	if err != nil {
		return nil, err
	}
	if b[1] != 0 {
		return nil, errorOf(b[1])
	}
	return b[2+len(uid):], nil
}

// ask is put, on a line on which no answer is under way any more.
func (l *line) ask(cmd byte, uid []byte, data ...byte) ([]byte, error) {
	if l.late {
		if err := l.sync(); err != nil {
			return nil, err
		}
	}
	return l.put(cmd, uid, data...)
}

// sync asks for the version, which is not asked for otherwise. The reader does
// one thing after the other: what comes behind that answer is no late one.
func (l *line) sync() error {
	b, err := l.put(cmdVersion, nil)
	if errors.Is(err, drivers.ErrSilent) {
		return l.greet()
	}
	if errors.Is(err, drivers.ErrGone) {
		return err
	}
	l.late = false
	if len(b) == 4 {
		l.version = b
	}
	return nil
}

// greeting begins a greeting's answer too; the version follows.
var greeting = []byte{0x04, 0x00, 0x11}

// greet is what other programs begin with.
func (l *line) greet() error {
	b, err := l.exchange(frame{startUp, greeting}, func(b []byte) bool { return bytes.HasPrefix(b, greeting) })
	if err != nil {
		return err
	}
	l.late, l.version = false, b[len(greeting):]
	if len(l.init) == 0 {
		return nil
	}
	if _, err := l.put(cmdInit, nil, l.init...); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	return nil
}
