package usbredir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// scanner is a device with an endpoint of each kind.
func scanner() *Device {
	return &Device{
		Identity: Identity{Vendor: 0x0C2E, Product: 0x0B61, Release: 0x0102, Maker: "Maker", Model: "Ä", Serial: "S1"},
		Speed:    Full, Report: []byte{5, 1},
		Interfaces: []Interface{
			{Class: 3, Subclass: 1, Protocol: 1, Extra: []byte{3, 0x21, 0}, Endpoints: []Endpoint{{0x81, Interrupt, 8, 1}}},
			{Class: 0xFF, Endpoints: []Endpoint{{0x82, Bulk, 64, 0}, {0x03, Bulk, 64, 0}}},
		},
		Control: func(s Setup, data []byte) ([]byte, bool) {
			return append([]byte{s.Request}, data...), s.Request != 0x99
		},
	}
}

// request asks a device and gives status and data of the answer.
func request(t *testing.T, d *Device, s Setup, data []byte) (status byte, out []byte) {
	t.Helper()
	garbage := byte(0xCD) // as QEMU leaves it there
	b := []byte{s.Type & 0x80, s.Request, s.Type, garbage}
	for _, v := range []uint16{s.Value, s.Index, s.Length} {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	list, err := d.answer(packet{controlPacket, 5, append(b, data...)})
	if err != nil || len(list) != 1 || list[0].id != 5 {
		t.Fatalf("%+v is answered %v, %v", s, list, err)
	}
	return list[0].body[3], list[0].body[controlHead:]
}

func TestDescriptors(t *testing.T) {
	d := scanner()
	get := func(value uint16, length uint16) (byte, []byte) {
		return request(t, d, Setup{Type: 0x80, Request: 6, Value: value, Length: length}, nil)
	}
	for _, x := range []struct {
		what   string
		value  uint16
		length uint16
		status byte
		want   string
	}{
		{"device", 0x0100, 64, statusSuccess, "12 01 00 02 00 00 00 40 2e 0c 61 0b 02 01 01 02 03 01"},
		{"its first bytes", 0x0100, 8, statusSuccess, "12 01 00 02 00 00 00 40"},
		{"configuration", 0x0200, 255, statusSuccess, "09 02 33 00 02 01 00 80 32 09 04 00 00 01 03 01 01 00 03 21 00 07 05 81 03 08 00 01 " +
			"09 04 01 00 02 ff 00 00 00 07 05 82 02 40 00 00 07 05 03 02 40 00 00"},
		{"languages", 0x0300, 255, statusSuccess, "04 03 09 04"},
		{"a name", 0x0302, 255, statusSuccess, "04 03 c4 00"},
		{"serial number", 0x0303, 255, statusSuccess, "06 03 53 00 31 00"},
		{"no such name", 0x0309, 255, statusStall, ""},
		{"report", 0x2200, 255, statusSuccess, "05 01"},
		{"high speed", 0x0600, 10, statusStall, ""},
	} {
		status, out := get(x.value, x.length)
		if got := fmt.Sprintf("% x", out); status != x.status || got != x.want {
			t.Errorf("%s: status %d, %s; want %d, %s", x.what, status, got, x.status, x.want)
		}
	}
	if status, out := request(t, d, Setup{Type: 0xA1, Request: 0x21, Length: 7}, nil); status != statusSuccess || !bytes.Equal(out, []byte{0x21}) {
		t.Errorf("a request of the class: %d, % x", status, out)
	}
	if status, _ := request(t, d, Setup{Type: 0x21, Request: 0x99}, nil); status != statusStall {
		t.Errorf("a request that is refused has status %d", status)
	}
}

// TestBulk: what the device says goes to reads in their order, whichever comes
// first; a read that is cancelled takes nothing away.
func TestBulk(t *testing.T) {
	d := scanner()
	read := func(id uint64, n int) []packet {
		list, err := d.answer(bulkAnswer(id, 0x82, 0xCD, n, nil))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for id := range uint64(3) {
		if list := read(id, 4); len(list) > 0 {
			t.Fatalf("read %d of nothing is answered %v", id, list)
		}
	}
	list, _ := d.answer(packet{kind: cancelDataPacket, id: 1})
	if len(list) != 1 || list[0].id != 1 || list[0].body[1] != statusCancelled {
		t.Errorf("a read that is cancelled is answered %v", list)
	}
	d.waiting = put(d.waiting, 0x82, []byte("abcdefghij"))
	got := d.flow(0x82)
	got = append(got, read(3, 4)...)
	var said string
	for _, p := range got {
		_, length, data, ok := p.bulk()
		if !ok || length != len(data) || p.body[1] != statusSuccess {
			t.Errorf("answer %v", p)
		}
		said += fmt.Sprintf("%d %s ", p.id, data)
	}
	if said != "0 abcd 2 efgh 3 ij " {
		t.Errorf("reads got %q", said)
	}
}

func TestWrote(t *testing.T) {
	d := scanner()
	var took []byte
	d.Wrote = func(endpoint byte, data []byte) { took = append(took, data...) }
	list, err := d.answer(bulkAnswer(4, 0x03, 0, 3, []byte("abc")))
	if err != nil || len(list) != 1 || string(took) != "abc" {
		t.Errorf("took %q, answers %v, %v", took, list, err)
	}
	if _, length, data, _ := list[0].bulk(); length != 3 || len(data) != 0 {
		t.Errorf("the answer to a write of 3 bytes tells of %d and has %d", length, len(data))
	}
}

// TestPort is a device at a host: hello, that it is there, reports once they
// are asked for, and its end.
func TestPort(t *testing.T) {
	host, there := net.Pipe()
	host.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // a pipe has one
	type plugged struct {
		*Port
		error
	}
	done := make(chan plugged, 1)
	go func() { p, err := Plug(there, scanner()); done <- plugged{p, err} }()
	if p, err := readPacket(host, false); err != nil || p.kind != hello {
		t.Fatalf("first %+v, %v; want hello", p, err)
	}
	if _, err := host.Write(helloPacket().append(nil, false)); err != nil {
		t.Fatal(err)
	}
	var kinds []uint32
	for range 3 {
		p, err := readPacket(host, true)
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, p.kind)
	}
	if !slices.Equal(kinds, []uint32{interfaceInfo, epInfo, deviceConnect}) {
		t.Errorf("packets %v tell of it", kinds)
	}
	in := <-done
	if in.error != nil {
		t.Fatal(in.error)
	}
	sent := make(chan error, 1)
	go func() { sent <- in.Interrupt(0x81, []byte("report")) }()
	if _, err := host.Write(packet{startInterruptReceiving, 3, []byte{0x81}}.append(nil, true)); err != nil {
		t.Fatal(err)
	}
	if p, err := readPacket(host, true); err != nil || p.kind != interruptReceivingStatus || p.id != 3 {
		t.Errorf("start is answered %+v, %v", p, err)
	}
	if p, err := readPacket(host, true); err != nil || p.kind != interruptPacket || string(p.body[4:]) != "report" || p.body[1] != statusSuccess {
		t.Errorf("the report is %+v, %v", p, err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	in.Unplug()
	if _, err := host.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after it was pulled out the host reads %v; want the end", err)
	}
	if err := in.Interrupt(0x81, []byte("report")); !errors.Is(err, ErrOut) {
		t.Errorf("Interrupt() of what is pulled out = %v; want ErrOut", err)
	}
}

// TestOldHost: a host that lacks what is needed is refused, and not puzzled over.
func TestOldHost(t *testing.T) {
	host, there := net.Pipe()
	old := helloPacket()
	binary.LittleEndian.PutUint32(old.body[64:], capDeviceVersion)
	go func() {
		readPacket(host, false)            //nolint:errcheck // the test is of what comes of it
		host.Write(old.append(nil, false)) //nolint:errcheck // as above
	}()
	if _, err := Plug(there, scanner()); err == nil {
		t.Error("Plug() into a host without 64-bit ids works")
	}
}
