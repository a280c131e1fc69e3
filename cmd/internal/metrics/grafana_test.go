package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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
	m.Count("refused:unknown-card")
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

// panel is one of the dashboard's.
type panel struct {
	Title, Description string
	Targets            []struct{ Expr string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(grafana, "kiosks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct{ Panels []panel }
	if err := json.Unmarshal(raw, &board); err != nil || len(board.Panels) == 0 {
		t.Fatalf("%d panels, %v", len(board.Panels), err)
	}
	return board.Panels
}

// TestDashboard: each of its panels asks for something that a kiosk tells, and
// says what; and what a kiosk tells is looked at by a panel or an alert.
func TestDashboard(t *testing.T) {
	rules, err := os.ReadFile(filepath.Join(grafana, "rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	looked := string(rules)
	for _, p := range panels(t) {
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %+v lacks something", p)
		}
		for _, target := range p.Targets {
			knows(t, p.Title, target.Expr)
			looked += target.Expr
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (carrel_\w+)`).FindAllStringSubmatch(all(t), -1) {
		if !strings.Contains(looked, m[1]) {
			t.Errorf("%s is told, and nobody looks at it", m[1])
		}
	}
}

// grafana is the folder of what is tested here.
const grafana = "../../../deploy/grafana"

// promtool runs it in a folder, and skips the test where there is none.
func promtool(t *testing.T, folder string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "promtool") {
			t.Fatal(err)
		}
		t.Skip("promtool is missing: apt-get install prometheus; it would have tried the queries and the rules")
	}
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// sampled is a line of what a kiosk tells: a name, its labels and the number.
var sampled = regexp.MustCompile(`^((?:carrel|process)_\w+)(?:\{(.*)\})? (\S+)\n$`)

// recorded is what Prometheus would have of a kiosk after some minutes, in the
// notation of promtool: by series its values, one a minute.
func recorded(t *testing.T, minutes int) map[string][]string {
	t.Helper()
	m, series := New(status), map[string][]string{}
	l := m.Ledger(&kiosktest.Memory{})
	for minute := range minutes {
		m.Count("refused:unknown-card")
		m.Count(kiosk.CountHelp)
		if err := l.Record(t.Context(), kiosktest.As(kiosktest.Checkout(minute+1, 1, minute+1), kiosk.Offline, kiosktest.Morning)); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(told(t, m)) {
			m := sampled.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			n, err := strconv.ParseFloat(m[3], 64)
			if err != nil {
				t.Fatal(err)
			}
			labels := []string{`instance="front:8480",job="carrel"`}
			if m[2] != "" {
				labels = append(labels, m[2])
			}
			name := m[1] + "{" + strings.Join(labels, ",") + "}"
			for len(series[name]) < minute {
				series[name] = append(series[name], "_")
			}
			series[name] = append(series[name], strconv.FormatFloat(n, 'f', -1, 64))
		}
	}
	return series
}

// TestDashboardShows runs each query of the dashboard over a recording of what a
// kiosk tells: each gives numbers.
func TestDashboardShows(t *testing.T) {
	const minutes = 20
	type series struct {
		Series string `json:"series"`
		Values string `json:"values"`
	}
	type sample struct {
		Labels string `json:"labels"`
		Value  int    `json:"value"`
	}
	type query struct {
		Expr    string   `json:"expr"`
		At      string   `json:"eval_time"`
		Samples []sample `json:"exp_samples"`
	}
	var test struct {
		Interval string   `json:"interval"`
		Input    []series `json:"input_series"`
		Queries  []query  `json:"promql_expr_test"`
	}
	test.Interval = "1m"
	for name, values := range recorded(t, minutes) {
		test.Input = append(test.Input, series{name, strings.Join(values, " ")})
	}
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			expr := strings.ReplaceAll(target.Expr, "$kiosk", ".*")
			if strings.Contains(expr, "$") {
				t.Errorf("%s: %s asks with a variable that the test does not know", p.Title, target.Expr)
			}
			// What is no number is not what it is.
			test.Queries = append(test.Queries, query{fmt.Sprintf("count((%s) == (%[1]s)) >= bool 1", expr), fmt.Sprintf("%dm", minutes-1), []sample{{"{}", 1}}})
		}
	}
	raw, err := json.Marshal(map[string]any{"evaluation_interval": "1m", "tests": []any{test}}) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shows.yml"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, dir, "test", "rules", "shows.yml")
}

// TestRules: each alert asks for what a kiosk tells, and is tried in
// rules_test.yml: that it comes, and that it does not.
func TestRules(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(grafana, "rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	exprs := regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllStringSubmatch(string(raw), -1)
	for _, m := range exprs {
		if !strings.HasPrefix(m[1], "up{") { // Prometheus's own
			knows(t, "rules.yml", m[1])
		}
	}
	tests, err := os.ReadFile(filepath.Join(grafana, "rules_test.yml"))
	if err != nil {
		t.Fatal(err)
	}
	alerts := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(string(raw), -1)
	for _, a := range alerts {
		named := regexp.MustCompile(`alertname: `+a[1]+`\n +eval_time: \w+\n( +exp_alerts:)?`).FindAllStringSubmatch(string(tests), -1)
		if len(named) != 2 || (named[0][1] == "") == (named[1][1] == "") {
			t.Errorf("%s is tried %d times; want once that it comes and once that it does not", a[1], len(named))
		}
	}
	if len(alerts) != len(exprs) || len(alerts) == 0 {
		t.Errorf("%d alerts, %d expressions", len(alerts), len(exprs))
	}
	promtool(t, grafana, "check", "rules", "rules.yml")
	promtool(t, grafana, "test", "rules", "rules_test.yml")
}
