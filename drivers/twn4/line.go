package twn4

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// line is the cable to a reader. Both sides send lines of hexadecimal digits.
type line struct {
	drivers.Link
	reply time.Duration
	got   []byte
	torn  bool // of the line under way the beginning is gone: the rest may be another ID
}

const maxLine = 600 // bytes; the longest is an answer of 255 bytes

// cut takes the first line off what has come. CR ends it; LF too, where the
// reader is set to send both, so that a line may be empty.
func (l *line) cut() (text string, ok bool) {
	i := bytes.IndexAny(l.got, "\r\n")
	switch {
	case i < 0 && len(l.got) > maxLine:
		l.tear()
		return "", false
	case i < 0:
		return "", false
	}
	text, l.got = string(l.got[:i]), l.got[i+1:]
	if l.torn {
		text, l.torn = "", false
	}
	return text, true
}

// tear drops what has come of a line.
func (l *line) tear() {
	l.torn = l.torn || len(l.got) > 0
	l.got = nil
}

func (l *line) read(wait time.Duration) error {
	if wait <= 0 {
		return drivers.ErrSilent
	}
	if err := l.Patience(wait); err != nil {
		return err
	}
	var buf [256]byte
	n, err := l.Read(buf[:])
	l.got = append(l.got, buf[:n]...)
	return err
}

const settleTime = time.Second // a line that never rests is used as it is

// settle throws away what comes until it has been quiet for so long.
func (l *line) settle(quiet time.Duration) error {
	for end := time.Now().Add(settleTime); time.Now().Before(end); {
		err := l.read(quiet)
		l.got, l.torn = nil, false
		if errors.Is(err, drivers.ErrSilent) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	tries = 3
	stale = time.Millisecond       // what has come before a question is the answer to none
	bad   = 100 * time.Millisecond // quiet behind an answer that was not well
)

// ask sends a command and gives what it returns. No answer tells to which
// question it is, so none may be left behind. All that this driver asks for
// may be done twice.
func (l *line) ask(cmd ...byte) (out []byte, err error) {
	quiet := stale
	for range tries {
		if err := l.settle(quiet); err != nil {
			return nil, err
		}
		if out, err = l.once(cmd); err == nil || errors.Is(err, drivers.ErrGone) {
			return out, err
		}
		quiet = bad
	}
	return nil, err
}

func (l *line) once(cmd []byte) ([]byte, error) {
	if _, err := l.Write(fmt.Appendf(nil, "%X\r", cmd)); err != nil {
		return nil, err
	}
	for end := time.Now().Add(l.reply); ; {
		if text, ok := l.cut(); ok && text != "" {
			return decode(text)
		} else if ok {
			continue
		}
		if err := l.read(time.Until(end)); err != nil {
			return nil, fmt.Errorf("no answer to command %X: %w", cmd[:2], err)
		}
	}
}

// refusals are what a reader says instead of 00.
var refusals = map[byte]string{1: "unknown function", 2: "a parameter is missing", 3: "there are too many parameters", 4: "invalid", 5: "it can't be read"}

// decode reads an answer: 00 and what the function returns, or an error.
func decode(text string) ([]byte, error) {
	b, err := hex.DecodeString(text)
	switch {
	case err != nil || len(b) == 0:
		return nil, fmt.Errorf("answer %.40q: %w", text, drivers.ErrAir)
	case b[0] != 0:
		why := refusals[b[0]]
		if why == "" {
			why = "unknown"
		}
		return nil, fmt.Errorf("the reader refuses the command: error %d, %s", b[0], why)
	}
	return b[1:], nil
}

// tag is what a search has found.
type tag struct {
	kind byte
	id   []byte
}

// found reads the answer to a search: 00 when there is nothing, else 01, type,
// length in bits, length in bytes, ID.
func found(b []byte) (t tag, ok bool, err error) {
	switch {
	case len(b) == 1 && b[0] == 0:
		return t, false, nil
	case len(b) > 4 && b[0] == 1 && int(b[3]) == len(b)-4 && (int(b[2])+7)/8 == len(b)-4:
		return tag{b[1], b[4:]}, true, nil
	}
	return t, false, fmt.Errorf("a search finds %X: %w", b, drivers.ErrAir)
}
