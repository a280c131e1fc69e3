package drivertest

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A Tape is a recorded exchange, one step a line:
//
//	# a comment
//	> 05 00 52 00 FC A8     the host sends, in hexadecimal
//	< "31234000010064\r"    the device sends, quoted as in Go
//	= 60ms                  nothing is said for that long
//	!                       the device is unplugged
type Tape []Step

// Step is one line of a tape.
type Step struct {
	Kind Kind
	Data []byte        // of Host and Device
	Wait time.Duration // of Quiet
}

// Kind is what happens in a step.
type Kind byte

// The kinds of steps.
const (
	Host   Kind = '>'
	Device Kind = '<'
	Quiet  Kind = '='
	Unplug Kind = '!'
)

// maxLine is the longest line of a tape, in bytes.
const maxLine = 64 << 10

// ReadTape reads a tape.
func ReadTape(r io.Reader) (Tape, error) {
	var tape Tape
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		text := strings.TrimSpace(s.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		step, err := readStep(Kind(text[0]), strings.TrimSpace(text[1:]))
		if err != nil {
			return nil, fmt.Errorf("tape: line %d: %w", n, err)
		}
		tape = append(tape, step)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("tape: %w", err)
	}
	return tape, nil
}

func readStep(k Kind, rest string) (Step, error) {
	s := Step{Kind: k}
	var err error
	switch k {
	case Host, Device:
		s.Data, err = readBytes(rest)
	case Quiet:
		if s.Wait, err = time.ParseDuration(rest); err == nil && s.Wait <= 0 {
			err = fmt.Errorf("%s: must be more than 0", rest)
		}
	case Unplug:
		if rest != "" {
			err = fmt.Errorf("%q stands behind the mark", rest)
		}
	default:
		err = fmt.Errorf("a step begins with one of > < = ! and not %q", k)
	}
	return s, err
}

func readBytes(text string) ([]byte, error) {
	var data []byte
	if strings.HasPrefix(text, `"`) {
		s, err := strconv.Unquote(text)
		if err != nil {
			return nil, fmt.Errorf("%s: not a quoted text", text)
		}
		data = []byte(s)
	} else {
		var err error
		if data, err = hex.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			return nil, err
		}
	}
	if len(data) == 0 {
		return nil, errors.New("no bytes")
	}
	return data, nil
}

// String writes the tape as ReadTape reads it.
func (t Tape) String() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.String())
	}
	return b.String()
}

// String is the step's line: bytes that are text in quotes, others as
// hexadecimal.
func (s Step) String() string {
	switch s.Kind {
	case Quiet:
		return fmt.Sprintf("= %v\n", s.Wait)
	case Unplug:
		return "!\n"
	}
	for _, c := range s.Data {
		if (c < ' ' || c > '~') && c != '\r' && c != '\n' && c != '\t' {
			return fmt.Sprintf("%c % X\n", s.Kind, s.Data)
		}
	}
	return fmt.Sprintf("%c %q\n", s.Kind, s.Data)
}
