package ownca

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// machine is a kiosk with a clock and addresses that a test sets.
type machine struct {
	Config
	now  time.Time
	have []netip.Addr
}

func newMachine(t *testing.T) *machine {
	m := &machine{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), have: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.168.1.20")}}
	m.Config = Config{Folder: t.TempDir(), Title: "front-desk", Names: []string{"localhost", "kiosk1.local"},
		Now: func() time.Time { return m.now }, Addrs: func() ([]netip.Addr, error) { return m.have, nil }}
	return m
}

func (m *machine) open(t *testing.T, fresh bool) *Authority {
	t.Helper()
	a, made, err := Open(m.Config)
	if err != nil || made != fresh {
		t.Fatalf("Open() = made %v, %v; want %v", made, err, fresh)
	}
	return a
}

// leaf is what the server shows, verified for a name as a phone does it.
func (m *machine) leaf(t *testing.T, a *Authority, name string) *x509.Certificate {
	t.Helper()
	c, err := a.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	root, err := x509.ParseCertificate(a.Root())
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(root)
	if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: m.now}); err != nil {
		t.Errorf("a phone does not trust it as %s: %v", name, err)
	}
	return c.Leaf
}

func TestAuthority(t *testing.T) {
	m := newMachine(t)
	a := m.open(t, true)
	first := m.leaf(t, a, "kiosk1.local")
	m.leaf(t, a, "192.168.1.20")
	for _, name := range []string{RootFile, LeafFile} {
		if info, err := os.Stat(filepath.Join(m.Folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want 0600", name, info.Mode(), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(m.Folder, ".phones-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if f := a.Fingerprint(); len(f) != 95 || strings.Count(f, ":") != 31 {
		t.Errorf("fingerprint %q", f)
	}

	again := m.open(t, false)
	if got := m.leaf(t, again, "kiosk1.local"); !got.Equal(first) || again.Fingerprint() != a.Fingerprint() {
		t.Error("a restart makes other certificates")
	}
	m.now = first.NotAfter.Add(-leafRenew + time.Minute)
	renewed := m.leaf(t, again, "kiosk1.local")
	if renewed.Equal(first) || !renewed.NotAfter.After(first.NotAfter) {
		t.Error("it is not renewed before its end")
	}
	m.now = first.NotBefore.Add(-48 * time.Hour) // the clock had lost its time, or has
	if m.leaf(t, again, "kiosk1.local").Equal(renewed) {
		t.Error("a certificate of the future is shown")
	}
}

// TestOtherNames: what the authority may not certify makes a new one; another
// private address does not.
func TestOtherNames(t *testing.T) {
	m := newMachine(t)
	a := m.open(t, true)
	was := m.leaf(t, a, "192.168.1.20")
	m.have = append(m.have, netip.MustParseAddr("10.0.0.5"))
	if !m.leaf(t, a, "192.168.1.20").Equal(was) {
		t.Error("it is made anew without need")
	}
	a.mu.Lock()
	err := a.renew(netip.MustParseAddr("10.0.0.5")) // as it is dialled there
	a.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	m.leaf(t, a, "10.0.0.5")
	m.Names = append(m.Names, "desk.school.lan")
	m.leaf(t, m.open(t, true), "desk.school.lan")
	m.now = m.now.AddDate(rootYears, 0, -300)
	m.leaf(t, m.open(t, true), "desk.school.lan")
}

// TestConstraints: with its key nobody can pretend to be another server.
func TestConstraints(t *testing.T) {
	m := newMachine(t)
	m.have = append(m.have, netip.MustParseAddr("203.0.113.7")) // a university's
	a := m.open(t, true)
	m.leaf(t, a, "203.0.113.7")
	roots := x509.NewCertPool()
	roots.AddCert(a.root.cert)
	for _, other := range []x509.Certificate{{DNSNames: []string{"bank.example"}}, {IPAddresses: []net.IP{net.IPv4(203, 0, 113, 8)}}} {
		other.NotBefore, other.NotAfter, other.ExtKeyUsage = m.now, m.now.Add(time.Hour), []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		p, err := issue(&other, a.root)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: m.now}); err == nil {
			t.Errorf("it can certify %v %v", other.DNSNames, other.IPAddresses)
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	m := newMachine(t)
	m.open(t, true)
	if err := os.WriteFile(filepath.Join(m.Folder, LeafFile), []byte("cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.leaf(t, m.open(t, false), "localhost") // it can be made again, and nobody notices
	if err := os.WriteFile(filepath.Join(m.Folder, RootFile), []byte("cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(m.Config); err == nil || !strings.Contains(err.Error(), RootFile) {
		t.Errorf("Open() = %v; want what to do with %s", err, RootFile)
	}
}

// TestClockFarBehind: a machine without a clock starts in 1970, and phones
// trust it all the same once it knows the time.
func TestClockFarBehind(t *testing.T) {
	m := newMachine(t)
	was, today := m.open(t, true).Fingerprint(), m.now
	m.now = time.Unix(60, 0)
	a := m.open(t, false)
	m.now = today
	if m.leaf(t, a, "kiosk1.local"); a.Fingerprint() != was {
		t.Error("phones have to trust another one")
	}
}

// TestFullDisk: a certificate that can't be written serves.
func TestFullDisk(t *testing.T) {
	m := newMachine(t)
	var log bytes.Buffer
	m.Log = slog.New(slog.NewTextHandler(&log, nil))
	a := m.open(t, true)
	first := m.leaf(t, a, "kiosk1.local")
	file := filepath.Join(m.Folder, LeafFile) // which a folder keeps from being written
	if err := errors.Join(os.Remove(file), os.MkdirAll(filepath.Join(file, "in the way"), 0o700)); err != nil {
		t.Fatal(err)
	}
	m.now = first.NotAfter
	renewed := m.leaf(t, a, "kiosk1.local")
	if renewed.Equal(first) || !m.leaf(t, a, "kiosk1.local").Equal(renewed) || strings.Count(log.String(), "can't be written") != 1 {
		t.Errorf("it is renewed once, and the log has %q; want one line", log.String())
	}
	m.leaf(t, m.open(t, false), "kiosk1.local")
}

// TestOverTLS: a client that trusts the authority reaches the server by its
// address, where the machine has got a new one since.
func TestOverTLS(t *testing.T) {
	m := newMachine(t)
	m.now, m.have = time.Now(), nil
	a := m.open(t, true)
	m.have = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: a.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			c.Write([]byte("!"))
			c.Close()
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(a.root.cert)
	c, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
