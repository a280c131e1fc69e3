// Kioskctl is the tool of staff and operators: how a kiosk is, what it has
// lent, what the library's system has not confirmed, and lists to import.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
)

type grammar struct {
	Config string `help:"Configuration file." default:"/etc/carrel/kiosk.toml" placeholder:"FILE"`
	JSON   bool   `help:"One JSON object a line, for scripts; an error too, on standard error, with its class." name:"json"`

	Status     statusCmd     `cmd:"" help:"How the kiosk is; exit status 1 when something needs a person."`
	Import     importCmd     `cmd:"" help:"Take items, patrons or loans from a file into the mirror."`
	Refresh    refreshCmd    `cmd:"" help:"Read what has changed in the library's system into the mirror now."`
	Loans      loansCmd      `cmd:"" help:"What was lent, returned and renewed here."`
	History    historyCmd    `cmd:"" help:"What has become of one entry, step by step."`
	Outbox     outboxCmd     `cmd:"" help:"What the library's system has not confirmed yet."`
	Exceptions exceptionsCmd `cmd:"" help:"What a person must settle."`
	Tag        tagCmd        `cmd:"" help:"Read and prepare RFID tags."`
	Inventory  inventoryCmd  `cmd:"" help:"Shelf inventories: walk along the shelves, scan, know what is missing and what stands wrong."`
	Phones     phonesCmd     `cmd:"" help:"Phones that staff has let in for inventories."`
	Work       workCmd       `cmd:"" help:"Tags whose security is not yet what it must be."`
	Staff      staffCmd      `cmd:"" help:"The pages for staff."`
	Devices    devicesCmd    `cmd:"" help:"What is plugged in."`
	Drivers    driversCmd    `cmd:"" help:"What can be plugged in: drivers with their options."`
	Backup     backupCmd     `cmd:"" help:"Write a consistent copy of the ledger, also while the daemon runs."`
	Restore    restoreCmd    `cmd:"" help:"Put a copy back in place of the ledger; the daemon must not run."`
	Rescue     rescueCmd     `cmd:"" help:"What became of each entry when the ledger was damaged and rescued."`
	Update     updateCmd     `cmd:"" help:"Put a new version in place, from a signed bundle; the one of before comes back if it is not well."`
	Doctor     doctorCmd     `cmd:"" help:"Check configuration, rights, devices, disk, clock and upstream."`
	Version    versionCmd    `cmd:"" help:"What was built."`
}

func main() {
	becomeCurrent(os.Args[1:])
	os.Exit(run(os.Args[1:], os.Stdout))
}

func run(args []string, out io.Writer) int {
	var g grammar
	p := &printer{out: out, json: &g.JSON, gauge: newGauge()}
	defer p.flush()
	return cli.Main("kioskctl", "See to a Carrel kiosk.", &g, args, &g, p)
}

// TellError tells a script of an error in the manner of all else, beside the
// output. Its code is the class (kiosk.Code).
func (g *grammar) TellError(err error) bool {
	if !g.JSON {
		return false
	}
	says := struct {
		Error string     `json:"error"`
		Code  kiosk.Code `json:"code"`
	}{kiosk.Words(err), kiosk.CodeOf(err)}
	if _, classed := errors.AsType[*kiosk.Error](err); !classed && errors.Is(err, cli.ErrUsage) {
		says.Code = kiosk.CodeInvalid
	}
	return json.NewEncoder(os.Stderr).Encode(says) == nil
}

// noSuch says that what was asked about is not there.
func noSuch(format string, args ...any) error {
	return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf(format, args...)}
}

// load reads the configuration.
func (g *grammar) load() (*config.Config, error) {
	c, err := config.Load(g.Config)
	if err != nil {
		return nil, cli.Wrong(fmt.Errorf("%w\n-config FILE names another configuration", err))
	}
	return c, nil
}

// ledger is the path of the ledger.
func ledger(c *config.Config) string { return filepath.Join(c.Kiosk.Data, daemon.LedgerFile) }

// running finds the daemon; nil and no error if it does not run.
func running(c *config.Config) *control.Client {
	client, err := control.Dial(c.Kiosk.Data)
	if err != nil {
		return nil
	}
	return client
}

// printer writes rows for people, or JSON for scripts.
type printer struct {
	out  io.Writer
	json *bool
	tab  *tabwriter.Writer

	gauge *gauge // is cleared before something else is written
}

// row writes v as JSON, or the cells. The first row of a table may be a head.
func (p *printer) row(v any, cells ...any) error {
	if p.gauge.clear(); *p.json {
		return json.NewEncoder(p.out).Encode(v)
	}
	if p.tab == nil {
		p.tab = tabwriter.NewWriter(p.out, 2, 8, 2, ' ', 0)
	}
	for i, c := range cells {
		if i > 0 {
			fmt.Fprint(p.tab, "\t")
		}
		if t, ok := c.(time.Time); ok {
			c = when(t)
		}
		fmt.Fprint(p.tab, c)
	}
	_, err := fmt.Fprintln(p.tab)
	return err
}

// head is a table's first row, for people only.
func (p *printer) head(cells ...any) {
	if !*p.json {
		p.row(nil, cells...)
	}
}

// say is a line for people only.
func (p *printer) say(format string, args ...any) {
	if !*p.json {
		p.gauge.clear()
		p.flush()
		fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// refuse tells of what was asked wrongly, while more is typed: with the bell, or
// for scripts beside the output. Any other error it gives back.
func (p *printer) refuse(err error) error {
	switch {
	case kiosk.CodeOf(err) != kiosk.CodeInvalid:
		return err
	case *p.json:
		p.gauge.clear()
		fmt.Fprintln(os.Stderr, kiosk.Words(err))
	default:
		p.say("\a%s", kiosk.Words(err))
	}
	return nil
}

func (p *printer) flush() {
	if p.tab != nil {
		p.tab.Flush()
		p.tab = nil
	}
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

type versionCmd struct{}

func (versionCmd) Run(p *printer) error {
	daemon.PrintVersion(p.out, "kioskctl")
	return nil
}
