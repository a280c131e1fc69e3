package daemon

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"

	"github.com/carrel-kiosk/carrel/cmd/internal/ownca"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// phones are staff's, on the library's network.
type phones struct {
	setting[kiosk.Phones]
	ln        net.Listener
	authority *ownca.Authority
}

var _ web.Phones = (*phones)(nil)

// newPhones listens on the library's network; nil if it is not configured.
func newPhones(ctx context.Context, d *Daemon) (*phones, error) {
	listen := d.Config.Phones.Listen
	if listen == "" {
		return nil, nil
	}
	p := &phones{setting: setting[kiosk.Phones]{Daemon: d, name: "phones", show: func(kiosk.Phones) {}}}
	if err := p.load(ctx); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	authority, fresh, err := ownca.Open(ownca.Config{Folder: d.Config.Kiosk.Data, Title: d.Config.Kiosk.Name, Names: web.Names(d.Config.Kiosk.Hosts), Now: d.clock.Now})
	if err != nil {
		return nil, fmt.Errorf("phones: %w", err)
	}
	p.authority = authority
	if fresh {
		d.Log.Warn("this kiosk has got a new certificate: phones that scan without a network have to trust it, see the page for phones", "sha256", authority.Fingerprint())
	}
	if p.ln, err = net.Listen("tcp", listen); err != nil {
		return nil, fmt.Errorf("phones: %w", err)
	}
	return p, nil
}

// serve serves the phones' pages until ctx ends.
func (p *phones) serve(ctx context.Context, h http.Handler) error {
	secured := tls.NewListener(p.ln, &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: p.authority.Certificate})
	p.Log.Info("phones are served", "addresses", p.Addresses())
	return serveHTTP(ctx, secured, h, slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug)) // who does not trust the certificate says so with each try
}

// Addresses implements web.Phones: names that the library gave first, because
// they stay; then the addresses of the network.
func (p *phones) Addresses() (list []string) {
	at, err := netip.ParseAddrPort(p.ln.Addr().String())
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
func (p *phones) Root() ([]byte, string) { return p.authority.Root(), p.authority.Fingerprint() }

// Code implements web.Phones.
func (p *phones) Code(text string) ([][]bool, error) { return dots(text) }

// Phones implements web.Phones.
func (p *phones) Phones() kiosk.Phones { return p.now() }

// PutPhones implements web.Phones.
func (p *phones) PutPhones(ctx context.Context, list kiosk.Phones, by kiosk.Act) error {
	return p.put(ctx, list, by)
}
