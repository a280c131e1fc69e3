package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/deploy/testbed/device"
	"github.com/carrel-kiosk/carrel/deploy/testbed/usbredir"
	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
)

// bootAt is where the first part of a card begins, in bytes (deploy/image/build).
const bootAt = 8192 * 512

// more is how much larger the bench's card is than the image.
const more = 512 << 20

// card is the step with the image of a card: systemd, udev and the package as
// they are on a kiosk. The kernel and its initrd are those on the card; it has
// a shell on the serial line that only the kernel's words open.
func (b *bench) cards(ctx context.Context) error {
	if b.card == "" {
		b.say("  skipped: -image FILE names no image; deploy/image/build makes one")
		return nil
	}
	k, root, err := b.unpackCard(ctx)
	if err != nil {
		return err
	}
	for n, parts := range [][]part{
		{
			{"systemd is up, no unit has failed, and the package's kioskd runs", b.unitsRun},
			{"the root is read-only, the data has its own part, which has grown to the card's end", b.rootReadOnly},
			{"udev names a scanner and a printer, and lets only the kiosk open them", b.udevNames},
		},
		{{"after its power was cut it starts as before", b.unitsRun}},
	} {
		begin := time.Now()
		m, err := vm.Start(ctx, vm.Config{Kernel: k, Root: root, Memory: 1024, Slots: 3, Card: filepath.Join(b.dir, "card"), Log: b.console(),
			Append: "root=LABEL=root ro systemd.show_status=1 systemd.debug_shell=ttyAMA0 systemd.mask=serial-getty@ttyAMA0.service", Up: "Welcome to"})
		if err != nil {
			return err
		}
		if _, err = m.Await(ctx, "Multi-User System"); err == nil {
			_, err = m.Type(ctx, "stty -echo cols 500; PS1=")
		}
		if err == nil {
			err = b.each(ctx, m, parts)
		}
		m.Kill()
		if err != nil {
			return fmt.Errorf("start %d: %w", n+1, err)
		}
		b.say("  start %d took %.1f s", n+1, time.Since(begin).Seconds())
	}
	return nil
}

type part struct {
	what string
	do   func(context.Context, *vm.VM) error
}

func (b *bench) each(ctx context.Context, m *vm.VM, parts []part) error {
	for _, p := range parts {
		if err := p.do(ctx, m); err != nil {
			return fmt.Errorf("%s: %w", p.what, err)
		}
		b.say("  %s: yes", p.what)
	}
	return nil
}

// console is where machines' consoles go, nil for nowhere.
func (b *bench) console() io.Writer {
	if b.log == nil {
		return nil
	}
	return b.log
}

// unpackCard copies the image onto a larger card, and takes kernel and initrd
// from it.
func (b *bench) unpackCard(ctx context.Context) (k vm.Kernel, root string, err error) {
	file := filepath.Join(b.dir, "card")
	for _, c := range [][]string{
		{"cp", "--sparse=always", b.card, file},
		{"truncate", "-s", fmt.Sprintf("+%d", more), file},
		{"mcopy", "-i", fmt.Sprintf("%s@@%d", file, bootAt), "::/vmlinuz", "::/initrd.img", b.dir},
	} {
		if out, err := exec.CommandContext(ctx, c[0], c[1:]...).CombinedOutput(); err != nil {
			return k, "", fmt.Errorf("%s: %w\n%s", c[0], err, out)
		}
	}
	return vm.Kernel{Image: filepath.Join(b.dir, "vmlinuz")}, filepath.Join(b.dir, "initrd.img"), nil
}

// unitsRun waits until systemd has started all it is to start.
func (b *bench) unitsRun(ctx context.Context, m *vm.VM) error {
	_, wrong := m.Type(ctx, "systemctl is-system-running --wait")
	failed, err := m.Type(ctx, "systemctl list-units --failed --plain --no-legend --no-pager")
	if wrong != nil || err != nil {
		return fmt.Errorf("%w: %s", errors.Join(wrong, err), strings.Join(failed, "; "))
	}
	if _, err := m.Type(ctx, "systemctl is-active kioskd.service"); err != nil {
		return err
	}
	_, err = m.Type(ctx, "kioskctl status")
	return err
}

func (b *bench) rootReadOnly(ctx context.Context, m *vm.VM) error {
	if _, err := m.Type(ctx, "! touch /usr/bin/x 2>/dev/null"); err != nil {
		return fmt.Errorf("the root takes a file: %w", err)
	}
	if _, err := m.Type(ctx, "findmnt -no OPTIONS / | grep -qw ro"); err != nil {
		return err
	}
	if _, err := m.Type(ctx, "findmnt -no SOURCE /var/lib/carrel | grep -q /carrel && test -s /var/lib/carrel/ledger.db"); err != nil {
		return err
	}
	_, err := m.Type(ctx, fmt.Sprintf("test $(findmnt -bno SIZE /data) -gt %d", more))
	return err
}

func (b *bench) udevNames(ctx context.Context, m *vm.VM) error {
	for slot, d := range []*usbredir.Device{device.POS("P1"), device.ACM("L1"), device.Printer("L1")} {
		conn, err := m.Slot(slot)
		if err != nil {
			return err
		}
		p, err := usbredir.Plug(conn, d)
		if err != nil {
			return err
		}
		defer p.Unplug()
	}
	for _, name := range []string{"0c2e-0b6a-L1", "04b8-0e15-L1"} {
		file := "/dev/carrel/" + name
		if _, err := m.Type(ctx, "for i in $(seq 60); do test -e "+file+" && break; sleep 1; done; stat -Lc '%G %a' "+file+" | grep -qx 'carrel 660'"); err != nil {
			return err
		}
	}
	return nil
}
