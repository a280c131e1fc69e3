package link

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/conn/v3/spi/spireg"
	"periph.io/x/host/v3"

	"github.com/carrel-kiosk/carrel/drivers"
)

// hostInit finds the buses and lines of this machine, once: periph keeps what
// it has found for as long as the program runs.
var hostInit = sync.OnceValue(func() error { _, err := host.Init(); return err })

// bus is a chip on SPI (mode 0, 8 bits) or I2C.
type bus struct {
	tx    func(w, r []byte) error
	i2c   bool
	close func() error
}

// OpenBus opens a chip on SPI or I2C.
func OpenBus(ctx context.Context, c Config) (drivers.Bus, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := hostInit(); err != nil {
		return nil, err
	}
	if c.I2C != "" {
		b, err := i2creg.Open(c.I2C)
		if err != nil {
			return nil, fmt.Errorf("I2C bus %q: %w (is I2C switched on? raspi-config, Interface Options; and may the program open /dev/i2c-*?)", c.I2C, err)
		}
		dev := &i2c.Dev{Bus: b, Addr: uint16(c.Address)}
		return &bus{dev.Tx, true, b.Close}, nil
	}
	p, err := spireg.Open(c.SPI)
	if err != nil {
		return nil, fmt.Errorf("SPI bus %q: %w (is SPI switched on? raspi-config, Interface Options; and may the program open /dev/spidev*?)", c.SPI, err)
	}
	conn, err := p.Connect(physic.Frequency(c.Speed)*physic.Hertz, spi.Mode0, 8)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("SPI bus %q: %w", c.SPI, err), p.Close())
	}
	return &bus{conn.Tx, false, p.Close}, nil
}

func (b *bus) Transfer(w, r []byte) error {
	err := b.tx(w, r)
	if errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.EBADF) {
		return gone(err)
	}
	return err
}

func (b *bus) I2C() bool    { return b.i2c }
func (b *bus) Close() error { return b.close() }

func (b *bus) Pin(name string) (drivers.Pin, error) {
	p := gpioreg.ByName(name)
	if p == nil {
		return nil, noLine(name)
	}
	return &pin{PinIO: p}, nil
}

// pin is a line. It is an input or an output from its first use on.
type pin struct {
	gpio.PinIO
	in bool
}

func (p *pin) Out(high bool) error { return p.PinIO.Out(gpio.Level(high)) }

// spin is how long a level is waited for at full speed: a chip that works is
// ready within that, and a sleep takes longer.
const spin = 100 * time.Microsecond

// Wait looks at the line again and again: an edge could be missed before it is
// waited for, and takes longer to be told.
func (p *pin) Wait(high bool, d time.Duration) error {
	if !p.in {
		if err := p.PinIO.In(gpio.PullNoChange, gpio.NoEdge); err != nil {
			return err
		}
		p.in = true
	}
	for begin := time.Now(); p.Read() != gpio.Level(high); {
		switch passed := time.Since(begin); {
		case passed > d:
			return fmt.Errorf("line %s stays %v: %w", p.Name(), gpio.Level(!high), drivers.ErrSilent)
		case passed > spin:
			time.Sleep(spin / 2)
		}
	}
	return nil
}
