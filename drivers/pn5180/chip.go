package pn5180

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

// Host commands.
const (
	writeRegister    = 0x00
	writeRegisterOr  = 0x01
	writeRegisterAnd = 0x02
	readRegister     = 0x04
	readEEPROM       = 0x07
	sendData         = 0x09
	readData         = 0x0A
	loadRFConfig     = 0x11
	rfOn             = 0x16
	rfOff            = 0x17
)

// Registers.
const (
	systemConfig = 0x00
	irqStatus    = 0x02
	irqClear     = 0x03
	rxStatus     = 0x13
	txConfig     = 0x18
	rfStatus     = 0x1D
)

// Bits of irqStatus.
const (
	irqRX    = 1 << 0
	irqTX    = 1 << 1
	irqIdle  = 1 << 2
	irqRFOff = 1 << 8
	irqRFOn  = 1 << 9
	irqSOF   = 1 << 14 // an answer has begun
	irqError = 1 << 17
	irqAll   = 0x000FFFFF
)

// The radio of ISO 15693: 100 % ASK and 26 kbit/s there, 26 kbit/s back.
const (
	txISO15693 = 0x0D
	rxISO15693 = 0x8D
)

const (
	commandTime = 500 * time.Millisecond // for anything of the chip itself
	poll        = 40 * time.Microsecond  // between two looks at a register
	maxRX       = 508                    // bytes of an answer that the chip can hold
	// onlyEOF is what must be left of TX_CONFIG to send an end of frame alone.
	onlyEOF = 0xFFFFFB3F
)

// The longest waits for an answer to begin, after the request is sent. A slot
// is empty when none has begun after t1 and a tag's start of frame, 474 us;
// a tag that writes may take 20 ms (ISO/IEC 15693-3, 9.2 and 10.4.2).
const (
	slotTime   = 650 * time.Microsecond
	answerTime = 2 * time.Millisecond
	writeTime  = 25 * time.Millisecond
)

// chip speaks to a PN5180. It is the air for what is said to tags.
type chip struct {
	bus               drivers.Bus
	busy, sel, rst    drivers.Pin
	tx                uint32 // TX_CONFIG as the radio's configuration has it
	eof               bool   // TX_CONFIG sends nothing but ends of frame
	product, firmware [2]byte
}

var _ iso15693.Air = (*chip)(nil)

// frame is one transaction: BUSY must be low before, rise, and fall behind it.
func (c *chip) frame(w, r []byte) error {
	if err := c.busy.Wait(false, commandTime); err != nil {
		return fmt.Errorf("BUSY stays high: %w", err)
	}
	if err := c.sel.Out(false); err != nil {
		return err
	}
	err := c.bus.Transfer(w, r)
	if err == nil {
		err = c.busy.Wait(true, commandTime)
	}
	if err := errors.Join(err, c.sel.Out(true)); err != nil {
		return err
	}
	return c.busy.Wait(false, commandTime)
}

// command sends one and reads n bytes of its answer.
func (c *chip) command(n int, b ...byte) ([]byte, error) {
	if err := c.frame(b, nil); err != nil || n == 0 {
		return nil, err
	}
	w, r := make([]byte, n), make([]byte, n)
	for i := range w {
		w[i] = 0xFF
	}
	return r, c.frame(w, r)
}

func (c *chip) write(command, register byte, v uint32) error {
	_, err := c.command(0, binary.LittleEndian.AppendUint32([]byte{command, register}, v)...)
	return err
}

func (c *chip) read(register byte) (uint32, error) {
	b, err := c.command(4, readRegister, register)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

// until looks at a register until done or the time is over. What came while
// nobody looked counts: the last look is behind the time.
func (c *chip) until(register byte, d time.Duration, done func(uint32) bool) (v uint32, ok bool, err error) {
	for end := time.Now().Add(d); ; time.Sleep(poll) {
		late := time.Now().After(end)
		if v, err = c.read(register); err != nil || done(v) {
			return v, err == nil, err
		}
		if late {
			return v, false, nil
		}
	}
}

// reset begins anew: the pin, and then the radio.
func (c *chip) reset() error {
	if err := errors.Join(c.sel.Out(true), c.rst.Out(false)); err != nil {
		return err
	}
	time.Sleep(10 * time.Millisecond)
	if err := c.rst.Out(true); err != nil {
		return err
	}
	if _, ok, err := c.until(irqStatus, commandTime, func(v uint32) bool { return v&irqIdle != 0 }); err != nil || !ok {
		return fmt.Errorf("the chip does not come up: %w", orSilent(err))
	}
	for address, to := range map[byte]*[2]byte{0x10: &c.product, 0x12: &c.firmware} {
		b, err := c.command(2, readEEPROM, address, 2)
		if err != nil {
			return err
		}
		copy(to[:], b)
	}
	if c.product == [2]byte{0xFF, 0xFF} || c.firmware == [2]byte{0xFF, 0xFF} {
		return fmt.Errorf("nothing but FF comes back, look at the wires: %w", drivers.ErrSilent)
	}
	return c.radio(true)
}

func orSilent(err error) error {
	if err == nil {
		return drivers.ErrSilent
	}
	return err
}

// radio turns the field on or off.
func (c *chip) radio(on bool) error {
	if !on {
		_, err := c.command(0, rfOff, 0)
		return err
	}
	if _, err := c.command(0, loadRFConfig, txISO15693, rxISO15693); err != nil {
		return err
	}
	tx, err := c.read(txConfig)
	if err != nil {
		return err
	}
	c.tx, c.eof = tx, false
	if err := c.write(writeRegister, irqClear, irqAll); err != nil {
		return err
	}
	if _, err := c.command(0, rfOn, 0); err != nil {
		return err
	}
	if _, ok, err := c.until(irqStatus, commandTime, func(v uint32) bool { return v&irqRFOn != 0 }); err != nil || !ok {
		return fmt.Errorf("the field does not come on: %w", orSilent(err))
	}
	time.Sleep(5 * time.Millisecond) // tags start up
	return nil
}

// Send implements iso15693.Air.
func (c *chip) Send(req []byte) ([]byte, error) {
	if c.eof {
		if err := c.write(writeRegister, txConfig, c.tx); err != nil {
			return nil, err
		}
		c.eof = false
	}
	if len(req) < 2 {
		return nil, drivers.ErrUnsupported
	}
	inventory, option := req[0]&iso15693.FlagInventory != 0, req[0]&iso15693.FlagOption != 0
	wait := answerTime
	switch writes := changes(req[1]); {
	case inventory:
		wait = slotTime
	case writes && option: // it answers behind another end of frame, which may come after 20 ms
		if err := c.transmit(req); err != nil {
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
		return c.Slot()
	case writes:
		wait = writeTime
	}
	return c.exchange(req, wait)
}

// changes tells the commands that have a tag write.
func changes(cmd byte) bool {
	switch cmd {
	case iso15693.CmdWriteBlock, iso15693.CmdLockBlock, iso15693.CmdWriteAFI, iso15693.CmdLockAFI,
		iso15693.CmdWriteDSFID, iso15693.CmdLockDSFID, iso15693.CmdSetEAS, iso15693.CmdResetEAS:
		return true
	}
	return false
}

// Slot implements iso15693.Air.
func (c *chip) Slot() ([]byte, error) {
	if !c.eof {
		if err := c.write(writeRegisterAnd, txConfig, onlyEOF); err != nil {
			return nil, err
		}
		c.eof = true
	}
	return c.exchange(nil, slotTime)
}

// transmit has the chip send.
func (c *chip) transmit(req []byte) error {
	for _, w := range []struct {
		command, register byte
		v                 uint32
	}{{writeRegisterAnd, systemConfig, 0xFFFFFFF8}, {writeRegister, irqClear, irqAll}, {writeRegisterOr, systemConfig, 3}} {
		if err := c.write(w.command, w.register, w.v); err != nil {
			return err
		}
	}
	ready := func(v uint32) bool { return v>>24&7 == 1 } // it waits for something to transmit
	if _, ok, err := c.until(rfStatus, commandTime, ready); err != nil || !ok {
		return fmt.Errorf("the chip does not get ready to send: %w", orSilent(err))
	}
	if _, err := c.command(0, append([]byte{sendData, 0}, req...)...); err != nil {
		return err
	}
	sent := func(v uint32) bool { return v&(irqTX|irqSOF|irqRX) != 0 } // an answer says it too
	if _, ok, err := c.until(irqStatus, commandTime, sent); err != nil || !ok {
		return fmt.Errorf("the chip does not send: %w", orSilent(err))
	}
	return nil
}

// exchange sends and reads the answer, if one begins within wait.
func (c *chip) exchange(req []byte, wait time.Duration) ([]byte, error) {
	if err := c.transmit(req); err != nil {
		return nil, err
	}
	irq, began, err := c.until(irqStatus, wait, func(v uint32) bool { return v&(irqSOF|irqRX|irqError|irqRFOff) != 0 })
	switch {
	case err != nil:
		return nil, err
	case irq&irqRFOff != 0:
		return nil, fmt.Errorf("the field went off by itself, look at the supply: %w", drivers.ErrSilent)
	case !began:
		return nil, drivers.ErrNoTag
	}
	whole := iso15693.Up(maxRX)
	irq, ended, err := c.until(irqStatus, whole, func(v uint32) bool { return v&(irqRX|irqError) != 0 })
	switch {
	case err != nil:
		return nil, err
	case !ended || irq&irqError != 0:
		return nil, fmt.Errorf("the answer breaks off: %w", drivers.ErrAir)
	}
	return c.received()
}

// received reads what has come.
func (c *chip) received() ([]byte, error) {
	st, err := c.read(rxStatus)
	if err != nil {
		return nil, err
	}
	n := int(st & 0x1FF)
	switch {
	case st&(1<<18) != 0:
		return nil, iso15693.ErrCollision
	case st&(1<<16|1<<17) != 0:
		return nil, fmt.Errorf("CRC or protocol: %w", drivers.ErrAir)
	case n == 0 || n > maxRX:
		return nil, fmt.Errorf("an answer of %d bytes: %w", n, drivers.ErrAir)
	}
	return c.command(n, readData, 0)
}
