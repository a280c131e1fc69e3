package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/demo"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// fresh is a kiosk as the package leaves it, and what is beside it.
type fresh struct {
	t            *testing.T
	url, ils     string
	state, conf  string
	port         int
	scanner      *port.Port
	cmd          *exec.Cmd
	client       *http.Client
	log          string // file
	bin, shipped string
}

// newFresh has a scanner on a pty and a library's system beside the kiosk.
func newFresh(t *testing.T) *fresh {
	t.Helper()
	f := newBare(t)
	lib, err := demo.Load(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ils, err := demo.NewILS(lib, upstreamtest.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := listenLoopback()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- sip2.Serve(t.Context(), ln, ils, sip2.ServerConfig{Institution: demo.Institution}) }()
	t.Cleanup(func() { <-served; ils.Close() })
	f.ils = ln.Addr().String()
	if f.scanner, err = port.Open(filepath.Join(t.TempDir(), "scanner")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.scanner.Close() })
	return f
}

// newBare is the kiosk alone.
func newBare(t *testing.T) *fresh {
	t.Helper()
	f := &fresh{t: t, state: t.TempDir(), port: freePort(t), bin: kioskd(t), log: filepath.Join(t.TempDir(), "log")}
	f.url = fmt.Sprintf("http://127.0.0.1:%d", f.port)
	raw, err := os.ReadFile("../../deploy/debian/kiosk.toml")
	if err != nil {
		t.Fatal(err)
	}
	f.conf = filepath.Join(t.TempDir(), "kiosk.toml")
	f.shipped = strings.Replace(string(raw), "127.0.0.1:8480", fmt.Sprintf("127.0.0.1:%d", f.port), 1)
	if err := os.WriteFile(f.conf, []byte(f.shipped), 0o600); err != nil {
		t.Fatal(err)
	}
	f.cmd = exec.Command(f.bin, "-config", f.conf)
	f.cmd.Env = append(os.Environ(), "STATE_DIRECTORY="+f.state)
	log, err := os.Create(f.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	f.cmd.Stderr = log
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.cmd.Process.Signal(syscall.SIGTERM)
		if err := f.cmd.Wait(); err != nil {
			t.Errorf("kioskd ends with %v", err)
		}
		if t.Failed() {
			t.Log(f.said())
		}
	})
	jar, _ := cookiejar.New(nil)
	f.client = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	f.until("the set-up page", func() bool { code, _ := f.get("/healthz"); return code == http.StatusOK })
	return f
}

func (f *fresh) until(what string, ok func() bool) {
	f.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// said is the kiosk's log.
func (f *fresh) said() string {
	raw, err := os.ReadFile(f.log)
	if err != nil {
		f.t.Error(err)
	}
	return string(raw)
}

func (f *fresh) get(path string) (int, string) {
	resp, err := f.client.Get(f.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func (f *fresh) post(path string, v any) (int, string) {
	f.t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		f.t.Fatal(err)
	}
	resp, err := f.client.Post(f.url+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

var shownCode = regexp.MustCompile(`id="shown"[^>]*>(\d{4} \d{4})<`)

// TestFirstStart sets a kiosk up as its page does: with the code of its screen,
// a scanner that is tried, a library's system that is asked, and bad answers
// first. It is then the kiosk, without a start by hand.
func TestFirstStart(t *testing.T) {
	f := newFresh(t)
	if code, _ := f.get("/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d", code)
	}
	for _, path := range []string{"/setup/devices", "/setup/reads"} {
		if code, _ := f.get(path); code != http.StatusForbidden {
			t.Errorf("without the code %s: %d", path, code)
		}
	}
	for _, path := range []string{"/setup/try", "/setup/upstream", "/setup/save"} {
		if code, _ := f.post(path, map[string]any{}); code != http.StatusForbidden {
			t.Errorf("without the code %s: %d", path, code)
		}
	}
	_, page := f.get("/")
	m := shownCode.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no code on the screen:\n%s", page)
	}
	if code, _ := f.post("/setup/code", map[string]string{"code": "1"}); code != http.StatusForbidden {
		t.Errorf("a wrong code: %d", code)
	}
	f.until("the door", func() bool {
		code, _ := f.post("/setup/code", map[string]string{"code": m[1]})
		return code == http.StatusNoContent
	})

	scanner := map[string]any{"name": "scanner", "driver": "serialscan", "path": f.scanner.Path}
	if _, said := f.post("/setup/try", map[string]any{"devices": []any{map[string]any{"name": "s", "driver": "magic"}}}); !strings.Contains(said, "must be one of") {
		t.Errorf("a driver that is none: %s", said)
	}
	if _, said := f.post("/setup/try", map[string]any{"devices": []any{map[string]any{"name": "s", "driver": "serialscan", "path": filepath.Join(f.state, "nothing")}}}); said != "{\"problems\":null}\n" {
		t.Errorf("a path that is none: %s", said)
	}
	f.until("what is wrong with the device", func() bool { _, said := f.get("/setup/reads"); return strings.Contains(said, `"error":`) })
	f.post("/setup/try", map[string]any{"devices": []any{scanner}})
	f.until("the scanner", func() bool { _, said := f.get("/setup/reads"); return strings.Contains(said, `"working":true`) })
	fmt.Fprint(f.scanner, "30417000010157\r")
	f.until("the scan", func() bool { _, said := f.get("/setup/reads"); return strings.Contains(said, `["30417000010157"]`) })

	up := map[string]any{"driver": "sip2", "address": f.ils, "user": "kiosk1", "password": "wrong"}
	answers := map[string]any{"name": "front", "library": demo.Institution, "timezone": "Europe/Berlin", "languages": []string{"de", "en"},
		"devices": []any{scanner}, "upstream": up, "staff": map[string]any{"badge": "S1", "name": "Ann", "secret": "1"}}
	if _, said := f.post("/setup/upstream", answers); !strings.Contains(said, `"ok":false`) {
		t.Errorf("with a wrong password the library's system says %s", said)
	}
	up["password"] = "demo"
	if _, said := f.post("/setup/upstream", answers); !strings.Contains(said, `"ok":true`) {
		t.Errorf("the library's system says %s", said)
	}
	if _, said := f.post("/setup/save", answers); !strings.Contains(said, "staff.secret") {
		t.Errorf("with a short PIN: %s", said)
	}
	if _, err := os.Stat(filepath.Join(f.state, "kiosk.toml")); err == nil {
		t.Error("there is a configuration already")
	}
	answers["staff"] = map[string]any{"badge": "S1", "name": "Ann", "secret": "long enough"}
	if _, said := f.post("/setup/save", answers); said != "{\"problems\":null}\n" {
		t.Fatalf("save: %s", said)
	}
	f.isSetUp()
}

// isSetUp sees that the desk is there, as it was asked for.
func (f *fresh) isSetUp() {
	f.t.Helper()
	healthy(f.t, f.port)
	f.until("the scanner at the desk", func() bool {
		s := rescuedStatus(f.t, f.state)
		return s.Name == "front" && len(s.Devices) == 1 && s.Devices[0].Working && s.Upstream.Up
	})
	r, err := sqlite.OpenReadOnly(f.t.Context(), filepath.Join(f.state, daemon.LedgerFile))
	if err != nil {
		f.t.Fatal(err)
	}
	defer r.Close()
	if m, err := r.Member(f.t.Context(), "S1"); err != nil || m.Name != "Ann" {
		f.t.Errorf("the first account is %+v, %v", m, err)
	}
	f.t.Setenv("STATE_DIRECTORY", f.state)
	if c, err := config.Load(f.conf); err != nil || c.Kiosk.Timezone != "Europe/Berlin" {
		f.t.Errorf("the configuration is %+v, %v", c, err)
	}
	if b, err := os.ReadFile(f.conf); err != nil || string(b) != f.shipped {
		f.t.Errorf("the package's own file has changed: %v", err)
	}
	fmt.Fprint(f.scanner, "20417000020018\r")
	f.until("the desk's answer to a card", func() bool { _, said := f.get("/api/v1/screen"); return !strings.Contains(said, `"view":"welcome"`) })
}

// TestByHand writes the configuration while the page waits, and has the running
// process take it; one that is wrong it does not take.
func TestByHand(t *testing.T) {
	f := newBare(t)
	reload := func(text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(f.conf, []byte(text), 0o600), f.cmd.Process.Signal(syscall.SIGHUP)); err != nil {
			t.Fatal(err)
		}
	}
	_, own, _ := strings.Cut(strings.ReplaceAll(f.shipped, "/var/lib/carrel", f.state), "\n") // without the line that says it is none
	reload(own + "\n[kiosk\n")
	f.until("a word on what is wrong", func() bool { return strings.Contains(f.said(), "the configuration is not taken") })
	if code, _ := f.get("/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("with a wrong configuration: %d", code)
	}
	reload(strings.Replace(own, `name = "kiosk"`, `name = "front"`, 1))
	healthy(t, f.port)
	if _, page := f.get("/"); shownCode.MatchString(page) {
		t.Error("the kiosk still asks for its code")
	}
}

// TestFirstStartInBrowser does it as a technician would.
func TestFirstStartInBrowser(t *testing.T) {
	browsertest.Require(t)
	f := newFresh(t)
	stop := make(chan struct{})
	scanned := make(chan struct{})
	go func() { // somebody who scans now and then
		defer close(scanned)
		for {
			select {
			case <-stop:
				return
			case <-time.After(300 * time.Millisecond):
				if code, _ := f.get("/readyz"); code == http.StatusServiceUnavailable {
					fmt.Fprint(f.scanner, "30417000010157\r")
				}
			}
		}
	}()
	script, err := filepath.Abs(filepath.Join("browser", "setup.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	browsertest.Run(t, script, "CARREL_DEMO="+f.url, "CARREL_SCANNER="+f.scanner.Path, "CARREL_ILS="+f.ils)
	close(stop)
	<-scanned
	if !t.Failed() {
		f.isSetUp()
	}
}
