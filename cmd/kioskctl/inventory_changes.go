package main

import (
	"context"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

type inventoryReturn struct {
	which
	person
	Item []string `arg:"" optional:"" help:"Barcodes."`
	All  bool     `help:"All that were met although they were on loan."`
}

func (c *inventoryReturn) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		if c.All {
			if _, err := v.Plan(ctx, x.ID, c.Who, inventory.Return); err != nil {
				return err
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

type inventoryTell struct {
	which
	person
	Item []string `arg:"" optional:"" help:"Barcodes."`
	Lost bool     `help:"All that were met although they were lost or missing."`
	All  bool     `help:"All that were seen and should be there. Koha takes them faster as a file: report -koha."`
}

func (c *inventoryTell) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		for _, what := range inventory.Kinds {
			if what == inventory.Found && c.Lost || what == inventory.Seen && c.All {
				if _, err := v.Plan(ctx, x.ID, c.Who, what); err != nil {
					return err
				}
			}
		}
		var items []kiosk.Barcode
		for _, i := range c.Item {
			items = append(items, kiosk.Barcode(i))
		}
		if _, err := v.Tell(ctx, x.ID, c.Who, items); err != nil {
			return err
		}
		return changeRows(ctx, v, x, p)
	})
}

func undoPlanned(ctx context.Context, v control.Inventories, x kiosk.Inventory, who string, p *printer) error {
	n, err := v.TakeBack(ctx, x.ID, who, "")
	if err == nil {
		p.say("%s taken back", cli.Count(n, "change is", "changes are"))
	}
	return err
}

type inventoryChanges struct{ which }

func (c *inventoryChanges) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
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
		if c.Progress == inventory.Planned {
			planned++
		}
		if err := p.row(c, c.Line, c.What, progressWords[c.Progress], c.Book.Item, c.Book.CallNumber, c.Book.Title); err != nil {
			return err
		}
	}
	if planned > 0 {
		p.say("%s planned: kioskctl inventory send tells the library's system, kioskctl inventory undo -line N takes one back, -planned all", cli.Count(planned, "change is", "changes are"))
	}
	return nil
}

// progressWords say how far a change has come.
var progressWords = map[inventory.Progress]string{inventory.Planned: "planned", inventory.Waiting: "sent, waits", inventory.Told: "sent, told",
	inventory.Refused: "sent, refused: see exceptions", inventory.Passed: "seen to otherwise"}

type inventorySend struct {
	which
	person
}

func (c *inventorySend) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		n, err := v.Send(ctx, x.ID, c.Who)
		if err == nil {
			p.say("%s in the outbox: kioskctl outbox shows what the library's system has not confirmed", cli.Count(n, "change is", "changes are"))
		}
		return err
	})
}
