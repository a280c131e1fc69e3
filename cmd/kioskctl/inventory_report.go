package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/catalog"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

type inventoryFinish struct {
	which
	Whole bool `help:"All of the range was walked: what was not met is missing, also where nobody seems to have been."`
}

func (c *inventoryFinish) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		r, err := v.End(ctx, x.ID, c.Whole)
		if err != nil {
			return err
		}
		return printReport(p, r)
	})
}

type inventoryReport struct {
	which
	Whole bool   `help:"As if all of the range had been walked."`
	CSV   string `name:"csv" help:"Write it as CSV; - is the output." placeholder:"FILE"`
	Koha  string `help:"Write the barcodes of what was met for Koha's inventory tool, in shelf order; - is the output. Books that are on loan, lost, wanted or wrong here are left out." placeholder:"FILE"`
	All   bool   `help:"With -koha: those too. Koha then ends their loans and takes lost ones for found."`
}

func (c *inventoryReport) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, conf *config.Config, v control.Inventories, x kiosk.Inventory) error {
		if c.Koha != "" {
			list, err := v.Seen(ctx, x.ID, c.All)
			if err != nil {
				return err
			}
			if err := writeTo(c.Koha, p, func(w io.Writer) error { return kohaFile(w, list) }); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%s. In Koha: Tools, Inventory; take this file as barcode file, the day %s as \"last inventory date\", and tick \"Do not check in items\"\n",
				cli.Count(len(list), "barcode", "barcodes"), x.Begun.In(conf.Location).Format("2006-01-02"))
			return nil
		}
		r, err := v.Report(ctx, x.ID, c.Whole)
		if err != nil {
			return err
		}
		if c.CSV != "" {
			return writeTo(c.CSV, p, r.WriteCSV)
		}
		return printReport(p, r)
	})
}

// kohaFile writes barcodes as Koha's inventory tool reads them: UTF-8, one a
// line, CR LF, no header.
func kohaFile(w io.Writer, list []kiosk.Barcode) error {
	b := bufio.NewWriter(w)
	for _, x := range list {
		fmt.Fprintf(b, "%s\r\n", x)
	}
	return b.Flush()
}

// writeTo writes a file that must not exist, or the output.
func writeTo(name string, p *printer, write func(io.Writer) error) error {
	if name == "-" {
		return write(p.out)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		os.Remove(name)
		return err
	}
	return f.Close()
}

// printReport writes a report for people, or as JSON.
func printReport(p *printer, r inventory.Report) error {
	if *p.json {
		return p.row(r)
	}
	x := r.Inventory
	p.say("%s (%s), %s", x.Name, rangeWords(x.Range), x.Stage)
	p.say("%d met of %d that should be there; %d in place, %d to move, %d missing, %d surprises; %s",
		r.Seen, r.Expected, r.InPlace, len(r.Moves), len(r.Missing), len(r.Surprises), cli.Count(r.Scans, "scan", "scans"))
	p.say("met on one walk: %d, on two: %d, on more: %d", r.Passes[0], r.Passes[1], r.Passes[2])
	for _, s := range r.Walked {
		p.say("walked from %s to %s: %d met, %d missing", cmp.Or(s.First.CallNumber, string(s.First.Item)), cmp.Or(s.Last.CallNumber, string(s.Last.Item)), s.Seen, s.Missing)
	}
	if len(r.Moves) > 0 {
		p.say("\nTO MOVE, in walking order")
		for _, m := range r.Moves {
			p.row(nil, m.CallNumber, m.Item, m.Title, "stands "+placeWords(m.From), "belongs "+placeWords(m.To)) //nolint:errcheck // the terminal is gone
		}
	}
	if len(r.Surprises) > 0 {
		p.say("\nSURPRISES, in walking order")
		for _, s := range r.Surprises {
			words := s.Words()
			if s.Location != "" {
				words = append(words, "belongs to "+s.Location)
			}
			p.row(nil, s.CallNumber, s.Item, strings.Join(words, ", "), s.Title, s.Note) //nolint:errcheck // the terminal is gone
		}
	}
	if len(r.Notes) > 0 {
		p.say("\nCONDITIONS")
		for _, s := range r.Notes {
			p.row(nil, s.CallNumber, s.Item, s.Note, s.Title) //nolint:errcheck // the terminal is gone
		}
	}
	if len(r.Missing) > 0 {
		p.say("\nMISSING, in shelf order")
	}
	return missingRows(p, r.Missing)
}

func missingRows(p *printer, rows []inventory.Row) error {
	for _, m := range rows {
		if err := p.row(m, m.CallNumber, m.Item, m.Title, "look "+placeWords(m.To)); err != nil {
			return err
		}
	}
	return nil
}

type inventoryWant struct {
	File string `arg:"" type:"existingfile" help:"Barcodes, one a line or CSV; an empty file empties the list."`
	For  string `required:"" help:"Why: hold, weeding, repair; the list of this reason is replaced." placeholder:"TEXT"`
}

func (c *inventoryWant) Run(g *grammar, p *printer) error {
	return inventories(g, p, func(ctx context.Context, conf *config.Config, v control.Inventories) error {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		var list []kiosk.Wanted
		for s, err := range catalog.Scans(f, conf.Location) {
			switch {
			case err != nil:
				return err
			case s.Code == "":
				fmt.Fprintf(os.Stderr, "line %d: %s\n", s.Row, s.Why)
			default:
				list = append(list, kiosk.Wanted{Item: kiosk.Barcode(s.Code)})
			}
		}
		if err := v.Want(ctx, c.For, list); err != nil {
			return err
		}
		p.say("%s for %s", cli.Count(len(list), "item is wanted", "items are wanted"), c.For)
		return nil
	})
}

type inventoryPicks struct {
	shelfRange
	For  string `help:"Only what is wanted for this." placeholder:"TEXT"`
	Weed bool   `help:"Instead, the books that may go by the library's rule, [shelf.weed]."`
}

func (c *inventoryPicks) Run(g *grammar, p *printer) error {
	return inventories(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories) error {
		picks, err := c.picks(ctx, v)
		if err != nil {
			return err
		}
		p.head("LOCATION", "CALL NUMBER", "ITEM", "FOR", "", "TITLE")
		for _, x := range picks {
			state := map[bool]string{true: "not on the shelf"}[x.Out]
			if x.Unknown {
				state = "not in the catalogue"
			}
			why := strings.Join(x.For, ", ")
			if words := x.Weed.Words(); words != "" {
				why += " (" + words + ")"
			}
			if err := p.row(x, x.Location, x.CallNumber, x.Item, why, state, x.Title); err != nil {
				return err
			}
		}
		if len(picks) == 0 {
			p.say(map[bool]string{true: "nothing may go by the rule", false: "nothing is wanted"}[c.Weed])
		}
		return nil
	})
}

func (c *inventoryPicks) picks(ctx context.Context, v control.Inventories) ([]inventory.Pick, error) {
	if c.Weed {
		return v.Weeds(ctx, c.of())
	}
	return v.Picks(ctx, c.of(), c.For)
}

type inventoryPair struct {
	Left  string `arg:"" optional:"" help:"Barcode of the book on the left. Without it barcodes are read from the input, one a line: each is compared with the one before. A line s begins elsewhere."`
	Right string `arg:"" optional:"" help:"Barcode of the book on the right."`
}

func (c *inventoryPair) Run(g *grammar, p *printer) error {
	return inventories(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories) error {
		if c.Right != "" {
			return c.compare(ctx, v, p, c.Left, c.Right)
		}
		left := c.Left
		if left != "" {
			if _, err := v.Neighbours(ctx, left, left); err != nil {
				return err
			}
		}
		in := bufio.NewScanner(stdin)
		for in.Scan() {
			var err error
			text := strings.TrimSpace(in.Text())
			switch {
			case text == "":
				continue
			case text == "s":
				left = ""
				continue
			case left == "":
				_, err = v.Neighbours(ctx, text, text) // is it a book's number?
			default:
				err = c.compare(ctx, v, p, left, text)
			}
			if err == nil {
				left = text
			} else if err = p.refuse(err); err != nil { // else the book before it waits for its neighbour
				return err
			}
		}
		return in.Err()
	})
}

// compare says of two books whether they are in order; the bell rings where they
// are not.
func (c *inventoryPair) compare(ctx context.Context, v control.Inventories, p *printer, left, right string) error {
	x, err := v.Neighbours(ctx, left, right)
	if err != nil {
		return err
	}
	if *p.json {
		return p.row(x)
	}
	word := "\anot in order"
	if x.Ordered {
		word = "in order"
	}
	if x.Why != "" {
		word += ": " + x.Why
	}
	p.say("%s | %s  %s", cmp.Or(x.Left.CallNumber, string(x.Left.Item)), cmp.Or(x.Right.CallNumber, string(x.Right.Item)), word)
	return nil
}
