package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// examine looks at everything the configuration names. What a running daemon
// holds open is asked of the daemon; otherwise it is tried here.
func examine(ctx context.Context, c *config.Config, d *control.Client) []finding {
	list := append([]finding{folder(c.Kiosk.Data), flush(c.Kiosk.Data)}, card(c.Kiosk.Data)...)
	list = append(list, ledgerState(ctx, c))
	if d == nil {
		list = append(list, machineClock(ctx, c))
	}
	if d != nil {
		return append(append(list, askDaemon(ctx, c, d)...), profile(c)...)
	}
	list = append(list, finding{What: "daemon", OK: true, Says: "is not running; devices and upstream are tried from here"})
	for _, dev := range c.Devices {
		f := finding{What: "device " + dev.Name, OK: true, Says: on(dev.Driver.Name, dev.Link.Where()) + " opens"}
		if err := daemon.Try(ctx, dev); err != nil {
			f.OK, f.Says, f.Mend = false, err.Error(), mendDevice(dev)
		}
		list = append(list, f)
	}
	return append(append(list, upstream(ctx, c)), profile(c)...)
}

func folder(path string) finding {
	f := finding{What: "data folder", OK: true, Says: path}
	probe, err := os.CreateTemp(path, ".doctor")
	if err != nil {
		f.OK, f.Says, f.Mend = false, err.Error(), mendFolder(path, err)
		if errors.Is(err, os.ErrNotExist) {
			f.Says = path + " is not there"
		}
		return f
	}
	probe.Close()
	os.Remove(probe.Name())
	if free := daemon.DiskFree(path); free < 50<<20 {
		f.OK, f.Says, f.Mend = false, fmt.Sprintf("only %d MB free", free>>20), mendSpace(path)
	} else {
		f.Says += fmt.Sprintf(", %d MB free", free>>20)
	}
	return f
}

// mendFolder says what to do about a data folder that takes no file.
func mendFolder(path string, err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Sprintf("kioskd makes it when it starts, where it may; else make %s, and give it to the user that runs kioskd", path)
	case errors.Is(err, os.ErrPermission):
		return "give it to the user that runs kioskd, and run kioskctl as that user or with sudo"
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return mendSpace(path)
	case errors.Is(err, unix.EROFS):
		return "the disk takes no writes: it may be failing; save the data, and replace it"
	}
	return "the data folder must be a folder of the user that runs kioskd, on a disk that works"
}

func mendSpace(path string) string {
	return fmt.Sprintf("free some space, for without it nothing can be lent: df -h %s shows the disk; "+
		"often it is logs (journalctl --vacuum-size=50M), old backups or ledgers put aside (%s.before-*)", path, daemon.LedgerFile)
}

// slowFlush is a flush that a patron feels.
const slowFlush = 300 * time.Millisecond

// flush measures what each loan costs on this disk.
func flush(path string) finding {
	f := finding{What: "disk flush", OK: true}
	file, err := os.CreateTemp(path, ".doctor")
	if err != nil {
		f.OK, f.Says, f.Mend = false, "can't be measured", "see data folder, above"
		return f
	}
	defer os.Remove(file.Name())
	defer file.Close()
	var worst time.Duration
	page := make([]byte, 4096)
	for range 20 {
		start := time.Now()
		if _, err := file.WriteAt(page, 0); err != nil {
			f.OK, f.Says, f.Mend = false, err.Error(), mendFolder(path, err)
			return f
		}
		if err := unix.Fdatasync(int(file.Fd())); err != nil {
			f.OK, f.Says, f.Mend = false, err.Error(), mendFolder(path, err)
			return f
		}
		worst = max(worst, time.Since(start))
	}
	f.Says = fmt.Sprintf("at worst %v of 20", worst.Round(10*time.Microsecond))
	if worst > slowFlush {
		f.OK, f.Mend = false, "each loan waits for this: use a better card (class A1 or A2) or a USB disk"
	}
	return f
}

func ledgerState(ctx context.Context, c *config.Config) finding {
	f := finding{What: "ledger", OK: true}
	if _, err := os.Stat(ledger(c)); errors.Is(err, os.ErrNotExist) {
		f.Says = "none yet; kioskd makes it"
		return f
	}
	r, err := sqlite.OpenReadOnly(ctx, ledger(c))
	if err != nil {
		f.OK, f.Says = false, err.Error()
		return f
	}
	defer r.Close()
	wrong, err := r.Check(ctx)
	switch {
	case err != nil:
		f.OK, f.Says = false, err.Error()
	case len(wrong) > 0:
		f.OK, f.Says, f.Mend = false, wrong[0], "keep the file, and put the last backup in place: kioskctl restore"
	default:
		var s control.Status
		if err := daemon.FromLedger(ctx, r, &s); err != nil {
			f.OK, f.Says = false, err.Error()
			break
		}
		f.Says = fmt.Sprintf("sound: %s, %d in the outbox, %s", cli.Count(s.Entries, "entry", "entries"), s.Outbox, cli.Count(s.Items, "item", "items"))
		if s.Doubtful > 0 {
			f.Says += fmt.Sprintf(", %d made when the clock was wrong (kioskctl loans -doubt)", s.Doubtful)
		}
	}
	return f
}

// machineClock judges the clock without a daemon.
func machineClock(ctx context.Context, c *config.Config) finding {
	var s control.Status
	r, err := sqlite.OpenReadOnly(ctx, ledger(c))
	if err == nil {
		defer r.Close()
		err = daemon.FromLedger(ctx, r, &s)
	}
	if err != nil { // the ledger is spoken of elsewhere
		return finding{What: "clock", OK: true, Says: when(time.Now())}
	}
	return clock(s)
}

// clock says how it is, and how to mend it.
func clock(s control.Status) finding {
	f := finding{What: "clock", OK: true, Says: when(s.Clock) + ", by " + s.ClockBy}
	switch {
	case s.Doubt != "":
		f.OK, f.Says = false, s.Doubt
		f.Mend = "set the clock, or connect the network so that it sets itself; what was recorded is put right then"
	case s.ClockWarning != "":
		f.OK, f.Says = false, f.Says+"; "+s.ClockWarning
		f.Mend = "have time servers keep the clocks of this machine and of the library's system, and see that timezone is right on both"
	}
	return f
}

func askDaemon(ctx context.Context, c *config.Config, d *control.Client) []finding {
	s, err := d.Status(ctx)
	if err != nil {
		return []finding{{"daemon", false, err.Error(), "restart it: systemctl restart kioskd"}}
	}
	list := []finding{clock(s), {What: "daemon", OK: true, Says: "running since " + when(s.Since)}}
	for _, dev := range s.Devices {
		f := finding{What: "device " + dev.Name, OK: dev.Working, Says: on(dev.Driver, dev.Path) + " works"}
		if !dev.Working {
			f.Says = cmp.Or(dev.Error, "is being opened: look again in a moment")
			if i := slices.IndexFunc(c.Devices, func(x config.Device) bool { return x.Name == dev.Name }); i >= 0 {
				f.Mend = mendDevice(c.Devices[i])
			}
		}
		list = append(list, f)
	}
	f := finding{What: "upstream", OK: s.Upstream.Up || s.Upstream.Driver == "none", Says: s.Upstream.Driver + ": reached"}
	switch {
	case s.Upstream.Driver == "none":
		f.Says = "none: everything is decided here"
	case !f.OK && s.Upstream.Error == "":
		f.Says = s.Upstream.Driver + ": not reached yet: look again in a moment"
	case !f.OK:
		f.Says = fmt.Sprintf("%s: away since %s: %s", s.Upstream.Driver, when(s.Upstream.Since), s.Upstream.Error)
		f.Mend = mendUpstream + "; meanwhile loans go on, and are told later"
	}
	return append(append(list, f), phoneFindings(ctx, c, d)...)
}

const mendUpstream = "check address, user, password and firewall with whoever runs the library's system"

// mendDevice says what to do about a device that does not work, by what it
// hangs on.
func mendDevice(dev config.Device) string {
	l := dev.Link
	switch {
	case dev.Driver.Needs == drivers.NeedsNothing:
		return "it is simulated: its switch is on the page /sim"
	case strings.HasPrefix(l.Path, "tcp://"):
		return "see that it has power and network, that " + strings.TrimPrefix(l.Path, "tcp://") +
			" is its address and port, that no firewall lies between, and that no other program is connected to it"
	case l.SPI != "":
		return "switch SPI on (raspi-config, Interface Options), check the wires, and put the user that runs kioskd into the groups spi and gpio"
	case l.I2C != "":
		return fmt.Sprintf("switch I2C on (raspi-config, Interface Options), check the wires, and put the user that runs kioskd into the group i2c; "+
			"i2cdetect -y %s shows whether something is at %#x", l.I2C, l.Address)
	}
	return "check cable and power; kioskctl devices lists what is plugged in"
}

func upstream(ctx context.Context, c *config.Config) finding {
	f := finding{What: "upstream", OK: true, Says: "none: everything is decided here"}
	up, err := daemon.OpenUpstream(c, slog.New(slog.DiscardHandler))
	if up == nil && err == nil {
		return f
	}
	if err == nil {
		defer up.Close()
		f.Says = up.Where + ": logged in and answering"
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		err = up.Probe(ctx)
	}
	if err == nil {
		if r, ok := up.Time(); ok {
			f.Says += "; its clock was at " + when(r.Time)
		}
	}
	if err != nil {
		f.OK, f.Says, f.Mend = false, err.Error(), mendUpstream
	}
	return f
}
