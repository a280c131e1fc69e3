package pn532

import (
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/cardnumber"
)

// Commands. An answer has the command's number plus one.
const (
	getFirmware = 0x02
	configSAM   = 0x14
	configRF    = 0x32
	listTargets = 0x4A
)

const (
	rfField   = 0x01 // item of configRF: the field off (00) or on (01)
	rfRetries = 0x05 // item of configRF: how often, for ATR_REQ, PSL_REQ, and looking for a target
	targets   = 2    // the chip lists no more
	typeA     = 0x00 // ISO/IEC 14443-3 type A, 106 kbit/s
)

const (
	tries      = 3
	ackTime    = 100 * time.Millisecond // the chip's own limit is 15 ms
	ackSize    = 6
	answerSize = 64                    // bytes that nearly all answers fit into
	startTime  = 10 * time.Millisecond // that cards take to start up, and to forget (ISO/IEC 14443-3, 5)
)

// chip speaks to a PN532.
type chip struct {
	wire
	reply    time.Duration
	firmware [2]byte // version, revision
}

var _ cardnumber.Reader = (*chip)(nil)

// begin wakes the chip up and sets it so that it looks for cards, and ceases.
func (c *chip) begin() error {
	if err := c.wake(); err != nil {
		return err
	}
	if _, err := c.ask(configSAM, 1, 20, 1); err != nil { // no security module; its time-out is of no matter; IRQ
		return err
	}
	fw, err := c.ask(getFirmware)
	if err != nil {
		return err
	}
	if len(fw) < 4 { // IC, version, revision, what it supports
		return fmt.Errorf("a firmware of %d bytes: %w", len(fw), errDamaged)
	}
	copy(c.firmware[:], fw[1:])
	_, err = c.ask(configRF, rfRetries, 0xFF, 0x01, 0x02)
	return err
}

var errSyntax = errors.New("the chip does not know the command")

// ask sends a command and gives the data of its answer. All that this driver
// asks for may be done twice.
func (c *chip) ask(cmd byte, data ...byte) (out []byte, err error) {
	for n := range tries {
		if n > 0 {
			if err := c.restart(); err != nil {
				return nil, err
			}
		}
		out, err = c.once(cmd, data)
		if err == nil || errors.Is(err, drivers.ErrGone) || errors.Is(err, errSyntax) {
			break
		}
	}
	return out, err
}

// restart ends what the chip is at: an ACK of the host does that.
func (c *chip) restart() error {
	for _, step := range []func() error{c.wake, func() error { return c.send(ackFrame) }, c.settle} {
		if err := step(); errors.Is(err, drivers.ErrGone) {
			return err
		}
	}
	return nil
}

func (c *chip) once(cmd byte, data []byte) ([]byte, error) {
	if err := c.send(frame{fromHost, append([]byte{cmd}, data...)}.encode()); err != nil {
		return nil, err
	}
	if err := c.acknowledged(); err != nil {
		return nil, err
	}
	again := 0
	for end := time.Now().Add(c.reply); ; {
		f, err := c.next(answerSize, end)
		switch {
		case errors.Is(err, errDamaged) && again < tries:
			again++
			if err := c.send(nakFrame); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, fmt.Errorf("no answer to command %02X: %w", cmd, err)
		case f.from == syntax:
			return nil, errSyntax
		case f.from == fromChip && len(f.data) > 0 && f.data[0] == cmd+1:
			return f.data[1:], nil
		}
	}
}

// acknowledged waits for the ACK of a command. Answers to earlier ones that
// come before it are dropped.
func (c *chip) acknowledged() error {
	for end := time.Now().Add(ackTime); ; {
		f, err := c.next(ackSize, end)
		switch {
		case errors.Is(err, errDamaged):
		case err != nil:
			return fmt.Errorf("no ACK: %w", err)
		case f.from == ack:
			return nil
		}
	}
}

// Cards implements cardnumber.Reader. The field is on for that alone: a card
// that was told to be quiet is heard again, whatever the chip did with it.
func (c *chip) Cards() ([][]byte, error) {
	if err := c.field(1); err != nil {
		return nil, err
	}
	time.Sleep(startTime)
	b, err := c.ask(listTargets, targets, typeA)
	if err != nil {
		return nil, err
	}
	uids, err := list(b)
	if err != nil {
		return nil, err
	}
	return uids, c.field(0)
}

func (c *chip) field(on byte) error {
	_, err := c.ask(configRF, rfField, on)
	return err
}

// list reads the cards of an answer to listTargets: how many, and for each its
// number from 1 on, ATQA (2 bytes), SAK, length of the UID, UID; and where SAK
// tells of ISO/IEC 14443-4 the ATS, of which the first byte is its length. What
// does not fit to the last byte is refused: the UID may be another's.
func list(b []byte) (uids [][]byte, err error) {
	wrong := fmt.Errorf("a list of cards that is none: %X: %w", b, drivers.ErrAir)
	if len(b) == 0 {
		return nil, wrong
	}
	n := int(b[0])
	b = b[1:]
	for i := range n {
		if len(b) < 5 || int(b[0]) != i+1 || len(b) < 5+int(b[4]) {
			return nil, wrong
		}
		sak, end := b[3], 5+int(b[4])
		uids = append(uids, b[5:end])
		b = b[end:]
		if sak&0x20 != 0 && len(b) > 0 {
			if b[0] == 0 || int(b[0]) > len(b) {
				return nil, wrong
			}
			b = b[b[0]:]
		}
	}
	if len(b) > 0 {
		return nil, wrong
	}
	return uids, nil
}
