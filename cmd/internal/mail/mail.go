// Package mail sends a text by SMTP (RFC 5321): one message to one address,
// tried once, within a deadline. Nothing is queued: what was not taken by the
// server is gone, and the sender is told.
package mail

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"strings"
	"time"
)

// How the line is kept from being heard.
const (
	StartTLS = "starttls" // it must be offered
	TLS      = "tls"      // from the first byte
	Plain    = "none"
)

// Server is a mail server.
type Server struct {
	Address  string        // host:port
	From     string        //
	User     string        // empty: it asks for none
	Password string        //
	TLS      string        // StartTLS, TLS or Plain
	Deadline time.Duration // for all of it; 0 means 15 s
	Config   *tls.Config   // nil: the machine's authorities
}

// Message is what is sent.
type Message struct {
	To, Subject, Body string
	At                time.Time
}

// Address tells whether a text is one plain address.
func Address(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Name == "" && a.Address == text && !strings.ContainsAny(text, "\r\n")
}

// Send sends m. It returns when the server has taken it.
func (s *Server) Send(ctx context.Context, m Message) error {
	if !Address(m.To) {
		return errors.New("mail: that is no address")
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Deadline, 15*time.Second))
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return fmt.Errorf("mail: %s: %w", s.Address, err)
	}
	defer c.Close()
	if err := s.hand(c, m); err != nil {
		return fmt.Errorf("mail: %s: %w", s.Address, err)
	}
	c.Quit() //nolint:errcheck // the server has it
	return nil
}

// connect opens the line and signs in. The line ends with ctx.
func (s *Server) connect(ctx context.Context) (*smtp.Client, error) {
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{}
	if s.Config != nil {
		conf = s.Config.Clone()
	}
	conf.ServerName = cmp.Or(conf.ServerName, host)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, err
	}
	end, _ := ctx.Deadline()
	conn.SetDeadline(end) //nolint:errcheck // it is open
	if s.TLS == TLS {
		conn = tls.Client(conn, conf)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		conn.Close()
		return nil, err
	}
	if err := s.greet(c, conf, host); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (s *Server) greet(c *smtp.Client, conf *tls.Config, host string) error {
	if s.TLS == StartTLS {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("it does not offer STARTTLS, and what is sent would be heard")
		}
		if err := c.StartTLS(conf); err != nil {
			return err
		}
	}
	if s.User == "" {
		return nil
	}
	return c.Auth(smtp.PlainAuth("", s.User, s.Password, host))
}

func (s *Server) hand(c *smtp.Client, m Message) error {
	if err := c.Mail(s.From); err != nil {
		return err
	}
	if err := c.Rcpt(m.To); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(s.text(m)); err != nil {
		return err
	}
	return w.Close()
}

// text is the message as RFC 5322 and MIME have it. It asks not to be answered
// by programs (RFC 3834).
func (s *Server) text(m Message) []byte {
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	_, domain, _ := strings.Cut(s.From, "@")
	header("Date", m.At.Format(time.RFC1123Z))
	header("From", "<"+s.From+">")
	header("To", "<"+m.To+">")
	header("Subject", mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(m.Subject), " ")))
	header("Message-ID", "<"+rand.Text()+"@"+domain+">")
	header("Auto-Submitted", "auto-generated")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	q.Write([]byte(strings.ReplaceAll(m.Body, "\n", "\r\n"))) //nolint:errcheck // into memory
	q.Close()
	return b.Bytes()
}
