package link

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	"go.bug.st/serial"

	"github.com/carrel-kiosk/carrel/drivers"
)

func TestCheckLink(t *testing.T) {
	good := Config{Baud: 9600, DataBits: 8}
	for _, tt := range []struct {
		change func(*Config)
		want   string // how the error begins; empty: none
	}{
		{func(c *Config) { c.Path = "/dev/ttyACM0" }, ""},
		{func(c *Config) { c.Path, c.Parity, c.StopBits, c.DataBits = "/dev/ttyS0", "even", "2", 7 }, ""},
		{func(c *Config) { c.Path, c.Baud = "tcp://10.0.0.7:4001", 0 }, ""},
		{func(c *Config) { c.Path = "tcp://[::1]:4001" }, ""},
		{func(c *Config) {}, "path: "},
		{func(c *Config) { c.Path = "tcp://10.0.0.7" }, "path: "},
		{func(c *Config) { c.Path = "tcp://:4001" }, "path: "},
		{func(c *Config) { c.Path = "tcp://host:70000" }, "path: "},
		{func(c *Config) { c.Path = "tcp://host:0" }, "path: "},
		{func(c *Config) { c.Path = "udp://host:1" }, "path: "},
		{func(c *Config) { c.Path, c.Baud = "/dev/ttyS0", 0 }, "baud: "},
		{func(c *Config) { c.Path, c.Baud = "/dev/ttyS0", 5_000_000 }, "baud: "},
		{func(c *Config) { c.Path, c.DataBits = "/dev/ttyS0", 9 }, "data_bits: "},
		{func(c *Config) { c.Path, c.Parity = "/dev/ttyS0", "Even" }, "parity: "},
		{func(c *Config) { c.Path, c.StopBits = "/dev/ttyS0", "1.5" }, "stop_bits: "},
		{func(c *Config) { c.Path, c.VID = "/dev/ttyS0", 0x0c2e }, "vid: "},
		{func(c *Config) { c.Path, c.Serial = "/dev/ttyS0", "X" }, "vid: "},
	} {
		c := good
		tt.change(&c)
		err := c.Check(drivers.NeedsLink)
		if (err == nil) != (tt.want == "") || (err != nil && !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("Check() of %+v = %v; want %q", c, err, tt.want)
		}
	}
	if err := (Config{}).Check(drivers.NeedsNothing); err != nil {
		t.Errorf("Check() for a driver that needs nothing = %v", err)
	}
}

// TestDefaults: a device entry that says only its path is right.
func TestDefaults(t *testing.T) {
	c := Config{Path: "/dev/ttyACM0"}
	if err := drivers.SetDefaults(&c); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(drivers.NeedsLink); err != nil || c.Baud != 9600 || c.Interface != -1 {
		t.Errorf("%+v: %v", c, err)
	}
}

// wire is a serial line: its far end, and the link at its near end.
func wire(t *testing.T, c Config) (*os.File, drivers.Link) {
	t.Helper()
	far, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close(); near.Close() })
	c.Path = near.Name()
	l, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return far, l
}

func read(t *testing.T, l drivers.Link) (string, error) {
	t.Helper()
	if err := l.Patience(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 64)
	n, err := l.Read(p)
	return string(p[:n]), err
}

func TestSerial(t *testing.T) {
	for _, c := range []Config{{Baud: 9600, DataBits: 8}, {Baud: 115200, DataBits: 7, Parity: "even", StopBits: "2"}} {
		far, l := wire(t, c)
		all := "\r\n\x00\x03\x11\x13\x1a\x7f]F031\x1d" // what a line not set raw would eat or change
		if _, err := far.WriteString(all); err != nil {
			t.Fatal(err)
		}
		if got, err := read(t, l); got != all || err != nil {
			t.Errorf("Read() = %q, %v; want %q", got, err, all)
		}
		if _, err := l.Write([]byte("out\n")); err != nil {
			t.Error(err)
		}
		p := make([]byte, 64)
		if n, err := far.Read(p); string(p[:n]) != "out\n" {
			t.Errorf("the device got %q, %v", p[:n], err)
		}
		wait(t, l)
		far.Close()
		if got, err := read(t, l); !errors.Is(err, drivers.ErrGone) {
			t.Errorf("Read() after unplugging = %q, %v; want ErrGone", got, err)
		}
	}
}

// wait looks whether silence takes as long as was said, and is an error.
func wait(t *testing.T, l drivers.Link) {
	t.Helper()
	for _, d := range []time.Duration{ms(1), ms(40)} {
		if err := l.Patience(d); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		n, err := l.Read(make([]byte, 8))
		if took := time.Since(start); n != 0 || !errors.Is(err, drivers.ErrSilent) || took < d || took > d+2*time.Second {
			t.Errorf("Read() of a silent line = %d, %v after %v; want ErrSilent after %v", n, err, took, d)
		}
	}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestSerialDoesNotOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file + "x": "is not there", file: "is not a serial port"} {
		_, err := Open(t.Context(), Config{Path: path, Baud: 9600, DataBits: 8})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("Open(%q) = %v; want its path and %q", path, err, want)
		}
	}
	for err, want := range map[error]string{syscall.EACCES: "group dialout", syscall.EIO: "input/output error"} {
		if got := explain("/dev/x", err).Error(); !strings.Contains(got, want) {
			t.Errorf("explain(%v) = %q; want %q", err, got, want)
		}
	}
}

// zeros is a port that reads nothing at once, as some do when they are
// unplugged; a pty can't be brought to that.
type zeros struct {
	serial.Port
	now bool // else it takes its time
	t   time.Duration
}

func (z *zeros) SetReadTimeout(d time.Duration) error { z.t = d; return nil }

func (z *zeros) Read([]byte) (int, error) {
	if !z.now {
		time.Sleep(z.t)
	}
	return 0, nil
}

func TestQuickZeros(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zeros{}
		l := &serialLink{port: z}
		l.Patience(ms(40))
		goneAfter := func(most int) int {
			for n := range most {
				if _, err := l.Read(nil); errors.Is(err, drivers.ErrGone) {
					return n + 1
				} else if !errors.Is(err, drivers.ErrSilent) {
					t.Fatalf("Read() = %v", err)
				}
			}
			return 0
		}
		if n := goneAfter(60); n != 0 {
			t.Fatalf("a quiet port is gone after %d time-outs", n)
		}
		for range 3 { // a few of them, now and then, are none of that
			z.now = true
			if n := goneAfter(quickZeros - 1); n != 0 {
				t.Fatalf("gone after %d quick zeros; want %d in a row", n, quickZeros)
			}
			z.now = false
			goneAfter(1)
		}
		z.now = true
		if n := goneAfter(60); n != quickZeros {
			t.Errorf("gone after %d quick zeros; want %d", n, quickZeros)
		}
	})
}

// TestInterrupted: a write that a signal interrupts is carried to its end. The
// signals are those that the runtime sends its own threads.
func TestInterrupted(t *testing.T) {
	far, l := wire(t, Config{Baud: 115200, DataBits: 8})
	if err := syscall.SetNonblock(int(far.Fd()), true); err != nil { // closing it then ends a Read
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789ABCDEF"), 8<<10)
	thread, written := make(chan int, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread <- syscall.Gettid()
		n, err := l.(*serialLink).write(want) // on this thread
		if n != len(want) {
			err = errors.Join(err, fmt.Errorf("wrote %d of %d bytes", n, len(want)))
		}
		written <- err
		if err != nil {
			far.Close() // nobody waits for the rest
		}
	}()
	tid := <-thread
	got := make([]byte, len(want))
	for at := 0; at < len(got); at += 1 << 10 {
		syscall.Tgkill(os.Getpid(), tid, syscall.SIGURG)
		if _, err := io.ReadFull(far, got[at:at+1<<10]); err != nil {
			t.Fatalf("after %d bytes: %v; %v", at, err, <-written)
		}
	}
	if err := <-written; err != nil || !bytes.Equal(got, want) {
		t.Errorf("Write() = %v; bytes as written: %v", err, bytes.Equal(got, want))
	}
}

func TestModemLines(t *testing.T) {
	for _, err := range []error{nil, syscall.ENOTTY, syscall.EINVAL} {
		if raise(err) != nil {
			t.Errorf("a port without modem lines (%v) does not open", err)
		}
	}
	if raise(syscall.EIO) == nil {
		t.Error("a port that fails opens")
	}
}

func TestTCP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	l, err := Open(t.Context(), Config{Path: "tcp://" + ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	far.Write([]byte("31\r"))
	if got, err := read(t, l); got != "31\r" || err != nil {
		t.Errorf("Read() = %q, %v", got, err)
	}
	if _, err := l.Write([]byte("out")); err != nil {
		t.Error(err)
	}
	p := make([]byte, 8)
	if n, err := far.Read(p); string(p[:n]) != "out" {
		t.Errorf("the device got %q, %v", p[:n], err)
	}
	wait(t, l)
	far.Close()
	if _, err := read(t, l); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Read() after the device has closed = %v; want ErrGone", err)
	}
	ln.Close()
	if _, err := Open(t.Context(), Config{Path: "tcp://" + ln.Addr().String()}); err == nil {
		t.Error("Open() of an address where nobody listens succeeds")
	}
}
