// Debian makes the packages of Carrel, from the root of its source:
//
//	go run ./deploy/debian [-out DIR] [TARGET...]
//
// TARGET is amd64, arm64, armhf (ARMv7, for which cgo needs Debian's cross
// compilers, as for arm64) or armv6 (for Pi 1 and Zero, without HID); without
// one, all are made, and carrel-browser, which is for every machine. The same
// source and toolchain give the same bytes: every time in a package is that of
// the newest entry in changelog.
//
// What lies where is in tree.go; dpkg-deb packs it (deb(5)).
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// target is a kind of machine.
type target struct {
	name, arch    string // Debian's
	goarch, goarm string
	cc            string // empty: without cgo
}

// libc is what cgo links to, and from which version on.
const libc = "libc6 (>= 2.34)"

var targets = []target{
	{"amd64", "amd64", "amd64", "", "gcc"},
	{"arm64", "arm64", "arm64", "", "aarch64-linux-gnu-gcc"},
	{"armhf", "armhf", "arm", "7", "arm-linux-gnueabihf-gcc"},
	{"armv6", "armhf", "arm", "6", ""},
}

func main() {
	out := flag.String("out", "dist", "folder for the packages")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "debian:", err)
		os.Exit(1)
	}
}

func run(out string, names []string) error {
	root, err := source()
	if err != nil {
		return err
	}
	c, err := readChange(filepath.Join(root, "deploy/debian/changelog"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, n := range names {
		if n != "all" && !slices.ContainsFunc(targets, func(t target) bool { return t.name == n }) {
			return fmt.Errorf("no target %s; there are amd64, arm64, armhf, armv6, and all for carrel-browser", n)
		}
	}
	wanted := func(name string) bool { return len(names) == 0 || slices.Contains(names, name) }
	b := &builder{root: root, out: out, change: c}
	for _, t := range targets {
		if wanted(t.name) {
			if err := b.kiosk(t); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	if wanted("all") {
		return b.browser()
	}
	return nil
}

// source is the root of the source around the working directory.
func source() (string, error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(mod)))
	if _, err := os.Stat(filepath.Join(root, "deploy/debian/control")); err != nil {
		return "", fmt.Errorf("this is not Carrel's source: %w", err)
	}
	return root, nil
}

// compile builds a program for a target.
func (b *builder) compile(t target, name, to string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -buildid= -X github.com/carrel-kiosk/carrel/cmd/internal/cli.Version="+b.change.version, "-o", to, "./cmd/"+name)
	cmd.Dir = b.root
	cgo := "0"
	if t.cc != "" {
		cgo = "1"
		cmd.Args = slices.Insert(cmd.Args, 2, "-buildmode=pie") // the loader is there anyway
	}
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+t.goarch, "GOARM="+t.goarm, "CGO_ENABLED="+cgo, "CC="+cmp.Or(t.cc, "gcc"))
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", name, err, said)
	}
	return nil
}
