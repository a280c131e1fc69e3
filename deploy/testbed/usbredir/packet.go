package usbredir

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Kinds of packets that are used here: usb-redir protocol 0.7, "usb_redir_...".
const (
	hello                    = 0
	deviceConnect            = 1
	reset                    = 3
	interfaceInfo            = 4
	epInfo                   = 5
	setConfiguration         = 6
	getConfiguration         = 7
	configurationStatus      = 8
	setAltSetting            = 9
	getAltSetting            = 10
	altSettingStatus         = 11
	startInterruptReceiving  = 15
	stopInterruptReceiving   = 16
	interruptReceivingStatus = 17
	cancelDataPacket         = 21
	controlPacket            = 100
	bulkPacket               = 101
	interruptPacket          = 103
)

// Status of an answer.
const (
	statusSuccess   = 0
	statusCancelled = 1
	statusInval     = 2
	statusStall     = 4
)

// Capabilities, as bits. Without the first three QEMU's xHCI refuses a device.
const (
	capDeviceVersion      = 1 << 1
	capMaxPacket          = 1 << 4
	cap64BitIDs           = 1 << 5
	cap32BitBulk          = 1 << 6
	capabilities          = capDeviceVersion | capMaxPacket | cap64BitIDs | cap32BitBulk
	helloSize             = 64 + 4 // a version as text, and capabilities
	maxBody               = 1 << 20
	endpointIn       byte = 0x80
)

// A packet is one message of the protocol. The first, hello, has an id of 4
// bytes; all that come once both have said hello have 8 (cap64BitIDs).
type packet struct {
	kind uint32
	id   uint64
	body []byte
}

func readPacket(r io.Reader, long bool) (packet, error) {
	head := make([]byte, headSize(long))
	if _, err := io.ReadFull(r, head); err != nil {
		return packet{}, err
	}
	p := packet{kind: binary.LittleEndian.Uint32(head)}
	size := binary.LittleEndian.Uint32(head[4:])
	if size > maxBody {
		return packet{}, fmt.Errorf("usb-redir: a packet of %d bytes", size)
	}
	if long {
		p.id = binary.LittleEndian.Uint64(head[8:])
	} else {
		p.id = uint64(binary.LittleEndian.Uint32(head[8:]))
	}
	p.body = make([]byte, size)
	_, err := io.ReadFull(r, p.body)
	return p, err
}

func headSize(long bool) int {
	if long {
		return 16
	}
	return 12
}

func (p packet) append(b []byte, long bool) []byte {
	b = binary.LittleEndian.AppendUint32(b, p.kind)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p.body)))
	if long {
		b = binary.LittleEndian.AppendUint64(b, p.id)
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(p.id))
	}
	return append(b, p.body...)
}

// Setup is a request to a device's endpoint 0: USB 2.0, table 9-2.
type Setup struct {
	Type    byte // bmRequestType
	Request byte
	Value   uint16
	Index   uint16
	Length  uint16
}

const controlHead = 10

// setup takes a control packet apart: endpoint, request, type, status, value,
// index, length, and what is written to the device.
func (p packet) setup() (s Setup, data []byte, ok bool) {
	if len(p.body) < controlHead {
		return Setup{}, nil, false
	}
	b := p.body
	return Setup{Type: b[2], Request: b[1], Value: binary.LittleEndian.Uint16(b[4:]), Index: binary.LittleEndian.Uint16(b[6:]),
		Length: binary.LittleEndian.Uint16(b[8:])}, b[controlHead:], true
}

// control is the answer to p. Its status replaces the question's, which is
// whatever QEMU had in memory there.
func (p packet) control(status byte, data []byte) packet {
	b := append([]byte(nil), p.body[:controlHead]...)
	b[3] = status
	binary.LittleEndian.PutUint16(b[8:], uint16(len(data)))
	if b[0]&endpointIn == 0 && status == statusSuccess { // how much was taken
		copy(b[8:], p.body[8:controlHead])
	}
	if b[0]&endpointIn != 0 {
		b = append(b, data...)
	}
	return packet{controlPacket, p.id, b}
}

const bulkHead = 10 // endpoint, status, length, stream, the length's upper half

// bulk takes a bulk packet apart.
func (p packet) bulk() (endpoint byte, length int, data []byte, ok bool) {
	if len(p.body) < bulkHead {
		return 0, 0, nil, false
	}
	b := p.body
	length = int(binary.LittleEndian.Uint16(b[2:])) | int(binary.LittleEndian.Uint16(b[8:]))<<16
	return b[0], length, b[bulkHead:], true
}

// bulkAnswer is the answer to a bulk packet: what was read, or of what was
// written how much.
func bulkAnswer(id uint64, endpoint, status byte, length int, data []byte) packet {
	b := []byte{endpoint, status}
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(length>>16))
	return packet{bulkPacket, id, append(b, data...)}
}

// interruptReport is a report of the device.
func interruptReport(id uint64, endpoint byte, data []byte) packet {
	b := binary.LittleEndian.AppendUint16([]byte{endpoint, statusSuccess}, uint16(len(data)))
	return packet{interruptPacket, id, append(b, data...)}
}

func helloPacket() packet {
	b := make([]byte, helloSize)
	copy(b, "carrel testbed")
	binary.LittleEndian.PutUint32(b[64:], capabilities)
	return packet{kind: hello, body: b}
}
