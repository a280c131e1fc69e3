package pn532

import (
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// wire is what a chip hangs on.
type wire interface {
	wake() error
	send(b []byte) error
	// next waits for a frame of at most size bytes until end: ErrSilent when
	// none comes, errDamaged when something came that is none.
	next(size int, end time.Time) (frame, error)
	// settle lets what is still under way pass by.
	settle() error
	Close() error
}

// hsu is a serial line.
type hsu struct {
	drivers.Link
	got []byte
}

// wakeUp is what a chip that sleeps hears as a start; the zeros give it time.
var wakeUp = append([]byte{0x55, 0x55}, make([]byte, 14)...)

func (h *hsu) wake() error { return h.send(wakeUp) }

func (h *hsu) send(b []byte) error {
	_, err := h.Write(b)
	return err
}

func (h *hsu) next(_ int, end time.Time) (frame, error) {
	for {
		f, n, err := decode(h.got)
		h.got = h.got[n:]
		if !errors.Is(err, link.ErrPart) {
			return f, err
		}
		if err := h.read(time.Until(end)); err != nil {
			return f, err
		}
	}
}

func (h *hsu) read(wait time.Duration) error {
	if wait <= 0 {
		return drivers.ErrSilent
	}
	if err := h.Patience(wait); err != nil {
		return err
	}
	var buf [256]byte
	n, err := h.Read(buf[:])
	h.got = append(h.got, buf[:n]...)
	return err
}

const (
	quiet      = 50 * time.Millisecond  // nothing more is under way then
	settleTime = 500 * time.Millisecond // a line that never rests is read as it is
)

func (h *hsu) settle() error {
	for end := time.Now().Add(settleTime); time.Now().Before(end); {
		err := h.read(quiet)
		h.got = nil
		if errors.Is(err, drivers.ErrSilent) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// What is done on SPI, by its first byte.
const (
	spiWrite  = 0x01
	spiStatus = 0x02
	spiRead   = 0x03
)

// bus is SPI or I2C.
type bus struct {
	drivers.Bus
	whole bool  // an answer did not fit into what was read of it
	err   error // of the last transaction that failed
}

const (
	ready  = 0x01                    // bit of the status
	look   = time.Millisecond        // between two looks at the status
	wakes  = 2 * time.Millisecond    // what a chip takes to wake up
	resets = 100 * time.Millisecond  // that its reset is held, and that it takes to start
	most   = 3 + 5 + maxData + 1 + 1 // bytes of the longest frame
)

// reset begins anew by a line of its own.
func (b *bus) reset(name string) error {
	if name == "" {
		return nil
	}
	pin, err := b.Pin(name)
	if err != nil {
		return err
	}
	for _, high := range []bool{false, true} {
		if err := pin.Out(high); err != nil {
			return err
		}
		time.Sleep(resets)
	}
	return nil
}

// wake calls the chip, which need not answer yet. On SPI it must be selected
// for about as long as it takes: 250 bytes are 2 ms at 1 MHz.
func (b *bus) wake() error {
	_, err := b.read(spiStatus, 250)
	time.Sleep(wakes)
	if errors.Is(err, drivers.ErrGone) {
		return err
	}
	return nil
}

// send writes a frame. A chip that works may not answer to its address at once.
func (b *bus) send(p []byte) (err error) {
	if !b.I2C() {
		p = turned(append([]byte{spiWrite}, p...))
	}
	for range tries {
		if err = b.Transfer(p, nil); err == nil || errors.Is(err, drivers.ErrGone) {
			return err
		}
		time.Sleep(look)
	}
	return err
}

// read gives the status, or with spiRead n bytes of a frame: on I2C both come
// in one, the status first.
func (b *bus) read(what byte, n int) ([]byte, error) {
	r := make([]byte, 1+n)
	if b.I2C() {
		if what == spiStatus {
			r = r[:1]
		}
		err := b.Transfer(nil, r)
		return r, err
	}
	w := make([]byte, len(r))
	w[0] = what
	err := b.Transfer(turned(w), r)
	return turned(r), err
}

// turned has the bits of each byte the other way round: the chip sends the
// least significant one first, and hardly any master can.
func turned(b []byte) []byte {
	t := make([]byte, len(b))
	for i, c := range b {
		t[i] = bits.Reverse8(c)
	}
	return t
}

func (b *bus) next(size int, end time.Time) (f frame, err error) {
	for {
		time.Sleep(look)
		if !time.Now().Before(end) {
			return f, b.silent()
		}
		r, err := b.read(spiStatus, 1)
		if err == nil && r[len(r)-1]&ready != 0 {
			f, err = b.take(size)
			if err == nil {
				return f, nil
			}
		}
		if errors.Is(err, drivers.ErrGone) || errors.Is(err, errDamaged) {
			return f, err
		}
		if err != nil {
			b.err = err
		}
	}
}

// take reads a frame that is ready. One that is longer than what is read of it
// is damaged, and read as a whole when the chip sends it again.
func (b *bus) take(size int) (frame, error) {
	if b.whole {
		size = max(size, most)
	}
	r, err := b.read(spiRead, size)
	if err != nil {
		return frame{}, err
	}
	f, _, err := decode(r[1:])
	if errors.Is(err, link.ErrPart) {
		b.whole, err = true, errDamaged
	}
	return f, err
}

// silent is ErrSilent, with what the bus said.
func (b *bus) silent() error {
	err := b.err
	b.err = nil
	if err == nil {
		return drivers.ErrSilent
	}
	return fmt.Errorf("%w: %v", drivers.ErrSilent, err)
}

func (b *bus) settle() error {
	time.Sleep(quiet)
	return nil
}
