package device

import (
	"io"
	"sync"

	"github.com/carrel-kiosk/carrel/deploy/testbed/usbredir"
)

// Endpoints of what reads and writes bytes.
const (
	bulkIn  = 0x81
	bulkOut = 0x02
	notify  = 0x83
)

// ACM is a scanner in USB serial mode: a CDC-ACM modem (USB class CDC 1.2, PSTN
// 1.2) with its two interfaces. Line settings are kept and change nothing.
func ACM(serial string) *usbredir.Device {
	line := []byte{0x80, 0x25, 0, 0, 0, 0, 8} // 9600 8N1
	d := &usbredir.Device{
		Identity: usbredir.Identity{Vendor: 0x0C2E, Product: 0x0B6A, Release: 0x0100, Class: 2, Maker: "Honeywell", Model: "Scanner (serial)", Serial: serial},
		Speed:    usbredir.Full,
		Interfaces: []usbredir.Interface{
			{Class: 2, Subclass: 2, Protocol: 1,
				Extra:     []byte{5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 1, 4, 0x24, 2, 2, 5, 0x24, 6, 0, 1},
				Endpoints: []usbredir.Endpoint{{Address: notify, Kind: usbredir.Interrupt, Packet: 16, Interval: 16}}},
			{Class: 10, Endpoints: []usbredir.Endpoint{{Address: bulkIn, Kind: usbredir.Bulk, Packet: 64}, {Address: bulkOut, Kind: usbredir.Bulk, Packet: 64}}},
		},
	}
	d.Control = func(s usbredir.Setup, data []byte) ([]byte, bool) {
		const setLine, getLine, setControl, sendBreak = 0x20, 0x21, 0x22, 0x23
		switch s.Request {
		case setLine:
			line = append([]byte(nil), data...)
			return nil, true
		case getLine:
			return line, true
		}
		return nil, s.Request == setControl || s.Request == sendBreak
	}
	return d
}

// FTDI is what nearly every pad has: an FT232R bridge to a serial line. Each
// packet into the host begins with two bytes of the line's status.
func FTDI(serial string) *usbredir.Device {
	status := []byte{0x01, 0x60}
	return &usbredir.Device{
		Identity: usbredir.Identity{Vendor: 0x0403, Product: 0x6001, Release: 0x0600, Maker: "FTDI", Model: "FT232R USB UART", Serial: serial},
		Speed:    usbredir.Full,
		Interfaces: []usbredir.Interface{{Class: 0xFF, Subclass: 0xFF, Protocol: 0xFF,
			Endpoints: []usbredir.Endpoint{{Address: bulkIn, Kind: usbredir.Bulk, Packet: 64}, {Address: bulkOut, Kind: usbredir.Bulk, Packet: 64}}}},
		Control: func(s usbredir.Setup, data []byte) ([]byte, bool) {
			const modemStatus, latency, memory = 5, 10, 0x90
			switch {
			case s.Type&0x80 == 0:
				return nil, true
			case s.Request == modemStatus:
				return status, true
			case s.Request == latency:
				return []byte{16}, true
			}
			return []byte{0, 0}, s.Request == memory
		},
		Frame: func(data []byte, most int) (transfer []byte, taken int) {
			const packet = 64
			for taken < len(data) && most-len(transfer) > len(status) {
				n := min(packet, most-len(transfer)) - len(status)
				n = min(n, len(data)-taken)
				transfer = append(append(transfer, status...), data[taken:taken+n]...)
				taken += n
			}
			return transfer, taken
		},
	}
}

// Printer is a receipt printer of the USB class for printers (1.1), both ways.
func Printer(serial string) *usbredir.Device {
	id := "\x00\x00MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;"
	name := []byte(id)
	name[1] = byte(len(id))
	return &usbredir.Device{
		Identity: usbredir.Identity{Vendor: 0x04B8, Product: 0x0E15, Release: 0x0100, Maker: "EPSON", Model: "TM-T20II", Serial: serial},
		Speed:    usbredir.Full,
		Interfaces: []usbredir.Interface{{Class: 7, Subclass: 1, Protocol: 2,
			Endpoints: []usbredir.Endpoint{{Address: bulkIn, Kind: usbredir.Bulk, Packet: 64}, {Address: bulkOut, Kind: usbredir.Bulk, Packet: 64}}}},
		Control: func(s usbredir.Setup, data []byte) ([]byte, bool) {
			const getID, getStatus, softReset = 0, 1, 2
			switch s.Request {
			case getID:
				return name, true
			case getStatus:
				return []byte{0x18}, true // selected, no error
			}
			return nil, s.Request == softReset
		},
	}
}

// Line is the far end of what reads and writes bytes: an ACM, an FTDI, a
// Printer. It stays when the device is pulled out and plugged in again.
type Line struct {
	device *usbredir.Device
	came   chan []byte

	mu   sync.Mutex
	port *usbredir.Port
	rest []byte
}

var _ io.ReadWriter = (*Line)(nil)

// NewLine makes the far end of d.
func NewLine(d *usbredir.Device) *Line {
	l := &Line{device: d, came: make(chan []byte, 4096)}
	d.Wrote = func(_ byte, data []byte) { l.came <- append([]byte(nil), data...) }
	return l
}

// Device is what is plugged in.
func (l *Line) Device() *usbredir.Device { return l.device }

// Plugged says by which port bytes go to the host from now on.
func (l *Line) Plugged(p *usbredir.Port) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.port = p
}

// Read waits for what the host has written.
func (l *Line) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		l.rest = <-l.came
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// Write sends to the host. What is written while the device is not plugged in
// is lost, as it is with a real one.
func (l *Line) Write(p []byte) (int, error) {
	l.mu.Lock()
	port := l.port
	l.mu.Unlock()
	if port == nil {
		return len(p), nil
	}
	port.Bulk(bulkIn, p) //nolint:errcheck // it was pulled out just now
	return len(p), nil
}
