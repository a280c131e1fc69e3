package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/outbox"
)

type exceptionsCmd struct {
	List    exceptionsList    `cmd:"" default:"1" help:"List them, the oldest first."`
	Show    exceptionsShow    `cmd:"" help:"Show one: what the kiosk has recorded, how the library's system has it now, and the ways out."`
	Resolve exceptionsResolve `cmd:"" help:"Settle one."`
}

type exceptionsList struct{}

func (exceptionsList) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		rows, err := r.Exceptions(context.Background())
		if err != nil {
			return err
		}
		p.head("ENTRY", "AT", "KIND", "CARD", "ITEM", "TITLE", "THE LIBRARY'S SYSTEM SAYS")
		for _, row := range rows {
			v := toSettle{view(row, conf.Location), outbox.Advise(row.Kind, row.Reason)}
			if err := p.row(v, row.ID, at(row.Entry), row.Kind, row.Patron, row.Item, row.Title, row.Text); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			p.say("nothing to settle")
		} else {
			p.say("\nkioskctl exceptions show ENTRY tells how one stands now, and the ways out.")
		}
		return nil
	})
}

// toSettle is an exception as scripts see it.
type toSettle struct {
	loan
	Advice kiosk.Advice `json:"advice"` // for the patron
}

type exceptionsShow struct {
	Entry string `arg:"" help:"The entry's ID, from the list."`
}

// itemNow is how the library's system has an item, as scripts see it.
type itemNow struct {
	Known  bool             `json:"known"`
	Status kiosk.ItemStatus `json:"status,omitempty"`
	Whose  string           `json:"whose,omitempty"` // of what is on loan: this card's, another's, unknown
	Since  time.Time        `json:"since,omitzero"`
	Due    time.Time        `json:"due,omitzero"`
	Holds  *int             `json:"holds,omitempty"` // null: not told
}

func (c *exceptionsShow) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		rows, err := r.Exceptions(context.Background())
		if err != nil {
			return err
		}
		n := slices.IndexFunc(rows, func(r sqlite.Row) bool { return string(r.ID) == c.Entry })
		if n < 0 {
			return noSuch("no exception %s: kioskctl exceptions lists them", c.Entry)
		}
		v := struct {
			toSettle
			Promised time.Time `json:"promised,omitzero"`
			Now      *itemNow  `json:"now"` // null: it can't be asked
			Away     string    `json:"away,omitempty"`
		}{toSettle: toSettle{view(rows[n], conf.Location), outbox.Advise(rows[n].Kind, rows[n].Reason)}}
		if due := rows[n].Promised; !due.IsZero() {
			v.Promised = due.In(conf.Location)
		}
		if v.Now, err = lookNow(conf, rows[n]); err != nil {
			v.Away = err.Error()
		}
		if *p.json {
			return p.row(v)
		}
		showException(p, v.loan, v.Promised, v.Now, v.Away)
		return nil
	})
}

// lookNow asks the library's system how an entry's item stands.
func lookNow(conf *config.Config, r sqlite.Row) (*itemNow, error) {
	up, err := daemon.OpenUpstream(conf, slog.New(slog.DiscardHandler))
	switch {
	case err != nil:
		return nil, err
	case up == nil:
		return nil, errors.New("this kiosk has no upstream")
	}
	defer up.Close()
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	st, err := up.Look(ctx, r.Item, r.Patron)
	if err != nil {
		return nil, err
	}
	s := &itemNow{Known: st.Known, Status: st.Status, Since: st.Since, Due: st.Due}
	if st.Status == kiosk.StatusOnLoan {
		s.Whose = map[kiosk.Tri]string{kiosk.Yes: "this card's", kiosk.No: "another's", kiosk.Unknown: "unknown"}[st.Mine]
	}
	if st.Known && st.Holds >= 0 {
		s.Holds = &st.Holds
	}
	return s, nil
}

// kindWords are what the kiosk has done.
var kindWords = map[kiosk.Kind]string{kiosk.Checkout: "a loan", kiosk.Checkin: "a return", kiosk.Renew: "a renewal", kiosk.Seen: "a book on the shelf"}

// showException writes one for people: both sides, and the ways out.
func showException(p *printer, l loan, promised time.Time, now *itemNow, away string) {
	row := func(what string, is any) { p.row(nil, "  "+what, is) }
	p.say("%s\n\nthe kiosk recorded", cmp.Or(l.Title, string(l.Item)))
	row("what", kindWords[l.Kind])
	row("item", l.Item)
	if l.Patron != "" {
		row("card", l.Patron)
	}
	row("when", when(l.At)+map[bool]string{true: ", by a clock that is not to be trusted"}[l.Doubt])
	if !promised.IsZero() {
		row("promised until", promised)
	}
	p.say("\nthe library's system")
	row("said", l.Text)
	if now == nil {
		row("now", "can't be asked: "+away)
	} else {
		row("now", now.words())
	}
	p.say("\nways out, each with -note WHY; it is kept in the ledger")
	for _, w := range [][2]string{
		{"retry", "tell it again: you have put right what was in the way, as a blocked card"},
		{"override", "the kiosk's record stands: you have entered it in the library's system by hand"},
		{"dismiss", "the system's record stands: what the kiosk recorded is void"},
	} {
		p.row(nil, "  kioskctl exceptions resolve "+string(l.Entry)+" -how "+w[0], w[1])
	}
	p.flush()
}

// words is how an item stands, for people.
func (s *itemNow) words() string {
	if !s.Known {
		return "it knows no such item"
	}
	text := "not on loan: " + string(s.Status)
	if s.Status == kiosk.StatusOnLoan {
		text = map[string]string{"this card's": "on loan to this card", "another's": "on loan to another card"}[s.Whose]
		text = cmp.Or(text, "on loan; it does not tell to whom")
	}
	for _, t := range []struct {
		word string
		at   time.Time
	}{{"since", s.Since}, {"due", s.Due}} {
		if !t.at.IsZero() {
			text += ", " + t.word + " " + when(t.at)
		}
	}
	if s.Holds != nil && *s.Holds > 0 {
		text += fmt.Sprintf("; %s", cli.Count(*s.Holds, "patron waits for it", "patrons wait for it"))
	}
	return text
}

type exceptionsResolve struct {
	Entry string `arg:"" help:"The entry's ID, from the list."`
	How   string `required:"" enum:"retry,override,dismiss" help:"retry: tell the library's system again; override: what the kiosk recorded stands, you have put it right there; dismiss: what the library's system says stands."`
	Note  string `required:"" help:"Why; kept in the ledger." placeholder:"TEXT"`
}

func (c *exceptionsResolve) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	ctx := context.Background()
	res := control.Resolution{How: c.How, Note: c.Note}
	by := byShell("exception."+c.How, c.Entry, c.Note)
	if d := running(conf); d != nil {
		if err = d.Note(ctx, by); err == nil {
			err = d.Resolve(ctx, kiosk.ID(c.Entry), res)
		}
	} else {
		err = writing(conf, func(s *sqlite.Store) error {
			if err := (shelved{s}).Note(ctx, by); err != nil {
				return err
			}
			return daemon.Resolve(ctx, s, kiosk.ID(c.Entry), res, time.Now())
		})
	}
	if errors.Is(err, kiosk.ErrUnknown) {
		return noSuch("no entry %s: kioskctl exceptions lists them", c.Entry)
	}
	if err != nil {
		return err
	}
	p.say("%s: %s", c.Entry, c.How)
	return nil
}
