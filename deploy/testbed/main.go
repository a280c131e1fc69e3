// Testbed boots real kernels, plugs emulated USB devices into them and pulls
// their plugs, and tells whether what Carrel claims holds there.
//
//	go run ./deploy/testbed -quick    what CI runs: some minutes
//	go run ./deploy/testbed -full     all of it: an hour and more
//
// It takes Debian, QEMU and the cross compiler; what is missing it says, with
// exit code 3.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
)

const exitMissing = 3

func main() {
	quick := flag.Bool("quick", false, "a few power cuts and some crash points")
	full := flag.Bool("full", false, "100 power cuts and 1,000 crash points")
	only := flag.String("only", "", "these `steps` alone, with commas between them: devices, cuts, controls, card")
	image := flag.String("image", "", "`file` with a card's image, for the step card")
	arch := flag.String("arch", "arm64", "of the `machine`: arm64 or amd64")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what happens by lot")
	verbose := flag.Bool("v", false, "show the machines' consoles")
	flag.Parse()
	a := vm.ArchNamed(*arch)
	if *quick == *full || flag.NArg() > 0 || a == nil {
		flag.Usage()
		os.Exit(2)
	}
	if err := a.Missing(); err != nil {
		fmt.Fprintln(os.Stderr, "testbed: skipped:", err)
		os.Exit(exitMissing)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	b := &bench{arch: a, seed: *seed, card: *image}
	b.realCuts, b.crashPoints, b.controlPoints = 3, 120, 10
	if *full {
		b.realCuts, b.crashPoints, b.controlPoints = 100, 1000, 50
	}
	if *verbose {
		b.log = os.Stderr
	}
	if err := b.run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		stop()
		os.Exit(1)
	}
}

// run does the steps; one that fails keeps none of the others.
func (b *bench) run(ctx context.Context, only string) (err error) {
	begin := time.Now()
	b.say = func(format string, a ...any) {
		fmt.Printf("%6.1f s  %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, a...))
	}
	b.fast = memory()
	if b.dir, err = os.MkdirTemp("", "testbed"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.prepare(ctx); err != nil {
		return err
	}
	b.say("%s, kioskd built for %s, a first root of %.1f MB; -seed %d", b.kernel.Package, b.arch.Name, float64(len(b.root))/1e6, b.seed)
	var failed []string
	var errs []error
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"devices", b.devices}, {"cuts", b.cuts}, {"controls", b.controls}, {"card", b.cards}} {
		if only != "" && !strings.Contains(","+only+",", ","+step.name+",") {
			continue
		}
		b.say("%s", step.name)
		err := step.do(ctx)
		if errors.Is(err, vm.ErrLate) && ctx.Err() == nil && step.name != "cuts" { // which makes single cuts again
			b.say("%s: once more, since a wait ran out, which a busy host can cause: %v", step.name, err)
			err = step.do(ctx)
		}
		if err != nil {
			failed, errs = append(failed, step.name), append(errs, fmt.Errorf("%s: %w", step.name, err))
			b.say("%s: FAILED: %v", step.name, err)
		}
	}
	if len(failed) == 0 {
		b.say("all good")
		return nil
	}
	return errors.Join(errs...)
}

// memory is a folder in memory with room for what is looked at and thrown away,
// or empty, which stands for an ordinary one.
func memory() string {
	const dir, room = "/dev/shm", 4 * diskSize
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil || s.Bavail*uint64(s.Bsize) < room {
		return ""
	}
	return dir
}
