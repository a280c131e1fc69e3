package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/ownca"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// Bounds on connections from the library's network, where everybody is; web
// bounds each answer.
const (
	mostPhones   = 128             // at a time; others wait
	phoneHeader  = 5 * time.Second // longest wait for a handshake, and for a header
	phoneIdle    = 30 * time.Second
	phoneRetry   = time.Second // until the first try to serve them again; then twice as long each time
	phoneRetries = time.Minute // at most
)

// phones are staff's, on the library's network.
type phones struct {
	setting[kiosk.Phones]
	at atomic.Pointer[phoneDoor] // nil: they can't be served now
}

// PhonesSetting is the name under which the ledger's file has the list.
const PhonesSetting = "phones"

// phoneDoor is where phones are served.
type phoneDoor struct {
	net.Listener
	*ownca.Authority
}

var _ web.Phones = (*phones)(nil)

// newPhones listens on the library's network; nil if it is not configured. Why
// it can't be done is found, and told, by serve.
func newPhones(ctx context.Context, d *Daemon) (*phones, error) {
	if d.Config.Phones.Listen == "" {
		return nil, nil
	}
	p := &phones{setting: setting[kiosk.Phones]{Daemon: d, name: PhonesSetting, show: func(kiosk.Phones) {}}}
	if err := p.load(ctx); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	p.begin() //nolint:errcheck // serve tries again
	return p, nil
}

// begin opens what phones are served with, if it is not open already.
func (p *phones) begin() error {
	if p.at.Load() != nil {
		return nil
	}
	authority, fresh, err := ownca.Open(ownca.Config{Folder: p.Config.Kiosk.Data, Title: p.Config.Kiosk.Name, Names: web.Names(p.Config.Kiosk.Hosts), Now: p.clock.Now, Log: p.Log})
	if err != nil {
		return err
	}
	if fresh {
		p.Log.Warn("this kiosk has got a new certificate: phones that scan without a network have to trust it, see the page for phones", "sha256", authority.Fingerprint())
	}
	ln, err := net.Listen("tcp", p.Config.Phones.Listen)
	if err != nil {
		return err
	}
	p.at.Store(&phoneDoor{ln, authority})
	return nil
}

// serve serves the phones' pages until ctx ends. Where it can't, as the
// network's address is not there yet, staff sees a fault, the kiosk goes on
// without phones, and it is tried again.
func (p *phones) serve(ctx context.Context, h http.Handler) error {
	for wait, said := phoneRetry, ""; ; wait = min(2*wait, phoneRetries) {
		err := p.begin()
		if err == nil {
			p.desk.Mend(p.name)
			wait, said = phoneRetry, ""
			err = p.answer(ctx, h)
			p.at.Store(nil)
		}
		if ctx.Err() != nil {
			return nil
		}
		if text := err.Error(); text != said {
			said = text
			p.Log.Error("phones can't be served; it is tried again", "err", err)
			p.desk.Fault(kiosk.Fault{Source: p.name, Text: text})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// answer serves until ctx ends or the network fails.
func (p *phones) answer(ctx context.Context, h http.Handler) error {
	at := p.at.Load()
	secured := tls.NewListener(bound(at.Listener, mostPhones), &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: at.Certificate})
	p.Log.Info("phones are served", "addresses", p.Addresses())
	return serveOn(ctx, secured, &http.Server{Handler: h, ReadHeaderTimeout: phoneHeader, IdleTimeout: phoneIdle,
		ErrorLog: slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug)}) // who does not trust the certificate says so with each try
}

// Addresses implements web.Phones: names that the library gave first, because
// they stay; then the addresses of the network.
func (p *phones) Addresses() (list []string) {
	door := p.at.Load()
	if door == nil {
		return nil
	}
	at, err := netip.ParseAddrPort(door.Addr().String())
	if err != nil {
		return nil
	}
	add := func(host string) {
		list = append(list, "https://"+net.JoinHostPort(host, strconv.Itoa(int(at.Port()))))
	}
	for _, h := range p.Config.Kiosk.Hosts {
		add(h)
	}
	if ip := at.Addr().Unmap(); !ip.IsUnspecified() {
		add(ip.String())
		return list
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		p.Log.Warn("addresses of this machine", "err", err)
	}
	var ips []netip.Addr
	for _, a := range own {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
				ips = append(ips, ip.Unmap())
			}
		}
	}
	slices.SortFunc(ips, netip.Addr.Compare) // IPv4 first
	for _, ip := range ips {
		add(ip.String())
	}
	return list
}

// Root implements web.Phones.
func (p *phones) Root() ([]byte, string) {
	door := p.at.Load()
	if door == nil {
		return nil, ""
	}
	return door.Root(), door.Fingerprint()
}

// PhonesNow implements control.Phones.
func (d *Daemon) PhonesNow(context.Context) (control.PhonesNow, error) {
	if d.phones == nil {
		return control.PhonesNow{}, nil
	}
	root, _ := d.phones.Root()
	return control.PhonesNow{On: true, Addresses: d.phones.Addresses(), Root: root, List: d.phones.Phones().List}, nil
}

// ForgetPhone implements control.Phones.
func (d *Daemon) ForgetPhone(ctx context.Context, key string, by kiosk.Act) error {
	if d.phones == nil {
		return errors.New("phones are not served: [phones] listen in the configuration says where")
	}
	return d.phones.ChangePhones(ctx, by, func(list kiosk.Phones) (kiosk.Phones, error) {
		if _, ok := list.Of(key); !ok {
			return list, fmt.Errorf("phone: %w", kiosk.ErrUnknown)
		}
		return list.Without(key), nil
	})
}

// Code implements web.Phones.
func (p *phones) Code(text string) ([][]bool, error) { return dots(text) }

// Phones implements web.Phones.
func (p *phones) Phones() kiosk.Phones { return p.now() }

// ChangePhones implements web.Phones.
func (p *phones) ChangePhones(ctx context.Context, by kiosk.Act, next func(kiosk.Phones) (kiosk.Phones, error)) error {
	return p.change(ctx, by, next)
}
