package nbd

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// client speaks the other half of the protocol over a pipe.
type client struct {
	t *testing.T
	net.Conn
}

func dial(t *testing.T, d *Disk) client {
	t.Helper()
	here, there := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- Serve(there, d); there.Close() }()
	t.Cleanup(func() {
		here.Close()
		<-served
	})
	here.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // a pipe has one
	return client{t, here}
}

func (c client) read(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		c.t.Fatal(err)
	}
	return b
}

func (c client) send(parts ...any) {
	c.t.Helper()
	var b bytes.Buffer
	for _, p := range parts {
		if err := binary.Write(&b, binary.BigEndian, p); err != nil {
			c.t.Fatal(err)
		}
	}
	if _, err := c.Write(b.Bytes()); err != nil {
		c.t.Fatal(err)
	}
}

// begin negotiates as QEMU does: it asks for something that is not there, then goes.
func (c client) begin() {
	c.t.Helper()
	if got := c.read(18); binary.BigEndian.Uint64(got) != magicServer {
		c.t.Fatalf("the server says % x", got)
	}
	const structured = 8
	c.send(uint32(fixedNewstyle|noZeroes), uint64(magicOption), uint32(structured), uint32(0))
	if got := c.read(20); binary.BigEndian.Uint32(got[12:]) != repUnsupported {
		c.t.Fatalf("an unknown option is answered % x", got)
	}
	c.send(uint64(magicOption), uint32(optGo), uint32(6), uint32(0), uint16(0))
	info, ack := c.read(20+12), c.read(20)
	if binary.BigEndian.Uint64(info[22:]) != 4*Sector || binary.BigEndian.Uint32(ack[12:]) != repAck {
		c.t.Fatalf("go is answered % x, % x", info, ack)
	}
}

func (c client) ask(command uint16, at int64, length int, data []byte) (code uint32) {
	c.t.Helper()
	c.send(uint32(magicRequest), uint16(0), command, uint64(7), at, uint32(length), data)
	got := c.read(16)
	if binary.BigEndian.Uint32(got) != magicAnswer || binary.BigEndian.Uint64(got[8:]) != 7 {
		c.t.Fatalf("command %d is answered % x", command, got)
	}
	return binary.BigEndian.Uint32(got[4:])
}

func TestServe(t *testing.T) {
	d := NewDisk(make([]byte, 4*Sector))
	c := dial(t, d)
	c.begin()
	if code := c.ask(cmdWrite, Sector, 3, []byte("abc")); code != 0 {
		t.Errorf("a write is answered %d", code)
	}
	if code := c.ask(cmdRead, Sector, 4, nil); code != 0 {
		t.Errorf("a read is answered %d", code)
	}
	if got := c.read(4); string(got) != "abc\x00" {
		t.Errorf("read %q", got)
	}
	if image := d.After(d.Events(), Lost); image[Sector] != 0 {
		t.Error("a write is durable before the flush")
	}
	if code := c.ask(cmdFlush, 0, 0, nil); code != 0 {
		t.Errorf("a flush is answered %d", code)
	}
	if image := d.After(d.Events(), Lost); image[Sector] != 'a' {
		t.Error("a write is not durable after the flush")
	}
	for command, at := range map[uint16]int64{cmdRead: 4 * Sector, 77: 0} {
		if code := c.ask(command, at, 1, nil); code != errInvalid {
			t.Errorf("command %d at %d is answered %d; want it refused", command, at, code)
		}
	}
}

// TestQEMU has QEMU's own client read and write, if it is here.
func TestQEMU(t *testing.T) {
	if _, err := exec.LookPath("qemu-io"); err != nil {
		t.Skip("qemu-io is missing: apt-get install qemu-utils")
	}
	d := NewDisk(make([]byte, 1<<20))
	socket := filepath.Join(t.TempDir(), "disk")
	s, err := Listen(socket, d)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "qemu-io", "-f", "raw", "-c", "write -P 0x5a 4096 8192", "-c", "flush", "-c", "read -P 0x5a 8192 4096", "nbd+unix:///?socket="+socket).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("failed")) {
		t.Fatalf("qemu-io: %v\n%s", err, out)
	}
	s.Drained()
	if image := d.After(d.Events(), Lost); image[4095] != 0 || image[4096] != 0x5A || image[12287] != 0x5A || image[12288] != 0 {
		t.Error("what qemu-io has written and flushed is not there")
	}
}

// FuzzServe: whatever a client sends, the server ends and its disk keeps its size.
func FuzzServe(f *testing.F) {
	var good bytes.Buffer
	for _, v := range []any{uint32(3), uint64(magicOption), uint32(optGo), uint32(6), uint32(0), uint16(0),
		uint32(magicRequest), uint16(0), uint16(cmdWrite), uint64(1), uint64(5), uint32(2), []byte("ab"),
		uint32(magicRequest), uint16(0), uint16(cmdRead), uint64(1), uint64(5), uint32(2), []byte("")} {
		binary.Write(&good, binary.BigEndian, v) //nolint:errcheck // a buffer takes all
	}
	f.Add(good.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, sent []byte) {
		d := NewDisk(make([]byte, 4*Sector))
		var said bytes.Buffer
		Serve(struct { //nolint:errcheck // most of it is nonsense
			io.Reader
			io.Writer
		}{bytes.NewReader(sent), &said}, d)
		if image := d.After(d.Events(), func() bool { return true }); len(image) != 4*Sector {
			t.Errorf("the disk has %d bytes now", len(image))
		}
		if bytes.Equal(sent, good.Bytes()) && !bytes.HasSuffix(said.Bytes(), []byte("ab")) {
			t.Errorf("the good one is answered % x", said.Bytes())
		}
	})
}
