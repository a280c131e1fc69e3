// Package metrics tells Prometheus how a kiosk is, and how quickly its disk
// takes a loan. No patron and no item is in it.
//
// What a kiosk knows about itself is asked for when somebody collects it; only
// what is gone after the moment, as how long a write took, is counted here as
// it happens. Names and units follow Prometheus's rules
// (https://prometheus.io/docs/practices/naming/); deploy/grafana shows them.
package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// patience is how long a kiosk is asked about itself.
const patience = 5 * time.Second

// Metrics are those of one kiosk.
type Metrics struct {
	registry *prometheus.Registry
	entries  *prometheus.CounterVec
	writes   *prometheus.HistogramVec
	disk     *disk
	atDesk   *atDesk
}

// New makes the metrics of a kiosk whose status can be asked for.
func New(status func(context.Context) (control.Status, error)) *Metrics {
	m := &Metrics{
		disk:     newDisk(),
		atDesk:   newAtDesk(),
		registry: prometheus.NewRegistry(),
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "carrel_entries_total",
			Help: "States that entries have reached since the start: what was lent, returned and renewed, and what came of it."}, []string{"state"}),
		writes: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "carrel_ledger_write_seconds",
			Help:    "Time until an entry or its outcome is on disk and synced.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5}}, []string{"result"}),
	}
	for _, result := range []string{"stored", "failed"} {
		m.writes.WithLabelValues(result) // told from the start: the first one that fails is an increase
	}
	m.registry.MustRegister(m.entries, m.writes, m.written(), m.atDesk.refusals, m.atDesk.calls, &collector{status},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2, Timeout: 2 * patience})
}

// Ledger is l, and counts what is written.
func (m *Metrics) Ledger(l kiosk.Ledger) kiosk.Ledger { return counting{l, m} }

type counting struct {
	kiosk.Ledger
	m *Metrics
}

// Record is kiosk.Ledger's.
func (c counting) Record(ctx context.Context, e kiosk.Entry) error {
	begin := time.Now()
	err := c.Ledger.Record(ctx, e)
	c.m.wrote(e.State, time.Since(begin), err)
	return err
}

// Conclude is kiosk.Ledger's.
func (c counting) Conclude(ctx context.Context, o kiosk.Outcome) error {
	begin := time.Now()
	err := c.Ledger.Conclude(ctx, o)
	c.m.wrote(o.State, time.Since(begin), err)
	return err
}

// Probe tells whether the ledger takes writes.
func (c counting) Probe(ctx context.Context) error {
	if p, ok := c.Ledger.(interface{ Probe(context.Context) error }); ok {
		return p.Probe(ctx)
	}
	return nil
}

func (m *Metrics) wrote(s kiosk.State, took time.Duration, err error) {
	result := "stored"
	if err != nil {
		result = "failed"
	} else {
		m.entries.WithLabelValues(string(s)).Inc()
		m.disk.wrote(took)
	}
	m.writes.WithLabelValues(result).Observe(took.Seconds())
}
