package sqlite

import (
	"os"
	"testing"
)

// children are what this test binary does when it is started by a test as a
// process of its own; CARREL_CHILD names one.
var children = map[string]func(path string) error{
	"record": recordUntilKilled,
	"limit":  recordUpToLimit,
	"hold":   holdOpen,
	"scan":   scanUntilKilled,
}

func TestMain(m *testing.M) {
	if do := children[os.Getenv("CARREL_CHILD")]; do != nil {
		if err := do(os.Getenv("CARREL_PATH")); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
