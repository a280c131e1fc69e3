package nbd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Numbers of the protocol.
const (
	magicServer  = 0x4e42444d41474943 // "NBDMAGIC"
	magicOption  = 0x49484156454F5054 // "IHAVEOPT"
	magicReply   = 0x3e889045565a9    // of options
	magicRequest = 0x25609513
	magicAnswer  = 0x67446698

	fixedNewstyle = 1 << 0
	noZeroes      = 1 << 1

	optExport = 1
	optAbort  = 2
	optInfo   = 6
	optGo     = 7

	repAck         = 1
	repInfo        = 3
	repUnsupported = 1<<31 | 1

	flagsHere = 1<<0 | 1<<2 // flags are told; it has flush, and nothing else

	cmdRead  = 0
	cmdWrite = 1
	cmdDisc  = 2
	cmdFlush = 3

	errInvalid = 22

	maxOption = 64 << 10
	maxData   = 32 << 20 // what QEMU sends at most
)

// Serve speaks to one client until it goes.
func Serve(conn io.ReadWriter, d *Disk) error {
	on, err := negotiate(conn, d.Size())
	if err != nil || !on {
		return err
	}
	for {
		r, err := readRequest(conn)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case r.command == cmdDisc:
			return nil
		}
		if _, err := conn.Write(d.answer(r)); err != nil {
			return err
		}
	}
}

// Server serves a disk on a unix socket, to one client after the other.
type Server struct {
	ln   net.Listener
	busy sync.Mutex // held while there is a client
	disk *Disk
}

// Listen begins to serve.
func Listen(socket string, d *Disk) (*Server, error) {
	ln, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	s := &Server{ln: ln, disk: d}
	go s.accept()
	return s, nil
}

func (s *Server) accept() {
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.busy.Lock()
		Serve(conn, s.disk) //nolint:errcheck // a client that was killed ends in the middle of something
		s.busy.Unlock()
		conn.Close()
	}
}

// Drained waits until all that the last client has sent is done; it must be
// gone.
func (s *Server) Drained() {
	s.busy.Lock()
	defer s.busy.Unlock()
}

// Close ends the server.
func (s *Server) Close() error { return s.ln.Close() }

// negotiate agrees on the disk; false: the client only wanted to know.
func negotiate(conn io.ReadWriter, size int64) (on bool, err error) {
	b := binary.BigEndian.AppendUint64(nil, magicServer)
	b = binary.BigEndian.AppendUint64(b, magicOption)
	b = binary.BigEndian.AppendUint16(b, fixedNewstyle|noZeroes)
	if _, err := conn.Write(b); err != nil {
		return false, err
	}
	var flags [4]byte
	if _, err := io.ReadFull(conn, flags[:]); err != nil {
		return false, err
	}
	for {
		option, err := readOption(conn)
		if err != nil {
			return false, err
		}
		reply, next := option.reply(size, binary.BigEndian.Uint32(flags[:])&noZeroes != 0)
		if _, err := conn.Write(reply); err != nil {
			return false, err
		}
		if next != goOn {
			return next == transmit, nil
		}
	}
}

type option struct {
	number uint32
	data   []byte
}

func readOption(r io.Reader) (option, error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return option{}, err
	}
	size := binary.BigEndian.Uint32(head[12:])
	switch {
	case binary.BigEndian.Uint64(head[:]) != magicOption:
		return option{}, errors.New("nbd: no option")
	case size > maxOption:
		return option{}, fmt.Errorf("nbd: an option of %d bytes", size)
	}
	o := option{number: binary.BigEndian.Uint32(head[8:]), data: make([]byte, size)}
	_, err := io.ReadFull(r, o.data)
	return o, err
}

// What follows upon an option.
type then int

const (
	goOn then = iota
	transmit
	leave
)

// reply answers an option. There is one disk, whatever its name.
func (o option) reply(size int64, short bool) ([]byte, then) {
	switch o.number {
	case optExport:
		b := binary.BigEndian.AppendUint64(nil, uint64(size))
		b = binary.BigEndian.AppendUint16(b, flagsHere)
		if !short {
			b = append(b, make([]byte, 124)...)
		}
		return b, transmit
	case optAbort:
		return o.say(repAck, nil), leave
	case optInfo, optGo:
		info := binary.BigEndian.AppendUint16(nil, 0) // NBD_INFO_EXPORT
		info = binary.BigEndian.AppendUint64(info, uint64(size))
		info = binary.BigEndian.AppendUint16(info, flagsHere)
		b := append(o.say(repInfo, info), o.say(repAck, nil)...)
		if o.number == optGo {
			return b, transmit
		}
		return b, goOn
	}
	return o.say(repUnsupported, nil), goOn
}

func (o option) say(kind uint32, data []byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, magicReply)
	b = binary.BigEndian.AppendUint32(b, o.number)
	b = binary.BigEndian.AppendUint32(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

// request is one of the client's.
type request struct {
	command uint16
	cookie  uint64
	at      int64
	length  uint32
	data    []byte // of a write
}

func readRequest(r io.Reader) (request, error) {
	var head [28]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return request{}, err
	}
	q := request{
		command: binary.BigEndian.Uint16(head[6:]),
		cookie:  binary.BigEndian.Uint64(head[8:]),
		at:      int64(binary.BigEndian.Uint64(head[16:])),
		length:  binary.BigEndian.Uint32(head[24:]),
	}
	switch {
	case binary.BigEndian.Uint32(head[:]) != magicRequest:
		return request{}, errors.New("nbd: no request")
	case q.length > maxData:
		return request{}, fmt.Errorf("nbd: a request of %d bytes", q.length)
	}
	if q.command != cmdWrite {
		return q, nil
	}
	q.data = make([]byte, q.length)
	_, err := io.ReadFull(r, q.data)
	return q, err
}

// answer does what is asked. Requests are done one after the other, so a flush
// is of all that was answered before it.
func (d *Disk) answer(q request) []byte {
	var data []byte
	err := error(nil)
	switch q.command {
	case cmdRead:
		data, err = d.Read(q.at, int64(q.length))
	case cmdWrite:
		err = d.Write(q.at, q.data)
	case cmdFlush:
		d.Flush()
	default:
		err = fmt.Errorf("nbd: command %d", q.command)
	}
	code := uint32(0)
	if err != nil {
		code, data = errInvalid, nil
	}
	b := binary.BigEndian.AppendUint32(nil, magicAnswer)
	b = binary.BigEndian.AppendUint32(b, code)
	b = binary.BigEndian.AppendUint64(b, q.cookie)
	return append(b, data...)
}
