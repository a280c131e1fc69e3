package main

import (
	"context"
	"errors"
	"fmt"

	"strings"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

type statusCmd struct{}

// errNeeds makes the exit status 1; what is needed has been printed.
var errNeeds = errors.New("something needs a person")

func (statusCmd) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	ctx := context.Background()
	var s control.Status
	if d := running(conf); d != nil {
		if s, err = d.Status(ctx); err != nil {
			return err
		}
	} else {
		s = control.Status{Name: conf.Kiosk.Name, Faults: []string{"kioskd is not running"}, Devices: []control.Device{}}
		s.Upstream.Driver = conf.Upstream.Driver
		err := reading(g, func(_ *config.Config, r *sqlite.Reader) error { return daemon.FromLedger(ctx, r, &s) })
		if err != nil {
			s.Faults = append(s.Faults, err.Error())
		}
		s.DiskFree = daemon.DiskFree(conf.Kiosk.Data)
	}
	printStatus(p, s)
	p.flush()
	if needs := s.Needs(); len(needs) > 0 {
		return fmt.Errorf("%w: %s", errNeeds, strings.Join(needs, "; "))
	}
	return nil
}

func printStatus(p *printer, s control.Status) {
	if *p.json {
		p.row(s)
		return
	}
	state := "not running"
	if s.Running {
		state = "running since " + when(s.Since) + ", version " + s.Version + ", screen: " + s.View
	}
	p.row(nil, "kiosk", s.Name+", "+state)
	for _, d := range s.Devices {
		how := "working"
		if !d.Working {
			how = "MISSING since " + when(d.Since) + ": " + d.Error
		}
		p.row(nil, "device", fmt.Sprintf("%s (%s): %s", d.Name, on(d.Driver, d.Path), how))
	}
	link := "away"
	if s.Upstream.Up {
		link = "reached"
	}
	if s.Upstream.Driver == "none" {
		link = "everything is decided here"
	}
	p.row(nil, "upstream", s.Upstream.Driver+": "+link)
	waits := "nothing waits"
	if s.Outbox > 0 {
		waits = cli.Count(s.Outbox, "entry waits, since ", "entries wait, the oldest since ") + when(s.Oldest)
	}
	p.row(nil, "outbox", waits+"; "+cli.Count(s.Exception, "exception", "exceptions"))
	p.row(nil, "mirror", cli.Count(s.Items, "item", "items")+", "+cli.Count(s.Patrons, "patron", "patrons")+", "+
		cli.Count(s.Loans, "loan", "loans")+"; "+cli.Count(s.Entries, "ledger entry", "ledger entries"))
	if len(s.Refresh) > 0 {
		p.row(nil, "refresh", freshness(s.Refresh))
	}
	if s.Staff {
		p.row(nil, "staff", "is working here: pad and scanner are used to prepare materials")
	}
	p.row(nil, "disk", fmt.Sprintf("%d MB free", s.DiskFree>>20)+flushes(s.Disk))
	if !s.Clock.IsZero() {
		p.row(nil, "clock", when(s.Clock)+", by "+s.ClockBy)
	}
	if s.Doubtful > 0 {
		p.row(nil, "dates", cli.Count(s.Doubtful, "entry was", "entries were")+" made when the clock was wrong, and the true time is not known: kioskctl loans -doubt")
	}
}

// flushes says how quickly the disk takes loans, and what they cost it.
func flushes(d control.Disk) string {
	if d.Stored == 0 {
		return ""
	}
	text := fmt.Sprintf("; a write is on disk after %.1f ms, at worst %.1f", d.Median*1e3, d.Worst*1e3)
	if d.Written > 0 {
		text += fmt.Sprintf("; %d kB written for each since the start", d.Written/uint64(d.Stored)/1000)
	}
	return text
}

// on is a driver and what its device hangs on, if on anything.
func on(driver, where string) string { return strings.TrimSpace(driver + " " + where) }
