package mail

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// listener is a mail server as RFC 5321 has it, for one address.
type listener struct {
	addr     string
	roots    *x509.CertPool
	tls      *tls.Config
	starttls bool
	user     string // whom it lets in; empty: everybody
	refuse   string // the command that it refuses
	silent   bool   // it takes the line and says nothing
	got      chan received
}

type received struct {
	from, to, text string
	secure         bool
}

func listen(t *testing.T, l *listener) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	l.addr, l.got = ln.Addr().String(), make(chan received, 1)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	l.roots = x509.NewCertPool()
	cert, _ := x509.ParseCertificate(der)
	l.roots.AddCert(cert)
	l.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go l.serve(conn)
		}
	}()
	return &Server{Address: l.addr, From: "library@example.org", TLS: Plain, Config: &tls.Config{RootCAs: l.roots}, Deadline: 5 * time.Second}
}

func (l *listener) serve(conn net.Conn) {
	defer conn.Close()
	if l.silent {
		io.Copy(io.Discard, conn)
		return
	}
	in := bufio.NewReader(conn)
	var m received
	say := func(text string) { io.WriteString(conn, text+"\r\n") }
	say("220 mail.example.org ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb := strings.ToUpper(strings.Fields(line + " x")[0])
		switch {
		case verb == l.refuse:
			say("550 not here")
		case verb == "EHLO":
			if l.starttls && !m.secure {
				say("250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH PLAIN")
			} else {
				say("250-mail.example.org\r\n250 AUTH PLAIN")
			}
		case verb == "STARTTLS":
			say("220 go")
			c := tls.Server(conn, l.tls)
			conn, in, m.secure = c, bufio.NewReader(c), true
		case verb == "AUTH":
			secret, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(line, "AUTH PLAIN "))
			if string(secret) == "\x00"+l.user+"\x00pw" {
				say("235 welcome")
			} else {
				say("535 who are you")
			}
		case verb == "MAIL":
			m.from = line
			say("250 ok")
		case verb == "RCPT":
			m.to = line
			say("250 ok")
		case verb == "DATA":
			say("354 go on")
			for {
				text, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if text == ".\r\n" {
					break
				}
				m.text += strings.TrimPrefix(text, ".")
			}
			l.got <- m
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("500 what")
		}
	}
}

var message = Message{To: "ada@example.com", Subject: "Deine Bücher, 您的书", Body: "Zoë:\n.\n- Dune\n" + strings.Repeat("long ", 300), At: time.Now()}

// TestSend: what was written arrives, letter for letter, at that address and
// no other.
func TestSend(t *testing.T) {
	for name, l := range map[string]*listener{"plain": {}, "starttls": {starttls: true}, "signed in": {starttls: true, user: "kiosk"}} {
		s := listen(t, l)
		if s.User, s.Password = l.user, "pw"; l.starttls {
			s.TLS = StartTLS
		}
		if err := s.Send(t.Context(), message); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := <-l.got
		m, err := mail.ReadMessage(strings.NewReader(got.text))
		if err != nil {
			t.Fatal(err)
		}
		subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		body, _ := io.ReadAll(quotedprintable.NewReader(m.Body))
		if subject != message.Subject || strings.TrimRight(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n") != strings.TrimRight(message.Body, "\n") {
			t.Errorf("%s: arrived %q\n%q", name, subject, body)
		}
		if !strings.HasPrefix(got.from, "MAIL FROM:<library@example.org>") || !strings.HasPrefix(got.to, "RCPT TO:<ada@example.com>") || got.secure != l.starttls {
			t.Errorf("%s: %+v", name, got)
		}
		if m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("To") != "<ada@example.com>" {
			t.Errorf("%s: header %v", name, m.Header)
		}
	}
}

// TestNotSent: each refusal is an error, in time, and nothing is sent in the
// clear that was not to be.
func TestNotSent(t *testing.T) {
	for name, tt := range map[string]struct {
		l   listener
		set func(*Server, *Message)
	}{
		"no starttls":    {listener{}, func(s *Server, _ *Message) { s.TLS = StartTLS }},
		"wrong password": {listener{starttls: true, user: "kiosk"}, func(s *Server, _ *Message) { s.TLS, s.User, s.Password = StartTLS, "kiosk", "no" }},
		"strange server": {listener{starttls: true}, func(s *Server, _ *Message) { s.TLS, s.Config = StartTLS, nil }},
		"no such person": {listener{refuse: "RCPT"}, func(*Server, *Message) {}},
		"not from us":    {listener{refuse: "MAIL"}, func(*Server, *Message) {}},
		"no data":        {listener{refuse: "DATA"}, func(*Server, *Message) {}},
		"silence":        {listener{silent: true}, func(s *Server, _ *Message) { s.Deadline = 50 * time.Millisecond }},
		"two addresses":  {listener{}, func(_ *Server, m *Message) { m.To = "a@example.org>\r\nRCPT TO:<b@example.org" }},
	} {
		s, m := listen(t, &tt.l), message
		tt.set(s, &m)
		if err := s.Send(context.Background(), m); err == nil {
			t.Errorf("%s: sent", name)
		}
		select {
		case got := <-tt.l.got:
			t.Errorf("%s: arrived %+v", name, got)
		default:
		}
	}
}
