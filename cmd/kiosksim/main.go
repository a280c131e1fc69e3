// Kiosksim is the simulated world around a kiosk: hardware, a library's
// system, and the measurements.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"log/slog"

	"github.com/carrel-kiosk/carrel/cmd/internal/bench"
	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/demo"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

type grammar struct {
	Desk    deskCmd    `cmd:"" help:"The whole desk, as kioskd -demo."`
	Devices devicesCmd `cmd:"" help:"A scanner, a pad and a printer on ptys that it names, moved by what you type."`
	ILS     ilsCmd     `cmd:"" name:"ils" help:"The demo library's system: SIP2 over TCP, with its faults as switches."`
	Torture tortureCmd `cmd:"" help:"Simulate kiosks, lines and the library's system by virtual time, under seeds, and find what was lost or told twice."`
	Bench   benchCmd   `cmd:"" help:"Measure ours beside its limit, in one run."`
	Load    loadCmd    `cmd:"" hidden:"" help:"An import for bench."`
	Library libraryCmd `cmd:"" hidden:"" help:"A library's system for bench."`
	Serve   serveCmd   `cmd:"" hidden:"" help:"A daemon for bench, which tells when it is ready."`
}

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"-help"}
	}
	var g grammar
	os.Exit(cli.Main("kiosksim", "The simulated world around a Carrel kiosk.", &g, args))
}

func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
}

func logger() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

type deskCmd struct {
	Listen string `help:"Address of the screen." placeholder:"ADDR" default:"127.0.0.1:8480"`
	Data   string `help:"Folder for the demo's data; a new temporary one by default." placeholder:"DIR"`
}

func (c *deskCmd) Run() error {
	ctx, stop := untilSignal()
	defer stop()
	return demo.Run(ctx, demo.Options{Listen: c.Listen, Data: c.Data, Log: logger(), Out: os.Stdout})
}

type ilsCmd struct {
	Listen  string        `help:"Address to serve on." placeholder:"ADDR" default:"127.0.0.1:6001"`
	Journal string        `help:"File in which it keeps what it did, over restarts." placeholder:"FILE"`
	CRLF    bool          `name:"crlf" help:"Answers end with CR LF, as Koha's do."`
	Charset string        `enum:"utf-8,latin-1,cp850" default:"utf-8" help:"Of its answers."`
	Delay   time.Duration `help:"Each answer comes so late."`
	Fault   string        `help:"What befalls questions by lot: drop-request, cut-request, drop-answer, cut-answer, close-mid-answer, truncate-answer, duplicate-answer, garbage."`
	Rate    float64       `help:"Which part of the questions, 0 to 1." default:"0.1"`
	Seed    uint64        `help:"Of the lot." default:"1"`
	Quiet   bool          `help:"Do not print the messages."`

	IgnoreNoBlock  bool          `help:"What already happened is judged like a question, as by Evergreen."`
	DueIsLoanDate  bool          `help:"Of what already happened, the due date is taken for the date of the loan, as by Koha."`
	NoCancel       bool          `help:"What cancels a transaction is taken as any, as by Koha and Evergreen."`
	NoStatusUpdate bool          `help:"Item status update (19) ends the connection."`
	NoResend       bool          `help:"A request for resend (97) is answered 96, as by Koha."`
	NoRenewals     bool          `help:"Nothing is renewed: also not by a second checkout of the same card."`
	Longest        int           `help:"A longer request ends the connection." placeholder:"BYTES"`
	Idle           time.Duration `help:"A silent connection is closed after so long; 10m by default."`
}

func (c *ilsCmd) Run() error {
	ctx, stop := untilSignal()
	defer stop()
	lib, err := demo.Load(time.Now())
	if err != nil {
		return err
	}
	rules := upstreamtest.Rules{IgnoreNoBlock: c.IgnoreNoBlock, DueIsLoanDate: c.DueIsLoanDate}
	if c.NoRenewals {
		rules.MaxRenewals = -1
	}
	ils, err := demo.NewILS(lib, rules)
	if err != nil {
		return err
	}
	defer ils.Close()
	if c.Journal != "" {
		if err := ils.Keep(c.Journal); err != nil {
			return err
		}
	}
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	proxy, err := upstreamtest.Listen(c.Listen, back.Addr().String())
	if err != nil {
		return err
	}
	defer proxy.Close()
	if c.Delay > 0 {
		proxy.Always(upstreamtest.Fault{Mishap: upstreamtest.DelayAnswer, Delay: c.Delay})
	}
	if c.Fault != "" {
		proxy.Random(upstreamtest.Chance{Seed: c.Seed, Rate: c.Rate, Faults: []upstreamtest.Fault{{Mishap: upstreamtest.Mishap(c.Fault)}}})
	}
	conf := sip2.ServerConfig{Institution: demo.Institution, CRLF: c.CRLF, Charset: sip2.Charset(c.Charset), Log: logger(),
		NoCancel: c.NoCancel, NoStatusUpdate: c.NoStatusUpdate, NoResend: c.NoResend, Longest: c.Longest, Idle: c.Idle}
	if !c.Quiet {
		conf.Record = func(in bool, text string) {
			dir := "<"
			if in {
				dir = ">"
			}
			fmt.Printf("%s %s\n", dir, text)
		}
	}
	fmt.Printf("%s: SIP2 on %s, user kiosk1, password demo\n", demo.Name, proxy.Addr())
	return sip2.Serve(ctx, back, ils, conf)
}

type benchCmd struct {
	What   string `arg:"" enum:"checkout,pad,import,sync,screen,shelf" help:"checkout: the durable checkout, and the way from the scanner to the screen. screen: taps, a visit from idle to lent, and script in a browser as slow as a Pi's (needs Chromium, and the tools in kiosk/web/browsertest). pad: a stack on the RFID pad, beside the airtime. import: a list of items, beside the sqlite3 shell. sync: what was lent and returned offline told to the ILS, beside a bare loop of the same messages. shelf: a scan of an inventory in ranges of several sizes, and the report of a large one."`
	JSON   bool   `name:"json" help:"One JSON object a line."`
	Dir    string `help:"Where to write; on the disk that is to be measured. By default the folder for temporary files, or /var/tmp where that is in memory." placeholder:"DIR"`
	Scans  int    `help:"Loans for each size of the mirror." default:"600"`
	Items  []int  `help:"Sizes of the mirror." default:"10000,1000000"`
	Rounds int    `help:"Stacks of each size on each reader." default:"15"`
	Stacks []int  `help:"Tags in a stack." default:"1,5,10,20"`
	Rows   int    `help:"Rows of the list to import." default:"1000000"`

	Visits int     `help:"Visits of each kind at the screen, and stacks of ten." default:"3"`
	Slow   float64 `help:"How many times slower the browser is made." default:"6"`

	Books []int `help:"Sizes of the range that is walked." default:"10000,100000,1000000"`

	Entries int             `help:"Loans and returns made offline." default:"10000"`
	Late    []time.Duration `help:"How long other ILSs take for an answer." default:"20ms,100ms"`
}

func (c *benchCmd) Run() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	dir, err := filepath.Abs(cmp.Or(c.Dir, bench.Scratch()))
	if err != nil {
		return err
	}
	if c.What == "screen" {
		figures, err := bench.Screen(ctx, bench.ScreenOptions{Dir: dir, Rounds: c.Visits, Slow: c.Slow, Log: os.Stderr})
		return errors.Join(bench.Print(os.Stdout, c.JSON, figures), err)
	}
	if c.What == "pad" {
		figures, err := bench.Pad(ctx, bench.PadOptions{Dir: dir, Rounds: c.Rounds, Stacks: c.Stacks, Log: os.Stderr})
		return errors.Join(bench.Print(os.Stdout, c.JSON, figures), err)
	}
	if c.What == "sync" {
		figures, err := bench.Sync(ctx, bench.SyncOptions{Dir: dir, Entries: c.Entries, Late: c.Late, Log: os.Stderr,
			Serve: func(entries int, late time.Duration) *exec.Cmd {
				return exec.CommandContext(ctx, self, "library", fmt.Sprint(entries), late.String())
			}})
		return errors.Join(bench.Print(os.Stdout, c.JSON, figures), err)
	}
	if c.What == "shelf" {
		figures, err := bench.Shelf(ctx, bench.ShelfOptions{Dir: dir, Sizes: c.Books, Scans: c.Scans, Log: os.Stderr})
		return errors.Join(bench.Print(os.Stdout, c.JSON, figures), err)
	}
	if c.What == "import" {
		figures, err := bench.Import(ctx, bench.ImportOptions{Dir: dir, Rows: c.Rows, Rounds: min(c.Rounds, 3), Log: os.Stderr,
			Load: func(ctx context.Context, ledger, list string) *exec.Cmd {
				return exec.CommandContext(ctx, self, "load", ledger, list)
			}})
		return errors.Join(bench.Print(os.Stdout, c.JSON, figures), err)
	}
	figures, err := bench.Checkout(ctx, bench.CheckoutOptions{Dir: dir, Scans: c.Scans, Sizes: c.Items, Log: os.Stderr,
		Start: func(file string) *exec.Cmd {
			cmd := exec.Command(self, "serve", file)
			cmd.Stderr = os.Stderr
			return cmd
		}})
	if err != nil {
		return err
	}
	return bench.Print(os.Stdout, c.JSON, figures)
}

type loadCmd struct {
	Ledger string `arg:"" help:"Ledger, which is made."`
	List   string `arg:"" help:"Items."`
}

func (c *loadCmd) Run() error {
	ctx, stop := untilSignal()
	defer stop()
	return bench.Load(ctx, c.Ledger, c.List)
}

type libraryCmd struct {
	Entries int           `arg:"" help:"That a kiosk has recorded offline."`
	Late    time.Duration `arg:"" help:"How long it takes for an answer."`
}

func (c *libraryCmd) Run() error { return bench.ServeLibrary(c.Entries, c.Late, os.Stdin, os.Stdout) }

type serveCmd struct {
	File string `arg:"" help:"Configuration."`
}

func (c *serveCmd) Run() error {
	conf, err := config.Load(c.File)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", conf.Kiosk.Listen)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	return daemon.Run(ctx, daemon.Options{Config: conf, Listener: ln, Log: slog.New(slog.DiscardHandler),
		Ready: func() { fmt.Println("ready", ln.Addr()) }})
}
