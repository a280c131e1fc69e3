package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
)

// module is what the repository is called in Go.
const module = "github.com/carrel-kiosk/carrel"

// bench is what all steps share: the kernel, the programs, a folder for what
// is made.
type bench struct {
	arch   *vm.Arch
	kernel vm.Kernel
	dir    string // of this run
	tree   string // the repository
	root   []byte // init, modules, library and kioskd
	log    *os.File
	say    func(string, ...any)
	card   string // file with a card's image; empty: none
	fast   string // folder for what is looked at and thrown away

	seed                                 uint64
	realCuts, crashPoints, controlPoints int
}

// prepare fetches the kernel and builds the programs.
func (b *bench) prepare(ctx context.Context) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	if b.kernel, err = vm.FetchKernel(ctx, b.arch, filepath.Join(cache, "carrel-testbed"), b.say); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	b.tree = strings.TrimSpace(string(out))
	if err := b.build(ctx, "guest", "./deploy/testbed/guest", false); err != nil {
		return err
	}
	if err := b.build(ctx, "kioskd", "./cmd/kioskd", true); err != nil {
		return err
	}
	kioskd, err := os.ReadFile(filepath.Join(b.dir, "kioskd"))
	if err != nil {
		return err
	}
	b.root, err = vm.Root(ctx, b.kernel, filepath.Join(b.dir, "guest"), []vm.File{{Path: "bin/kioskd", Mode: 0o755, Data: kioskd}})
	return err
}

// build makes a program for the machine, as the package has it.
func (b *bench) build(ctx context.Context, name, path string, cgo bool, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(b.dir, name)}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, path)...)
	cmd.Dir = b.tree
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+b.arch.Name, "CGO_ENABLED=0")
	if cgo {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=1", "CC="+b.arch.CC)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", path, err, out)
	}
	return nil
}

// overlay makes a file for go build -overlay, which puts other text in the
// place of files of the repository, or adds files to it. By it a kioskd that
// does not sync can be built, without a switch in the one that is shipped.
func (b *bench) overlay(name string, files map[string]string) (string, error) {
	replace := map[string]string{}
	for path, text := range files {
		put := filepath.Join(b.dir, fmt.Sprintf("%s-%s", name, strings.ReplaceAll(path, "/", "-")))
		if err := os.WriteFile(put, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(b.tree, path)] = put
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, name+"-overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}
