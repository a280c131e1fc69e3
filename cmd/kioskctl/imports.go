package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk/catalog"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

type importCmd struct {
	What string `arg:"" enum:"items,patrons,loans" help:"items, patrons or loans."`
	File string `arg:"" type:"existingfile" help:"CSV, MARC 21 or MARCXML; for patrons also a school's roster, a zip archive of OneRoster or School Data Sync. Told apart by content."`
	Full bool   `help:"The file has all loans that are open: those it lacks are ended. For loans alone."`
	Card string `placeholder:"COLUMN" help:"Where a roster has the numbers on the cards: a column of its users.csv, as identifier or username, or userIds:TYPE. Without it identifier, if every student has one."`
}

// examples are a CSV file of each list.
var examples = []struct{ list, head, row string }{
	{"items", "barcode,title,author,subjects,call_number,location,item_type", `31234000010064,Dune,"Herbert, Frank",Deserts; Science fiction,SF HER,Fiction,book`},
	{"patrons", "barcode,family_name,first_name,category,expires", "21234000000017,Lin,Mei,student,2027-07-31"},
	{"loans", "patron_barcode,item_barcode,out_at,due_at", "21234000000017,31234000010064,2026-11-02 10:15,2026-11-23"},
}

// Help lists the columns of CSV files.
func (*importCmd) Help() string {
	var b strings.Builder
	b.WriteString("The first row of a CSV file names its columns, in any order; others are passed over. " +
		"Those with * must be there; of patrons one of the two names is enough. Between subjects stands ; or |. Behind each stands what else it may be called.\n")
	for _, x := range examples {
		fmt.Fprintf(&b, "\n%s:\n\n", x.list)
		for _, c := range catalog.Columns(x.list) {
			name := c.Name
			if c.Needed {
				name += " *"
			}
			fmt.Fprintf(&b, "    %-18s  %s\n", name, strings.Join(c.Others, ", "))
		}
		fmt.Fprintf(&b, "\n%s, an example:\n\n    %s\n    %s\n", x.list, x.head, x.row)
	}
	b.WriteString(rosterHelp)
	return b.String()
}

const rosterHelp = `
patrons, a school's roster: a zip archive of OneRoster 1.1 or 1.2, or of School Data Sync v2.1, with users.csv and, where that has no column role, roles.csv; orgs.csv names the libraries, and demographics.csv has dates of birth. A student's category is the grade as it is written there, everybody else's the role; parents and guardians are skipped. Who has left (tobedeleted, or a role that is over) or is not enabled is blocked: nothing is lent to them, and what they have can still be returned. A card of two users is neither's until it is mended.
`

func (c *importCmd) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	ctx := context.Background()
	list := control.List{What: c.What, Whole: c.Full, Card: c.Card}
	t := &teller{p: p, file: c.File, total: fi.Size()}
	if d := running(conf); d != nil {
		err = d.Import(ctx, list, f, t.tell)
	} else {
		err = writing(conf, func(s *sqlite.Store) error {
			return daemon.ImportAlone(ctx, list, f, conf.Location, s, t.tell)
		})
	}
	p.gauge.clear()
	return err
}

// teller shows how an import goes.
type teller struct {
	p     *printer
	file  string
	total int64
}

func (t *teller) tell(l control.Line) {
	if *t.p.json {
		t.p.row(l)
		return
	}
	switch {
	case l.Progress != nil:
		part := ""
		if t.total > 0 {
			part = fmt.Sprintf("%3d %%, ", min(100, l.Progress.Bytes*100/t.total))
		}
		t.p.gauge.show("%s: %s%s", t.file, part, cli.Count(l.Progress.Rows, "row", "rows"))
	case l.Refused != nil:
		key := ""
		if l.Refused.Key != "" {
			key = l.Refused.Key + ": "
		}
		t.p.say("row %d not taken: %s%s", l.Refused.Row, key, l.Refused.Why)
	case l.Report != nil:
		r := l.Report
		t.p.say("%s (%s): %s read: %d new, %d changed, %d the same, %d skipped, %d not taken",
			t.file, r.Format, cli.Count(r.Rows, "row", "rows"), r.New, r.Changed, r.Same, r.Skipped, r.Refused)
		switch {
		case r.Skipped > 0 && r.Format == "csv":
			t.p.say("skipped are loans that are over")
		case r.Skipped > 0 && (r.Format == "oneroster" || r.Format == "sds"):
			t.p.say("skipped are parents and guardians")
		case r.Skipped > 0:
			t.p.say("skipped are records without a copy that has a barcode")
		}
		if r.Ended > 0 {
			t.p.say("%s: not in the list", over(r.Ended))
		}
	}
}
