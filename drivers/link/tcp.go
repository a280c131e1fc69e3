package link

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// dialTime is the longest wait for a TCP device to take a connection, or
// bytes.
const dialTime = 3 * time.Second

// alive finds out within half a minute that the other end is no longer there:
// a scanner sends nothing by itself, so nothing else would.
var alive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// tcpLink is a stream to a device server or a device with a network socket.
type tcpLink struct {
	conn           net.Conn
	patience, busy time.Duration
}

var _ drivers.Patient = (*tcpLink)(nil)

func openTCP(ctx context.Context, addr string) (drivers.Link, error) {
	d := net.Dialer{Timeout: dialTime, KeepAliveConfig: alive}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &tcpLink{c, patience, dialTime}, nil
}

// Networked implements drivers.Networked.
func (l *tcpLink) Networked() {}

func (l *tcpLink) Patience(d time.Duration) error { l.patience = d; return nil }

// Busy implements drivers.Patient.
func (l *tcpLink) Busy(d time.Duration) { l.busy = d }

func (l *tcpLink) Read(p []byte) (int, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(l.patience)); err != nil {
		return 0, gone(err)
	}
	n, err := l.conn.Read(p)
	switch {
	case err == nil, n > 0:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, drivers.ErrSilent
	}
	return 0, gone(err)
}

func (l *tcpLink) Write(p []byte) (int, error) {
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.busy)); err != nil {
		return 0, gone(err)
	}
	n, err := l.conn.Write(p)
	if err != nil {
		return n, gone(err)
	}
	return n, nil
}

func (l *tcpLink) Close() error { return l.conn.Close() }
