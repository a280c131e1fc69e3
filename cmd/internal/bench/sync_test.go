package bench

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSync: what is measured is a drain that has settled everything, and a loop
// that was answered; the test is not of how long it takes.
func TestSync(t *testing.T) {
	for name, serve := range map[string]func(int, time.Duration) *exec.Cmd{"one process": nil, "two": libraryProcess} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			figures, err := Sync(t.Context(), SyncOptions{Dir: t.TempDir(), Entries: 40, Late: []time.Duration{time.Millisecond}, Log: &log, Serve: serve})
			if err != nil {
				t.Fatal(err)
			}
			if len(figures) != 4 {
				t.Fatalf("%d figures; want one for each of two servers and of one and several lines", len(figures))
			}
			for _, f := range figures {
				if f.Value <= 0 || f.Limit <= 0 || f.Aim == 0 {
					t.Errorf("%+v: nothing was measured", f)
				}
			}
			// Each entry is looked up, and told; a loan is looked up by its card too.
			if want := "40 entries, answers after 1ms, 3 connections: "; !strings.Contains(log.String(), want) || !strings.Contains(log.String(), ", 100 questions\n") {
				t.Errorf("the log says %q; want %q and 100 questions", &log, want)
			}
		})
	}
}

// TestSyncSaysWhatIsMissing: a library's system that does not begin is an error,
// not a figure.
func TestSyncSaysWhatIsMissing(t *testing.T) {
	figures, err := Sync(t.Context(), SyncOptions{Dir: t.TempDir(), Entries: 4, Serve: func(int, time.Duration) *exec.Cmd { return exec.Command("true") }})
	if len(figures) > 0 || err == nil || !strings.Contains(err.Error(), "has not begun") {
		t.Errorf("Sync() = %v, %v", figures, err)
	}
}

const libraryEnv = "CARREL_TEST_LIBRARY" // entries, and how late

func libraryProcess(entries int, late time.Duration) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestLibraryProcess$")
	cmd.Env = append(os.Environ(), libraryEnv+"="+strconv.Itoa(entries)+" "+late.String())
	cmd.Stderr = os.Stderr
	return cmd
}

// TestLibraryProcess is the library's system of TestSync, which runs it as a
// process; by itself it is nothing.
func TestLibraryProcess(t *testing.T) {
	n, late, ok := strings.Cut(os.Getenv(libraryEnv), " ")
	if !ok {
		return
	}
	entries, err := strconv.Atoi(n)
	if err != nil {
		t.Fatal(err)
	}
	d, err := time.ParseDuration(late)
	if err != nil {
		t.Fatal(err)
	}
	if err := ServeLibrary(entries, d, os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}
