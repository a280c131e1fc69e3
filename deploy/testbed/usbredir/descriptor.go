package usbredir

import (
	"encoding/binary"
	"unicode/utf16"
)

// Speeds of a device, as usb-redir counts them.
const (
	Full = 1
	High = 2
)

// Identity is what a device says that it is.
type Identity struct {
	Vendor, Product uint16
	Release         uint16 // BCD
	Class           byte   // 0: each interface has its own
	Maker, Model    string
	Serial          string // empty: none
}

// Descriptor types: USB 2.0, table 9-5; HID 1.11, section 7.1.
const (
	typeDevice        = 1
	typeConfiguration = 2
	typeString        = 3
	typeInterface     = 4
	typeEndpoint      = 5
	typeReport        = 0x22
)

// device is the device descriptor: USB 2.0, table 9-8.
func (i Identity) device() []byte {
	b := []byte{18, typeDevice, 0x00, 0x02, i.Class, 0, 0, 64}
	b = binary.LittleEndian.AppendUint16(b, i.Vendor)
	b = binary.LittleEndian.AppendUint16(b, i.Product)
	b = binary.LittleEndian.AppendUint16(b, i.Release)
	serial := byte(3)
	if i.Serial == "" {
		serial = 0
	}
	return append(b, 1, 2, serial, 1)
}

// text is a string descriptor; number 0 lists the languages.
func (i Identity) text(n byte) []byte {
	all := []string{"", i.Maker, i.Model, i.Serial}
	if n == 0 {
		return []byte{4, typeString, 0x09, 0x04}
	}
	if int(n) >= len(all) || all[n] == "" {
		return nil
	}
	b := []byte{0, typeString}
	for _, u := range utf16.Encode([]rune(all[n])) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	b[0] = byte(len(b))
	return b
}

// Interface is one interface of a device.
type Interface struct {
	Class, Subclass, Protocol byte
	Extra                     []byte // descriptors of its class
	Endpoints                 []Endpoint
}

// Endpoint is a pipe to or from a device.
type Endpoint struct {
	Address  byte // with 0x80: into the host
	Kind     byte // 2 bulk, 3 interrupt
	Packet   uint16
	Interval byte // of interrupts, in ms at full speed
}

// Kinds of endpoints.
const (
	Bulk      = 2
	Interrupt = 3
)

// configuration is the configuration descriptor with all that belongs to it.
func configuration(list []Interface) []byte {
	b := []byte{9, typeConfiguration, 0, 0, byte(len(list)), 1, 0, 0x80, 50}
	for n, i := range list {
		b = append(b, 9, typeInterface, byte(n), 0, byte(len(i.Endpoints)), i.Class, i.Subclass, i.Protocol, 0)
		b = append(b, i.Extra...)
		for _, e := range i.Endpoints {
			b = append(b, 7, typeEndpoint, e.Address, e.Kind, byte(e.Packet), byte(e.Packet>>8), e.Interval)
		}
	}
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// connect are the packets that plug a device in: its interfaces, its endpoints,
// and that it is there.
func (d *Device) connect() []packet {
	const most = 32
	info := make([]byte, 4+4*most)
	binary.LittleEndian.PutUint32(info, uint32(len(d.Interfaces)))
	ep := make([]byte, most*3+most*2)
	for n := range most {
		ep[n] = 0xFF // there is none
	}
	ep[0], ep[16] = 0, 0 // endpoint 0 takes requests
	binary.LittleEndian.PutUint16(ep[3*most:], 64)
	binary.LittleEndian.PutUint16(ep[3*most+2*16:], 64)
	for n, i := range d.Interfaces {
		info[4+n], info[4+most+n], info[4+2*most+n], info[4+3*most+n] = byte(n), i.Class, i.Subclass, i.Protocol
		for _, e := range i.Endpoints {
			at := int(e.Address&15) + int(e.Address&endpointIn)>>3
			ep[at], ep[most+at], ep[2*most+at] = e.Kind, e.Interval, byte(n)
			binary.LittleEndian.PutUint16(ep[3*most+2*at:], e.Packet)
		}
	}
	there := []byte{d.Speed, d.Class, 0, 0}
	there = binary.LittleEndian.AppendUint16(there, d.Vendor)
	there = binary.LittleEndian.AppendUint16(there, d.Product)
	there = binary.LittleEndian.AppendUint16(there, d.Release)
	return []packet{{kind: interfaceInfo, body: info}, {kind: epInfo, body: ep}, {kind: deviceConnect, body: there}}
}
