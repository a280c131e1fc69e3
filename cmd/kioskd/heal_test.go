package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestHalfWrittenConfiguration: a kiosk whose configuration was cut off while
// it was written, or is the package's own again, goes by the last good one, and
// says so to staff.
func TestHalfWrittenConfiguration(t *testing.T) {
	bin, dir, port := kioskd(t), t.TempDir(), freePort(t)
	t.Setenv("STATE_DIRECTORY", dir)
	conf := filepath.Join(t.TempDir(), "kiosk.toml")
	whole := fmt.Sprintf("[kiosk]\nname = \"k\"\ndata = %q\nlisten = \"127.0.0.1:%d\"\n", dir, port)
	for _, text := range []string{whole, whole[:len(whole)/2], "# This kiosk is not set up yet.\n", ""} {
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := started(t, bin, conf, port)
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			needs := strings.Join(func() []string { s := rescuedStatus(t, dir); return s.Needs() }(), "\n")
			kept, _ := os.ReadFile(filepath.Join(dir, keptConfig))
			if strings.Contains(needs, "last good copy") == (text != whole) && string(kept) == whole {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("with %q: needs %q, kept %q", text, needs, kept)
			}
		}
		c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	os.Remove(filepath.Join(dir, keptConfig))
	if out, err := exec.Command(bin, "-config", conf).CombinedOutput(); err == nil {
		t.Errorf("without a copy it starts: %s", out)
	}
}

// TestHungBrowser: the script that starts the browser ends one of which the
// kiosk hears nothing, so that its unit starts it again, and leaves it alone
// while the kiosk is away.
func TestHungBrowser(t *testing.T) {
	if _, err := exec.LookPath("wget"); err != nil {
		t.Skip("wget is missing, of which carrel-browser depends")
	}
	for _, tt := range []struct {
		name            string
		health, display int
		ends            bool
	}{
		{"hung", http.StatusOK, http.StatusServiceUnavailable, true},
		{"well", http.StatusOK, http.StatusOK, false},
		{"away", http.StatusBadGateway, http.StatusServiceUnavailable, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked, begun atomic.Int64
			kiosk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				code := tt.health
				if begun.Add(1) == 1 {
					code = http.StatusOK // it waits for the kiosk first
				} else {
					asked.Add(1)
				}
				if r.URL.Path == "/healthz/display" {
					code = tt.display
				}
				w.WriteHeader(code)
			}))
			defer kiosk.Close()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "chromium"), []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", "../../deploy/browser/browser")
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "CARREL_URL="+kiosk.URL+"/", "RUNTIME_DIRECTORY="+dir, "CARREL_LOOK=0.02")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			defer syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			for !tt.ends && asked.Load() < 20 {
				select {
				case err := <-ended:
					t.Fatalf("a browser that works is ended: %v", err)
				case <-time.After(10 * time.Millisecond):
				}
			}
			if !tt.ends {
				cmd.Process.Signal(syscall.SIGTERM)
			}
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				t.Fatalf("it goes on; asked %d times", asked.Load())
			}
		})
	}
}
