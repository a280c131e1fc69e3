package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Versions of the bundles: newer than any that is packed.
const (
	good   = "9000.1" // has one migration more
	broken = "9000.2" // has two more, does them, and ends
)

// brokenMain is put beside kioskd's main by an overlay: what a kiosk can't be
// tried for without being used.
const brokenMain = `package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

func init() {
	if os.Getenv("NOTIFY_SOCKET") == "" || len(os.Args) != 3 {
		return
	}
	if s, err := sqlite.Open(context.Background(), filepath.Join(os.Getenv("STATE_DIRECTORY"), "ledger.db")); err == nil {
		s.Close()
	}
	os.Exit(1)
}
`

// makeStick makes bundles of versions to come and puts them on a USB stick.
func (s *site) makeStick(ctx context.Context) error {
	s.bench.say("  two versions to come, signed, on a USB stick")
	scripts, err := filepath.Glob(filepath.Join(s.tree, "kiosk/sqlite/migration/*.sql"))
	if err != nil {
		return err
	}
	s.migrations = len(scripts)
	migration := func(n int) (string, string) {
		n += len(scripts)
		return fmt.Sprintf("kiosk/sqlite/migration/%04d_bench.sql", n), fmt.Sprintf("CREATE TABLE bench%d(x INTEGER) STRICT;\n", n)
	}
	first, text := migration(1)
	files := map[string]string{first: text}
	if err := s.version(ctx, good, files); err != nil {
		return err
	}
	second, text := migration(2)
	files[second], files["cmd/kioskd/broken.go"] = text, brokenMain
	if err := s.version(ctx, broken, files); err != nil {
		return err
	}
	if err := s.pack(ctx); err != nil {
		return err
	}
	s.stick = filepath.Join(s.dir, "stick.img")
	if err := os.WriteFile(s.stick, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(s.stick, 256<<20); err != nil {
		return err
	}
	_, err = tool(ctx, "mke2fs", "-q", "-F", "-t", "ext4", "-L", "STICK", "-d", filepath.Join(s.dir, "bundles"), s.stick)
	return err
}

// version builds the programs of a version.
func (s *site) version(ctx context.Context, version string, files map[string]string) error {
	overlay, err := s.overlay("v"+version, files)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(s.dir, version), 0o755); err != nil {
		return err
	}
	for _, name := range []string{"kioskd", "kioskctl"} {
		if err := s.build(ctx, filepath.Join(version, name), "./cmd/"+name, true, "-overlay", overlay,
			"-ldflags", "-s -w -X "+module+"/cmd/internal/cli.Version="+version); err != nil {
			return err
		}
	}
	return nil
}

// pack signs the bundles, one with a key that is not the library's, and gives
// the machine what its configuration says of the key.
func (s *site) pack(ctx context.Context) error {
	out := filepath.Join(s.dir, "bundles")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	kioskctl := filepath.Join(s.dir, "kioskctl")
	if err := s.command(ctx, nil, "go", "build", "-o", kioskctl, "./cmd/kioskctl"); err != nil {
		return err
	}
	var said bytes.Buffer
	for _, key := range []string{"foreign", "library"} {
		said.Reset()
		if err := s.command(ctx, &said, kioskctl, "update", "new-key", filepath.Join(s.dir, key)); err != nil {
			return err
		}
	}
	_, config, _ := strings.Cut(said.String(), "\n")
	if err := os.WriteFile(filepath.Join(out, "key.toml"), []byte(config), 0o644); err != nil {
		return err
	}
	for _, b := range []struct{ name, key, version string }{{"good", "library", good}, {"broken", "library", broken}, {"foreign", "foreign", good}} {
		if err := s.command(ctx, nil, kioskctl, "update", "pack", "-key", filepath.Join(s.dir, b.key), "-version", b.version, "-arch", "arm64",
			filepath.Join(s.dir, b.version), filepath.Join(out, b.name+".carrel")); err != nil {
			return err
		}
	}
	return nil
}

// command runs a program on this host.
func (b *bench) command(ctx context.Context, said *bytes.Buffer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = b.tree
	out, err := cmd.CombinedOutput()
	if said != nil {
		said.Write(out)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(append([]string{filepath.Base(name)}, args...), " "), err, out)
	}
	return nil
}

// foreign plugs the stick in, names the library's key, and tries another's bundle.
func (s *site) foreign(ctx context.Context) error {
	if err := s.comes(ctx, "test -b /dev/disk/by-label/STICK"); err != nil {
		return err
	}
	if err := s.each(ctx, "mkdir -p /run/stick && mount -o ro /dev/disk/by-label/STICK /run/stick", "cat /run/stick/key.toml >>/etc/carrel/kiosk.toml"); err != nil {
		return err
	}
	said, err := s.sh(ctx, "! kioskctl update take /run/stick/foreign.carrel")
	if err == nil && !strings.Contains(said, "not signed with a key of this library") {
		err = fmt.Errorf("it says %q", said)
	}
	if err != nil {
		return err
	}
	return s.each(ctx, "kioskctl status", "test ! -e /var/lib/carrel-update/current")
}

// runs sees that a version runs, and its program.
func (s *site) runs(ctx context.Context, version string) error {
	path := "/usr/bin/kioskd"
	if version != "" {
		path = "/var/lib/carrel-update/versions/" + version + "/kioskd"
	}
	return s.comes(ctx, "test $(readlink /proc/$(systemctl show -P MainPID kioskd)/exe) = "+path+" && systemctl is-active -q kioskd && kioskctl status && test ! -e /var/lib/carrel-update/pending.json")
}

// ledgerIs sees how many migrations the ledger has had beyond this tree's.
func (s *site) ledgerIs(ctx context.Context, more int) error {
	// PRAGMA user_version is in the four bytes from 60 on (sqlite.org/fileformat2.html).
	_, err := s.sh(ctx, fmt.Sprintf("systemctl stop kioskd; v=$(od -An -t u1 -j 63 -N 1 /var/lib/carrel/ledger.db); systemctl start kioskd; echo version $v; test $v = %d", s.migrations+more))
	return err
}

// updated puts a bundle where its unit finds it.
func (s *site) updated(ctx context.Context) error {
	s.cancel()
	if err := s.each(ctx, "cp /run/stick/good.carrel /var/lib/carrel/update.part", "mkdir -p /var/lib/carrel/update && mv /var/lib/carrel/update.part /var/lib/carrel/update/next.carrel"); err != nil {
		return err
	}
	if err := s.comes(ctx, "test ! -e /var/lib/carrel/update/next.carrel && ! systemctl -q is-active carrel-update.service"); err != nil {
		return err
	}
	if err := s.runs(ctx, good); err != nil {
		said, _ := s.sh(ctx, "journalctl -b -u carrel-update -u kioskd -n 40 --no-hostname")
		return fmt.Errorf("%w\n%s", err, said)
	}
	if err := s.ledgerIs(ctx, 1); err != nil {
		return err
	}
	return s.knows(ctx)
}

// refuses starts the package's own program with the ledger of the new one.
func (s *site) refuses(ctx context.Context) error {
	s.cancel()
	if err := s.each(ctx, "systemctl stop kioskd"); err != nil {
		return err
	}
	said, err := s.sh(ctx, "! setpriv --reuid carrel --regid carrel --init-groups timeout 60 /usr/bin/kioskd -config /etc/carrel/kiosk.toml 2>&1")
	s.bench.say("    it says: %s", said)
	if err == nil && (!strings.Contains(said, "newer") || strings.Contains(said, "panic")) {
		err = fmt.Errorf("not in clear words: %q", said)
	}
	if err != nil {
		return err
	}
	if err := s.each(ctx, "systemctl start kioskd"); err != nil {
		return err
	}
	return s.runs(ctx, good)
}

// goesBack takes the version that does not start.
func (s *site) goesBack(ctx context.Context) error {
	// It may take as long as its unit may.
	if err := s.each(ctx, "{ (kioskctl update take /run/stick/broken.carrel >/run/took 2>&1; echo ended $? >>/run/took) & }"); err != nil {
		return err
	}
	if err := s.comes(ctx, "grep -q '^ended' /run/took"); err != nil {
		return err
	}
	said, err := s.sh(ctx, "cat /run/took")
	s.bench.say("    it says: %s", strings.ReplaceAll(said, "\n", "\n             "))
	if err == nil && (!strings.Contains(said, "version "+good+" runs again") || !strings.Contains(said, "ended 1")) {
		err = fmt.Errorf("it says %s", said)
	}
	if err != nil {
		return err
	}
	if err := s.runs(ctx, good); err != nil {
		return err
	}
	if err := s.ledgerIs(ctx, 1); err != nil {
		return err
	}
	return s.knows(ctx)
}

// cutUpdate takes it once more, and stays until the new version was switched to.
func (s *site) cutUpdate(ctx context.Context) error {
	return s.each(ctx, "{ kioskctl update take /run/stick/broken.carrel >/run/took 2>&1 & }",
		"for n in $(seq 1500); do readlink /var/lib/carrel-update/current | grep -q "+broken+" && break; sleep 0.1; done",
		"test -e /var/lib/carrel-update/pending.json")
}

// resumed waits until the unit that does so has ended the update.
func (s *site) resumed(ctx context.Context) error {
	if err := s.comes(ctx, "systemctl show -P ActiveState carrel-update-resume | grep -Eq 'inactive|failed' && test ! -e /var/lib/carrel-update/pending.json"); err != nil {
		return err
	}
	said, err := s.sh(ctx, "journalctl -b -u carrel-update-resume --no-hostname -o cat")
	s.bench.say("    it says: %s", strings.ReplaceAll(said, "\n", "\n             "))
	if err != nil {
		return err
	}
	if err := s.runs(ctx, good); err != nil {
		return err
	}
	return s.ledgerIs(ctx, 1)
}
