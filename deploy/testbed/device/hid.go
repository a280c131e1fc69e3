// Package device has the things that are plugged into a kiosk, as USB devices:
// scanners in each of their three modes, a pad behind an FTDI bridge, a printer.
// Their descriptors are what real ones say.
package device

import (
	"fmt"
	"strings"

	"github.com/carrel-kiosk/carrel/deploy/testbed/usbredir"
)

// interruptIn is the endpoint that HID devices speak by.
const interruptIn = 0x81

// keyboardReport is the descriptor of the boot keyboard: HID 1.11, appendix E.6.
var keyboardReport = []byte{
	0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, // application: keyboard
	0x05, 0x07, 0x19, 0xE0, 0x29, 0xE7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, // modifiers
	0x95, 0x01, 0x75, 0x08, 0x81, 0x01, // reserved
	0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, // lights
	0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, // keys
	0xC0,
}

// posReport is the descriptor of a HID POS scanner: HID Point of Sale Usage
// Tables 1.02, section 5, with the report of 64 bytes and its ID 2.
var posReport = []byte{
	0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, // application: bar code scanner
	0x09, 0x12, 0xA1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, // scanned data report
	0x95, 0x01, 0x05, 0x01, 0x09, 0x3B, 0x81, 0x02, // byte count
	0x95, 0x03, 0x05, 0x8C, 0x09, 0xFB, 0x09, 0xFC, 0x09, 0xFD, 0x81, 0x02, // symbology identifier 1-3
	0x95, 0x38, 0x09, 0xFE, 0x82, 0x02, 0x01, // decoded data
	0x95, 0x02, 0x06, 0x66, 0xFF, 0x09, 0x04, 0x09, 0x00, 0x81, 0x02, // the maker's
	0x05, 0x8C, 0x75, 0x01, 0x95, 0x01, 0x09, 0xFF, 0x81, 0x02, 0x75, 0x07, 0x81, 0x03, // goes on
	0xC0,
	0x09, 0x00, 0xA1, 0x02, 0x85, 0xFE, 0x95, 0x01, 0x75, 0x08, 0x06, 0x66, 0xFF, 0x09, 0x01, 0xB1, 0x02, 0xC0, // wake-up
	0xC0,
}

// hid is a HID device with one interface. A report goes out every 8 ms.
func hid(id usbredir.Identity, subclass, protocol byte, report []byte, packet uint16) *usbredir.Device {
	class := []byte{9, 0x21, 0x11, 0x01, 0, 1, 0x22, byte(len(report)), byte(len(report) >> 8)}
	return &usbredir.Device{
		Identity: id, Speed: usbredir.Full, Report: report,
		Interfaces: []usbredir.Interface{{Class: 3, Subclass: subclass, Protocol: protocol, Extra: class,
			Endpoints: []usbredir.Endpoint{{Address: interruptIn, Kind: usbredir.Interrupt, Packet: packet, Interval: 8}}}},
		// Rates, protocols, lights and features are taken and change nothing.
		Control: func(s usbredir.Setup, data []byte) ([]byte, bool) { return nil, s.Type&0x80 == 0 },
	}
}

// Wedge is a scanner that types, as it comes from Honeywell: one press and one
// release for each character, then Enter.
func Wedge(serial string) *usbredir.Device {
	return hid(usbredir.Identity{Vendor: 0x0C2E, Product: 0x0B61, Release: 0x0100, Maker: "Honeywell", Model: "Scanner (keyboard)", Serial: serial},
		1, 1, keyboardReport, 8)
}

// Type has a Wedge read a code of digits and letters.
func Type(p *usbredir.Port, code string) error {
	reports, err := typed(code)
	if err != nil {
		return err
	}
	return p.Interrupt(interruptIn, reports...)
}

// typed are the boot reports (HID 1.11, appendix B.1) of a code on a US keyboard.
func typed(code string) (reports [][]byte, err error) {
	const shift, enter = 0x02, 0x28
	press := func(modifiers, key byte) {
		reports = append(reports, []byte{modifiers, 0, key, 0, 0, 0, 0, 0}, make([]byte, 8))
	}
	for _, r := range code {
		switch {
		case r == '0':
			press(0, 0x27)
		case r >= '1' && r <= '9':
			press(0, 0x1E+byte(r-'1'))
		case r >= 'a' && r <= 'z':
			press(0, 0x04+byte(r-'a'))
		case r >= 'A' && r <= 'Z':
			press(shift, 0x04+byte(r-'A'))
		default:
			return nil, fmt.Errorf("%q is not typed", strings.ToValidUTF8(code, "?"))
		}
	}
	press(0, enter)
	return reports, nil
}

// POS is a scanner in mode HID POS of a maker whose reports are those of the
// usage tables.
func POS(serial string) *usbredir.Device {
	return hid(usbredir.Identity{Vendor: 0x1EAB, Product: 0x1310, Release: 0x0100, Maker: "Newland", Model: "HID-POS Scanner", Serial: serial},
		0, 0, posReport, 64)
}

// Read has a POS read a code, of Code 128.
func Read(p *usbredir.Port, code string) error { return p.Interrupt(interruptIn, read(code)...) }

// read are the reports of a code, which goes on in the next where it is long.
func read(code string) (reports [][]byte) {
	const id, data, room = 2, 5, 56
	for first := true; first || code != ""; first = false {
		n := min(len(code), room)
		r := make([]byte, 64)
		r[0], r[1] = id, byte(n)
		copy(r[2:], "]C0")
		copy(r[data:], code[:n])
		if code = code[n:]; code != "" {
			r[63] = 1
		}
		reports = append(reports, r)
	}
	return reports
}
