package metrics

import "testing"

// TestCount: refusals are told by the reasons of the catalogue, whatever comes.
func TestCount(t *testing.T) {
	m := New(status)
	for _, what := range []string{"refused:unknown-card", "refused:unknown-card", "refused:of-tomorrow", "help", "visit", "time:30"} {
		m.Count(what)
	}
	want(t, told(t, m), `carrel_refusals_total{reason="unknown-card"} 2`, `carrel_refusals_total{reason="ask-staff"} 1`, "carrel_help_calls_total 1")
}
