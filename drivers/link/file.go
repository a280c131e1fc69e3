package link

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Major numbers of printers (Linux, admin-guide/devices.txt): usblp is 180, 0
// to 15; the parallel port 6.
const (
	majorUSB      = 180
	majorParallel = 6
	minorsUSB     = 16
)

// isPrinter tells whether a path leads to a printer of the kernel: a character
// device that is no terminal. Nothing is opened.
func isPrinter(path string) bool {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return false
	}
	major, minor := unix.Major(st.Rdev), unix.Minor(st.Rdev)
	return major == majorParallel || major == majorUSB && minor < minorsUSB
}

// Printers lists the USB printers that are there.
func Printers() []string {
	list, _ := filepath.Glob("/dev/usb/lp*") // the pattern is right
	return list
}

// fileLink is a device that is read and written as a file. Its deadlines end the
// waits that the kernel knows of; that of calls, those on hardware that has
// ceased to answer.
type fileLink struct {
	f interface {
		io.ReadWriteCloser
		SetReadDeadline(time.Time) error
		SetWriteDeadline(time.Time) error
	}
	calls          calls
	patience, busy time.Duration
}

var _ drivers.Patient = (*fileLink)(nil)

func openFile(path string) (drivers.Link, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENODEV):
		return nil, fmt.Errorf("%s is not there: plug the device in and switch it on", path)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s may not be opened by this user: add it to the group lp", path)
	case errors.Is(err, syscall.EBUSY):
		return nil, fmt.Errorf("%s is in use by another program", path)
	case err != nil:
		return nil, err
	}
	if err := f.SetDeadline(time.Time{}); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: can't be waited for: %w", path, err)
	}
	return &fileLink{f: f, calls: calls{name: path, close: f.Close}, patience: patience, busy: dialTime}, nil
}

func (l *fileLink) Patience(d time.Duration) error { l.patience = d; return nil }

// Busy implements drivers.Patient.
func (l *fileLink) Busy(d time.Duration) { l.busy = d }

// Read implements drivers.Link. A printer that has nothing to say may be read
// as a file that has come to its end.
func (l *fileLink) Read(p []byte) (int, error) {
	end := time.Now().Add(l.patience)
	n, err := l.calls.read(l.patience, p, func(to []byte) (int, error) {
		if err := l.f.SetReadDeadline(end); err != nil {
			return 0, err
		}
		return l.f.Read(to)
	})
	switch {
	case n > 0, err == nil:
		return n, nil
	case errors.Is(err, drivers.ErrHung):
		return 0, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, drivers.ErrSilent
	case errors.Is(err, io.EOF):
		time.Sleep(time.Until(end))
		return 0, drivers.ErrSilent
	}
	return 0, gone(err)
}

func (l *fileLink) Write(p []byte) (int, error) {
	p = bytes.Clone(p)
	end := time.Now().Add(l.busy)
	n, err := l.calls.do(l.busy, func() (int, error) {
		if err := l.f.SetWriteDeadline(end); err != nil {
			return 0, err
		}
		return l.f.Write(p)
	})
	switch {
	case errors.Is(err, drivers.ErrHung):
		return 0, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, fmt.Errorf("it takes no more: %w", drivers.ErrSilent)
	case err != nil:
		return n, gone(err)
	}
	return n, nil
}

func (l *fileLink) Close() error { return l.calls.shut() }
