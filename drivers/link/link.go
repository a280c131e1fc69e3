// Package link opens what devices hang on: serial ports, TCP streams, HID
// devices. What a library reports as nothing (a read of no bytes after its
// time-out) becomes drivers.ErrSilent here, once; what was unplugged becomes
// drivers.ErrGone.
package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"go.bug.st/serial"
	"go.bug.st/serial/enumerator"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Config is what a device entry says of its connection.
type Config struct {
	Path     string `toml:"path" help:"serial port, best below /dev/serial/by-id, or tcp://host:port"`
	Baud     int    `toml:"baud" default:"9600" help:"serial speed; USB-CDC ignores it"`
	DataBits int    `toml:"data_bits" default:"8" help:"5 to 8"`
	Parity   string `toml:"parity" default:"none" help:"none, odd, even"`
	StopBits string `toml:"stop_bits" default:"1" help:"1, 1.5, 2"`

	VID       uint16 `toml:"vid" help:"USB vendor, for HID devices"`
	PID       uint16 `toml:"pid" help:"USB product, for HID devices"`
	Serial    string `toml:"serial" help:"USB serial number, where two are alike"`
	Interface int    `toml:"interface" default:"-1" help:"USB interface, where a device has several; -1: the one that fits"`
}

// Check tells what is wrong with a configuration for a driver's needs.
func (c Config) Check(needs drivers.Connection) error {
	switch needs {
	case drivers.NeedsLink:
		if c.Path == "" {
			return errors.New("path: must be set: kioskctl devices lists the ports that are there")
		}
		if rest, ok := strings.CutPrefix(c.Path, "tcp://"); ok {
			if _, _, err := net.SplitHostPort(rest); err != nil {
				return fmt.Errorf("path: %v", err)
			}
		}
		_, err := c.mode()
		return err
	case drivers.NeedsReports:
		if c.VID == 0 || c.PID == 0 {
			return errors.New("vid, pid: must both be set: kioskctl devices lists the HID devices that are there")
		}
	}
	return nil
}

func (c Config) mode() (*serial.Mode, error) {
	m := &serial.Mode{BaudRate: c.Baud, DataBits: c.DataBits}
	if c.Baud < 50 || c.Baud > 4_000_000 {
		return nil, fmt.Errorf("baud: %d: must be a speed, as 9600", c.Baud)
	}
	if c.DataBits < 5 || c.DataBits > 8 {
		return nil, fmt.Errorf("data_bits: %d: must be 5 to 8", c.DataBits)
	}
	switch c.Parity {
	case "", "none":
	case "odd":
		m.Parity = serial.OddParity
	case "even":
		m.Parity = serial.EvenParity
	default:
		return nil, fmt.Errorf("parity: %q: must be none, odd or even", c.Parity)
	}
	switch c.StopBits {
	case "", "1":
	case "1.5":
		m.StopBits = serial.OnePointFiveStopBits
	case "2":
		m.StopBits = serial.TwoStopBits
	default:
		return nil, fmt.Errorf("stop_bits: %q: must be 1, 1.5 or 2", c.StopBits)
	}
	return m, nil
}

// Open opens a byte stream.
func Open(ctx context.Context, c Config) (drivers.Link, error) {
	if addr, ok := strings.CutPrefix(c.Path, "tcp://"); ok {
		return openTCP(ctx, addr)
	}
	mode, err := c.mode()
	if err != nil {
		return nil, err
	}
	p, err := serial.Open(c.Path, mode)
	if err != nil {
		return nil, explain(c.Path, err)
	}
	l := &serialLink{port: p, patience: time.Second}
	if err := p.SetReadTimeout(l.patience); err != nil {
		p.Close()
		return nil, err
	}
	return l, nil
}

// explain says what can be done about a port that does not open.
func explain(path string, err error) error {
	if e, ok := errors.AsType[*serial.PortError](err); ok {
		switch e.Code() {
		case serial.PortNotFound:
			return fmt.Errorf("%s is not there: plug the device in, or see kioskctl devices for the right path", path)
		case serial.PermissionDenied:
			return fmt.Errorf("%s may not be opened by this user: add it to the group dialout", path)
		case serial.PortBusy:
			return fmt.Errorf("%s is in use by another program", path)
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is not there: plug the device in, or see kioskctl devices for the right path", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// quickZeros is how many reads may come back at once with nothing until the
// port counts as gone: an unplugged port reads so for ever.
const quickZeros = 50

type serialLink struct {
	port     serial.Port
	patience time.Duration
	zeros    int
}

func (l *serialLink) Patience(d time.Duration) error {
	l.patience = d
	return l.port.SetReadTimeout(d)
}

func (l *serialLink) Read(p []byte) (int, error) {
	start := time.Now()
	n, err := l.port.Read(p)
	switch {
	case err != nil:
		return n, fmt.Errorf("%w: %v", drivers.ErrGone, err)
	case n > 0:
		l.zeros = 0
		return n, nil
	case time.Since(start) >= l.patience/2:
		l.zeros = 0
	default:
		if l.zeros++; l.zeros >= quickZeros {
			return 0, drivers.ErrGone
		}
	}
	return 0, drivers.ErrSilent
}

func (l *serialLink) Write(p []byte) (int, error) {
	n, err := l.port.Write(p)
	if err != nil {
		return n, fmt.Errorf("%w: %v", drivers.ErrGone, err)
	}
	return n, nil
}

func (l *serialLink) Close() error { return l.port.Close() }

// dialTime is the longest wait for a TCP device.
const dialTime = 3 * time.Second

type tcpLink struct {
	net.Conn
	patience time.Duration
}

func openTCP(ctx context.Context, addr string) (drivers.Link, error) {
	d := net.Dialer{Timeout: dialTime, KeepAlive: 15 * time.Second}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &tcpLink{c, time.Second}, nil
}

func (l *tcpLink) Patience(d time.Duration) error { l.patience = d; return nil }

func (l *tcpLink) Read(p []byte) (int, error) {
	if err := l.SetReadDeadline(time.Now().Add(l.patience)); err != nil {
		return 0, fmt.Errorf("%w: %v", drivers.ErrGone, err)
	}
	n, err := l.Conn.Read(p)
	switch {
	case err == nil, n > 0:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, drivers.ErrSilent
	}
	return 0, fmt.Errorf("%w: %v", drivers.ErrGone, err)
}

func (l *tcpLink) Write(p []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(dialTime)); err != nil {
		return 0, fmt.Errorf("%w: %v", drivers.ErrGone, err)
	}
	n, err := l.Conn.Write(p)
	if err != nil {
		return n, fmt.Errorf("%w: %v", drivers.ErrGone, err)
	}
	return n, nil
}

// Port is a serial port that is there.
type Port struct {
	Path     string `json:"path"`
	VID, PID string `json:",omitempty"` // USB, hexadecimal
	Serial   string `json:"serial,omitempty"`
	Product  string `json:"product,omitempty"`
}

// Ports lists the serial ports of this machine.
func Ports() ([]Port, error) {
	found, err := enumerator.GetDetailedPortsList()
	if err != nil {
		return nil, fmt.Errorf("serial ports: %w", err)
	}
	var list []Port
	for _, p := range found {
		list = append(list, Port{Path: p.Name, VID: p.VID, PID: p.PID, Serial: p.SerialNumber, Product: p.Product})
	}
	return list, nil
}
