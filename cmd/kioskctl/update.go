package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/update"
)

type updateCmd struct {
	Take   updateTake   `cmd:"" help:"Put the version of a bundle in place; the one of before comes back if it is not well."`
	Resume updateResume `cmd:"" help:"Bring an update that was interrupted to its end, or back."`
	NewKey updateNewKey `cmd:"" help:"Make a key to sign bundles with, and say its public half; not on a kiosk."`
	Pack   updatePack   `cmd:"" help:"Make a bundle of the programs in a folder, signed with a key; not on a kiosk."`
}

type updateTake struct {
	File   string `arg:"" help:"The bundle." type:"existingfile"`
	Root   string `help:"Folder of the versions." default:"/var/lib/carrel-update" placeholder:"DIR"`
	Remove bool   `help:"Remove the bundle at the end, whatever came of it."`
}

// Run changes the version of this kiosk.
func (c *updateTake) Run(g *grammar, p *printer) (err error) {
	if c.Remove { // first of all: as long as it lies there its unit is started again
		defer func() { err = errors.Join(err, os.Remove(c.File)) }()
	}
	u, err := updater(g, p, c.Root)
	if err != nil {
		return err
	}
	if u.Keys, err = config.UpdateKeys(g.Config); err != nil {
		return cli.Wrong(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	version, err := u.Apply(ctx, c.File)
	if err == nil {
		p.say("version %s runs", version)
	}
	return err
}

type updateResume struct {
	Root string `help:"Folder of the versions." default:"/var/lib/carrel-update" placeholder:"DIR"`
}

// Run goes on where an update was cut off.
func (c *updateResume) Run(g *grammar, p *printer) error {
	u, err := updater(g, p, c.Root)
	if err != nil {
		return err
	}
	return u.Resume(context.Background())
}

func updater(g *grammar, p *printer, root string) (*update.Updater, error) {
	conf, err := g.load()
	if err != nil {
		return nil, err
	}
	return &update.Updater{Root: root, Config: g.Config, Data: conf.Kiosk.Data, Own: ownVersion(),
		Service: systemctl{}, Say: p.say}, nil
}

type updateNewKey struct {
	File string `arg:"" help:"Where to; must not exist. It stays with the library." type:"path"`
}

// Run never overwrites a key.
func (c *updateNewKey) Run(p *printer) error {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key.Seed()))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	p.say("In the configuration of each kiosk:\n\n[update]\nkey = [%q]", base64.StdEncoding.EncodeToString(pub))
	return nil
}

type updatePack struct {
	From    string `arg:"" help:"Folder with kioskd and kioskctl." type:"existingdir"`
	To      string `arg:"" help:"The bundle."`
	Key     string `required:"" help:"File of the key." type:"existingfile" placeholder:"FILE"`
	Version string `required:"" help:"Of the programs: numbers with dots." placeholder:"VERSION"`
	Arch    string `help:"Machine that they were built for: amd64, arm64, armv7, armv6; by default this one's." placeholder:"ARCH"`
}

// Run signs.
func (c *updatePack) Run() error {
	raw, err := os.ReadFile(c.Key)
	if err != nil {
		return err
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return cli.Wrong(fmt.Errorf("%s: it is no key: kioskctl update new-key makes one", c.Key))
	}
	m := update.Manifest{Version: c.Version, Arch: cmp.Or(c.Arch, update.Arch())}
	return update.Pack(c.To, m, c.From, ed25519.NewKeyFromSeed(seed))
}

// ownVersion is that of the programs that the package has brought.
func ownVersion() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/kioskd", "-version").Output()
	if err != nil {
		return cli.Version
	}
	v, _, _ := strings.Cut(strings.TrimPrefix(string(out), "kioskd "), ",")
	return v
}

// systemctl runs the kiosk's unit.
type systemctl struct{}

func (systemctl) Stop(ctx context.Context) error  { return unit(ctx, "stop") }
func (systemctl) Start(ctx context.Context) error { return unit(ctx, "start") }

func unit(ctx context.Context, do string) error {
	c := exec.CommandContext(ctx, "systemctl", do, "kioskd.service")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us, who bring it to an end
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl %s kioskd.service: %w: %s", do, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// currentProgram is this program in the version that an update has brought.
const currentProgram = "/var/lib/carrel-update/current/kioskctl"

// becomeCurrent goes on as the version that an update has brought, if one has:
// only that one reads the ledger.
func becomeCurrent(args []string) {
	own, err := os.Executable()
	if err != nil || filepath.Dir(own) != "/usr/bin" {
		return
	}
	if info, err := os.Stat(currentProgram); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		return
	}
	syscall.Exec(currentProgram, append([]string{currentProgram}, args...), os.Environ()) //nolint:errcheck // then this one does what it can
}
