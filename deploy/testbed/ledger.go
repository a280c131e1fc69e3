package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// diskSize of the machines: the ledger is some 10 MB with its log.
const diskSize = 48 << 20

// makeDisk gives an image with an empty ext4.
func (b *bench) makeDisk(ctx context.Context) ([]byte, error) {
	file := filepath.Join(b.dir, "disk")
	defer os.Remove(file)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(file, diskSize); err != nil {
		return nil, err
	}
	if _, err := tool(ctx, "mke2fs", "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=0,lazy_journal_init=0", file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// tool runs a program of e2fsprogs.
func tool(ctx context.Context, name string, args ...string) (code int, err error) {
	if path, err := exec.LookPath("/usr/sbin/" + name); err == nil {
		name = path
	}
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		code = ended.ExitCode()
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out[max(0, len(out)-1000):])
	}
	return code, err
}

// verdict is what is left of a ledger after a cut.
type verdict struct {
	lost  []string // loans that were called lent before
	wrong []string // what is not sound
	at    []byte   // the disk, of the first that is not good
}

func (v verdict) good() bool { return len(v.lost) == 0 && len(v.wrong) == 0 }

func (v verdict) String() string {
	return fmt.Sprintf("%d loans lost %v; wrong: %s", len(v.lost), v.lost[:min(len(v.lost), 5)], strings.Join(v.wrong, "; "))
}

// examine brings an image up as a start does: the file system's journal is
// replayed, then the ledger is opened, which replays its log. Every loan of
// lent must be there, and the whole file sound.
func (b *bench) examine(ctx context.Context, image []byte, lent []string) (v verdict, err error) {
	dir, err := os.MkdirTemp(b.fast, "crash")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "image")
	if err := os.WriteFile(file, image, 0o600); err != nil {
		return v, err
	}
	const corrected = 1
	if code, err := tool(ctx, "e2fsck", "-fy", file); err != nil && code > corrected {
		v.wrong = append(v.wrong, err.Error())
	}
	if _, err := tool(ctx, "debugfs", "-R", "rdump / "+dir, file); err != nil {
		return v, err
	}
	if _, err := os.Stat(filepath.Join(dir, "ledger.db")); err != nil {
		v.lost = lent
		return v, nil
	}
	return v, v.read(ctx, filepath.Join(dir, "ledger.db"), lent)
}

func (v *verdict) read(ctx context.Context, ledger string, lent []string) error {
	s, err := sqlite.Open(ctx, ledger)
	if err != nil {
		v.wrong, v.lost = append(v.wrong, err.Error()), lent
		return nil
	}
	defer s.Close()
	wrong, err := s.Check(ctx)
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	v.wrong = append(v.wrong, wrong...)
	for _, item := range lent {
		if _, err := s.Loan(ctx, kiosk.Barcode(item)); err != nil {
			v.lost = append(v.lost, item)
		}
	}
	return ctx.Err()
}
