package link

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/carrel-kiosk/carrel/drivers"
)

// TestIsPrinter: what is a printer is told by its number, without opening it.
func TestIsPrinter(t *testing.T) {
	for _, path := range []string{"/dev/null", "/dev/ptmx", t.TempDir(), "/dev/nosuch", ""} {
		if isPrinter(path) {
			t.Errorf("isPrinter(%q) = true", path)
		}
	}
	for _, tt := range []struct {
		major, minor uint32
		want         bool
	}{{180, 0, true}, {180, 15, true}, {180, 96, false}, {6, 0, true}, {4, 64, false}} {
		node := filepath.Join(t.TempDir(), "lp0")
		if err := unix.Mknod(node, unix.S_IFCHR|0o600, int(unix.Mkdev(tt.major, tt.minor))); err != nil {
			t.Skipf("device nodes can't be made here: %v", err)
		}
		link := node + "-link"
		if err := os.Symlink(node, link); err != nil {
			t.Fatal(err)
		}
		if isPrinter(node) != tt.want || isPrinter(link) != tt.want {
			t.Errorf("isPrinter(%d, %d) = %v; want %v", tt.major, tt.minor, !tt.want, tt.want)
		}
	}
}

// file opens one end of a pty as a file, as usblp is opened.
func file(t *testing.T) (l drivers.Link, far *os.File) {
	far, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw(near); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close(); near.Close() })
	if l, err = openFile(near.Name()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, far
}

func raw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG
	t.Oflag &^= unix.OPOST
	t.Iflag &^= unix.ICRNL | unix.IXON
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}

// TestFile: what is written arrives, what is answered is read, silence and a
// device that takes no more end in time.
func TestFile(t *testing.T) {
	l, far := file(t)
	if _, err := l.Write([]byte{0x10, 0x04, 1}); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if n, err := far.Read(buf); n != 3 || err != nil {
		t.Fatalf("the device read %d bytes, %v; want 3", n, err)
	}
	l.Patience(10 * time.Millisecond)
	if _, err := l.Read(buf); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("Read() of a silent device = %v; want ErrSilent", err)
	}
	far.Write([]byte{0x12})
	l.Patience(5 * time.Second)
	if n, err := l.Read(buf); n != 1 || err != nil || buf[0] != 0x12 {
		t.Errorf("Read() = %d, %v, %x; want 1 byte 12", n, err, buf[0])
	}
	l.(drivers.Patient).Busy(20 * time.Millisecond)
	if _, err := l.Write(make([]byte, 1<<20)); !errors.Is(err, drivers.ErrSilent) {
		t.Errorf("Write() to a device that takes no more = %v; want ErrSilent", err)
	}
}

// stuck is a file of which calls wait in the kernel, whatever deadline they have.
type stuck struct {
	let    chan struct{}
	closed chan struct{}
}

func (s stuck) SetReadDeadline(time.Time) error  { return nil }
func (s stuck) SetWriteDeadline(time.Time) error { return nil }
func (s stuck) Read([]byte) (int, error)         { <-s.let; return 0, os.ErrClosed }
func (s stuck) Write([]byte) (int, error)        { <-s.let; return 0, os.ErrClosed }
func (s stuck) Close() error                     { close(s.closed); return nil }

// TestFileStuck: a call that the kernel does not end is left behind, and the
// device closed after it.
func TestFileStuck(t *testing.T) {
	for what, do := range map[string]func(*fileLink) (int, error){
		"Read":  func(l *fileLink) (int, error) { return l.Read(make([]byte, 4)) },
		"Write": func(l *fileLink) (int, error) { return l.Write([]byte("slip")) },
	} {
		s := stuck{make(chan struct{}), make(chan struct{})}
		l := &fileLink{f: s, calls: calls{name: "stuck printer, " + what, grace: time.Millisecond, close: s.Close}}
		for range 2 {
			if n, err := do(l); n != 0 || !errors.Is(err, drivers.ErrHung) {
				t.Errorf("%s() of a stuck printer = %d, %v; want ErrHung", what, n, err)
			}
		}
		if err := l.Close(); !errors.Is(err, drivers.ErrHung) {
			t.Errorf("Close() beneath a call = %v; want ErrHung", err)
		}
		close(s.let)
		<-s.closed
	}
}

// TestFileGone: a device that was unplugged is gone, and one that is not there
// says what to do.
func TestFileGone(t *testing.T) {
	l, far := file(t)
	far.Close()
	if _, err := l.Write([]byte{1}); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Write() = %v; want ErrGone", err)
	}
	if _, err := openFile(filepath.Join(t.TempDir(), "lp0")); err == nil {
		t.Error("openFile() opens what is not there")
	}
}
