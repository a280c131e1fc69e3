package link

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// TestFarEndTakesNothing: the kernel waits for ever for room in a line whose far
// end is not read. The port is left, and can be opened again.
func TestFarEndTakesNothing(t *testing.T) {
	_, l := wire(t, Config{Baud: 4_000_000, DataBits: 8})
	s := l.(*serialLink)
	s.calls.grace, s.baud = 20*time.Millisecond, 1<<30
	if n, err := l.Write(make([]byte, 1<<18)); !errors.Is(err, drivers.ErrHung) {
		t.Fatalf("Write() = %d, %v; want ErrHung", n, err)
	}
	until(t, "the call comes back, as what it has to send is thrown away", func() bool { return !s.calls.stuck() && lost.at(s.calls.name) == nil })
	for what, do := range map[string]func() error{
		"Read":  func() error { _, err := l.Read(make([]byte, 8)); return err },
		"Write": func() error { _, err := l.Write([]byte("x")); return err },
		"Clear": func() error { _, _, err := l.(drivers.Paced).Clear(); return err },
	} {
		if err := do(); !errors.Is(err, drivers.ErrHung) {
			t.Errorf("%s() after it = %v; want ErrHung", what, err)
		}
	}
	if err := l.Close(); err != nil && !errors.Is(err, drivers.ErrHung) {
		t.Errorf("Close() = %v", err)
	}
	until(t, "the port opens again", func() bool {
		again, err := Open(t.Context(), Config{Path: s.calls.name, Baud: 9600, DataBits: 8})
		if err != nil && !errors.Is(err, drivers.ErrHung) {
			t.Fatalf("Open() = %v; want ErrHung while the call lasts", err)
		}
		return err == nil && again.Close() == nil
	})
}

// fifo is a pipe with a name, whose ends wait for each other.
func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStuckRead: what waits in the kernel is left behind, and closed only when it
// has come back: before, its descriptor is in use.
func TestStuckRead(t *testing.T) {
	path := fifo(t)
	fd, err := syscall.Open(path, syscall.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var closed atomic.Int32
	c := &calls{name: path, grace: time.Millisecond, close: func() error { closed.Add(1); return syscall.Close(fd) }}
	read := func() (int, error) { return syscall.Read(fd, make([]byte, 1)) }
	if _, err := c.do(0, read); !errors.Is(err, drivers.ErrHung) {
		t.Fatalf("do() = %v; want ErrHung", err)
	}
	if err := c.shut(); !errors.Is(err, drivers.ErrHung) || closed.Load() != 0 {
		t.Errorf("shut() = %v, closed %d times; want it to wait for the call", err, closed.Load())
	}
	if _, err := opening(t.Context(), path, time.Minute, func() (*os.File, error) { return nil, syscall.EBUSY }); !errors.Is(err, drivers.ErrHung) {
		t.Errorf("opening() = %v; want ErrHung, not that another program has it", err)
	}
	if f, err := opening(t.Context(), path, time.Minute, func() (*os.File, error) { return os.Open(os.DevNull) }); err != nil || f.Close() != nil {
		t.Errorf("opening() of what is there again = %v", err)
	}
	if _, err := syscall.Write(fd, []byte("x")); err != nil {
		t.Fatal(err)
	}
	until(t, "it is closed", func() bool { return closed.Load() == 1 && lost.at(path) == nil })
	if err := c.shut(); err != nil || closed.Load() != 1 {
		t.Errorf("a second shut() = %v, closed %d times", err, closed.Load())
	}
	if _, err := c.do(0, read); !errors.Is(err, drivers.ErrHung) {
		t.Errorf("do() after it = %v; want ErrHung", err)
	}
}

// TestFreeBeforeClose: a call that comes back while it is freed is not closed
// beneath that, and is freed no more: the descriptor may be another file's.
func TestFreeBeforeClose(t *testing.T) {
	freeing, stuck, let := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var closed, frees, late atomic.Int32
	c := &calls{name: "freed", grace: time.Millisecond, close: func() error { closed.Add(1); return nil }, free: func() error {
		if frees.Add(1) == 1 {
			close(freeing)
			<-let
		}
		late.Add(closed.Load())
		return nil
	}}
	if _, err := c.do(0, func() (int, error) { <-stuck; return 0, nil }); !errors.Is(err, drivers.ErrHung) {
		t.Fatalf("do() = %v; want ErrHung", err)
	}
	<-freeing
	close(stuck)
	until(t, "the call comes back", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.running == 1 })
	if err := c.shut(); !errors.Is(err, drivers.ErrHung) || closed.Load() != 0 {
		t.Errorf("shut() = %v, closed %d times while it is freed; want it to wait", err, closed.Load())
	}
	close(let)
	until(t, "it is closed", func() bool { return closed.Load() == 1 && lost.at("freed") == nil })
	until(t, "it is freed no more", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return !c.nudging })
	c.nudge(false)
	if frees.Load() != 1 || late.Load() != 0 {
		t.Errorf("freed %d times, %d of them after it was closed; want once, before", frees.Load(), late.Load())
	}
}

// TestStuckOpen: an open that waits is not made a second time beside it, and
// what it gives at last is closed.
func TestStuckOpen(t *testing.T) {
	path := fifo(t)
	var opened atomic.Int32
	open := func() (*os.File, error) {
		opened.Add(1)
		return os.OpenFile(path, os.O_RDONLY, 0) // waits for who writes
	}
	if _, err := opening(t.Context(), path, time.Millisecond, open); !errors.Is(err, drivers.ErrHung) {
		t.Fatalf("opening() = %v; want ErrHung", err)
	}
	if _, err := opening(t.Context(), path, time.Minute, open); !errors.Is(err, drivers.ErrHung) {
		t.Errorf("opening() again = %v; want ErrHung", err)
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	until(t, "what came late is closed", func() bool { _, err := w.WriteString("x"); return errors.Is(err, syscall.EPIPE) })
	if n := opened.Load(); n != 1 {
		t.Errorf("opened %d times", n)
	}
	if f, err := opening(t.Context(), path, time.Minute, func() (*os.File, error) { return os.OpenFile(path, os.O_RDWR, 0) }); err != nil || f.Close() != nil {
		t.Errorf("opening() at last = %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	never := make(chan struct{})
	defer close(never)
	if _, err := opening(ended, "stuck", time.Minute, func() (*os.File, error) { <-never; return nil, fs.ErrClosed }); !errors.Is(err, context.Canceled) {
		t.Errorf("opening() when the program ends = %v", err)
	}
}

// TestCallPanics: a panic in a call is an error, as it is in a driver.
func TestCallPanics(t *testing.T) {
	c := &calls{}
	if _, err := c.do(0, func() (int, error) { panic("broken") }); err == nil || err.Error() != "driver panicked: broken" {
		t.Errorf("do() = %v", err)
	}
}

func TestUSBNode(t *testing.T) {
	sys := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(sys, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("devices/usb1/1-3/busnum", "1\n")
	write("devices/usb1/1-3/devnum", "12\n")
	write("devices/usb1/1-3/1-3:1.0/bInterfaceNumber", "00\n")
	write("devices/pnp/x", "")
	write("dev/ttyACM7", "")
	write("dev/usb/lp0", "")
	write("dev/ttyS7", "")
	for _, l := range [][2]string{{"../../devices/usb1/1-3/1-3:1.0", "tty/ttyACM7/device"}, {"../../devices/usb1/1-3/1-3:1.0", "usbmisc/lp0/device"}, {"../../devices/pnp", "tty/ttyS7/device"}, {"ttyACM7", "dev/by-id"}} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(sys, l[1])), 0o700), os.Symlink(l[0], filepath.Join(sys, l[1]))); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		sys + "/dev/by-id": "/dev/bus/usb/001/012", sys + "/dev/ttyACM7": "/dev/bus/usb/001/012", "/dev/bus/usb/002/003": "/dev/bus/usb/002/003", sys + "/dev/usb/lp0": "/dev/bus/usb/001/012",
		sys + "/dev/ttyS7": "", sys + "/dev/none": "", "tcp://10.0.0.7:4001": "", "/dev/null": "",
	} {
		if got := usbNode(sys, path); got != want {
			t.Errorf("usbNode(%s) = %q; want %q", path, got, want)
		}
	}
	if err := resetUSB("/dev/bus/usb/999/999"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("resetUSB() of none = %v", err)
	}
	if err := resetUSB(os.DevNull); !errors.Is(err, syscall.ENOTTY) {
		t.Errorf("resetUSB() of what is no USB device = %v; want that it takes no such call", err)
	}
}

// BenchmarkCall is what the deadline of a call costs.
func BenchmarkCall(b *testing.B) {
	c, p := &calls{}, bytes.Repeat([]byte("x"), 16)
	for b.Loop() {
		c.do(0, func() (int, error) { return len(p), nil }) //nolint:errcheck // there is none
	}
}
