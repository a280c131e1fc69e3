package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/seal"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// loan is one entry as scripts see it.
type loan struct {
	Entry  kiosk.ID      `json:"entry"`
	Kind   kiosk.Kind    `json:"kind"`
	Patron kiosk.Card    `json:"patron"`
	Item   kiosk.Barcode `json:"item"`
	Title  string        `json:"title"`
	At     time.Time     `json:"at"`
	Doubt  bool          `json:"at_doubtful,omitempty"` // the clock was not to be trusted, and the true time is not known
	Due    time.Time     `json:"due,omitzero"`
	State  kiosk.State   `json:"state"`
	Reason kiosk.Reason  `json:"reason,omitempty"`
	Text   string        `json:"text,omitempty"`
}

func view(r sqlite.Row, loc *time.Location) loan {
	l := loan{r.ID, r.Kind, r.Patron, r.Item, r.Title, r.At.In(loc), r.Doubt, r.Due, r.State, r.Reason, r.Text}
	if !l.Due.IsZero() {
		l.Due = l.Due.In(loc)
	}
	return l
}

// at is when an entry was made, with a mark if that is not to be trusted.
func at(e kiosk.Entry) string {
	if e.Doubt {
		return when(e.At) + "?"
	}
	return when(e.At)
}

type loansCmd struct {
	Open   bool   `help:"Only those to which an item is still out."`
	Patron string `help:"Only this card." placeholder:"CARD"`
	Item   string `help:"Only this item." placeholder:"BARCODE"`
	Doubt  bool   `help:"Only those whose time is not to be trusted: the clock was wrong, and the true time is not known."`
}

func (c *loansCmd) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		p.head("AT", "KIND", "STATE", "CARD", "ITEM", "DUE", "TITLE")
		n := 0
		f := sqlite.Filter{Open: c.Open, Patron: kiosk.Card(c.Patron), Item: kiosk.Barcode(c.Item), Doubt: c.Doubt}
		for row, err := range r.Entries(context.Background(), f) {
			if err != nil {
				return err
			}
			n++
			if err := p.row(view(row, conf.Location), at(row.Entry), row.Kind, row.State, row.Patron, row.Item, row.Due, row.Title); err != nil {
				return err
			}
		}
		p.say("%s", cli.Count(n, "entry", "entries"))
		return nil
	})
}

type outboxCmd struct {
	List   outboxList   `cmd:"" default:"1" help:"List it, in order."`
	Retry  outboxRetry  `cmd:"" help:"Try all of it again now."`
	Check  outboxCheck  `cmd:"" help:"Look at each item in the library's system, and say what would come of telling it; nothing is told."`
	Export outboxExport `cmd:"" help:"Write it into a file that the library's system can be handed, when nothing else works."`
}

type (
	outboxList  struct{}
	outboxRetry struct{}
)

func (outboxList) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		queue, err := r.Queue(context.Background(), math.MaxInt32)
		if err != nil {
			return err
		}
		p.head("AT", "KIND", "STATE", "CARD", "ITEM", "TRIES", "NEXT", "TITLE")
		for _, q := range queue {
			v := struct {
				loan
				Attempts int       `json:"attempts"`
				RetryAt  time.Time `json:"retry_at,omitzero"`
			}{view(sqlite.Row{Entry: q.Entry}, conf.Location), q.Attempts, q.RetryAt}
			if err := p.row(v, at(q.Entry), q.Kind, q.State, q.Patron, q.Item, q.Attempts, q.RetryAt, q.Title); err != nil {
				return err
			}
		}
		p.say("%s for the library's system", cli.Count(len(queue), "entry waits", "entries wait"))
		return nil
	})
}

func (outboxRetry) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	d := running(conf)
	if d == nil {
		return fmt.Errorf("%w: it tries again by itself as soon as it starts", control.ErrNotRunning)
	}
	if err := d.Retry(context.Background()); err != nil {
		return err
	}
	s, err := d.Status(context.Background())
	if err != nil {
		return err
	}
	p.say("%s", afterRetry(s))
	return nil
}

// afterRetry says what happens next.
func afterRetry(s control.Status) string {
	switch {
	case s.Outbox == 0:
		return "nothing waits; what the library's system has refused is in kioskctl exceptions"
	case !s.Upstream.Up:
		return fmt.Sprintf("the library's system is away, and is being tried now; %s will be told in order as soon as it answers. kioskctl doctor says what stands in the way",
			cli.Count(s.Outbox, "entry", "entries"))
	}
	return fmt.Sprintf("%s being told now, in order. Look again in a minute: what still waits is in kioskctl outbox, and what the library's system refuses in kioskctl exceptions",
		cli.Count(s.Outbox, "entry is", "entries are"))
}

type backupCmd struct {
	File string   `arg:"" help:"Where to; must not exist." type:"path"`
	Key  []string `help:"Encrypt it to this public key of age (age1...); by default to those of the configuration, if it has any." placeholder:"KEY"`
}

func (c *backupCmd) Run(g *grammar, p *printer) error {
	return reading(g, func(conf *config.Config, r *sqlite.Reader) error {
		keys, err := seal.Keys(c.Key)
		if err != nil {
			return cli.Wrong(fmt.Errorf("-key: %w", err))
		}
		if len(keys) == 0 {
			keys = conf.Backup.Keys
		}
		if len(keys) == 0 {
			if err := r.Backup(context.Background(), c.File); err != nil {
				return err
			}
			p.say("%s is a copy of the ledger as it was just now; whoever has it can read it", c.File)
			return nil
		}
		return beside(conf, func(plain string) error {
			if err := r.Backup(context.Background(), plain); err != nil {
				return err
			}
			if err := seal.Seal(plain, c.File, keys); err != nil {
				return err
			}
			p.say("%s is a copy of the ledger as it was just now, encrypted", c.File)
			return nil
		})
	})
}

// beside gives the name of a file that will be gone, on the ledger's own disk:
// what is to be encrypted must not lie on a stick in plain.
func beside(conf *config.Config, do func(file string) error) error {
	dir, err := os.MkdirTemp(conf.Kiosk.Data, ".copy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return do(filepath.Join(dir, daemon.LedgerFile))
}

type restoreCmd struct {
	File   string `arg:"" help:"The copy." type:"existingfile"`
	Force  bool   `help:"Overwrite the ledger that is there; it is kept beside the new one."`
	Secret string `help:"File with the secret key, of a copy that is encrypted." placeholder:"FILE" type:"existingfile"`
}

func (c *restoreCmd) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	if running(conf) != nil {
		return fmt.Errorf("kioskd is running: stop it first")
	}
	sealed, err := seal.Sealed(c.File)
	if err != nil {
		return err
	}
	put := func(file string) error {
		kept, err := restore(file, ledger(conf), c.Force)
		if kept != "" {
			p.say("the ledger that was there is now %s", kept)
		}
		return err
	}
	switch {
	case sealed && c.Secret == "":
		return cli.Wrong(fmt.Errorf("%s is encrypted: -secret names the file with the key that opens it", c.File))
	case sealed:
		if err := os.MkdirAll(conf.Kiosk.Data, 0o750); err != nil {
			return err
		}
		err = beside(conf, func(plain string) error {
			if err := seal.Open(c.File, plain, c.Secret); err != nil {
				return err
			}
			return put(plain)
		})
	default:
		err = put(c.File)
	}
	if err == nil {
		p.say("%s is in place", c.File)
	}
	return err
}

// restore puts a checked copy in place of a ledger. What is overwritten by
// force is kept under another name, which is returned.
func restore(from, to string, force bool) (kept string, err error) {
	ctx := context.Background()
	r, err := sqlite.OpenReadOnly(ctx, from)
	if err != nil {
		return "", fmt.Errorf("%s is no ledger: %w", from, err)
	}
	defer r.Close()
	if wrong, err := r.Check(ctx); err != nil {
		return "", err
	} else if len(wrong) > 0 {
		return "", fmt.Errorf("%s is damaged: %s", from, wrong[0])
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return "", err
	}
	if _, err := os.Stat(to); err == nil {
		if !force {
			return "", cli.Wrong(fmt.Errorf("%s exists: -force puts it aside", to))
		}
		s, err := sqlite.Open(ctx, to) // nobody else has it open, and its log goes into it
		if err != nil && !errors.Is(err, sqlite.ErrDamaged) {
			return "", err
		}
		if err == nil {
			if err := s.Close(); err != nil {
				return "", err
			}
		}
		kept = to + ".before-" + time.Now().UTC().Format("20060102T150405Z")
		if err := os.Rename(to, kept); err != nil {
			return "", err
		}
	}
	for _, rest := range []string{"-wal", "-shm"} {
		if err := os.Remove(to + rest); err != nil && !errors.Is(err, os.ErrNotExist) {
			return kept, err
		}
	}
	return kept, r.Backup(ctx, to)
}

// reading opens the ledger for reading, beside a daemon or without one.
func reading(g *grammar, do func(*config.Config, *sqlite.Reader) error) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	if _, err := os.Stat(ledger(conf)); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no ledger in %s yet: start kioskd or import a list first", conf.Kiosk.Data)
	}
	r, err := sqlite.OpenReadOnly(context.Background(), ledger(conf))
	if err != nil {
		return err
	}
	defer r.Close()
	return do(conf, r)
}

// writing opens the ledger for writing; only without a daemon.
func writing(conf *config.Config, do func(*sqlite.Store) error) error {
	if err := os.MkdirAll(conf.Kiosk.Data, 0o750); err != nil {
		return err
	}
	s, err := sqlite.Open(context.Background(), ledger(conf))
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}
