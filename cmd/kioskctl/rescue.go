package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

type rescueCmd struct {
	Seen bool `help:"You have seen to it: status and the pages for staff speak of it no more."`
}

// Run prints the account of the last rescue.
func (c *rescueCmd) Run(g *grammar, p *printer) error {
	if c.Seen {
		return c.seen(g, p)
	}
	return reading(g, func(_ *config.Config, r *sqlite.Reader) error {
		a, err := r.Rescued(context.Background())
		if errors.Is(err, kiosk.ErrUnknown) {
			p.say("this ledger was never damaged")
			return nil
		}
		if err != nil {
			return err
		}
		printAccount(p, a)
		return nil
	})
}

func printAccount(p *printer, a sqlite.Account) {
	if *p.json {
		p.row(a)
		return
	}
	p.row(nil, "rescued", a.At)
	p.row(nil, "damage", a.Why)
	p.row(nil, "kept", a.Kept+": the damaged file, as it was found")
	p.row(nil, "rests on", cmp.Or(a.Backup, "no copy: there was none that is good"))
	for _, why := range a.Passed {
		p.row(nil, "passed over", why)
	}
	p.row(nil, "entries", a.Entries)
	p.row(nil, "  read from the damaged file", a.FromFile)
	p.row(nil, "  only in the copy", a.FromCopy)
	p.row(nil, "  made anew from a loan", a.Rebuilt)
	p.row(nil, "  lost", len(a.Lost))
	for _, part := range a.Parts {
		p.row(nil, "read in part", part)
	}
	if a.Beyond {
		p.say("the end of the damaged file is lost: there may have been entries after number %d, of which nothing tells", a.Highest())
	}
	if len(a.Lost) > 0 {
		p.say("\nlost; look at each item that is named, on the shelf and in the library's system:")
		p.head("NUMBER", "ITEM", "ENTRY")
		for _, l := range a.Lost {
			p.row(nil, l.Seq, cmp.Or(string(l.Item), "-"), cmp.Or(string(l.ID), "-"))
		}
	}
}

func (c *rescueCmd) seen(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	by := byShell("rescue.seen", "", "")
	if d := running(conf); d != nil {
		err = d.SeenRescue(context.Background(), by)
	} else {
		err = writing(conf, func(s *sqlite.Store) error { return s.SeenRescue(context.Background(), by) })
	}
	if errors.Is(err, kiosk.ErrUnknown) {
		return cli.Wrong(errors.New("this ledger was never damaged"))
	}
	return err
}
