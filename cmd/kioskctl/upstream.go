package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

type doctorUpstream struct {
	Probe   bool   `help:"Try it out: lends an item to a card and returns it, a few times. Both must be nobody's, kept for trials."`
	Card    string `help:"The card for a trial: without loans and holds." placeholder:"CARD"`
	Item    string `help:"The item for a trial: on its shelf, and nobody waits for it." placeholder:"BARCODE"`
	PINFile string `name:"pin-file" help:"A file of one line, the card's PIN." placeholder:"FILE"`
}

// probeTime is the longest a trial may take, but for giving the item back.
const probeTime = 5 * time.Minute

// inUse is a profile and where it comes from.
type inUse struct {
	Profile sip2.Profile `json:"profile"`
	From    string       `json:"from"`
	Error   string       `json:"error,omitempty"` // why a stored one is not used
}

func (c *doctorUpstream) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	s := conf.Upstream.SIP2
	if s == nil {
		return errors.New("this kiosk asks no SIP2 server: there is nothing to find out")
	}
	if c.Probe {
		return c.probe(conf, *s, p)
	}
	if c.Card != "" || c.Item != "" || c.PINFile != "" {
		return cli.Wrong(errors.New("-card, -item and -pin-file are for -probe"))
	}
	prof, from, err := daemon.Profile(conf, *s)
	if *p.json {
		u := inUse{Profile: prof, From: from}
		if err != nil {
			u.Error = err.Error()
		}
		return errors.Join(p.row(u), err)
	}
	p.say("profile %s, %s", prof.Name, from)
	habits(p, prof)
	return err
}

// habits prints a profile.
func habits(p *printer, prof sip2.Profile) {
	known := func(s string) string {
		if s == "" {
			return "unknown"
		}
		return s
	}
	for _, row := range [][2]string{
		{"what has already happened (no block)", string(prof.NoBlock)},
		{"its promised due date", strings.ReplaceAll(string(prof.Due), "-", " ")},
		{"a cancelled return", string(prof.Cancel)},
		{"item status update (19)", string(prof.StatusUpdate)},
		{"a second checkout as renewal", string(prof.Renews)},
		{"resend (97)", string(prof.Resend)},
		{"letters of answers", prof.Charset},
	} {
		p.row(nil, "  "+row[0], known(row[1]))
	}
	if prof.Longest > 0 {
		p.row(nil, "  a long request, tried up to", fmt.Sprintf("%d bytes", prof.Longest))
	}
	p.flush()
}

func (c *doctorUpstream) probe(conf *config.Config, s sip2.Config, p *printer) error {
	if c.Card == "" || c.Item == "" {
		return cli.Wrong(errors.New("-probe needs -card CARD and -item BARCODE, which are nobody's: they are lent and returned a few times"))
	}
	t := sip2.Trial{Card: kiosk.Card(c.Card), Item: kiosk.Barcode(c.Item), Seen: func(s sip2.Step) { printStep(p, s) }}
	if c.PINFile != "" {
		raw, err := os.ReadFile(c.PINFile)
		if err != nil {
			return cli.Wrong(err)
		}
		if t.PIN = strings.TrimRight(string(raw), "\r\n"); t.PIN == "" || strings.ContainsAny(t.PIN, "\r\n") {
			return cli.Wrong(fmt.Errorf("%s: must hold one line, the PIN", c.PINFile))
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	s.Log = slog.New(slog.DiscardHandler)
	_, prof, err := sip2.Conform(ctx, s, t)
	if prof.Name == "" {
		p.flush()
		return fmt.Errorf("%w; nothing was stored", err)
	}
	file, storeErr := daemon.StoreProfile(conf, prof)
	if storeErr != nil {
		return errors.Join(err, fmt.Errorf("store the profile: %w", storeErr))
	}
	if *p.json {
		return errors.Join(p.row(struct {
			Profile sip2.Profile `json:"profile"`
			File    string       `json:"file"`
		}{prof, file}), err)
	}
	p.say("")
	habits(p, prof)
	p.say("\nstored in %s", file)
	if used, _, _ := daemon.Profile(conf, s); used.Name != prof.Name {
		p.say("It is not used: the profile is %s, as configured. With profile = \"auto\" it is.", used.Name)
	} else {
		p.say("kioskd uses it from its next start, or after SIGHUP.")
	}
	return err
}

func printStep(p *printer, s sip2.Step) {
	if *p.json {
		p.row(s)
		return
	}
	p.say("%-9s  %s: %s", s.Verdict, s.Name, s.Words)
	for _, line := range [][2]string{{">", s.Asked}, {"<", s.Came}} {
		if line[1] != "" {
			p.say("           %s %s", line[0], line[1])
		}
	}
}

// profile is which profile is in use; nothing without SIP2.
func profile(c *config.Config) []finding {
	s := c.Upstream.SIP2
	if s == nil {
		return nil
	}
	f := finding{What: "upstream profile", OK: true}
	p, from, err := daemon.Profile(c, *s)
	if f.Says = p.Name + ", " + from; err != nil {
		f.OK, f.Says = false, fmt.Sprintf("%s is used: %v", p.Name, err)
		f.Mend = "find it out again: kioskctl doctor upstream -probe -card CARD -item BARCODE"
	}
	return []finding{f}
}
