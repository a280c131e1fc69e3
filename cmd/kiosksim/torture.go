package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/carrel-kiosk/carrel/cmd/internal/torture"
)

type tortureCmd struct {
	Seeds  int   `help:"How many runs, each under a seed of its own." default:"2000"`
	First  int64 `help:"The first of the seeds." default:"0"`
	Outage bool  `help:"Outage days: three kiosks of a library of 400 patrons are cut off for 5 hours. Each tells its figures."`
	Seed   int64 `help:"Only this one, and tell all that happens." default:"-1"`
}

func (c *tortureCmd) Run() error {
	o := torture.Options{Seeds: c.Seeds, First: uint64(c.First), Outage: c.Outage, Out: os.Stdout, Progress: progress()}
	if c.Seed >= 0 {
		o.First, o.Trace, o.Progress = uint64(c.Seed), true, nil
	}
	return torture.Run(o)
}

// progress is where somebody looks; nil for none.
func progress() io.Writer {
	if _, err := unix.IoctlGetTermios(int(os.Stderr.Fd()), unix.TCGETS); err == nil {
		return os.Stderr
	}
	return nil
}
