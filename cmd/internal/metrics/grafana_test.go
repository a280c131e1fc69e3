package metrics

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// all is the text of a kiosk that has done one thing of each kind.
func all(t *testing.T) string {
	t.Helper()
	m := New(status)
	e := kiosktest.As(kiosktest.Checkout(1, 1, 1), kiosk.Offline, kiosktest.Morning)
	if err := m.Ledger(&kiosktest.Memory{}).Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return told(t, m)
}

var metric = regexp.MustCompile(`\b(carrel|process)_\w+`)

// knows fails for each metric in expressions that no kiosk tells.
func knows(t *testing.T, where string, exprs string) {
	t.Helper()
	text := all(t)
	found := metric.FindAllString(exprs, -1)
	if len(found) == 0 {
		t.Errorf("%s names no metric", where)
	}
	for _, name := range found {
		if !strings.Contains(text, "\n"+name+"{") && !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("%s asks for %s, which no kiosk tells", where, name)
		}
	}
}

// TestDashboard: each of its panels shows something, and says what.
func TestDashboard(t *testing.T) {
	raw, err := os.ReadFile("../../../deploy/grafana/kiosks.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(raw, &board); err != nil || len(board.Panels) == 0 {
		t.Fatalf("%d panels, %v", len(board.Panels), err)
	}
	for _, p := range board.Panels {
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %+v lacks something", p)
		}
		for _, target := range p.Targets {
			knows(t, p.Title, target.Expr)
		}
	}
}

func TestRules(t *testing.T) {
	const file = "../../../deploy/grafana/rules.yml"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	exprs := regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllStringSubmatch(string(raw), -1)
	for _, m := range exprs {
		if !strings.HasPrefix(m[1], "up{") { // Prometheus's own
			knows(t, file, m[1])
		}
	}
	if alerts := strings.Count(string(raw), "- alert:"); alerts != len(exprs) {
		t.Errorf("%d alerts, %d expressions", alerts, len(exprs))
	}
	if _, err := exec.LookPath("promtool"); err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "promtool") {
			t.Fatal(err)
		}
		t.Skip("promtool is missing: apt-get install prometheus; it would have checked the rules")
	}
	if out, err := exec.Command("promtool", "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
