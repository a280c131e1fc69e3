package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
)

type refreshCmd struct {
	Full bool `help:"All that the library's system has, in place of what has changed."`
}

func (c *refreshCmd) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	d := running(conf)
	if d == nil {
		return fmt.Errorf("%w: the daemon alone reads the lists", control.ErrNotRunning)
	}
	t := &teller{p: p}
	err = d.Refresh(context.Background(), c.Full, func(l control.Line) {
		if l.Progress != nil {
			t.file = l.Progress.List
		}
		t.tell(l)
		for _, r := range l.Lists {
			ended := ""
			if r.Ended > 0 {
				ended = "; " + over(r.Ended)
			}
			p.say("%s: %s read: %d new, %d changed, %d the same%s", r.List, cli.Count(r.Rows, "row", "rows"), r.New, r.Changed, r.Same, ended)
		}
	})
	p.gauge.clear()
	return err
}

// over is what is said of loans that a list has ended.
func over(n int) string { return cli.Count(n, "loan is over", "loans are over") }

// freshness sums up how fresh the lists are: the oldest counts.
func freshness(lists []control.Refresh) string {
	var since, whole, next time.Time
	var more []string
	for i, r := range lists {
		if i == 0 || r.Since.Before(since) {
			since = r.Since
		}
		if i == 0 || r.Whole.Before(whole) {
			whole = r.Whole
		}
		if next.IsZero() || !r.Next.IsZero() && r.Next.Before(next) {
			next = r.Next
		}
		switch {
		case r.Error != "":
			more = append(more, fmt.Sprintf("; %s broke off after %s: %s", r.List, cli.Count(r.Rows, "row", "rows"), r.Error))
		case r.Running:
			more = append(more, "; now "+r.List+", "+cli.Count(r.Rows, "row", "rows"))
		}
	}
	text := "as of " + when(since) + ", read whole " + when(whole)
	if since.IsZero() {
		text = "never yet"
	}
	if next.IsZero() {
		return text + "; by itself never (kioskctl refresh)" + strings.Join(more, "")
	}
	return text + "; next " + when(next) + strings.Join(more, "")
}
