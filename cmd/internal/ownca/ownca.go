// Package ownca is the kiosk's own certificate authority, for browsers on the
// library's network: a phone gives a page its camera only over HTTPS, and no
// public authority certifies the names of a school's network.
//
// The authority is made when it is first wanted. What it may certify is bound
// by name constraints (RFC 5280, 4.2.1.10) to the kiosk's names and to the
// addresses of private networks, so that a phone which trusts it trusts this
// kiosk and nothing else, even if the kiosk is stolen. The server's
// certificate lasts for half a year (Apple takes 825 days at most from an
// authority that was added by hand) and is made anew a month before its end,
// and when the machine has got another name or address.
package ownca

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Names of the files in the data folder, each a certificate with its key.
const (
	RootFile = "phones-ca.pem"
	LeafFile = "phones-cert.pem"
)

const (
	rootYears = 10
	rootRenew = 365 * 24 * time.Hour // before its end
	leafLasts = 180 * 24 * time.Hour
	leafRenew = 30 * 24 * time.Hour
	leafDrift = 24 * time.Hour // a Pi's clock may be put right, and phones' may be late
	rootDrift = 30 * leafDrift
)

// Config is what certificates are made for.
type Config struct {
	Folder string                             // of the files
	Title  string                             // the kiosk's name, as phones show it
	Names  []string                           // by which browsers ask for this machine
	Now    func() time.Time                   //
	Addrs  func() (own []netip.Addr, e error) // of this machine; nil: those of its interfaces
	Log    *slog.Logger                       // nil: nowhere
}

// Authority makes the server's certificates. It is safe for use by several
// goroutines.
type Authority struct {
	Config
	mu   sync.Mutex
	root *pair
	leaf *pair
}

// pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// Open reads the authority, or makes it. fresh tells that it was made: phones
// that trusted another one have to trust this one.
func Open(c Config) (a *Authority, fresh bool, err error) {
	if c.Addrs == nil {
		c.Addrs = interfaces
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	a = &Authority{Config: c}
	a.root, err = read(filepath.Join(c.Folder, RootFile))
	switch {
	case err == nil && a.rootServes():
	case err == nil || errors.Is(err, fs.ErrNotExist):
		if err := a.newRoot(); err != nil {
			return nil, false, fmt.Errorf("ownca: %w", err)
		}
		fresh = true
	default:
		return nil, false, fmt.Errorf("ownca: %w; mend it, or delete it and have phones trust a new one", err)
	}
	if leaf, err := read(filepath.Join(c.Folder, LeafFile)); err == nil {
		a.leaf = leaf
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a, fresh, a.renew(netip.Addr{})
}

// rootServes tells whether the authority lasts, and may certify the names. One
// that begins later than now stays: the clock has lost its time, and phones
// would have to trust another one.
func (a *Authority) rootServes() bool {
	c, now := a.root.cert, a.Now()
	if !c.IsCA || now.Add(rootRenew).After(c.NotAfter) {
		return false
	}
	return !slices.ContainsFunc(a.Names, func(n string) bool { return !slices.Contains(c.PermittedDNSDomains, strings.ToLower(n)) })
}

// private are the networks whose addresses it may certify (RFC 1918, 3927,
// 4193, 4291), and the machine's own addresses.
var private = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"}

func (a *Authority) newRoot() error {
	now := a.Now()
	t := &x509.Certificate{
		Subject:   pkix.Name{CommonName: a.Title + " (Carrel)", Organization: []string{"Carrel kiosk"}},
		NotBefore: now.Add(-rootDrift), NotAfter: now.AddDate(rootYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true,
	}
	for _, n := range a.Names {
		t.PermittedDNSDomains = append(t.PermittedDNSDomains, strings.ToLower(n))
	}
	for _, n := range private {
		_, block, err := net.ParseCIDR(n)
		if err != nil {
			return err
		}
		t.PermittedIPRanges = append(t.PermittedIPRanges, block)
	}
	own, err := a.Addrs()
	if err != nil {
		return err
	}
	for _, ip := range own {
		if !isPrivate(ip) {
			t.PermittedIPRanges = append(t.PermittedIPRanges, &net.IPNet{IP: ip.AsSlice(), Mask: net.CIDRMask(ip.BitLen(), ip.BitLen())})
		}
	}
	p, err := issue(t, nil)
	if err != nil {
		return err
	}
	a.root, a.leaf = p, nil
	return p.write(filepath.Join(a.Folder, RootFile))
}

func isPrivate(ip netip.Addr) bool {
	return slices.ContainsFunc(private, func(n string) bool { return netip.MustParsePrefix(n).Contains(ip) })
}

// renew makes the server's certificate if the one at hand does not serve; at
// is an address that it has to name.
func (a *Authority) renew(at netip.Addr) error {
	if a.leafServes(at) {
		return nil
	}
	own, err := a.Addrs()
	if err != nil {
		return fmt.Errorf("ownca: addresses: %w", err)
	}
	now := a.Now()
	t := &x509.Certificate{
		Subject: pkix.Name{CommonName: a.Title}, NotBefore: now.Add(-leafDrift), NotAfter: now.Add(leafLasts),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: a.Names,
	}
	for _, ip := range own {
		if a.mayCertify(ip) {
			t.IPAddresses = append(t.IPAddresses, ip.AsSlice())
		}
	}
	p, err := issue(t, a.root)
	if err != nil {
		return fmt.Errorf("ownca: %w", err)
	}
	a.leaf = p
	if err := p.write(filepath.Join(a.Folder, LeafFile)); err != nil { // it serves all the same, until the next start
		a.Log.Error("the certificate that phones are shown can't be written", "err", err)
	}
	return nil
}

// mayCertify tells whether the authority's constraints permit an address.
func (a *Authority) mayCertify(ip netip.Addr) bool {
	return slices.ContainsFunc(a.root.cert.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip.AsSlice()) })
}

// leafServes tells whether the server's certificate is the authority's, lasts,
// and names this machine.
func (a *Authority) leafServes(at netip.Addr) bool {
	if a.leaf == nil {
		return false
	}
	c, now := a.leaf.cert, a.Now()
	if c.CheckSignatureFrom(a.root.cert) != nil || now.Before(c.NotBefore) || now.Add(leafRenew).After(c.NotAfter) {
		return false
	}
	if slices.ContainsFunc(a.Names, func(n string) bool { return !slices.Contains(c.DNSNames, n) }) {
		return false
	}
	// What can't be certified doesn't call for another one.
	return !at.IsValid() || !a.mayCertify(at) || slices.ContainsFunc(c.IPAddresses, func(ip net.IP) bool { return ip.Equal(at.AsSlice()) })
}

// Certificate is for tls.Config.GetCertificate: it is of the address that was
// dialled, too, which may be new.
func (a *Authority) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	var at netip.Addr
	if hello != nil && hello.Conn != nil {
		if p, err := netip.ParseAddrPort(hello.Conn.LocalAddr().String()); err == nil {
			at = p.Addr().Unmap().WithZone("")
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.renew(at); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{a.leaf.cert.Raw, a.root.cert.Raw}, PrivateKey: a.leaf.key, Leaf: a.leaf.cert}, nil
}

// Root is the authority's certificate (DER), for phones to trust.
func (a *Authority) Root() []byte { return a.root.cert.Raw }

// Fingerprint is the SHA-256 of Root as phones show it, in pairs of digits.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.Root())
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	return strings.Join(pairs, ":")
}

// issue makes a key and a certificate for it; by nil: it signs itself.
func issue(t *x509.Certificate, by *pair) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // what all phones take
	if err != nil {
		return nil, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, err
	}
	parent, signer := t, crypto.Signer(key)
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &pair{cert, key}, err
}

// read reads a file that write has written.
func read(file string) (*pair, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair(raw, raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	key, ok := c.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: its key signs nothing", file)
	}
	cert, err := x509.ParseCertificate(c.Certificate[0])
	return &pair{cert, key}, err
}

// write replaces a file as a whole; nobody but its owner may read it.
func (p *pair) write(file string) error {
	key, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := errors.Join(pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}), pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: key})); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".phones-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// interfaces are the addresses of this machine.
func interfaces() (own []netip.Addr, err error) {
	addrs, err := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				own = append(own, ip.Unmap())
			}
		}
	}
	return own, err
}
