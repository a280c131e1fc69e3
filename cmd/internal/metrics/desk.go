package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// atDesk counts what happens at the desk, also before anything is recorded.
type atDesk struct {
	refusals *prometheus.CounterVec
	calls    prometheus.Counter
}

func newAtDesk() *atDesk {
	return &atDesk{
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "carrel_refusals_total",
			Help: "Times since the start that a patron was told no, by reason; also before anything is recorded, as for a card that nobody has."}, []string{"reason"}),
		calls: prometheus.NewCounter(prometheus.CounterOpts{Name: "carrel_help_calls_total", Help: "Times since the start that somebody at the kiosk has called for help."}),
	}
}

// Count takes what has happened at the desk, as a kiosk.Tally names it.
func (m *Metrics) Count(what string) {
	if why, ok := (kiosk.Count{What: what}).Refused(); ok {
		m.atDesk.refusals.WithLabelValues(string(kiosk.RefusalOf(why).Reason)).Inc()
	} else if what == kiosk.CountHelp {
		m.atDesk.calls.Inc()
	}
}
