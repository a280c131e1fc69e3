package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/deploy/testbed/device"
	"github.com/carrel-kiosk/carrel/deploy/testbed/usbredir"
	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// bootAt is where the first part of a card begins, in bytes (deploy/image/build).
const bootAt = 8192 * 512

// more is how much larger the bench's card is than the image.
const more = 768 << 20

// site is a machine that starts from a card, with the library's system outside.
// A shell on its serial line, which only the kernel's words open, looks at it.
type site struct {
	*bench
	*desk
	card, stick string // files
	kernel      vm.Kernel
	root        string // initrd
	ils         *upstreamtest.ILS
	upstream    int // port
	scanner     plugged
	lent        int // loans, each of another item
	migrations  int // of the ledger, in this tree
}

type part struct {
	what string
	do   func(context.Context) error
}

// cards is the step with the image of a card: systemd, udev and the package as
// they are on a kiosk. The kernel and its initrd are those on the card.
func (b *bench) cards(ctx context.Context) error {
	if b.card == "" {
		b.say("  skipped: -image FILE names no image; deploy/image/build makes one")
		return nil
	}
	if b.arch.Name != "arm64" {
		b.say("  skipped: a card is for arm64")
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &site{bench: b, ils: upstreamtest.New(upstreamtest.Rules{Days: 21})}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- sip2.Serve(ctx, ln, s.ils, sip2.ServerConfig{Open: true}) }()
	defer func() { cancel(); <-served }()
	s.upstream = ln.Addr().(*net.TCPAddr).Port
	s.ils.AddPatron(kiosk.Patron{Card: kiosk.Card(card(1)), FirstName: "Reader", FamilyName: "One"}, "")
	for n := range 60 {
		s.ils.AddItems(kiosk.Item{Barcode: kiosk.Barcode(item(n)), Title: fmt.Sprintf("Book %d", n), Status: kiosk.StatusAvailable})
	}
	if err := s.unpack(ctx); err != nil {
		return err
	}
	if err := s.makeStick(ctx); err != nil {
		return err
	}
	for n, parts := range [][]part{
		{
			{"systemd is up, no unit has failed, and kioskd has said that it is ready", s.unitsRun},
			{"the root is read-only, the data has its own part, which has grown to the card's end", s.rootReadOnly},
			{"udev names a scanner and a printer, and lets only the kiosk open them", s.udevNames},
			{"with the code on its screen the page tries the scanner and the library's system, and sets the kiosk up", s.firstStart},
			{"a loan from the scanner to the library's system outside", s.loan},
			{"what README.md says to look at: doctor, status, the copy of the ledger", s.lookedAt},
			{"it asks anew, and takes a configuration that is written by hand", s.byHand},
			{"kioskd hangs, and the watchdog has another one run", s.watchdog},
		},
		{
			{"after its power was cut it starts as before", s.unitsRun},
			{"and knows its loans", s.knows},
			{"a bundle that another key has signed is refused", s.foreign},
			{"a signed bundle is taken by its unit, with a newer ledger", s.updated},
			{"the program of before refuses that ledger", s.refuses},
			{"an update that does not start goes back by itself, with its ledger", s.goesBack},
			{"the power is cut in the middle of an update", s.cutUpdate},
		},
		{
			{"the next start ends that update, and goes back", s.resumed},
			{"with every loan", s.knows},
		},
	} {
		if err := s.life(ctx, n, parts); err != nil {
			return fmt.Errorf("start %d: %w", n+1, err)
		}
	}
	return nil
}

// life is one start of the machine, up to a cut of its power.
func (s *site) life(ctx context.Context, n int, parts []part) error {
	begin := time.Now()
	m, err := vm.Start(ctx, vm.Config{Kernel: s.kernel, Root: s.root, Memory: 1024, Slots: 3, Card: s.card, Stick: s.stick, Web: webPort, Log: s.console(),
		Append: "root=LABEL=root ro systemd.show_status=1 systemd.debug_shell=ttyAMA0 systemd.mask=serial-getty@ttyAMA0.service", Up: "Welcome to"})
	if err != nil {
		return err
	}
	s.desk = &desk{VM: m, more: make(chan struct{}), cancel: func() {}}
	defer s.cut()
	if err := m.Shell(ctx); err != nil {
		return err
	}
	// A shell without its line editor: what it is told and says are lines.
	if err := s.each(ctx, "set +o emacs +o vi; PS1=", "stty -echo cols 500; export PAGER=cat SYSTEMD_PAGER=cat SYSTEMD_COLORS=0"); err != nil {
		return err
	}
	// Until then an update that was interrupted is ended too. systemd's own words
	// on the console are not waited for: it stops to say them at times.
	if err := s.comes(ctx, "systemctl is-system-running | grep -Eqx 'running|degraded'"); err != nil {
		return err
	}
	for _, slot := range []struct {
		n   int
		dev *usbredir.Device
	}{{0, device.POS("P1")}, {1, device.Printer("L1")}} {
		if _, err := s.plug(slot.n, slot.dev); err != nil {
			return err
		}
	}
	d := device.ACM("L1")
	s.scanner = plugged{slot: 2, device: d, line: device.NewLine(d)}
	if err := s.scanner.in(s.desk); err != nil {
		return err
	}
	s.say("  start %d: up in %.1f s", n+1, time.Since(begin).Seconds())
	for _, p := range parts {
		begin := time.Now()
		if err := p.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.what, err)
		}
		s.say("  %s: yes, %.1f s", p.what, time.Since(begin).Seconds())
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

// unpack copies the image onto a larger card, and takes kernel and initrd from it.
func (s *site) unpack(ctx context.Context) error {
	s.bench.say("  a card from %s", s.bench.card)
	s.card = filepath.Join(s.dir, "card")
	for _, c := range [][]string{
		{"cp", "--sparse=always", s.bench.card, s.card},
		{"truncate", "-s", fmt.Sprintf("+%d", more), s.card},
		{"mcopy", "-n", "-i", fmt.Sprintf("%s@@%d", s.card, bootAt), "::/vmlinuz", "::/initrd.img", s.dir},
	} {
		if out, err := exec.CommandContext(ctx, c[0], c[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", c[0], err, out)
		}
	}
	s.kernel, s.root = vm.Kernel{Arch: s.arch, Image: filepath.Join(s.dir, "vmlinuz")}, filepath.Join(s.dir, "initrd.img")
	return nil
}

// sh has the machine do something that must work, and gives what it says.
func (s *site) sh(ctx context.Context, command string) (string, error) {
	said, err := s.Type(ctx, command)
	return strings.Join(said, "\n"), err
}

// each does several things, all of which must work.
func (s *site) each(ctx context.Context, commands ...string) error {
	for _, c := range commands {
		if _, err := s.sh(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// comes waits until a command works.
func (s *site) comes(ctx context.Context, command string) error {
	for end := time.Now().Add(2 * vm.Patience); ; time.Sleep(500 * time.Millisecond) {
		_, err := s.sh(ctx, command)
		if err == nil || ctx.Err() != nil || errors.Is(err, vm.ErrLate) {
			return err
		}
		if time.Now().After(end) {
			return errors.Join(vm.ErrLate, err)
		}
	}
}

// unitsRun sees that systemd has started all it is to start.
func (s *site) unitsRun(ctx context.Context) error {
	if _, err := s.sh(ctx, "systemctl is-system-running"); err != nil {
		failed, _ := s.sh(ctx, "systemctl list-units --failed --plain --no-legend; journalctl -b -p warning -n 30 --no-hostname")
		return fmt.Errorf("%w: %s", err, failed)
	}
	return s.each(ctx, "systemctl is-active kioskd.service", "test $(systemctl show -P Type kioskd) = notify",
		"systemctl show -P StatusText kioskd | grep -q .", "test $(systemctl show -P WatchdogTimestampMonotonic kioskd) -gt 0",
		"test $(stat -c %U /proc/$(systemctl show -P MainPID kioskd)) = carrel")
}

func (s *site) rootReadOnly(ctx context.Context) error {
	return s.each(ctx, "! touch /usr/bin/x 2>/dev/null", "findmnt -no OPTIONS / | grep -qw ro",
		"for f in /var/lib/carrel /var/lib/carrel-update /etc/carrel; do findmnt -no SOURCE $f | grep -q /vda3 || exit 1; done",
		fmt.Sprintf("test $(findmnt -bno SIZE /data) -gt %d", more))
}

func (s *site) udevNames(ctx context.Context) error {
	for _, name := range []string{"0c2e-0b6a-L1", "04b8-0e15-L1"} {
		file := "/dev/carrel/" + name
		if err := s.comes(ctx, "test -e "+file); err != nil {
			return err
		}
		if _, err := s.sh(ctx, "stat -Lc '%G %a' "+file+" | grep -qx 'carrel 660'"); err != nil {
			return err
		}
	}
	return nil
}

// lookedAt does what staff is told to do.
func (s *site) lookedAt(ctx context.Context) error {
	// How quick the disk is depends on this host.
	said, err := s.sh(ctx, "kioskctl doctor >/run/doctor; ! grep BAD /run/doctor | grep -v 'disk flush'")
	if err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return s.each(ctx, "kioskctl status", "kioskctl devices", "kioskctl outbox", "systemctl start carrel-backup.service",
		"test -s /var/lib/carrel/backup/ledger-$(date +%a).db", "kioskd -check")
}

// watchdog stops the process, as a hang does.
func (s *site) watchdog(ctx context.Context) error {
	s.cancel() // the screen is not followed through this
	if err := s.each(ctx, "was=$(systemctl show -P MainPID kioskd)", "kill -STOP $was"); err != nil {
		return err
	}
	if err := s.comes(ctx, "test $(systemctl show -P MainPID kioskd) != $was && systemctl is-active -q kioskd && kioskctl status >/dev/null"); err != nil {
		return err
	}
	if _, err := s.sh(ctx, "journalctl -b -u kioskd | grep -qi 'watchdog timeout'"); err != nil {
		return err
	}
	if err := s.watch(ctx); err != nil {
		return err
	}
	return s.loan(ctx)
}
