package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

type inventoryCmd struct {
	List    inventoryList    `cmd:"" default:"1" help:"List them, the newest first."`
	Start   inventoryStart   `cmd:"" help:"Begin one."`
	Scan    inventoryScan    `cmd:"" help:"Take codes as they are typed or scanned here, and say at once what each means."`
	Walk    inventoryWalk    `cmd:"" help:"Scan with the kiosk's own scanner and pad, as on a cart; the daemon must run."`
	Load    inventoryLoad    `cmd:"" help:"Take the file of a handheld collector: one code a line, or CSV with times."`
	Undo    inventoryUndo    `cmd:"" help:"Take back a scan."`
	Note    inventoryNote    `cmd:"" help:"Note the condition of a book: damaged, cover, label."`
	Pause   inventoryPause   `cmd:"" help:"Let one rest, for days if need be."`
	Resume  inventoryResume  `cmd:"" help:"Go on with it."`
	Search  inventorySearch  `cmd:"" help:"The shelves were walked: list what to look for once more before it is declared missing."`
	Finish  inventoryFinish  `cmd:"" help:"End one: what is missing is declared so, and its report is kept."`
	Report  inventoryReport  `cmd:"" help:"What one has found by now, or had found when it ended."`
	Return  inventoryReturn  `cmd:"" help:"Plan to return books that were met although they are on loan; nothing is sent yet."`
	Tell    inventoryTell    `cmd:"" help:"Plan to tell the library's system of books that were met: that they were seen, and are not lost; nothing is sent yet."`
	Changes inventoryChanges `cmd:"" help:"List what is planned and what was sent."`
	Send    inventorySend    `cmd:"" help:"Have the library's system told what is planned, through the outbox."`
	Want    inventoryWant    `cmd:"" help:"Take a list of items that are to be taken along when they are met: holds, weeding, repair."`
	Picks   inventoryPicks   `cmd:"" help:"List what is wanted, in shelf order, to be pulled."`
	Pair    inventoryPair    `cmd:"" help:"Tell whether books may stand side by side, as they are typed or scanned here; no inventory is needed."`
}

// readingWords say what is read while somebody waits.
var readingWords = map[inventory.Reading]string{inventory.ReadingBooks: "reading the catalogue", inventory.ReadingLog: "reading what was scanned",
	inventory.ReadingTitles: "looking titles up", inventory.ReadingFile: "rows of the file"}

// inventories does something with inventories, of the daemon or without one. What
// takes long tells how far it is.
func inventories(g *grammar, p *printer, do func(context.Context, *config.Config, control.Inventories) error) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	ctx := inventory.WithProgress(context.Background(), func(what inventory.Reading, n int) { p.gauge.show("%s: %d", readingWords[what], n) })
	defer p.gauge.clear()
	if d := running(conf); d != nil {
		return do(ctx, conf, d.Inventories())
	}
	return writing(conf, func(s *sqlite.Store) error {
		return do(ctx, conf, conf.Inventories(s, s, time.Now, func() kiosk.ID { return kiosk.ID(uuid.Must(uuid.NewV7()).String()) }))
	})
}

// which names an inventory.
type which struct {
	ID string `arg:"" help:"The inventory: its ID or the end of it, its name, or last."`
}

// find finds it.
func (w which) find(ctx context.Context, v control.Inventories) (kiosk.Inventory, error) {
	list, err := v.List(ctx)
	if err != nil {
		return kiosk.Inventory{}, err
	}
	var found []kiosk.Inventory
	for i, x := range list {
		if w.ID == "last" && i == 0 || string(x.ID) == w.ID {
			return x, nil
		}
		if x.Name == w.ID || len(w.ID) >= 4 && strings.HasSuffix(string(x.ID), w.ID) {
			found = append(found, x)
		}
	}
	switch len(found) {
	case 0:
		return kiosk.Inventory{}, noSuch("no inventory %q: kioskctl inventory list shows them", w.ID)
	case 1:
		return found[0], nil
	}
	return kiosk.Inventory{}, fmt.Errorf("%d inventories are called %q: take the ID", len(found), w.ID)
}

// with finds an inventory and does something with it.
func (w which) with(g *grammar, p *printer, do func(context.Context, *config.Config, control.Inventories, kiosk.Inventory) error) error {
	return inventories(g, p, func(ctx context.Context, conf *config.Config, v control.Inventories) error {
		x, err := w.find(ctx, v)
		if err != nil {
			return err
		}
		return do(ctx, conf, v, x)
	})
}

type inventoryList struct{}

func (inventoryList) Run(g *grammar, p *printer) error {
	return inventories(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories) error {
		list, err := v.List(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			p.say("no inventory yet: kioskctl inventory start begins one")
			return nil
		}
		p.head("ID", "BEGUN", "STAGE", "LINES", "NAME", "RANGE")
		for _, x := range list {
			if err := p.row(x, x.ID, x.Begun, x.Stage, x.Lines, x.Name, rangeWords(x.Range)); err != nil {
				return err
			}
		}
		return nil
	})
}

// rangeWords is a range for people.
func rangeWords(r kiosk.ShelfRange) string {
	s := cmp.Or(strings.Trim(r.Library+" / "+r.Location, " /"), "everywhere")
	if r.From != "" || r.To != "" {
		s += fmt.Sprintf(", %s to %s", cmp.Or(r.From, "the begin"), cmp.Or(r.To, "the end"))
	}
	return s
}

// shelfRange are the options of a range.
type shelfRange struct {
	Library  string `help:"Only this library's." placeholder:"NAME"`
	Location string `help:"Only this shelving location." placeholder:"NAME"`
	From     string `help:"From this call number." placeholder:"NUMBER"`
	To       string `help:"To this one, with all that it begins: 599 takes in 599.2." placeholder:"NUMBER"`
	Scheme   string `help:"Class scheme of both: ddc, lcc, nlm, udc or one of your own." placeholder:"NAME"`
}

func (r shelfRange) of() kiosk.ShelfRange {
	return kiosk.ShelfRange{Library: r.Library, Location: r.Location, From: r.From, To: r.To, Scheme: r.Scheme}
}

type inventoryStart struct {
	shelfRange
	Name string `help:"What you call it." placeholder:"TEXT"`
}

func (c *inventoryStart) Run(g *grammar, p *printer) error {
	return inventories(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories) error {
		x, overlap, err := v.Begin(ctx, c.Name, c.of())
		if err != nil {
			return err
		}
		p.gauge.clear()
		for _, o := range overlap {
			fmt.Fprintf(os.Stderr, "%q, which is %s, has books in common with it: %s\n", o.Name, o.Stage, rangeWords(o.Range))
		}
		if *p.json {
			return p.row(x)
		}
		p.say("%s: %s, %s", x.ID, x.Name, rangeWords(x.Range))
		return nil
	})
}

// person is who scans.
type person struct {
	Who string `help:"Who scans: several people at once have a walk each." default:"shell" placeholder:"NAME"`
}

type inventoryScan struct {
	which
	person
	Code []string `arg:"" optional:"" help:"Codes; without them they are read from the input, one a line. A line u takes the newest back, s begins elsewhere."`
	Wand int      `help:"Scans come from a wand, which may be so many places off." default:"0" placeholder:"N"`
}

func (c *inventoryScan) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		if err := v.Start(ctx, x.ID, c.Who, c.Wand); err != nil {
			return err
		}
		if len(c.Code) > 0 {
			return c.take(ctx, v, x, p, c.Code...)
		}
		in := bufio.NewScanner(stdin)
		for in.Scan() {
			switch text := strings.TrimSpace(in.Text()); text {
			case "":
			case "u":
				n, err := v.Undo(ctx, x.ID, c.Who, 0)
				if err == nil {
					p.say("line %d: taken back", n)
				} else if err = p.refuse(err); err != nil {
					return err
				}
			case "s":
				if err := v.Start(ctx, x.ID, c.Who, c.Wand); err != nil {
					return err
				}
			default:
				if err := c.take(ctx, v, x, p, text); err != nil {
					return err
				}
			}
		}
		return in.Err()
	})
}

func (c *inventoryScan) take(ctx context.Context, v control.Inventories, x kiosk.Inventory, p *printer, codes ...string) error {
	reads := make([]inventory.Read, len(codes))
	for i, code := range codes {
		reads[i].Text = code
	}
	said, err := v.Scan(ctx, x.ID, c.Who, reads...)
	for _, s := range said {
		if err := saidRow(p, s); err != nil {
			return err
		}
	}
	return err
}

// saidRow writes what is said of a scan; the bell rings where a person must do
// something, and twice for what was looked for.
func saidRow(p *printer, s inventory.Said) error {
	if *p.json {
		return p.row(s)
	}
	bell := map[shelf.Tone]string{shelf.Take: "\a", shelf.Elsewhere: "\a", shelf.Sought: "\a\a"}[s.Tone]
	p.say("%s%s", bell, saidWords(s))
	return nil
}

// saidWords is what is said in one line.
func saidWords(s inventory.Said) string {
	switch {
	case s.Shelf != "":
		return "shelf " + s.Shelf
	case s.Code != "" || s.Why != "":
		return fmt.Sprintf("%q: %s", s.Code, s.Why)
	}
	words := []string{cmp.Or(s.Book.CallNumber, "no call number")}
	switch s.State {
	case shelf.OutOfOrder, shelf.Ahead:
		words = append(words, string(s.State)+": belongs "+placeWords(s.Place))
	case shelf.Again:
		words = append(words, "again")
	}
	if s.Sought {
		words = append(words, "FOUND: it was looked for")
	}
	for _, f := range s.Found {
		w := strings.ToUpper(string(f))
		if f == shelf.Wanted && len(s.Wanted) > 0 {
			w += " for " + strings.Join(s.Wanted, ", ")
		}
		if why := s.Weed.Words(); f == shelf.Weed && why != "" {
			w += " (" + why + ")"
		}
		words = append(words, w)
	}
	if s.Location != "" {
		words = append(words, "belongs to "+s.Location)
	}
	for _, b := range s.Left {
		words = append(words, "and "+cmp.Or(b.CallNumber, string(b.Item))+" before it is out of order")
	}
	return fmt.Sprintf("%s  %s  %s", s.Book.Item, strings.Join(words, "; "), s.Book.Title)
}

// placeWords is a place for people.
func placeWords(p inventory.Place) string {
	name := func(b *inventory.Book) string { return cmp.Or(b.CallNumber, string(b.Item)) }
	s := "nowhere that is known"
	switch {
	case p.After != nil && p.Before != nil:
		s = "between " + name(p.After) + " and " + name(p.Before)
	case p.After != nil:
		s = "at the end, after " + name(p.After)
	case p.Before != nil:
		s = "at the begin, before " + name(p.Before)
	}
	if p.Shelf != "" {
		s += ", shelf " + p.Shelf
	}
	return s
}

type inventoryWalk struct{ which }

func (c *inventoryWalk) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	d := running(conf)
	if d == nil {
		return fmt.Errorf("%w: start it, or scan here with kioskctl inventory scan", control.ErrNotRunning)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	x, err := c.find(ctx, d.Inventories())
	if err != nil {
		return err
	}
	p.say("%s: scanner and pad of this kiosk scan for it. Ctrl-C ends that", x.Name)
	return d.Walk(ctx, x.ID, func(s inventory.Said) {
		saidRow(p, s) //nolint:errcheck // the terminal is gone
		p.flush()
	})
}

type inventoryLoad struct {
	which
	person
	File string `arg:"" type:"existingfile" help:"The collector's file."`
}

// loaded is what became of a file.
type loaded struct {
	Rows    int `json:"rows"`
	Scans   int `json:"scans"`
	Refused int `json:"refused"`
	Good    int `json:"good"`
}

func (c *inventoryLoad) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		name := filepath.Base(c.File)
		taken, err := v.Load(ctx, x.ID, c.Who+": "+name, name, f)
		if err != nil && taken.Rows > 0 {
			err = fmt.Errorf("after %s, which stay taken: %w", cli.Count(taken.Scans, "scan", "scans"), err)
		}
		if err == nil || taken.Rows > 0 {
			tellLoaded(p, c.File, taken)
		}
		return err
	})
}

const toldRows = 20 // that were not taken, or not wholly, are told one by one

// tellLoaded tells what became of a file.
func tellLoaded(p *printer, file string, t inventory.Taken) {
	p.gauge.clear()
	odd := t.Odd
	if !*p.json {
		odd = odd[:min(len(odd), toldRows)]
	}
	for _, o := range odd {
		fmt.Fprintf(os.Stderr, "line %d: %s\n", o.Row, strings.TrimPrefix(o.Code+": "+o.Why, ": "))
	}
	if more := t.Odds - len(odd); more > 0 {
		fmt.Fprintf(os.Stderr, "and %s\n", cli.Count(more, "more line like these", "more lines like these"))
	}
	if *p.json {
		p.row(loaded{t.Rows, t.Scans, t.Odds, t.Good}) //nolint:errcheck // the output is gone
		return
	}
	p.say("%s: %s taken, of %s; %d are to be looked at: kioskctl inventory report; undo -file takes all back", file, cli.Count(t.Scans, "scan", "scans"),
		cli.Count(t.Rows, "row", "rows"), t.Scans-t.Good)
}

type inventoryUndo struct {
	which
	person
	Line int64 `help:"The scan's line, as scan -json tells it; without it the newest of -who." placeholder:"N"`

	File    bool `help:"Instead, all scans of the file that was loaded last."`
	Planned bool `help:"Instead, all changes that are planned and not sent."`
}

func (c *inventoryUndo) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		if c.Planned {
			return undoPlanned(ctx, v, x, c.Who, p)
		}
		if c.File {
			n, err := v.Unload(ctx, x.ID, c.Who, c.Line)
			if n > 0 {
				p.say("%s: taken back", cli.Count(n, "scan", "scans"))
			}
			return err
		}
		n, err := v.Undo(ctx, x.ID, c.Who, c.Line)
		if err == nil {
			p.say("line %d: taken back", n)
		}
		return err
	})
}

type inventoryNote struct {
	which
	person
	Item string `arg:"" help:"Its barcode."`
	Text string `arg:"" help:"What is to be known: damaged, cover, label."`
}

func (c *inventoryNote) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		err := v.Note(ctx, x.ID, c.Who, kiosk.Barcode(c.Item), c.Text)
		if err == nil {
			p.say("noted of %s: %s", c.Item, c.Text)
		}
		return err
	})
}

type (
	inventoryPause  struct{ which }
	inventoryResume struct{ which }
	inventorySearch struct{ which }
)

func (c *inventoryPause) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		err := v.Pause(ctx, x.ID)
		if err == nil {
			p.say("%s: pauses; kioskctl inventory resume goes on", x.Name)
		}
		return err
	})
}

func (c *inventoryResume) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		err := v.Resume(ctx, x.ID)
		if err == nil {
			p.say("%s: goes on", x.Name)
		}
		return err
	})
}

func (c *inventorySearch) Run(g *grammar, p *printer) error {
	return c.with(g, p, func(ctx context.Context, _ *config.Config, v control.Inventories, x kiosk.Inventory) error {
		if err := v.Search(ctx, x.ID); err != nil {
			return err
		}
		r, err := v.Report(ctx, x.ID, false)
		if err != nil {
			return err
		}
		return missingRows(p, r.Missing)
	})
}
