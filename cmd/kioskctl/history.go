package main

import (
	"context"
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

type historyCmd struct {
	Entry string `arg:"" help:"The entry's ID, from loans or exceptions."`
}

// moment is one state that an entry has had, as scripts see it.
type moment struct {
	Entry  kiosk.ID     `json:"entry"`
	State  kiosk.State  `json:"state"`
	At     time.Time    `json:"at"`
	Due    time.Time    `json:"due,omitzero"` // zero: as before
	Reason kiosk.Reason `json:"reason,omitempty"`
	Text   string       `json:"text,omitempty"`
}

// Run lists them. What staff has decided stands there as how it was decided,
// and why.
func (c *historyCmd) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		steps, err := r.History(context.Background(), kiosk.ID(c.Entry))
		if errors.Is(err, kiosk.ErrUnknown) {
			return noSuch("no entry %s: kioskctl loans and exceptions list them", c.Entry)
		}
		if err != nil {
			return err
		}
		p.head("AT", "STATE", "DUE", "REASON", "TEXT")
		for _, o := range steps {
			v := moment{o.Entry, o.State, o.At.In(conf.Location), o.Due, o.Reason, o.Text}
			if !v.Due.IsZero() {
				v.Due = v.Due.In(conf.Location)
			}
			if err := p.row(v, o.At, o.State, o.Due, o.Reason, o.Text); err != nil {
				return err
			}
		}
		return nil
	})
}
