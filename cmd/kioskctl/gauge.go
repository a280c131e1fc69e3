package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// gauge is a line on the terminal that says how far something is, until
// something else is said.
type gauge struct {
	out   io.Writer // nil: nobody looks
	last  time.Time
	shown bool
}

// newGauge is one on the terminal, if there is one.
func newGauge() *gauge {
	if !isTerminal(os.Stderr) {
		return &gauge{}
	}
	return &gauge{out: os.Stderr}
}

// gaugeStep is the time between two words.
const gaugeStep = 100 * time.Millisecond

func (g *gauge) show(format string, args ...any) {
	if g.out == nil || time.Since(g.last) < gaugeStep {
		return
	}
	g.last, g.shown = time.Now(), true
	fmt.Fprintf(g.out, "\r%s \x1b[K", fmt.Sprintf(format, args...))
}

func (g *gauge) clear() {
	if g.shown {
		fmt.Fprint(g.out, "\r\x1b[K")
		g.shown, g.last = false, time.Time{}
	}
}

func isTerminal(f *os.File) bool {
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0
}
