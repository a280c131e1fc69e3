package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/password"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

type staffCmd struct {
	Add      staffAdd      `cmd:"" help:"Make an account: a badge, a name, a role, and a PIN or password from the standard input. What is not given is asked for."`
	List     staffList     `cmd:"" help:"Who can sign in."`
	Remove   staffRemove   `cmd:"" help:"Take an account away; who is signed in by it is out at once."`
	Password staffPassword `cmd:"" help:"Set somebody's PIN or password, or without a badge the password that all share; it is read from the standard input."`
	Audit    staffAudit    `cmd:"" help:"What staff has done, the newest first."`
}

// byShell is who does something with this program.
func byShell(what, about, note string) kiosk.Act {
	a := kiosk.Act{What: what, About: about, Note: note, From: "kioskctl"}
	if u, err := user.Current(); err == nil {
		a.Name = u.Username
	}
	return a
}

// staffing changes accounts: the daemon does, or without one the ledger's file
// is opened.
func staffing(g *grammar, do func(context.Context, control.Staff, *sqlite.Reader) error) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	ctx := context.Background()
	if d := running(conf); d != nil {
		return reading(g, func(_ *config.Config, r *sqlite.Reader) error { return do(ctx, d, r) })
	}
	if err := os.MkdirAll(conf.Kiosk.Data, 0o750); err != nil {
		return err
	}
	return writing(conf, func(s *sqlite.Store) error { return do(ctx, shelved{s}, &s.Reader) })
}

// shelved is the ledger's file while no daemon runs.
type shelved struct{ *sqlite.Store }

func (s shelved) PutMember(ctx context.Context, m kiosk.Member, by kiosk.Act) error {
	m.Since, by.At = time.Now(), time.Now()
	return s.Store.PutMember(ctx, m, by)
}

func (s shelved) RemoveMember(ctx context.Context, badge kiosk.Card, by kiosk.Act) error {
	by.At = time.Now()
	return s.Store.RemoveMember(ctx, badge, by)
}

func (s shelved) Note(ctx context.Context, a kiosk.Act) error {
	a.At = time.Now()
	return s.Store.Note(ctx, a)
}

type staffAdd struct {
	Badge string `arg:"" optional:"" help:"The badge's number, as it is scanned."`
	Name  string `help:"The name, as the audit log shows it."`
	Role  string `help:"helper: sees how the kiosk is and prepares tags; staff: also sees patrons, settles and overrides; manager: also changes what the kiosk shows and reads the audit log." enum:"helper,staff,manager" default:"staff"`
}

func (c *staffAdd) Run(g *grammar, p *printer) error {
	in := bufio.NewReader(stdin)
	for _, q := range []struct {
		to  *string
		ask string
	}{{&c.Badge, "The badge's number (scan or type it), then Enter:"}, {&c.Name, "The name, then Enter:"}} {
		if *q.to != "" {
			continue
		}
		p.say("%s", q.ask)
		var err error
		if *q.to, err = line(in); err != nil {
			return err
		}
	}
	m := kiosk.Member{Badge: kiosk.Card(strings.TrimSpace(c.Badge)), Name: strings.TrimSpace(c.Name), Role: kiosk.Role(c.Role)}
	if err := m.Valid(); err != nil {
		return cli.Wrong(err)
	}
	return staffing(g, func(ctx context.Context, s control.Staff, r *sqlite.Reader) error {
		if _, err := r.Member(ctx, m.Badge); err == nil {
			return fmt.Errorf("badge %s has an account already: kioskctl staff remove %s takes it away", m.Badge, m.Badge)
		} else if !errors.Is(err, kiosk.ErrUnknown) {
			return err
		}
		var err error
		if m.Hash, err = newSecret(in, p); err != nil {
			return err
		}
		if err := s.PutMember(ctx, m, byShell("account", string(m.Badge), m.Name+", "+string(m.Role))); err != nil {
			return err
		}
		p.say("%s can sign in at /staff with badge %s", m.Name, m.Badge)
		return nil
	})
}

// newSecret reads a PIN or password, and hashes it.
func newSecret(in *bufio.Reader, p *printer) (string, error) {
	p.say("The new password or PIN, %d characters or more (it shows while you type), then Enter:", password.Least)
	text, err := line(in)
	if err != nil {
		return "", err
	}
	return password.Make(text)
}

// line reads one from the standard input.
func line(in *bufio.Reader) (string, error) {
	text, err := in.ReadString('\n')
	if text = strings.TrimRight(text, "\r\n"); text == "" && err != nil {
		return "", errors.New("the standard input has ended: nothing was changed")
	}
	return text, nil
}

type staffList struct{}

func (staffList) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		ms, err := r.Members(context.Background())
		if err != nil {
			return err
		}
		p.head("BADGE", "NAME", "ROLE", "SINCE")
		for _, m := range ms {
			v := struct {
				Badge kiosk.Card `json:"badge"`
				Name  string     `json:"name"`
				Role  kiosk.Role `json:"role"`
				Since time.Time  `json:"since"`
			}{m.Badge, m.Name, m.Role, m.Since.In(conf.Location)}
			if err := p.row(v, m.Badge, m.Name, m.Role, m.Since); err != nil {
				return err
			}
		}
		if len(ms) == 0 {
			p.say("nobody: kioskctl staff add makes an account")
		}
		return nil
	})
}

type staffRemove struct {
	Badge string `arg:"" help:"The badge's number."`
}

func (c *staffRemove) Run(g *grammar, p *printer) error {
	return staffing(g, func(ctx context.Context, s control.Staff, r *sqlite.Reader) error {
		m, err := r.Member(ctx, kiosk.Card(c.Badge))
		if errors.Is(err, kiosk.ErrUnknown) {
			return noSuch("badge %s has no account: kioskctl staff list shows all", c.Badge)
		}
		if err != nil {
			return err
		}
		if err := s.RemoveMember(ctx, m.Badge, byShell("account.remove", string(m.Badge), m.Name)); err != nil {
			return err
		}
		p.say("%s can't sign in any more; what they did stays in the audit log", m.Name)
		return nil
	})
}

type staffPassword struct {
	Badge string `arg:"" optional:"" help:"Whose; none: the password that all share."`
}

func (c staffPassword) Run(g *grammar, p *printer) error {
	in := bufio.NewReader(stdin)
	if c.Badge == "" {
		return sharedPassword(g, p, in)
	}
	return staffing(g, func(ctx context.Context, s control.Staff, r *sqlite.Reader) error {
		m, err := r.Member(ctx, kiosk.Card(c.Badge))
		if errors.Is(err, kiosk.ErrUnknown) {
			return noSuch("badge %s has no account: kioskctl staff add makes one", c.Badge)
		}
		if err != nil {
			return err
		}
		if m.Hash, err = newSecret(in, p); err != nil {
			return err
		}
		if err := s.PutMember(ctx, m, byShell("account", string(m.Badge), "password")); err != nil {
			return err
		}
		p.say("%s has a new password; who was signed in by the old one is out", m.Name)
		return nil
	})
}

func sharedPassword(g *grammar, p *printer, in *bufio.Reader) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	file := conf.Staff.PasswordFile
	if file == "" {
		return cli.Wrong(errors.New("the configuration names no file for it: set password_file under [staff], or make accounts with kioskctl staff add"))
	}
	hash, err := newSecret(in, p)
	if err != nil {
		return err
	}
	if err := replace(file, hash+"\n"); err != nil {
		return err
	}
	p.say("%s is written; restart kioskd to use it", file)
	return nil
}

// replace puts a file in place as a whole, readable for its owner and group.
// A file that is there keeps its owner: the daemon must be able to read it.
func replace(file, text string) error {
	if _, err := os.Stat(file); err == nil {
		return os.WriteFile(file, []byte(text), 0o640)
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, []byte(text), 0o640); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

type staffAudit struct {
	Since string `help:"From this day on." placeholder:"YYYY-MM-DD"`
	Badge string `help:"Only this badge's."`
	CSV   bool   `help:"As a file for spreadsheets." name:"csv"`
}

// act is one as scripts see it.
type act struct {
	N     int64      `json:"n"`
	At    time.Time  `json:"at"`
	Badge kiosk.Card `json:"badge,omitempty"`
	Name  string     `json:"name,omitempty"`
	What  string     `json:"what"`
	About string     `json:"about,omitempty"`
	Note  string     `json:"note,omitempty"`
	From  string     `json:"from"`
}

func (c *staffAudit) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		f := kiosk.ActFilter{Badge: kiosk.Card(c.Badge)}
		if c.Since != "" {
			var err error
			if f.Since, err = time.ParseInLocation(time.DateOnly, c.Since, conf.Location); err != nil {
				return cli.Wrong(fmt.Errorf("-since %s: must be a day as 2026-11-30", c.Since))
			}
		}
		acts, err := r.Acts(context.Background(), f)
		if err != nil {
			return err
		}
		if c.CSV {
			return auditCSV(p, conf, acts)
		}
		p.head("AT", "WHO", "WHAT", "ABOUT", "NOTE", "FROM")
		for _, a := range acts {
			v := act{a.N, a.At.In(conf.Location), a.Badge, a.Name, a.What, a.About, a.Note, a.From}
			if err := p.row(v, a.At, strings.TrimSpace(a.Name+" "+string(a.Badge)), a.What, a.About, a.Note, a.From); err != nil {
				return err
			}
		}
		if len(acts) == 0 {
			p.say("nothing")
		}
		return nil
	})
}

func auditCSV(p *printer, conf *config.Config, acts []kiosk.Act) error {
	t := web.NewTable(p.out)
	t.Write(web.ActCells)
	for _, a := range acts {
		t.Act(a, conf.Location)
	}
	t.Flush()
	return t.Error()
}
