// Package cfrh320sim is the far end of package cfrh320: the reader as a HID
// device, on a simulated field.
package cfrh320sim

import (
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// Options are the habits of real readers, and of things that are none.
type Options struct {
	Other    bool // another device: it takes reports and answers none of this reader's
	Garble   int  // each so-manyth answer comes damaged; 0: none
	Unplug   int  // gone after so many questions; 0: never
	NoSelect bool // it does not take the select flag
}

// Reader is the reader as drivers.Reports has it.
type Reader struct {
	Options
	dev    field.Reader
	out    []byte
	asked  int
	closed bool
}

var _ drivers.Reports = (*Reader)(nil)

// New puts a reader under a field.
func New(f *field.Field, o Options) *Reader { return &Reader{Options: o, dev: *field.NewReader(f)} }

// ReadReport implements drivers.Reports: the reader sends none by itself.
func (r *Reader) ReadReport(_ []byte, d time.Duration) (int, error) {
	time.Sleep(d)
	return 0, drivers.ErrSilent
}

// WriteReport implements drivers.Reports.
func (r *Reader) WriteReport([]byte) error { return errors.New("the device refuses the report") }

// UsagePage implements drivers.Reports: one of the maker's own.
func (r *Reader) UsagePage() uint16 { return 0xFF00 }

// Close implements drivers.Reports.
func (r *Reader) Close() error { r.closed = true; return nil }

// SendFeature implements drivers.Reports: a question.
func (r *Reader) SendFeature(p []byte) error {
	r.asked++
	switch {
	case r.closed || r.Unplug > 0 && r.asked > r.Unplug:
		return drivers.ErrGone
	case len(p) != 256 || p[0] != 1:
		return errors.New("the device refuses the report")
	}
	r.out = make([]byte, 256)
	r.out[0], r.out[6], r.out[8] = 2, 8, 0xAA
	n := int(p[10])
	if p[8] != 0xAA || n < 1 || 12+n >= len(p) || p[12+n] != 0xBB {
		return r.say(1, 0x91)
	}
	sum := byte(0)
	for _, c := range p[10 : 11+n] {
		sum ^= c
	}
	if sum != p[11+n] {
		return r.say(1, 0x91)
	}
	return r.do(p[11], p[12:11+n])
}

func (r *Reader) say(said ...byte) error {
	r.out[10] = byte(len(said))
	copy(r.out[11:], said)
	sum := byte(0)
	for _, c := range r.out[10 : 11+len(said)] {
		sum ^= c
	}
	r.out[11+len(said)], r.out[12+len(said)] = sum, 0xBB
	return nil
}

// GetFeature implements drivers.Reports: the answer.
func (r *Reader) GetFeature(p []byte) (int, error) {
	switch {
	case r.closed:
		return 0, drivers.ErrGone
	case r.Other:
		return 3, nil
	case len(p) < 256 || p[0] != 2:
		return 0, errors.New("the device refuses the report")
	}
	n := copy(p, r.out)
	if r.Garble > 0 && r.asked%r.Garble == 0 {
		p[12] ^= 0x55
	}
	return n, nil
}

// do carries out a command; b is what stands behind it.
func (r *Reader) do(cmd byte, b []byte) error {
	if len(b) == 0 {
		return r.say(1, 0x91)
	}
	switch {
	case r.NoSelect && b[0]&iso15693.FlagSelect != 0 && cmd != 0x10:
		return r.say(1, 0x91)
	case cmd == 0x10 && b[0] == 0x06:
		return r.inventory()
	case cmd == 0x11 && len(b) == 3 && b[2] > 0:
		return r.tell(b[2], []byte{b[0], iso15693.CmdReadBlocks, b[1], b[2] - 1})
	case cmd == 0x12 && len(b) > 3 && b[2] == 1:
		return r.tell(0x80, append([]byte{b[0], iso15693.CmdWriteBlock, b[1]}, b[3:]...))
	case cmd == 0x14 && len(b) == 9:
		r.dev.Air.Send(append([]byte{b[0], iso15693.CmdStayQuiet}, b[1:]...)) // which is not answered
		return r.say(0, 0x80)
	case cmd == 0x15 && len(b) == 9:
		return r.tell(0x80, append([]byte{b[0], iso15693.CmdSelect}, b[1:]...))
	}
	return r.say(1, 0x8F)
}

func (r *Reader) inventory() error {
	tags, err := r.dev.Inventory()
	if err != nil || len(tags) == 0 {
		return r.say(1, 0x83)
	}
	said := []byte{0, byte(min(len(tags), 24))}
	for _, t := range tags[:said[1]] {
		said = append(append(said, 0, t.DSFID), iso15693.Reversed(t.UID)...)
	}
	return r.say(said...)
}

// tell sends a request to the air. What is said of success: for a read how many
// blocks came, which shows in their length.
func (r *Reader) tell(first byte, req []byte) error {
	data, err := r.dev.Command(req)
	if err != nil {
		return r.say(1, code(err))
	}
	if req[1] == iso15693.CmdReadBlocks && len(data) != 4*int(first) {
		info, err := r.dev.Command([]byte{req[0], iso15693.CmdInfo})
		if err != nil {
			return r.say(1, code(err))
		}
		i, _, err := iso15693.ParseInfo(info)
		if err != nil || i.Size == 0 {
			return r.say(1, code(err))
		}
		first = byte(len(data) / i.Size)
	}
	return r.say(append([]byte{0, first}, data...)...)
}

func code(err error) byte {
	switch {
	case errors.Is(err, drivers.ErrNoTag):
		return 0x83
	case errors.Is(err, drivers.ErrAir):
		return 0x84
	case errors.Is(err, drivers.ErrNoBlock):
		return 0x93
	case errors.Is(err, drivers.ErrLocked):
		return 0x94
	case errors.Is(err, drivers.ErrUnsupported):
		return 0x90
	}
	return 0x96
}
