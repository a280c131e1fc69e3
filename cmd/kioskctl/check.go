package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/outbox"
)

type outboxCheck struct{}

// foreseen is what would come of one entry.
type foreseen struct {
	loan
	Comes  string       `json:"comes"` // posts, stands, needs you, waits
	Why    string       `json:"why,omitempty"`
	Advice kiosk.Advice `json:"advice,omitempty"` // for the patron, where it needs you
}

// lookTime is the longest wait for one answer.
const lookTime = 15 * time.Second

func (outboxCheck) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		ctx := context.Background()
		queue, err := r.Queue(ctx, math.MaxInt32)
		if err != nil {
			return err
		}
		up, err := daemon.OpenUpstream(conf, slog.New(slog.DiscardHandler))
		switch {
		case err != nil:
			return err
		case up == nil:
			return errors.New("this kiosk has no upstream: nothing is told to anybody")
		}
		defer up.Close()
		p.head("AT", "KIND", "CARD", "ITEM", "COMES", "WHY", "TITLE")
		counts := map[string]int{}
		ahead := outbox.Foresee(up, time.Now())
		for n, q := range queue {
			f, err := foresee(ctx, ahead, q, conf.Location)
			if err != nil {
				return fmt.Errorf("%d of %d looked at: %w", n, len(queue), err)
			}
			counts[f.Comes]++
			if n%50 == 49 {
				fmt.Fprintf(os.Stderr, "%d of %d looked at\n", n+1, len(queue))
			}
			if *p.json || f.Comes != posts {
				if err := p.row(f, q.At, q.Kind, q.Patron, q.Item, f.Comes, f.Why, q.Title); err != nil {
					return err
				}
			}
		}
		p.say("%s", sumUp(counts))
		return nil
	})
}

// sumUp says how many there are of what can come.
func sumUp(counts map[string]int) string {
	text := fmt.Sprintf("%d will post, %s you", counts[posts], cli.Count(counts[needsYou], "needs", "need"))
	if n := counts[stands]; n > 0 {
		text += fmt.Sprintf(", %s already", cli.Count(n, "stands", "stand"))
	}
	if n := counts[waits]; n > 0 {
		text += fmt.Sprintf(", %s for the desk", cli.Count(n, "waits", "wait"))
	}
	return text
}

// What can come of an entry.
const (
	posts    = "posts"
	stands   = "stands"
	needsYou = "needs you"
	waits    = "waits"
)

func foresee(ctx context.Context, ahead *outbox.Foresight, q kiosk.Queued, zone *time.Location) (f foreseen, err error) {
	f.loan = view(sqlite.Row{Entry: q.Entry}, zone)
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	v, err := ahead.Next(ctx, q.Entry)
	if err != nil {
		return f, err
	}
	f.Why = v.Text
	switch v.Do {
	case outbox.Send:
		f.Comes = posts
	case outbox.Settle, outbox.Dismiss:
		f.Comes = stands
	case outbox.Except, outbox.Differ:
		f.Comes, f.Advice = needsYou, outbox.Advise(q.Kind, v.Reason)
	default:
		f.Comes = waits
	}
	return f, nil
}
