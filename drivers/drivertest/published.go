package drivertest

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Published reads a file of what devices are known to say, which lies beside
// the module. Without it a test is skipped, or fails where CARREL_REQUIRE asks
// for it.
func Published(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "testdata", "devices", name))
	if err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal(err)
		}
		t.Skipf("the test data is not here: %v", err)
	}
	return raw
}

// PublishedJSON reads one as JSON.
func PublishedJSON(t testing.TB, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(Published(t, name), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Frame is a line of a file of frames.
type Frame struct {
	Data []byte
	Good bool   // a device takes it
	Note string // what stands beside it
}

// PublishedFrames reads a file of frames, a line each: hex ; ok|bad # note.
func PublishedFrames(t testing.TB, name string) (list []Frame) {
	t.Helper()
	for line := range strings.Lines(string(Published(t, name))) {
		text, note, ok := strings.Cut(line, ";")
		if !ok || strings.HasPrefix(text, "#") {
			continue
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		note = strings.TrimSpace(note)
		list = append(list, Frame{Data: b, Good: strings.HasPrefix(note, "ok"), Note: note})
	}
	return list
}
