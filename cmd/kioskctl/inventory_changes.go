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

type inventoryTell struct {
	which
	person
	Item []string `arg:"" optional:"" help:"Barcodes."`
	Lost bool     `help:"All that were met although they were lost or missing."`
	All  bool     `help:"All that were seen and should be there. Koha takes them faster as a file: report -koha."`
}

func (c *inventoryTell) Run(g *grammar, p *printer) error {
	return c.with(g, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		items, err := c.items(ctx, v, x)
		if err != nil {
			return err
		}
		if _, err := v.Tell(ctx, x.ID, c.Who, items); err != nil {
			return err
		}
		return changeRows(ctx, v, x, p)
	})
}

// items are those that are asked for; of all, those on loan are left out.
func (c *inventoryTell) items(ctx context.Context, v control.Inventories, x kiosk.Inventory) (items []kiosk.Barcode, err error) {
	for _, i := range c.Item {
		items = append(items, kiosk.Barcode(i))
	}
	if !c.Lost && !c.All {
		return items, nil
	}
	r, err := v.Report(ctx, x.ID, false)
	if err != nil {
		return nil, err
	}
	lent := map[kiosk.Barcode]bool{}
	for _, s := range r.Surprises {
		lent[s.Item] = slices.Contains(s.Found, shelf.OnLoan)
		if c.Lost && !lent[s.Item] && slices.ContainsFunc(s.Found, func(f shelf.Finding) bool { return slices.Contains(lostAndFound, f) }) {
			items = append(items, s.Item)
		}
	}
	if c.All {
		seen, err := v.Seen(ctx, x.ID, false)
		if err != nil {
			return nil, err
		}
		items = append(items, slices.DeleteFunc(seen, func(b kiosk.Barcode) bool { return lent[b] })...)
	}
	return items, nil
}

// lostAndFound is what is said of books that the library's system has not.
var lostAndFound = []shelf.Finding{shelf.FoundLost, shelf.FoundMissing}

func undoPlanned(ctx context.Context, v control.Inventories, x kiosk.Inventory, who string, p *printer) error {
	list, err := v.Changes(ctx, x.ID)
	if err != nil {
		return err
	}
	n := 0
	for _, c := range list {
		if c.Sent {
			continue
		}
		if _, err := v.Undo(ctx, x.ID, who, c.Line); err != nil {
			return err
		}
		n++
	}
	p.say("%s taken back", cli.Count(n, "change is", "changes are"))
	return nil
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
		p.say("%s planned: kioskctl inventory send tells the library's system, kioskctl inventory undo -line N takes one back, -planned all", cli.Count(planned, "change is", "changes are"))
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
			p.say("%s in the outbox: kioskctl outbox shows what the library's system has not confirmed", cli.Count(n, "change is", "changes are"))
		}
		return err
	})
}
