// Package pn5180sim is the far end of package pn5180: the chip on its bus,
// with its registers, its BUSY line and its radio on a simulated field.
package pn5180sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// Options are what can be wrong with a board.
type Options struct {
	NoChip   bool // nothing is soldered: all bytes are FF, BUSY floats low
	Stuck    bool // BUSY stays high
	Old      bool // firmware 3.5
	BrownOut int  // the chip resets itself at the so-manyth transmission; 0: never
}

// The lines, as a Raspberry Pi calls them.
const (
	Busy   = "GPIO25"
	Select = "GPIO22"
	Reset  = "GPIO7"
)

// Chip is the board as drivers.Bus has it.
type Chip struct {
	Options
	field *field.Field

	mu       sync.Mutex
	selected bool
	closed   bool
	working  bool // BUSY
	regs     [64]uint32
	out      []byte // what the next transaction reads
	rx       []byte // the answer of the last exchange
	x        field.Exchange
	begun    time.Time       // of x; zero: none is under way
	held     *field.Exchange // its answer waits for another end of frame
	sent     int
}

var _ drivers.Bus = (*Chip)(nil)

// New puts a chip with its coil under a field.
func New(f *field.Field, o Options) *Chip {
	c := &Chip{Options: o, field: f}
	c.start()
	return c
}

// start is what a reset leaves.
func (c *Chip) start() {
	c.regs = [64]uint32{}
	c.regs[0x02] = 1 << 2
	c.regs[0x18] = 0x000004C0
	c.out, c.rx, c.begun, c.held, c.working = nil, nil, time.Time{}, nil, false
	c.field.Power(false)
}

// I2C implements drivers.Bus.
func (c *Chip) I2C() bool { return false }

// Close implements drivers.Bus.
func (c *Chip) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

// Pin implements drivers.Bus.
func (c *Chip) Pin(name string) (drivers.Pin, error) {
	switch name {
	case Busy, Select, Reset:
		return &pin{c, name}, nil
	}
	return nil, fmt.Errorf("there is no line %q", name)
}

type pin struct {
	chip *Chip
	name string
}

func (p *pin) Out(high bool) error {
	p.chip.mu.Lock()
	defer p.chip.mu.Unlock()
	switch p.name {
	case Select:
		p.chip.selected = !high
		if high {
			p.chip.working = false // it is done at once
		}
	case Reset:
		if !high {
			p.chip.start()
		}
	default:
		return errors.New("BUSY is the chip's")
	}
	return nil
}

func (p *pin) Wait(high bool, d time.Duration) error {
	p.chip.mu.Lock()
	level := p.chip.working
	if p.chip.Stuck {
		level = true
	}
	if p.chip.NoChip {
		level = high // it floats
	}
	p.chip.mu.Unlock()
	if level == high {
		return nil
	}
	time.Sleep(d)
	return drivers.ErrSilent
}

// Transfer implements drivers.Bus.
func (c *Chip) Transfer(w, r []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return drivers.ErrGone
	case c.NoChip:
		for i := range r {
			r[i] = 0xFF
		}
		return nil
	case !c.selected:
		return errors.New("NSS is high: nobody hears")
	}
	c.working = true
	if r != nil {
		for i := range r {
			r[i] = 0xFF
		}
		copy(r, c.out)
		c.out = nil
		return nil
	}
	if len(w) > 0 {
		c.out = nil
		c.command(w[0], w[1:])
	}
	return nil
}

func (c *Chip) command(cmd byte, b []byte) {
	register := func(change func(old, v uint32) uint32) {
		if len(b) == 5 && int(b[0]) < len(c.regs) {
			c.set(b[0], change(c.get(b[0]), binary.LittleEndian.Uint32(b[1:])))
		}
	}
	switch cmd {
	case 0x00:
		register(func(_, v uint32) uint32 { return v })
	case 0x01:
		register(func(old, v uint32) uint32 { return old | v })
	case 0x02:
		register(func(old, v uint32) uint32 { return old & v })
	case 0x04:
		if len(b) == 1 && int(b[0]) < len(c.regs) {
			c.out = binary.LittleEndian.AppendUint32(nil, c.get(b[0]))
		}
	case 0x07:
		c.eeprom(b)
	case 0x09:
		if len(b) >= 1 && b[0] == 0 {
			c.send(b[1:])
		}
	case 0x0A:
		c.out = c.rx
	case 0x11:
		if len(b) == 2 {
			c.regs[0x18] = 0x000004C0
			if b[0] == 0x0D && b[1] == 0x8D {
				c.regs[0x18] |= 1 << 16 // this radio is ISO 15693
			}
		}
	case 0x16:
		c.field.Power(true)
		c.regs[0x02] |= 1 << 9
	case 0x17:
		c.field.Power(false)
		c.regs[0x02] |= 1 << 8
	}
}

func (c *Chip) eeprom(b []byte) {
	memory := map[byte]byte{0x10: 0, 0x11: 4, 0x12: 0, 0x13: 4, 0x14: 0x93, 0x15: 1}
	if c.Old {
		memory[0x12], memory[0x13] = 5, 3
	}
	if len(b) == 2 {
		for i := range b[1] {
			c.out = append(c.out, memory[b[0]+i])
		}
	}
}

// get reads a register; those of an exchange show what has happened by now.
func (c *Chip) get(reg byte) uint32 {
	switch reg {
	case 0x02:
		return c.regs[0x02] | c.progress()
	case 0x13:
		n := uint32(len(c.rx))
		switch {
		case errors.Is(c.x.Err, iso15693.ErrCollision):
			n |= 1<<18 | 1<<16
		case errors.Is(c.x.Err, drivers.ErrAir):
			n |= 1 << 16
		}
		return n
	case 0x1D:
		if c.regs[0x00]&7 == 3 && c.begun.IsZero() {
			return 1 << 24 // waits for something to transmit
		}
		return 0
	}
	return c.regs[reg]
}

// progress are the interrupts of the exchange under way.
func (c *Chip) progress() (irq uint32) {
	if c.begun.IsZero() {
		return 0
	}
	passed := time.Since(c.begun)
	if c.field.Wait == nil {
		passed = time.Hour
	}
	if passed < c.x.Down {
		return 0
	}
	irq = 1 << 1
	if errors.Is(c.x.Err, drivers.ErrNoTag) {
		return irq
	}
	if passed >= c.x.Start+iso15693.StartOfFrame {
		irq |= 1 << 14
	}
	if passed >= c.x.Total-iso15693.Gap {
		irq |= 1 << 0
	}
	return irq
}

func (c *Chip) set(reg byte, v uint32) {
	switch reg {
	case 0x03:
		c.regs[0x02] &^= v
		if v&0xFF != 0 {
			c.begun = time.Time{}
		}
	case 0x00:
		if v&7 == 0 {
			c.begun = time.Time{}
		}
		c.regs[0] = v
	default:
		c.regs[reg] = v
	}
}

// send is SEND_DATA: with the parts of TX_CONFIG off that frame a request, an
// end of frame goes out alone.
func (c *Chip) send(req []byte) {
	if c.regs[0x00]&7 != 3 || c.regs[0x18]&(1<<16) == 0 {
		return
	}
	if c.sent++; c.BrownOut > 0 && c.sent == c.BrownOut {
		c.start()
		c.regs[0x02] |= 1 << 8
		return
	}
	eof := len(req) == 0 && c.regs[0x18]&0x4C0 == 0
	held := c.held
	c.held = nil
	switch {
	case eof && held != nil:
		down := iso15693.NextSlot()
		c.x = field.Exchange{Answer: held.Answer, Err: held.Err, Down: down, Start: down + iso15693.Turn, Total: down + iso15693.Reply(len(held.Answer))}
	case eof:
		c.x = c.field.BeginSlot()
	default:
		c.x = c.field.Begin(req)
		if len(req) > 0 && req[0]&(iso15693.FlagInventory|iso15693.FlagOption) == iso15693.FlagOption {
			x := c.x
			c.held, c.x.Answer, c.x.Err = &x, nil, drivers.ErrNoTag
		}
	}
	c.begun, c.rx = time.Now(), nil
	if c.x.Err == nil {
		c.rx = c.x.Answer
	}
}
