// Package link opens what devices hang on: serial ports, TCP streams, HID
// devices, chips on SPI or I2C. What a library reports as nothing (a read of no bytes after its
// time-out) becomes drivers.ErrSilent here, once; what was unplugged becomes
// drivers.ErrGone, and what a call never returns from drivers.ErrHung. SPI and
// I2C need no deadline of ours: the kernel ends each transfer by its own.
package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.bug.st/serial"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Config is what a device entry says of its connection.
type Config struct {
	Path     string `toml:"path" help:"serial port, best below /dev/serial/by-id; a USB printer's below /dev/carrel; or tcp://host:port"`
	Baud     int    `toml:"baud" default:"9600" help:"serial speed; USB-CDC ignores it"`
	DataBits int    `toml:"data_bits" default:"8" help:"5 to 8"`
	Parity   string `toml:"parity" default:"none" help:"none, odd, even"`
	StopBits string `toml:"stop_bits" default:"1" help:"1, 2"`

	VID       uint16 `toml:"vid" help:"USB vendor, for HID devices"`
	PID       uint16 `toml:"pid" help:"USB product, for HID devices"`
	Serial    string `toml:"serial" help:"USB serial number, where two are alike"`
	Interface int    `toml:"interface" default:"-1" help:"USB interface, where a device has several; -1: the one that fits"`

	SPI     string `toml:"spi" help:"SPI bus and chip select, as SPI0.0"`
	I2C     string `toml:"i2c" help:"I2C bus, as 1"`
	Speed   int    `toml:"speed" default:"1000000" help:"SPI clock in Hz"`
	Address int    `toml:"address" default:"0x24" help:"I2C address, 7 bits"`
}

// Options lists the keys that matter for what a driver's devices hang on.
func Options(d drivers.Driver) []drivers.Option {
	stream := []string{"path", "baud", "data_bits", "parity", "stop_bits"}
	bus := []string{"spi", "i2c", "speed", "address"}
	keys := map[drivers.Connection][]string{
		drivers.NeedsLink:    stream,
		drivers.NeedsReports: {"vid", "pid", "serial", "interface"},
		drivers.NeedsBus:     bus,
		drivers.NeedsEither:  append(stream, bus...),
	}[d.Needs]
	list := slices.DeleteFunc(drivers.OptionsOf(&Config{}), func(o drivers.Option) bool { return !slices.Contains(keys, o.Key) })
	own := Defaults(d)
	for i, o := range list {
		switch o.Key {
		case "baud":
			list[i].Default = strconv.Itoa(own.Baud)
		case "parity":
			list[i].Default = own.Parity
		}
	}
	return list
}

// Defaults is the configuration of a driver's device that says nothing.
func Defaults(d drivers.Driver) Config {
	var c Config
	if err := drivers.SetDefaults(&c); err != nil {
		panic(err) // a tag in our own source
	}
	c.Baud, c.Parity = cmp.Or(d.Baud, c.Baud), cmp.Or(d.Parity, c.Parity)
	return c
}

// OnBus tells whether the configuration names a bus.
func (c Config) OnBus() bool { return c.SPI != "" || c.I2C != "" }

// Where is what a device hangs on, as a person knows it; empty if on nothing.
func (c Config) Where() string {
	switch {
	case c.VID != 0:
		return fmt.Sprintf("%04x:%04x", c.VID, c.PID)
	case c.SPI != "":
		return c.SPI
	case c.I2C != "":
		return fmt.Sprintf("I2C %s address %#x", c.I2C, c.Address)
	}
	return c.Path
}

const tcpScheme = "tcp://"

// Check tells what is wrong with a configuration for a driver's needs: each as
// "key: why", several joined (errors.Join).
func (c Config) Check(needs drivers.Connection) error {
	switch needs {
	case drivers.NeedsLink:
		return c.checkLink()
	case drivers.NeedsReports:
		if c.VID == 0 || c.PID == 0 {
			return errors.New("vid, pid: must both be set: kioskctl devices lists the HID devices that are there")
		}
	case drivers.NeedsBus:
		return c.checkBus()
	case drivers.NeedsEither:
		switch {
		case c.OnBus() && c.Path != "":
			return errors.New("path: must not be set beside spi or i2c")
		case c.OnBus():
			return c.checkBus()
		case c.Path == "":
			return errors.New("path: path, spi or i2c must be set")
		}
		return c.checkLink()
	}
	return nil
}

func (c Config) checkBus() error {
	var bad []error
	switch {
	case !c.OnBus():
		bad = append(bad, errors.New("spi: spi or i2c must be set, as spi = \"SPI0.0\""))
	case c.SPI != "" && c.I2C != "":
		bad = append(bad, errors.New("spi, i2c: only one of them can be set"))
	}
	if c.SPI != "" && (c.Speed < 10_000 || c.Speed > 50_000_000) {
		bad = append(bad, fmt.Errorf("speed: %d: must be 10000 to 50000000 Hz", c.Speed))
	}
	if c.I2C != "" && (c.Address < 0x08 || c.Address > 0x77) {
		bad = append(bad, fmt.Errorf("address: %#x: must be 0x08 to 0x77", c.Address))
	}
	return errors.Join(bad...)
}

func (c Config) checkLink() error {
	bad := []error{c.checkPath()}
	if c.VID != 0 || c.PID != 0 || c.Serial != "" {
		bad = append(bad, errors.New("vid: names HID devices only; a serial port is named by its path, which below /dev/serial/by-id stays with the device"))
	}
	if !strings.HasPrefix(c.Path, tcpScheme) {
		_, err := c.mode()
		bad = append(bad, err)
	}
	return errors.Join(bad...)
}

func (c Config) checkPath() error {
	addr, tcp := strings.CutPrefix(c.Path, tcpScheme)
	switch {
	case c.Path == "":
		return errors.New("path: must be set: kioskctl devices lists the ports that are there")
	case tcp:
		host, port, err := net.SplitHostPort(addr)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 {
			return fmt.Errorf("path: %q: must be tcp://host:port", c.Path)
		}
	case strings.Contains(c.Path, "://"):
		return fmt.Errorf("path: %q: must be a serial port or tcp://host:port", c.Path)
	}
	return nil
}

// mode is the line's setting. Stop bits of 1.5 are for 5 data bits, which
// nothing uses, and Linux can't set them.
func (c Config) mode() (*serial.Mode, error) {
	m := &serial.Mode{BaudRate: c.Baud, DataBits: c.DataBits}
	var bad []error
	if c.Baud < 50 || c.Baud > 4_000_000 {
		bad = append(bad, fmt.Errorf("baud: %d: must be a speed, as 9600", c.Baud))
	}
	if c.DataBits < 5 || c.DataBits > 8 {
		bad = append(bad, fmt.Errorf("data_bits: %d: must be 5 to 8", c.DataBits))
	}
	switch c.Parity {
	case "", "none":
	case "odd":
		m.Parity = serial.OddParity
	case "even":
		m.Parity = serial.EvenParity
	default:
		bad = append(bad, fmt.Errorf("parity: %q: must be none, odd or even", c.Parity))
	}
	switch c.StopBits {
	case "", "1":
	case "2":
		m.StopBits = serial.TwoStopBits
	default:
		bad = append(bad, fmt.Errorf("stop_bits: %q: must be 1 or 2", c.StopBits))
	}
	return m, errors.Join(bad...)
}

// patience is how long a Read waits where nobody has said.
const patience = time.Second

// Open opens a byte stream.
func Open(ctx context.Context, c Config) (drivers.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if addr, ok := strings.CutPrefix(c.Path, tcpScheme); ok {
		return openTCP(ctx, addr)
	}
	mode, err := c.mode()
	return opening(ctx, c.Path, openTime, func() (drivers.Link, error) {
		switch {
		case isPrinter(c.Path):
			return openFile(c.Path)
		case err != nil:
			return nil, err
		}
		return openSerial(c.Path, mode)
	})
}

// gone says that what was opened is no longer there, and how that showed.
func gone(err error) error { return fmt.Errorf("%w: %v", drivers.ErrGone, err) }
