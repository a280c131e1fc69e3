// Package usbredir makes USB devices of Go values and plugs them into QEMU, by
// the usb-redir protocol: the host's side, which elsewhere passes on a real
// device, is made up here.
//
// Source: usb-redir protocol description, version 0.7, and USB 2.0, chapter 9.
// What QEMU does beyond it was found by trying: it wants 64-bit ids, the
// device's release and the length of packets told, and it leaves the status
// byte of its questions unset.
package usbredir

import (
	"fmt"
	"sync"
)

// Device is a USB device. Its functions are called one at a time.
type Device struct {
	Identity
	Speed      byte // Full or High
	Interfaces []Interface
	Report     []byte // HID report descriptor of the only HID interface; nil: none

	// Control answers requests of a class or a vendor; false is a stall.
	Control func(s Setup, data []byte) ([]byte, bool)
	// Wrote takes what the host writes to a bulk endpoint.
	Wrote func(endpoint byte, data []byte)
	// Frame cuts what is sent to the host into the bytes of one transfer of at
	// most so many, and says how many of the bytes those are. nil: as they come.
	Frame func(data []byte, most int) (transfer []byte, taken int)

	mu        sync.Mutex
	alt       map[byte]byte
	receiving map[byte]bool     // interrupt endpoints that the host reads
	asked     map[byte][]uint64 // ids of reads that wait
	lengths   map[uint64]int    // and how much each takes
	waiting   map[byte][]byte   // for the host to read
}

// answer gives the packets that follow upon one of the host's. Whoever calls
// it holds d.mu until they are sent: what is read must not overtake itself.
func (d *Device) answer(p packet) ([]packet, error) {
	arg := func(n int) byte {
		if n < len(p.body) {
			return p.body[n]
		}
		return 0
	}
	switch p.kind {
	case reset:
		d.forget()
		return nil, nil
	case setConfiguration, getConfiguration:
		return []packet{{configurationStatus, p.id, []byte{statusSuccess, 1}}}, nil
	case setAltSetting:
		d.alt = put(d.alt, arg(0), arg(1))
		return []packet{{altSettingStatus, p.id, []byte{statusSuccess, arg(0), arg(1)}}}, nil
	case getAltSetting:
		return []packet{{altSettingStatus, p.id, []byte{statusSuccess, arg(0), d.alt[arg(0)]}}}, nil
	case startInterruptReceiving, stopInterruptReceiving:
		d.receiving = put(d.receiving, arg(0), p.kind == startInterruptReceiving)
		return []packet{{interruptReceivingStatus, p.id, []byte{statusSuccess, arg(0)}}}, nil
	case cancelDataPacket:
		return d.cancel(p.id), nil
	case controlPacket:
		s, data, ok := p.setup()
		if !ok {
			return nil, fmt.Errorf("usb-redir: a request of %d bytes", len(p.body))
		}
		return []packet{d.control(p, s, data)}, nil
	case bulkPacket:
		endpoint, length, data, ok := p.bulk()
		if !ok {
			return nil, fmt.Errorf("usb-redir: a bulk packet of %d bytes", len(p.body))
		}
		return d.transfer(p.id, endpoint, length, data), nil
	}
	return nil, nil // filters, streams: nothing that these devices have
}

func (d *Device) forget() {
	d.receiving, d.asked, d.lengths, d.waiting, d.alt = nil, nil, nil, nil, nil
}

// put sets an entry of a map that may not be there yet.
func put[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	if m == nil {
		m = map[K]V{}
	}
	m[k] = v
	return m
}

// control answers a request: those of every device (USB 2.0, 9.4) itself.
func (d *Device) control(p packet, s Setup, data []byte) packet {
	const kind, standard, getStatus, clearFeature, setFeature, getDescriptor = 0x60, 0, 0, 1, 3, 6
	var out []byte
	ok := true
	switch {
	case s.Type&kind == standard && s.Request == getDescriptor:
		out = d.descriptor(byte(s.Value>>8), byte(s.Value))
		ok = out != nil
	case s.Type&kind == standard && s.Request == getStatus:
		out = []byte{0, 0}
	case s.Type&kind == standard:
		ok = s.Request == clearFeature || s.Request == setFeature
	case d.Control != nil:
		out, ok = d.Control(s, data)
	default:
		ok = false
	}
	if !ok {
		return p.control(statusStall, nil)
	}
	return p.control(statusSuccess, out[:min(len(out), int(s.Length))])
}

func (d *Device) descriptor(kind, n byte) []byte {
	switch kind {
	case typeDevice:
		return d.device()
	case typeConfiguration:
		return configuration(d.Interfaces)
	case typeString:
		return d.text(n)
	case typeReport:
		return d.Report
	}
	return nil
}

// transfer takes what the host writes, or has it wait for what it reads.
func (d *Device) transfer(id uint64, endpoint byte, length int, data []byte) []packet {
	if endpoint&endpointIn == 0 {
		if d.Wrote != nil {
			d.Wrote(endpoint, data)
		}
		return []packet{bulkAnswer(id, endpoint, statusSuccess, len(data), nil)}
	}
	d.asked = put(d.asked, endpoint, append(d.asked[endpoint], id))
	d.lengths = put(d.lengths, id, length)
	return d.flow(endpoint)
}

// flow answers the reads that wait, as long as there is something.
func (d *Device) flow(endpoint byte) (out []packet) {
	for len(d.asked[endpoint]) > 0 && len(d.waiting[endpoint]) > 0 {
		id := d.asked[endpoint][0]
		data, most := d.waiting[endpoint], d.lengths[id]
		taken := min(len(data), most)
		transfer := data[:taken]
		if d.Frame != nil {
			transfer, taken = d.Frame(data, most)
		}
		if taken == 0 { // a read that is too small for anything: it would wait for ever
			return out
		}
		d.asked[endpoint] = d.asked[endpoint][1:]
		delete(d.lengths, id)
		d.waiting[endpoint] = data[taken:]
		out = append(out, bulkAnswer(id, endpoint, statusSuccess, len(transfer), transfer))
	}
	return out
}

// cancel ends a read that waits.
func (d *Device) cancel(id uint64) []packet {
	for endpoint, ids := range d.asked {
		for n, other := range ids {
			if other == id {
				d.asked[endpoint] = append(ids[:n:n], ids[n+1:]...)
				delete(d.lengths, id)
				return []packet{bulkAnswer(id, endpoint, statusCancelled, 0, nil)}
			}
		}
	}
	return nil // it was answered meanwhile
}
