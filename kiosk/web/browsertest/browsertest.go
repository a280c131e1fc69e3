// Package browsertest runs node scripts that drive Chromium through
// playwright-core, for tests that must see what a patron sees.
//
// A script is CommonJS and finds its tools with require("./lib.cjs") or, from
// another folder, require(process.env.CARREL_BROWSERTEST + "/lib.cjs"). It
// fails by ending with a status other than 0. The tools come with
//
//	npm ci --prefix kiosk/web/browsertest
//
// Without them, or without Chromium, a test is skipped; where the variable
// CARREL_REQUIRE holds "chromium" it fails.
package browsertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// longest is what one script may take.
const longest = 10 * time.Minute

// Run runs a script with the environment of the test and env ("NAME=value")
// on top. Screenshots go to CARREL_SCREENSHOTS, or to a folder of the test.
func Run(t *testing.T, script string, env ...string) {
	t.Helper()
	shots := os.Getenv("CARREL_SCREENSHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	Require(t)
	cmd, err := Command(ctx, script, append([]string{"CARREL_SCREENSHOTS=" + shots}, env...)...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s:\n%s", script, out)
	if err != nil {
		t.Errorf("%s: %v", script, err)
	}
}

// Require skips the test where there is no browser, or fails it where there
// must be one.
func Require(t *testing.T) {
	t.Helper()
	_, _, err := tools()
	if err == nil {
		return
	}
	if strings.Contains(os.Getenv("CARREL_REQUIRE"), "chromium") {
		t.Fatalf("browser tests are required: %v", err)
	}
	t.Skipf("no browser tests: %v", err)
}

// Command is a script ready to run, with the environment of this process and
// env ("NAME=value") on top. Its error says what is missing.
func Command(ctx context.Context, script string, env ...string) (*exec.Cmd, error) {
	dir, chromium, err := tools()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Env = append(os.Environ(), "CARREL_BROWSERTEST="+dir, "CARREL_CHROMIUM="+chromium, "NODE_PATH="+filepath.Join(dir, "node_modules"))
	cmd.Env = append(cmd.Env, env...)
	cmd.WaitDelay = 5 * time.Second
	return cmd, nil
}

// tools finds this folder with its node_modules, and Chromium.
func tools() (dir, chromium string, err error) {
	if dir, err = folder(); err != nil {
		return "", "", err
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "", "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "playwright-core")); err != nil {
		return "", "", errors.New("no node_modules: run npm ci --prefix kiosk/web/browsertest")
	}
	if c := os.Getenv("CARREL_CHROMIUM"); c != "" {
		return dir, c, nil
	}
	chromium, err = exec.LookPath("chromium")
	return dir, chromium, err
}

// folder is where this package lies, seen from within the same module.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "kiosk", "web", "browsertest"), nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("the tools lie in kiosk/web/browsertest of the source: run it from there")
		}
		dir = up
	}
}
