// Package feigsim is the far end of package feig: a reader of that family on a
// simulated field.
package feigsim

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// Options are the habits of real readers.
type Options struct {
	Advanced    bool // knows advanced frames alone
	OnlyNew     bool // lists a tag once until the field was off (CFG5.ONT)
	PerAnswer   int  // tags in one answer to an inventory; 0: 24
	AtMost      int  // tags in all; 0: any number
	Buffer      int  // RX-BUF and TX-BUF in bytes; 0: 256
	NoCustom    bool // as CPR readers: EAS by the transparent command alone
	Strict      bool // refuses to read beyond the end of a memory
	MemoryOrder bool // is set to send blocks in the order of the memory
	ScanMode    bool // is set to speak by itself
	LoseEvery   int  // each so-manyth answer is lost, after the work is done; 0: none
	LateEvery   int  // each so-manyth answer comes only with the next one; 0: none
}

// reader is the reader's own state.
type reader struct {
	Options
	rw      io.ReadWriter
	dev     *field.Reader
	listed  []drivers.Tag // not yet told
	full    bool          // there were more
	answers int
	late    []byte
}

// Serve speaks to rw until it fails.
func Serve(rw io.ReadWriter, f *field.Field, o Options) error {
	if o.PerAnswer <= 0 {
		o.PerAnswer = 24
	}
	if o.Buffer <= 0 {
		o.Buffer = 256
	}
	r := &reader{Options: o, rw: rw, dev: field.NewReader(f)}
	var got []byte
	buf := make([]byte, 256)
	for {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		for got = append(got, buf[:n]...); ; {
			head, size := frame(got)
			if size == 0 || size > len(got) {
				break
			}
			b := got[:size]
			if size < head+4 || iso15693.Residue(b[:size-2]) != binary.LittleEndian.Uint16(b[size-2:]) {
				got = nil // and is met with silence
				break
			}
			got = got[size:]
			if r.Advanced && head != 3 {
				continue
			}
			if err := r.answer(head == 3, b[head+1], b[head+2:size-2], size); err != nil {
				return err
			}
		}
	}
}

// frame measures the head and the whole of the first frame; size 0: not yet.
func frame(b []byte) (head, size int) {
	switch {
	case len(b) == 0:
		return 1, 0
	case b[0] != 2:
		return 1, max(1, int(b[0]))
	case len(b) < 3:
		return 3, 0
	}
	return 3, max(1, int(binary.BigEndian.Uint16(b[1:])))
}

// answer answers a frame of size bytes in all.
func (r *reader) answer(long bool, cmd byte, b []byte, size int) error {
	status, data := byte(0x81), []byte(nil)
	if size <= r.Buffer {
		status, data = r.do(cmd, b)
	}
	out := append([]byte{0, cmd, status}, data...)
	if n := len(out) + 3; long || n > 255 {
		out = append([]byte{2, byte((n + 2) >> 8), byte(n + 2)}, out...)
	} else {
		out = append([]byte{byte(n)}, out...)
	}
	out = binary.LittleEndian.AppendUint16(out, iso15693.Residue(out))
	r.answers++
	switch {
	case r.LoseEvery > 0 && r.answers%r.LoseEvery == 0:
		return nil
	case r.LateEvery > 0 && r.answers%r.LateEvery == 0:
		r.late = append(r.late, out...)
		return nil
	}
	_, err := r.rw.Write(append(r.late, out...))
	r.late = nil
	return err
}

// errParameter is a question that can't be.
var errParameter = errors.New("parameter")

// said is an error as the reader says it.
func said(err error, data ...byte) (byte, []byte) {
	var no *iso15693.Refusal
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &no):
		return 0x95, append([]byte{no.Code}, data...)
	case errors.Is(err, drivers.ErrNoTag):
		return 0x01, nil
	case errors.Is(err, drivers.ErrAir):
		return 0x02, nil
	}
	return 0x11, nil
}

func (r *reader) do(cmd byte, b []byte) (status byte, data []byte) {
	version := []byte{3, 3, 0, 0x44, 0x4C, 0, 8}
	switch {
	case cmd == 0x52 && len(b) == 1:
		return 0, nil
	case cmd == 0x65 && len(b) == 0:
		return 0, version
	case cmd == 0x66 && len(b) == 1:
		n := uint16(r.Buffer)
		return 0, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(version, n), n)
	case cmd == 0x69 && len(b) == 0:
		r.dev.Reset()
		return 0, nil
	case cmd == 0x6A && len(b) == 1:
		return said(r.dev.Radio(b[0] != 0))
	case r.ScanMode:
		return 0x82, nil
	case cmd == 0xB0 && len(b) == 2 && b[0] == 0x01:
		return r.inventory(b[1]&0x80 != 0)
	case cmd == 0xB0 && len(b) > 1:
		return r.iso(b[0], b[1:])
	case cmd == 0xB1 && len(b) > 2 && !r.NoCustom:
		_, err := r.air(b[1], b[2:], 0, b[0])
		return said(err)
	case cmd == 0xBF && len(b) > 5:
		return r.transparent(int(binary.BigEndian.Uint16(b[1:]))/8, b[5:])
	}
	return 0x80, nil
}

// inventory silences each tag that it has found where it is to list it once.
func (r *reader) inventory(rest bool) (byte, []byte) {
	if !rest {
		if !r.OnlyNew {
			r.dev.Reset()
		}
		var err error
		if r.listed, err = r.dev.Inventory(); err != nil {
			return said(err)
		}
		for _, t := range r.listed {
			if r.OnlyNew {
				r.dev.Send(iso15693.StayQuiet(t.UID))
			}
		}
		if r.full = r.AtMost > 0 && len(r.listed) > r.AtMost; r.full {
			r.listed = r.listed[:r.AtMost]
		}
	}
	n := min(len(r.listed), r.PerAnswer)
	if n == 0 {
		return 0x01, nil
	}
	out := []byte{byte(n)}
	for _, t := range r.listed[:n] {
		out = append(append(out, 3, t.DSFID), t.UID[:]...)
	}
	r.listed = r.listed[n:]
	switch {
	case len(r.listed) > 0:
		return 0x94, out
	case r.full:
		return 0x93, out
	}
	return 0, out
}

// to makes a request over the air of MODE and what follows it, and gives the
// rest of that.
func to(cmd byte, b []byte, flags byte, maker ...byte) (req, rest []byte, err error) {
	req = append([]byte{iso15693.FlagHigh | flags, cmd}, maker...)
	switch mode, b := b[0]&7, b[1:]; {
	case mode == 0:
		return req, b, nil
	case mode == 1 && len(b) >= 8:
		uid := drivers.UID(b[:8])
		req[0] |= iso15693.FlagAddress
		if uid[1] == iso15693.TI && cmd >= iso15693.CmdWriteBlock && cmd < iso15693.CmdInfo && cmd != iso15693.CmdReadBlocks && cmd != iso15693.CmdSelect {
			req[0] |= iso15693.FlagOption
		}
		return append(req, iso15693.Reversed(uid)...), b[8:], nil
	case mode == 2:
		req[0] |= iso15693.FlagSelect
		return req, b, nil
	}
	return nil, nil, errParameter
}

// air sends a command with what follows MODE and UID.
func (r *reader) air(cmd byte, b []byte, flags byte, maker ...byte) ([]byte, error) {
	req, rest, err := to(cmd, b, flags, maker...)
	if err != nil {
		return nil, err
	}
	return r.dev.Command(append(req, rest...))
}

func (r *reader) iso(sub byte, b []byte) (byte, []byte) {
	switch sub {
	case 0x22, 0x24:
		return r.write(sub == 0x22, b)
	case 0x23:
		return r.read(b)
	case 0x2B:
		data, err := r.air(sub, b, 0)
		if err != nil {
			return said(err)
		}
		i, uid, err := iso15693.ParseInfo(data)
		out := append([]byte{i.DSFID}, uid[:]...)
		if status, _ := said(err); status != 0 {
			return status, nil
		}
		return 0, append(out, i.AFI, byte(i.Size-1), byte(i.Blocks-1), i.IC)
	case 0x25, 0x26, 0x27, 0x29:
		_, err := r.air(sub, b, 0)
		return said(err)
	}
	return 0x80, nil
}

// ask sends a request that was cut at its parameters, with these.
func (r *reader) ask(head []byte, cmd, flags byte, data ...byte) ([]byte, error) {
	req := slices.Concat(head, data)
	req[0], req[1] = req[0]|flags, cmd
	return r.dev.Command(req)
}

func (r *reader) turn(block []byte) []byte {
	b := slices.Clone(block)
	if !r.MemoryOrder {
		slices.Reverse(b)
	}
	return b
}

func (r *reader) read(b []byte) (byte, []byte) {
	head, rest, err := to(0x23, b, 0)
	if err != nil || len(rest) != 2 || rest[1] == 0 {
		return 0x11, nil
	}
	n, status, flags := int(rest[1]), 0, byte(0)
	if b[0]&8 != 0 {
		status, flags = 1, iso15693.FlagOption
	}
	info := func() (drivers.Info, error) {
		data, err := r.ask(head, iso15693.CmdInfo, 0)
		if err != nil {
			return drivers.Info{}, err
		}
		i, _, err := iso15693.ParseInfo(data)
		return i, err
	}
	if r.Strict {
		i, err := info()
		switch {
		case err != nil:
			return said(err)
		case int(rest[0])+n > i.Blocks:
			return 0x95, []byte{iso15693.CodeUnknown}
		}
	}
	data, err := r.ask(head, iso15693.CmdReadBlocks, flags, rest[0], rest[1]-1)
	if err != nil {
		return said(err)
	}
	size := len(data)/n - status // how large its blocks are shows, but for those of a memory that has ended
	if len(data)%n != 0 || size != 4 && size != 8 {
		i, err := info()
		if err != nil {
			return said(err)
		}
		size = i.Size
	}
	if size < 1 || n*size > 128 || 10+n*(1+size) > r.Buffer {
		return 0x11, nil
	}
	out := []byte{byte(len(data) / (status + size)), byte(size)}
	for one := range slices.Chunk(data, status+size) {
		if status == 0 {
			one = append([]byte{0}, one...)
		}
		out = append(append(out, one[0]), r.turn(one[1:])...)
	}
	return 0, out
}

func (r *reader) write(lock bool, b []byte) (byte, []byte) {
	cmd, least := byte(iso15693.CmdWriteBlock), 3
	if lock {
		cmd, least = iso15693.CmdLockBlock, 2
	}
	head, rest, err := to(cmd, b, 0)
	if err != nil || len(rest) < least {
		return 0x11, nil
	}
	first, n, size, data := int(rest[0]), int(rest[1]), 0, rest[least:]
	if !lock {
		size = int(rest[2])
	}
	if n == 0 || len(data) != n*size || len(data) > 128 {
		return 0x11, nil
	}
	for i := range n {
		block := byte(first + i)
		if _, err := r.ask(head, cmd, 0, append([]byte{block}, r.turn(data[i*size:(i+1)*size])...)...); err != nil {
			return said(err, block)
		}
	}
	return 0, nil
}

// transparent sends a request as it is, and knows how long the answer must be.
func (r *reader) transparent(n int, req []byte) (byte, []byte) {
	answer, err := r.dev.Send(req)
	if err != nil {
		return said(err)
	}
	if answer = append(answer, 0, 0); answer[0]&1 == 0 && len(answer) != n {
		return 0x01, nil
	}
	return 0, answer
}
