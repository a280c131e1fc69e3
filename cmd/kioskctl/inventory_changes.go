package main

import (
	"context"
	"slices"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

type inventoryReturn struct {
	which
	person
	Item []string `arg:"" optional:"" help:"Barcodes."`
	All  bool     `help:"All that were met although they were on loan."`
}

func (c *inventoryReturn) Run(g *grammar, p *printer) error {
	return c.with(g, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		if c.All {
			r, err := v.Report(ctx, x.ID, false)
			if err != nil {
				return err
			}
			for _, s := range r.Surprises {
				if slices.Contains(s.Found, shelf.OnLoan) {
					c.Item = append(c.Item, string(s.Item))
				}
			}
		}
		for _, item := range c.Item {
			if err := v.Return(ctx, x.ID, c.Who, kiosk.Barcode(item)); err != nil {
				return err
			}
		}
		return changeRows(ctx, v, x, p)
	})
}

type inventoryChanges struct{ which }

func (c *inventoryChanges) Run(g *grammar, p *printer) error {
	return c.with(g, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		return changeRows(ctx, v, x, p)
	})
}

func changeRows(ctx context.Context, v control.Inventories, x kiosk.Inventory, p *printer) error {
	list, err := v.Changes(ctx, x.ID)
	if err != nil {
		return err
	}
	p.head("LINE", "WHAT", "STATE", "ITEM", "CALL NUMBER", "TITLE")
	planned := 0
	for _, c := range list {
		state := "sent"
		if !c.Sent {
			state = "planned"
			planned++
		}
		if err := p.row(c, c.Line, c.What, state, c.Book.Item, c.Book.CallNumber, c.Book.Title); err != nil {
			return err
		}
	}
	if planned > 0 {
		p.say("%s planned: kioskctl inventory send tells the library's system, kioskctl inventory undo -line N takes one back", cli.Count(planned, "change is", "changes are"))
	}
	return nil
}

type inventorySend struct {
	which
	person
}

func (c *inventorySend) Run(g *grammar, p *printer) error {
	return c.with(g, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		n, err := v.Send(ctx, x.ID, c.Who)
		if err == nil {
			p.say("%s in the outbox: kioskctl outbox shows what the library's system has not confirmed", cli.Count(n, "return is", "returns are"))
		}
		return err
	})
}
