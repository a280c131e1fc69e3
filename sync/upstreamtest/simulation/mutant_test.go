package simulation

import (
	"os/exec"
	"regexp"
	"testing"
)

// mutants are faults that can be planted, by their build tags. The files that
// hold them are named for them (mutant.go in the packages of desk and outbox).
var mutants = map[string]string{
	"mutant_resend": "what may have been told is told again without a look",
	"mutant_ack":    "an entry counts as stored before the disk has it",
	"mutant_order":  "entries do not wait for earlier ones of their item",
}

// TestMutantsAreCaught: a simulation that finds nothing says something only if
// it would.
func TestMutantsAreCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the tests again for each fault")
	}
	failure := regexp.MustCompile(`seed \d+: .*`)
	for tag, fault := range mutants {
		out, err := exec.Command("go", "test", "-count=1", "-tags", tag, "-run", "^TestSimulation$", ".", "-seeds", "200").CombinedOutput()
		found := failure.Find(out)
		if err == nil || found == nil {
			t.Errorf("with -tags %s, by which %s, the simulation ended with %v and named no seed:\n%s", tag, fault, err, out)
			continue
		}
		t.Logf("%s: %s", tag, found)
	}
}
