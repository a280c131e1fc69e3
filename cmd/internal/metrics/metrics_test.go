package metrics

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func status(context.Context) (control.Status, error) {
	return control.Status{
		Name: "front", Version: "1", Clock: now, Outbox: 3, Oldest: now.Add(-90 * time.Second), Exception: 2, DiskFree: 1 << 30,
		Upstream: control.Upstream{Driver: "sip2", Up: true}, Faults: []string{"pad: gone"}, Doubt: "1970",
		Devices: []control.Device{{Name: "scanner", Driver: "serialscan", Working: true}, {Name: "pad \"2\"", Driver: "feig", Hung: true}},
	}, nil
}

func told(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("GET /metrics = %d, %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func want(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains("\n"+text, "\n"+l+"\n") {
			t.Errorf("the metrics lack %q:\n%s", l, text)
		}
	}
}

func TestStatus(t *testing.T) {
	m := New(status)
	if wrong, err := testutil.GatherAndLint(m.registry); err != nil || len(wrong) > 0 {
		t.Errorf("by Prometheus's rules: %v, %v", wrong, err)
	}
	want(t, told(t, m), `carrel_ledger_write_seconds_count{result="failed"} 0`, `carrel_info{kiosk="front",upstream="sip2",version="1"} 1`, "carrel_status_ok 1", "carrel_upstream_up 1",
		"carrel_outbox_entries 3", "carrel_outbox_oldest_seconds 90", "carrel_exceptions 2", "carrel_faults 1", "carrel_clock_in_doubt 1",
		`carrel_device_up{device="scanner",driver="serialscan"} 1`, `carrel_device_up{device="pad \"2\"",driver="feig"} 0`,
		`carrel_device_hung{device="scanner",driver="serialscan"} 0`, `carrel_device_hung{device="pad \"2\"",driver="feig"} 1`)
}

// TestNoAnswer: what is not known is left out, and that it is not known is told.
func TestNoAnswer(t *testing.T) {
	text := told(t, New(func(context.Context) (control.Status, error) { return control.Status{Outbox: 3}, errors.New("gone") }))
	want(t, text, "carrel_status_ok 0")
	if strings.Contains(text, "carrel_outbox_entries") {
		t.Errorf("the outbox is told although nobody knows:\n%s", text)
	}
}

// refusing is a ledger whose disk is full.
type refusing struct{ *kiosktest.Memory }

func (refusing) Record(context.Context, kiosk.Entry) error { return errors.New("full") }

func TestLedger(t *testing.T) {
	m, mem := New(status), &kiosktest.Memory{}
	l := m.Ledger(mem)
	e := kiosktest.As(kiosktest.Checkout(1, 1, 1), kiosk.Asked, kiosktest.Morning)
	for _, err := range []error{
		l.Record(t.Context(), e),
		l.Conclude(t.Context(), kiosk.Outcome{Entry: e.ID, State: kiosk.Granted, At: e.At.Add(time.Second)}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Ledger(refusing{mem}).Record(t.Context(), e); err == nil {
		t.Error("an error of the ledger is swallowed")
	}
	text := told(t, m)
	want(t, text, `carrel_entries_total{state="asked"} 1`, `carrel_entries_total{state="granted"} 1`,
		`carrel_ledger_write_seconds_count{result="stored"} 2`, `carrel_ledger_write_seconds_count{result="failed"} 1`)
	for _, private := range []string{string(e.Patron), string(e.Item)} {
		if strings.Contains(text, private) {
			t.Errorf("%s is in the metrics", private)
		}
	}
}
