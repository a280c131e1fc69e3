package usbredir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Port is a device that is plugged in.
type Port struct {
	*Device
	conn  net.Conn
	ended chan struct{}
	err   error // why it ended, once ended is closed

	write  sync.Mutex // packets go out whole
	number uint64     // of reports
}

// patience is the longest that QEMU may take to say hello, or to read.
const patience = 5 * time.Minute

// Plug connects a device to QEMU over conn. It is in until Unplug.
func Plug(conn net.Conn, d *Device) (*Port, error) {
	p := &Port{Device: d, conn: conn, ended: make(chan struct{})}
	d.mu.Lock()
	d.forget()
	d.mu.Unlock()
	if err := p.begin(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("usb-redir: %w", err)
	}
	go p.serve()
	return p, nil
}

// begin exchanges hellos and tells of the device.
func (p *Port) begin() error {
	p.conn.SetDeadline(time.Now().Add(patience)) //nolint:errcheck // a socket has one
	defer p.conn.SetDeadline(time.Time{})        //nolint:errcheck // as above
	if _, err := p.conn.Write(helloPacket().append(nil, false)); err != nil {
		return err
	}
	h, err := readPacket(p.conn, false)
	switch {
	case err != nil:
		return err
	case h.kind != hello || len(h.body) < helloSize:
		return errors.New("it does not say hello")
	case binary.LittleEndian.Uint32(h.body[64:])&capabilities != capabilities:
		return fmt.Errorf("it says capabilities %x; want all of %x", h.body[64:], capabilities)
	}
	return p.send(p.connect()...)
}

func (p *Port) send(list ...packet) error {
	p.write.Lock()
	defer p.write.Unlock()
	var b []byte
	for _, one := range list {
		b = one.append(b, true)
	}
	p.conn.SetWriteDeadline(time.Now().Add(patience)) //nolint:errcheck // a socket has one
	_, err := p.conn.Write(b)
	return err
}

func (p *Port) serve() {
	defer close(p.ended)
	for {
		q, err := readPacket(p.conn, true)
		if err != nil {
			p.err = err
			return
		}
		if err := p.reply(q); err != nil {
			p.err = err
			p.conn.Close()
			return
		}
	}
}

func (p *Port) reply(q packet) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	list, err := p.answer(q)
	if err != nil || len(list) == 0 {
		return err
	}
	return p.send(list...)
}

// Unplug pulls the device out.
func (p *Port) Unplug() {
	p.conn.Close()
	<-p.ended
}

// ErrOut is what sending to a host says that has not the device any more.
var ErrOut = errors.New("usb-redir: the device is not plugged in")

// Interrupt sends reports once the host reads that endpoint. QEMU keeps them
// and gives the machine one in each interval of the machine's own time: the
// host's would make a busy host look like a scanner that is slow.
func (p *Port) Interrupt(endpoint byte, reports ...[]byte) error {
	if err := p.listened(endpoint); err != nil {
		return err
	}
	var list []packet
	for _, r := range reports {
		p.number++
		list = append(list, interruptReport(p.number, endpoint, r))
	}
	if err := p.send(list...); err != nil {
		return errors.Join(ErrOut, err)
	}
	return nil
}

// listened waits until the host reads an interrupt endpoint.
func (p *Port) listened(endpoint byte) error {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		p.mu.Lock()
		there := p.receiving[endpoint]
		p.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-p.ended:
			return errors.Join(ErrOut, p.err)
		default:
		}
	}
	return fmt.Errorf("usb-redir: the host does not read endpoint %02x", endpoint)
}

// Bulk has the host read data from a bulk endpoint when it asks.
func (p *Port) Bulk(endpoint byte, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = put(p.waiting, endpoint, append(p.waiting[endpoint], data...))
	list := p.flow(endpoint)
	if len(list) == 0 {
		return nil
	}
	return p.send(list...)
}
