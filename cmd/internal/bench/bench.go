// Package bench measures Carrel beside its limits, in one run and in turns,
// so that a noisy machine disturbs both alike. Read the ratios.
package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Figure is one measured number.
type Figure struct {
	Name  string  `json:"figure"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Limit float64 `json:"limit"` // the limit or the peer, in the same unit; 0 means none
	Ratio float64 `json:"ratio"` // Value / Limit; 0 without a limit
	Aim   float64 `json:"aim"`   // of Ratio if there is a Limit, else of Value; 0 means none
	Met   bool    `json:"met"`
}

// filled computes what follows from the rest.
func (f Figure) filled() Figure {
	f.Met = true
	if f.Limit != 0 {
		f.Ratio = f.Value / f.Limit
	}
	if f.Aim != 0 {
		x := f.Value
		if f.Limit != 0 {
			x = f.Ratio
		}
		f.Met = x <= f.Aim
	}
	return f
}

// Print writes figures for people, or one JSON object a line.
func Print(w io.Writer, asJSON bool, figures []Figure) error {
	for _, f := range figures {
		f = f.filled()
		if asJSON {
			if err := json.NewEncoder(w).Encode(f); err != nil {
				return err
			}
			continue
		}
		line := fmt.Sprintf("%-58s %10.3f %-4s", f.Name, f.Value, f.Unit)
		if f.Limit != 0 {
			line += fmt.Sprintf("  beside %9.3f  = x%.2f", f.Limit, f.Ratio)
		}
		if f.Aim != 0 {
			verdict := "met"
			if !f.Met {
				verdict = "NOT MET"
			}
			line += fmt.Sprintf("  (aim %.3g: %s)", f.Aim, verdict)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// Scratch is a folder for what is measured and removed again: the one for
// temporary files if it is on a disk, else /var/tmp.
func Scratch() string {
	dir := os.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err == nil && (uint32(fs.Type) == unix.TMPFS_MAGIC || uint32(fs.Type) == unix.RAMFS_MAGIC) {
		return "/var/tmp"
	}
	return dir
}

// times is a series of measured times.
type times []time.Duration

// add measures one.
func (t *times) add(do func() error) error {
	from := time.Now()
	err := do()
	*t = append(*t, time.Since(from))
	return err
}

// at gives the p-th percentile in milliseconds.
func (t times) at(p int) float64 {
	if len(t) == 0 {
		return 0
	}
	s := slices.Clone(t)
	slices.Sort(s)
	return float64(s[min(len(s)*p/100, len(s)-1)]) / float64(time.Millisecond)
}

// bare overwrites the same bytes of a file that has them already, and syncs:
// the least that any durable step costs on this disk.
type bare struct {
	f    *os.File
	page []byte
	off  int64
}

// slots is how many places the bare file has; it is written round and round.
const slots = 64

func newBare(dir string, bytes int) (*bare, error) {
	f, err := os.CreateTemp(dir, "bare")
	if err != nil {
		return nil, err
	}
	b := &bare{f: f, page: make([]byte, bytes)}
	for i := range b.page {
		b.page[i] = byte(i)
	}
	for range slots {
		if err := b.write(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *bare) write() error {
	if _, err := b.f.WriteAt(b.page, b.off%slots*int64(len(b.page))); err != nil {
		return err
	}
	b.off++
	return unix.Fdatasync(int(b.f.Fd()))
}

func (b *bare) close() error { return b.f.Close() }
