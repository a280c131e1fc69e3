package sip2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// TestPeek: a late LF leaves a line quiet; anything more does not.
func TestPeek(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	tcp := near.(*net.TCPConn)
	raw, err := tcp.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := peek(tcp); err != nil {
		t.Errorf("peek at nothing: %v", err)
	}
	for n, want := range []error{nil, errStale} {
		fmt.Fprint(far, []string{"\n", "1"}[n])
		raw.Read(func(fd uintptr) bool { // until it has come
			got, _, _ := unix.Recvfrom(int(fd), make([]byte, 9), unix.MSG_PEEK|unix.MSG_DONTWAIT)
			return got == n+1
		})
		if err := peek(tcp); !errors.Is(err, want) {
			t.Errorf("peek at %d bytes: %v; want %v", n+1, err, want)
		}
	}
	far.Close()
	if _, err := io.ReadAll(tcp); err != nil {
		t.Fatal(err)
	}
	if err := peek(tcp); !errors.Is(err, io.EOF) {
		t.Errorf("peek at the end: %v; want EOF", err)
	}
}

// TestUnreachable: those who ask at once have as many connections tried, and
// hear of it when the last has failed.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int64
		u, err := NewUpstream(Config{Address: "ils:6001", Connections: 4, Dial: func(context.Context, string) (net.Conn, error) {
			time.Sleep(time.Duration(dials.Add(1)) * 50 * time.Millisecond)
			return nil, unix.ECONNREFUSED
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := u.Probe(t.Context()); !errors.Is(err, unix.ECONNREFUSED) {
					t.Errorf("Probe() = %v; want refused", err)
				}
			})
		}
		wg.Wait()
		if n := dials.Load(); n != 4 {
			t.Errorf("%d connections are tried for 4 who ask; want 4", n)
		}
	})
}

func TestAddress(t *testing.T) {
	for address, ok := range map[string]bool{"ils:6001": true, "[2001:db8::1]:6001": true, "10.0.0.7:6001": true,
		"": false, "ils": false, "ils:": false, ":6001": false, "ils:abc": false, "ils:66001": false, "http://ils:6001": false} {
		c := Config{Address: address}
		if err := c.Check(); (err == nil) != ok {
			t.Errorf("Check() of %q = %v", address, err)
		}
	}
}
