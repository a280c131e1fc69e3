package sip2_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// serve starts a server for an ILS, with a proxy before it that can do harm.
func serve(t *testing.T, ils *upstreamtest.ILS, c sip2.ServerConfig) *upstreamtest.Proxy {
	t.Helper()
	ils.AddUser("kiosk1", "secret")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sip2.Serve(ctx, ln, ils, c) }()
	p, err := upstreamtest.Listen("127.0.0.1:0", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ils.Away = p.Away
	t.Cleanup(func() {
		p.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v", err)
		}
	})
	return p
}

func open(t *testing.T, addr string, change func(*sip2.Config)) *sip2.Upstream {
	t.Helper()
	c := sip2.Config{Address: addr, User: "kiosk1", Password: "secret", Institution: "CPL"}
	if change != nil {
		change(&c)
	}
	u, err := sip2.NewUpstream(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

func TestConformance(t *testing.T) {
	for name, c := range map[string]struct {
		server sip2.ServerConfig
		client func(*sip2.Config)
	}{
		"plain":        {},
		"CRLF, strict": {sip2.ServerConfig{CRLF: true}, func(c *sip2.Config) { c.Checksum = "strict" }},
		"no checksums": {sip2.ServerConfig{}, func(c *sip2.Config) { c.Checksum = "off" }},
	} {
		t.Run(name, func(t *testing.T) {
			upstreamtest.Test(t, func(t *testing.T, ils *upstreamtest.ILS) kiosk.Upstream {
				return open(t, serve(t, ils, c.server).Addr(), c.client)
			})
		})
	}
}

func ctx(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return c
}

func checkout(item kiosk.Barcode, card kiosk.Card) kiosk.Entry {
	return kiosk.Entry{ID: "e", Kind: kiosk.Checkout, Item: item, Patron: card, At: time.Now(), State: kiosk.Asked}
}

// TestMishaps: whatever happens to question or answer, a yes is only said of
// what took effect, offline only of what did not, and the next answer belongs
// to the next question.
func TestMishaps(t *testing.T) {
	for _, strict := range []string{"auto", "strict", "off"} {
		for _, mishap := range upstreamtest.Mishaps {
			t.Run(strict+"/"+string(mishap), func(t *testing.T) {
				t.Parallel()
				ils := upstreamtest.Sample(time.Now())
				p := serve(t, ils, sip2.ServerConfig{})
				u := open(t, p.Addr(), func(c *sip2.Config) { c.Checksum = strict })
				if err := u.Probe(ctx(t)); err != nil {
					t.Fatal(err)
				}
				p.Once(upstreamtest.Fault{Mishap: mishap, Match: "11", Delay: 600 * time.Millisecond})
				short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				_, err := u.Tell(short, checkout("B1", "C1"))
				effects := len(ils.History())
				switch kiosk.CodeOf(err) {
				case "":
					if effects == 0 {
						t.Error("a yes to what the ILS never heard")
					}
				case kiosk.CodeOffline:
					if effects > 0 {
						t.Error("offline is said of what took effect")
					}
				case kiosk.CodeUnsure:
				default:
					t.Errorf("Tell() = %v; want yes, offline or unsure", err)
				}
				if effects > 1 {
					t.Errorf("told %d times: %+v", effects, ils.History())
				}
				for range 3 { // a late or double answer must not be taken for one of these
					a, err := u.Tell(ctx(t), checkout("B2", "C2"))
					if err != nil || a.Title != "Le deuxième" {
						t.Errorf("the next question: %+v, %v", a, err)
					}
				}
			})
		}
	}
}

// TestIdleClosed: a server that hung up while nobody asked costs no doubt.
func TestIdleClosed(t *testing.T) {
	ils := upstreamtest.Sample(time.Now())
	p := serve(t, ils, sip2.ServerConfig{})
	u := open(t, p.Addr(), nil)
	if err := u.Probe(ctx(t)); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if _, err := u.Tell(ctx(t), checkout("B1", "C1")); kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("Tell() with the line cut while idle = %v; want offline", err)
	}
	if err := p.Restore(); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Tell(ctx(t), checkout("B1", "C1")); err != nil {
		t.Errorf("Tell() after the line is back = %v", err)
	}
}

// TestLineIsKept: what was idle for longer than a question may take is asked
// on the same line.
func TestLineIsKept(t *testing.T) {
	p := serve(t, upstreamtest.Sample(time.Now()), sip2.ServerConfig{})
	var dials atomic.Int32
	u := open(t, p.Addr(), func(c *sip2.Config) {
		c.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}
	})
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := u.Probe(ctx); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		cancel()
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("%d connections for two questions; want one", n)
	}
}

func TestLogin(t *testing.T) {
	p := serve(t, upstreamtest.Sample(time.Now()), sip2.ServerConfig{})
	u := open(t, p.Addr(), func(c *sip2.Config) { c.Password = "wrong" })
	for _, err := range []error{u.Probe(ctx(t)), second(u.Tell(ctx(t), checkout("B1", "C1")))} {
		if !errors.Is(err, sip2.ErrLogin) || kiosk.CodeOf(err) != kiosk.CodeOffline {
			t.Errorf("with a wrong password: %v; want ErrLogin, offline", err)
		}
	}
	u = open(t, p.Addr(), func(c *sip2.Config) { c.User = "" }) // the server wants one: hangs up
	if err := u.Probe(ctx(t)); kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("without login: %v; want offline", err)
	}
}

func second[T any](_ T, err error) error { return err }

// script is a server that answers by a function of the question; "" is
// silence. It keeps what it was asked.
type script struct {
	mu    sync.Mutex
	asked []string
}

func (s *script) serve(t *testing.T, answer func(n int, q string) string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go func() {
				r := bufio.NewReader(c)
				for {
					q, err := r.ReadString('\r')
					if err != nil {
						return
					}
					s.mu.Lock()
					s.asked = append(s.asked, q)
					n := len(s.asked)
					s.mu.Unlock()
					fmt.Fprint(c, answer(n, q))
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func (s *script) count(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.asked {
		if strings.HasPrefix(q, prefix) {
			n++
		}
	}
	return n
}

const (
	date   = "20261123    080000"
	hello  = "98YYYYYN100003" + date + "2.00AOx|BXYYYYYYYYYYYYYYYY|\r"
	lent   = "121NNY" + date + "AOx|AAC1|ABB1|AJThe one|AH20261207    235900|\r"
	refuse = "120NUN" + date + "AOx|AAC1|ABB1|AJ|AH|AFPlease see the librarian|AFRoom 3|\r"
)

func plain(c *sip2.Config) { c.User = "" }

func TestScriptedAnswers(t *testing.T) {
	tests := []struct {
		name   string
		client func(*sip2.Config)
		answer func(n int, q string) string // to anything but 99
		code   kiosk.Code
		asked  map[string]int // how often which message
	}{
		{"yes", plain, func(int, string) string { return lent }, "", map[string]int{"11": 1}},
		{"no, in words that nobody knows", plain, func(int, string) string { return refuse }, kiosk.CodeRefused, map[string]int{"11": 1}},
		{"rubbish", plain, func(int, string) string { return "<html>502 Bad Gateway</html>\r" }, kiosk.CodeUnsure, map[string]int{"11": 1}},
		{"a message without end", plain, func(int, string) string { return strings.Repeat("12", 40_000) }, kiosk.CodeUnsure, map[string]int{"11": 1}},
		{"silence", plain, func(int, string) string { return "" }, kiosk.CodeUnsure, map[string]int{"11": 1}},
		{"another item's answer, then its own", plain, func(int, string) string {
			return strings.Replace(lent, "ABB1", "ABB2", 1) + lent
		}, "", map[string]int{"11": 1}},
		{"another number's answer, then its own", plain, func(_ int, q string) string {
			return "120NUN" + date + "AOx|AAC1|ABB1|AJ|AH|AY7AZ0000\r" + lent
		}, "", map[string]int{"11": 1}},
		{"96: not taken, sent once more", plain, func(n int, _ string) string {
			if n == 2 {
				return "96AZFEF6\r"
			}
			return lent
		}, "", map[string]int{"11": 2}},
		{"96 for ever", plain, func(int, string) string { return "96AZFEF6\r" }, kiosk.CodeUnsure, map[string]int{"11": 2}},
		{"a bad checksum is taken with a warning", plain, func(int, string) string {
			return strings.TrimSuffix(lent, "\r") + "AY1AZ0000\r"
		}, "", map[string]int{"11": 1, "97": 0}},
		{"strict: a bad checksum is asked for again", func(c *sip2.Config) { c.User, c.Checksum = "", "strict" }, func(_ int, q string) string {
			if strings.HasPrefix(q, "97") {
				return lent
			}
			return strings.TrimSuffix(lent, "\r") + "AY1AZ0000\r"
		}, "", map[string]int{"11": 1, "97": 1}},
		{"strict: once only", func(c *sip2.Config) { c.User, c.Checksum = "", "strict" }, func(int, string) string {
			return strings.TrimSuffix(lent, "\r") + "AY1AZ0000\r"
		}, kiosk.CodeUnsure, map[string]int{"11": 1, "97": 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &script{}
			addr := s.serve(t, func(n int, q string) string {
				if strings.HasPrefix(q, "99") {
					return hello
				}
				return tt.answer(n, q)
			})
			c, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			a, err := open(t, addr, tt.client).Tell(c, checkout("B1", "C1"))
			if kiosk.CodeOf(err) != tt.code {
				t.Errorf("Tell() = %+v, %v; want %q", a, err, tt.code)
			}
			if err == nil && (a.Title != "The one" || a.Due.IsZero()) {
				t.Errorf("answer = %+v", a)
			}
			for id, n := range tt.asked {
				if got := s.count(id); got != n {
					t.Errorf("%s was sent %d times; want %d", id, got, n)
				}
			}
			if e, ok := errors.AsType[*kiosk.Error](err); ok && tt.code == kiosk.CodeRefused &&
				(e.Text != "Please see the librarian Room 3" || e.Reason != kiosk.ReasonAskStaff) {
				t.Errorf("refusal = %+v", e)
			}
		})
	}
}

// TestWire shows what is sent for each kind of entry.
func TestWire(t *testing.T) {
	zone := time.FixedZone("", -5*3600)
	at, due := time.Date(2026, 11, 20, 9, 30, 0, 0, zone), time.Date(2026, 12, 11, 23, 59, 59, 0, zone)
	e := func(k kiosk.Kind, s kiosk.State) kiosk.Entry {
		return kiosk.Entry{ID: "e", Kind: k, Item: "B1", Patron: "C1", At: at, Due: due, State: s}
	}
	tests := []struct {
		profile string
		e       kiosk.Entry
		want    string // after the id; D is the time of sending
	}{
		{"", e(kiosk.Checkout, kiosk.Asked), "11NND                  AOx|AAC1|ABB1|AC|BON|BIN|"},
		{"", e(kiosk.Checkout, kiosk.Offline), "11NY20261120    09300020261211    235959AOx|AAC1|ABB1|AC|BON|BIN|"},
		{"koha", e(kiosk.Checkout, kiosk.Unsure), "11NY20261120    09300020261120    093000AOx|AAC1|ABB1|AC|BON|BIN|"},
		{"evergreen", e(kiosk.Checkout, kiosk.Offline), "11NN20261120    093000                  AOx|AAC1|ABB1|AC|BON|BIN|"},
		{"", e(kiosk.Renew, kiosk.Offline), "29NY20261120    09300020261211    235959AOx|AAC1|ABB1|AC|BON|"},
		{"", e(kiosk.Checkin, kiosk.Asked), "09NDDAP|AOx|ABB1|AC|BIN|"},
		{"", e(kiosk.Checkin, kiosk.Offline), "09YD20261120    093000AP|AOx|ABB1|AC|BIN|"},
	}
	for _, tt := range tests {
		s := &script{}
		addr := s.serve(t, func(_ int, q string) string {
			if strings.HasPrefix(q, "99") {
				return hello
			}
			return strings.ReplaceAll(map[string]string{"11": lent, "29": "30" + lent[2:], "09": "101YNN" + date + "AOx|ABB1|AQ|\r"}[q[:2]], "\r", "") + "\r"
		})
		u := open(t, addr, func(c *sip2.Config) {
			c.User, c.Checksum, c.Institution, c.Zone, c.Profile = "", "off", "x", zone, tt.profile
		})
		if _, err := u.Tell(ctx(t), tt.e); err != nil {
			t.Errorf("%s %s: %v", tt.e.Kind, tt.e.State, err)
		}
		got := s.asked[len(s.asked)-1]
		now := time.Now().In(zone)
		for d := range 3 {
			got = strings.ReplaceAll(got, now.Add(-time.Duration(d)*time.Second).Format("20060102    150405"), "D")
		}
		if got != tt.want+"\r" {
			t.Errorf("%s %s of profile %q is sent as %q; want %q", tt.e.Kind, tt.e.State, tt.profile, got, tt.want)
		}
	}
}

func TestRequestsThatAreNotSent(t *testing.T) {
	s := &script{}
	u := open(t, s.serve(t, func(int, string) string { return hello }), plain)
	for _, e := range []kiosk.Entry{checkout("B1", ""), checkout("", "C1"), checkout("B1|AAC2", "C1"), checkout("B1", "C1\r99"), {Kind: "x", Item: "B", Patron: "C"}} {
		if _, err := u.Tell(ctx(t), e); kiosk.CodeOf(err) != kiosk.CodeInvalid {
			t.Errorf("Tell(%q, %q) = %v; want invalid", e.Item, e.Patron, err)
		}
	}
	if n := s.count("11"); n != 0 {
		t.Errorf("%d of them were sent", n)
	}
	if _, err := u.Identify(ctx(t), "", ""); kiosk.CodeOf(err) != kiosk.CodeRefused {
		t.Errorf("Identify(\"\") = %v; want a refusal", err)
	}
}

func TestPatronAnswers(t *testing.T) {
	flags := func(s string) string { return s + strings.Repeat(" ", 14-len(s)) }
	info := func(f, fields string) string {
		return "64" + flags(f) + "001" + date + strings.Repeat("0000", 6) + "AOx|AAC1|" + fields + "\r"
	}
	tests := []struct {
		name, pin, answer string
		reason            kiosk.Reason // of a refusal
		blocked           kiosk.Reason
	}{
		{"good", "", info("", "AEOlive Okay|BLY|"), "", ""},
		{"good, PIN right", "1", info("", "AEOlive Okay|BLY|CQY|"), "", ""},
		{"PIN wrong", "1", info("", "AEOlive Okay|BLY|CQN|"), kiosk.ReasonWrongPIN, ""},
		{"PIN not looked at", "1", info("", "AEOlive Okay|BLY|"), kiosk.ReasonWrongPIN, ""},
		{"unknown", "", info("YYYY", "AE|BLN|"), kiosk.ReasonUnknownCard, ""},
		{"unknown, no BL", "", info("", "AE|"), kiosk.ReasonUnknownCard, ""},
		{"good, no BL", "", info("", "AEOlive Okay|"), "", ""},
		{"blocked", "", info("YYYY", "AEOlive|BLY|AFPatron debarred|"), "", kiosk.ReasonCardBlocked},
		{"owes", "", info("YYYY      Y", "AEOlive|BLY|"), "", kiosk.ReasonFees},
		{"card lost", "", info("YYYYY", "AEOlive|BLY|"), "", kiosk.ReasonCardLost},
		{"expired", "", info("YYYY", "AEOlive|BLY|PA20200101|"), "", kiosk.ReasonCardExpired},
		{"recall denied for everybody", "", info("  Y", "AEOlive|BLY|"), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{}
			u := open(t, s.serve(t, func(_ int, q string) string {
				if strings.HasPrefix(q, "99") {
					return hello
				}
				return tt.answer
			}), plain)
			p, err := u.Identify(ctx(t), "C1", tt.pin)
			e, _ := errors.AsType[*kiosk.Error](err)
			if (e == nil) != (tt.reason == "") || e != nil && (e.Reason != tt.reason || e.Code != kiosk.CodeRefused) {
				t.Fatalf("Identify() = %+v, %v; want %q", p, err, tt.reason)
			}
			if p.Blocked != tt.blocked || err == nil && p.PINChecked != (tt.pin != "") {
				t.Errorf("patron = %+v; want blocked %q", p, tt.blocked)
			}
		})
	}
}

// TestPatronLanguage: the code of a language arrives as its tag, also through
// our own server.
func TestPatronLanguage(t *testing.T) {
	for code, want := range map[string]string{
		"000": "", "001": "", "002": "fr", "003": "de", "008": "es", "011": "fr-CA", "016": "ar", "019": "zh", "021": "es-US", "999": "", "   ": "",
	} {
		s := &script{}
		u := open(t, s.serve(t, func(_ int, q string) string {
			if strings.HasPrefix(q, "99") {
				return hello
			}
			return "64" + strings.Repeat(" ", 14) + code + date + strings.Repeat("0000", 6) + "AOx|AAC1|AEOlive|BLY|\r"
		}), plain)
		if p, err := u.Identify(ctx(t), "C1", ""); err != nil || p.Language != want {
			t.Errorf("%s: %q, %v; want %q", code, p.Language, err, want)
		}
	}
	for tag, want := range map[string]string{"": "", "en": "", "fr": "fr", "de-AT": "de", "es-US": "es-US", "ar": "ar", "zh": "zh", "zh-Hans": "zh", "uk": "", "vi": ""} {
		ils := upstreamtest.New(upstreamtest.Rules{})
		ils.AddPatron(kiosk.Patron{Card: "C1", FamilyName: "Okay", Language: tag}, "")
		proxy := serve(t, ils, sip2.ServerConfig{})
		if p, err := open(t, proxy.Addr(), nil).Identify(ctx(t), "C1", ""); err != nil || p.Language != want {
			t.Errorf("a patron who speaks %q: %q, %v; want %q", tag, p.Language, err, want)
		}
	}
}

// TestOldServer: a server whose BX has no 63 is asked by 23.
func TestOldServer(t *testing.T) {
	s := &script{}
	u := open(t, s.serve(t, func(_ int, q string) string {
		switch q[:2] {
		case "99":
			return strings.Replace(hello, "BXYYYYYYYYYYYYYYYY", "BXYYYYYYYNNNNNNNNN", 1)
		case "23":
			return "24" + strings.Repeat(" ", 14) + "001" + date + "AOx|AAC1|AEOlive|BLY|\r"
		}
		return "96AZFEF6\r"
	}), plain)
	if p, err := u.Identify(ctx(t), "C1", ""); err != nil || p.FamilyName != "Olive" {
		t.Errorf("Identify() = %+v, %v", p, err)
	}
}

func TestTLS(t *testing.T) {
	cert, ca := certificate(t)
	ils := upstreamtest.Sample(time.Now())
	ils.AddUser("kiosk1", "secret")
	plainLn, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- sip2.Serve(c, tls.NewListener(plainLn, &tls.Config{Certificates: []tls.Certificate{cert}}), ils, sip2.ServerConfig{})
	}()
	defer func() { cancel(); <-ended }()
	u := open(t, plainLn.Addr().String(), func(c *sip2.Config) { c.TLS, c.CAFile = true, ca })
	for range 2 {
		if _, err := u.Look(ctx(t), "B1", "C1"); err != nil {
			t.Fatalf("over TLS: %v", err)
		}
	}
	if err := open(t, plainLn.Addr().String(), func(c *sip2.Config) { c.TLS = true }).Probe(ctx(t)); kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("with a certificate that nobody vouches for: %v; want offline", err)
	}
}

func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// TestServerSurvives throws rubbish at the server.
func TestServerSurvives(t *testing.T) {
	p := serve(t, upstreamtest.Sample(time.Now()), sip2.ServerConfig{Open: true})
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	r := bufio.NewReader(c)
	for q, want := range map[string]string{"\x00\xff|||\r": "96", "\r\n\r9900802.00AY1AZFCA1\r": "96", "12\r": "96", "01N" + date + "AOx|\r": "96", "9900802.00AY1AZFCA0\r": "98"} {
		fmt.Fprint(c, q)
		a, err := r.ReadString('\r')
		if err != nil || !strings.HasPrefix(a, want) {
			t.Errorf("%q is answered %q, %v; want %s", q, a, err, want)
		}
	}
	fmt.Fprint(c, strings.Repeat("9", 200_000))
	if _, err := r.ReadString('\r'); err == nil {
		t.Error("a message without end is answered")
	}
}
