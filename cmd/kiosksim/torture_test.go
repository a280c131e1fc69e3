package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTorture runs the command as it is built: within a test there is no
// other.
func TestTorture(t *testing.T) {
	sim := filepath.Join(t.TempDir(), "kiosksim")
	if out, err := exec.Command("go", "build", "-o", sim, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for args, want := range map[string]string{
		"torture -seeds 3":         "3 seeds in ",
		"torture -outage -seeds 1": "kiosks cut off for 5h0m0s",
		"torture --seed 1":         "shown lent",
		"torture -seed=1 -oops":    "",
	} {
		out, err := exec.Command(sim, strings.Fields(args)...).CombinedOutput()
		if good := want != ""; (err == nil) != good || !strings.Contains(string(out), want) {
			t.Errorf("kiosksim %s: %v; want %q in %d bytes that end in %q", args, err, want, len(out), out[max(0, len(out)-400):])
		}
	}
}
