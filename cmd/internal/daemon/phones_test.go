package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/ownca"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// newTestPhones are the phones of a daemon that listens at an address.
func newTestPhones(data, listen string) *phones {
	d := &Daemon{Options: Options{Config: &config.Config{Location: time.UTC}, Log: slog.New(slog.DiscardHandler)}}
	d.Config.Kiosk.Data, d.Config.Kiosk.Name, d.Config.Phones.Listen = data, "front-desk", listen
	d.clock = &timekeeper{Clock: newClock(time.UTC)}
	d.desk = desk.New(desk.Config{NewID: newID, Log: d.Log}) // for its faults
	return &phones{setting: setting[kiosk.Phones]{Daemon: d, name: "phones"}}
}

// TestPhonesComeLater: whatever keeps phones from being served, staff sees it,
// and they are served once it is mended.
func TestPhonesComeLater(t *testing.T) {
	for name, tt := range map[string]struct {
		why   string
		wreck func(data, listen string) (mend func() error, err error)
	}{
		"the address is taken": {"address already in use", func(_, listen string) (func() error, error) {
			ln, err := net.Listen("tcp", listen)
			if err != nil {
				return nil, err
			}
			return ln.Close, nil
		}},
		"the authority is damaged": {ownca.RootFile, func(data, _ string) (func() error, error) {
			file := filepath.Join(data, ownca.RootFile)
			return func() error { return os.Remove(file) }, os.WriteFile(file, []byte("cut off"), 0o600)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				free, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				listen := free.Addr().String()
				free.Close()
				mend, err := tt.wreck(data, listen)
				if err != nil {
					t.Fatal(err)
				}
				comeLater(t, newTestPhones(data, listen), tt.why, mend)
			})
		})
	}
}

func comeLater(t *testing.T, p *phones, why string, mend func() error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // of the clock that stands still
	done := make(chan error, 1)
	go func() { done <- p.serve(ctx, http.NotFoundHandler()) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve() = %v", err)
		}
	}()
	seq := uint64(0)
	await := func(faults int) (sc kiosk.Screen) {
		for {
			sc, err := p.desk.Next(ctx, seq)
			if err != nil {
				t.Fatal(err)
			}
			if seq = sc.Seq; len(sc.Faults) == faults {
				return sc
			}
		}
	}
	if f := await(1).Faults[0]; f.Source != "phones" || f.Fatal || !strings.Contains(f.Text, why) {
		t.Errorf("the fault is %+v; want %q", f, why)
	}
	if der, print := p.Root(); len(p.Addresses()) != 0 || der != nil || print != "" {
		t.Errorf("phones are sent to %v", p.Addresses())
	}
	if err := mend(); err != nil {
		t.Fatal(err)
	}
	await(0)
	der, _ := p.Root()
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	c, err := tls.Dial("tcp", p.Config.Phones.Listen, &tls.Config{RootCAs: roots, Time: p.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestForgetWhilePairing forgets phones from the shell while others are let in
// on the page: no change undoes another.
func TestForgetWhilePairing(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := newTestPhones(t.TempDir(), "")
	p.store, p.show, p.Daemon.phones = store, func(kiosk.Phones) {}, p
	const n = 20
	pair := func(key string) {
		err := p.ChangePhones(t.Context(), kiosk.Act{What: "phone.pair"}, func(all kiosk.Phones) (kiosk.Phones, error) {
			all.List = append(slices.Clone(all.List), kiosk.Phone{Key: key, Name: "phone"})
			return all, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	key := func(kind string, i int) string { return fmt.Sprintf("%s%062d", kind, i) }
	for i := range n {
		pair(key("0a", i))
	}
	var both sync.WaitGroup
	both.Go(func() {
		for i := range n {
			pair(key("0b", i))
		}
	})
	both.Go(func() {
		for i := range n {
			if err := p.ForgetPhone(t.Context(), key("0a", i), kiosk.Act{What: "phone.forget"}); err != nil {
				t.Error(err)
			}
		}
	})
	both.Wait()
	if err := p.ForgetPhone(t.Context(), key("0a", 0), kiosk.Act{}); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("ForgetPhone() of one that is gone = %v", err)
	}
	if err := p.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, ok := p.Phones().Of(key("0b", i)); !ok || len(p.Phones().List) != n {
			t.Fatalf("%d phones are let in, %d of the new ones: %v", len(p.Phones().List), i, ok)
		}
	}
}

// pipes is a listener of connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error { close(p); return nil }
func (pipes) Addr() net.Addr { return nil }

// TestBoundedConnections: one more waits until one ends, and not after the
// listener's end.
func TestBoundedConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := make(pipes, 9)
		for range cap(in) {
			c, _ := net.Pipe()
			in <- c
		}
		ln, got := bound(in, 3), make(chan net.Conn, cap(in))
		ended := make(chan error)
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					ended <- err
					return
				}
				got <- c
			}
		}()
		first := func(want int) net.Conn {
			t.Helper()
			if synctest.Wait(); len(got) != want {
				t.Fatalf("%d connections; want %d", len(got), want)
			}
			return <-got
		}
		c := first(3)
		c.Close()
		c.Close() // no other's place
		first(3)
		ln.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept() = %v; want it closed", err)
		}
	})
}
