package metrics

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
)

// lately is how many writes the figures of the status are about.
const lately = 100

// disk is what the ledger's disk has had to do since the start.
type disk struct {
	mu     sync.Mutex
	recent []time.Duration // how long the last writes took, in a ring
	stored int             // entries and outcomes
	begun  uint64          // bytes that this process had written when it began to count
}

func newDisk() *disk {
	n, _ := Written()
	return &disk{begun: n}
}

func (d *disk) wrote(took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.recent) < lately {
		d.recent = append(d.recent, took)
	} else {
		d.recent[d.stored%lately] = took
	}
	d.stored++
}

// Disk tells how quickly the disk takes what the ledger writes, and how much
// that is.
func (m *Metrics) Disk() control.Disk {
	m.disk.mu.Lock()
	times, c := slices.Sorted(slices.Values(m.disk.recent)), control.Disk{Stored: m.disk.stored}
	m.disk.mu.Unlock()
	if n := len(times); n > 0 {
		c.Median, c.Worst = times[n/2].Seconds(), times[n-1].Seconds()
	}
	if n, ok := Written(); ok {
		c.Written = n - min(n, m.disk.begun)
	}
	return c
}

// Written is how many bytes this process has had the kernel send to disks
// (proc(5), /proc/pid/io, write_bytes); false where that can't be told.
func Written() (uint64, bool) {
	raw, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(raw)) {
		if n, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			v, err := strconv.ParseUint(strings.TrimSpace(n), 10, 64)
			return v, err == nil
		}
	}
	return 0, false
}

// written tells Prometheus.
func (m *Metrics) written() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "carrel_written_bytes_total",
		Help: "Bytes that the kiosk has written to its disk since the start: over the entries, what a loan costs the card."},
		func() float64 { return float64(m.Disk().Written) })
}
