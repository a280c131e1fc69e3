package config

import (
	"cmp"
	"net"
	"path/filepath"

	"github.com/carrel-kiosk/carrel/cmd/internal/mail"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// Receipts are what the library wants of them.
type Receipts struct {
	Print  string `toml:"print"`  // where there is a printer: ask (default), always, never
	Name   string `toml:"name"`   // of the patron: none (default), first, initials, full
	Card   bool   `toml:"card"`   // the last four digits of the card
	Titles *bool  `toml:"titles"` // name what was lent; true
	Mail   Mail   `toml:"mail"`
}

// Mail is the server by which receipts are mailed; without an address they are
// not.
type Mail struct {
	Server       string   `toml:"server"`        // host:port
	From         string   `toml:"from"`          // address of the library
	User         string   `toml:"user"`          // empty: it asks for none
	PasswordFile string   `toml:"password_file"` //
	TLS          string   `toml:"tls"`           // starttls (default), tls, none
	Deadline     Duration `toml:"deadline"`      // 15s

	password string
}

func (r *Receipts) check(p *Problems) {
	p.oneOf("receipts.print", r.Print, "ask", "always", "never")
	p.oneOf("receipts.name", r.Name, "none", "first", "initials", "full")
	m := &r.Mail
	p.oneOf("receipts.mail.tls", m.TLS, "starttls", "tls", "none")
	if m.Server == "" {
		if m.From != "" || m.User != "" {
			p.add("receipts.mail.server", m.Server, "must be set: the mail server, as \"smtp.example.org:587\"")
		}
		return
	}
	if host, port, err := net.SplitHostPort(m.Server); err != nil || host == "" || port == "" {
		p.add("receipts.mail.server", m.Server, "must be host:port, as \"smtp.example.org:587\"")
	}
	if !mail.Address(m.From) {
		p.add("receipts.mail.from", m.From, "must be the library's address, as \"library@example.org\"")
	}
	if m.User != "" && cmp.Or(m.TLS, mail.StartTLS) == mail.Plain {
		p.add("receipts.mail.tls", m.TLS, "must not be none where there is a password: it would be heard")
	}
	if m.PasswordFile != "" {
		m.password = p.secret("receipts.mail.password_file", m.PasswordFile, filepath.Dir(p.File))
	}
}

// Server is the mail server; nil if there is none.
func (m Mail) Sender() *mail.Server {
	if m.Server == "" {
		return nil
	}
	return &mail.Server{Address: m.Server, From: m.From, User: m.User, Password: m.password,
		TLS: cmp.Or(m.TLS, mail.StartTLS), Deadline: m.Deadline.Duration}
}

// Printer tells whether a printer is configured.
func (c *Config) Printer() bool {
	for _, d := range c.Devices {
		if d.Driver.IsPrinter() {
			return true
		}
	}
	return false
}

// receipts are the rules for them.
func (c *Config) receipts() kiosk.Receipts {
	r := c.Receipts
	return kiosk.Receipts{
		Printer: c.Printer(), Print: c.Printer() && r.Print != "never", Always: r.Print == "always", Mail: r.Mail.Server != "",
		Name: kiosk.NameStyle(cmp.Or(r.Name, string(kiosk.NameNone))), Card: r.Card, Titles: r.Titles == nil || *r.Titles,
	}
}
