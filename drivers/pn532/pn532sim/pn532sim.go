// Package pn532sim is the far end of package pn532: the chip, with cards in its
// field, on a serial line, on SPI or on I2C.
package pn532sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Options are what can be wrong with a board.
type Options struct {
	Think       time.Duration // what an answer takes; 0 means 2 ms
	LoseEvery   int           // each so-manyth answer is lost; 0: none
	DamageEvery int           // each so-manyth answer is damaged on the line; 0: none
	LateEvery   int           // each so-manyth answer takes Late; 0: none
	Extended    bool          // answers are in extended frames
	Busy        bool          // on I2C each third transaction is refused
	Hung        bool          // nothing is heard before a reset
	NoChip      bool          // nothing is soldered: SPI reads FF, I2C is refused
}

// Late is longer than hosts wait.
const Late = 1100 * time.Millisecond

// Reset is the line of RSTPDN.
const Reset = "GPIO25"

// Card is a card.
type Card struct {
	UID []byte // nil: a phone, with another random one each time the field goes on
	ATS []byte // with its length; nil: the card knows no ISO/IEC 14443-4
}

// Chip is a board.
type Chip struct {
	Options
	mu    sync.Mutex
	cards []Card
	mute  bool

	awake, ready bool // ready: SAMConfiguration was said
	retries      byte // FF: a list waits for ever
	field        bool
	quiet        bool // cards have been listed since the field went on, and are silent
	fields       int  // times that it went on
	answers      int
	transfers    int
	out          []sent
	last         []byte
}

// sent is a frame to the host, and when it is there.
type sent struct {
	frame []byte
	at    time.Time
}

// New makes a board that has just got its power.
func New(o Options) *Chip {
	if o.Think == 0 {
		o.Think = 2 * time.Millisecond
	}
	return &Chip{Options: o, retries: 0xFF}
}

// Lay puts these cards, and no others, into the field.
func (c *Chip) Lay(cards ...Card) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cards = cards
}

// Field tells whether the chip's field is on.
func (c *Chip) Field() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.field
}

// Mute has the chip hear and say nothing from now on.
func (c *Chip) Mute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute = true
}

// Serve speaks to a serial line until it fails.
func (c *Chip) Serve(rw io.ReadWriter) error {
	var got []byte
	buf := make([]byte, 256)
	for {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		c.mu.Lock()
		if bytes.Contains(buf[:n], []byte{0x55, 0x55, 0, 0}) {
			c.awake = true
		}
		c.mu.Unlock()
		got = append(got, buf[:n]...)
		for {
			body, rest := cut(got)
			if rest == nil {
				break
			}
			got = rest
			if err := c.say(rw, body); err != nil {
				return err
			}
		}
	}
}

// say writes what one frame leads to.
func (c *Chip) say(w io.Writer, body []byte) error {
	c.mu.Lock()
	c.hear(body)
	out := c.out
	c.out = nil
	c.mu.Unlock()
	for _, s := range out {
		time.Sleep(time.Until(s.at))
		if _, err := w.Write(s.frame); err != nil {
			return err
		}
	}
	return nil
}

var ack = []byte{0, 0, 0xFF, 0, 0xFF, 0}

// cut takes the first whole frame off a stream, with what is before it. body
// begins behind the start code. rest is nil when there is none.
func cut(b []byte) (body, rest []byte) {
	i := bytes.Index(b, []byte{0, 0xFF})
	if i < 0 || len(b) < i+4 {
		return nil, nil
	}
	b = b[i+2:]
	switch {
	case b[0] == 0 && b[1] == 0xFF, b[0] == 0xFF && b[1] == 0:
		return b[:2], b[2:]
	case b[0]+b[1] != 0:
		return nil, b
	case len(b) < int(b[0])+3:
		return nil, nil
	}
	return b[:int(b[0])+3], b[int(b[0])+3:]
}

// hear takes a frame.
func (c *Chip) hear(body []byte) {
	switch {
	case c.mute || c.Hung || !c.awake || len(body) < 2:
	case body[0] == 0:
		c.out = nil // the host stops it
	case len(body) == 2:
		c.out = []sent{{c.last, time.Now()}}
	case sum(body[2:]) == 0 && body[2] == 0xD4 && len(body) > 4:
		c.out = []sent{{ack, time.Now()}}
		c.answer(c.do(body[3], body[4:len(body)-1]))
	}
}

func sum(b []byte) (s byte) {
	for _, v := range b {
		s += v
	}
	return s
}

func (c *Chip) answer(data []byte) {
	if data == nil {
		return
	}
	f := frame(data, c.Extended)
	c.last = f
	c.answers++
	every := func(n int) bool { return n > 0 && c.answers%n == 0 }
	think := c.Think
	switch {
	case every(c.LoseEvery):
		return
	case every(c.DamageEvery):
		f = bytes.Clone(f)
		f[len(f)-3] ^= 0x10
	case every(c.LateEvery):
		think = Late
	}
	c.out = append(c.out, sent{f, time.Now().Add(think)})
}

// frame frames data, which begin with D5 or 7F.
func frame(data []byte, extended bool) []byte {
	n := byte(len(data))
	b := []byte{0, 0, 0xFF, n, -n}
	if extended || len(data) > 255 {
		high := byte(len(data) >> 8)
		b = []byte{0, 0, 0xFF, 0xFF, 0xFF, high, n, -(high + n)}
	}
	return append(append(b, data...), -sum(data), 0)
}

// do carries a command out; nil is an answer that never comes.
func (c *Chip) do(cmd byte, b []byte) []byte {
	done := []byte{0xD5, cmd + 1}
	switch {
	case cmd == 0x02:
		return append(done, 0x32, 1, 6, 7)
	case cmd == 0x14 && len(b) == 3 && b[0] == 1:
		c.ready = true
		return done
	case !c.ready:
	case cmd == 0x32 && len(b) == 4 && b[0] == 5:
		c.retries = b[3]
		return done
	case cmd == 0x32 && len(b) == 2 && b[0] == 1:
		c.power(b[1]&1 == 1)
		return done
	case cmd == 0x4A && len(b) == 2 && b[0] >= 1 && b[0] <= 2 && b[1] == 0:
		if list := c.list(int(b[0])); list != nil {
			return append(done, list...)
		}
		return nil
	}
	return []byte{0x7F}
}

func (c *Chip) power(on bool) {
	if on && !c.field {
		c.fields++
		c.quiet = false
	}
	c.field = on
}

func (c *Chip) list(n int) []byte {
	c.power(true)
	var cards []Card
	if !c.quiet {
		cards = c.cards[:min(n, len(c.cards))]
	}
	if len(cards) == 0 && c.retries == 0xFF {
		return nil
	}
	c.quiet = len(cards) > 0
	b := []byte{byte(len(cards))}
	for i, card := range cards {
		uid, sak := card.UID, byte(0x08)
		if uid == nil {
			uid = []byte{0x08, byte(c.fields), byte(c.fields >> 8), 0x77}
		}
		if card.ATS != nil {
			sak = 0x20
		}
		b = append(append(b, byte(i+1), 0x00, 0x04, sak, byte(len(uid))), uid...)
		b = append(b, card.ATS...)
	}
	return b
}

// Bus gives the chip as it is on I2C, or on SPI.
func (c *Chip) Bus(i2c bool) drivers.Bus { return &bus{c, i2c} }

type bus struct {
	*Chip
	i2c bool
}

func (b *bus) I2C() bool    { return b.i2c }
func (b *bus) Close() error { return nil }

// Pin implements drivers.Bus.
func (b *bus) Pin(name string) (drivers.Pin, error) {
	if name != Reset {
		return nil, fmt.Errorf("there is no line %q", name)
	}
	return pin{b.Chip}, nil
}

type pin struct{ *Chip }

func (p pin) Out(high bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !high {
		p.awake, p.ready, p.retries, p.Hung, p.out = false, false, 0xFF, false, nil
		p.power(false)
	}
	return nil
}

func (p pin) Wait(bool, time.Duration) error { return errors.New("it is an input of the chip") }

var errRefused = errors.New("remote I/O error")

// Transfer implements drivers.Bus.
func (b *bus) Transfer(w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.transfers++
	if b.i2c {
		return b.onI2C(w, r)
	}
	return b.onSPI(w, r)
}

func (c *Chip) onI2C(w, r []byte) error {
	switch {
	case c.NoChip || c.Busy && c.transfers%3 == 1:
		return errRefused
	case !c.awake:
		c.awake = !c.Hung
		return errRefused
	case w != nil:
		c.write(w)
	case c.there():
		r[0] = 1
		if len(r) > 1 {
			c.read(r[1:])
		}
	default:
		clear(r)
	}
	return nil
}

func (c *Chip) onSPI(w, r []byte) error {
	if r != nil && len(w) != len(r) || len(w) == 0 {
		return errors.New("what is sent and what is read have the same length")
	}
	in, out := turned(w), make([]byte, len(w))
	switch {
	case c.NoChip:
		for i := range out {
			out[i] = 0xFF
		}
	case !c.awake:
		c.awake = !c.Hung && len(w) >= 200 // selected for long enough
	case in[0] == 0x01:
		c.write(in[1:])
	case in[0] == 0x02 && c.there():
		for i := range out {
			out[i] = 1
		}
	case in[0] == 0x03 && c.there():
		c.read(out[1:])
	}
	copy(r, turned(out))
	return nil
}

func turned(b []byte) (t []byte) {
	for _, v := range b {
		t = append(t, bits.Reverse8(v))
	}
	return t
}

func (c *Chip) write(b []byte) {
	if body, rest := cut(b); rest != nil {
		c.hear(body)
	}
}

// there tells whether a frame waits.
func (c *Chip) there() bool {
	return !c.mute && !c.Hung && len(c.out) > 0 && !time.Now().Before(c.out[0].at)
}

// read gives the frame that waits; what is not read of it is gone, and what is
// read behind it means nothing.
func (c *Chip) read(r []byte) {
	for i := copy(r, c.out[0].frame); i < len(r); i++ {
		r[i] = 0xAA
	}
	c.out = c.out[1:]
}
