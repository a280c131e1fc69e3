package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSystemd: the daemon tells systemd that it is ready, that it goes on,
// that it reads its configuration again and lives meanwhile, and that it stops. The test is systemd, on the socket of sd_notify(3).
func TestSystemd(t *testing.T) {
	bin, dir := kioskd(t), t.TempDir()
	conf, socket := filepath.Join(dir, "kiosk.toml"), filepath.Join(dir, "notify")
	os.WriteFile(conf, fmt.Appendf(nil, "[kiosk]\nname = \"k\"\ndata = %q\nlisten = \"127.0.0.1:%d\"\n", dir, freePort(t)), 0o600)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cmd := exec.Command(bin, "-config", conf)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=300000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	hear := func() []string {
		t.Helper()
		buf := make([]byte, 4096)
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("systemd hears nothing: %v", err)
		}
		return strings.Split(string(buf[:n]), "\n")
	}
	next := func(want string) (beats int) {
		t.Helper()
		for got := hear(); !slices.Contains(got, want); got = hear() {
			if !slices.Contains(got, "WATCHDOG=1") {
				t.Fatalf("systemd hears %q; want %s", got, want)
			}
			beats++
		}
		return beats
	}
	next("READY=1")
	next("WATCHDOG=1")
	cmd.Process.Signal(syscall.SIGHUP)
	next("RELOADING=1")
	if next("READY=1") == 0 { // its watchdog goes on meanwhile
		t.Error("systemd hears nothing while the parts are opened again")
	}
	next("WATCHDOG=1")
	cmd.Process.Signal(syscall.SIGTERM)
	next("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("kioskd ends with %v", err)
	}
}
