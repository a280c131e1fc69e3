// Kioskd is the daemon of a self-checkout kiosk.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/demo"
	"github.com/carrel-kiosk/carrel/cmd/internal/setup"
)

type grammar struct {
	Config  string `help:"Configuration file; /etc/carrel/kiosk.toml by default." placeholder:"FILE"`
	Check   bool   `help:"Check the whole configuration, print every problem, open nothing."`
	Demo    bool   `help:"Run the whole desk on embedded parts: simulated scanner, demo library system, sample library."`
	Listen  string `help:"Address of the screen, with -demo; 127.0.0.1:8480 by default." placeholder:"ADDR"`
	Data    string `help:"Folder for the data, with -demo; a new temporary one by default." placeholder:"DIR"`
	Verbose bool   `help:"Log each step."`
	Version bool   `help:"Print version, commit, Go version and what is built in."`
}

func main() {
	var g grammar
	os.Exit(cli.Main("kioskd", "The daemon of a Carrel self-checkout kiosk.", &g, os.Args[1:]))
}

// Run is called by the command line.
func (g *grammar) Run() error {
	level := slog.LevelInfo
	if g.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	switch {
	case g.Demo && g.Config != "":
		return cli.Wrong(errors.New("-config: the demo has a configuration of its own; leave -demo out to run yours"))
	case !g.Demo && (g.Listen != "" || g.Data != ""):
		return cli.Wrong(errors.New("-listen and -data are the demo's; a kiosk's are listen and data under [kiosk] in its configuration"))
	}
	g.Config = cmp.Or(g.Config, config.DefaultFile)
	switch {
	case g.Version:
		daemon.PrintVersion(os.Stdout, "kioskd")
		return nil
	case g.Demo:
		return demo.Run(ctx, demo.Options{Listen: cmp.Or(g.Listen, "127.0.0.1:8480"), Data: g.Data, Log: log, Out: os.Stdout})
	case g.Check:
		_, err := drawn(config.Load(g.Config))
		unset := errors.Is(err, config.ErrNotSetUp)
		if raw, e2 := os.ReadFile(g.Config); unset && e2 == nil { // what it says may be right nevertheless
			_, err = drawn(config.Parse(g.Config, raw))
		}
		switch {
		case unset && (err == nil || errors.Is(err, config.ErrNotSetUp)):
			fmt.Printf("%s: no problems, and not set up: kioskd leads on\n", g.Config)
			return nil
		case err != nil:
			return cli.Wrong(fmt.Errorf("%w\ndeploy/example/kiosk.toml shows every key", err))
		}
		fmt.Printf("%s: no problems\n", g.Config)
		return nil
	}
	return g.serve(ctx, log)
}

// serve runs the configured kiosk, again after each SIGHUP that finds a good
// configuration.
func (g *grammar) serve(ctx context.Context, log *slog.Logger) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	conf, note, err := load(g.Config)
	if errors.Is(err, config.ErrNotSetUp) {
		if err = g.ask(ctx, hup, log); err != nil || ctx.Err() != nil {
			return err
		}
		conf, note, err = load(g.Config)
	}
	if err != nil {
		return cli.Wrong(fmt.Errorf("%w\n-config FILE names another configuration; kioskd -demo needs none", err))
	}
	if note != "" {
		log.Error(note)
	}
	for ctx.Err() == nil {
		next, err := g.until(ctx, conf, note, hup, log)
		if err != nil || next == nil {
			return err
		}
		conf, note = next, ""
	}
	return nil
}

// ask serves the set-up page until there is a configuration: the page's, or one
// that was written by hand, at a SIGHUP.
func (g *grammar) ask(ctx context.Context, hup <-chan os.Signal, log *slog.Logger) error {
	ctx, leave := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer leave()
	watch.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
			}
			if _, err := drawn(config.Load(g.Config)); err != nil {
				log.Error("the configuration is not taken; the set-up page goes on", "err", err)
				continue
			}
			leave()
		}
	})
	return daemon.Supervised(ctx, log, func(ready func()) error {
		return setup.Run(ctx, setup.Options{Listen: config.Listen(g.Config), Data: config.StateFolder(), Log: log, Ready: ready})
	})
}

// until runs one configuration until the next one: a good one that came with
// a SIGHUP, taken when nobody is at the desk. It returns nil at the end.
func (g *grammar) until(ctx context.Context, conf *config.Config, note string, hup <-chan os.Signal, log *slog.Logger) (*config.Config, error) {
	leave, ended := make(chan struct{}), make(chan error, 1)
	notes := make(chan string, 1)
	notes <- note
	ready := func() {
		if note != "" {
			return
		}
		if err := keep(g.Config, conf); err != nil {
			log.Warn("no copy of the configuration is kept", "err", err)
		}
	}
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{Config: conf, Log: log, Leave: leave, Notes: notes, Ready: ready})
	}()
	for {
		select {
		case err := <-ended:
			return nil, err
		case <-hup:
		}
		next, err := drawn(config.Load(g.Config))
		if err != nil {
			log.Error("the configuration is not taken; the old one goes on", "err", err)
			select {
			case <-notes: // what was not shown yet
			default:
			}
			notes <- fmt.Sprintf("the configuration is not taken, and the one before goes on: %v", err)
			continue
		}
		log.Info("the configuration was read again; it holds as soon as nobody is at the desk")
		close(leave)
		if err := <-ended; err != nil || ctx.Err() != nil {
			return nil, err
		}
		return next, nil
	}
}
