package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
	"github.com/carrel-kiosk/carrel/sync/koha"
)

type outboxExport struct {
	File   string `arg:"" optional:"" help:"Where to; must not exist. By default a file here, named after the time." type:"path"`
	Format string `enum:"koc,csv" default:"koc" help:"koc: Koha's offline circulation file; csv: a table."`
	All    bool   `help:"With koc: also what has a card or an item that the kiosk's lists lack. Koha may stop reading the file there."`
	Settle bool   `help:"Take what was written off the outbox: the file is now the one way by which it is told. The daemon must not run."`
}

// Run writes what the library's system has certainly not heard of. What it
// may have heard of would be done twice, and stays.
func (c *outboxExport) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	if c.File == "" {
		c.File = time.Now().In(conf.Location).Format("outbox-20060102-150405.") + c.Format
	}
	if !c.Settle {
		return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
			done, err := c.write(conf, p, r)
			if err == nil && len(done) > 0 {
				p.say("What is in it stays in the outbox as well. Hand it over only with -settle, or it is told twice.")
			}
			return err
		})
	}
	if running(conf) != nil {
		return errors.New("kioskd is running, and could tell the same at the same time: stop it first")
	}
	return writing(conf, func(s *sqlite.Store) error {
		done, err := c.write(conf, p, s)
		if err != nil {
			return err
		}
		for _, e := range done {
			o := kiosk.Outcome{Entry: e.ID, State: kiosk.Settled, At: time.Now(), Text: "handed over in " + filepath.Base(c.File)}
			if err := s.Conclude(context.Background(), o); err != nil {
				return fmt.Errorf("%s is written, but not all of it is off the outbox: %w", c.File, err)
			}
		}
		p.say("%s off the outbox: hand over %s, for nothing else tells the library's system", cli.Count(len(done), "entry is", "entries are"), c.File)
		return nil
	})
}

// records are a ledger, and what the kiosk knows of the library.
type records interface {
	Queue(ctx context.Context, limit int) ([]kiosk.Queued, error)
	Counts(ctx context.Context) (sqlite.Counts, error)
	Item(ctx context.Context, b kiosk.Barcode) (kiosk.Item, error)
	Patron(ctx context.Context, c kiosk.Card) (kiosk.Patron, error)
}

// strangers are the entries whose item or card the lists lack, where there are
// lists. Koha, told to process a file at once, ends at the first of them: what
// stands before has happened then, and what stands behind has not.
func strangers(ctx context.Context, r records, queue []kiosk.Queued) (map[kiosk.ID]bool, error) {
	n, err := r.Counts(ctx)
	if err != nil {
		return nil, err
	}
	strange := map[kiosk.ID]bool{}
	for _, q := range queue {
		var item, patron error
		if n.Items > 0 {
			_, item = r.Item(ctx, q.Item)
		}
		if n.Patrons > 0 && q.Kind.Lends() {
			_, patron = r.Patron(ctx, q.Patron)
		}
		for _, err := range []error{item, patron} {
			if errors.Is(err, kiosk.ErrUnknown) {
				strange[q.ID] = true
			} else if err != nil {
				return nil, err
			}
		}
	}
	return strange, nil
}

// write makes the file, durable, and gives what is in it.
func (c *outboxExport) write(conf *config.Config, p *printer, r records) (done []kiosk.Entry, err error) {
	ctx := context.Background()
	queue, err := r.Queue(ctx, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	var strange map[kiosk.ID]bool
	if c.Format == "koc" && !c.All {
		if strange, err = strangers(ctx, r, queue); err != nil {
			return nil, err
		}
	}
	all, unsure := untold(queue, strange)
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s is there already: name another file", c.File)
	}
	if err != nil {
		return nil, err
	}
	var left []kiosk.Entry
	if c.Format == "csv" {
		err = writeCSV(f, all, conf.Location)
	} else {
		left, err = koha.WriteOffline(f, all, conf.Location)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(c.File))
	}
	out := map[kiosk.ID]bool{}
	for _, e := range left {
		out[e.ID] = true
		why := "can't be written in this format, or comes behind such a one"
		if e.Doubt && e.Kind.Lends() {
			why = "was made when the kiosk's clock was wrong, and Koha would count its due date from that: enter it by hand"
		}
		p.say("left out: %s of %q for %q %s", e.Kind, e.Item, e.Patron, why)
	}
	for _, e := range all {
		if !out[e.ID] {
			done = append(done, e)
		}
	}
	p.say("%s in %s", cli.Count(len(done), "entry is", "entries are"), c.File)
	if n := len(strange); n > 0 {
		p.say("%s a card or an item that the kiosk's lists do not have, at which Koha may stop: left out, with what comes behind; -all writes them too", cli.Count(n, "has", "have"))
	}
	if unsure > 0 {
		p.say("%s in the outbox: the library's system may have heard of it already, or it comes behind one that stays", cli.Count(unsure, "more stays", "more stay"))
	}
	return done, nil
}

// untold are the entries that the ILS has certainly not heard of and that are
// not strange, and none that comes behind another of its item or its patron
// that is left out: told out of their order they would say something else. It
// tells how many more stay.
func untold(queue []kiosk.Queued, strange map[kiosk.ID]bool) (all []kiosk.Entry, stay int) {
	items, cards := map[kiosk.Barcode]bool{}, map[kiosk.Card]bool{}
	for _, q := range queue {
		if q.State == kiosk.Offline && !strange[q.ID] && !items[q.Item] && !cards[q.Patron] {
			all = append(all, q.Entry)
			continue
		}
		if !strange[q.ID] {
			stay++
		}
		items[q.Item] = true
		if q.Patron != "" {
			cards[q.Patron] = true
		}
	}
	return all, stay
}

func writeCSV(w io.Writer, entries []kiosk.Entry, zone *time.Location) error {
	out := web.NewTable(w)
	out.UseCRLF = false // programs read it, line by line
	out.Write([]string{"at", "kind", "card", "item", "due", "title", "entry", "clock"})
	for _, e := range entries {
		due, clock := "", ""
		if e.Doubt {
			clock = "in doubt"
		}
		if !e.Due.IsZero() {
			due = e.Due.In(zone).Format(time.RFC3339)
		}
		out.Write([]string{e.At.In(zone).Format(time.RFC3339), string(e.Kind), string(e.Patron), string(e.Item), due, e.Title, string(e.ID), clock})
	}
	out.Flush()
	return out.Error()
}
