package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
)

// built is the program, built once for all tests; TestMain removes it.
var built = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "kioskd-test-"); err != nil {
		return "", err
	}
	builtIn = dir
	if out, err := exec.Command("go", "build", "-o", dir, ".").CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

// kioskd is the path of the program.
func kioskd(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "kioskd")
}

// builtIn is the folder that TestMain removes; empty: nothing was built.
var builtIn string

// cutPhoto is a PNG of 8 x 8 pixels that ends behind its head.
var cutPhoto = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x08\x00\x00\x00\x08\x08\x00\x00\x00\x00\xE1\x64\xE1\x57")

func TestUsage(t *testing.T) {
	bin, dir := kioskd(t), t.TempDir()
	t.Setenv("STATE_DIRECTORY", t.TempDir()) // a copy of a good configuration in this machine's would be taken
	good, bad := filepath.Join(dir, "good.toml"), filepath.Join(dir, "bad.toml")
	os.WriteFile(good, fmt.Appendf(nil, "[kiosk]\nname = \"k\"\ndata = %q\n", dir), 0o600)
	os.WriteFile(bad, []byte("[kiosk]\nnmae = \"k\"\n"), 0o600)
	class := filepath.Join(dir, "class.toml")
	os.WriteFile(class, fmt.Appendf(nil, "[kiosk]\nname = \"k\"\ndata = %q\n[screen]\nclass_file = \"class.csv\"\n", dir), 0o600)
	os.WriteFile(filepath.Join(dir, "class.csv"), []byte("1,fox\n2,cut.png\n"), 0o600)
	os.WriteFile(filepath.Join(dir, "cut.png"), cutPhoto, 0o600)
	damaged := class + `: screen.class_file: "class.csv": row 2: "cut.png": the picture is damaged`
	for _, tt := range []struct {
		args string
		exit int
		says string
	}{
		{"-check -config " + good, 0, "no problems"},
		{"-check -config " + bad, 2, bad + ": kiosk.nmae: "},
		{"-config " + bad, 2, bad + ": kiosk.data: "},
		{"-check -config " + class, 2, damaged},
		{"-config " + class, 2, damaged},
		{"-config " + filepath.Join(dir, "none.toml"), 2, "no such file"},
		{"-nonsense", 2, "unknown flag"},
		{"-demo -config " + good, 2, "configuration of its own"},
		{"-listen 127.0.0.1:1 -config " + good, 2, "under [kiosk]"},
		{"-version", 0, "drivers: cfrh320"},
		{"-help", 0, "-demo"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // what serves after all
		out, err := exec.CommandContext(ctx, bin, strings.Fields(tt.args)...).CombinedOutput()
		cancel()
		exit := 0
		if e, ok := err.(*exec.ExitError); ok {
			exit = e.ExitCode()
		}
		if exit != tt.exit || !strings.Contains(string(out), tt.says) {
			t.Errorf("kioskd %s = exit %d, %s; want %d, %q", tt.args, exit, out, tt.exit, tt.says)
		}
	}
}

// TestSignals: SIGHUP takes a new configuration, a bad one changes nothing,
// SIGTERM ends the daemon with 0.
func TestSignals(t *testing.T) {
	bin, dir := kioskd(t), t.TempDir()
	conf := filepath.Join(dir, "kiosk.toml")
	write := func(port int, more string) {
		os.WriteFile(conf, fmt.Appendf(nil, "[kiosk]\nname = \"k\"\ndata = %q\nlisten = \"127.0.0.1:%d\"\n%s", dir, port, more), 0o600)
	}
	first, second := freePort(t), freePort(t)
	write(first, "")
	cmd := exec.Command(bin, "-config", conf)
	said, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd.Stderr = said
	log := func() string {
		text, err := os.ReadFile(said.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	healthy(t, first)
	write(second, "nonsense = 1\n")
	cmd.Process.Signal(syscall.SIGHUP)
	for end := time.Now().Add(time.Minute); !strings.Contains(log(), "the old one goes on"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the bad configuration is not told:\n%s", log())
		}
	}
	healthy(t, first)
	write(second, "")
	cmd.Process.Signal(syscall.SIGHUP)
	healthy(t, second)
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("kioskd ends with %v\n%s", err, log())
	}
}

// freePort is a port that nobody else is given until the test ends.
func freePort(t *testing.T) int {
	t.Helper()
	port, held, err := vm.HoldPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return port
}

func healthy(t *testing.T, port int) {
	t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		var resp *http.Response
		if resp, err = http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", port)); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("readyz: %s", resp.Status)
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatalf("port %d: %v", port, err)
}
