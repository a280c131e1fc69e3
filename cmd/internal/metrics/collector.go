package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
)

// collector asks for the status whenever somebody collects.
type collector struct {
	status func(context.Context) (control.Status, error)
}

// gauges are what a status says in one number each.
var gauges = []struct {
	desc  *prometheus.Desc
	value func(*control.Status) float64
}{
	{desc("carrel_upstream_up", "1 while the library's system can be reached, 0 while not or where there is none."),
		func(s *control.Status) float64 { return yes(s.Upstream.Up) }},
	{desc("carrel_outbox_entries", "Entries that the library's system has not confirmed yet."),
		func(s *control.Status) float64 { return float64(s.Outbox) }},
	{desc("carrel_outbox_oldest_seconds", "Age of the oldest of them; 0 if there is none."),
		func(s *control.Status) float64 { return age(s.Oldest, s.Clock) }},
	{desc("carrel_exceptions", "Entries that wait for a person to settle them."),
		func(s *control.Status) float64 { return float64(s.Exception) }},
	{desc("carrel_tag_work", "Tags whose security is not yet what the ledger says."),
		func(s *control.Status) float64 { return float64(s.Work) }},
	{desc("carrel_faults", "Faults that are shown to staff."),
		func(s *control.Status) float64 { return float64(len(s.Faults)) }},
	{desc("carrel_clock_in_doubt", "1 while the clock is not trusted."),
		func(s *control.Status) float64 { return yes(s.Doubt != "") }},
	{desc("carrel_entries_in_doubt", "Entries whose time is not to be trusted."),
		func(s *control.Status) float64 { return float64(s.Doubtful) }},
	{desc("carrel_data_free_bytes", "Room left on the disk of the ledger."),
		func(s *control.Status) float64 { return float64(s.DiskFree) }},
	{desc("carrel_mirror_items", "Items in the mirror of the catalogue."),
		func(s *control.Status) float64 { return float64(s.Items) }},
	{desc("carrel_mirror_patrons", "Patrons in the mirror."),
		func(s *control.Status) float64 { return float64(s.Patrons) }},
	{desc("carrel_mirror_loans", "Open loans in the mirror."),
		func(s *control.Status) float64 { return float64(s.Loans) }},
}

var (
	asked  = desc("carrel_status_ok", "1 if the kiosk could be asked about itself: else its ledger does not answer.")
	info   = desc("carrel_info", "What runs here; always 1.", "kiosk", "version", "upstream")
	device = desc("carrel_device_up", "1 while a configured device works.", "device", "driver")
	hung   = desc("carrel_device_hung", "1 while a call to the device does not come back: unplug it and plug it in anew.", "device", "driver")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe is prometheus.Collector's.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, g := range gauges {
		out <- g.desc
	}
	out <- asked
	out <- info
	out <- device
	out <- hung
}

// Collect is prometheus.Collector's. Where the ledger does not answer, what it
// would have said is left out: no number is better than an old one.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := c.status(ctx)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(asked, yes(err == nil))
	if err != nil {
		return
	}
	gauge(info, 1, s.Name, s.Version, s.Upstream.Driver)
	for _, g := range gauges {
		gauge(g.desc, g.value(&s))
	}
	for _, d := range s.Devices { // their names are unique in a configuration
		gauge(device, yes(d.Working), d.Name, d.Driver)
		gauge(hung, yes(d.Hung), d.Name, d.Driver)
	}
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func age(t, now time.Time) float64 {
	if t.IsZero() || now.Before(t) {
		return 0
	}
	return now.Sub(t).Seconds()
}
