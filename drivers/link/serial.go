package link

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"go.bug.st/serial"

	"github.com/carrel-kiosk/carrel/drivers"
)

// serialLink is an open serial port. The port is locked (TIOCEXCL): a second
// program that opens it is told that it is busy, unless it runs as root.
type serialLink struct {
	port     serial.Port
	calls    calls
	baud     int
	patience time.Duration
	zeros    int // reads in a row that came back at once with nothing
}

func openSerial(path string, mode *serial.Mode) (drivers.Link, error) {
	p, err := serial.Open(path, mode)
	if err != nil {
		return nil, explain(path, err)
	}
	l := &serialLink{port: p, baud: mode.BaudRate, calls: calls{name: path, close: p.Close, free: func() error {
		return errors.Join(p.ResetOutputBuffer(), p.SetMode(mode)) // to throw away alone wakes nobody: a change of the settings does
	}}}
	if err := errors.Join(raise(p.SetDTR(true)), raise(p.SetRTS(true)), l.Patience(patience)); err != nil {
		p.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// raise is the error of setting a modem line, without those of ports that
// have no such lines: ptys (ENOTTY) and some USB bridges (EINVAL). Many
// scanners on RS-232 send only to a host whose DTR and RTS are up.
func raise(err error) error {
	if errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}

// explain says what can be done about a port that does not open.
func explain(path string, err error) error {
	code := serial.PortErrorCode(-1)
	if e, ok := errors.AsType[*serial.PortError](err); ok {
		code = e.Code()
	}
	switch {
	case code == serial.PortNotFound, errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s is not there: plug the device in, or see kioskctl devices for the right path", path)
	case code == serial.PermissionDenied, errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s may not be opened by this user: add it to the group dialout", path)
	case code == serial.PortBusy:
		return fmt.Errorf("%s is in use by another program", path)
	case code == serial.InvalidSerialPort:
		return fmt.Errorf("%s is not a serial port, or can't be set so: %v", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// quickZeros is how many reads may come back at once with nothing until the
// port counts as gone: an unplugged port reads so for ever.
const quickZeros = 50

func (l *serialLink) Patience(d time.Duration) error {
	if err := l.port.SetReadTimeout(d); err != nil {
		return err
	}
	l.patience = d
	return nil
}

// Read implements drivers.Link. The library gives 0 and nil for a time-out,
// and on some ports also for an unplugged device; the clock tells which.
func (l *serialLink) Read(p []byte) (int, error) {
	start := time.Now()
	n, err := l.calls.read(l.patience, p, l.port.Read)
	switch {
	case errors.Is(err, drivers.ErrHung):
		return 0, err
	case err != nil:
		return n, gone(err)
	case n > 0 || time.Since(start) >= l.patience/2:
		l.zeros = 0
	default:
		l.zeros++
	}
	switch {
	case n > 0:
		return n, nil
	case l.zeros >= quickZeros:
		return 0, gone(fmt.Errorf("%d reads came back at once with nothing", l.zeros))
	}
	return 0, drivers.ErrSilent
}

var _ drivers.Paced = (*serialLink)(nil)

// kernelHolds is at least what the kernel takes before it has anything sent, in bytes.
const kernelHolds = 4096

// sending is how long the line takes for so many bytes and those before them,
// of 12 bits at most.
func (l *serialLink) sending(bytes int) time.Duration {
	return time.Duration(bytes+kernelHolds) * 12 * time.Second / time.Duration(max(l.baud, 50))
}

// Write implements drivers.Link. There is no flow control, so a port takes
// bytes at the speed of the line.
func (l *serialLink) Write(p []byte) (int, error) {
	p = bytes.Clone(p)
	return l.calls.do(l.sending(len(p)), func() (int, error) { return l.write(p) })
}

// write writes all of p. The library writes once, and a signal (the
// runtime sends itself many) ends a write with a part of the bytes taken and
// no error: the rest is written after it.
func (l *serialLink) write(p []byte) (done int, err error) {
	for done < len(p) {
		n, err := l.port.Write(p[done:min(len(p), done+kernelHolds)])
		done += n
		switch {
		case l.calls.left(): // nobody waits for the rest
			return done, drivers.ErrHung
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return done, gone(err)
		case n == 0:
			return done, gone(io.ErrShortWrite)
		}
	}
	return done, nil
}

// Clear implements drivers.Paced.
func (l *serialLink) Clear() (cts, dsr bool, err error) {
	if _, err := l.calls.do(l.sending(0), func() (int, error) { return 0, l.port.Drain() }); errors.Is(err, drivers.ErrHung) {
		return false, false, err
	} else if err != nil {
		return false, false, gone(err)
	}
	var lines *serial.ModemStatusBits
	if _, err = l.calls.do(0, func() (_ int, err error) { lines, err = l.port.GetModemStatusBits(); return 0, err }); err != nil {
		return false, false, err
	}
	return lines.CTS, lines.DSR, nil
}

func (l *serialLink) Close() error { return l.calls.shut() }
