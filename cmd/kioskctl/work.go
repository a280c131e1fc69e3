package main

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

type workCmd struct {
	List  workList  `cmd:"" default:"1" help:"List them, the oldest first. A tag that is put on the pad is finished by itself."`
	Clear workClear `cmd:"" help:"Take one off the list although nothing was written."`
}

type workList struct{}

func (workList) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		list, err := r.WorkList(context.Background(), math.MaxInt32)
		if err != nil {
			return err
		}
		p.head("TAG", "MUST BE", "ITEM", "SINCE", "TITLE")
		for _, w := range list {
			v := struct {
				Tag   kiosk.TagID    `json:"tag"`
				Want  kiosk.Security `json:"want"`
				Entry kiosk.ID       `json:"entry"`
				Item  kiosk.Barcode  `json:"item"`
				Title string         `json:"title"`
				Since time.Time      `json:"since"`
			}{w.Tag, w.Want, w.Entry, w.Item, w.Title, w.Since.In(conf.Location)}
			if err := p.row(v, w.Tag, w.Want, w.Item, w.Since, w.Title); err != nil {
				return err
			}
		}
		if len(list) == 0 {
			p.say("no tag waits")
		}
		return nil
	})
}

type workClear struct {
	Tag  string `arg:"" help:"The tag, from the list."`
	Note string `required:"" help:"Why; kept in the ledger." placeholder:"TEXT"`
}

func (c *workClear) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	ctx := context.Background()
	if d := running(conf); d != nil {
		err = d.Clear(ctx, kiosk.TagID(c.Tag), c.Note)
	} else {
		err = writing(conf, func(s *sqlite.Store) error {
			return daemon.ClearWork(ctx, s, kiosk.TagID(c.Tag), c.Note, time.Now())
		})
	}
	if errors.Is(err, kiosk.ErrUnknown) {
		return noSuch("%s is not on the work list: kioskctl work shows it", c.Tag)
	}
	if err != nil {
		return err
	}
	p.say("%s: cleared", c.Tag)
	return nil
}
